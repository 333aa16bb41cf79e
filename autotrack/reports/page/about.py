"""What the page says of the run itself: settings, models, software, cost; each a small table."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from autotrack.reports.scales import number, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autotrack.history import History

_MOST_ROWS = 400


@dataclass(frozen=True)
class Model:
    """A model with its parameters (name, shape, type, number, note); `left_out` are not listed."""

    name: str
    kind: str
    parameters: list[tuple[str, str, str, str, str]]
    total: str
    trainable: str
    left_out: int


@dataclass(frozen=True)
class About:
    """Tables of (name, value); empty ones are not shown."""

    config: list[tuple[str, str]]
    optimizers: list[tuple[str, list[tuple[str, str]]]]
    models: list[Model]
    software: list[tuple[str, str]]
    options: list[tuple[str, str]]
    cost: list[tuple[str, str]]
    parts: list[tuple[str, str]] = field(default_factory=list)


def about(history: History) -> About:
    """All that is known of a run."""
    run = history.run
    cost = cost_of(history)
    parts = sorted((cost.get("parts") or {}).items(), key=lambda part: -part[1])
    return About(
        config=_rows(_mapping(run.get("config"))),
        optimizers=[_optimizer(optimizer) for optimizer in run.get("optimizers") or []],
        models=[_model(model, len(history.streams) > 1) for model in run.get("models") or []],
        software=_software(history),
        options=_rows(_mapping(run.get("options"))),
        cost=_cost(cost),
        parts=[(str(name), seconds(value)) for name, value in parts],
    )


def cost_of(history: History) -> dict[str, Any]:
    """What the record says of the time that tracking took."""
    found = getattr(history, "cost", None)
    return found if isinstance(found, dict) else {}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(name), said(value)) for name, value in values.items()]


def said(value: Any) -> str:
    """A setting in words."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(said(item) for item in value) or "—"
    return f"{value:g}" if isinstance(value, float) else str(value)


def seconds(value: float) -> str:
    """A duration in words: `1 h 12 min`, `4 min 3 s`, `12.3 s`, `45 ms`."""
    if not math.isfinite(value):
        return "—"
    if 0 < value < 1:
        return f"{number(1000 * value)} ms"
    if value < 60:
        return f"{number(value)} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{whole(hours)} h {minutes} min"


def date(unix: float) -> str:
    """A moment in the reader's own time zone."""
    moment = datetime.fromtimestamp(unix, tz=timezone.utc).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M")


def _optimizer(optimizer: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    stream = str(optimizer.get("stream") or "")
    kind = str(optimizer.get("class") or "optimizer")
    rows = _rows(_mapping(optimizer.get("defaults")))
    groups = optimizer.get("groups")
    if groups is not None:
        rows.append(("parameter groups", str(groups)))
    return (f"{kind} ({stream})" if stream else kind), rows


def _model(model: dict[str, Any], several: bool) -> Model:  # noqa: FBT001 - private
    parameters = model.get("parameters") or []
    sizes = [math.prod(p.get("shape") or [1]) for p in parameters]
    trainable = [s for s, p in zip(sizes, parameters, strict=True) if p.get("trainable", True)]
    rows = [
        (
            str(p.get("name")),
            " × ".join(map(str, p.get("shape") or [])) or "scalar",
            str(p.get("dtype", "")),
            whole(size),
            _note(p, several=several),
        )
        for p, size in zip(parameters[:_MOST_ROWS], sizes, strict=False)
    ]
    return Model(
        name=str(model.get("name", "model")),
        kind=str(model.get("class", "")),
        parameters=rows,
        total=whole(sum(sizes)),
        trainable=whole(sum(trainable)),
        left_out=max(len(parameters) - _MOST_ROWS, 0),
    )


def _note(parameter: dict[str, Any], *, several: bool) -> str:
    notes = [] if parameter.get("trainable", True) else ["frozen"]
    holder = parameter.get("optimizer", "")
    if holder is None:
        notes.append("in no optimizer")
    elif several and holder:
        notes.append(f"in {holder}")
    return ", ".join(notes)


def _software(history: History) -> list[tuple[str, str]]:
    run = history.run
    rows = [
        ("command", run.get("command") or " ".join(map(str, run.get("argv") or []))),
        ("code", _commit(_mapping(run.get("git")))),
        ("device", run.get("device")),
        ("host", run.get("host")),
        ("record", str(history.directory)),
    ]
    packages = _mapping(run.get("packages"))
    packages = packages or {key: run[key] for key in ("python", "torch") if key in run}
    return [(name, str(value)) for name, value in [*rows, *packages.items()] if value]


def _commit(git: dict[str, Any]) -> str:
    if not git.get("commit"):
        return ""
    branch = f" on {git['branch']}" if git.get("branch") else ""
    changed = {True: ", with changed files", False: ", without changes"}
    return f"commit {git['commit']}{branch}{changed.get(git.get('dirty'), '')}"  # type: ignore[arg-type]


def _cost(cost: dict[str, Any]) -> list[tuple[str, str]]:
    rows = []
    if isinstance(cost.get("share"), (int, float)):
        rows.append(("share of the loop's time", f"{number(100 * cost['share'], 2)} %"))
    for key, words in (("seconds", "spent by autotrack"), ("loop_seconds", "the loop took")):
        if isinstance(cost.get(key), (int, float)):
            rows.append((words, seconds(float(cost[key]))))
    return rows
