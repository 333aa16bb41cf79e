"""The rules of the house, each a function from source text to a list of complaints."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "autotrack"


@dataclass(frozen=True)
class Module:
    """One source file; `name` is dotted, without the leading `autotrack.`."""

    name: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The file or folder directly inside the package."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Import:
    """`target` is a full dotted name; `typing_only` stands under `if TYPE_CHECKING`."""

    target: str
    line: int
    typing_only: bool


def read_package(folder: Path = PACKAGE) -> list[Module]:
    """Every source file below `folder`."""
    return [
        Module(module_name(path.relative_to(folder)), ast.parse(path.read_text("utf-8")))
        for path in sorted(folder.rglob("*.py"))
    ]


def module_name(path: Path) -> str:
    """`metrics/loss.py` is `metrics.loss`; a folder's own file has the folder's name."""
    parts = path.with_suffix("").parts
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)


# -- imports -------------------------------------------------------------------------------------


def imports(tree: ast.AST, *, typing_only: bool = False) -> Iterator[Import]:
    """Every import in the tree, also those inside functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, typing_only)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", node.lineno, typing_only)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for part in node.body:
                yield from imports(ast.Module([part], []), typing_only=True)
            for part in node.orelse:
                yield from imports(ast.Module([part], []), typing_only=typing_only)
        else:
            yield from imports(node, typing_only=typing_only)


def own_target(target: str, known: set[str]) -> str | None:
    """The module of the package that a dotted name comes from, or None for other packages."""
    parts = target.split(".")
    if parts[0] != "autotrack":
        return None
    for end in range(len(parts), 1, -1):
        if ".".join(parts[1:end]) in known:
            return ".".join(parts[1:end])
    return "__init__"


def wrong_directions(
    modules: list[Module], rooms: dict[str, str], allowed: dict[str, set[str]]
) -> list[str]:
    """Imports from a floor into one that it may not know, and files that stand on no floor."""
    known = {module.name for module in modules}
    complaints = [
        f"{m.name}: say in the floor plan where it stands" for m in modules if m.room not in rooms
    ]
    for module in modules:
        here = rooms.get(module.room)
        for found in imports(module.tree):
            target = own_target(found.target, known)
            if target is None or here is None:
                continue
            there = rooms.get(target.partition(".")[0])
            if there is not None and there != here and there not in allowed[here]:
                complaints.append(f"{module.name}:{found.line}: {here} imports {target} ({there})")
    return complaints


def relative_imports(module: Module) -> list[str]:
    """Imports whose target depends on where the file stands."""
    return [
        f"{module.name}:{found.line}: {found.target}"
        for found in imports(module.tree)
        if found.target.startswith(".")
    ]


def cycles(modules: list[Module]) -> list[list[str]]:
    """Groups of modules that import each other when they run, each from its first name on."""
    known = {module.name for module in modules}
    graph: dict[str, set[str]] = {}
    for module in modules:
        targets = (own_target(i.target, known) for i in imports(module.tree) if not i.typing_only)
        graph[module.name] = {t for t in targets if t in known and t != module.name}
    return [path for name in sorted(graph) if (path := way_back(graph, name)) and name == min(path)]


def way_back(graph: dict[str, set[str]], start: str) -> list[str] | None:
    """The shortest path from `start` to itself, or None."""
    paths = [[start]]
    seen: set[str] = set()
    while paths:
        path = paths.pop(0)
        for target in sorted(graph.get(path[-1], ())):
            if target == start:
                return path
            if target not in seen:
                seen.add(target)
                paths.append([*path, target])
    return None


def imports_of(modules: list[Module], package: str) -> list[str]:
    """Imports of `package`, also those for types only and inside functions."""
    return [
        f"{module.name}:{found.line}"
        for module in modules
        for found in imports(module.tree)
        if found.target.partition(".")[0] == package
    ]


# -- foreign attributes --------------------------------------------------------------------------


def foreign_writes(module: Module) -> list[str]:
    """Places that write (or delete) an attribute of something this package does not own.

    Foreign is what was imported, a builtin, a parameter annotated with an imported class of another
    package, and whatever `setattr`, `delattr`, `vars()` and `__dict__` are used on, except `self`.
    """
    names = foreign_names(module.tree)
    complaints = []
    for scope in scopes(module.tree):
        # a parameter hides an imported name
        hidden = {parameter.arg for parameter in parameters(scope)}
        foreign = (names - hidden) | foreign_parameters(scope)
        own = {"self", *made_here(scope)}
        complaints += [
            f"{module.name}:{line}: {text}" for line, text in writes(scope, foreign, own)
        ]
    return complaints


def foreign_names(tree: ast.AST) -> set[str]:
    """Names that imports bind anywhere in the file, and Python's builtins."""
    bound = set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            bound |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return bound


def scopes(tree: ast.Module) -> list[ast.AST]:
    """The file itself and every function in it."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return [tree, *(node for node in ast.walk(tree) if isinstance(node, functions))]


def parameters(scope: ast.AST) -> list[ast.arg]:
    """A function's parameters; none for the file."""
    a = getattr(scope, "args", ast.arguments([], [], None, [], [], None, []))
    return [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]


def foreign_parameters(scope: ast.AST) -> set[str]:
    """Parameters whose annotation names a class of PyTorch."""
    marks = {"nn", "torch", "Tensor", "Module", "Optimizer", "DataLoader", "GradScaler"}
    return {
        parameter.arg
        for parameter in parameters(scope)
        if parameter.annotation is not None and marks & words(parameter.annotation)
    }


def words(annotation: ast.expr) -> set[str]:
    """All names in an annotation, also in one that is written as text."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    return {n.id for n in ast.walk(annotation) if isinstance(n, ast.Name)} | {
        n.attr for n in ast.walk(annotation) if isinstance(n, ast.Attribute)
    }


def made_here(scope: ast.AST) -> set[str]:
    """Local names of objects that were made bare, by `__new__`, in this very scope."""
    return {
        target.id
        for node in own_nodes(scope)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if ast.unparse(node.value.func).endswith(".__new__")
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def writes(scope: ast.AST, foreign: set[str], own: set[str]) -> Iterator[tuple[int, str]]:
    """Writes to foreign attributes directly in this scope."""
    for node in own_nodes(scope):
        targets: list[ast.expr] = []
        if isinstance(node, (ast.Assign, ast.Delete)):
            targets = list(node.targets)
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
            targets = [node.target]
        elif isinstance(node, ast.Call) and writes_by_call(node, own):
            yield node.lineno, ast.unparse(node)
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, (ast.Attribute, ast.Subscript)) and is_foreign(part, foreign):
                    yield node.lineno, ast.unparse(node)
                    break


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope without those of the functions inside it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield child
            yield from own_nodes(child)


def is_foreign(target: ast.Attribute | ast.Subscript, foreign: set[str]) -> bool:
    """Whether storing into `target` changes something foreign."""
    if not isinstance(target.ctx, (ast.Store, ast.Del)):
        return False
    node: ast.expr = target
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
        if isinstance(node, ast.Attribute) and node.attr == "__dict__":
            return True
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in {"vars", "type"}
    return isinstance(node, ast.Name) and node.id in foreign


def writes_by_call(call: ast.Call, own: set[str]) -> bool:
    """Whether a call is a write in disguise: setattr, vars(x).update, patches of wrapt."""
    function = ast.unparse(call.func)
    owner = ast.unparse(call.args[0]) if call.args else ""
    if function in {"setattr", "delattr"}:
        return owner not in own
    if function.endswith((".__setattr__", ".__delattr__")):
        return owner not in own
    if function.endswith(("__dict__.update", "__dict__.setdefault", "__dict__.pop")):
        return True
    if function.startswith("vars("):
        looks = function.endswith((".get", ".items", ".keys", ".values", ".copy"))
        return not looks and function.partition("(")[2].partition(")")[0] not in own
    return function.rpartition(".")[2] in {"wrap_function_wrapper", "apply_patch", "patch_object"}


# -- except, device copies, names ----------------------------------------------------------------


def broad_excepts(module: Module) -> list[str]:
    """`except:` and handlers (or `suppress`) of Exception and BaseException that stop it there."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            if hands_on(node):
                continue
            caught = words(node.type) if node.type is not None else {"BaseException"}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            caught = {word for argument in node.args for word in words(argument)}
        else:
            continue
        if caught & {"Exception", "BaseException"}:
            found.append(f"{module.name}:{node.lineno}")
    return found


def hands_on(handler: ast.ExceptHandler) -> bool:
    """Whether a handler lets the exception go on: raised again, or thrown into a generator."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return True
    return handler.name is not None and any(
        isinstance(node, ast.Attribute) and node.attr in {"throw", "athrow"}
        for node in ast.walk(last)
    )


def device_copies(module: Module) -> list[str]:
    """Calls that bring a tensor's values to Python and so may wait for a device."""
    return [
        f"{module.name}:{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"item", "tolist", "cpu", "numpy", "synchronize"}
    ]


def vague_names(paths: list[Path]) -> list[str]:
    """Files whose name says nothing about what is in them."""
    vague = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
    return [str(path) for path in paths if path.stem.strip("_") in vague]
