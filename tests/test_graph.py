"""The graph tab: what autograd recorded, against graphs written down by hand."""

from __future__ import annotations

import gc
import weakref

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import autotrack


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)

    def forward(self, x):
        return x + self.second(F.relu(self.first(x)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.blocks = nn.Sequential(Block(8), Block(8))
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.blocks(torch.tanh(self.conv(x)).flatten(1)))


def graph_of(train, *, steps=2, **options):
    """The nodes that TensorBoard's reader finds after some steps of `train()`, by name."""
    with autotrack.tracking(logdir="run", strict=True, **options) as run:
        for _ in range(steps):
            train()
    accumulator = EventAccumulator(str(run.directory))
    accumulator.Reload()
    if not accumulator.Tags()["graph"]:
        return {}, run
    return {node.name: node for node in accumulator.Graph().node}, run


def training_of(model, *shape, classes=3):
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    x, y = torch.randn(*shape), torch.randint(0, classes, shape[:1])

    def train():
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    return train


def test_operations_stand_in_their_modules_with_parameters_inputs_and_shapes():
    nodes, run = graph_of(training_of(Net(), 5, 1, 4, 4))
    linear = {"weight": (8, 8), "bias": (8,), "T": (8, 8), "Addmm": (5, 8)}
    blocks = {
        f"blocks/{block}/{layer}/{name}": shape
        for block in (0, 1)
        for layer in ("first", "second")
        for name, shape in linear.items()
    }
    expected = {
        "input": None,
        "conv/weight": (2, 1, 3, 3),
        "conv/bias": (2,),
        "conv/Convolution": (5, 2, 2, 2),
        "Tanh": (5, 2, 2, 2),
        "View": (5, 8),
        **blocks,
        "blocks/0/Relu": (5, 8),
        "blocks/Add": (5, 8),
        "blocks/1/Relu": (5, 8),
        "Add": (5, 8),
        "head/weight": (3, 8),
        "head/bias": (3,),
        "head/T": (8, 3),
        "head/Addmm": (5, 3),
        "LogSoftmax": (5, 3),
        "NllLoss": (),
    }
    assert {name: shape_of(node) for name, node in nodes.items()} == expected
    assert list(nodes["blocks/Add"].input) == ["View", "blocks/0/second/Addmm"]
    assert list(nodes["conv/Convolution"].input) == ["conv/weight", "conv/bias", "input"]
    assert list(nodes["NllLoss"].input) == ["LogSoftmax"]
    assert {name for name, node in nodes.items() if node.op == "Parameter"} == {
        name for name in nodes if name.endswith(("weight", "bias"))
    }
    assert next(line for line in run.coverage.lines if line.what == "model graph").seen


def shape_of(node):
    if "_output_shapes" not in node.attr:
        return None
    (shape,) = node.attr["_output_shapes"].list.shape
    return tuple(dim.size for dim in shape.dim)


def test_every_input_names_a_node_that_comes_before():
    nodes, _ = graph_of(training_of(Net(), 5, 1, 4, 4))
    known = set()
    for name, node in nodes.items():
        assert set(node.input) <= known
        known.add(name)


def test_a_single_step_is_enough():
    nodes, _ = graph_of(training_of(nn.Linear(2, 3), 4, 2), steps=1)
    assert set(nodes) == {"weight", "bias", "input", "T", "Addmm", "LogSoftmax", "NllLoss"}


def test_the_losses_of_two_places_stand_beside_each_other():
    first, second = nn.Linear(2, 3), nn.Linear(2, 3)
    one, other = training_of(first, 4, 2), training_of(second, 4, 2)

    def train():
        one()
        other()

    nodes, _ = graph_of(train, steps=3)
    # one helper, two lines that call it: two losses
    assert {name.partition("/")[0] for name in nodes} == {"loss_0", "loss_1"}
    assert len(nodes) == 14


def test_checkpointed_activations_are_not_computed_for_it():
    calls = []
    layer, head = nn.Linear(2, 2), nn.Linear(2, 3)

    def inner(x):
        calls.append(1)
        return layer(x)

    class Checkpointed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.head = layer, head

        def forward(self, x):
            return self.head(checkpoint(inner, x, use_reentrant=False))

    nodes, _ = graph_of(training_of(Checkpointed(), 4, 2))
    assert len(calls) == 4
    assert "layer/Addmm" in nodes


def test_a_huge_loss_is_left_out_and_the_coverage_says_so(monkeypatch):
    monkeypatch.setattr("autotrack.metrics.graph.MOST_OPERATIONS", 3)
    nodes, run = graph_of(training_of(nn.Linear(2, 3), 4, 2))
    assert nodes == {}
    line = next(line for line in run.coverage.lines if line.what == "model graph")
    assert (line.seen, line.missing) == (0, "a loss has more than 3 operations")


def test_without_the_metric_there_is_none():
    nodes, _ = graph_of(training_of(nn.Linear(2, 3), 4, 2), metrics="loss")
    assert nodes == {}


def test_names_are_those_that_tensorboard_takes():
    model = nn.ModuleDict({"a b": nn.Linear(2, 3)})
    layer = model["a b"]
    model.forward = layer.forward
    nodes, _ = graph_of(training_of(model, 4, 2))
    assert {"a_b/weight", "a_b/Addmm"} <= set(nodes)


def test_weights_without_a_module_are_tensors():
    w = torch.randn(2, requires_grad=True)
    x = torch.randn(3, 2)

    def train():
        (x @ w).square().mean().backward()
        with torch.no_grad():
            w.sub_(0.1 * w.grad)
            w.grad = None

    nodes, _ = graph_of(train)
    assert set(nodes) == {"tensor", "Mv", "Pow", "Mean"}


def test_no_tensor_of_the_loss_stays_alive():
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3))
    alive = []
    model[1].register_forward_hook(lambda module, args, out: alive.append(weakref.ref(out)))
    train = training_of(model, 4, 2)
    with autotrack.tracking(logdir="run"):
        train()
        gc.collect()
        assert [known() for known in alive] == [None]
