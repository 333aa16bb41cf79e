"""Settings of a run: keyword argument over environment variable over `pyproject.toml`."""

from __future__ import annotations

import dataclasses
import difflib
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotrack.errors import UsageError

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True, slots=True)
class Config:
    """What a person may set; every field is a keyword of `track` and `tracking`.

    `logdir`: the run's directory; by default TensorBoard's `runs/<Mon DD_HH-MM-SS>_<host>`.
    `name`: the run's name, by default its directory's. `metrics`, `sinks`: which, by name;
    `"+name"` adds to the defaults. `histograms`: epochs (or hundreds of steps) between snapshots, 0
    for none. `include`, `exclude`: patterns of parameter names. `budget`: the most share of the
    loop's time that autotrack may take, once it has used `budget_after` seconds of its own: then
    gradient norms and snapshots become rarer as need be, None for never.
    `config`: hyperparameters to record. `criterion`: a loss function or module of your own, or
    several, to be seen in evaluation too. `epoch`, `phase`: the name of the variable that holds it,
    or a function that returns it, where autotrack does not find it. `ranks`: which of several
    processes that train together record, `"0"` for the first, `"all"` for each, in `rank<k>/` of
    `logdir`. `strict`: let autotrack's own failures raise.
    """

    logdir: Path | None = None
    name: str | None = None
    metrics: tuple[str, ...] | None = None
    sinks: tuple[str, ...] | None = None
    histograms: int = 1
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    budget: float | None = 0.05
    budget_after: float = 1.0
    config: Mapping[str, Any] = field(default_factory=dict)
    criterion: Any = None
    epoch: str | Callable[[], Any] | None = None
    phase: str | Callable[[], Any] | None = None
    ranks: str = "0"
    strict: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """Return the settings for `options`, filled up from the environment and `pyproject.toml`.

        Raises UsageError for an unknown option or a value that cannot work.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        for name in options:
            if name not in known:
                raise UsageError(_unknown(name, known))
        if options.get("logdir", "") is None:
            # Said aloud, but nothing said: a script passes on an argument that was not given.
            options = {name: value for name, value in options.items() if name != "logdir"}
        chosen = {**_from_pyproject(known), **_from_environment(known), **options}
        return cls(**{name: _checked(name, value) for name, value in chosen.items()})


def is_disabled() -> bool:
    """Whether `AUTOTRACK_DISABLED` makes everything inert."""
    return os.environ.get("AUTOTRACK_DISABLED", "").lower() not in _FALSE


def default_directory() -> Path:
    """Return TensorBoard's own default: `runs/<Mon DD_HH-MM-SS>_<host>`, relative."""
    return Path("runs") / f"{time.strftime('%b%d_%H-%M-%S')}_{socket.gethostname()}"


def _unknown(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"there is no option {name!r}{hint} Options: {', '.join(sorted(known))}."


def _from_environment(known: set[str]) -> dict[str, Any]:
    values = {
        name: os.environ.get(f"AUTOTRACK_{name.upper()}")
        for name in known - {"config", "criterion"}
    }
    return {name: value for name, value in values.items() if value is not None}


def _from_pyproject(known: set[str]) -> dict[str, Any]:
    """Return `[tool.autotrack]` of the nearest `pyproject.toml`, here or above."""
    here = Path.cwd()
    for directory in (here, *here.parents):
        path = directory / "pyproject.toml"
        if path.is_file():
            table = _tool_table(path)
            for name in table:
                if name not in known:
                    msg = f"{path}, [tool.autotrack]: {_unknown(name, known)}"
                    raise UsageError(msg)
            return table
    return {}


def _tool_table(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    if "tool.autotrack" not in text:
        return {}
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        table: dict[str, Any] = tomllib.loads(text).get("tool", {}).get("autotrack", {})
    except tomllib.TOMLDecodeError as error:
        msg = f"{path} is not valid TOML: {error}"
        raise UsageError(msg) from error
    return table


def _checked(name: str, value: Any) -> Any:
    try:
        return _CHECKS[name](value)
    except (TypeError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        msg = f"{name}={value!r} cannot work: {_EXPECTED[name]}."
        raise UsageError(msg) from error


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    names = tuple(value)
    if not all(isinstance(name, str) for name in names):
        raise TypeError
    return names


def _optional_names(value: Any) -> tuple[str, ...] | None:
    return None if value is None else _names(value)


def _path(value: Any) -> Path | None:
    return None if value is None else Path(value).expanduser()


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError
    return value


def _interval(value: Any) -> int:
    if isinstance(value, bool):
        return int(value)
    number = int(value)
    if number < 0 or number != float(value):
        raise ValueError
    return number


def _share(value: Any) -> float | None:
    if value is None or str(value).lower() == "none":
        return None
    number = float(value)
    if not number > 0:
        raise ValueError
    return number


def _seconds(value: Any) -> float:
    number = float(value)
    if not number >= 0:
        raise ValueError
    return number


def _mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        raise TypeError
    as_dict = (
        vars(value) if hasattr(value, "__dict__") and not isinstance(value, Mapping) else value
    )
    return {str(key): item for key, item in dict(as_dict).items()}


def _criteria(value: Any) -> tuple[Any, ...]:
    found = tuple(value) if isinstance(value, (list, tuple)) else () if value is None else (value,)
    if not all(callable(one) for one in found):
        raise TypeError
    return found


def _name_or_function(value: Any) -> Any:
    if not (value is None or isinstance(value, str) or callable(value)):
        raise TypeError
    return value


def _ranks(value: Any) -> str:
    if str(value) not in ("0", "all"):
        raise ValueError
    return str(value)


def _flag(value: Any) -> bool:
    if isinstance(value, str):
        if value.lower() not in _TRUE | _FALSE:
            raise ValueError
        return value.lower() in _TRUE
    return bool(value)


_CHECKS = {
    "logdir": _path,
    "name": _text,
    "metrics": _optional_names,
    "sinks": _optional_names,
    "histograms": _interval,
    "include": _names,
    "exclude": _names,
    "budget": _share,
    "budget_after": _seconds,
    "config": _mapping,
    "criterion": _criteria,
    "epoch": _name_or_function,
    "phase": _name_or_function,
    "ranks": _ranks,
    "strict": _flag,
}
_EXPECTED = {
    "logdir": "a path is expected",
    "name": "a string is expected",
    "metrics": "a list of metric names is expected",
    "sinks": "a list of sink names is expected",
    "histograms": "a whole number of epochs between snapshots is expected, 0 for none",
    "include": "a list of patterns of parameter names is expected",
    "exclude": "a list of patterns of parameter names is expected",
    "budget": "a share of the loop's time above 0 is expected, such as 0.05, or None",
    "budget_after": "a number of seconds is expected",
    "config": "a mapping of hyperparameters is expected",
    "criterion": "a function or module, or a list of them, is expected",
    "epoch": "the name of a variable, or a function that returns a number, is expected",
    "phase": "the name of a variable, or a function that returns a name, is expected",
    "ranks": '"0" or "all" is expected',
    "strict": "true or false is expected",
}
