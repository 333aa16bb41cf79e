"""Every loss of `torch.nn`, by module, by function and imported by name, trained and evaluated.

The oracle is what the loop itself sees. A new loss of PyTorch's fails here until it is tried.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.modules import loss as losses

import autotrack

N, C = 6, 4
Case = tuple[Callable[[torch.Tensor], tuple[torch.Tensor, ...]], dict[str, Any]]


def probabilities(scores: torch.Tensor) -> torch.Tensor:
    return scores.sigmoid()


def signs(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.where(torch.arange(N * C).reshape(N, C) % 3 > 0, 1.0, -1.0)[: shape[0], : shape[1]]


CLASSES = torch.arange(N) % C
REAL = torch.linspace(-1, 1, N * C).reshape(N, C)
BITS = (signs((N, C)) > 0).float()
ONE_SIGN = signs((N, 1))[:, 0]
LENGTHS = torch.full((N,), 1)

#: What each is called with, given scores [N, C]; and the options that it cannot do without.
CASES: dict[str, Case] = {
    "L1Loss": (lambda s: (s, REAL), {}),
    "NLLLoss": (lambda s: (s.log_softmax(1), CLASSES), {}),
    "PoissonNLLLoss": (lambda s: (s, REAL.abs()), {}),
    "GaussianNLLLoss": (lambda s: (s, REAL, s.exp()), {}),
    "KLDivLoss": (lambda s: (s.log_softmax(1), REAL.softmax(1)), {"reduction": "batchmean"}),
    "MSELoss": (lambda s: (s, REAL), {}),
    "BCELoss": (lambda s: (s.sigmoid(), BITS), {}),
    "BCEWithLogitsLoss": (lambda s: (s, BITS), {}),
    "HingeEmbeddingLoss": (lambda s: (s, signs((N, C))), {}),
    "MultiLabelMarginLoss": (lambda s: (s, torch.where(BITS > 0, 1, -1).long().sort(1)[0]), {}),
    "SmoothL1Loss": (lambda s: (s, REAL), {}),
    "HuberLoss": (lambda s: (s, REAL), {}),
    "SoftMarginLoss": (lambda s: (s, signs((N, C))), {}),
    "CrossEntropyLoss": (lambda s: (s, CLASSES), {}),
    "MultiLabelSoftMarginLoss": (lambda s: (s, BITS), {}),
    "CosineEmbeddingLoss": (lambda s: (s, REAL, ONE_SIGN), {}),
    "MarginRankingLoss": (lambda s: (s[:, 0], s[:, 1], ONE_SIGN), {}),
    "MultiMarginLoss": (lambda s: (s, CLASSES), {}),
    "TripletMarginLoss": (lambda s: (s, REAL, -REAL), {}),
    "TripletMarginWithDistanceLoss": (lambda s: (s, REAL, -REAL), {}),
    "CTCLoss": (
        lambda s: (s.log_softmax(1)[None], CLASSES.clamp(min=1)[:, None], LENGTHS, LENGTHS),
        {},
    ),
}
#: One holds weights (`losses_linear_cross_entropy` of the loops), the other is an old `NLLLoss`.
LEFT_OUT = {"LinearCrossEntropyLoss", "NLLLoss2d"}
FUNCTIONS = {
    "BCELoss": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "CrossEntropyLoss": "cross_entropy",
    "KLDivLoss": "kl_div",
}
#: Written in Python: without gradients a call of the function leaves nothing to see.
WRITTEN_IN_PYTHON = {
    "GaussianNLLLoss",
    "MultiLabelSoftMarginLoss",
    "TripletMarginWithDistanceLoss",
}


def function_of(name: str) -> Any:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    snake = snake.replace("multi_label", "multilabel")
    return getattr(functional, FUNCTIONS.get(name, snake))


def test_none_is_forgotten() -> None:
    assert set(losses.__all__) - LEFT_OUT == set(CASES)


@pytest.mark.parametrize("how", ["module", "function", "imported by name"])
@pytest.mark.parametrize("name", CASES)
def test_its_values_are_those_of_the_loop(name: str, how: str, tmp_path: Any) -> None:
    arguments, options = CASES[name]
    imported = function_of(name)
    torch.manual_seed(0)
    model = nn.Linear(3, C)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    inputs, held_out = torch.randn(2, N, 3)
    trained, evaluated = [], []
    with warnings.catch_warnings(), autotrack.tracking(logdir=tmp_path, strict=True) as run:
        warnings.simplefilter("ignore", UserWarning)
        if how == "module":
            criterion: Any = getattr(nn, name)(**options)
        else:
            found = function_of(name) if how == "function" else imported
            criterion = lambda *args: found(*args, **options)  # noqa: E731 - as people write it
        for epoch in range(3):  # noqa: B007 - an epoch needs its variable
            model.train()
            for _ in range(2):
                loss = criterion(*arguments(model(inputs)))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                trained.append(loss.item())
            model.eval()
            with torch.no_grad():
                # Other tensors: a loss of the training batch itself is no evaluation.
                others = [argument.clone() for argument in arguments(model(held_out))]
                evaluated.append(criterion(*others).item())
    assert run.history["Loss/train"].value.tolist() == trained
    if how != "module" and name in WRITTEN_IN_PYTHON:
        assert "Loss/val" not in run.history
    else:
        assert run.history["Loss/val"].value.tolist() == pytest.approx(evaluated, rel=1e-6)
