"""Training under autotrack, once: a record that exists is read, not made again."""

from __future__ import annotations

import shutil
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch

import autotrack
from autotrack.history import History, read
from benchmarks.findings.outcome import Outcome, validation_loss

if TYPE_CHECKING:
    from benchmarks.findings.recipe import Recipe

RECORDS = Path("build/findings")


def train(recipe: Recipe, seed: int, directory: Path) -> None:
    """Train a recipe under `tracking`; leave its record, and what it came to, in `directory`."""
    torch.manual_seed(seed)
    task = recipe.task_change(recipe.task(seed))
    model = recipe.model(task)
    untrained = validation_loss(model, task)
    recipe.prepare(model)
    shutil.rmtree(directory, ignore_errors=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        began = time.perf_counter()
        with autotrack.tracking(logdir=directory):
            recipe.loop(recipe, task, model)
        seconds = time.perf_counter() - began
    Outcome(untrained, validation_loss(model, task), seconds).write(directory)


def record(recipe: Recipe, seed: int, *, anew: bool = False, records: Path = RECORDS) -> History:
    """Read the record of a recipe; train for it first where there is none, or with `anew`."""
    directory = records / f"{recipe.name}.{seed}"
    if anew or not (directory / "done").is_file():
        train(recipe, seed, directory)
        (directory / "done").touch()
    return read(directory)
