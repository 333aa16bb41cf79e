"""Reads the loops around a call site from its source, once a site.

A site is a chain of lines. For each line the enclosing `for` and `while` statements (and
comprehensions) are found in the source; one of them is chosen as the epoch loop, and from then on
only its variable is read.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import linecache
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from autotrack import frames, loopend
from autotrack.guard import Guard, attempt
from autotrack.stated import Stated

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from autotrack.frames import Line

_EPOCH = re.compile(
    r"(?:^|_)(?:epochs?|ep)(?:_?(?:i|id|idx|index|n|no|nr|num|number|count|\d+))?$", re.IGNORECASE
)
# Python 3.11's parser of syntax trees fails now and then when two threads use it ("AST constructor
# recursion depth mismatch"), which would leave a loop without its epochs.
_reading = threading.Lock()
_SUSPENDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_SAYS_EPOCH = re.compile(r"epoch", re.IGNORECASE)
_LOADER = re.compile(
    r"load|(?:^|_)(?:dl|data|dataset|batches|iterator|iter)(?:_|\d*$)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Loop:
    """One loop in the source: where it stands, what it assigns, what it runs over."""

    code: CodeType
    line: int
    last_line: int
    targets: tuple[str, ...]
    over: tuple[str, ...]
    assigned: frozenset[str]
    counts: bool
    over_epochs: bool = False
    single: str = ""
    bounds: tuple[ast.expr, ...] = ()

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells this loop from every other."""
        return (self.code.co_filename, self.code.co_name, self.line)

    def mentions(self, name: str | None) -> bool:
        """Whether a name stands anywhere in the lines of this loop."""
        if name is None:
            return False
        lines = _source_lines(self.code)[self.line - 1 : self.last_line]
        return any(re.search(rf"\b{re.escape(name)}\b", line) for line in lines)

    @property
    def suspends(self) -> bool:
        """Whether the loop stands in a generator or coroutine: two may be under way at once."""
        return bool(self.code.co_flags & _SUSPENDS)

    @property
    def is_epoch_named(self) -> bool:
        """Whether the loop variable, or what it runs over, is called an epoch."""
        return self.over_epochs or any(_EPOCH.search(_last(name)) for name in self.targets)

    @property
    def epoch_variable(self) -> str:
        """The name to read: the target that is called an epoch, else the first."""
        for name in self.targets:
            if _EPOCH.search(_last(name)):
                return name
        return self.targets[0] if self.targets else ""


class Shown(NamedTuple):
    """An epoch number as a loop shows it; `own` where the loop may be one of several under way."""

    loop: object
    number: int
    own: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Site:
    """What is known of one chain of lines; `loops` go from the innermost outwards.

    `depths` says for each loop how many of the person's frames lie inside the one it stands in.
    """

    lines: tuple[Line, ...]
    loops: list[Loop] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    epoch: tuple[Loop, int] | None = None
    decided: bool = False
    # Whether the source of every line is known, and so whether it stands in a loop.
    is_readable: bool = True
    # Of the epoch loop: the variable to read, what tells the loop from others, `suspends`.
    shows: tuple[str, object, bool] = ("", None, False)
    split_names: dict[int, list[tuple[str, object]]] | None = None
    #: What the capture has learned of the place.
    learned: Any = None

    def shares_loop(self, other: Site) -> bool:
        """Whether one and the same loop goes around both places."""
        return not self._around().isdisjoint(other._around())

    def _around(self) -> set[tuple[int, ...]]:
        # A function's loop is another one where the function is called from elsewhere, and so is
        # that of a notebook's cell which runs once more: by identity, it is other code.
        outwards = [number for code, line in self.lines for number in (id(code), line)]
        loops = zip(self.loops, self.depths, strict=True)
        return {(loop.line, id(loop.code), *outwards[2 * depth + 2 :]) for loop, depth in loops}


class LoopScope:
    """Finds and remembers the loops around call sites.

    `boundary` is the `id` of the frame that opened the run, `opened_at` its line: loops around the
    run are not part of it.
    """

    def __init__(
        self,
        boundary: int | None = None,
        opened_at: Line | None = None,
        stated: Stated | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._guard = guard or Guard()
        self.boundary = boundary
        self.stated = stated or Stated()
        self._opened_at = opened_at
        self._sites: dict[tuple[int, ...], Site] = {}
        self._loops: dict[int, list[Loop]] = {}
        self._unreadable: set[int] = set()
        self._names: dict[tuple[int, int], tuple[tuple[str, ...], tuple[str, ...]]] = {}

    def site(self) -> Site:
        """Return the site of the person's code that is running now."""
        key = frames.call_chain(self.boundary)[0]
        return self._sites.get(key) or self._new(key)

    def _new(self, key: tuple[int, ...]) -> Site:
        site = self._sites[key] = self._read(frames.lines(self.boundary))
        return site

    def site_in_epoch(self, *, loader_based: bool) -> tuple[Site, Shown | None]:
        """Return the site that is running now, and what its epoch loop shows."""
        key, own = frames.call_chain(self.boundary)
        site = self._sites.get(key) or self._new(key)
        if not site.decided:
            site.epoch = epoch_loop(site, loader_based=loader_based)
            site.decided = True
            if site.epoch is not None:
                loop = site.epoch[0]
                site.shows = (loop.epoch_variable, loop.key, loop.suspends)
        if site.epoch is None:
            return site, None
        name, loop_key, suspends = site.shows
        number = frames.variable(own[site.epoch[1]], name)
        return site, Shown(loop_key, number, suspends) if type(number) is int else None

    def number_here(self, site: Site, loop: Loop) -> int | None:
        """Return what the variable of `loop` holds now, if `site` stands inside that loop."""
        for around, depth in zip(site.loops, site.depths, strict=True):
            if around.key == loop.key:
                return self._number(depth, loop.epoch_variable)
        return None

    def remaining(self, site: Site, loop: Loop) -> int | None:
        """Return how many rounds of `loop` follow this one; None where that cannot be told.

        A loop inside another is repeated, so nothing is said of it.
        """
        if not site.loops or site.loops[-1].key != loop.key:
            return None
        number = self.number_here(site, loop)
        frame = self._frame(site.depths[-1])
        if number is None or frame is None:
            return None
        last = self._guard.call("loops", loopend.last_number, loop.bounds, frame)
        return last - number if last is not None and last >= number else None

    def names_at(self, code: CodeType, line: int) -> tuple[str, ...]:
        """Return the names on a line in the order in which they tell what it is about.

        Arguments of calls first, then assignment targets; `functions_at` are the functions called.
        """
        return self._on_line(code, line)[0]

    def functions_at(self, code: CodeType, line: int) -> tuple[str, ...]:
        """Return the names of the functions that a line calls."""
        return self._on_line(code, line)[1]

    def _on_line(self, code: CodeType, line: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        key = (id(code), line)
        if key not in self._names:
            with _reading:
                found = self._guard.call("loops", _names_on_line, code, line)
                self._names[key] = found or ((), ())
        return self._names[key]

    def _number(self, depth: int, name: str) -> int | None:
        frame = self._frame(depth)
        value = None if frame is None else frames.variable(frame, name)
        return value if type(value) is int else None

    def _frame(self, depth: int) -> FrameType | None:
        persons = frames.person_frames(self.boundary)
        return next(itertools.islice(persons, depth, None), None)

    def _read(self, lines: tuple[Line, ...]) -> Site:
        site = Site(lines)
        for depth, (code, line) in enumerate(lines):
            loops = self._around(code, line)
            site.is_readable = site.is_readable and id(code) not in self._unreadable
            for loop in loops:
                site.loops.append(loop)
                site.depths.append(depth)
        return site

    def _around(self, code: CodeType, line: int) -> list[Loop]:
        """Return the loops around `line`, innermost first, those around the run left out."""
        outside = self._opened_at
        found = [
            loop
            for loop in self._loops_of(code)
            if loop.line <= line <= loop.last_line
            and not (outside and outside[0] is code and loop.line <= outside[1] <= loop.last_line)
        ]
        return sorted(found, key=lambda loop: -loop.line)

    def _loops_of(self, code: CodeType) -> list[Loop]:
        if id(code) not in self._loops:
            with _reading:
                loops = self._guard.call("loops", _parse, code)
            if loops is None:
                self._unreadable.add(id(code))
            self._loops[id(code)] = loops or []
        return self._loops[id(code)]


def _tree(source: str) -> ast.Module | None:
    """Return the syntax tree of a source; tried again where another thread was in the way.

    None where it is no Python any more, or too deep: edited while it runs, or generated.
    """
    for _ in range(2):
        try:
            return ast.parse(source)
        except SystemError:
            continue
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            break
    return None


def _parse(code: CodeType) -> list[Loop] | None:
    """Return the loops of a code object; None where its source is not to be had."""
    source = "".join(_source_lines(code))
    tree = _tree(source) if source else None
    scope = None if tree is None else _scope_of(tree, code)
    if scope is None:
        return None
    return [_loop(code, node) for node in _own_nodes(scope) if isinstance(node, _LOOPS)]


_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS: dict[str, type[ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp]] = {
    "<listcomp>": ast.ListComp,
    "<genexpr>": ast.GeneratorExp,
    "<setcomp>": ast.SetComp,
    "<dictcomp>": ast.DictComp,
}


def _source_lines(code: CodeType) -> list[str]:
    lines = linecache.getlines(code.co_filename)
    return lines or attempt(lambda: inspect.findsource(code)[0]) or []


def _scope_of(tree: ast.Module, code: CodeType) -> ast.AST | None:
    """Return the node whose body `code` was compiled from."""
    if code.co_name == "<module>":
        return tree
    wanted = _COMPREHENSIONS.get(code.co_name)
    line = code.co_firstlineno
    for node in ast.walk(tree):
        if wanted is not None:
            if isinstance(node, wanted) and node.lineno <= line <= (node.end_lineno or node.lineno):
                return node
        elif isinstance(node, _SCOPES) and _is_from(code, node):
            return node
    # A class body or a notebook cell wrapped by the shell: its loops stand at module level.
    return tree if wanted is None else None


def _is_from(code: CodeType, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    if getattr(node, "name", "<lambda>") != code.co_name:
        return False
    decorators = getattr(node, "decorator_list", [])
    return code.co_firstlineno in (node.lineno, min([d.lineno for d in decorators] + [node.lineno]))


def _own_nodes(scope: ast.AST) -> list[ast.AST]:
    """Return the nodes of a scope without those of functions nested in it."""
    nodes: list[ast.AST] = []
    waiting = (
        [scope]
        if isinstance(scope, tuple(_COMPREHENSIONS.values()))
        else list(ast.iter_child_nodes(scope))
    )
    while waiting:
        node = waiting.pop()
        if isinstance(node, _SCOPES) or (
            isinstance(node, ast.ClassDef) and not isinstance(scope, ast.Module)
        ):
            continue
        nodes.append(node)
        waiting.extend(ast.iter_child_nodes(node))
    return nodes


def _names_on_line(code: CodeType, line: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    tree = _tree("".join(_source_lines(code)))
    scope = None if tree is None else _scope_of(tree, code)
    if scope is None:
        return (), ()
    statements = [
        n
        for n in _own_nodes(scope)
        if isinstance(n, ast.stmt)
        and not hasattr(n, "body")
        and n.lineno <= line <= (n.end_lineno or n.lineno)
    ]
    arguments: list[str] = []
    targets: list[str] = []
    functions: list[str] = []
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and _without_mode(node) is node:
                functions.append(_names(node.func))
                for argument in (*node.args, *(k.value for k in node.keywords)):
                    arguments += _named_in(argument)
            elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
                targets.append(_names(node))
    return (*arguments, *targets), tuple(functions)


def _loop(code: CodeType, node: ast.AST) -> Loop:
    assert isinstance(node, _LOOPS)
    body = frozenset(
        _names(n)
        for n in ast.walk(node)
        if isinstance(n, (ast.Name, ast.Attribute)) and isinstance(n.ctx, ast.Store)
    )
    if isinstance(node, ast.While):
        compared = tuple(_named_in(node.test))
        counted = tuple(sorted(n for n in body if _EPOCH.search(_last(n))))
        targets = counted or tuple(n for n in compared if n in body)
        return Loop(
            code,
            node.lineno,
            node.end_lineno or node.lineno,
            targets,
            compared,
            body,
            counts=bool(targets),
            over_epochs=_says_epochs(node.test),
        )
    targets = tuple(_named_in(node.target))
    over = tuple(_named_in(node.iter))
    single = targets[0] if isinstance(node.target, (ast.Name, ast.Attribute)) else ""
    return Loop(
        code,
        node.lineno,
        node.end_lineno or node.lineno,
        targets,
        over,
        body,
        counts=_counts(node.iter),
        over_epochs=_says_epochs(node.iter),
        single=single,
        bounds=loopend.bounds(node.iter),
    )


def _says_epochs(node: ast.AST) -> bool:
    """Whether what is run over is called epochs, and not `epochs * batches_per_epoch` of others."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div, ast.FloorDiv)):
        factors = [side for side in (node.left, node.right) if not isinstance(side, ast.Constant)]
        return len(factors) == 1 and _says_epochs(factors[0])
    if isinstance(node, (ast.Name, ast.Attribute)):
        return bool(_SAYS_EPOCH.search(_last(_names(node))))
    return any(_says_epochs(part) for part in ast.iter_child_nodes(node))


def _counts(iterable: ast.expr) -> bool:
    """Whether a loop runs over `range`, `trange` or `count`, possibly in a progress bar."""
    calls = [n for n in ast.walk(iterable) if isinstance(n, ast.Call)]
    names = {_names(call.func).rpartition(".")[2] for call in calls}
    return bool(names & {"range", "trange", "count"})


def _named_in(node: ast.AST) -> list[str]:
    found: list[str] = []
    waiting: list[ast.AST] = [node]
    while waiting:
        part = _without_mode(waiting.pop(0))
        if isinstance(part, (ast.Name, ast.Attribute)):
            found.append(_names(part))
        else:
            waiting.extend(ast.iter_child_nodes(part))
    return found


def _without_mode(node: ast.AST) -> ast.AST:
    """Return the model of `model.eval()` or `model.train()`, a mode being no phase; else `node`."""
    if not isinstance(node, ast.Call) or node.args or node.keywords:
        return node
    called = node.func
    switches = isinstance(called, ast.Attribute) and called.attr in ("eval", "train")
    return called.value if switches else node  # type: ignore[attr-defined]


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _names(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_names(node.value)}.{node.attr}"
    return ""


def epoch_loop(site: Site, *, loader_based: bool) -> tuple[Loop, int] | None:
    """Choose the epoch loop among the loops around a training step, with its depth, or None.

    A loop whose variable or range is called an epoch wins, the outermost if there are several.
    Else, where batches come from a loader, it is the outermost loop around the loop over the loader
    that repeats that loader rather than making a new one.
    """
    around = list(zip(site.loops, site.depths, strict=True))
    named = [pair for pair in around if pair[0].is_epoch_named and pair[0].targets]
    if named:
        return named[-1]
    batches = next((i for i, loop in enumerate(site.loops) if _runs_over_loader(loop)), None)
    if not loader_based or batches is None:
        return None
    inner = site.loops[batches]
    sources = {name.partition(".")[0] for name in inner.over}
    outer = [
        (loop, depth)
        for loop, depth in around[batches + 1 :]
        if loop.counts
        and loop.targets
        and loop.epoch_variable not in inner.assigned
        and not (loop.code is inner.code and sources & loop.assigned)
    ]
    return outer[-1] if outer else None


def _runs_over_loader(loop: Loop) -> bool:
    return any(_LOADER.search(part) for name in loop.over for part in name.split("."))
