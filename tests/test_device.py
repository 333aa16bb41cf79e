"""Values on a device, with a device that is none: in a process that has it, for good."""

import os
import subprocess
import sys
from pathlib import Path

CASES = Path(__file__).parent / "device" / "cases.py"


def test_nothing_waits_for_a_device_and_its_numbers_are_right():
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--noconftest"]
    path = os.pathsep.join([str(CASES.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, CASES],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
