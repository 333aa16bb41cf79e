"""On a real GPU: nothing waits for it, training is untouched, and numbers are those of the loop.

Without one these are skipped: what can be shown without a GPU is in `tests/device`.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import autotrack

sys.path.insert(0, str(Path(__file__).parent / "device"))

from trainings import TRAININGS, batches, network

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def put(tensor):
    return tensor.cuda(non_blocking=True)


def move(model):
    return model.cuda()


@contextmanager
def nothing_waits():
    """Let whatever synchronises with the device raise."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def pinned(data):
    return [tuple(tensor.pin_memory() for tensor in batch) for batch in data]


def random_state():
    return torch.get_rng_state().tolist(), torch.cuda.get_rng_state().tolist()


def state(*things):
    found = {}
    for number, thing in enumerate(things):
        for name, value in thing.state_dict().items():
            found[f"{number}.{name}"] = value
    return found


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one.cpu().nan_to_num(7.0), other.cpu().nan_to_num(7.0))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


class Hand:
    """What a person would note beside the loop, left on the device until the end."""

    def __init__(self):
        self.losses, self.norms, self.correct, self.seen = [], [], [], 0

    def step(self, loss, model, output=None, target=None, scale=None):
        self.losses.append(loss.detach().clone())
        gradients = [p.grad.detach().double() for p in model.parameters() if p.grad is not None]
        norm = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
        self.norms.append(norm if scale is None else norm / scale)
        if output is not None:
            self.correct.append((output.argmax(1) == target).sum())
            self.seen += len(target)

    @staticmethod
    def numbers(kept):
        return torch.stack(kept).double().cpu().numpy() if kept else np.empty(0)


@pytest.mark.parametrize("train", TRAININGS, ids=lambda train: train.__name__)
def test_training_is_untouched_and_nothing_waits(train, tmp_path):
    plain = train(put, move)
    random = random_state()
    with autotrack.tracking(logdir=tmp_path, strict=True) as run:
        tracked = train(put, move)
    assert same(state(plain), state(tracked))
    assert random == random_state()
    assert not run.coverage.failed
    assert len(run.history["Loss/train"]) >= 6


def many_steps(hand, make_optimizer, *, epochs=3, autocast=False):
    """A classifier on batches that lie on the device: enough steps for anything to settle."""
    torch.manual_seed(0)
    model, criterion = move(network()), nn.CrossEntropyLoss()
    optimizer = make_optimizer(model.parameters())
    data = [(put(x), put(y)) for x, y in batches(lambda n: torch.randint(0, 3, (n,)), 30)]
    with nothing_waits():
        for _epoch in range(epochs):
            for x, y in data:
                with torch.autocast("cuda", torch.bfloat16, enabled=autocast):
                    output = model(x)
                    loss = criterion(output, y)
                optimizer.zero_grad()
                loss.backward()
                if hand is not None:
                    hand.step(loss, model, output, y)
                optimizer.step()
    return model, optimizer


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "foreach": lambda p: torch.optim.Adam(p, lr=0.01, foreach=True),
    "fused": lambda p: torch.optim.AdamW(p, lr=0.01, fused=True),
}


@pytest.mark.parametrize("autocast", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_numbers_are_those_of_the_loop(make, autocast, tmp_path):
    plain = many_steps(None, make, autocast=autocast)
    hand = Hand()
    with autotrack.tracking(logdir=tmp_path, strict=True) as run:
        tracked = many_steps(hand, make, autocast=autocast)
    assert same(state(*plain), state(*tracked))
    history = run.history
    assert list(history["Loss/train"].x) == list(range(90))
    losses = Hand.numbers(hand.losses)
    np.testing.assert_array_equal(history["Loss/train"].value, losses.astype(np.float32))
    norms = Hand.numbers(hand.norms)
    np.testing.assert_allclose(history["GradNorm/total"].value, norms, 1e-6)
    correct = Hand.numbers(hand.correct).reshape(3, 30).sum(1)
    percent = 100 * correct / (hand.seen / 3)
    np.testing.assert_allclose(history["Accuracy/train"].value, percent, 1e-6)
    means = losses.reshape(3, 30).mean(1)
    np.testing.assert_allclose(history["Loss/train_epoch"].value, means, 1e-6)


@pytest.mark.parametrize("fused", [False, True], ids=["ordinary", "fused"])
def test_a_gradient_scaler_and_the_steps_it_skips(fused, tmp_path):
    def train(hand):
        torch.manual_seed(0)
        model = move(network())
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=fused)
        scaler = torch.amp.GradScaler("cuda", init_scale=2.0**10)
        for index, (x, y) in enumerate(batches(lambda n: torch.randint(0, 3, (n,)), 20)):
            with torch.autocast("cuda", torch.float16):
                loss = functional.cross_entropy(model(put(x)), put(y))
            if index in (3, 11):
                loss = loss * float("inf")
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            if hand is not None and index not in (3, 11):
                hand.step(loss, model, scale=scaler.get_scale())
            scaler.step(optimizer)
            scaler.update()
        return model, optimizer, scaler

    plain, hand = train(None), Hand()
    with autotrack.tracking(logdir=tmp_path, strict=True) as run:
        tracked = train(hand)
    assert same(state(*plain), state(*tracked))
    history = run.history
    assert list(history["Loss/train"].x) == list(range(18))
    losses = Hand.numbers(hand.losses).astype(np.float32)
    np.testing.assert_array_equal(history["Loss/train"].value, losses)
    np.testing.assert_allclose(history["GradNorm/total"].value, Hand.numbers(hand.norms), 1e-5)
    assert len(history.skipped[""]) == 2


def test_micro_batches_and_clipping(tmp_path):
    torch.manual_seed(0)
    model = move(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = [(put(x), put(y)) for x, y in batches(lambda n: torch.randint(0, 3, (n,)), 24)]
    losses, norms = [], []
    with autotrack.tracking(logdir=tmp_path, strict=True) as run, nothing_waits():
        for index, (x, y) in enumerate(data):
            loss = functional.cross_entropy(model(x), y) / 3
            loss.backward()
            losses.append(loss.detach() * 3)
            if index % 3 == 2:
                norms.append(nn.utils.clip_grad_norm_(model.parameters(), 0.2))
                optimizer.step()
                optimizer.zero_grad()
    history = run.history
    means = Hand.numbers(losses).reshape(8, 3).mean(1)
    np.testing.assert_allclose(history["Loss/train"].value, means, 1e-6)
    total = Hand.numbers(norms)
    np.testing.assert_allclose(history["GradNorm/total"].value, total, 1e-5)
    np.testing.assert_allclose(history["GradNorm/clipped"].value, np.minimum(total, 0.2), 1e-4)


def test_streams_of_the_person(tmp_path):
    torch.manual_seed(0)
    model = move(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = [(put(x), put(y)) for x, y in batches(lambda n: torch.randint(0, 3, (n,)), 40)]
    side, kept = torch.cuda.Stream(), []
    side.wait_stream(torch.cuda.current_stream())
    with autotrack.tracking(logdir=tmp_path, strict=True) as run, nothing_waits():
        for index, (x, y) in enumerate(data):
            with torch.cuda.stream(side if index % 3 else torch.cuda.current_stream()):
                torch.cuda.current_stream().wait_stream(side)
                torch.cuda.current_stream().wait_stream(torch.cuda.default_stream())
                loss = functional.cross_entropy(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                kept.append(loss.detach().clone())
                optimizer.step()
                torch.cuda.default_stream().wait_stream(torch.cuda.current_stream())
                side.wait_stream(torch.cuda.current_stream())
    losses = Hand.numbers(kept).astype(np.float32)
    np.testing.assert_array_equal(run.history["Loss/train"].value, losses)


def test_a_captured_step_is_left_alone(tmp_path):
    def train():
        torch.manual_seed(0)
        model = move(network())
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        x, y = (put(t) for t in batches(lambda n: torch.randint(0, 3, (n,)))[0])

        def step():
            optimizer.zero_grad(set_to_none=False)
            functional.cross_entropy(model(x), y).backward()
            optimizer.step()

        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        for _ in range(10):
            graph.replay()
        torch.cuda.synchronize()
        return model

    plain = train()
    with autotrack.tracking(logdir=tmp_path, strict=True) as run:
        tracked = train()
    assert same(state(plain), state(tracked))
    assert len(run.history["Loss/train"]) == 3
    assert any("replayed 10 times" in note for note in run.coverage.notes)


def test_one_model_on_the_gpu_and_one_on_the_cpu(tmp_path):
    torch.manual_seed(0)
    there, here = move(network()), network()
    opt_there = torch.optim.SGD(there.parameters(), lr=0.1)
    opt_here = torch.optim.SGD(here.parameters(), lr=0.1)
    kept = {"opt_there": [], "opt_here": []}
    with autotrack.tracking(logdir=tmp_path, strict=True) as run:
        for x, y in batches(lambda n: torch.randint(0, 3, (n,)), 20):
            loss = functional.cross_entropy(there(put(x)), put(y))
            opt_there.zero_grad()
            loss.backward()
            opt_there.step()
            kept["opt_there"].append(loss.detach().clone())
            loss = functional.cross_entropy(here(x), y)
            opt_here.zero_grad()
            loss.backward()
            opt_here.step()
            kept["opt_here"].append(loss.detach().clone())
    for name, losses in kept.items():
        found = run.history[f"Loss/train/{name}"].value
        np.testing.assert_array_equal(found, Hand.numbers(losses).astype(np.float32))


def test_the_first_loss_that_is_no_number_is_named(tmp_path):
    torch.manual_seed(0)
    model = move(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = [(put(x), put(y)) for x, y in batches(lambda n: torch.randint(0, 3, (n,)), 30)]
    with autotrack.tracking(logdir=tmp_path, strict=True) as run, nothing_waits():
        for index, (x, y) in enumerate(data):
            loss = functional.cross_entropy(model(x * torch.nan if index == 21 else x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert run.coverage.nonfinite["Loss/train"]["step"] == 21
    assert run.coverage.nonfinite["GradNorm/total"]["step"] == 21
    assert np.isnan(run.history["Loss/train"].value[21:]).all()
    assert np.isfinite(run.history["Loss/train"].value[:21]).all()


def test_a_loader_with_pinned_memory_and_a_validation(tmp_path):
    torch.manual_seed(0)
    data = batches(lambda n: torch.randint(0, 3, (n,)), 16)
    x, y = torch.cat([b[0] for b in data]), torch.cat([b[1] for b in data])
    dataset = torch.utils.data.TensorDataset(x, y)
    train_loader = torch.utils.data.DataLoader(dataset, batch_size=8, pin_memory=True)
    val_loader = torch.utils.data.DataLoader(dataset, batch_size=20, pin_memory=True)
    model, criterion = move(network()), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    by_hand = []
    with autotrack.tracking(logdir=tmp_path, strict=True) as run:
        for _epoch in range(2):
            model.train()
            for inputs, labels in train_loader:
                loss = criterion(model(put(inputs)), put(labels))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            total, correct = torch.zeros((), device="cuda"), torch.zeros((), device="cuda")
            with torch.no_grad():
                for inputs, labels in val_loader:
                    scores, wanted = model(put(inputs)), put(labels)
                    total += criterion(scores, wanted) * len(wanted)
                    correct += (scores.argmax(1) == wanted).sum()
            by_hand.append((total.item() / len(x), 100 * correct.item() / len(x)))
    history = run.history
    losses, accuracies = zip(*by_hand, strict=True)
    np.testing.assert_allclose(history["Loss/val"].value, losses, 1e-5)
    np.testing.assert_allclose(history["Accuracy/val"].value, accuracies, 1e-6)
    assert list(history["Loss/val"].x) == [0, 1]
