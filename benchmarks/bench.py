"""All tables, one after another: `make bench`. Each script also runs alone, with options."""

from __future__ import annotations

import subprocess
import sys
from os import environ
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = ("loops", "parts", "startup", "growth", "gpu")
# Where the heap's layout is left to chance, so are the times of LeNet.
ALLOCATOR = {"MALLOC_TRIM_THRESHOLD_": "-1", "MALLOC_MMAP_THRESHOLD_": "4294967296"}

if __name__ == "__main__":
    for script in SCRIPTS:
        command = [sys.executable, "-m", f"benchmarks.{script}"]
        settings = {**environ, **ALLOCATOR}
        subprocess.run(command, env=settings, cwd=HERE.parent, check=True)  # noqa: S603 - our own
