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


def attacked(model: torch.nn.Module, batches: list[torch.Tensor], **how: object) -> None:
    """Gradients of the inputs, by which nothing moves."""
    for batch in batches:
        inputs = batch.clone().requires_grad_()
        model.zero_grad(**how)  # type: ignore[arg-type]
        model(inputs).pow(2).mean().backward()
        assert inputs.grad is not None
        model(inputs + 0.1 * inputs.grad.sign())


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("cleared", [False, True])
def test_gradients_that_move_nothing_are_no_steps(frozen, cleared, tmp_path):
    """Of a model without an optimizer, more often than one looks, before one trains it by hand."""
    torch.manual_seed(5)
    model = torch.nn.Linear(7, 2)
    model.requires_grad_(not frozen)
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        attacked(model, list(torch.randn(30, 4, 7)), set_to_none=cleared)
        model.requires_grad_()
        by_hand(
            [weight := torch.randn(3, requires_grad=True), torch.zeros(1, requires_grad=True)], 6
        )
    assert weight.grad is not None
    assert len(run.history["Loss/train"]) == 6
    assert run.history["Loss/train"].step.tolist() == list(range(6))
    assert run.history.trainings == {}
    backward = next(line for line in run.coverage.lines if line.what == "backward")
    assert "30 more, to weights" in str(backward.how)


def test_a_run_of_nothing_but_gradients_has_no_loss_and_says_why(tmp_path):
    model = torch.nn.Linear(7, 2)
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        attacked(model, list(torch.randn(3, 4, 7)))
    assert not [tag for tag in run.history if tag.startswith("Loss/")]
    backward = next(line for line in run.coverage.lines if line.what == "backward")
    assert backward.seen == 0
    assert "did not move" in str(backward.missing)


def test_a_loader_that_an_attack_went_over_evaluates_as_any_other(tmp_path):
    """Its batches trained nothing, so that what is evaluated on it later is no training's."""
    torch.manual_seed(6)
    x, y = torch.randn(20, 7), torch.randint(0, 2, (20,))
    data = torch.utils.data.TensorDataset(x, y)
    test_loader = torch.utils.data.DataLoader(data, batch_size=5)
    model = torch.nn.Linear(7, 2)
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        for inputs, labels in test_loader:
            inputs.requires_grad_()
            torch.nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        with torch.no_grad():
            for inputs, labels in test_loader:
                torch.nn.functional.cross_entropy(model(inputs), labels)
    assert len(run.history["Loss/train"]) == 2
    assert [tag for tag in run.history if tag.startswith("Loss/t")] == [
        "Loss/train",
        "Loss/train_epoch",
        "Loss/test",
    ]


def test_the_first_step_by_hand_stands_before_the_evaluation_that_follows_it(tmp_path):
    torch.manual_seed(7)
    x, y = torch.randn(8, 3), torch.randn(8)
    weight = torch.zeros(3, requires_grad=True)
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        for _ in range(3):
            torch.nn.functional.mse_loss(x @ weight, y).backward()
            weight.data -= 0.1 * weight.grad
            weight.grad = None
            with torch.no_grad():
                torch.nn.functional.mse_loss(x[:4] @ weight, y[:4])
    assert run.history["Loss/val"].step.tolist() == [1, 2, 3]


def test_what_a_module_only_reports_about_training_is_no_evaluation(tmp_path):
    """A module without weights that measures and returns a dictionary, without gradients."""

    class Report(torch.nn.Module):
        def forward(self, out, y):
            with torch.no_grad():
                return {"mse": torch.nn.functional.mse_loss(out + 0, y + 0).item()}

    torch.manual_seed(8)
    x, y, model, report = torch.randn(16, 3), torch.randn(16, 1), torch.nn.Linear(3, 1), Report()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        for _ in range(5):
            out = model(x)
            optimizer.zero_grad()
            (out - y).abs().mean().backward()
            optimizer.step()
            report(out, y)
    assert not [tag for tag in run.history if tag.startswith(("Loss/val", "Loss/test"))]
