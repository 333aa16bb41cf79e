"""Whole loops in turn: `python -m benchmarks.loops [W5 W1 K1 ...] [--rounds 25] [--cpu]`.

Blocks of all contenders run one after another, round for round, in one process, and a ratio
compares times of the same round. Of autotrack its own time is printed as well: on long steps a
shared machine's noise hides what whole loops would show. Where many share the machine, `--cpu`
takes the main thread's processor time; what a peer does elsewhere is not in it then.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import Console
from rich.table import Table

from benchmarks.contenders import prepare, present
from benchmarks.turns import WARM_UP, turn_of
from benchmarks.workloads import WORKLOADS, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator

_WARM_BLOCKS = 4


def seconds_of(run: Any) -> float | None:
    """Autotrack's own seconds so far, as a run states them."""
    cost = getattr(run, "cost", None)
    return getattr(cost, "seconds", cost)


class Lane:
    """One contender on one workload."""

    #: What times are taken by: the wall's clock, or this thread's use of the processor.
    clock: ClassVar[Any] = time.perf_counter

    def __init__(self, blocks: Iterator[Any], steps: int) -> None:
        self.blocks, self.steps = blocks, steps
        self.times: list[float] = []
        self.own: list[float] = []

    def run(self) -> None:
        """Train one block; microseconds a step."""
        with turn_of(self.blocks):
            began = self.clock()
            run = next(self.blocks)
            self.times.append(1e6 * (self.clock() - began) / self.steps)
        if (own := seconds_of(run)) is not None:
            self.own.append(own)

    @property
    def is_warm(self) -> bool:
        """Whether it has trained for long enough to be measured."""
        seconds = sum(self.times) * self.steps / 1e6
        return seconds >= WARM_UP and len(self.times) >= _WARM_BLOCKS

    def forget(self) -> None:
        """The blocks so far have warmed up."""
        self.times.clear()
        del self.own[:-1]

    @property
    def own_time(self) -> float | None:
        """Autotrack's own microseconds a step."""
        if len(self.own) < 2:  # noqa: PLR2004 - a difference
            return None
        return 1e6 * (self.own[-1] - self.own[0]) / (self.steps * (len(self.own) - 1))


def measure(workload: Workload, rounds: int, folder: Path) -> dict[str, Lane]:
    """Let the contenders take turns."""
    lanes = {
        name: Lane(make(workload, folder / str(number)), workload.steps)
        for number, (name, make) in enumerate(present()[0].items())
    }
    take_turns(lanes, rounds)
    return lanes


def take_turns(lanes: dict[str, Lane], rounds: int) -> None:
    """Warm up, train so many blocks each, and close.

    The order changes from round to round: what a contender leaves behind, in caches and on the
    heap, falls on another one each time.
    """
    order = random.Random(0)  # noqa: S311 - no secret
    while not all(lane.is_warm for lane in lanes.values()):
        for lane in lanes.values():
            lane.run()
    for lane in lanes.values():
        lane.forget()
    for _ in range(rounds):
        for lane in order.sample(list(lanes.values()), len(lanes)):
            lane.run()
    for lane in lanes.values():
        lane.blocks.close()  # type: ignore[attr-defined]


def table_of(name: str, workload: Workload, lanes: dict[str, Lane]) -> Table:
    """Median time, and median and quartiles of the ratio to the untracked block of the round."""
    table = Table(
        "", "us a step", "ratio", "quartiles", "own time", title=f"{name}: {workload.name}"
    )
    base = lanes["untracked"].times
    for contender, lane in lanes.items():
        ratios = [t / b for t, b in zip(lane.times, base, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        own = lane.own_time
        share = "" if own is None else f"{own:.0f} us, {100 * own / statistics.median(base):.1f} %"
        median = f"{statistics.median(lane.times):.0f}"
        table.add_row(contender, median, f"{middle:.2f}", f"{low:.2f} - {high:.2f}", share)
    return table


def main() -> None:
    """Print one table a workload."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", default=[n for n in WORKLOADS if n[0] == "W"])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    if options.cpu:
        Lane.clock = time.thread_time
    prepare()
    console = Console(width=110)
    for name in present()[1]:
        console.print(f"{name}: not installed (pip install 'torch-autotrack[bench]')", markup=False)
    for name in options.workloads:
        with tempfile.TemporaryDirectory() as folder:
            lanes = measure(WORKLOADS[name], options.rounds, Path(folder))
            console.print(table_of(name, WORKLOADS[name], lanes))


if __name__ == "__main__":
    main()
