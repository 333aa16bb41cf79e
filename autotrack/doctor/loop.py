"""Is a small training loop seen here as it is?

The loop runs twice, alone and tracked, and counts by hand what autotrack should record of it.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotrack.config import is_disabled
from autotrack.doctor._check import Check
from autotrack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.run import Run

_EPOCHS = 2
_STEPS = 5
_BATCH = 8
_REPORT = "please report it with this output"


@dataclass
class _ByHand:
    """What the loop itself knows: a loss a step, percent right an epoch, and its last weights."""

    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    weights: list[np.ndarray[Any, Any]] = field(default_factory=list)


def examine(_logdir: Path) -> Iterator[Check]:
    """Train alone and tracked; compare weights, losses and accuracies."""
    try:
        import torch
    except ImportError as error:
        yield Check("training loop", "bad", f"PyTorch cannot be imported: {error}")
        return
    if is_disabled():
        yield Check("training loop", "poor", "not tried: autotrack is disabled")
        return
    with torch.random.fork_rng(devices=[]), tempfile.TemporaryDirectory() as directory:
        alone = _train()
        try:
            tracked, run = _tracked(Path(directory))
        except UsageError:
            yield Check("training loop", "poor", "not tried: the settings cannot work")
            return
        yield _unchanged(alone, tracked)
        yield from _compared(run, tracked)


def _tracked(directory: Path) -> tuple[_ByHand, Run]:
    from autotrack.api import tracking

    with tracking(logdir=directory, sinks="tensorboard", metrics=None, strict=False) as run:
        by_hand = _train()
    return by_hand, run


def _train() -> _ByHand:
    """Train a small classifier by hand, as a person would write it."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    torch.manual_seed(0)
    inputs, labels = torch.randn(_STEPS * _BATCH, 4), torch.randint(0, 3, (_STEPS * _BATCH,))
    loader = DataLoader(TensorDataset(inputs, labels), batch_size=_BATCH)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    seen = _ByHand()
    for _epoch in range(_EPOCHS):
        right = 0
        for x, y in loader:
            optimizer.zero_grad()
            output = model(x)
            loss = criterion(output, y)
            loss.backward()
            optimizer.step()
            seen.losses.append(loss.item())
            right += int((output.argmax(1) == y).sum())
        seen.accuracies.append(100 * right / len(inputs))
    seen.weights = [parameter.detach().numpy().copy() for parameter in model.parameters()]
    return seen


def _unchanged(alone: _ByHand, tracked: _ByHand) -> Check:
    pairs = zip(alone.weights, tracked.weights, strict=True)
    if all(np.array_equal(one, other) for one, other in pairs):
        return Check("training", "good", "ends bit for bit the same, tracked or not")
    return Check("training", "bad", "ends with other weights when tracked", _REPORT)


def _compared(run: Run, by_hand: _ByHand) -> Iterator[Check]:
    history = run.history
    wanted = {"Loss/train": by_hand.losses, "Accuracy/train": by_hand.accuracies}
    for tag, values in wanted.items():
        recorded = history.series[tag].value if tag in history.series else None
        yield _same(tag, recorded, np.array(values, np.float32))
    for part, why in run.coverage.failed.items():
        yield Check(part, "bad", f"failed: {why}", _REPORT)


def _same(tag: str, recorded: Any, by_hand: np.ndarray[Any, Any]) -> Check:
    if recorded is None:
        return Check(tag, "bad", "not seen in a plain loop", _REPORT)
    if not np.array_equal(recorded, by_hand):
        return Check(tag, "bad", f"recorded {recorded.tolist()}, not {by_hand.tolist()}", _REPORT)
    return Check(tag, "good", f"{len(by_hand)} points, equal to those counted by hand")
