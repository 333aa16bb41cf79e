"""Is there a TensorBoard to look at the record with?"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autotrack.doctor._check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator


def examine(logdir: Path) -> Iterator[Check]:
    """Find the command `tensorboard`, beside this Python or on the path."""
    beside = shutil.which("tensorboard", path=str(Path(sys.executable).parent))
    found = shutil.which("tensorboard") or beside
    if found:
        yield Check("TensorBoard", "good", f"{found} --logdir {logdir}")
        return
    other = f"{sys.executable} -m tensorboard.main --logdir {logdir}"
    yield Check("TensorBoard", "poor", "no command `tensorboard` on the path", f"use {other}")
