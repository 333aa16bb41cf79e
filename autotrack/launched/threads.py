"""Threads below `autotrack run`: each that trains is a run of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from autotrack.run import Run


class Threads:
    """The runs of a process by thread, and the folders they record into.

    Whoever trains first has the process's own directory; the others record into `thread-<n>` of it.
    `place_of_rank` is asked, when there is something to record, whether a process group has made
    the process a rank whose record belongs elsewhere.
    """

    def __init__(
        self,
        directory: Path,
        opened: Callable[[Path], Run | None],
        place_of_rank: Callable[[], Path | None] = lambda: None,
    ) -> None:
        self._directory = directory
        self._place_of_rank = place_of_rank
        self._opened = opened
        self._lock = threading.Lock()
        self._recording: list[Run] = []
        self._runs: list[tuple[ref[threading.Thread], Run]] = []

    @property
    def first(self) -> Run | None:
        """The run that records into the process's own directory."""
        return self._recording[0] if self._recording else None

    def open(self) -> Run | None:
        """Return a new run for the calling thread; None for one that PyTorch itself has made."""
        thread = _python_thread()
        if thread is None:
            return None
        run = self._opened(self._directory)
        if run is not None:
            self.watch(run)
            self.end(only_of_ended_threads=True)
            with self._lock:
                self._runs.append((ref(thread), run))
        return run

    def watch(self, run: Run) -> None:
        """Give a run its directory when it has something to record."""
        run.outlet.place = lambda: self._place(run)

    def end(self, *, only_of_ended_threads: bool = False) -> None:
        """End the runs of other threads."""
        with self._lock:
            going = [pair for pair in self._runs if only_of_ended_threads and _is_alive(pair[0])]
            ending = [pair for pair in self._runs if pair not in going]
            self._runs = going
        for _, run in ending:
            run.finish()

    def _place(self, run: Run) -> Path:
        with self._lock:
            self._recording.append(run)
            number = len(self._recording)
        if number > 1:
            return self._directory / f"thread-{number}"
        return self._place_of_rank() or self._directory


def _is_alive(thread: ref[threading.Thread]) -> bool:
    known = thread()
    return known is not None and known.is_alive()


def _python_thread() -> threading.Thread | None:
    """Return the calling thread, where Python has made it for something of the person's.

    Autograd's threads for devices are not Python's, and those of `DataParallel` are its own.
    """
    here = threading.get_ident()
    thread = next((t for t in threading.enumerate() if t.ident == here), None)
    target = getattr(thread, "_target", None)
    if isinstance(thread, threading._DummyThread):
        return None
    return None if str(getattr(target, "__module__", "")).startswith("torch.") else thread
