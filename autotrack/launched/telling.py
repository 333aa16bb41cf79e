"""What the first process says at its end: where the records are and what was seen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autotrack.directory import holds_record
from autotrack.saying import told

if TYPE_CHECKING:
    from autotrack.conclusion import Conclusion
    from autotrack.coverage import Coverage
    from autotrack.launched.orders import Orders
    from autotrack.run import Run

# children whose folders are named; the others are counted
_NAMED = 4
_NOTHING = (
    "autotrack: nothing was recorded: no backward that trains ran in this process, nor in a child "
    "process"
)
_EVALUATED = (
    "autotrack: an evaluation without a training was seen and is not recorded; "
    "`with autotrack.tracking():` around it records it"
)
_NOT_HERE = (
    "autotrack: nothing was recorded by this process, though it trained: another rank records, "
    "or the directory cannot be written"
)


def children(directory: Path) -> list[Path]:
    """Return the folders of a run's directory in which child processes and threads recorded."""
    below = ("child-*", "child-*/rank*", "rank*")
    patterns = (*below, "thread-*", *(f"{folder}/thread-*" for folder in below))
    folders = {folder for pattern in patterns for folder in directory.glob(pattern)}
    return sorted(folder for folder in folders if holds_record(folder))


def summary(orders: Orders, run: Run | None) -> str:
    """Return what to tell at the end: where the record is and what was seen, or why nothing."""
    lines, whole = [], _of_the_first_rank(orders)
    if run is not None and run.trained and holds_record(run.directory):
        took = _took(run.cost.seconds, run.cost.share)
        lines += _lines(orders.shown(run.directory), took, run.conclusion, run.coverage)
    elif whole is not None:
        lines += _of_a_record(orders.shown(whole), whole)
    whole = whole if lines else None
    folders = [
        str(orders.shown(folder))
        for folder in children(Path(orders.directory))
        if folder != whole and (run is None or run.directory.parent != folder.parent)
    ]
    if folders:
        more = f" and {len(folders) - _NAMED} more" if len(folders) > _NAMED else ""
        named = ", ".join(folders[:_NAMED])
        who = "threads and child processes" if "thread-" in named else "child processes"
        lines += [f"autotrack: {who} recorded in {named}{more}"]
    if run is not None and run.evaluated and not run.trained:
        lines += [_EVALUATED]
    return "\n".join(lines) or (_NOT_HERE if run is not None and run.trained else _NOTHING)


def _of_the_first_rank(orders: Orders) -> Path | None:
    """Return where the first worker of `torchrun` recorded, if a child did so for the run."""
    directory = Path(orders.directory)
    places = (directory / "rank0", directory)
    return next((place for place in places if holds_record(place)), None)


def _of_a_record(shown: Path, directory: Path) -> list[str]:
    """Return what is told of a run that another process has recorded; nothing of a part of one."""
    from autotrack.conclusion import conclude
    from autotrack.coverage import Coverage
    from autotrack.history import read

    history = read(directory)
    if not history.coverage:
        return []
    seconds, share = (float(history.cost.get(name, 0.0)) for name in ("seconds", "share"))
    return _lines(shown, _took(seconds, share), conclude(directory), Coverage.of(history.coverage))


def _took(seconds: float, share: float) -> str:
    # Of a short run the share says little: a second is free, and most of it is the beginning.
    return f"tracking took {seconds:.2g} s, {100 * share:.2g} % of the loop's time"


def _lines(shown: Path, took: str, conclusion: Conclusion | None, coverage: Coverage) -> list[str]:
    found = told(conclusion.plain, shown) if conclusion is not None else []
    return [f"autotrack: recorded in {shown} ({took})", *found, str(coverage)]


def say(text: str) -> None:
    """Write to the stderr that the process was started with."""
    stream = sys.__stderr__
    if stream is None:
        return
    try:
        stream.write(text + "\n")
        stream.flush()
    except (OSError, ValueError):
        # Nobody reads it any more, or the script has closed it.
        return
