"""JSON that every reader takes: numbers that JSON lacks are written as text."""

from __future__ import annotations

import json
import math
from typing import Any


def dumps(value: Any, indent: int | None = None) -> str:
    """Return `value` as JSON; NaN and infinities become "NaN", "Infinity" and "-Infinity".

    These are the spellings of protobuf's JSON mapping
    (https://protobuf.dev/programming-guides/json/). What JSON has no form for becomes its `str`.
    """
    return json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False, default=str)


def plain(value: Any) -> Any:
    """Return `value` with its non-finite numbers, at any depth, as text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else _name(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def _name(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
