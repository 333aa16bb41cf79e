"""What tracking costs on a GPU, and that nothing waits for it: `python -m benchmarks.gpu`.

A step bound by launches (a small MLP) and one bound by arithmetic (ResNet-50, batch 256, bfloat16).
The tracked loops run with PyTorch's own alarm for synchronisations set to raise, and the profiler
counts the calls that wait, and what is launched beyond an untracked step. Own time is the host's.
Targets: ratios of at most 1.05 and 1.01, and no call that waits.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from benchmarks.models import mlp, resnet50
from benchmarks.turns import WARM_UP, InTurns, turn_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 15
WAITING = ("cudaDeviceSynchronize", "cudaStreamSynchronize", "cudaEventSynchronize")


def launch_bound(steps: int) -> Iterator[None]:
    """784-128-10, batch 64, Adam: the device is faster than Python."""
    model = mlp().cuda()
    shape = (64, 784)
    return train(model, torch.optim.Adam(model.parameters(), lr=1e-3), shape, 10, steps)


def compute_bound(steps: int) -> Iterator[None]:
    """ResNet-50, batch 256, bfloat16: Python waits in the queue of kernels."""
    model = resnet50().cuda().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return train(model, optimizer, (256, 3, 224, 224), 1000, steps)


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    shape: tuple[int, ...],
    classes: int,
    steps: int,
) -> Iterator[None]:
    """Train for ever on data that is on the device already."""
    inputs = torch.rand(shape, device="cuda")
    labels = torch.randint(classes, shape[:1], device="cuda")
    criterion = nn.CrossEntropyLoss()
    done = 0
    for _epoch in range(sys.maxsize):
        for _batch in range(1000):
            with torch.autocast("cuda", torch.bfloat16, enabled=len(shape) > 2):  # noqa: PLR2004
                loss = criterion(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            done += 1
            if done % steps == 0:
                yield


def milliseconds(blocks: Iterator[Any], steps: int, *, alarm: bool) -> float:
    """Time one block until the device is done; with `alarm`, whatever waits inside it raises."""
    with turn_of(blocks):
        torch.cuda.synchronize()
        began = time.perf_counter()
        if alarm:
            torch.cuda.set_sync_debug_mode("error")
        try:
            next(blocks)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        torch.cuda.synchronize()
        return 1e3 * (time.perf_counter() - began) / steps


def waits(blocks: Iterator[Any]) -> int:
    """Count the calls that wait in one block."""
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with turn_of(blocks), torch.profiler.profile(activities=activities) as profiler:
        next(blocks)
        # Leaving the profiler synchronises: what it does itself comes after this mark.
        with torch.profiler.record_function("end of the block"):
            pass
    events = sorted(profiler.events() or [], key=lambda event: event.time_range.start)
    ours = iter(events)
    before = []
    for event in ours:
        if event.name == "end of the block":
            break
        before.append(event.name)
    return sum(name in WAITING for name in before)


def launches(blocks: Iterator[Any]) -> int:
    """Count what one block launches on the device: kernels and copies."""
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with turn_of(blocks), torch.profiler.profile(activities=activities) as profiler:
        next(blocks)
        torch.cuda.synchronize()
    found = profiler.events() or []
    return sum(str(event.device_type).endswith("CUDA") for event in found)


def _trained(blocks: Iterator[Any]) -> Any:
    """Train one block; the run."""
    with turn_of(blocks):
        return next(blocks)


def measure(loop: Any, steps: int, directory: Path) -> Iterator[tuple[str, ...]]:
    """Interleave blocks of an untracked loop and of tracked ones; yield a row for each of these."""
    plain = loop(steps)
    lanes = {
        "everything at every step": InTurns(
            loop(steps), directory / "whole", strict=True, budget=None
        ),
        "default budget, settled": InTurns(
            loop(steps), directory / "budget", strict=True, budget_after=0.0
        ),
    }
    base: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in lanes}
    warm_up = 0.0
    while warm_up < WARM_UP:
        warm_up += milliseconds(plain, steps, alarm=False) * steps / 1e3
        for blocks in lanes.values():
            milliseconds(blocks, steps, alarm=False)
    for _ in range(ROUNDS):
        base.append(milliseconds(plain, steps, alarm=False))
        for name, blocks in lanes.items():
            times[name].append(milliseconds(blocks, steps, alarm=True))
    step = statistics.median(base)
    yield "untracked", f"{step:.3f} ms", "1", "", "", "", str(waits(plain))
    before = launches(plain) / steps
    for name, blocks in lanes.items():
        ratios = [t / b for t, b in zip(times[name], base, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        started, ended = _trained(blocks).cost, _trained(blocks).cost
        own = 1e6 * (ended.seconds - started.seconds) / steps
        ours = launches(blocks) / steps - before
        quartiles = f"{low:.3f} - {high:.3f}"
        yield (
            name,
            "",
            f"{middle:.3f}",
            quartiles,
            f"{own:.0f} us",
            f"{ours:.1f}",
            str(waits(blocks)),
        )


def main() -> None:
    """Print a table, or say that there is no GPU."""
    if not torch.cuda.is_available():
        print("GPU: none here, so nothing was measured on one.")
        return
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as folder:
        for name, loop, steps in (
            ("small MLP (at most 1.05)", launch_bound, 200),
            ("ResNet-50, 256, bf16 (at most 1.01)", compute_bound, 10),
        ):
            title = f"{name}, {torch.cuda.get_device_name()}"
            columns = ("", "a step", "ratio", "quartiles", "own time", "launches", "waits")
            table = Table(*columns, title=title)
            for row in measure(loop, steps, Path(folder) / loop.__name__):
                table.add_row(*row)
            console.print(table)


if __name__ == "__main__":
    main()
