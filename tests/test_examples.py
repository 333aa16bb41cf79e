"""The examples run as they stand, and their loops hold no line of logging."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import digits
import linear_regression
import mnist
import numpy as np
import pytest

import autotrack

REPOSITORY = Path(__file__).resolve().parent.parent


def names_in(function):
    """Every name in a function's body."""
    tree = ast.parse(inspect.getsource(inspect.unwrap(function)))
    body = ast.Module(tree.body[0].body, [])
    nodes = list(ast.walk(body))
    return {n.id for n in nodes if isinstance(n, ast.Name)} | {
        n.attr for n in nodes if isinstance(n, ast.Attribute)
    }


@pytest.mark.parametrize("example", [linear_regression, mnist, digits], ids=lambda e: e.__name__)
def test_the_loop_is_untouched(example):
    logging = {"autotrack", "writer", "SummaryWriter", "add_scalar", "plt", "losses", "append"}
    assert names_in(example.train) & logging == set()


def test_linear_regression_learns_the_line_and_draws_its_loss(tmp_path, capsys):
    report = linear_regression.main(tmp_path / "line")
    history = autotrack.read(tmp_path / "line")
    loss = history["Loss/train"]
    np.testing.assert_array_equal(loss.x, np.arange(100))
    np.testing.assert_array_equal(loss.epoch, np.arange(100))
    assert loss.value[-1] < loss.value[0] / 20
    assert f"epoch  20  loss {loss.value[19]:.4f}" in capsys.readouterr().out
    assert "loss.png" in {path.name for path in report.paths}


def test_mnist_records_training_and_test(mnist_root, tmp_path, capsys):
    report = mnist.main(mnist_root, tmp_path / "mnist")
    history = autotrack.read(tmp_path / "mnist")
    assert len(history["Loss/train"].x) == 5 * 16
    for tag in ("Loss/train_epoch", "Accuracy/train", "Loss/test", "Accuracy/test"):
        np.testing.assert_array_equal(history[tag].x, np.arange(5), err_msg=tag)
    last = f"epoch 5/5  test loss {history['Loss/test'].value[-1]:.3f}"
    assert last in capsys.readouterr().out
    assert history["Accuracy/test"].value[-1] > 70
    names = {path.name for path in report.paths}
    assert {"loss.png", "accuracy.png", "overview.png"} <= names
    assert all(
        path.read_bytes().startswith(b"\x89PNG") for path in report.paths if path.suffix == ".png"
    )


def test_the_demo_says_where_everything_is(tmp_path):
    done = subprocess.run(
        [sys.executable, REPOSITORY / "examples/digits.py"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert "epoch 20  validation loss" in done.stdout
    assert "tensorboard --logdir runs\n" in done.stdout
    run = tmp_path / "runs/digits"
    history = autotrack.read(run)
    np.testing.assert_array_equal(history["Accuracy/val"].x, np.arange(20))
    assert history["Accuracy/val"].value[-1] > 90
    figures = [tmp_path / line.strip() for line in done.stdout.splitlines() if ".png" in line]
    assert figures[0].name == "overview.png"
    assert sorted(figures) == sorted(run.rglob("*.png"))
    assert done.stderr == ""
