"""Which series belong on one chart, going by their tags alone: `train_loss` and `val_loss`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PHASES = "train|training|trn|val|valid|validation|dev|test|eval|evaluation"
_BEFORE = re.compile(rf"(?P<phase>{_PHASES})[/_.\- ](?P<what>.+)", re.IGNORECASE)
_BEHIND = re.compile(rf"(?P<what>.+)[/_.\- ](?P<phase>{_PHASES})", re.IGNORECASE)
_PART = re.compile(r"Loss/(?P<phase>[^/]+)/(?P<part>[^/]+)")
_EVALUATED = re.compile(r"Loss/(?!train/)[^/]+/(?P<part>[^/]+)")
_FIRST = re.compile(r"(loss|acc)", re.IGNORECASE)


def groups(tags: Iterable[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Put tags that differ only in their phase together: (title, [(tag, name), ...]).

    Parts of one loss (`Loss/train/mse_loss`) belong together as well, unless they are evaluated,
    too: then each with its evaluations. Losses and accuracies come first; otherwise the order is
    that of the tags.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    tags = list(tags)
    evaluated = {match["part"] for tag in tags if (match := _EVALUATED.fullmatch(tag))}
    for tag in tags:
        what, name = _split_part(tag, evaluated) or _split(tag)
        found.setdefault(what, []).append((tag, name))
    whole = [
        (members[0][0], [(members[0][0], members[0][0])]) if len(members) == 1 else (what, members)
        for what, members in found.items()
    ]
    return sorted(whole, key=lambda group: _FIRST.search(group[0]) is None)


def _split_part(tag: str, evaluated: set[str]) -> tuple[str, str] | None:
    match = _PART.fullmatch(tag)
    if match is None or match["part"] not in evaluated:
        return None
    return f"Part of the loss: {match['part']}", match["phase"]


def _split(tag: str) -> tuple[str, str]:
    if tag.startswith("Loss/train/"):
        return "Parts of the loss", tag.removeprefix("Loss/train/")
    match = _BEFORE.fullmatch(tag) or _BEHIND.fullmatch(tag)
    return (match["what"], match["phase"]) if match else (tag, tag)
