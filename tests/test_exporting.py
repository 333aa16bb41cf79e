"""Exports, read back by other people's readers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from autotrack.cli import main
from autotrack.errors import UsageError
from autotrack.eventfile import EventFileWriter
from autotrack.exporting import export
from autotrack.history import read
from autotrack.records import Record

LOSSES = [0.1, float("nan"), float("inf"), float("-inf"), 1e-42, 16777217.0]
TAG = 'Loss/"train", ärger\n'


@pytest.fixture
def record(tmp_path: Path) -> Path:
    directory = tmp_path / "run"
    with EventFileWriter(directory) as writer:
        first = Record(0, 5.25, hidden=[("autotrack/run", json.dumps({"name": "digits"}))])
        marked = Record(10, 16.0, hidden=[("autotrack/epoch", np.int64(3))])
        writer.write([first])
        writer.write(Record(s, 5.5 + s, [(TAG, loss)]) for s, loss in enumerate(LOSSES[:2]))
        writer.write([marked])
        writer.write(
            Record(s, 6.5 + s, [("Loss/train", loss)]) for s, loss in enumerate(LOSSES, 10)
        )
    return directory


def exported(record: Path, kind: str, tmp_path: Path) -> Path:
    path = tmp_path / f"out.{kind}"
    result = CliRunner().invoke(main, ["export", str(record), "--output", str(path)])
    assert (result.exit_code, result.output) == (0, f"{path}\n")
    assert [p.name for p in tmp_path.glob(".*")] == []
    return path


def expected(record: Path) -> pd.DataFrame:
    return read(record).to_pandas()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables_read_back_as_the_history_stands(kind: str, record: Path, tmp_path: Path) -> None:
    path = exported(record, kind, tmp_path)
    frame = pd.read_csv(path) if kind == "csv" else pd.read_parquet(path)
    history = expected(record)
    assert list(frame.columns) == ["tag", "x", "step", "epoch", "time", "value"]
    assert frame.tag.tolist() == history.tag.tolist()
    for column in ("x", "step", "time"):
        assert frame[column].tolist() == history[column].tolist()
    # unknown is nothing, not a number
    assert frame.epoch.isna().tolist() == (history.epoch < 0).tolist()
    assert frame.epoch.dropna().tolist() == history.epoch[history.epoch >= 0].tolist()
    assert np.array_equal(frame.value.to_numpy(np.float32), history.value, equal_nan=True)


def test_csv_is_what_pythons_own_reader_takes(record: Path, tmp_path: Path) -> None:
    with exported(record, "csv", tmp_path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[1][:4] == [TAG, "0", "0", ""]
    assert rows[1][5] == "0.1"


def test_json_is_strict_and_holds_the_facts(record: Path, tmp_path: Path) -> None:
    def refuse(constant: str) -> float:
        raise AssertionError(constant)

    text = exported(record, "json", tmp_path).read_text(encoding="utf-8")
    everything = json.loads(text, parse_constant=refuse)
    assert everything["run"]["name"] == "digits"
    values = everything["series"]["Loss/train"]["value"]
    assert values[:4] == [0.1, "NaN", "Infinity", "-Infinity"]
    assert np.float32(values[4]) == np.float32(1e-42)
    assert everything["series"]["Loss/train"]["epoch"] == [3] * 6


def test_standard_output_is_csv(record: Path) -> None:
    result = CliRunner().invoke(main, ["export", str(record)])
    assert result.output.splitlines()[0] == "tag,x,step,epoch,time,value"


def test_an_unknown_format_is_named(record: Path, tmp_path: Path) -> None:
    with (
        (tmp_path / "x").open("wb") as file,
        pytest.raises(UsageError, match="cannot export as 'xls'; possible formats: csv, parquet"),
    ):
        export(read(record), "xls", file)


def test_a_failed_export_leaves_no_file(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    result = CliRunner().invoke(main, ["export", str(tmp_path), "--output", str(output)])
    assert result.exit_code == 2
    assert "no event file" in result.output
    assert not output.exists()
