"""`autotrack report`: the figures of a run, from its record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = ("png", "svg", "pdf")


@click.command(short_help="Draw the figures of a run.")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    default=["png"],
    show_default=True,
    help="May be repeated.",
)
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where the figures go. Default: DIRECTORY/figures.",
)
def report(directory: Path, formats: Sequence[str], output: Path | None) -> None:
    """Draw the figures of the run recorded in DIRECTORY and print where they are.

    Works during the run, after it and after a crash, and on every TensorBoard log directory,
    whoever wrote it:

    \b
      autotrack report runs/mnist
      autotrack report runs/mnist --format pdf --format svg --output paper/figures
    """  # noqa: D301 - `\b` is click's sign for keeping the lines apart
    from autotrack import api

    for path in api.report(directory, formats=formats, directory=output).paths:
        click.echo(path)
