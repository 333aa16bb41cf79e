"""Training under autotrack, once: a record that exists is read, not made again."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch

import autotrack
from autotrack.history import History, read

if TYPE_CHECKING:
    from benchmarks.findings.recipe import Recipe

RECORDS = Path("build/findings")


def train(recipe: Recipe, seed: int, directory: Path) -> None:
    """Train a recipe under `tracking` and leave its record in `directory`."""
    torch.manual_seed(seed)
    task = recipe.task_change(recipe.task(seed))
    model = recipe.model(task)
    recipe.prepare(model)
    shutil.rmtree(directory, ignore_errors=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with autotrack.tracking(logdir=directory):
            recipe.loop(recipe, task, model)


def record(recipe: Recipe, seed: int, *, anew: bool = False, records: Path = RECORDS) -> History:
    """Read the record of a recipe; train for it first where there is none, or with `anew`."""
    directory = records / f"{recipe.name}.{seed}"
    if anew or not (directory / "done").is_file():
        train(recipe, seed, directory)
        (directory / "done").touch()
    return read(directory)
