"""Loops put together of parts at random, each compared with numbers computed by hand in it.

The files of `tests/loops` are programs that somebody would write; here the ways of writing a step
meet in every combination, which is where one that is right alone has been wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from test_loops import Hand, differences
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from untouched import left_on

import autotrack
from autotrack.capture import pattern

SAMPLES, FRESH = 22, 9
LARGEST = 0.6
# Of the steps under a gradient scaler this one has infinite gradients.
SKIPPED = 4


class Loop(NamedTuple):
    """What a loop is put together of."""

    batch: int = 6
    from_loader: bool = True
    reduction: str = "mean"
    own_criterion: bool = False
    penalty: bool = False
    parts: int = 1
    clipped: bool = False
    scaled: bool = False
    scheduled: bool = False
    measured_again: bool = False
    evaluated: str = ""
    replaced: bool = False
    settles_at_once: bool = False


class Own(nn.Module):
    def forward(self, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(scores, labels)


class Training:
    """One loop: its data, its model, and the notebook that is kept beside it."""

    def __init__(self, loop: Loop, hand: Hand) -> None:
        torch.manual_seed(0)
        self.loop, self.hand = loop, hand
        rule = torch.randn(4, 3)
        self.x, self.fresh = torch.randn(SAMPLES, 4), torch.randn(FRESH, 4)
        self.y, self.expected = (self.x @ rule).argmax(1), (self.fresh @ rule).argmax(1)
        self.loader = DataLoader(TensorDataset(self.x, self.y), loop.batch, shuffle=True)
        self.val_loader = DataLoader(TensorDataset(self.fresh, self.expected), 4)
        self.model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
        reduction = loop.reduction
        self.criterion = Own() if loop.own_criterion else nn.CrossEntropyLoss(reduction=reduction)
        self.scaler = torch.amp.GradScaler("cpu", init_scale=8.0) if loop.scaled else None
        self.step = self.called = 0
        self.pending: list[tuple[float, int]] = []

    def batches(self) -> Any:
        return self.loader if self.loop.from_loader else self._slices()

    def _slices(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return zip(self.x.split(self.loop.batch), self.y.split(self.loop.batch), strict=True)

    def run(self) -> Any:
        optimizer = torch.optim.SGD(self.model.parameters(), lr=0.2, momentum=0.5)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        for epoch in range(3):
            if self.loop.replaced and epoch == 2:
                optimizer = torch.optim.SGD(self.model.parameters(), lr=0.05)
            optimizer.zero_grad()
            self.pending = []
            for inputs, labels in self.batches():
                self.backward(inputs, labels)
                if len(self.pending) == self.loop.parts:
                    self.update(optimizer)
                    if self.loop.measured_again:
                        with torch.no_grad():
                            self.criterion(self.model(inputs), labels)
            self.hand.end("train", epoch)
            if self.loop.scheduled:
                # The first optimizer's, also where the second trains.
                scheduler.step()
            if self.loop.evaluated:
                self.evaluate(epoch)
        return self.model, optimizer, scheduler

    def backward(self, inputs: torch.Tensor, labels: torch.Tensor) -> None:
        scores = self.model(inputs)
        loss = self.criterion(scores, labels)
        if self.loop.reduction == "sum":
            loss = loss / len(labels)
        if self.loop.penalty:
            loss = loss + 0.01 * sum((weight**2).sum() for weight in self.model.parameters())
        of_step = loss / self.loop.parts if self.loop.parts > 1 else loss
        if self.scaler is not None:
            self.scaler.scale(of_step).backward()
        else:
            of_step.backward()
        self.pending.append((loss.item(), len(labels)))
        right = (scores.argmax(1) == labels).sum()
        self.hand.saw("train", loss.item(), len(labels), correct=right)

    def update(self, optimizer: torch.optim.Optimizer) -> None:
        losses, sizes = zip(*self.pending, strict=True)
        self.called += 1
        happens = self.scaler is None or self.called != SKIPPED
        if not happens:
            self.model[0].bias.grad[0] = float("inf")
        if self.scaler is not None:
            self.scaler.unscale_(optimizer)
        if happens:
            self.hand.step(self.step, list(losses), optimizer, sizes=sizes)
        if self.loop.clipped:
            nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST)
            if happens:
                self.hand.gradient_norm(self.step, self.model.parameters(), tag="GradNorm/clipped")
        if self.scaler is None:
            optimizer.step()
        else:
            self.scaler.step(optimizer)
            self.scaler.update()
        optimizer.zero_grad()
        self.step += happens
        self.pending = []

    def evaluate(self, epoch: int) -> None:
        pieces = zip(self.fresh.split(4), self.expected.split(4), strict=True)
        losses, sizes = [], []
        self.model.eval()
        with torch.no_grad():
            for inputs, labels in self.val_loader if self.loop.evaluated == "loader" else pieces:
                scores = self.model(inputs)
                found = self.criterion(scores, labels).item()
                losses.append(found / len(labels) if self.loop.reduction == "sum" else found)
                sizes.append(len(labels))
                right = (scores.argmax(1) == labels).sum()
                self.hand.saw("val", losses[-1], len(labels), correct=right)
        self.model.train()
        # Beside a penalty the criterion is a part of what training minimises.
        part = f"/{'Own' if self.loop.own_criterion else 'cross_entropy'}"
        self.hand.mean(f"Loss/val{part if self.loop.penalty else ''}", epoch, losses, sizes)
        self.hand.end("val", epoch, loss=False)


def put_together() -> st.SearchStrategy[Loop]:
    built = st.builds(
        Loop,
        batch=st.sampled_from([4, 6, 11, SAMPLES]),
        from_loader=st.booleans(),
        reduction=st.sampled_from(["mean", "sum"]),
        own_criterion=st.booleans(),
        penalty=st.booleans(),
        parts=st.sampled_from([1, 1, 2, 3]),
        clipped=st.booleans(),
        scaled=st.booleans(),
        scheduled=st.booleans(),
        measured_again=st.booleans(),
        evaluated=st.sampled_from(["", "loader", "slices"]),
        replaced=st.booleans(),
        settles_at_once=st.booleans(),
    )
    # Each epoch has at least one step, and a criterion of one's own is a mean.
    return built.map(
        lambda loop: loop._replace(
            parts=min(loop.parts, -(-SAMPLES // loop.batch)),
            reduction="mean" if loop.own_criterion else loop.reduction,
        )
    )


@settings(max_examples=100)
@given(put_together())
def test_its_numbers_are_those_by_hand(
    tmp_path_factory: pytest.TempPathFactory, loop: Loop
) -> None:
    plain = Training(loop, Hand())
    plain.run()
    hand = Hand()
    with pytest.MonkeyPatch.context() as patch:
        if loop.settles_at_once:
            patch.setattr(pattern, "SETTLED_BY", 1)
        directory = tmp_path_factory.mktemp("put") / "run"
        with autotrack.tracking(logdir=directory, strict=True, budget=None) as run:
            training = Training(loop, hand)
            trained = training.run()
    assert left_on(trained) == []
    before, after = plain.model.state_dict(), training.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert list(differences(hand, run.history, SimpleNamespace())) == []
