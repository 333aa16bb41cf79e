"""`autotrack report`: page, figures and findings of a run, from its record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = ("png", "svg", "pdf")
STYLES = ("light", "dark", "print")


@click.command(short_help="Write the page and the figures of a run.")
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
    help="Where all of it goes. Default: DIRECTORY, with the figures in DIRECTORY/figures.",
)
@click.option(
    "--style",
    type=click.Choice(STYLES),
    default="light",
    show_default=True,
    help="Of the figures; print is greyscale, thin and without background.",
)
def report(directory: Path, formats: Sequence[str], output: Path | None, style: str) -> None:
    """Write report.html, figures and findings of the run recorded in DIRECTORY.

    The page is one file that opens in any browser, without a network: verdict, findings, curves,
    histograms, coverage and configuration. The paths of all files are printed, and before them on
    stderr what the run says. Works during the run, after it and after a crash, and on every
    TensorBoard log directory, whoever wrote it:

    \b
      autotrack report runs/mnist
      autotrack report runs/mnist --format pdf --format svg --output paper/figures
    """  # noqa: D301 - `\b` is click's sign for keeping the lines apart
    from autotrack import reports
    from autotrack.commands._reading import history_of, writing

    history = history_of(directory)
    with writing():
        made = reports.save_all(history, output, tuple(formats), style)
    click.echo(made.verdict, err=True)
    for finding in made.findings:
        click.echo(f"{finding.severity}: {finding.title}", err=True)
    for path in made.paths:
        click.echo(path)
