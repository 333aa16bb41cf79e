"""Where a run is written: a place of its own, and training goes on where nothing can be written."""

from __future__ import annotations

import errno
import os
import re
import socket
import subprocess
import sys
import textwrap
import time
from datetime import datetime
from pathlib import Path

import pytest
import small_training

import autotrack
from autotrack.errors import RecordNotFoundError


def train() -> str:
    return small_training.by_hand()


def bytes_of(directory: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(directory).iterdir()}


def test_without_a_name_the_directory_is_called_like_tensorboards():
    before = int(time.time())
    with autotrack.tracking() as run:
        train()
    match = re.fullmatch(r"runs/(\w{3}\d\d_\d\d-\d\d-\d\d)_(.*)", str(run.directory))
    assert match
    assert match[2] == socket.gethostname()
    begun = datetime.strptime(match[1], "%b%d_%H-%M-%S").replace(  # noqa: DTZ007 - local, as named
        year=datetime.fromtimestamp(before).year  # noqa: DTZ006 - likewise
    )
    assert before <= begun.timestamp() <= int(time.time())


def test_a_record_is_never_overwritten_or_mixed(caplog):
    for _ in range(3):
        with autotrack.tracking(logdir="runs/mine") as run:
            train()
        if run.directory == Path("runs/mine"):
            first = bytes_of("runs/mine")
    assert sorted(path.name for path in Path("runs").iterdir()) == ["mine", "mine-2", "mine-3"]
    assert bytes_of("runs/mine") == first
    said = [r.getMessage() for r in caplog.records]
    assert said == [
        f"runs/mine already holds a record; this run is written to runs/mine-{n}" for n in (2, 3)
    ]
    for name in ("mine", "mine-2", "mine-3"):
        assert autotrack.read(f"runs/{name}")["Loss/train"].x.tolist() == [0, 1, 2]


def test_a_directory_without_a_record_is_used_as_it_is():
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("kept", "utf-8")
    with autotrack.tracking(logdir="mine"):
        train()
    assert Path("mine/notes.txt").read_text("utf-8") == "kept"
    assert not Path("mine-2").exists()
    assert "Loss/train" in autotrack.read("mine")


def test_a_foreign_record_is_not_mixed_with():
    Path("mine").mkdir()
    Path("mine/events.out.tfevents.1.host").write_bytes(b"somebody's")
    with autotrack.tracking(logdir="mine"):
        train()
    assert bytes_of("mine") == {"events.out.tfevents.1.host": b"somebody's"}
    assert "Loss/train" in autotrack.read("mine-2")


def test_who_comes_between_keeps_the_name():
    with autotrack.tracking(logdir="mine") as run:
        Path("mine").mkdir()
        Path("mine/events.out.tfevents.1.host").write_bytes(b"somebody's")
        train()
    assert bytes_of("mine") == {"events.out.tfevents.1.host": b"somebody's"}
    assert run.directory == Path("mine-2")


@pytest.mark.parametrize("logdir", ["file", "file/below", "\0"])
def test_an_unwritable_directory_is_one_warning(logdir, caplog):
    plain = train()
    Path("file").write_text("a file, no directory", "utf-8")
    with autotrack.tracking(logdir=logdir, strict=False) as run:
        for _ in range(2):
            assert train() == plain
            run.flush()
    said = [r.getMessage() for r in caplog.records]
    assert len(said) == 1
    assert "training goes on" in said[0]
    assert Path("file").read_text("utf-8") == "a file, no directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_directory_without_permission_is_one_warning(caplog):
    Path("locked").mkdir(mode=0o500)
    with autotrack.tracking(logdir="locked/run", strict=False):
        train()
    assert len(caplog.records) == 1


def test_a_disk_that_fills_up_leaves_what_was_written(caplog):
    write, full = os.write, []

    def write_until_full(descriptor, data):
        if full:
            # the half that still fits, and then nothing
            full.append(descriptor)
            if len(full) == 2:
                return write(descriptor, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    plain = train()
    with (
        pytest.MonkeyPatch.context() as patch,
        autotrack.tracking(logdir="run", strict=False) as run,
    ):
        train()
        run.flush()
        size = len(next(iter(bytes_of("run").values())))
        patch.setattr(os, "write", write_until_full)
        full.append(0)
        assert train() == plain
        run.flush()
        assert train() == plain
    said = [r.getMessage() for r in caplog.records]
    assert len(said) == 1
    assert "No space left" in said[0]
    history = autotrack.read(Path(run.directory))
    assert history.truncated == 0
    assert history["Loss/train"].x.tolist()[:3] == [0, 1, 2]
    assert len(next(iter(bytes_of("run").values()))) >= size


def test_a_sink_that_failed_is_closed_all_the_same():
    closed = []

    class Sink:
        def write(self, records):
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self):
            closed.append(True)

    import sys
    import types

    module = types.ModuleType("sink_of_a_test")
    module.make = lambda directory: Sink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "sink_of_a_test", module)
        with autotrack.tracking(sinks=["+sink_of_a_test:make"], logdir="run", strict=False):
            train()
    assert closed == [True]
    assert "Loss/train" in autotrack.read("run")


def test_reading_where_there_is_no_record_names_the_directory():
    Path("empty/below").mkdir(parents=True)
    with pytest.raises(RecordNotFoundError, match="empty"):
        autotrack.read("empty")
    with pytest.raises(RecordNotFoundError, match="missing"):
        autotrack.report("missing")
    with autotrack.tracking(logdir="empty/below"):
        train()
    with pytest.raises(RecordNotFoundError, match="below"):
        autotrack.report("empty")


def test_a_run_that_saw_nothing_tells_so():
    with autotrack.tracking(logdir="run"):
        pass
    coverage = autotrack.read("run").coverage
    assert "backward" in str(coverage)


def test_a_history_asked_for_before_anything_is_recorded_is_empty():
    with autotrack.tracking() as run:
        history = run.history
        assert (dict(history), history.streams, history.run) == ({}, [], {})
        assert not run.directory.exists()
        train()
        assert run.history["Loss/train"].x.tolist() == [0, 1, 2]


def test_processes_that_begin_in_the_same_instant_take_directories_of_their_own():
    script = textwrap.dedent("""
        import sys
        import time
        from pathlib import Path
        from autotrack.directory import taken_directory

        Path(f"ready-{sys.argv[1]}").touch()
        while len(list(Path().glob("ready-*"))) < 4:
            time.sleep(0.001)
        for turn in range(20):
            with taken_directory(Path(f"runs/{turn}")) as directory:
                time.sleep(0.002)
                (directory / f"events.out.tfevents.{sys.argv[1]}").touch()
    """)
    processes = [subprocess.Popen([sys.executable, "-c", script, str(n)]) for n in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    held = [len(list(path.iterdir())) for path in Path("runs").iterdir()]
    assert held == [1] * 80
