"""The records of processes that trained together, read as one.

Every series is that of the first rank. Only what no rank could know alone is put together: the
norms of gradients that are spread over all of them.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from autotrack.assembly import scalar_series_at

if TYPE_CHECKING:
    from pathlib import Path

    from autotrack.assembly import Part
    from autotrack.columns import Columns
    from autotrack.series import Series

_RANK = re.compile(r"rank(\d+)")


def rank_folders(directory: Path) -> list[Path]:
    """Return the folders `rank<k>` of a directory, in the order of the ranks."""
    if not directory.is_dir():
        return []
    numbered = [(_RANK.fullmatch(path.name), path) for path in directory.iterdir()]
    found = [(int(match[1]), path) for match, path in numbered if match and path.is_dir()]
    return [path for _, path in sorted(found)]


def gradient_norms(ranks: list[list[Part]]) -> dict[str, Series]:
    """Return the global gradient norms, by tag, from the files of each rank, the first rank first.

    The squares of the ranks' shards are added, and gradients that every rank holds whole are
    counted once. A step that a rank has not recorded has no point.
    """
    first = ranks[0]
    tags = dict.fromkeys(tag for part in first for tag in part.columns.shards)
    by_step = {tag: [_by_step(tag, files) for files in ranks] for tag in tags}
    series = {}
    for tag in tags:
        places, values = [], []
        for part in first:
            known = {e: _norm(part.columns.x[e], by_step[tag]) for e in _events(tag, part.columns)}
            places.append(np.array([e for e, norm in known.items() if norm is not None], np.int64))
            values += [norm for norm in known.values() if norm is not None]
        if values:
            series[tag] = scalar_series_at(tag, first, places, values)
    return series


def _events(tag: str, columns: Columns) -> list[int]:
    return list(columns.shards.get(tag, {}))


def _by_step(tag: str, files: list[Part]) -> dict[int, tuple[float, float, int]]:
    """What one rank knows at each step; where it recorded a step twice, the later one holds."""
    return {
        part.columns.x[event]: values
        for part in files
        for event, values in part.columns.shards.get(tag, {}).items()
    }


def _norm(step: int, ranks: list[dict[int, tuple[float, float, int]]]) -> float | None:
    known = [by_step[step] for by_step in ranks if step in by_step]
    _, whole, processes = known[0]
    if len(known) < processes:
        return None
    return math.hypot(whole, *(shards for shards, _, _ in known))
