"""What the record says of the run itself: its facts, at the start and once more at the end."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from autotrack import provenance
from autotrack._version import __version__
from autotrack.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

# Options of PyTorch's optimizers that change how a step is computed, not what it is.
_MEANS = frozenset(
    {"foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay", "maximize"}
)


def at_start() -> dict[str, Any]:
    """Return where the run comes from; a few files are read, no process is started."""
    git = provenance.commit_of(provenance.code_directory())
    return {**provenance.facts(), **({"git": git} if git else {})}


def at_end(said: Mapping[str, Any], error: BaseException | None) -> dict[str, Any]:
    """Return what only the end knows: when it was, whether an exception was it, and changed files.

    Changed files are those of the commit that the record began with; later ones say nothing of it.
    """
    known: dict[str, Any] = {"ended": time.time()}
    if error is not None:
        known["error"] = type(error).__name__
    directory = provenance.code_directory()
    git = said.get("git")
    if git and provenance.commit_of(directory) == git:
        dirty = provenance.is_dirty(directory)
        if dirty is not None:
            known["git"] = {**git, "dirty": dirty}
    return known


def first_record(
    facts: Mapping[str, Any],
    config: Mapping[str, Any],
    streams: list[str],
    options: Mapping[str, Any],
) -> Record:
    """Return the record that opens a run: hidden JSON of its facts, text, and hyperparameters."""
    everything = {
        **facts,
        "version": __version__,
        "streams": streams,
        "config": _plain(config),
        "options": _plain(options),
    }
    record = Record(0, float(facts["started"]))
    record.hidden.append(("autotrack/run", as_json(everything)))
    if config:
        lines = ["| hyperparameter | value |", "| --- | --- |"]
        lines += [f"| {_cell(name)} | {_cell(value)} |" for name, value in config.items()]
        record.texts.append(("config", "\n".join(lines)))
    settings = {**_of_optimizers(facts.get("optimizers") or []), **config}
    record.hyperparameters.update({str(n): _scalar(v) for n, v in settings.items()})
    return record


def _of_optimizers(optimizers: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a person chose when making the optimizers; how they compute is left out."""
    settings: dict[str, Any] = {}
    for optimizer in optimizers:
        prefix = f"{optimizer['stream']}." if len(optimizers) > 1 else ""
        settings[f"{prefix}optimizer"] = optimizer["class"]
        chosen = {
            name: value for name, value in optimizer["defaults"].items() if name not in _MEANS
        }
        settings.update({f"{prefix}{name}": value for name, value in chosen.items()})
    return settings


def as_json(facts: Mapping[str, Any]) -> str:
    """Return facts as the record keeps them."""
    return json.dumps(facts, default=str)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(name): value
        if isinstance(value, (bool, int, float, str, list, type(None)))
        else str(value)
        for name, value in values.items()
    }


def _scalar(value: Any) -> bool | float | str:
    if isinstance(value, bool):
        return value
    return float(value) if isinstance(value, (int, float)) else str(value)


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
