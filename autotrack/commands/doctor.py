"""`autotrack doctor`: can autotrack work here?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from autotrack.doctor import Check

_SIGNS = {"good": ("ok", "green"), "poor": ("!", "bold yellow"), "bad": ("x", "bold red")}
_WIDTH = 15


@click.command(short_help="Look whether autotrack works here.")
@click.option(
    "--logdir",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where records would go. Default: the setting in force, else runs.",
)
@click.pass_context
def doctor(context: click.Context, logdir: Path | None) -> None:
    """Look at versions, settings, the log directory and TensorBoard, and try a tiny training loop.

    The loop is run alone and tracked: its weights must be the same, and what was recorded must be
    what the loop counted itself.

    \b
      autotrack doctor
      autotrack doctor --logdir /scratch/runs

    Exit status: 0 when autotrack works here, 1 when something does not.
    """  # noqa: D301 - `\b` is click's sign for keeping the lines apart
    from rich.console import Console

    from autotrack import doctor as doctors

    console = Console(highlight=False, markup=False)
    bad = 0
    for check in doctors.examine(logdir or _home()):
        _print(console, check)
        bad += check.state == "bad"
    if bad:
        console.print(f"\n{bad} of these must be mended before autotrack can work.", style="bold")
    context.exit(1 if bad else 0)


def _home() -> Path:
    """Where records go by the settings in force, if these can work."""
    from autotrack.config import Config, default_directory
    from autotrack.errors import UsageError

    try:
        home = Config.of({}).logdir
    except UsageError:
        home = None
    return home or default_directory().parent


def _print(console: Console, check: Check) -> None:
    sign, style = _SIGNS[check.state]
    console.print(f"{sign:>2} ", style=style, end="")
    console.print(f"{check.what:<{_WIDTH}}", style="bold", end=" ")
    console.print(check.says, soft_wrap=True)
    if check.cure and check.state != "good":
        console.print(f"{'':{_WIDTH + 3}} -> {check.cure}", soft_wrap=True)
