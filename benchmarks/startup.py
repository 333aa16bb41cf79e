"""What it costs before the first step, and on disk: `python -m benchmarks.startup`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.contenders import prepare, whole
from benchmarks.growth import bytes_in
from benchmarks.turns import turn_of
from benchmarks.workloads import WORKLOADS

ROUNDS = 9
EPOCHS = 20
IMPORT = "import time; b = time.perf_counter(); import {}; print(time.perf_counter() - b)"
ENTER = """
import tempfile, time, torch, autotrack
model = torch.nn.Linear(1, 1); optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
began = time.perf_counter()
with autotrack.tracking(model, optimizer, logdir=tempfile.mkdtemp() + "/run"):
    print(time.perf_counter() - began)
"""

STARTS = {
    "import autotrack": IMPORT.format("autotrack"),
    "import torch, for comparison": IMPORT.format("torch"),
    "entering `tracking`, torch imported": ENTER,
}


def milliseconds(source: str, bytecode: str) -> float:
    """Median of what a fresh interpreter prints, in milliseconds.

    The first one leaves its modules compiled in the folder `bytecode`, as an installation does: an
    environment that keeps Python from writing any would have all of them compiled anew each time.
    """
    environment = os.environ | {"PYTHONPYCACHEPREFIX": bytecode}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", source]
    _, *times = [
        float(
            subprocess.run(  # noqa: S603
                command, env=environment, capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(1 + ROUNDS)
    ]
    return 1e3 * statistics.median(times)


def bytes_a_step() -> float:
    """The record of the tutorial's network over some epochs, histograms included."""
    prepare()
    workload = WORKLOADS["W1"]
    with tempfile.TemporaryDirectory() as folder:
        blocks = whole(workload, Path(folder) / "run")
        for _ in range(EPOCHS):
            with turn_of(blocks):
                next(blocks)
        blocks.close()  # type: ignore[attr-defined]
        return bytes_in(Path(folder)) / (EPOCHS * workload.steps)


def main() -> None:
    """Print one table."""
    table = Table("", "measured", title="before the first step, and on disk")
    with tempfile.TemporaryDirectory() as bytecode:
        for what, source in STARTS.items():
            table.add_row(what, f"{milliseconds(source, bytecode):.1f} ms")
    table.add_row("disk, W1, epochs of 100 steps", f"{bytes_a_step():.0f} bytes a step")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
