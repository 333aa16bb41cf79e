"""The first record of a run: its facts, and the hyperparameters in TensorBoard's own form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from autotrack._version import __version__
from autotrack.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    record.hidden.append(("autotrack/run", json.dumps(everything, default=str)))
    if config:
        lines = ["| hyperparameter | value |", "| --- | --- |"]
        lines += [f"| {_cell(name)} | {_cell(value)} |" for name, value in config.items()]
        record.texts.append(("config", "\n".join(lines)))
        record.hyperparameters.update({str(n): _scalar(v) for n, v in config.items()})
    return record


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
