"""The command line: finds the commands, and says a person's own mistakes in one line."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from typing import Any

import click

from autotrack import commands
from autotrack.errors import AutotrackError


class Mistake(click.ClickException):
    """What a person got wrong: the exit status of a wrong call, since 1 is a command's answer."""

    exit_code = click.UsageError.exit_code


class Commands(click.Group):
    """The commands of the folder `commands`, each loaded only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        names = (module.name for module in pkgutil.iter_modules(commands.__path__))
        return sorted(name for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, if there is one."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{commands.__name__}.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed; a mistyped one is answered with the nearest."""
        near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
        if near and args[0] not in near:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an AutotrackError becomes click's one-line error."""
        try:
            return super().invoke(ctx)
        except AutotrackError as error:
            raise Mistake(str(error)) from error


def show_version(context: click.Context, _option: click.Parameter, wanted: object) -> None:
    """Print the version and leave, when `--version` was given."""
    if wanted:
        from autotrack import __version__

        click.echo(f"autotrack {__version__}")
        context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
    """  # noqa: D301 - `\b` is click's sign for keeping the lines apart
