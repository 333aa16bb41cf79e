"""How writing, reading back and the report grow: `python -m benchmarks.growth [--most 6]`.

Each row is measured in processes of its own: linear regression, from 10^3 steps on, and the
reading of events of five values, written without any training.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table


def megabytes() -> float:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def train(steps: int, directory: Path | None) -> None:
    """Print seconds, and the growth of memory after the first thousand steps."""
    import torch
    from torch import nn

    import autotrack

    torch.set_num_threads(1)
    x = torch.randn(100, 1)
    y = 3 * x + 2
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    run = autotrack.tracking(logdir=directory) if directory is not None else None
    if run is not None:
        run.__enter__()
    began, warm = time.perf_counter(), 0.0
    for epoch in range(steps):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if epoch == 1000 - 1:
            warm = megabytes()
    seconds = time.perf_counter() - began
    print(seconds, megabytes() - warm)


def write_events(number: int, directory: Path) -> None:
    """Write events of five values."""
    from autotrack.eventfile import EventFileWriter
    from autotrack.records import Record

    began = time.perf_counter()
    writer = EventFileWriter(directory)
    tags = [f"Series/{index}" for index in range(5)]
    for start in range(0, number, 1000):
        writer.write(
            Record(step, 1e9 + step, scalars=[(tag, step * 0.5) for tag in tags])
            for step in range(start, min(start + 1000, number))
        )
    writer.close()
    print(time.perf_counter() - began, megabytes())


def read_events(_number: int, directory: Path) -> None:
    """Read the record back."""
    from autotrack.history import read

    began = time.perf_counter()
    before = megabytes()
    history = read(directory)
    assert len(history)
    print(time.perf_counter() - began, megabytes() - before)


def report(_number: int, directory: Path) -> None:
    """Draw figures and page."""
    import autotrack

    began = time.perf_counter()
    autotrack.report(directory)
    print(time.perf_counter() - began, megabytes(), file=sys.stderr)


PARTS = {"train": train, "write": write_events, "read": read_events, "report": report}


def measured(part: str, steps: int, directory: Path | str) -> tuple[float, float]:
    """Seconds and megabytes of one part, in a process of its own."""
    command = [sys.executable, __file__, "--part", part, str(steps), str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    text = done.stderr if part == "report" else done.stdout
    seconds, memory = text.strip().splitlines()[-1].split()
    return float(seconds), float(memory)


def bytes_in(directory: Path) -> int:
    """Size of the record."""
    return sum(path.stat().st_size for path in directory.rglob("*tfevents*"))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=6, help="up to ten to the power of this")
    parser.add_argument("--part", nargs=3)
    options = parser.parse_args()
    if options.part:
        part, steps, directory = options.part
        where = Path(directory) if directory != "-" else None
        PARTS[part](int(steps), where)  # type: ignore[arg-type]
        return
    columns = ("steps", "untracked", "tracked", "its memory", "bytes a step", "read", "report")
    runs = Table(*columns, title="linear regression")
    events = Table("events", "written", "bytes each", "read", "memory", title="five values each")
    with tempfile.TemporaryDirectory() as folder:
        for power in range(3, options.most + 1):
            steps, home, bare = 10**power, Path(folder) / f"run{power}", Path(folder) / f"e{power}"
            plain, plain_growth = measured("train", steps, "-")
            tracked, growth = measured("train", steps, home)
            size = bytes_in(home)
            read, _ = measured("read", steps, home)
            drawn, _ = measured("report", steps, home)
            row = (plain, tracked, read, drawn)
            one, two, three, four = (f"{seconds:.2f} s" for seconds in row)
            memory = f"+{growth - plain_growth:.1f} MB"
            runs.add_row(f"10^{power}", one, two, memory, f"{size / steps:.0f}", three, four)
            written, _ = measured("write", steps, bare)
            read, memory_read = measured("read", steps, bare)
            each = f"{bytes_in(bare) / steps:.0f}"
            events.add_row(
                f"10^{power}", f"{written:.2f} s", each, f"{read:.2f} s", f"{memory_read:.0f} MB"
            )
    Console(width=110).print(runs, events)


if __name__ == "__main__":
    main()
