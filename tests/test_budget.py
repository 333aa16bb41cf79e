"""The budget and what tracking says of its cost, by a clock that only stands where it is put."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import nn

import autotrack
from autotrack import cost as costs
from autotrack import events
from autotrack.budget import NORM, SNAPSHOTS, WIDEST, Budget, narrower, wider
from autotrack.config import Config
from autotrack.cost import Cost, Meter
from autotrack.guard import Guard
from autotrack.reports.intervals import interval_text
from autotrack.reports.page import render
from autotrack.run import Run

SERIES = [1, 2, 5, 10, 20, 50, 100]


@dataclass
class Loop:
    """A loop on a clock of its own: seconds of a step, and of what autotrack does in it."""

    share: float | None = 0.05
    free: float = 0.0
    step: float = 0.01
    rest: float = 0.0
    norm: float = 0.0
    snapshot: float = 0.0
    #: Steps between two snapshots that are due.
    due: int = 10
    seen: list = field(default_factory=list)

    def __post_init__(self):
        self.meter = Meter(lambda: self.meter.latest)
        self.meter.first = 0.0
        self.intervals = {}
        self.budget = Budget(
            self.meter, (self.share, self.free), self.intervals, lambda *new: self.seen.append(new)
        )
        self._next = self._snapshot = 0

    def run(self, steps, flush=20):
        meter = self.meter
        for _ in range(steps):
            took = self.rest
            if meter.steps % self.intervals[NORM] == 0:
                meter.add("gradients", self.norm)
                took += self.norm
            if meter.steps >= self._next:
                meter.in_snapshots += self.snapshot
                meter.add("histograms", self.snapshot)
                took += self.snapshot
                self._snapshot = meter.steps
                self._next = meter.steps + self.due * self.intervals[SNAPSHOTS]
            meter.seconds += took
            meter.latest += self.step + took
            if meter.steps == self._snapshot:
                meter.last_snapshot = meter.latest
            meter.steps += 1
            if meter.steps % flush == 0:
                self.budget.look()
        return self.intervals

    def share_of(self, steps):
        own, then = self.meter.seconds, self.meter.latest
        self.run(steps)
        return (self.meter.seconds - own) / (self.meter.latest - then)


def test_intervals_are_one_two_five_ten():
    assert [wider(every) for every in SERIES[:-1]] == SERIES[1:]
    assert [narrower(every) for every in SERIES[1:]] == SERIES[:-1]
    assert SERIES[-1] == WIDEST


def test_within_the_share_nothing_changes():
    loop = Loop(rest=1e-4, norm=2e-4, snapshot=1e-3)
    assert loop.run(5000) == {NORM: 1, SNAPSHOTS: 1}
    assert loop.seen == []


def test_a_short_run_is_recorded_whole_however_dear():
    loop = Loop(free=1.0, norm=0.005)
    loop.run(200)
    assert loop.seen == []
    loop.run(200)
    assert loop.seen


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        # 5 % of the whole is 0.526 ms beside 10 ms of the loop alone.
        ({"norm": 9e-4}, {NORM: 2, SNAPSHOTS: 1}),
        ({"norm": 2e-3}, {NORM: 5, SNAPSHOTS: 1}),
        ({"rest": 4e-4, "norm": 5e-4}, {NORM: 5, SNAPSHOTS: 1}),
        ({"snapshot": 0.02}, {NORM: 1, SNAPSHOTS: 5}),
        ({"norm": 1e-3, "snapshot": 0.02}, {NORM: 5, SNAPSHOTS: 10}),
    ],
)
def test_the_smallest_intervals_that_keep_the_share_are_chosen(parts, expected):
    loop = Loop(**parts)
    loop.run(5000)
    settled = len(loop.seen)
    assert loop.run(5000) == expected
    assert len(loop.seen) == settled, "settled intervals stay"
    assert loop.share_of(1000) <= 0.05


@pytest.mark.parametrize(("steps", "widened"), [(4, False), (6, True)])
def test_long_steps_need_not_be_many_to_say_what_they_take(steps, widened):
    """Half a second each, the free second spent after two of them, looked at after each."""
    loop = Loop(free=1.0, step=0.5, snapshot=0.5, due=1)
    loop.run(steps, flush=1)
    assert bool(loop.seen) is widened


def test_snapshots_far_apart_are_set_against_all_the_way_between_them():
    # 0.1 s every 4 s, and a second without one between: 2.5 % of the time.
    loop = Loop(snapshot=0.1, due=400)
    assert loop.run(4000) == {NORM: 1, SNAPSHOTS: 1}


def test_what_is_not_optional_may_be_over_the_share_and_the_rest_is_not_driven_to_nothing():
    loop = Loop(rest=0.003, norm=1e-3, snapshot=1e-4)
    # Beyond a tenth of what is allowed a norm is not what is too much, nor is a snapshot.
    assert loop.run(10_000) == {NORM: 20, SNAPSHOTS: 1}


def test_no_interval_is_wider_than_a_hundred():
    loop = Loop(rest=0.01, norm=1.0, step=0.001)
    loop.run(1000)
    assert loop.intervals[NORM] == WIDEST


def test_a_slow_stretch_is_forgotten_after_a_while():
    loop = Loop(norm=2e-4)
    loop.run(500)
    loop.norm = 2e-3
    assert loop.run(500)[NORM] == 5
    loop.norm = 1e-4
    loop.run(130)
    assert loop.intervals[NORM] == 5, "one calm stretch is no proof"
    assert loop.run(3000)[NORM] == 1
    assert [every for _, every in loop.seen] == [5, 2, 1]


def test_a_load_at_the_border_does_not_swing():
    loop = Loop(norm=6e-4)
    loop.run(20_000)
    assert loop.seen == [(NORM, 2)]


@pytest.mark.parametrize("share", [None, 1.0])
def test_without_a_budget_everything_is_recorded(share):
    loop = Loop(share=share, rest=1.0, norm=1.0, snapshot=1.0)
    assert loop.run(1000) == {NORM: 1, SNAPSHOTS: 1}


# -- the meter -----------------------------------------------------------------------------------


class Ticking:
    """A clock that stands still unless something takes time."""

    now = 0.0

    def __call__(self):
        return self.now


def test_parts_add_up_to_the_whole_and_are_right(monkeypatch):
    clock = Ticking()
    monkeypatch.setattr(costs, "_TIMING", 2e-5 * costs._SHARE_FOR_TIMING * 20)
    meter = Meter(clock)

    def takes(seconds):
        def handler(_):
            clock.now += seconds

        return handler

    handlers = {
        events.TrainBatchSeen: [("Loss", takes(2e-6)), ("Accuracy", takes(3e-6))],
        events.GradientsReady: [("GradientNorm", takes(4e-6))],
        events.SnapshotTaken: [("Histograms", takes(1e-3))],
        events.StepTaken: [("Loss", takes(1e-6))],
    }
    guard = Guard()
    names = {"Loss": "loss", "Accuracy": "accuracy", "GradientNorm": "gradients"}
    names["Histograms"] = "histograms"
    meter.divide(handlers, names, guard)
    publish = guard.hand_out(handlers)
    stand_ins = {
        events.TrainBatchSeen: (None, None, False),
        events.GradientsReady: (None, False, False),
    }
    steps = 2000
    meter.first = 0.0
    for step in range(steps):
        clock.now += 1e-5
        began = clock.now
        clock.now += 5e-6
        for kind, arguments in stand_ins.items():
            publish(kind(*arguments))
        taken = (None, step, None, [], [], None, step % 100 == 0)
        publish(events.StepTaken(*taken))
        if step % 100 == 0:
            publish(events.SnapshotTaken(*taken))
        meter.seconds += clock.now - began
        meter.latest = clock.now
    cost = meter.cost
    expected = {
        "capture": 5e-6 * steps,
        "loss": 3e-6 * steps,
        "accuracy": 3e-6 * steps,
        "gradients": 4e-6 * steps,
        "histograms": 1e-3 * steps / 100,
    }
    assert cost.parts == pytest.approx(expected, rel=0.02)
    assert sum(cost.parts.values()) == pytest.approx(cost.seconds)
    assert cost.loop_seconds == pytest.approx(clock.now)
    assert cost.share == pytest.approx(cost.seconds / clock.now)
    assert 0 < meter._samples < steps / 4


def test_a_part_that_fails_while_it_is_measured_stays_off():
    meter, guard, calls = Meter(Ticking()), Guard(), []

    def fails(_):
        calls.append(1)
        raise ValueError

    handlers = {events.StepTaken: [("Loss", fails)]}
    meter.divide(handlers, {"Loss": "loss"}, guard)
    publish = guard.hand_out(handlers)
    for step in range(20):
        publish(events.StepTaken(None, step, None, [], [], None, False))
    assert len(calls) == 1
    assert meter.steps == 20


def test_a_cost_says_the_dearest_first():
    cost = Cost(1.5, 0.03, 50.0, {"loss": 0.5, "capture": 1.0})
    assert str(cost).splitlines() == [
        "3 % of the loop's time (1.5 s)",
        "  capture: 1 s",
        "  loss: 0.5 s",
    ]
    assert json.loads(cost.json())["loop_seconds"] == 50.0


# -- in a run ------------------------------------------------------------------------------------


def trained(directory, steps=60, *, at=None, clip=False, every=7):
    """A run whose budget says at step `at` that norms are taken at every so many-th step."""
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    norms = []
    with autotrack.tracking(logdir=directory, strict=True, sinks=["tensorboard"]) as run:
        for step in range(steps):
            if step == at:
                run._surroundings.intervals[NORM] = every
                run._tell_interval(NORM, every)
                run._surroundings.intervals[SNAPSHOTS] = 2
                run._tell_interval(SNAPSHOTS, 2)
            optimizer.zero_grad()
            nn.functional.mse_loss(model(torch.randn(8, 3)), torch.randn(8, 2)).backward()
            before = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            after = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
            optimizer.step()
            norms.append((before, after))
    return run, norms


@pytest.mark.parametrize("clip", [False, True])
def test_a_step_has_both_its_norms_or_neither(tmp_path, clip):
    run, norms = trained(tmp_path, at=20, clip=clip)
    history = run.history
    # What step 20 does was settled when step 19 ended.
    steps = [*range(21), *range(21, 60, 7)]
    for tag, which in (("GradNorm/total", 0), ("GradNorm/clipped", 1))[: 1 + clip]:
        series = history[tag]
        assert series.step.tolist() == steps
        np.testing.assert_allclose(series.value, [norms[s][which] for s in steps], rtol=1e-5)
    assert len(history["Loss/train"]) == len(history["LearningRate/group0"]) == 60


def test_the_record_the_coverage_the_figures_and_the_page_say_the_interval(tmp_path):
    run, _ = trained(tmp_path, at=20)
    history = run.history
    norm = history.intervals[NORM]
    assert (norm.step.tolist(), norm.value.tolist()) == ([20], [7])
    assert interval_text(history, NORM) == "every 7th step from step 20"
    assert interval_text(history, SNAPSHOTS) == "every 2nd snapshot from step 20"
    said = {line.what: line.says for line in run.coverage.lines}
    assert said["gradient norm"].endswith("within the budget every 7th step from step 20")
    assert said["histograms"].endswith("within the budget every 2nd snapshot from step 20")
    page = render(history, [])
    assert "Recorded every 7th step from step 20, to keep within the budget." in page
    assert "Recorded every 2nd snapshot from step 20, to keep within the budget." in page


def test_a_snapshot_in_a_step_without_norm_has_its_layers(tmp_path):
    run, _ = trained(tmp_path, steps=250, at=30, every=33)
    history = run.history
    layers = history.vectors["autotrack/gradient_norm"]
    assert layers.step.tolist() == [0, 100]
    assert 100 not in history["GradNorm/total"].step


def test_the_cost_is_in_the_record_and_on_the_page(tmp_path):
    run, _ = trained(tmp_path)
    cost, kept = run.cost, run.history.cost
    assert kept["seconds"] == pytest.approx(sum(kept["parts"].values()))
    assert 0 < kept["seconds"] < kept["loop_seconds"] == pytest.approx(cost.loop_seconds)
    assert {"capture", "loss", "gradients", "histograms"} <= set(kept["parts"])
    assert "Cost of tracking" in render(run.history, [])


def test_a_run_of_nothing_costs_nothing(tmp_path):
    assert Run(Config(logdir=tmp_path)).cost == Cost(parts={"capture": 0.0})


def test_what_the_first_event_takes_is_part_of_the_loops_time(tmp_path):
    """The first look at variables and models is dearer than all of a short loop."""
    weight = torch.ones(3, requires_grad=True)
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        for _step in range(2):
            (weight * weight).sum().backward()
            with torch.no_grad():
                weight -= 0.1 * weight.grad
            weight.grad = None
    assert 0 < run.cost.seconds < run.cost.loop_seconds
