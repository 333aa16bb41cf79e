"""What cannot be seen can be stated: `criterion=`, `epoch=`, `phase=`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import autotrack

TURNS = 3


def pinball(prediction, target, quantile=0.8):
    error = target - prediction
    return torch.maximum(quantile * error, (quantile - 1) * error).mean()


def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(24, 4, generator=generator)
    return x, x.sum(1, keepdim=True)


def model_and_optimizer():
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def train(validate=None):
    """Return the validation losses, one an epoch, as the loop saw them."""
    x, y = data()
    model, optimizer = model_and_optimizer()
    seen = []
    for _epoch in range(TURNS):
        loss = pinball(model(x[:16]), y[:16])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            seen.append(pinball(model(x[16:]), y[16:]).item())
    return seen


def test_a_plain_function_is_seen_in_evaluation_when_it_is_stated(tmp_path):
    with autotrack.tracking(logdir=tmp_path, criterion=pinball) as run:
        seen = train()
    assert run.history["Loss/val"].value.tolist() == np.float32(seen).tolist()


def test_unstated_it_is_absent_and_the_coverage_names_the_way_out(tmp_path):
    with autotrack.tracking(logdir=tmp_path) as run:
        train()
    assert "Loss/val" not in run.history
    assert "criterion=" in str(run.coverage)


def test_training_is_the_same_and_the_function_is_put_back(tmp_path):
    before = pinball
    plain = train()
    with autotrack.tracking(logdir=tmp_path, criterion=pinball):
        assert pinball is not before
        tracked = train()
    assert pinball is before
    assert tracked == plain


def test_a_local_function_is_refused_with_the_way_out(tmp_path):
    def local(prediction, target):
        return (prediction - target).abs().mean()

    with (
        pytest.raises(autotrack.AutotrackError, match="local stands in no module"),
        autotrack.tracking(logdir=tmp_path, criterion=local),
    ):
        pass


def test_what_is_no_criterion_is_refused(tmp_path):
    with pytest.raises(autotrack.AutotrackError, match="criterion='mse'"):
        autotrack.tracking(logdir=tmp_path, criterion="mse")


def rounds(model, optimizer, x, y):
    """A loop whose counter has a name that says nothing: `turn`, from 5 on."""
    for turn in range(5, 5 + TURNS):  # noqa: B007 - a loop as people write it
        for rows in (slice(0, 8), slice(8, 16)):
            loss = nn.functional.mse_loss(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            nn.functional.mse_loss(model(x[16:]), y[16:])
    return turn


@pytest.mark.parametrize(("epoch", "wanted"), [("turn", [5, 6, 7]), (None, [2, 4, 6])])
def test_the_variable_that_counts_the_epochs_can_be_stated(tmp_path, epoch, wanted):
    with autotrack.tracking(logdir=tmp_path, epoch=epoch) as run:
        rounds(*model_and_optimizer(), *data())
    assert run.history["Loss/train_epoch"].x.tolist() == wanted
    assert run.history["Loss/val"].x.tolist() == wanted


def test_the_epoch_can_be_a_function(tmp_path):
    steps = iter(range(100))
    with autotrack.tracking(logdir=tmp_path, epoch=lambda: next(steps) // 4) as run:
        rounds(*model_and_optimizer(), *data())
    epochs = run.history["Loss/train_epoch"].x
    assert (np.diff(epochs) > 0).all()


def test_the_phase_can_be_stated(tmp_path):
    with autotrack.tracking(logdir=tmp_path, phase=lambda: "holdout_2024") as run:
        rounds(*model_and_optimizer(), *data())
    assert "Loss/holdout_2024" in run.history
    assert "Loss/val" not in run.history


def test_a_stated_function_that_fails_leaves_training_and_numbers_alone(tmp_path):
    def broken():
        raise RuntimeError("no")

    with autotrack.tracking(logdir=tmp_path, epoch=broken, phase=broken) as run:
        rounds(*model_and_optimizer(), *data())
    assert run.history["Loss/train_epoch"].x.tolist() == [2, 4, 6]
    assert "Loss/val" in run.history


def test_a_given_model_in_eval_mode_trains_on_two_losses_in_turn(tmp_path):
    """Known from the start, it could be evaluating: until a loss has been backwarded."""
    torch.manual_seed(5)
    xs, kinds = torch.randn(12, 5), torch.randint(0, 3, (12,))
    model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Linear(8, 4)).eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    classes, sizes = [], []
    with autotrack.tracking(model, optimizer, logdir=tmp_path, strict=True) as run:
        for _epoch in range(2):
            for x, kind in zip(xs.split(4), kinds.split(4), strict=True):
                out = model(x)
                by_class = F.cross_entropy(out[:, :3], kind)
                by_size = F.mse_loss(out[:, 3:], x.sum(1, keepdim=True))
                classes.append(by_class.item())
                sizes.append(by_size.item())
                optimizer.zero_grad()
                by_class.backward(retain_graph=True)
                by_size.backward()
                optimizer.step()
    scored = [tag for tag in run.history if tag.startswith(("Loss/", "R2/", "MAE/", "Accuracy/"))]
    assert [tag for tag in scored if "/train" not in tag] == []
    np.testing.assert_allclose(run.history["Loss/train/cross_entropy"].value, classes, 1e-6)
    np.testing.assert_allclose(run.history["Loss/train/mse_loss"].value, sizes, 1e-6)
