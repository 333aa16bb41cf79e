"""Looks at the person's frames: who called, from which lines, and what a name holds.

Frames are never kept. Up to Python 3.12 asking a function's frame for its locals leaves a copy of
them in the frame, which would keep tensors alive; that copy is emptied again, and a function that
itself asks for `locals()` is not looked into at all, because it would see that copy change.
"""

from __future__ import annotations

import dis
import itertools
import os
import sys
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DEEPEST = 80
_OPTIMIZED = 0x1
# To a frame's copy: the frame's own, ours, and the argument of getrefcount. More is somebody
# else's.
_REFERENCES = 3
_COPIES = sys.version_info < (3, 13)
_ASKS_FOR_LOCALS = frozenset({"locals", "vars", "dir", "eval", "exec"})
# Of these with an argument, as in `vars(args)`, the locals are none.
_UNLESS_OF_SOMETHING = frozenset({"vars", "dir"})
_CALLS = frozenset({"PRECALL", "CALL", "CALL_FUNCTION"})
_asks: dict[int, tuple[CodeType, bool]] = {}

#: A line of code somewhere: the unit call sites are made of.
Line = tuple[CodeType, int]

# By `id`, because hashing a code object reads all of it; each entry keeps its code alive.
_known: dict[int, tuple[CodeType, bool]] = {}
# Notebooks run each cell in a loop of theirs, which is none of the person's.
_NOTEBOOKS = frozenset({"IPython", "ipykernel"})
_FOREIGN = frozenset({"torch", "wrapt", __name__.partition(".")[0]}) | _NOTEBOOKS
_EVENT_LOOPS = frozenset({"asyncio", "anyio", "trio"})
_STANDARD_LIBRARY = str(Path(os.__file__).parent) + os.sep


def is_foreign(frame: FrameType) -> bool:
    """Tell whether a frame belongs to PyTorch, Python or autotrack rather than to the person."""
    code = frame.f_code
    known = _known.get(id(code))
    if known is None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        foreign = package in _FOREIGN or _is_pythons_own(code.co_filename)
        known = _known[id(code)] = (code, foreign)
    return known[1]


def _is_pythons_own(filename: str) -> bool:
    """Whether a file is of the standard library: asyncio's loops, say, are not the person's."""
    if filename.startswith("<frozen "):
        return True
    return filename.startswith(_STANDARD_LIBRARY) and "-packages" not in filename


def person_frames(boundary: int | None = None) -> Iterator[FrameType]:
    """Yield the person's frames from the innermost outwards, up to and with the boundary.

    `boundary` is the `id` of the frame that opened the run; without it, all there are.
    """
    frame: FrameType | None = sys._getframe(1)
    for _ in range(_DEEPEST):
        if frame is None:
            return
        known = _known.get(id(frame.f_code))
        if not (known[1] if known is not None else is_foreign(frame)):
            yield frame
        if id(frame) == boundary:
            return
        frame = frame.f_back


def is_waiting_in_a_loop(thread: int, *, anywhere: bool = False) -> bool:
    """Whether a thread has ended, or runs nothing of the person's but an event loop or a pool.

    `anywhere` asks instead whether a loop stands on its stack at all, whatever runs in it now.
    """
    frame = sys._current_frames().get(thread)
    if frame is None:
        return True
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in _EVENT_LOOPS or _is_worker(frame, module):
            return True
        if not (anywhere or is_foreign(frame)):
            return False
        frame = frame.f_back
    return not anywhere


def _is_worker(frame: FrameType, module: str) -> bool:
    # Whoever hands a task in stands in the pool's module as well, and does not wait for it.
    return module == "concurrent.futures.thread" and frame.f_code.co_name == "_worker"


def call_chain(boundary: int | None) -> tuple[tuple[int, ...], list[FrameType]]:
    """Return a key of the person's lines from the caller outwards, and the frames they stand in.

    Both go up to and with the boundary. The key holds the `id` of each code object, kept alive
    here, and the place in it: two calls on one line are two places. Let go of the frames at once.
    """
    key: list[int] = []
    own: list[FrameType] = []
    frame: FrameType | None = sys._getframe(1)
    for _ in range(_DEEPEST):
        if frame is None:
            break
        code = id(frame.f_code)
        known = _known.get(code)
        if not (known[1] if known is not None else is_foreign(frame)):
            key.append(code)
            key.append(frame.f_lasti)
            own.append(frame)
        if id(frame) == boundary:
            break
        frame = frame.f_back
    return tuple(key), own


class Way:
    """The person's frames from a call outwards to the run's boundary, as they stood once.

    Whether they stand so again is a look at each frame's code and place: several times cheaper than
    finding out whose they are. Holds code, and never a frame.
    """

    __slots__ = ("_inner", "_outer", "_skipped", "_to_top", "code", "place")

    def __init__(self, boundary: int | None, marked: int | None, depth: int) -> None:
        """Begin `depth` frames above the caller, at the first that is the person's.

        `marked` is how many of the person's frames lie inside the one that `leads_on` returns.
        """
        self._inner: list[tuple[CodeType, int]] = []
        self._outer: list[tuple[CodeType, int]] = []
        self._skipped, self._to_top = 0, True
        frame: FrameType | None = sys._getframe(depth + 1)
        while frame is not None and is_foreign(frame):
            self._skipped += 1
            frame = frame.f_back
        assert frame is not None, "a call without a caller"
        self.code, self.place = frame.f_code, frame.f_lasti
        into, persons = self._inner, 0
        while frame is not None:
            if not is_foreign(frame):
                into = self._outer if persons == marked else into
                persons += 1
            into.append((frame.f_code, frame.f_lasti))
            if id(frame) == boundary:
                self._to_top = False
                return
            frame = frame.f_back

    def innermost(self, depth: int) -> FrameType | None:
        """Return the person's frame in which the call stands, `depth` frames above the caller.

        None where that is another one, or another place in it.
        """
        try:
            frame = sys._getframe(depth + self._skipped + 1)
        except ValueError:
            return None
        return frame if frame.f_code is self.code and frame.f_lasti == self.place else None

    def leads_on(self, frame: FrameType) -> FrameType | None:
        """Return the marked frame where all frames from the innermost on stand as they stood."""
        marked: FrameType | None = frame
        at: FrameType | None = frame
        for code, place in self._inner:
            if at is None or at.f_code is not code or at.f_lasti != place:
                return None
            at = at.f_back
        if self._outer:
            marked = at
            for code, place in self._outer:
                if at is None or at.f_code is not code or at.f_lasti != place:
                    return None
                at = at.f_back
        return marked if at is None or not self._to_top else None


def lines(boundary: int | None) -> tuple[Line, ...]:
    """Return the person's lines from here outwards, up to and with the boundary."""
    return tuple((frame.f_code, frame.f_lineno) for frame in person_frames(boundary))


def variables(frame: FrameType) -> dict[str, Any]:
    """Return a copy of the local names of `frame`; empty where looking would disturb."""
    code = frame.f_code
    if not code.co_flags & _OPTIMIZED:
        return dict(frame.f_locals)
    if not _COPIES:
        return dict(frame.f_locals)
    if _asks_for_locals(code):
        return {}
    held = frame.f_locals
    found = dict(held)
    if sys.getrefcount(held) <= _REFERENCES:
        held.clear()
    return found


def _asks_for_locals(code: CodeType) -> bool:
    """Whether a function calls the builtins that show its locals (`model.eval()` is none)."""
    known = _asks.get(id(code))
    if known is None:
        asks = not _ASKS_FOR_LOCALS.isdisjoint(code.co_names) and any(
            _is_asked_by(load, then)
            for load, then in itertools.pairwise(dis.get_instructions(code))
        )
        known = _asks[id(code)] = (code, asks)
    return known[1]


def _is_asked_by(load: dis.Instruction, then: dis.Instruction) -> bool:
    if load.argval not in _ASKS_FOR_LOCALS or load.opname not in ("LOAD_GLOBAL", "LOAD_NAME"):
        return False
    return load.argval not in _UNLESS_OF_SOMETHING or (then.opname in _CALLS and not then.arg)


def variable(frame: FrameType, name: str) -> Any:
    """Return what a possibly dotted `name` holds in `frame`, or None."""
    first, *attributes = name.split(".")
    value = _local(frame, first)
    for attribute in attributes:
        value = getattr(value, "__dict__", {}).get(attribute)
    return value


def reader(code: CodeType, name: str) -> Callable[[FrameType], Any]:
    """Return what `variable` would say of `name` in frames of `code`, in fewer steps."""
    if "." in name or (_COPIES and _asks_for_locals(code)):
        return lambda frame: variable(frame, name)
    if not _COPIES or not code.co_flags & _OPTIMIZED:
        return lambda frame: frame.f_locals.get(name)

    def read(frame: FrameType) -> Any:
        held = frame.f_locals
        value = held.get(name)
        if sys.getrefcount(held) <= _REFERENCES:
            held.clear()
        return value

    return read


def _local(frame: FrameType, name: str) -> Any:
    code = frame.f_code
    if not _COPIES or not code.co_flags & _OPTIMIZED:
        return frame.f_locals.get(name)
    known = _asks.get(id(code))
    if known[1] if known is not None else _asks_for_locals(code):
        return None
    held = frame.f_locals
    value = held.get(name)
    if sys.getrefcount(held) <= _REFERENCES:
        held.clear()
    return value
