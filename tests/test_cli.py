"""The command line: what it says to a person, and what it costs to ask."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import autotrack
from autotrack import runner
from autotrack.cli import main
from autotrack.eventfile import EventFileWriter
from autotrack.records import Record

ROOT = Path(__file__).parents[1]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    directory = tmp_path / "runs" / "mnist"
    writer = EventFileWriter(directory)
    writer.write(
        Record(x=step, time=1.0 + step, scalars=[("Loss/train", 1 / (1 + step))])
        for step in range(20)
    )
    writer.close()
    return directory


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    calls: list[tuple[list[str], dict[str, str]]] = []

    def become(arguments: list[str], environ: dict[str, str]) -> None:
        calls.append((list(arguments), dict(environ)))

    monkeypatch.setattr(runner, "become", become)
    monkeypatch.setattr(sys, "argv", ["autotrack"])
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, "bin/autotrack"])
    return calls


def said(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result.exit_code, result.output


# -- help and mistakes ---------------------------------------------------------------------------


def test_version() -> None:
    assert said("--version") == (0, f"autotrack {autotrack.__version__}\n")


@pytest.mark.parametrize("command", [[], ["run"], ["report"]])
def test_help_shows_how_with_an_example(command: list[str]) -> None:
    status, text = said(*command, "--help")
    assert status == 0
    assert f"  autotrack {' '.join(command)}".rstrip() in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reprt"], "Did you mean 'report'?"),
        (["run"], "Missing argument 'SCRIPT'"),
        (["run", "--lodir", "x", "train.py"], "Did you mean '--logdir'?"),
        (["run", "--histograms", "often", "train.py"], "histograms='often' cannot work"),
        (["run", "--budget", "-1", "train.py"], "budget='-1' cannot work"),
        (["run", "--metrics", "lss", "train.py"], "did you mean 'loss'?"),
        (["run", "--sinks", "tensorbord", "train.py"], "did you mean 'tensorboard'?"),
        (["run", "--config", "lr", "train.py"], "'lr' is not of the form NAME=VALUE"),
        (["run", "--config", "=1", "train.py"], "'=1' is not of the form NAME=VALUE"),
        (["run", "--ranks", "1", "train.py"], "'1' is not one of '0', 'all'"),
        (["report", "nowhere"], "nowhere"),
        (["report", ".", "--format", "gif"], "'gif' is not one of"),
    ],
)
def test_a_mistake_is_one_line_that_shows_the_way(
    arguments: list[str], message: str, launched: list[object]
) -> None:
    status, text = said(*arguments)
    assert status == 2
    assert text.splitlines()[-1].startswith("Error: ")
    assert message in text.splitlines()[-1]
    assert launched == []


def test_a_bad_setting_in_the_environment_stops_before_the_script(
    monkeypatch: pytest.MonkeyPatch, launched: list[object]
) -> None:
    monkeypatch.setenv("AUTOTRACK_HISTOGRAMS", "many")
    status, text = said("run", "train.py")
    assert (status, "histograms='many' cannot work" in text, launched) == (2, True, [])


@pytest.mark.parametrize("flag", ["-E", "-I", "-S"])
def test_a_python_that_ignores_its_environment_is_refused(flag: str, tmp_path: Path) -> None:
    code = f"import sys; sys.path.append({str(ROOT)!r}); from autotrack import runner as r"
    done = subprocess.run(
        [sys.executable, flag, "-c", f"{code}; r.refuse_without_environment()"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert "UsageError" in done.stderr
    assert "start it without -E, -I and -S" in done.stderr


# -- run -----------------------------------------------------------------------------------------


def test_everything_after_the_script_is_the_scripts(
    launched: list[tuple[list[str], dict[str, str]]],
) -> None:
    said("run", "--quiet", "train.py", "--logdir", "mine", "-m", "--", "-h")
    ((command, _),) = launched
    assert command == [sys.executable, "train.py", "--logdir", "mine", "-m", "--", "-h"]


def test_everything_after_a_module_is_the_modules(
    launched: list[tuple[list[str], dict[str, str]]],
) -> None:
    said("run", "-m", "pack.train", "--name", "mine")
    ((command, _),) = launched
    assert command == [sys.executable, "-m", "pack.train", "--name", "mine"]


@pytest.mark.parametrize(
    ("typed", "flags"),
    [
        (["/bin/autotrack"], []),
        (["-O", "/bin/autotrack"], ["-O"]),
        (["-m", "autotrack"], []),
        (["-W", "error", "-X", "dev", "-m", "autotrack"], ["-W", "error", "-X", "dev"]),
        (["-um", "autotrack"], ["-u"]),
        (["-u", "-m", "autotrack"], ["-u"]),
        (["-mautotrack"], []),
    ],
)
def test_options_of_the_interpreter_are_kept(
    typed: list[str], flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["autotrack", "run", "train.py"])
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, *typed, "run", "train.py"])
    assert runner.interpreter_flags() == flags


def test_orders_are_settled_at_the_start(
    launched: list[tuple[list[str], dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    monkeypatch.setenv("AUTOTRACK_HISTOGRAMS", "3")
    monkeypatch.setenv("AUTOTRACK_RANKS", "all")
    monkeypatch.setenv("PYTHONPATH", "one")
    said("run", "--logdir", "out", "--config", "lr=0.1", "--config", "opt=adam", "train.py")
    ((_, environ),) = launched
    orders = json.loads(environ["AUTOTRACK_RUN"])
    assert orders["directory"] == str(Path.cwd() / "out")
    assert orders["options"]["config"] == {"lr": 0.1, "opt": "adam"}
    assert orders["options"]["histograms"] == 3
    assert orders["options"]["ranks"] == "all"
    assert environ["PYTHONPATH"] == f"{runner.STARTUP}{os.pathsep}one"


def test_a_second_run_inside_a_first_gets_orders_of_its_own(
    launched: list[tuple[list[str], dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    said("run", "--quiet", "--logdir", "outer", "train.py")
    ((_, outer),) = launched
    for name, text in outer.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("AUTOTRACK_RUN_PID", "1")
    said("run", "--logdir", "inner", "train.py")
    inner = launched[1][1]
    assert inner["AUTOTRACK_RUN_DIRECTORY"] == str(Path.cwd() / "inner")
    assert {"AUTOTRACK_RUN_PID", "AUTOTRACK_RUN_QUIET"} & inner.keys() == set()
    assert inner["PYTHONPATH"].split(os.pathsep).count(str(runner.STARTUP)) == 1


def test_disabled_is_plain_python(
    launched: list[tuple[list[str], dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOTRACK_DISABLED", "1")
    said("run", "train.py", "x")
    assert launched == [([sys.executable, "train.py", "x"], dict(os.environ))]


@pytest.mark.parametrize("taken", ["out/events.out.tfevents.1", "out/child-7/x.tfevents.1"])
def test_a_directory_with_a_record_is_not_used_again(
    taken: str, launched: list[tuple[list[str], dict[str, str]]], tmp_path: Path
) -> None:
    (tmp_path / taken).parent.mkdir(parents=True)
    (tmp_path / taken).touch()
    said("run", "--logdir", "out", "train.py")
    ((_, environ),) = launched
    assert environ["AUTOTRACK_RUN_DIRECTORY"] == str(tmp_path / "out-2")


# -- report --------------------------------------------------------------------------------------


def report_of(*arguments: str) -> tuple[list[Path], str]:
    """The paths that the command prints, and what it says beside them."""
    result = CliRunner().invoke(main, ["report", *arguments])
    assert result.exit_code == 0
    return [Path(line) for line in result.stdout.splitlines()], result.stderr


def test_report_prints_the_files_it_saved(record: Path) -> None:
    paths, words = report_of(str(record))
    assert paths[0] == record / "report.html"
    assert record / "figures" / "loss.png" in paths
    assert paths[-1] == record / "findings.json"
    assert all(path.is_file() for path in paths)
    assert words.startswith("Trained for ")


def test_report_in_several_formats_somewhere_else(record: Path, tmp_path: Path) -> None:
    output = tmp_path / "paper"
    paths, _ = report_of(str(record), "--format", "pdf", "--format", "svg", "--output", str(output))
    assert {path.suffix for path in paths} == {".html", ".pdf", ".svg", ".json"}
    assert {path.parent for path in paths} == {output}
    assert not (record / "figures").exists()


def test_report_names_the_records_below_a_directory_without_one(record: Path) -> None:
    status, text = said("report", str(record.parent))
    assert status == 2
    assert "mnist" in text


# -- cost ----------------------------------------------------------------------------------------


def loaded_by(*arguments: str) -> set[str]:
    source = (
        "import sys\nfrom autotrack.cli import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n    print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", source, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return set(done.stdout.split())


def test_asking_for_help_loads_nothing_heavy() -> None:
    loaded = loaded_by("run", "--help")
    assert "click" in loaded
    assert {"torch", "numpy", "matplotlib", "tensorboard"} & loaded == set()


def test_report_draws_without_torch(record: Path) -> None:
    loaded = loaded_by("report", str(record))
    assert "matplotlib" in loaded
    assert "torch" not in loaded


# -- what goes wrong -----------------------------------------------------------------------------


def test_a_record_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1").write_bytes(b"this is no event file at all" * 9)
    status, text = said("findings", str(tmp_path))
    assert (status, text) == (
        2,
        f"Error: {tmp_path} holds event files, but none that can be read\n",
    )


def test_damage_is_told_and_the_part_before_it_is_used(record: Path, tmp_path: Path) -> None:
    (path,) = record.iterdir()
    path.write_bytes(path.read_bytes() + b"damage" * 2000)
    status, text = said("report", str(record), "--output", str(tmp_path / "out"))
    assert status == 0
    assert f"12,000 bytes of {record} cannot be read: what follows is of the part before" in text
    assert "Trained for 20 steps" in text


@pytest.mark.parametrize(
    "command",
    [
        ["export", "RECORD", "--output", "nowhere/a.csv"],
        ["compare", "RECORD", "RECORD2", "--output", "nowhere/a.png"],
        ["report", "RECORD", "--output", "file/below"],
    ],
)
def test_what_cannot_be_written_is_said_in_one_line(
    command: list[str], record: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    shutil.copytree(record, tmp_path / "other")
    places = {"RECORD": str(record), "RECORD2": "other"}
    status, text = said(*(places.get(word, word) for word in command))
    assert status == 2
    assert text.splitlines()[-1].startswith("Error: cannot write: ")
    assert not (tmp_path / "nowhere").exists()


def test_many_runs_stand_below_each_other_in_tables_that_fit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for number in range(6):
        scalars = [(f"Loss/val_{letter * 12}", 1.0 + number) for letter in "abcdefgh"]
        with EventFileWriter(tmp_path / "runs" / f"run{number}") as writer:
            writer.write([Record(x=0, time=1.0, scalars=scalars)])
    status, text = said("compare", "runs")
    assert status == 0
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("* 1, step 0") == 8
    assert text.count("run5") >= 2


def test_a_directory_without_runs_is_said(tmp_path: Path, record: Path) -> None:
    (tmp_path / "empty").mkdir()
    status, text = said("compare", str(record), str(tmp_path / "empty"))
    assert (status, text) == (
        2,
        f"Error: {tmp_path / 'empty'} holds no run, and no directory in it does\n",
    )
