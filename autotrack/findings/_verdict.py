"""The verdict: what was trained, how it ended, and what matters most, in three sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autotrack.findings._last import last_training, trainings
from autotrack.findings._record import by_stream, finite, phases, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autotrack.findings._finding import Finding
    from autotrack.history import History
    from autotrack.series import Series

_ACCURACY = "Accuracy"


def verdict(history: History, findings: Sequence[Finding]) -> str:
    """Return at most three plain sentences: what was trained, how it ended, what to do next."""
    sentences = (_trained(history), _ended(last_training(history)), _matters(findings))
    return " ".join(sentence for sentence in sentences if sentence)


def _trained(history: History) -> str:
    losses = list(by_stream(history, "Loss/train"))
    steps = max((int(series.step.max()) + 1 for _, series in losses), default=0)
    if not steps:
        return "The record has no training loss."
    epochs = max((len(history.epoch_starts(stream)[0]) for stream, _ in losses), default=0)
    within = f" in {_count(epochs, 'epoch')}" if epochs else ""
    names = [stream for stream, _ in losses if stream]
    together = f" for each of {', '.join(names)} at most" if len(names) > 1 else ""
    several = trainings(history)
    last = f": {several} trainings in turn, of which the last is judged" if several > 1 else ""
    return f"Trained for {_count(steps, 'step')}{within}{together}{last}."


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _ended(history: History) -> str:
    accuracies, losses = phases(history, _ACCURACY), phases(history, "Loss")
    if accuracies:
        parts = [_best(phase, series, highest=True) for phase, series in accuracies[:2]]
        training = _last(history, "Accuracy/train", " %")
        return _sentence("Best accuracy", parts, training)
    if losses:
        parts = [_best(phase, series, highest=False) for phase, series in losses[:2]]
        return _sentence("Lowest loss", parts, _last(history, "Loss/train_epoch", ""))
    return _training_alone(history)


def _sentence(what: str, parts: list[str], training: str) -> str:
    known = [part for part in parts if part]
    return f"{what}: {'; '.join([*known, *([training] if training else [])])}." if known else ""


def _best(phase: str, series: Series, *, highest: bool) -> str:
    values = series.value.astype(np.float64)
    if not np.isfinite(values).any():
        return ""
    values = np.where(np.isfinite(values), values, np.nan)
    best = int(np.nanargmax(values) if highest else np.nanargmin(values))
    unit = " %" if highest else ""
    epoch = int(series.epoch[best])
    place = f"epoch {epoch}" if epoch >= 0 else f"step {int(series.step[best]):,}"
    last = values[-1]
    end = "" if last == values[best] or np.isnan(last) else f", at the end {say(last)}{unit}"
    return f"{phase} {say(values[best])}{unit} ({place}{end})"


def _last(history: History, name: str, unit: str) -> str:
    found = [(stream, finite(series)) for stream, series in by_stream(history, name)]
    known = [(stream, values) for stream, values in found if len(values)]
    if len(known) != 1:
        return ""
    return f"training ended at {say(known[0][1][-1])}{unit}"


def _training_alone(history: History) -> str:
    parts, went = [], False
    for stream, series in by_stream(history, "Loss/train"):
        values = finite(series)
        if not len(values):
            continue
        # Where it began is a number that everybody has seen; where it ended is no single batch.
        end = np.median(values[-max(1, len(values) // 20) :])
        name = f"{stream}: " if stream else ""
        if len(values) == 1:
            parts.append(f"{name}{say(float(end))}")
            continue
        went = True
        parts.append(f"{name}from {say(float(values[0]))} to {say(float(end))}")
    verb = "went" if went else "was"
    return f"The training loss {verb} {'; '.join(parts)}." if parts else ""


def _matters(findings: Sequence[Finding]) -> str:
    faults = [finding for finding in findings if finding.severity != "note"]
    if not faults:
        return "Nothing looks wrong."
    worst = faults[0]
    more = len(faults) - 1
    others = f" (and {_count(more, 'finding')} more)" if more else ""
    advice = f": {worst.advice[0].rstrip('.')}" if worst.advice else ""
    return f"{worst.title}{others}{advice}{'' if advice.endswith('?') else '.'}"
