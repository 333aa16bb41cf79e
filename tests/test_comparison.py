"""Several runs side by side, against what a person would read off their series."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from autotrack import comparison
from autotrack.cli import main
from autotrack.eventfile import EventFileWriter
from autotrack.history import read
from autotrack.records import Record


def run(directory: Path, facts: dict[str, object], **series: list[float]) -> Path:
    """Write a run of two steps an epoch, one value of each series an epoch."""
    with EventFileWriter(directory) as writer:
        writer.write([Record(0, 0.0, hidden=[("autotrack/run", json.dumps(facts))])])
        epochs = max(map(len, series.values()))
        for epoch in range(epochs):
            mark = ("autotrack/epoch", np.int64(epoch))
            writer.write([Record(2 * epoch, epoch + 0.5, hidden=[mark])])
        for name, values in series.items():
            tag = name.replace("__", "/")
            writer.write(
                Record(epoch, epoch + 1.0, [(tag, value)], hidden=[_step(2 * epoch + 2)])
                for epoch, value in enumerate(values)
            )
    return directory


def _step(number: int) -> tuple[str, np.int64]:
    return ("autotrack/step", np.int64(number))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    adam = {
        "name": "adam",
        "config": {"lr": 0.1, "batch": 8},
        "optimizers": [{"stream": "", "class": "Adam", "defaults": {"lr": 0.1, "amsgrad": False}}],
    }
    sgd = {
        "name": "sgd",
        "config": {"lr": 0.2, "batch": 8},
        "optimizers": [{"stream": "", "class": "SGD", "defaults": {"lr": 0.2}}],
    }
    nan = float("nan")
    run(tmp_path / "a", adam, Loss__val=[3.0, 1.0, 2.0], Accuracy__val=[10.0, 60.0, 50.0])
    run(tmp_path / "b", sgd, Loss__val=[nan, 1.5, 0.5], Loss__test=[1.0], GradNorm__total=[1.0])
    return tmp_path


def compared(runs: Path) -> comparison.Comparison:
    return comparison.compare([read(runs / "a"), read(runs / "b")])


def test_the_best_value_stands_with_its_epoch(runs: Path) -> None:
    found = compared(runs)
    first, second = found.best["Loss/val"]
    assert (first.value, first.epoch, first.step) == (1.0, 1, 4)
    assert (second.value, second.epoch, second.step) == (0.5, 2, 6)
    assert found.best["Accuracy/val"][0].value == 60.0
    assert found.best["Accuracy/val"][1] is None
    assert found.best["Loss/test"][0] is None


def test_what_does_not_say_which_way_is_better_is_left_out(runs: Path) -> None:
    assert "GradNorm/total" not in compared(runs).best


def test_the_winner_is_the_best_of_several_only(runs: Path) -> None:
    winners = compared(runs).winners
    assert winners == {"Loss/val": [1], "Accuracy/val": [], "Loss/test": []}


def test_only_settings_that_differ_are_named(runs: Path) -> None:
    differences = compared(runs).differences
    assert differences["lr"] == [0.1, 0.2]
    assert differences["optimizer"] == ["Adam", "SGD"]
    assert not {"batch", "optimizer amsgrad"} & differences.keys()


def test_a_tie_has_several_winners_only_beside_a_loser(tmp_path: Path) -> None:
    histories = [
        read(run(tmp_path / name, {}, Loss__val=[value]))
        for name, value in (("a", 1.0), ("b", 1.0), ("c", 2.0))
    ]
    assert comparison.compare(histories).winners["Loss/val"] == [0, 1]
    assert comparison.compare(histories[:2]).winners["Loss/val"] == []


@pytest.mark.parametrize(
    ("tag", "way"),
    [
        ("Loss/val", "less"),
        ("val_loss", "less"),
        ("MAE/test", "less"),
        ("Accuracy/train", "more"),
        ("eval/acc", "more"),
        ("R2/val", "more"),
        ("GradNorm/total", ""),
        ("glossary", ""),
        ("LearningRate/group0", ""),
    ],
)
def test_which_way_is_better_is_in_the_name(tag: str, way: str) -> None:
    assert comparison.better(tag) == way


def test_runs_of_one_name_are_told_apart_by_their_directories(tmp_path: Path) -> None:
    histories = [
        read(run(tmp_path / name, {"name": "run"}, Loss__val=[1.0])) for name in ("a", "b")
    ]
    assert comparison.names_of(histories) == [str(tmp_path / "a"), str(tmp_path / "b")]


# -- the command ---------------------------------------------------------------------------------


def test_a_directory_of_runs_stands_for_them_all(runs: Path) -> None:
    result = CliRunner().invoke(main, ["compare", str(runs), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["names"] == ["adam", "sgd"]
    assert found["best"]["Loss/val"][1] == {"tag": "Loss/val", "value": 0.5, "step": 6, "epoch": 2}


def test_the_table_marks_the_best(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(runs)
    result = CliRunner().invoke(main, ["compare", "a", "b"])
    assert result.exit_code == 0, result.output
    (row,) = [line for line in result.output.splitlines() if "Loss/val" in line]
    assert row.split() == ["Loss/val", "1,", "epoch", "1", "*", "0.5,", "epoch", "2"]


def test_the_figure_goes_where_it_is_asked_for(runs: Path, tmp_path: Path) -> None:
    output = tmp_path / "both.svg"
    result = CliRunner().invoke(main, ["compare", str(runs), "--output", str(output)])
    assert result.output.splitlines()[-1] == str(output)
    drawn = output.read_text(encoding="utf-8")
    assert "adam" in drawn
    assert "sgd" in drawn
    refused = CliRunner().invoke(main, ["compare", str(runs), "--output", "both.gif"])
    assert (refused.exit_code, "must end in one of .png" in refused.output) == (2, True)


def test_many_runs_stand_below_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    for number in range(5):
        run(tmp_path / f"run{number}", {}, Loss__val=[1.0 + number])
    result = CliRunner().invoke(main, ["compare", "."])
    (row,) = [line for line in result.output.splitlines() if "run0" in line]
    assert row.split() == ["run0", "*", "1,", "epoch", "0"]


def test_names_from_a_record_are_no_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("[red]a[/red]", "[/nothing]"):
        run(tmp_path / str(len(name)), {"name": name}, Loss__val=[1.0])
    result = CliRunner().invoke(main, ["compare", "."])
    assert result.exit_code == 0, result.output
    assert "[red]a[/red]" in result.output


def test_one_run_cannot_be_compared(runs: Path) -> None:
    result = CliRunner().invoke(main, ["compare", str(runs / "a")])
    assert result.exit_code == 2
    assert "name two runs or more" in result.output
