"""`autotrack export`: a record as CSV, Parquet or JSON."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Write a run's numbers as CSV, Parquet or JSON.")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "parquet", "json"]),
    help="Default: what the name given with --output ends in, else csv.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to. Default: standard output.",
)
def export(directory: Path, kind: str | None, output: Path | None) -> None:
    """Write all numbers of the run recorded in DIRECTORY, one row a point.

    The columns are tag, x (as TensorBoard shows it), step, epoch (empty where unknown), time (unix
    seconds) and value. JSON also holds the facts of the run and its coverage. Works on every
    TensorBoard log directory, whoever wrote it:

    \b
      autotrack export runs/mnist > mnist.csv
      autotrack export runs/mnist --output mnist.parquet
      autotrack export runs/mnist --format json | jq '.series["Loss/val"].value'
    """  # noqa: D301 - `\b` is click's sign for keeping the lines apart
    import os
    import sys

    from autotrack.commands._reading import history_of, writing
    from autotrack.exporting import export as write

    kind = kind or _format_of(output)
    history = history_of(directory)
    if output is None:
        if kind == "parquet" and sys.stdout.isatty():
            raise click.UsageError("Parquet is no text: name a file with --output.")
        write(history, kind, sys.stdout.buffer)
        return
    # Who looks while this runs sees the old file or the new one, never half of one.
    unfinished = output.with_name(f".{output.name}.{os.getpid()}.unfinished")
    try:
        with writing():
            with unfinished.open("wb") as file:
                write(history, kind, file)
            unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
    click.echo(output)


def _format_of(output: Path | None) -> str:
    ending = output.suffix.lstrip(".").lower() if output is not None else ""
    return ending if ending in ("parquet", "json") else "csv"
