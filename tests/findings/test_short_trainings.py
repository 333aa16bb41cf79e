"""Short real trainings with one fault each: the oracle is the fault that was put in."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import autotrack
from autotrack.findings import find

EPOCHS, BATCH = 8, 16


def blobs(samples=240, classes=3):
    """Clouds that a small network parts within a few epochs."""
    generator = torch.Generator().manual_seed(3)
    y = torch.arange(samples) % classes
    return F.one_hot(y, 6).float() * 2 + 0.7 * torch.randn(samples, 6, generator=generator), y


def network(depth=1, activation=nn.ReLU, dropout=0.0, width=16):
    torch.manual_seed(1)
    layers, before = [], 6
    for _ in range(depth):
        layers += [nn.Linear(before, width), activation(), nn.Dropout(dropout)]
        before = width
    return nn.Sequential(*layers, nn.Linear(before, 3))


class Cut(nn.Module):
    """A network whose first layer is cut off from the loss."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 16), nn.Linear(16, 3)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)).detach())


class Training:
    """A right loop. Each fault changes one of its parts."""

    model, optimizer, lr, clip, epochs = staticmethod(network), torch.optim.Adam, 1e-2, None, EPOCHS
    modes = (True, True)

    def held(self, model):
        return model.parameters()

    def batch(self, step, x, y):
        return x, y

    def loss(self, output, y):
        return F.cross_entropy(output, y)

    def step(self, loss, optimizer):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def run(self, model, optimizer, loader, val_loader):
        step = 0
        for _epoch in range(self.epochs):
            if self.modes[0]:
                model.train()
            for x, y in loader:
                inputs, targets = self.batch(step, x, y)
                self.step(self.loss(model(inputs), targets), optimizer)
                step += 1
            if self.modes[1]:
                model.eval()
            with torch.no_grad():
                for x, y in val_loader:
                    F.cross_entropy(model(x), y)

    def findings(self):
        x, y = blobs()
        model = self.model()
        torch.manual_seed(2)
        optimizer = self.optimizer(self.held(model), lr=self.lr)
        loader = DataLoader(TensorDataset(x[:192], y[:192]), batch_size=BATCH, shuffle=True)
        val_loader = DataLoader(TensorDataset(x[192:], y[192:]), batch_size=48)
        with autotrack.tracking(logdir="run") as run:
            self.run(model, optimizer, loader, val_loader)
        return find(run.history, strict=True)


class NothingCleared(Training):
    rule = "accumulated-gradients"

    def step(self, loss, optimizer):
        loss.backward()
        optimizer.step()


class ClearedTooLate(Training):
    rule = "idle-steps"

    def step(self, loss, optimizer):
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()


class ZeroedTooLate(Training):
    rule = "idle-steps"

    def step(self, loss, optimizer):
        loss.backward()
        optimizer.zero_grad(set_to_none=False)
        optimizer.step()


class NeverStepped(Training):
    rule = "idle-steps"

    def step(self, loss, optimizer):
        optimizer.zero_grad()
        loss.backward()


class OptimizerOfACopy(Training):
    rule = "unheld-parameters"

    def held(self, model):
        return deepcopy(model).parameters()


class LossCutOff(Training):
    rule = "unheld-parameters"

    def loss(self, output, y):
        return super().loss(output, y).detach().requires_grad_()


class LastLayerOnly(Training):
    rule = "unheld-parameters"

    def held(self, model):
        return model[-1].parameters()


class FirstLayerCutOff(Training):
    rule, model = "frozen-parameters", Cut


class FirstLayerFrozen(Training):
    rule, severity = "frozen-parameters", "note"

    def held(self, model):
        model[0].requires_grad_(False)
        return model.parameters()


class EvalForgotten(Training):
    rule, modes = "train-evaluation-mismatch", (True, False)

    def model(self):
        return network(dropout=0.2)


class TrainForgotten(Training):
    rule, modes = "train-evaluation-mismatch", (False, True)

    def model(self):
        return network(dropout=0.2)


class NoRate(Training):
    rule, lr = "learning-rate-zero", 0.0


class TinyRate(Training):
    rule, lr, epochs = "update-ratio-small", 1e-8, 12


class RateTooHigh(Training):
    rule, lr, optimizer = "divergence", 0.4, torch.optim.SGD

    def model(self):
        return nn.Linear(6, 3)

    def loss(self, output, y):
        return F.mse_loss(output[:, 0], y.float())


class NotANumber(Training):
    rule = "nonfinite"

    def batch(self, step, x, y):
        return (x * float("nan") if step == 40 else x), y


class DeadUnits(Training):
    rule = "dead-relu"

    def model(self):
        made = network()
        with torch.no_grad():
            made[0].bias[:12] = -100.0
        return made


class DeepSigmoids(Training):
    rule = "vanishing-gradients"

    def model(self):
        return network(8, nn.Sigmoid)


class LabelsByLot(Training):
    rule, epochs = "not-learning", 10

    def batch(self, step, x, y):
        return x, y[torch.randperm(len(y))]


class ClippedAway(Training):
    rule = "clipping-always"

    def step(self, loss, optimizer):
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 1e-4)
        optimizer.step()


class LearnedByHeart(Training):
    rule, epochs, lr = "overfitting", 25, 2e-2

    def model(self):
        return network(2, width=64)

    def run(self, model, optimizer, loader, val_loader):
        loader.dataset.tensors[1].copy_(torch.randint(3, (192,)))
        super().run(model, optimizer, loader, val_loader)


class BrokenBatches(Training):
    rule, epochs = "loss-spikes", 12

    def batch(self, step, x, y):
        return x, (y + 1) % 3 if step in (90, 120) else y


@pytest.mark.parametrize("training", Training.__subclasses__(), ids=lambda kind: kind.__name__)
def test_a_fault_is_said_by_its_rule(training):
    found = {finding.rule: finding.severity for finding in training().findings()}
    assert training.rule in found
    assert found[training.rule] == getattr(training, "severity", found[training.rule])


def test_a_sound_training_has_no_fault():
    assert [f for f in Training().findings() if f.severity != "note"] == []


@pytest.mark.parametrize("forgotten", [False, True], ids=["train", "eval"])
def test_two_optimizers_train_in_one_phase(forgotten):
    """A generator and a discriminator with normalisation: their training is no evaluation."""
    torch.manual_seed(4)
    generator = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    judge = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.LeakyReLU(), nn.Linear(8, 1))
    optimizers = [torch.optim.Adam(m.parameters(), lr=1e-3) for m in (generator, judge)]
    loader = DataLoader(TensorDataset(blobs()[0][:192, :2]), batch_size=BATCH)
    criterion = nn.BCEWithLogitsLoss()
    with autotrack.tracking(generator, judge, *optimizers, logdir="run") as run:
        for epoch in range(5):
            if forgotten and epoch == 2:
                generator.eval()
                judge.eval()
            for (real,) in loader:
                made = generator(torch.randn(len(real), 4))
                ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
                optimizers[1].zero_grad()
                (criterion(judge(real), ones) + criterion(judge(made.detach()), zeros)).backward()
                optimizers[1].step()
                optimizers[0].zero_grad()
                criterion(judge(made), ones).backward()
                optimizers[0].step()
    # Of a run that was killed only the record tells.
    for history in (run.history, autotrack.read("run")):
        assert {phase.partition("/")[0] for phase in history.modes} == {"train"}
        found = [f for f in find(history, strict=True) if f.rule == "train-evaluation-mismatch"]
        assert [f.title for f in found] == ["train() is forgotten after evaluation"] * forgotten


def test_weights_that_another_optimizer_trains_are_not_frozen():
    """Two optimizers hold a model, and each has a loss of its own part of it."""
    torch.manual_seed(6)
    model = nn.ModuleDict({"kind": nn.Linear(4, 3), "size": nn.Linear(4, 1)})
    kinds, sizes = (torch.optim.Adam(model.parameters(), lr=1e-2) for _ in range(2))
    x = torch.randn(24, 4)
    with autotrack.tracking(model, kinds, sizes, logdir="run") as run:
        for _epoch in range(5):
            for part in x.split(8):
                kinds.zero_grad()
                F.cross_entropy(model["kind"](part), part.argmax(1) % 3).backward()
                kinds.step()
                sizes.zero_grad()
                F.mse_loss(model["size"](part), part.sum(1, keepdim=True)).backward()
                sizes.step()
    assert [f for f in find(run.history, strict=True) if f.rule == "frozen-parameters"] == []


def test_a_bias_that_cancels_is_not_cut_off():
    """A Wasserstein critic: what its last bias adds to real and made scores is the same."""
    torch.manual_seed(7)
    critic = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.RMSprop(critic.parameters(), lr=1e-3)
    with autotrack.tracking(critic, optimizer, logdir="run") as run:
        for _epoch in range(5):
            for real in torch.randn(24, 2).split(8):
                optimizer.zero_grad()
                (critic(torch.randn(8, 2) + 1).mean() - critic(real).mean()).backward()
                optimizer.step()
    (found,) = (f for f in find(run.history, strict=True) if f.rule == "frozen-parameters")
    assert (found.severity, found.title) == ("note", "1 bias gets no gradient")
    assert "2.bias" in found.evidence[0].text
