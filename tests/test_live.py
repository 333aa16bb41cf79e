"""What a person sees while a run goes on: in a terminal, in a notebook, and when it goes wrong."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import pty
import struct
import sys
import termios
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyte
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import autotrack
from autotrack.history import read
from autotrack.records import Record
from autotrack.sinks import notebook, terminal
from autotrack.sinks._curve import Curve
from autotrack.sinks._picture import Line, picture
from autotrack.sinks._standing import Standing
from autotrack.sinks._statusline import StatusLine
from autotrack.sinks.alarm import AlarmSink

ROWS, COLUMNS = 10, 70
# With this a line is done, and the cursor back where it was (DECRC).
RESTORE = b"\x1b8"
SCRIPT = """
import sys, torch
{before}
torch.manual_seed(0)
model = torch.nn.Linear(3, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(8, 3), torch.randint(0, 2, (8,))
{block}
    for epoch in range(3):
        for step in range(4):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            print(end=f"\\r{{'#' * step}} {{step}}", flush=True)
            {wait}
        print("\\repoch", epoch, "done")
print("the end")
"""
TRACKED = {
    "before": "import time, autotrack\nclock = time.time\nskipped = 0\n"
    "def later():\n    return clock() + skipped\n"
    "time.time = later\n"
    "from autotrack import recorder, run as run_module\nrecorder._FLUSH_SECONDS = 0.0\n"
    "from autotrack.sinks import terminal\nterminal._SECONDS = 0.0",
    "block": "with autotrack.tracking(logdir='run'):",
    # the clock goes on without anybody waiting for it
    "wait": "skipped += 1.0",
}
PLAIN = {"before": "", "block": "if True:", "wait": "pass"}


class Terminal:
    """A terminal of `ROWS` by `COLUMNS`, drawn by pyte's own reading of control sequences."""

    def __init__(self, rows: int = ROWS, columns: int = COLUMNS) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.bottoms: list[str] = []

    def feed(self, data: bytes) -> None:
        """Take what was written; what is read at once may be many lines, each shown for a while."""
        *shown, rest = data.split(RESTORE)
        for part in [*(part + RESTORE for part in shown), *([rest] if rest else [])]:
            self._stream.feed(part)
            self.bottoms.append(self.screen.display[-1].rstrip())

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]


def in_a_terminal(script: str, directory: Path) -> Terminal:
    path = directory / "train.py"
    path.write_text(script)
    pid, descriptor = pty.fork()
    if pid == 0:
        os.chdir(directory)
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        os.execve(  # noqa: S606 - this interpreter
            sys.executable, [sys.executable, str(path)], environment
        )
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    shown = Terminal()
    try:
        while data := os.read(descriptor, 65536):
            shown.feed(data)
    except OSError:
        pass  # the other end is closed
    finally:
        os.close(descriptor)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown.lines
    return shown


def loss(step: int, value: float, time: float | None = None) -> Record:
    return Record(step, float(step) if time is None else time, [("Loss/train", value)])


def hidden(tag: str, number: int, time: float) -> Record:
    return Record(0, time, hidden=[(tag, np.asarray(number))])


# -- terminal ------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_prints_stand_as_without_it_and_the_line_is_gone_at_the_end(tmp_path: Path) -> None:
    plain = in_a_terminal(SCRIPT.format(**PLAIN), tmp_path)
    shown = in_a_terminal(SCRIPT.format(**TRACKED), tmp_path)
    (told,) = [i for i, line in enumerate(shown.lines) if line.startswith("autotrack: recorded in")]
    own = [line for line in shown.lines if not line.startswith(("autotrack: ", "  "))]
    assert own == plain.lines
    assert "done" in shown.lines[told - 1]
    seen = [bottom for bottom in shown.bottoms if bottom.startswith("run · epoch ")]
    assert any("epoch 2/2 · step 1" in bottom for bottom in seen)
    assert all(len(bottom) <= COLUMNS for bottom in seen)
    assert not shown.bottoms[-1].startswith("run · epoch ")
    assert shown.screen.margins in (None, (0, ROWS - 1))


EVALUATION = """
import sys, torch
{before}
run_module._TELL_SECONDS = 0.0
from torch.utils.data import DataLoader, TensorDataset
model = torch.nn.Linear(3, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
data = TensorDataset(torch.randn(12, 3), torch.randint(0, 2, (12,)))
train_loader, val_loader = DataLoader(data, batch_size=6), DataLoader(data, batch_size=2)
with autotrack.tracking(logdir="run"):
    for epoch in range(3):
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
            skipped += 1.0
        with torch.no_grad():
            for inputs, labels in val_loader:
                torch.nn.functional.cross_entropy(model(inputs), labels)
                skipped += 1.0
"""


def test_the_line_says_how_far_an_evaluation_has_come(tmp_path: Path) -> None:
    shown = in_a_terminal(EVALUATION.format(**TRACKED), tmp_path)
    steps = [f"val {batch}/6" for batch in range(2, 7)]
    seen = [step for step in steps if any(step in bottom for bottom in shown.bottoms)]
    assert seen == steps
    trained = [bottom for bottom in shown.bottoms if "step 3" in bottom and "/6" not in bottom]
    assert trained, "the line of the training comes back"


def test_no_terminal_no_line(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import torch

    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with autotrack.tracking(logdir=tmp_path / "run"):
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> tuple[StatusLine, Terminal, list[os.terminal_size]]:
    shown, size = Terminal(), [os.terminal_size((COLUMNS, ROWS))]
    monkeypatch.setattr(os, "get_terminal_size", lambda _: size[0])
    monkeypatch.setattr(os, "write", lambda _, data: shown.feed(data))
    return StatusLine(2), shown, size


def test_what_scrolls_leaves_the_line_alone(line: tuple) -> None:
    status, shown, _ = line
    shown.feed(b"half a li")
    status.show("here")
    shown.feed(b"ne\r\n" + b"".join(b"line %d\r\n" % n for n in range(30)))
    assert shown.screen.display[-1].rstrip() == "here"
    assert shown.lines[-2] == "line 29"
    status.close()
    assert "here" not in shown.lines
    shown.feed(b"after")
    assert shown.screen.display[-1].rstrip() in ("after", "")
    assert shown.lines[-1] == "after"


def test_a_line_that_was_begun_goes_on_where_it_was(line: tuple) -> None:
    status, shown, _ = line
    shown.feed(b"\r\n" * (ROWS - 1) + b"half a li")
    status.show("here")
    shown.feed(b"ne")
    assert shown.lines == ["half a line", "here"]


def test_another_size_moves_the_line(line: tuple) -> None:
    status, shown, size = line
    status.show("here")
    shown.screen.resize(ROWS + 4, COLUMNS)
    size[0] = os.terminal_size((COLUMNS, ROWS + 4))
    status.show("there")
    assert shown.screen.display[-1].rstrip() == "there"
    status.close()
    assert "there" not in shown.lines


def test_a_terminal_without_room_is_left_alone(line: tuple) -> None:
    status, shown, size = line
    size[0] = os.terminal_size((COLUMNS, 3))
    status.show("here")
    status.close()
    assert shown.bottoms == []


def test_the_line_says_where_the_run_stands() -> None:
    standing = Standing()
    facts = Record(0, 0.0, hidden=[("autotrack/run", json.dumps({"name": "digits"}))])
    marks = [hidden("autotrack/epoch", e, 60.0 * e) for e in range(3)]
    passed = Record(2, 120.0, [("Accuracy/val", 91.234), ("Loss/val_initial", 3.0)])
    last = hidden("autotrack/last_epoch", 9, 0.0)
    standing.see([facts, last, *marks, loss(1233, 0.5, 130.0), loss(1234, 0.3, 150.0), passed])
    said = " · ".join(" ".join(filter(None, pair)) for pair in terminal.status(standing))
    # one epoch a minute: of the third half a minute is over, and seven follow
    assert said == "digits · epoch 2/9 · step 1,235 · 7:30 left · loss 0.4 · val acc 91.23 %"


def test_the_line_is_never_wider_than_the_terminal_and_takes_no_codes_from_names() -> None:
    text = terminal.styled([("", "名前\x1b[2J\n[red]x[/red]" * 9), ("step", "5")], 40)
    shown = Terminal(columns=40)
    shown.feed(text.encode())
    assert shown.lines[0].startswith("名")
    assert len(shown.lines) == 1
    assert "\x1b[2J" not in text


def test_a_part_that_does_not_fit_is_left_out_whole() -> None:
    parts = [("", "run"), ("step", "5"), ("loss", "1.234"), ("val acc", "91.23 %")]
    for columns, said in (
        (40, "run · step 5 · loss 1.234 · val acc 91.23 %"),
        (32, "run · step 5 · loss 1.234"),
    ):
        shown = Terminal(columns=60)
        shown.feed(terminal.styled(parts, columns + 4).encode())
        assert shown.lines == [said]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (7325, "2:02:05")])
def test_spans_of_time(seconds: float, text: str) -> None:
    assert terminal.clock(seconds) == text


# -- how far: the loop's own end -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "last"),
    [
        ("range(3)", 2),
        ("range(1, opt.epochs + 1)", 3),
        ("bar(range(N))", 1),
        ("range(5, 5 + 2 * N, 2)", 7),
        ("range(len('ab'))", None),
        ("[0, 1]", None),
        ("enumerate(range(2))", None),
    ],
)
def test_the_last_epoch_is_read_from_the_loop(head: str, last: int | None, tmp_path: Path) -> None:
    import torch

    target = "epoch, _" if "enumerate" in head else "epoch"
    source = f"for {target} in {head}:\n    step()\n"
    import linecache

    name = f"<loop {head}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step() -> None:
        optimizer.zero_grad()
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()

    seen: list[Record] = []
    sink = SimpleNamespace(write=seen.extend, close=lambda: None)
    names = {"step": step, "opt": SimpleNamespace(epochs=3), "N": 2, "bar": lambda x: x}
    sys.modules["sink_of_live_test"] = SimpleNamespace(make=lambda _: sink)
    try:
        with autotrack.tracking(logdir=tmp_path / "run", sinks=["sink_of_live_test:make"]):
            exec(compile(source, name, "exec"), names)  # noqa: S102 - a loop with this very head
    finally:
        del sys.modules["sink_of_live_test"]
    found = {int(v) for r in seen for tag, v in r.hidden if tag == "autotrack/last_epoch"}
    assert found == (set() if last is None else {last})


# -- notebook ------------------------------------------------------------------------------------


def test_a_curve_stays_small_and_true() -> None:
    curve, values = Curve(), np.random.default_rng(0).normal(size=10_000)
    for x, y in enumerate(values):
        curve.add(x, float(y))
    assert 100 <= len(curve.cells) <= 600
    assert min(least for _, least, _ in curve.extremes()) == values.min()
    assert max(most for _, _, most in curve.extremes()) == values.max()
    weights = [cell[2] for cell in curve.cells]
    assert sum(weights) == len(values)
    means = np.average([y for _, y in curve.means()], weights=weights)
    assert means == pytest.approx(values.mean())


def test_a_picture_escapes_names_and_keeps_them_apart() -> None:
    curves = [Curve(), Curve()]
    for curve in curves:
        curve.add(0, 1.0)
        curve.add(1, 1.0)
    lines = [Line("<b>one</b>", "#111111", curves[0]), Line("two", "#222222", curves[1])]
    drawn = picture("<i>head</i>", [("Loss", lines)])
    assert "<b>" not in drawn
    assert "<i>" not in drawn
    import re

    heights = [float(y) for y in re.findall(r'<text x="312.0" y="([\d.]+)"', drawn)]
    assert abs(heights[0] - heights[1]) >= 11


def test_the_figure_is_updated_in_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sink, shown = notebook.NotebookSink(tmp_path), []
    monkeypatch.setattr(sink, "_show", shown.append)
    sink.write([loss(0, 1.0)])
    sink.write([loss(1, 0.5)])
    sink.close()
    # the second came too soon for a picture of its own
    assert len(shown) == 2
    assert all("<svg" in bundle["text/html"] for bundle in shown)


# -- alarm ---------------------------------------------------------------------------------------


def alarms(records: list[Record], caplog: pytest.LogCaptureFixture) -> list[str]:
    sink = AlarmSink()
    with caplog.at_level(logging.WARNING, "autotrack"):
        for record in records:
            sink.write([record])
    return [record.getMessage() for record in caplog.records]


def test_a_loss_that_is_no_number_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    records = [loss(step, 1.0 if step < 7 else float("nan")) for step in range(20)]
    assert alarms(records, caplog) == ["Loss/train is nan at step 7"]


def test_a_loss_that_runs_away_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    records = [loss(step, 2.0 * 1.1**step) for step in range(200)]
    (said,) = alarms(records, caplog)
    assert "times its beginning" in said


def test_a_spike_and_a_noisy_loss_are_no_alarm(caplog: pytest.LogCaptureFixture) -> None:
    values = np.abs(np.random.default_rng(0).normal(1, 0.5, 500))
    values[300] = 1e6
    assert alarms([loss(s, float(v)) for s, v in enumerate(values)], caplog) == []


def test_the_defaults_leave_the_record_as_it_is(tmp_path: Path) -> None:
    import torch

    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with autotrack.tracking(logdir=tmp_path / "run"):
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
    assert len(read(tmp_path / "run")["Loss/train"]) == 3


# -- how soon the record knows -------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.3, 1.5, 5.0])
def test_points_are_on_disk_within_two_seconds_also_during_an_evaluation(
    seconds: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import torch
    from torch.nn.functional import mse_loss
    from torch.utils.data import DataLoader

    now = [0.0]
    clock = SimpleNamespace(time=lambda: 0.0, perf_counter=lambda: now[0])
    for module in ("run", "recorder"):
        monkeypatch.setattr(f"autotrack.{module}.time", clock)
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    made: list[float] = []

    def known() -> None:
        """All points older than two seconds are in the file."""
        points = len(read(tmp_path).get("Loss/train", ())) if any(tmp_path.iterdir()) else 0
        assert all(now[0] - at < 2.0 for at in made[points:])

    with autotrack.tracking(logdir=tmp_path):
        for step in range(14):
            for x in DataLoader(torch.ones(1, 1)):
                mse_loss(model(x), x).backward()
                optimizer.step()
            made.append(now[0])
            now[0] += 0.3
            if step % 4 == 3:
                with torch.no_grad():
                    for x in DataLoader(torch.ones(3, 1)):
                        known()
                        now[0] += seconds
                        mse_loss(model(x), x)
                        known()
        for step in range(6):
            mse_loss(model(torch.ones(1, 1)), torch.ones(1, 1)).backward()
            optimizer.step()
            made.append(now[0])
            now[0] += seconds
            # The first slow step tells that steps are slow.
            if step > 1:
                known()


@pytest.mark.parametrize(("cost", "least", "most"), [(0.01, 3, 8), (0.0004, 20, 30), (0.0, 50, 90)])
def test_a_fast_loop_is_written_once_a_second_and_oftener_where_that_costs_nothing(
    cost: float, least: int, most: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Four seconds of steps; before a call that lasts, hardly anything waits."""
    import torch

    from autotrack.outlet import Outlet

    now, written = [0.0], []
    clock = SimpleNamespace(time=lambda: 0.0, perf_counter=lambda: now[0])
    for module in ("run", "recorder"):
        monkeypatch.setattr(f"autotrack.{module}.time", clock)
    monkeypatch.setattr("autotrack.capture.settled.perf_counter", clock.perf_counter)
    write = Outlet.write

    def costly(self: Outlet, rows: list[object]) -> None:
        written.append(now[0])
        write(self, rows)
        now[0] += cost

    monkeypatch.setattr(Outlet, "write", costly)
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with autotrack.tracking(logdir=tmp_path):
        for step in range(400):
            # Once a pause of ten seconds.
            if step == 200:
                waiting = step - len(read(tmp_path)["Loss/train"])
                now[0] += 10.0
            now[0] += 0.01
            model(torch.ones(1, 1)).sum().backward()
            optimizer.step()
        during = len(written)
    assert least <= during <= most
    # A pause between two writes is at least 400 times as long as writing takes.
    assert waiting <= max(5, 100 * min(1.0, 400 * cost)) + 1


def test_rows_are_written_before_an_evaluation_may_begin_and_not_before_each_epoch(
    tmp_path, monkeypatch
):
    """Once a loader has been trained on, its start says nothing of an evaluation."""
    hurried: list[Any] = []
    monkeypatch.setattr(
        "autotrack.recorder.Recorder.hurry", lambda _, moment: hurried.append(moment)
    )
    data = TensorDataset(torch.randn(12, 3), torch.randint(2, (12,)))
    training, validation = DataLoader(data, batch_size=4), DataLoader(data, batch_size=6)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with autotrack.tracking(logdir=tmp_path / "run", strict=True):
        for _epoch in range(3):
            for x, y in training:
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(x), y).backward()
                optimizer.step()
            with torch.no_grad():
                for x, y in validation:
                    torch.nn.functional.cross_entropy(model(x), y)
    assert [moment.loader for moment in hurried] == [training, *[validation] * 3]
