"""What each metric costs in the loop: `python -m benchmarks.parts [W5 W1]`.

Runs with all metrics and with all but one take turns; the difference of a round is that metric's
part. What is left without any is capture, row and record.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from autotrack import metrics
from benchmarks.contenders import prepare, tracked, untracked
from benchmarks.loops import Lane, take_turns
from benchmarks.workloads import WORKLOADS, Workload


def measure(workload: Workload, rounds: int, folder: Path) -> Table:
    """Let the runs take turns."""
    names = metrics.defaults()
    kept = {"untracked": None, "all": names, "none of them": ("learning_rate",)}
    kept |= {f"all but {name}": tuple(n for n in names if n != name) for name in names}
    lanes = {
        name: Lane(
            untracked(workload, folder)
            if wanted is None
            else tracked(workload, folder / name, budget=None, metrics=wanted),
            workload.steps,
        )
        for name, wanted in kept.items()
    }
    take_turns(lanes, rounds)
    table = Table("part", "us a step", title=workload.name)

    def median(one: str, other: str) -> str:
        pairs = zip(lanes[one].times, lanes[other].times, strict=True)
        return f"{statistics.median(a - b for a, b in pairs):.1f}"

    table.add_row("all", median("all", "untracked"))
    table.add_row("capture, row and record", median("none of them", "untracked"))
    for name in names:
        table.add_row(name, median("all", f"all but {name}"))
    return table


def main() -> None:
    """Print one table a workload."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", default=["W5", "W1"])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    prepare()
    for name in options.workloads:
        with tempfile.TemporaryDirectory() as folder:
            Console(width=110).print(measure(WORKLOADS[name], options.rounds, Path(folder)))


if __name__ == "__main__":
    main()
