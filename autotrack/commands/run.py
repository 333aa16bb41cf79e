"""`autotrack run`: a script or module as Python runs it, tracked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


def hyperparameters(
    _context: click.Context, option: click.Parameter, pairs: Sequence[str]
) -> dict[str, object]:
    """Return the names and values of `NAME=VALUE` pairs; a value that reads as JSON is that."""
    import json

    found: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            msg = f"{pair!r} is not of the form NAME=VALUE"
            raise click.BadParameter(msg, param=option)
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


@click.command(
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS]",
    short_help="Run a training script, tracked.",
)
@click.option("-m", "module", is_flag=True, help="SCRIPT is a module, as in `python -m`.")
@click.option("--logdir", metavar="DIR", help="Where the record goes. Default: runs/<date>_<host>.")
@click.option("--name", help="What the run is called. Default: the name of its directory.")
@click.option(
    "--config",
    metavar="NAME=VALUE",
    multiple=True,
    callback=hyperparameters,
    help="A hyperparameter to keep with the record; may be repeated.",
)
@click.option("--metrics", metavar="NAMES", help="Numbers to compute; `+name` adds to the usual.")
@click.option("--sinks", metavar="NAMES", help="Who receives the records; `+name` adds.")
@click.option(
    "--histograms",
    metavar="N",
    help="Epochs (or hundreds of steps) between two histograms, 0 for none.  [default: 1]",
)
@click.option("--include", metavar="PATTERN", multiple=True, help="Only these parameters.")
@click.option("--exclude", metavar="PATTERN", multiple=True, help="Not these parameters.")
@click.option(
    "--budget", metavar="SHARE", help="The most of the loop's time to take, such as 0.05."
)
@click.option("--budget-after", metavar="SECONDS", help="Of tracking, before the budget counts.")
@click.option("--epoch", metavar="NAME", help="The variable that holds the epoch, if not found.")
@click.option("--phase", metavar="NAME", help="The variable that says train, val or test.")
@click.option(
    "--ranks",
    type=click.Choice(["0", "all"]),
    help="Which of several ranks record: the first, or each in rank<k>/.  [default: 0]",
)
@click.option("--strict", is_flag=True, default=None, help="Let autotrack's own failures raise.")
@click.option("--quiet", is_flag=True, help="Say nothing at the end.")
@click.argument("script", type=click.UNPROCESSED)
@click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)
def run(
    script: str,
    arguments: Sequence[str],
    *,
    module: bool,
    quiet: bool,
    **options: Any,
) -> NoReturn:
    """Run SCRIPT exactly as `python SCRIPT ARGUMENTS` would, and track whatever trains in it.

    Everything after SCRIPT belongs to the script; options of autotrack stand before it:

    \b
      autotrack run train.py --lr 0.1
      autotrack run --logdir runs/first train.py --lr 0.1
      autotrack run -m mypackage.train --lr 0.1
      autotrack run --ranks all -m torch.distributed.run --nproc-per-node 2 train.py

    The script's own output and exit status are untouched; at the end one line on stderr says where
    the record is, and a table what was seen. Processes that the script starts and that train
    record into folders of that directory.
    """  # noqa: D301 - `\b` is click's sign for keeping the lines apart
    from autotrack import runner

    given = {name: value for name, value in options.items() if value not in (None, (), {})}
    orders = runner.prepare(given, quiet=quiet)
    runner.launch([script, *arguments], orders, module=module)
