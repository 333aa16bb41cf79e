"""Starts Python anew on a script or module, so that Python itself runs it.

Nothing here executes the script. The process becomes `python script.py`, with one folder on
`PYTHONPATH` whose `sitecustomize` waits for torch; `autotrack.launched` does the rest over there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from autotrack.config import Config, default_directory, is_disabled
from autotrack.directory import free_directory
from autotrack.errors import UsageError
from autotrack.launched.telling import children

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STARTUP = Path(__file__).parent / "_startup"


def prepare(options: Mapping[str, object], *, quiet: bool) -> dict[str, object]:
    """Return the orders for a run with these options of Config, checked before anything starts.

    The settings are read here once, so that a script that changes its directory, or a child in
    another one, finds the same. Raises UsageError for what cannot work.
    """
    config = Config.of(options)
    directory = unused((config.logdir or default_directory()).absolute())
    if config.metrics is not None or config.sinks is not None:
        check_names(replace(config, logdir=directory))
    settings = {f.name: getattr(config, f.name) for f in fields(config) if f.name != "logdir"}
    return {
        "directory": str(directory),
        "options": settings,
        "home": str(Path.cwd()),
        "quiet": quiet,
    }


def unused(wanted: Path) -> Path:
    """Return `wanted`, or `<wanted>-2`, ... where it or a child process's folder in it is taken."""
    directory, number = free_directory(wanted), 1
    while children(directory):
        number += 1
        directory = free_directory(wanted.with_name(f"{wanted.name}-{number}"))
    return directory


def check_names(config: Config) -> None:
    """Raise UsageError for a metric or a sink that does not exist.

    This needs torch, so it is asked only where names were given.
    """
    from autotrack.run import Run

    # A part that stands beside the script is found only from there: that one is tried later.
    with suppress(ImportError):
        Run(config)


def launch(
    program: Sequence[str], orders: Mapping[str, object], *, module: bool = False
) -> NoReturn:
    """Replace this process by Python running `program`: a script (or module) and its arguments.

    `orders` are the fields of `autotrack.launched.Orders`, in what JSON knows. With
    `AUTOTRACK_DISABLED` set plain Python runs. Raises UsageError where this Python was told to
    ignore its environment.
    """
    arguments = command(program, module=module)
    if not is_disabled():
        refuse_without_environment()
    become(arguments, os.environ if is_disabled() else environment(orders))


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
    """Return the options this Python was started with (`-O`, `-W error`, ...), as typed."""
    typed = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    *flags, program = typed
    if program == "autotrack" and flags and flags[-1].startswith("-") and flags[-1].endswith("m"):
        *flags, last = flags
        return flags if last == "-m" else [*flags, last[:-1]]
    return flags


def environment(orders: Mapping[str, object]) -> dict[str, str]:
    """Return this process's environment with the startup folder and `orders` in it."""
    inherited = os.environ.get("PYTHONPATH", "")
    entries = [entry for entry in inherited.split(os.pathsep) if entry != str(STARTUP)]
    path = os.pathsep.join([str(STARTUP), *entries]) if inherited else str(STARTUP)
    # An `autotrack run` below another one is a first process again.
    kept = {name: text for name, text in os.environ.items() if not name.startswith("AUTOTRACK_RUN")}
    ours = {
        "PYTHONPATH": path,
        "AUTOTRACK_RUN": json.dumps(dict(orders), default=str),
        "AUTOTRACK_RUN_PREFIX": sys.prefix,
        "AUTOTRACK_RUN_DIRECTORY": str(orders["directory"]),
    }
    return {**kept, **ours, **({"AUTOTRACK_RUN_QUIET": "1"} if orders["quiet"] else {})}


def become(arguments: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Turn this process into another one; its exit status and signals are then its own."""
    if sys.platform == "win32":
        # There exec returns to the shell at once, so a child runs and its status is passed on.
        raise SystemExit(subprocess.call(arguments, env=environ))  # noqa: S603
    os.execve(arguments[0], list(arguments), dict(environ))  # noqa: S606
