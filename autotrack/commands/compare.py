"""`autotrack compare`: a table and a figure of several runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from autotrack.comparison import Best, Comparison

# More runs than this stand below each other, with one column a quantity.
_MOST_BESIDE = 4
_LETTERS = 32
_ENDINGS = (".png", ".svg", ".pdf")


@click.command(short_help="Put several runs side by side.")
@click.argument(
    "directories", metavar="DIRECTORY...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the figure goes (.png, .svg or .pdf). Default: comparison.png.",
)
def compare(directories: Sequence[Path], *, as_json: bool, output: Path | None) -> None:
    """Compare the runs recorded in several directories: best values, since when, settings.

    The table marks the best run of each quantity with `*` and lists only the settings in which the
    runs differ; the figure shows their curves together. A directory of runs stands for them all.

    \b
      autotrack compare runs/adam runs/sgd
      autotrack compare runs --output comparison.pdf
      autotrack compare runs/* --json
    """  # noqa: D301 - `\b` is click's sign for keeping the lines apart
    from dataclasses import asdict

    from autotrack import comparison, jsontext
    from autotrack.commands._reading import history_of, runs_in

    if output is not None and output.suffix.lower() not in _ENDINGS:
        raise click.UsageError(f"{output} must end in one of {', '.join(_ENDINGS)}")
    found = [run for directory in directories for run in runs_in(directory)]
    histories = [history_of(directory) for directory in dict.fromkeys(found)]
    if len(histories) < 2:  # noqa: PLR2004 - two are the least that can be compared
        raise click.UsageError("name two runs or more, or a directory that holds as many")
    compared = comparison.compare(histories)
    if as_json:
        click.echo(jsontext.dumps(asdict(compared), indent=2))
    else:
        _print(compared)
    if output is not None or not as_json:
        _draw(histories, output or Path("comparison.png"))


def _print(compared: Comparison) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    for rows in _tables(compared, console.width):
        console.print(_table(rows))
    if not compared.differences:
        console.print("No setting in the records differs.")


def _tables(compared: Comparison, width: int) -> list[list[list[str]]]:
    """Rows of cells; many runs stand below each other, in as many tables as the width asks for."""
    rows = [[_short(cell) for cell in row] for row in _rows(compared)]
    if len(compared.names) <= _MOST_BESIDE:
        return [rows]
    names, *quantities = rows
    needed = [2 + max(map(len, row)) for row in rows]
    tables: list[list[list[str]]] = []
    left = 0
    for row, own in zip(quantities, needed[1:], strict=True):
        if not tables or own > left:
            tables.append([names])
            left = width - needed[0] - 2
        tables[-1].append(row)
        left -= own
    return [[list(column) for column in zip(*table, strict=True)] for table in tables]


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def _rows(compared: Comparison) -> list[list[str]]:
    """A row a quantity and a setting, with a cell for each run; the first holds their names."""
    rows = [["", *compared.names]]
    for tag, found in compared.best.items():
        cells = [_cell(best, index in compared.winners[tag]) for index, best in enumerate(found)]
        rows.append([tag, *cells])
    rows += [
        [name, *("" if value is None else str(value) for value in values)]
        for name, values in compared.differences.items()
    ]
    return rows


def _table(rows: list[list[str]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for index, title in enumerate(rows[0]):
        table.add_column(title, overflow="fold", no_wrap=index == 0)
    for row in rows[1:]:
        table.add_row(*row)
    return table


def _cell(best: Best | None, wins: bool) -> str:  # noqa: FBT001 - told by its name
    if best is None:
        return ""
    unit = " %" if best.tag.startswith("Accuracy/") else ""
    return f"{'* ' if wins else ''}{best.value:.4g}{unit}, {best.moment}"


def _draw(histories: Sequence[Any], output: Path) -> None:
    from autotrack.commands._reading import writing
    from autotrack.reports import compare as figure
    from autotrack.reports.saving import write

    kind = output.suffix.lstrip(".").lower()
    drawn = figure.draw(histories)
    if drawn is not None:
        with writing():
            click.echo(write(drawn, output, kind))
