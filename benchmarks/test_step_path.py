"""Micro-benchmarks of the step path: `pytest benchmarks/test_step_path.py` (not among the tests).

Hot, so several times faster than in a loop: good for comparing two versions of one part.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import torch

from autotrack.buffer import Buffer, record_of
from autotrack.metrics._norms import norm_of
from autotrack.pending import Total
from autotrack.row import Row
from autotrack.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Callable

Benchmark = Any


@pytest.fixture
def gradients() -> list[torch.Tensor]:
    """Those of the tutorial's network."""
    torch.set_num_threads(1)
    return [torch.randn(shape) for shape in ((128, 784), (128,), (10, 128), (10,))]


def test_value_of_a_loss(benchmark: Benchmark) -> None:
    """One number at once."""
    benchmark(Transfer().value, torch.tensor(1.0))


def test_norm_of_all_gradients(benchmark: Benchmark, gradients: list[torch.Tensor]) -> None:
    """`GradNorm/total`."""
    benchmark(norm_of, gradients)


def test_running_mean(benchmark: Benchmark) -> None:
    """One batch joins a pass."""
    total: Total[float] = Total(0.0)
    add: Callable[[float], None] = total.add
    benchmark(partial(add, 1.5))


def test_a_row_to_its_record(benchmark: Benchmark) -> None:
    """One step's five values through the buffer."""
    buffer = Buffer()

    def through() -> None:
        buffer.add(Row(1, 1.0, scalars=[(f"Series/{i}", float(i)) for i in range(5)]), None)
        for row, _ in buffer.take():
            record_of(row, str)

    benchmark(through)
