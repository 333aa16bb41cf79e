"""Waits for torch: Python imports this first in every process below `autotrack run`.

It takes its own folder from `sys.path`, lets the person's own `sitecustomize` do its work, and
leaves behind one import finder, which goes when torch comes, and one function for the exit.
A process that never imports torch imports nothing of autotrack until it ends.
"""

from __future__ import annotations

import atexit
import os
import sys

# Not from `typing`: a script that does without that module should not pay for it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import FunctionType, ModuleType

HERE = os.path.dirname(__file__)
PACKAGE_HOME = os.path.dirname(os.path.dirname(HERE))


class TorchImport:
    """A finder that finds nothing itself: it hears of torch's import and says when that is done."""

    def __init__(self, done: Callable[[], None]) -> None:
        self.done = done

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what the other finders find for torch, with an ear on it; None for all else."""
        if name != "torch":
            return None
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    self.listen(spec.loader)
                    return spec
        return None

    def listen(self, loader: object) -> None:
        """Put one function before `loader.exec_module`; it takes itself away when called."""
        execute = getattr(loader, "exec_module", None)
        state = getattr(loader, "__dict__", None)
        if execute is None or state is None or "exec_module" in state:
            return

        def exec_module(module: ModuleType) -> None:
            state.pop("exec_module", None)
            self.leave()
            execute(module)
            self.done()

        keep_out_of_tracebacks(exec_module)
        state["exec_module"] = exec_module

    def leave(self) -> None:
        """Take this finder from `sys.meta_path`."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


def keep_out_of_tracebacks(function: FunctionType) -> None:
    """Make `function` part of the import machinery, whose frames Python leaves out by this name.

    A torch that fails to import then shows the traceback that it shows without autotrack.
    """
    function.__code__ = function.__code__.replace(
        co_filename="<frozen importlib._bootstrap>", co_name="_call_with_frames_removed"
    )


def launched() -> ModuleType | None:
    """Return `autotrack.launched`, or None (and one line) where this Python cannot import it."""
    # Another interpreter than the one that runs autotrack has libraries of its own: nothing of
    # this one's may reach it.
    ours = os.environ.get("AUTOTRACK_RUN_PREFIX") == sys.prefix and PACKAGE_HOME not in sys.path
    if ours:
        sys.path.append(PACKAGE_HOME)
    try:
        import autotrack.launched
    except ImportError as error:
        say(f"autotrack: not tracked in {sys.executable}: {error}")
        return None
    finally:
        if ours:
            sys.path.remove(PACKAGE_HOME)
    return autotrack.launched


def say(line: str) -> None:
    """Write one line to the standard error stream, where there is one."""
    if sys.stderr is not None:
        sys.stderr.write(line + "\n")


def begin() -> None:
    """Start tracking; torch has just been imported."""
    module = launched()
    if module is not None:
        module.begin()


def finish() -> None:
    """End what was begun; in the process that was asked for, also say where the record is."""
    first = os.environ.get("AUTOTRACK_RUN_PID") == str(os.getpid())
    if first or "autotrack.launched" in sys.modules:
        module = launched()
        if module is not None:
            module.finish()


def wait_for_torch() -> None:
    """Arrange that `begin` is called when torch has been imported and `finish` at the exit."""
    # The first Python that starts is the script's own, and an exec keeps its number; every other
    # process below it is a child.
    os.environ.setdefault("AUTOTRACK_RUN_PID", str(os.getpid()))
    atexit.register(finish)
    if "torch" in sys.modules:
        begin()
    else:
        sys.meta_path.insert(0, TorchImport(begin))


def hand_over() -> None:
    """Import the `sitecustomize` that Python would have imported without autotrack."""
    sys.path[:] = [entry for entry in sys.path if entry != HERE]
    sys.path_importer_cache.pop(HERE, None)
    del sys.modules["sitecustomize"]
    # Where there is none this raises just what `site` expects in that case.
    import sitecustomize  # noqa: F401


if __name__ == "sitecustomize":
    if "AUTOTRACK_RUN" in os.environ:
        wait_for_torch()
    hand_over()
