"""Where a run's records go: its directory and its sinks, opened when there is one to write."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from autotrack import ranks, sinks
from autotrack.block import Block, spread_out
from autotrack.buffer import record_of
from autotrack.capture.streams import tag_of
from autotrack.config import default_directory
from autotrack.directory import free_directory, taken_directory
from autotrack.guard import attempt
from autotrack.layout import Layout
from autotrack.tallies import Tallies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from autotrack.config import Config
    from autotrack.guard import Guard
    from autotrack.records import Record
    from autotrack.row import Row

    #: Finished rows, each with the stream that names its series.
    Rows = list[tuple[Row | Block, Any]]


class Outlet:
    """Writes rows to `directory`; a process that shall not record is `silent`."""

    def __init__(
        self, config: Config, guard: Guard, first_record: Callable[[], Record], *, placed: bool
    ) -> None:
        """With `placed`, `config.logdir` is where this very process records, whatever its rank."""
        self._config, self._guard, self._placed = config, guard, placed
        self._first_record = first_record
        self._home = config.logdir or default_directory()
        #: Where a run below `autotrack run` records, asked when there is something to record.
        self.place: Callable[[], Path] | None = None
        self.silent = not self._settle_directory()
        self.name = self._home.name
        self._factories = sinks.chosen(config.sinks)
        self._sinks: list[tuple[str, Any]] | None = None
        self._layout = Layout()
        self.tallies = Tallies()
        #: How many records have been written.
        self.written = 0

    @property
    def is_open(self) -> bool:
        """Whether anything has been written, or was tried to."""
        return self._sinks is not None

    @property
    def has_sinks(self) -> bool:
        """Whether anything can be written."""
        return bool(self._sinks)

    def write(self, rows: Rows) -> None:
        """Let every sink have some rows, whose numbers are known."""
        named = {stream: cache(partial(tag_of, stream)) for stream in {s for _, s in rows}}
        records: list[Record | Block] = [record_of(row, named[stream]) for row, stream in rows]
        self.tallies.add(records)
        self._guard.call("layout", self._layout.add, records, self.tallies.tags)
        if self._sinks is None:
            # Only now is it sure that a process group knows this process's rank.
            self._home = self.place() if self.place is not None else self._home
            self.silent = not self._settle_directory()
            if self.silent:
                return
            self._sinks = self._opened()
            records = [self._first_record(), *records]
        self.written += sum(len(r) if isinstance(r, Block) else 1 for r in records)
        for name, sink in self._sinks:
            takes_blocks = getattr(sink, "takes_blocks", False)
            taken = records if takes_blocks else spread_out(records)
            self._guard.call(f"sink {name}", sink.write, taken)

    def tell(self, phase: str, batches: int, of: int | None) -> None:
        """Let the sinks that show it know how far an evaluation has come."""
        for name, sink in self._sinks or ():
            if (told := getattr(sink, "evaluating", None)) is not None:
                self._guard.call(f"sink {name}", told, phase, batches, of)

    def close(self) -> None:
        """Close every sink."""
        for name, sink in self._sinks or ():
            if f"sink {name}" in self._guard.failed:
                attempt(sink.close)
            else:
                self._guard.call(f"sink {name}", sink.close)

    def _settle_directory(self) -> bool:
        """Choose the directory, or return False where this process shall not record."""
        folder = "" if self._placed else ranks.folder(self._config)
        if folder is not None:
            self._home = free_directory(self._home, folder)
        self.directory = self._home / (folder or "")
        return folder is not None

    def _opened(self) -> list[tuple[str, Any]]:
        folder = self.directory.relative_to(self._home).as_posix()
        with taken_directory(self._home, folder) as self._home:
            self.directory = self._home / folder
            found = [(name, self._open(name, make)) for name, make in self._factories]
        return [(name, sink) for name, sink in found if sink is not None]

    def _open(self, name: str, make: Callable[[Path], Any]) -> Any:
        return self._guard.call(f"sink {name}", make, self.directory)
