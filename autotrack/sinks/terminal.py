"""A calm line at the bottom of the terminal while a run goes on, and what it says at its end."""

from __future__ import annotations

import io
import os
import sys
import time
from multiprocessing import parent_process
from typing import TYPE_CHECKING

from autotrack.saying import printable, told
from autotrack.sinks._standing import Standing
from autotrack.sinks._statusline import StatusLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from autotrack.records import Record

_ABOUT = 1.0
# The line is calm: records may come many times a second.
_SECONDS = 0.5
_HOUR = 3600
_LEAST_PARTS = 2
# Below this the clock would say 0:00.
_LEAST_LEFT = 0.5


def open(directory: Path) -> TerminalSink | None:  # noqa: A001 - the verb every sink has
    """Return a sink for the terminal; None where stderr is none, and in child processes."""
    stream = sys.__stderr__
    if stream is None or stream.closed or not stream.isatty() or os.environ.get("TERM") == "dumb":
        return None
    if parent_process() is not None or not _leads() or "ipykernel" in sys.modules:
        return None
    return TerminalSink(directory, stream.fileno())


def _leads() -> bool:
    """Whether this is the process that speaks for a run: the launched one, the first rank."""
    launched = os.environ.get("AUTOTRACK_RUN_PID")
    return launched in (None, str(os.getpid())) and os.environ.get("RANK", "0") == "0"


class TerminalSink:
    """Shows where the run stands on the last row of the terminal behind `descriptor`."""

    def __init__(self, directory: Path, descriptor: int) -> None:
        self._directory = directory
        self._descriptor = descriptor
        self._line = StatusLine(descriptor)
        self._standing = Standing()
        self._next = 0.0

    def write(self, records: Iterable[Record]) -> None:
        """Take some records; what lasts less than a second shows no line."""
        standing = self._standing
        standing.see(list(records))
        now = time.monotonic()
        if now < self._next or not standing.step or standing.findings:
            return
        if standing.now - standing.first >= _ABOUT:
            self._next = now + _SECONDS
            self._line.show(styled(status(standing), self._line.columns))

    def evaluating(self, phase: str, batches: int, of: int | None) -> None:
        """Show how far an evaluation has come, where a line is shown at all."""
        standing = self._standing
        if standing.step and not standing.findings and time.time() - standing.first >= _ABOUT:
            done = f"{batches:,}/{of:,}" if of is not None else f"{batches:,}"
            parts = status(standing)
            place = 1 + len(list(_position(standing)))
            parts.insert(place, (phase, done))
            self._line.show(styled(parts, self._line.columns))

    def close(self) -> None:
        """Take the line away; say what the run came to, unless `autotrack run` does."""
        self._line.close()
        if "AUTOTRACK_RUN" not in os.environ and self._standing.step:
            found = told(self._standing.findings, self._directory, self._line.columns)
            lines = [f"autotrack: recorded in {printable(str(self._directory))}", *found]
            os.write(self._descriptor, "".join(f"{line}\n" for line in lines).encode())


def status(standing: Standing) -> list[tuple[str, str]]:
    """Return what the line says, as pairs of a word and what it stands for."""
    parts = [("", standing.name), *_position(standing)]
    left = standing.seconds_left
    if left is not None and left >= _LEAST_LEFT:
        parts.append(("", f"{clock(left)} left"))
    losses = standing.losses
    parts += [(_named(tag, "Loss/train", "loss"), f"{loss:.4g}") for tag, loss in losses.items()]
    parts += sorted(_qualities(standing), key=lambda part: "train" not in part[0])
    rate = standing.latest.get("Throughput/samples_per_second")
    if rate is not None:
        parts.append(("", f"{rate:,.0f} samples/s"))
    return parts


def _qualities(standing: Standing) -> Iterator[tuple[str, str]]:
    """The accuracies, and what evaluations gave."""
    for tag, value in standing.latest.items():
        family, _, phase = tag.partition("/")
        if phase.endswith("_initial"):
            continue
        if family == "Loss" and not phase.startswith("train"):
            yield f"{phase} loss", f"{value:.4g}"
        elif family == "Accuracy":
            yield f"{phase} acc", f"{value:.4g} %"
        elif family == "R2":
            yield f"{phase} R²", f"{value:.4g}"


def _position(standing: Standing) -> Iterator[tuple[str, str]]:
    if standing.epoch is not None:
        last = "" if standing.last_epoch is None else f"/{standing.last_epoch}"
        yield "epoch", f"{standing.epoch}{last}"
    yield "step", f"{standing.step:,}"


def _named(tag: str, family: str, word: str) -> str:
    stream = tag.removeprefix(family).lstrip("/")
    return f"{stream} {word}".lstrip()


def clock(seconds: float) -> str:
    """Return a span of time as `m:ss` or `h:mm:ss`."""
    whole = round(seconds)
    hours, minutes = whole // _HOUR, whole % _HOUR // 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def styled(parts: list[tuple[str, str]], columns: int) -> str:
    """Return a status as one terminal line of at most `columns` cells, words dimmed.

    The last parts are left out where there is no room for them.
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.text import Text

    said = [printable(f"{word} {value}".strip()) for word, value in parts]
    while len(said) > _LEAST_PARTS and cell_len(" · ".join(said)) > columns:
        said.pop()
    parts = parts[: len(said)]
    line = Text(no_wrap=True, overflow="ellipsis", end="")
    for index, (word, value) in enumerate(parts):
        line.append(" · " if index else "", style="dim")
        line.append(f"{printable(word)} " if word else "", style="dim")
        line.append(printable(value), style="bold" if index == 0 else "")
    line.truncate(columns, overflow="ellipsis")
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=columns, legacy_windows=False)
    console.print(line, end="", soft_wrap=True)
    return out.getvalue()
