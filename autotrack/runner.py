"""Starts Python anew on a script or module: Python itself runs it, and torch's import starts tracking.

Nothing here executes the script. The process becomes `python script.py`, with one folder on
`PYTHONPATH` whose `sitecustomize` waits for torch; `autotrack.launched` does the rest over there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from autotrack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STARTUP = Path(__file__).parent / "_startup"


def launch(
    program: Sequence[str],
    *,
    module: bool = False,
    directory: str | os.PathLike[str],
    options: Mapping[str, object] | None = None,
    quiet: bool = False,
) -> NoReturn:
    """Replace this process by Python running `program`, a script (or module) and its arguments.

    Below it every process that trains writes its record into `directory` or, for children, a
    folder of it. `options` are those of `tracking` and must be plain (JSON). Raises UsageError
    where this Python was told to ignore its environment.
    """
    refuse_without_environment()
    settings = {"directory": os.fspath(directory), "options": dict(options or {}), "quiet": quiet}
    become(command(program, module=module), environment(settings))


def refuse_without_environment() -> None:
    """Raise UsageError where the process to come would not see what is handed to it."""
    if sys.flags.ignore_environment or sys.flags.no_site:
        msg = (
            "`autotrack run` reaches the script through the environment and Python's site module, "
            "and this Python was told to ignore them; start it without -E, -I and -S"
        )
        raise UsageError(msg)


def command(program: Sequence[str], *, module: bool) -> list[str]:
    """Return the command line on which plain Python would run `program`."""
    return [sys.executable, *interpreter_flags(), *(["-m"] if module else []), *program]


def interpreter_flags() -> list[str]:
    """Return the options this Python was started with (`-O`, `-W error`, ...), as they were typed."""
    after = len(sys.argv) - 1
    typed = sys.orig_argv[1 : len(sys.orig_argv) - after]
    if typed[-1:] == ["autotrack"] and typed[-2][-1:] == "m":
        flags, clustered = typed[:-2], typed[-2][:-1]
        return [*flags, clustered] if clustered != "-" else flags
    return typed[:-1]


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Return this process's environment with the startup folder and `settings` in it."""
    inherited = os.environ.get("PYTHONPATH", "")
    entries = [entry for entry in inherited.split(os.pathsep) if entry != str(STARTUP)]
    path = os.pathsep.join([str(STARTUP), *entries]) if inherited else str(STARTUP)
    # An `autotrack run` below another one is a first process again.
    kept = {name: value for name, value in os.environ.items() if name != "AUTOTRACK_RUN_PID"}
    ours = {"AUTOTRACK_RUN": json.dumps(settings), "AUTOTRACK_RUN_PREFIX": sys.prefix}
    return {**kept, **ours, "PYTHONPATH": path}


def become(arguments: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Turn this process into another one; its exit status and signals are then its own."""
    if sys.platform == "win32":
        # There exec returns to the shell at once, so a child runs and its status is passed on.
        raise SystemExit(subprocess.call(arguments, env=environ))  # noqa: S603
    os.execve(arguments[0], list(arguments), dict(environ))  # noqa: S606
