"""The command line: argument handling only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import click

from autotrack.errors import AutotrackError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMATS = ("png", "svg", "pdf")


class FriendlyGroup(click.Group):
    """A group whose commands report a person's own mistakes in one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an AutotrackError becomes click's one-line error."""
        try:
            return super().invoke(ctx)
        except AutotrackError as error:
            raise click.ClickException(str(error)) from error


def show_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    """Print the version and leave, when `--version` was given."""
    if wanted:
        from autotrack import __version__

        click.echo(f"autotrack {__version__}")
        context.exit()


@click.group(cls=FriendlyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_version,
    help="Show the version and leave.",
)
def main() -> None:
    """Track hand-written PyTorch training loops without touching them.

    \b
    autotrack run train.py --lr 0.1     train, tracked: loss, accuracy, gradients, ...
    autotrack report runs/mnist         draw the figures of a run, also after a crash
    tensorboard --logdir runs           look at all runs in TensorBoard
    """


def split_pair(text: str) -> tuple[str, object]:
    """Return the name and value of `name=value`; a value that reads as JSON is that."""
    import json

    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE", param_hint="--config")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


@main.command(
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS]",
    short_help="Run a training script, tracked.",
)
@click.option("-m", "module", is_flag=True, help="PROGRAM is a module, as in `python -m`.")
@click.option("--logdir", metavar="DIR", help="Where the record goes. Default: runs/<date>_<host>.")
@click.option("--quiet", is_flag=True, help="Say nothing at the end.")
@click.argument("program", type=click.UNPROCESSED)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run(program: str, arguments: Sequence[str], *, module: bool, quiet: bool, **options: Any) -> NoReturn:
    """Run PROGRAM as Python would, tracking whatever trains in it."""
    from autotrack import runner
    runner.launch([program, *arguments], module=module, directory="/tmp/at/rr", quiet=quiet)
