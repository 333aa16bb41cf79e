"""Snapshots: the first step, then the end of every epoch, thinned in long runs."""

from __future__ import annotations

import itertools
import math

import pytest

from autotrack.schedule import STEPS, Schedule


def snapshots(schedule: Schedule, epochs: int, batches: int = 1) -> list[int]:
    """The steps that get a snapshot in a loop of so many epochs and batches."""
    return [
        epoch * batches + batch
        for epoch in range(epochs)
        for batch in range(batches)
        if schedule.due(epoch * batches + batch, epoch, last_batch=batch == batches - 1)
    ]


def test_the_first_step_and_the_last_of_every_epoch():
    assert snapshots(Schedule(), 4, batches=5) == [0, 4, 9, 14, 19]


def test_where_the_last_batch_is_never_seen_the_next_epoch_stands_in():
    schedule = Schedule()
    taken = [
        epoch * 3 + batch
        for epoch in range(4)
        for batch in range(3)
        if schedule.due(epoch * 3 + batch, epoch, last_batch=False)
    ]
    assert taken == [0, 3, 6, 9]


def test_without_epochs_at_every_hundred_steps():
    schedule = Schedule()
    taken = [step for step in range(550) if schedule.due(step, None, last_batch=False)]
    assert STEPS == 100
    assert taken == [0, 100, 200, 300, 400, 500]


@pytest.mark.parametrize(("every", "expected"), [(2, [0, 4, 14, 24]), (3, [0, 4, 19]), (0, [])])
def test_a_person_may_ask_for_fewer(every, expected):
    assert snapshots(Schedule(every), 6, batches=5) == expected


@pytest.mark.parametrize("epochs", [10, 1_000, 100_000, 1_000_000])
def test_long_runs_keep_about_two_hundred(epochs):
    taken = snapshots(Schedule(), epochs)
    assert len(taken) <= 210
    assert taken[0] == 0
    if epochs == 10:
        assert taken == list(range(10))
    # thinned evenly: no gap is more than a tenth of the way gone
    gaps = [(after - before, after) for before, after in itertools.pairwise(taken)]
    assert all(gap <= max(1, after / 10) for gap, after in gaps)


def test_long_runs_without_epochs_keep_about_two_hundred():
    schedule = Schedule()
    taken = [n for n in range(0, 10_000_000, 100) if schedule.due(n, None, last_batch=False)]
    assert 100 <= len(taken) <= 210


@pytest.mark.parametrize("every", [1, 7])
def test_epochs_that_are_quiet_may_be_passed_by(every):
    """Where every step is an epoch: what is passed by together comes to the same snapshots."""
    one_by_one, together = Schedule(every), Schedule(every)
    expected = [e for e in range(3000) if one_by_one.due(e, e, last_batch=False)]
    taken, epoch = [], 0
    while epoch < 3000:
        if together.due(epoch, epoch, last_batch=False):
            taken.append(epoch)
        quiet = min(together.quiet, 3000 - 1 - epoch)
        together.pass_by(quiet, epoch + quiet)
        epoch += quiet + 1
    assert taken == expected
    assert len(taken) < 1000 / every


def test_without_snapshots_all_epochs_are_quiet():
    assert Schedule(0).quiet == math.inf
