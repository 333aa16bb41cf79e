"""`autotrack findings`: what a run says, in words or as JSON, with an exit status for scripts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from autotrack.findings import Finding

_COLOURS = {"problem": "bold red", "warning": "bold yellow", "note": "bold cyan"}


@click.command(short_help="Say what is wrong with a run, and what to try.")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option(
    "--fail-on",
    type=click.Choice(["problem", "warning", "never"]),
    default="problem",
    show_default=True,
    help="The mildest severity that makes the exit status 1.",
)
@click.pass_context
def findings(context: click.Context, directory: Path, *, as_json: bool, fail_on: str) -> None:
    """Say what the run recorded in DIRECTORY shows: overfitting, dead units, divergence, ...

    Every finding comes with its evidence, what it means and what to try. Works on every TensorBoard
    log directory, whoever wrote it; what cannot be known from a record is not claimed.

    \b
      autotrack findings runs/mnist
      autotrack findings runs/mnist --json | jq '.findings[].title'
      autotrack findings runs/mnist --fail-on warning && ./deploy.sh

    \b
    Exit status: 0 nothing of that severity was found
                 1 something was
                 2 there is no record, or the call was wrong
    """  # noqa: D301 - `\b` is click's sign for keeping the lines apart
    from autotrack import findings as rules
    from autotrack import jsontext
    from autotrack.commands._reading import history_of

    history = history_of(directory)
    found = rules.find(history)
    verdict = rules.verdict(history, found)
    if as_json:
        everything = {"verdict": verdict, "findings": rules.as_json(found)}
        click.echo(jsontext.dumps(everything, indent=2))
    else:
        from rich.console import Console

        _print(Console(highlight=False, markup=False), verdict, found)
    counted = {"problem": ("problem",), "warning": ("problem", "warning"), "never": ()}[fail_on]
    context.exit(1 if any(finding.severity in counted for finding in found) else 0)


def _print(console: Console, verdict: str, found: list[Finding]) -> None:
    console.print(verdict)
    for finding in found:
        console.print()
        console.print(f"{finding.severity}: ", style=_COLOURS[finding.severity], end="")
        console.print(finding.title, style="bold")
        for evidence in finding.evidence:
            named = "" if evidence.text.startswith(evidence.tag) else f"{evidence.tag}: "
            console.print(f"  {named}{evidence.text}", style="dim")
        console.print(f"  {finding.meaning}")
        for advice in finding.advice:
            console.print(f"  - {advice}")
