"""The gradient norm of large parameters, against sums in double precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import autotrack
from autotrack.metrics._norms import norm_of

ROWS, COLUMNS = 8_000, 768


@pytest.fixture(scope="module")
def embedding() -> torch.Tensor:
    torch.manual_seed(0)
    # Few numbers carry most of the sum, as in gradients.
    return torch.randn(ROWS, COLUMNS) * torch.exp(2 * torch.randn(ROWS, COLUMNS)) * 1e-3


def test_long_sums_keep_their_digits(embedding: torch.Tensor) -> None:
    exact = float(embedding.double().square().sum().sqrt())
    # This is what the sum in single precision misses.
    assert abs(float(torch.linalg.vector_norm(embedding)) / exact - 1) > 5e-5
    assert norm_of([embedding]) == pytest.approx(exact, rel=1e-5)


def test_a_long_sum_beside_short_ones(embedding: torch.Tensor) -> None:
    others = [torch.ones(3), torch.full((2, 2), 2.0)]
    squares = sum(float(t.double().square().sum()) for t in (embedding, *others))
    assert norm_of([embedding, *others]) == pytest.approx(squares**0.5, rel=1e-5)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_is_not_finite_stays_so(embedding: torch.Tensor, value: float) -> None:
    broken = embedding.clone()
    broken[-1, -1] = value
    norm = norm_of([broken])
    assert repr(norm) == repr(value)


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-30, -1e-40, 1e-19, 1e30])
def test_what_vanishes_in_single_precision_does_not_here(value: float) -> None:
    tensor = torch.full((20, 50), value)
    exact = float(np.linalg.norm(tensor.double().numpy()))
    assert norm_of([tensor]) == pytest.approx(exact, rel=1e-6, abs=0)


@pytest.mark.parametrize("value", [0.0, 3e-31, 1e-25, 1e-20, 1e-15])
@pytest.mark.parametrize("beside", [1e-22, 1e-12, 1e-9, 1e-3])
def test_what_vanishes_counts_as_far_as_it_can(value: float, beside: float) -> None:
    tensors = [torch.full((300, 400), value), torch.full((7,), beside), torch.zeros(50)]
    exact = float(np.linalg.norm(np.concatenate([t.double().numpy().ravel() for t in tensors])))
    # Sums of a hundred thousand equal numbers in single precision are good to so much.
    assert norm_of(tensors) == pytest.approx(exact, rel=5e-5, abs=0)


def test_each_parameter_has_its_norm_at_snapshots(tmp_path):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    wanted = []
    with autotrack.tracking(logdir=tmp_path) as run:
        for epoch in range(3):  # noqa: B007 - a loop as people write it
            optimizer.zero_grad()
            model(torch.randn(8, 3)).pow(2).mean().backward()
            wanted.append(
                [float(np.linalg.norm(p.grad.double().numpy())) for p in model.parameters()]
            )
            optimizer.step()
    series = run.history.vectors["autotrack/gradient_norm"]
    assert series.names == [name for name, _ in model.named_parameters()]
    np.testing.assert_allclose(series.value, wanted, rtol=1e-5)


def test_weights_moved_by_hand_count_once_below_two_losses(tmp_path):
    weight = torch.ones(3, requires_grad=True)
    by_hand = []
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        for _ in range(3):
            torch.autograd.backward([(weight * 1.0).sum(), (weight**2).sum()])
            by_hand.append(math.dist(weight.grad.tolist(), [0.0] * 3))
            with torch.no_grad():
                weight -= 0.1 * weight.grad
            weight.grad = None
    assert run.history["GradNorm/total"].value.tolist() == pytest.approx(by_hand, rel=1e-6)
