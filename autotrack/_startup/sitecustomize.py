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
    from types import ModuleType

# Not with pathlib, for the same reason.
HERE = os.path.dirname(__file__)  # noqa: PTH120
PACKAGE_HOME = os.path.dirname(os.path.dirname(HERE))  # noqa: PTH120
# before Python puts the script's folder in front
PATH = [entry for entry in sys.path if entry != HERE]


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

        state["exec_module"] = kept_out_of_tracebacks(exec_module)

    def leave(self) -> None:
        """Take this finder from `sys.meta_path`."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


def kept_out_of_tracebacks(function: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    """Return `function` under the name by which Python knows frames of its import machinery.

    A torch that fails to import then shows the traceback that it shows without autotrack.
    """
    function.__code__ = function.__code__.replace(
        co_filename="<frozen importlib._bootstrap>", co_name="_call_with_frames_removed"
    )
    return function


def launched() -> ModuleType | None:
    """Return `autotrack.launched`, or None (and one line) where this Python cannot import it."""
    # Another interpreter than the one that runs autotrack has libraries of its own: nothing of
    # this one's may reach it. And modules beside the script are for the script.
    path = sys.path[:]
    ours = [PACKAGE_HOME] if os.environ.get("AUTOTRACK_RUN_PREFIX") == sys.prefix else []
    sys.path[:] = PATH + ours
    try:
        import autotrack.launched
    except ImportError as error:
        say(f"autotrack: not tracked in {sys.executable}: {error}")
        return None
    finally:
        sys.path[:] = path
    return autotrack.launched


def say(line: str) -> None:
    """Write one line to the standard error stream, where there is one."""
    if sys.__stderr__ is not None and not sys.__stderr__.closed:
        sys.__stderr__.write(line + "\n")


def begin() -> None:
    """Start tracking; torch has just been imported."""
    module = launched()
    if module is not None:
        module.begin()


def finish() -> None:
    """End what was begun; in the process that was asked for, also say where the record is."""
    was_interrupted = interrupted()
    if "autotrack.launched" in sys.modules:
        sys.modules["autotrack.launched"].finish()
    elif os.environ.get("AUTOTRACK_RUN_PID") == str(os.getpid()):
        say_what_children_did()
    if was_interrupted:
        interrupt_again()


def say_what_children_did() -> None:
    """Say where children recorded, in a first process that did without torch."""
    directory = os.environ["AUTOTRACK_RUN_DIRECTORY"]
    if "AUTOTRACK_RUN_QUIET" in os.environ:
        return
    if os.path.isdir(directory):  # noqa: PTH112 - as above
        say(f"autotrack: child processes recorded below {directory}")
    else:
        say("autotrack: nothing was recorded: torch was never imported")


def interrupted() -> bool:
    """Whether Python is on its way out because of a Ctrl-C that nobody caught."""
    traceback = getattr(sys, "last_traceback", None)
    return (
        type(getattr(sys, "last_value", None)) is KeyboardInterrupt
        and traceback is not None
        and traceback.tb_frame.f_back is None
    )


def interrupt_again() -> None:
    """Let Python note the interrupt once more, for the exit status.

    It notes in passing that a piece of source text ended in one, and forgets it with the next
    piece that ends well: a dataclass defined by an import during the exit is enough.
    """
    try:
        exec("raise KeyboardInterrupt", {})  # noqa: S102
    except KeyboardInterrupt:
        return


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
    sys.path[:] = PATH
    sys.path_importer_cache.pop(HERE, None)
    del sys.modules["sitecustomize"]
    # Where there is none this raises just what `site` expects in that case.
    __import__("sitecustomize")


if __name__ == "sitecustomize":
    if "AUTOTRACK_RUN" in os.environ:
        wait_for_torch()
    hand_over()
