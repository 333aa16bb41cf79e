"""Which series of a record a figure shows, in which order, under which name and colour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autotrack.reports.palette import current

if TYPE_CHECKING:
    from autotrack.history import History
    from autotrack.series import Series

_MARKERS = ("o", "s", "D", "^", "v", "P")
_NO_PHASE = ("train", "train_epoch")
_INITIAL = "_initial"


@dataclass(frozen=True)
class Curve:
    """A series with its place in a figure: its stream, name, colour and marker."""

    series: Series
    stream: str
    name: str
    colour: str
    marker: str = "o"


def training(history: History, tag: str, name: str = "train") -> list[Curve]:
    """The training series under `tag`, one a stream; a stream without a name is called `name`."""
    curves, colours = [], current().series
    for index, stream in enumerate(history.streams or [""]):
        series = history.get(f"{tag}/{stream}" if stream else tag)
        if series is not None and len(series):
            colour = colours[index % len(colours)]
            curves.append(Curve(series, stream, stream or name, colour))
    return curves


def evaluations(history: History, quantity: str) -> list[Curve]:
    """The series of all evaluation phases of a quantity such as `Loss`, in order of appearance.

    Not those of a phase of which only several parts are known: none of them is the loss.
    """
    parts = {tag for tags in evaluated_parts(history).values() for tag in tags.values()}
    found = [
        tag
        for tag in history
        if _phase(history, quantity, tag) and len(history[tag]) and tag not in parts
    ]
    taken = {
        curve.colour for tag in ("Loss/train", "Accuracy/train") for curve in training(history, tag)
    }
    curves = []
    for index, tag in enumerate(found):
        name = _phase(history, quantity, tag)
        colour = _free_colour(name, taken)
        # More phases than colours: they begin anew, and markers and names tell them apart.
        taken = {*taken, colour} if len(taken) + 1 < len(current().series) else {colour}
        curves.append(Curve(history[tag], "", name, colour, _MARKERS[index % len(_MARKERS)]))
    return curves


def evaluated_parts(history: History) -> dict[str, dict[str, str]]:
    """The tags of evaluations of which only several parts are known: by part, and by phase."""
    by_phase: dict[str, list[tuple[str, str]]] = {}
    for tag in history:
        phase, _, part = _phase(history, "Loss", tag).rpartition("/")
        if phase and len(history[tag]):
            by_phase.setdefault(phase, []).append((part, tag))
    found: dict[str, dict[str, str]] = {}
    for phase, parts in by_phase.items():
        for part, tag in parts if len(parts) > 1 else []:
            found.setdefault(part, {})[phase] = tag
    return found


def before_training(history: History, quantity: str, curve: Curve) -> Curve | None:
    """The evaluation of a curve's phase before training, if there was one."""
    series = history.get(f"{quantity}/{curve.name}{_INITIAL}")
    return replace(curve, series=series) if series is not None and len(series) else None


def _phase(history: History, quantity: str, tag: str) -> str:
    group, _, name = tag.partition("/")
    last = name.rpartition("/")[2]
    if (
        group != quantity
        or name.startswith("train/")
        or name in _NO_PHASE
        or name.endswith(_INITIAL)
    ):
        return ""
    # `Loss/train_epoch/<stream>` is a training curve.
    return "" if name.startswith("train_epoch/") and last in history.streams else name


def _free_colour(phase: str, taken: set[str]) -> str:
    wished, colours = current().of_phase(phase), current().series
    free = [colour for colour in colours if colour not in taken] or list(colours)
    return wished if wished in free else free[0]
