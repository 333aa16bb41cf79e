"""The architecture, executed: who may know whom, and who may touch what is not ours."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import textwrap

import pytest
from house_rules import (
    PACKAGE,
    Module,
    broad_excepts,
    cycles,
    device_copies,
    foreign_writes,
    imports_of,
    read_package,
    relative_imports,
    vague_names,
    wrong_directions,
)

# Each floor of the house with its rooms (files and folders directly inside the package) ...
FLOOR_PLAN = {
    "front": {
        "__init__",
        "__main__",
        "_startup",
        "api",
        "cli",
        "commands",
        "decorator",
        "doctor",
        "launched",
        "opening",
        "runner",
    },
    "capture": {
        "budget",
        "capture",
        "conclusion",
        "cost",
        "coverage",
        "directory",
        "elsewhere",
        "facts",
        "frames",
        "graph",
        "layout",
        "loopend",
        "loopscope",
        "provenance",
        "ranks",
        "outlet",
        "recorder",
        "run",
        "schedule",
        "stated",
        "tallies",
        "timeline",
    },
    "buffer": {"buffer", "devices", "transfer"},
    "observers": {"observers"},
    "metrics": {"metrics"},
    "sinks": {"sinks"},
    "judging": {"findings"},
    "drawing": {"comparison", "exporting", "reports"},
    "reading": {"assembly", "columns", "history", "merging", "placement", "series"},
    "record": {
        "block",
        "eventblock",
        "eventcodec",
        "eventfile",
        "eventtabs",
        "framing",
        "jsontext",
        "records",
        "scalarevent",
    },
    "ground": {
        "_version",
        "colours",
        "config",
        "contents",
        "context",
        "dtensors",
        "errors",
        "events",
        "guard",
        "identity",
        "keeper",
        "pending",
        "row",
        "runaway",
        "saying",
    },
}

# ... and the floors that it may know. Capture, compute, store and draw never know each other.
MAY_KNOW = {
    "front": {"capture", "drawing", "judging", "reading", "record", "ground"},
    "capture": {
        "observers",
        "metrics",
        "sinks",
        "buffer",
        "judging",
        "reading",
        "record",
        "ground",
    },
    "buffer": {"record", "ground"},
    "observers": {"ground"},
    "metrics": {"buffer", "record", "ground"},
    "sinks": {"record", "ground"},
    "drawing": {"judging", "reading", "record", "ground"},
    "judging": {"reading", "record", "ground"},
    "reading": {"record", "ground"},
    "record": {"ground"},
    "ground": set(),
}
ROOMS = {room: floor for floor, rooms in FLOOR_PLAN.items() for room in rooms}

# These never see a tensor: they hold NumPy arrays, and a test below keeps torch out of them.
WITHOUT_TORCH = {"drawing", "judging", "reading", "record"}
# These may fetch a tensor's values: at home, or when the transfer says that they are there; and the
# doctor, whose training loop is written as a person would.
MAY_FETCH = {"buffer", "doctor", "metrics", "transfer"}

MAY_WRITE_OUTSIDE = {
    "observers._patch",  # the one place that patches, with the undo beside it
    "_startup.sitecustomize",  # runs before the script and takes itself off sys.path again
}

MODULES = read_package()


def check(rule, source, name="metrics.example"):
    return rule(Module(name, ast.parse(textwrap.dedent(source))))


# -- the rules -----------------------------------------------------------------------------------


def test_imports_go_downwards():
    assert wrong_directions(MODULES, ROOMS, MAY_KNOW) == []


def test_no_two_modules_import_each_other():
    assert cycles(MODULES) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
class TestEveryModule:
    def test_imports_are_absolute(self, module):
        assert relative_imports(module) == []

    def test_what_is_not_ours_is_left_alone(self, module):
        if module.name not in MAY_WRITE_OUTSIDE:
            assert foreign_writes(module) == []

    def test_only_the_guard_catches_everything(self, module):
        if module.name != "guard":
            assert broad_excepts(module) == []

    def test_values_are_fetched_only_where_it_is_due(self, module):
        if module.room not in MAY_FETCH and ROOMS.get(module.room) not in WITHOUT_TORCH:
            assert device_copies(module) == []


def test_what_reads_and_draws_does_not_name_torch():
    rooms = [module for module in MODULES if ROOMS.get(module.room) in WITHOUT_TORCH]
    assert rooms
    assert imports_of(rooms, "torch") == []


def test_no_file_is_named_after_nothing():
    assert vague_names(list(PACKAGE.rglob("*.py"))) == []


def test_the_files_that_have_a_right_of_their_own_exist():
    names = {module.name for module in MODULES}
    assert MAY_WRITE_OUTSIDE | {"guard"} <= names


# -- what is loaded ------------------------------------------------------------------------------


def run_python(source, *arguments, cwd):
    """Run source text in a fresh interpreter and return its output."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_autotrack_loads_nothing_heavy(tmp_path):
    loaded = run_python("import sys, autotrack; print(*sys.modules)", cwd=tmp_path).split()
    heavy = {"torch", "numpy", "matplotlib", "tensorboard", "google", "rich", "click", "jinja2"}
    assert "autotrack" in loaded
    assert heavy & set(loaded) == set()


FORBID_TORCH = """
    import sys
    class Forbid:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == "torch":
                raise ImportError(f"{name} must not be imported here")
    sys.meta_path.insert(0, Forbid())
"""

WRITE_READ_DRAW = """
    import autotrack
    from autotrack.eventfile import EventFileWriter
    from autotrack.records import Record

    directory = sys.argv[1]
    writer = EventFileWriter(directory)
    writer.write(
        Record(x=step, time=1.0 + step, scalars=[("Loss/train", 1.0 / (1 + step))])
        for step in range(50)
    )
    writer.close()
    history = autotrack.read(directory)
    print(*history["Loss/train"].x[:3])
    report = autotrack.report(directory)
    print(*report.paths, sep="\\n")
    print("torch" in sys.modules)
"""


def test_reading_and_drawing_a_run_never_loads_torch(tmp_path):
    source = textwrap.dedent(FORBID_TORCH) + textwrap.dedent(WRITE_READ_DRAW)
    steps, *paths, torch_is_loaded = run_python(source, tmp_path / "run", cwd=tmp_path).split("\n")[
        :-1
    ]
    assert steps == "0 1 2"
    assert any(path.endswith("loss.png") for path in paths)
    assert torch_is_loaded == "False"


def test_the_ban_on_torch_would_be_felt(tmp_path):
    source = textwrap.dedent(FORBID_TORCH) + textwrap.dedent("""
        try:
            import torch
        except ImportError:
            print("felt")
    """)
    assert run_python(source, cwd=tmp_path) == "felt\n"


# -- every rule sees what it forbids -------------------------------------------------------------


def package(**sources):
    return [
        Module(name.replace("__", "."), ast.parse(textwrap.dedent(source)))
        for name, source in sources.items()
    ]


@pytest.mark.parametrize(
    "sources",
    [
        {"metrics__loss": "from autotrack.observers import backward", "observers__backward": ""},
        {"findings__plateau": "import autotrack.run", "run": ""},
        {"findings__plateau": "def f():\n    from autotrack import run", "run": ""},
        {
            "history": "from typing import *\nif TYPE_CHECKING:\n    import autotrack.findings",
            "findings": "",
        },
        {"events": "from autotrack.records import Record", "records": ""},
        {"errors": "from autotrack import run", "run": ""},
        {"attic": ""},
    ],
)
def test_a_wrong_direction_is_seen(sources):
    assert len(wrong_directions(package(**sources), ROOMS, MAY_KNOW)) == 1


def test_a_right_direction_is_let_pass():
    modules = package(
        run="from autotrack import records\nfrom autotrack.metrics.loss import Loss",
        metrics__loss="import torch\nfrom autotrack.events import Batch",
        records="",
        events="",
    )
    assert wrong_directions(modules, ROOMS, MAY_KNOW) == []


def test_a_cycle_is_seen_once_and_from_its_first_name():
    modules = package(
        run="import autotrack.buffer",
        buffer="def f():\n    from autotrack.timeline import now",
        timeline="from autotrack import run",
        api="import autotrack.run",
    )
    assert cycles(modules) == [["buffer", "timeline", "run"]]


def test_an_import_for_types_makes_no_cycle():
    modules = package(
        run="import autotrack.buffer",
        buffer="if TYPE_CHECKING:\n    import autotrack.run",
    )
    assert cycles(modules) == []


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.autograd.backward = 1",
        "from torch import nn\nnn.Module.__call__ = None",
        "import torch\ndef f():\n    torch.nn.functional.mse_loss, x = 1, 2",
        "import sys\nsys.argv[1:] = []",
        "import torch\ntorch.x += 1",
        "import torch\ndel torch.x",
        "def f(optimizer: Optimizer):\n    optimizer.step = None",
        "def f(model: 'nn.Module | None'):\n    model.flag = True",
        "def f(thing):\n    setattr(thing, 'step', 1)",
        "def f(thing):\n    object.__setattr__(thing, 'step', 1)",
        "def f(thing):\n    thing.__dict__['step'] = 1",
        "def f(thing):\n    vars(thing)['step'] = 1",
        "def f(thing):\n    vars(thing).update(step=1)",
        "def f(thing):\n    type(thing).step = 1",
        "print = 1\nprint.x = 2",
        "import wrapt\nwrapt.wrap_function_wrapper('torch', 'x', f)",
    ],
)
def test_a_foreign_write_is_seen(source):
    assert len(check(foreign_writes, source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n    def f(self):\n        self.x = 1",
        "class A:\n    def f(self):\n        object.__setattr__(self, 'x', 1)",
        "from event_pb2 import Event\nevent = Event()\nevent.step = 3",
        "import numpy\ndef f(counts):\n    counts[0] = 1",
        "import torch\ndef f(torch):\n    torch.x = 1",
        "names = {}\nnames['a'] = 1",
        "globals()['a'] = 1",
        "def f(thing):\n    return vars(thing).get('step')",
        "def f(A):\n    thing = A.__new__(A)\n    vars(thing).update(step=1)",
        "import torch\nx = torch.nn.Linear(1, 1)",
    ],
)
def test_a_write_to_what_is_ours_is_let_pass(source):
    assert check(foreign_writes, source) == []


@pytest.mark.parametrize(
    "handler",
    [
        "except:",
        "except Exception:",
        "except BaseException as error:",
        "except (OSError, Exception):",
    ],
)
def test_a_broad_except_is_seen(handler):
    assert check(broad_excepts, f"try:\n    pass\n{handler}\n    pass") == ["metrics.example:3"]


def test_a_broad_suppress_is_seen():
    assert check(broad_excepts, "with contextlib.suppress(Exception):\n    pass")


def test_a_narrow_except_is_let_pass():
    source = (
        "try:\n    pass\nexcept (OSError, ValueError):\n    pass\nwith suppress(KeyError): pass"
    )
    assert check(broad_excepts, source) == []


@pytest.mark.parametrize("call", ["loss.item()", "x.sum().tolist()", "x.cpu()", "x.cpu().numpy()"])
def test_a_fetched_value_is_seen(call):
    assert check(device_copies, call)


def test_items_of_a_dictionary_are_no_fetched_values():
    assert check(device_copies, "d.items()") == []


def test_a_relative_import_is_seen():
    assert check(relative_imports, "from . import loss\nfrom ..run import Run\nimport torch") == [
        "metrics.example:1: ..loss",
        "metrics.example:2: ..run.Run",
    ]


def test_naming_torch_is_seen_also_for_types():
    source = "if TYPE_CHECKING:\n    from torch import Tensor\nimport torchvision"
    assert imports_of([Module("report.loss", ast.parse(source))], "torch") == ["report.loss:2"]


def test_a_name_that_says_nothing_is_seen(tmp_path):
    assert vague_names([tmp_path / "_utils.py", tmp_path / "loss.py"]) == [
        str(tmp_path / "_utils.py")
    ]
