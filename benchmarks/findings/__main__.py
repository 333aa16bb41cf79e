"""How far findings can be trusted: `python -m benchmarks.findings` (`make bench-findings`)."""

from __future__ import annotations

import click
import torch

from benchmarks.findings.score import SPLITS, details, judge, summary, table


@click.command()
@click.option("--train", is_flag=True, help="Train anew what has a record already.")
@click.option("--only", default="", help="Only runs whose name contains this.")
@click.option(
    "--details", "listed", is_flag=True, help="List misses and alarms of open and seen runs."
)
@click.option("--held-out", is_flag=True, help="List them for the held-out runs as well.")
def main(*, train: bool, only: str, listed: bool, held_out: bool) -> None:
    """Apply every rule to healthy runs and to their faulty twins; count what is found."""
    torch.set_num_threads(1)
    runs = list(judge(anew=train, wanted=only))
    for split in dict.fromkeys(SPLITS):
        mine = [run for run in runs if run.split == split]
        healthy = sum(run.fault is None for run in mine)
        print(f"\n## {split}: {healthy} healthy runs, {len(mine) - healthy} faulty twins\n")
        print(table(runs, split), summary(runs, split), sep="\n\n")
        if listed and (held_out or split != SPLITS[-1]):
            print("", *details(runs, split), sep="\n")


if __name__ == "__main__":
    main()
