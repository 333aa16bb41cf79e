"""Watches CUDA graphs: while one is captured autotrack reads and launches nothing.

Whatever it launched would become part of the person's graph. A replay runs no Python, so nothing of
it can be seen; the run's coverage says so.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from autotrack.observers._patch import Patch


@dataclass(eq=False, repr=False)
class Graphs:
    """Graphs of this process: how many are being captured just now, and how many replays ran."""

    capturing: int = 0
    replays: int = 0


#: What happens on any thread counts: a capture may forbid all of them to ask the device.
graphs = Graphs()


def install(patch: Patch) -> None:
    """Watch the capture and the replay of every graph."""
    graphs.capturing = graphs.replays = 0
    graph = torch.cuda.CUDAGraph
    patch.replace(graph, "capture_begin", _wrap_begin)
    patch.replace(graph, "capture_end", _wrap_end)
    patch.replace(graph, "replay", _wrap_replay)


def _wrap_begin(original: Any) -> Any:
    @functools.wraps(original)
    def capture_begin(*args: Any, **kwargs: Any) -> Any:
        graphs.capturing += 1
        try:
            return original(*args, **kwargs)
        except BaseException:
            graphs.capturing = max(graphs.capturing - 1, 0)
            raise

    return capture_begin


def _wrap_end(original: Any) -> Any:
    @functools.wraps(original)
    def capture_end(*args: Any, **kwargs: Any) -> Any:
        try:
            return original(*args, **kwargs)
        finally:
            graphs.capturing = max(graphs.capturing - 1, 0)

    return capture_end


def _wrap_replay(original: Any) -> Any:
    @functools.wraps(original)
    def replay(*args: Any, **kwargs: Any) -> Any:
        graphs.replays += 1
        return original(*args, **kwargs)

    return replay
