"""`autotrack run` against its oracle: `python` itself, on the same scripts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# what the installed console script does, which unlike `-m` does not look for modules around it
AUTOTRACK = (str(Path(__file__).parent / "console_script.py"),)


@dataclass(frozen=True)
class Program:
    """Files to write, the command line after `python`, and what comes in on stdin."""

    files: dict[str, str | bytes]
    command: list[str]
    stdin: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)


def script(text: str | bytes, *arguments: str, **more: object) -> Program:
    files: dict[str, str | bytes] = {"script.py": text, **more.pop("files", {})}
    return Program(files, ["script.py", *arguments], **more)


def run(program: Program, folder: Path, *launcher: str) -> subprocess.CompletedProcess[bytes]:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environ |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"} | program.environ
    return subprocess.run(
        [sys.executable, *program.flags, *launcher, *program.command],
        cwd=folder,
        env=environ,
        input=program.stdin.encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )


def without_addresses(output: bytes) -> str:
    return re.sub("0x[0-9a-f]+", "0x", output.decode())


def write(program: Program, folder: Path) -> None:
    for name, text in program.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("__main__.py", text)
        elif isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(textwrap.dedent(text))


# Silent in the Python that `autotrack` itself starts with, which plain Python does not have.
OWN_SITECUSTOMIZE = """import sys
told = 'me'
if sys.orig_argv[1] == 'script.py':
"""

SCRIPTS = {
    "arguments": script("import sys; print(sys.argv)", "--lr", "0.1", "-m", "--", "--quiet", "-h"),
    "options_of_ours_after_the_script": script("import sys; print(sys.argv)", "--logdir", "x"),
    "odd_arguments": script("import sys; print(ascii(sys.argv))", "", " ", "é", "*", "a\nb"),
    "undecodable_argument": script("import sys; print(ascii(sys.argv))", os.fsdecode(b"\xff")),
    "path": script("import sys; print(sys.path, sys.orig_argv, sys.executable, sys.prefix)"),
    "path_without_pythonpath_folder": script(
        "import sys; print(sys.path)", environ={"PYTHONPATH": f"{ROOT}{os.pathsep}elsewhere"}
    ),
    "modules": script("import __future__, atexit, sys; print(sorted(sys.modules))"),
    "main_module": script(
        '''
        """What it is for."""
        import sys
        x: int = 1
        main = sys.modules["__main__"]
        print(__name__, __file__, __doc__, __spec__, __package__, __annotations__)
        print(type(__loader__), type(__builtins__), main.__dict__ is globals())
        print([name for name in globals()])
        '''
    ),
    "flags": script("import sys; print(sys.flags, sys._xoptions, sys.warnoptions)", flags=["-O"]),
    "many_flags": script(
        "import sys; print(sys.flags, sys._xoptions, sys.warnoptions); print(sys.orig_argv)",
        flags=["-Wignore", "-X", "dev", "-bb", "-u"],
    ),
    "unbuffered": script("import os; print('first'); os._exit(0)", flags=["-u"]),
    "subfolder": Program(
        {"deep/er/s.py": "import sys, other; print(sys.path[0], __file__)", "deep/er/other.py": ""},
        ["deep/er/s.py"],
    ),
    "dotted_path": Program(
        {"script.py": "import sys; print(sys.path[0], __file__, sys.argv)"}, ["./script.py"]
    ),
    "neighbours_named_like_libraries": script(
        """
        import click, records, errors, runner, cli, json, wrapt
        print([m.__file__ for m in (click, records, errors, runner, cli, json, wrapt)])
        """,
        files={
            f"{n}.py": "" for n in ("click", "records", "errors", "runner", "cli", "json", "wrapt")
        },
    ),
    "guard": script("if __name__ == '__main__':\n    print('main')\nelse:\n    print('no')"),
    "reads_stdin": script("print([input(), input()])", stdin="one\ntwo\n"),
    "program_on_stdin": Program({}, ["-", "a"], stdin="import sys; print(sys.argv, __name__)"),
    "folder": Program(
        {
            "app/__main__.py": "import sys, part; print(sys.argv, sys.path[0], __spec__)",
            "app/part.py": "",
        },
        ["app", "x"],
    ),
    "zip": Program(
        {"app.zip": "import sys; print(sys.argv, __file__, __spec__); 1/0"}, ["app.zip"]
    ),
    "no_such_script": Program({}, ["nowhere.py", "x"]),
    "exit_nothing": script("import sys; sys.exit()"),
    "exit_none": script("raise SystemExit(None)"),
    "exit_number": script("import sys; sys.exit(3)"),
    "exit_true": script("import sys; sys.exit(True)"),
    "exit_negative": script("import sys; sys.exit(-1)"),
    "exit_large": script("import sys; sys.exit(256 + 7)"),
    "exit_text": script("import sys; sys.exit('no data found')"),
    "exit_object": script("import sys; sys.exit(('a', 1))"),
    "exit_at_once": script("import os; print('lost'); os._exit(7)"),
    "exit_in_thread": script("import threading, sys; threading.Thread(target=sys.exit).start()"),
    "exception": script(
        """
        def inner(value):
            return 1 / value

        def outer():
            inner(0)

        outer()
        """
    ),
    "exception_chained": script(
        """
        try:
            {}["a"]
        except KeyError as error:
            raise ValueError("b") from error
        """
    ),
    "exception_with_notes_and_locals": script(
        """
        class Odd(Exception):
            def __str__(self):
                raise TypeError
        raise Odd
        """
    ),
    "exception_in_thread": script(
        "import threading\nthread = threading.Thread(target=lambda: 1/0, name='t')\nthread.start()"
    ),
    "exception_in_finaliser": script(
        "class A:\n    def __del__(self):\n        print('gone')\na = A()\n"
    ),
    "exception_hook": script(
        "import sys\nsys.excepthook = lambda *a: print('hook', a[0], a[2].tb_next)\n1/0"
    ),
    "exception_at_exit": script("import atexit\natexit.register(lambda: 1/0)"),
    "recursion": script(
        """
        import sys, traceback
        depth = 0
        def down():
            global depth
            depth += 1
            down()
        try:
            down()
        except RecursionError:
            print(depth)
        """
    ),
    "syntax_error": script("x = (1,\ny = 2\n"),
    "indentation_error": script("if 1:\nx = 2\n"),
    "null_bytes": script(b"x = 1\x00\n"),
    "latin1": script("# coding: latin-1\nprint(ascii('é'))\n".encode("latin-1")),
    "wrong_encoding": script("print('é')".encode("latin-1")),
    "byte_order_mark": script(b"\xef\xbb\xbfprint(1)\n"),
    "windows_lines": script(b"if 1:\r\n    print(1)\r\n"),
    "future": script("from __future__ import annotations\ndef f(x: undefined): ...\nprint(f)"[:-8]),
    "stack": script(
        """
        import inspect, logging, sys, traceback, warnings
        traceback.print_stack()
        print([frame.function for frame in inspect.stack()])
        warnings.warn("outside", stacklevel=2)
        logging.warning("here", stack_info=True)
        try:
            sys._getframe(1)
        except ValueError as error:
            print(error)
        """
    ),
    "warning_as_error": script("import warnings\nwarnings.warn('x')", flags=["-W", "error"]),
    "atexit_order": script(
        """
        import atexit, threading, time
        atexit.register(print, "registered first")
        atexit.register(print, "registered second")
        threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
        print("end of script")
        """
    ),
    "pickle": script(
        """
        import dataclasses, pickle, typing
        @dataclasses.dataclass
        class Point:
            x: "int"
        print(pickle.loads(pickle.dumps(Point(1))), typing.get_type_hints(Point))
        """
    ),
    "caught_interrupt": script(
        """
        import os, signal
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            print("caught")
        """
    ),
    "interrupt": script("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"),
    "raised_interrupt": script("import atexit\natexit.register(print, 1)\nraise KeyboardInterrupt"),
    "terminated": script("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nprint('alive')"),
    "killed": script("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"),
    "own_handler": script(
        """
        import os, signal, sys
        signal.signal(signal.SIGTERM, lambda *a: sys.exit(5))
        os.kill(os.getpid(), signal.SIGTERM)
        """
    ),
    "handlers": script("import signal\nprint([signal.getsignal(s) for s in (2, 13, 15, 25)][1:])"),
    "asyncio": script(
        "import asyncio\nasync def main():\n    await asyncio.sleep(0)\n    1/0\n"
        "asyncio.run(main())"
    ),
    "fork": script(
        """
        import os
        child = os.fork()
        if child:
            print(os.waitpid(child, 0)[1])
        else:
            print("child", flush=True)
            raise SystemExit(4)
        """
    ),
    "starts_itself": script(
        """
        import subprocess, sys
        if len(sys.argv) == 1:
            print(subprocess.run([sys.executable, __file__, "again"]).returncode)
        else:
            print(sys.argv[1:], sys.path[0], flush=True)
            1 / 0
        """
    ),
    "becomes_itself": script(
        """
        import os, sys
        print(sys.argv, flush=True)
        if len(sys.argv) == 1:
            os.execv(sys.executable, [*sys.orig_argv, "again"])
        """
    ),
    "other_interpreter_modes": script(
        """
        import subprocess, sys
        for flags in ([], ["-I"], ["-E"], ["-X", "utf8"]):
            subprocess.run([sys.executable, *flags, "-c", "import sys; print(sys.path)"])
        """
    ),
    "module": Program(
        {
            "pack/__init__.py": "",
            "pack/train.py": "from . import other\nimport sys\n"
            "print(sys.argv, sys.path[0], __name__, __package__, __spec__.name, __file__)\n1/0",
            "pack/other.py": "print(__name__)",
        },
        ["-m", "pack.train", "--lr", "-m", "x"],
    ),
    "module_package": Program(
        {"pack/__init__.py": "print('package')", "pack/__main__.py": "print(__spec__, __name__)"},
        ["-m", "pack"],
    ),
    "no_such_module": Program({}, ["-m", "nowhere.at_all"]),
    "library_module": Program({}, ["-m", "json.tool"], stdin='{"a": 1}'),
    "own_sitecustomize": script(
        "import sys, sitecustomize\nprint(sitecustomize.__file__, sitecustomize.told)",
        files={"site/sitecustomize.py": OWN_SITECUSTOMIZE + "    print('custom', __name__)"},
        environ={"PYTHONPATH": f"site{os.pathsep}{ROOT}"},
    ),
    "failing_sitecustomize": script(
        "print('still runs')",
        files={"site/sitecustomize.py": OWN_SITECUSTOMIZE + "    import nothing_of_this_name"},
        environ={"PYTHONPATH": f"site{os.pathsep}{ROOT}"},
    ),
    "relative_pythonpath": script(
        "import sys; print(sys.path)", environ={"PYTHONPATH": f"a:{ROOT}:"}
    ),
}

MULTIPROCESSING = """
    import multiprocessing, sys

    class Work:
        def __call__(self, value):
            return value * 2, __name__

    def fail():
        raise ValueError("in the child")

    if __name__ == "__main__":
        context = multiprocessing.get_context(sys.argv[1])
        with context.Pool(2) as pool:
            print(pool.map(Work(), range(4)))
        child = context.Process(target=fail, name="failing")
        child.start()
        child.join()
        print(child.exitcode)
"""
SCRIPTS |= {
    f"multiprocessing_{method}": script(MULTIPROCESSING, method)
    for method in ("fork", "spawn", "forkserver")
}
SCRIPTS["multiprocessing_spawn_module"] = Program(
    {"pack/__init__.py": "", "pack/work.py": MULTIPROCESSING}, ["-m", "pack.work", "spawn"]
)

TORCH_STANDS_FOR = """
    import importlib.util, sys
    before = list(sys.meta_path)
    print(importlib.util.find_spec("torch").loader.__class__)
    try:
        import torch
        import torch.part
    finally:
        print([type(finder).__name__ for finder in sys.meta_path if finder not in before])
    print(torch.__loader__ is torch.__spec__.loader, sorted(vars(torch.__loader__)))
"""
SCRIPTS |= {
    f"torch_that_fails_{name}": script(TORCH_STANDS_FOR, files={"torch/__init__.py": text})
    for name, text in {
        "import": "import no_such_library",
        "system": "def load():\n    raise OSError('libcudart')\nload()",
        "syntax": "x = (",
        "deep": "from . import part",
        "interrupt": "raise KeyboardInterrupt",
        "exit": "raise SystemExit(9)",
    }.items()
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_same_as_python(name: str, tmp_path: Path) -> None:
    program = SCRIPTS[name]
    write(program, tmp_path)
    plain = run(program, tmp_path)
    tracked = run(program, tmp_path, *AUTOTRACK, "run", "--quiet")
    assert without_addresses(tracked.stdout) == without_addresses(plain.stdout)
    assert without_addresses(tracked.stderr) == without_addresses(plain.stderr)
    assert tracked.returncode == plain.returncode


def test_the_oracle_sees_each_kind_of_end(tmp_path: Path) -> None:
    ends = {}
    for name in ("exit_number", "exception", "interrupt", "terminated", "killed", "no_such_script"):
        write(SCRIPTS[name], tmp_path)
        ends[name] = run(SCRIPTS[name], tmp_path, *AUTOTRACK, "run").returncode
    assert ends == {
        "exit_number": 3,
        "exception": 1,
        "interrupt": -signal.SIGINT,
        "terminated": -signal.SIGTERM,
        "killed": -signal.SIGKILL,
        "no_such_script": 2,
    }
