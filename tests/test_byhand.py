"""Weights that are moved by hand: where the training of others begins, and where none does."""

from __future__ import annotations

import linecache
import textwrap

import pytest
import torch

import autotrack


def by_hand(weights: list[torch.Tensor], steps: int) -> None:
    for _ in range(steps):
        (torch.randn(8, 3) @ weights[0] + weights[1]).pow(2).mean().backward()
        with torch.no_grad():
            for weight in weights:
                weight.sub_(0.1 * weight.grad)
                weight.grad.zero_()


def line() -> list[torch.Tensor]:
    return [torch.randn(3, requires_grad=True), torch.zeros(1, requires_grad=True)]


def test_weights_that_are_moved_by_hand_begin_anew(tmp_path):
    """By the same lines, by the same function called elsewhere, and by lines of their own."""
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        for steps in (5, 6):
            by_hand(line(), steps)
        by_hand(kept := line(), 7)
        weight = torch.zeros(3, requires_grad=True)
        for _ in range(8):
            (torch.randn(8, 3) @ weight - 1).pow(2).mean().backward()
            weight.data -= 0.1 * weight.grad
            weight.grad = None
        # Goes on where it was.
        by_hand(kept, 3)
    assert run.history.trainings[""].tolist() == [5, 11, 18]
    assert len(run.history["Loss/train"]) == 29


def test_a_cell_that_runs_once_more_trains_anew(tmp_path):
    """Its lines are compiled again, so that its loop is another one, with the same text."""
    cell = """
        weight = torch.zeros(3, requires_grad=True)
        for _ in range(steps):
            (torch.randn(8, 3) @ weight - 1).pow(2).mean().backward()
            weight.data -= 0.1 * weight.grad
            weight.grad = None
    """
    source = textwrap.dedent(cell)
    name = str(tmp_path / "cell")
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space = {"torch": torch, "__name__": "__main__"}

    def execute(steps: int) -> None:
        exec(compile(source, name, "exec"), {**space, "steps": steps})  # noqa: S102 - a cell

    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        list(map(execute, (4, 5, 6)))
    assert run.history.trainings[""].tolist() == [4, 9]


@pytest.mark.parametrize("several", [1, 3])
def test_two_models_moved_in_turn_are_no_trainings_one_after_another(several, tmp_path):
    one, other = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        for _ in range(6):
            for _ in range(several):
                (torch.randn(8, 3) @ one).pow(2).mean().backward()
                one.data -= 0.1 * one.grad
                one.grad = None
            (torch.randn(8, 3) @ other).pow(2).mean().backward()
            other.data -= 0.1 * other.grad
            other.grad = None
    assert run.history.trainings == {}


def test_weights_that_are_new_tensors_at_each_step_are_one_training(tmp_path):
    weight = torch.randn(3, requires_grad=True)
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        for _ in range(2):
            for _ in range(5):
                (torch.randn(8, 3) @ weight).pow(2).mean().backward()
                weight = (weight - 0.1 * weight.grad).detach().requires_grad_()  # type: ignore[operator]
        for _ in range(5):
            (torch.randn(8, 3) @ weight).pow(2).mean().backward()
            weight = (weight - 0.1 * weight.grad).detach().requires_grad_()  # type: ignore[operator]
    assert run.history.trainings == {}
