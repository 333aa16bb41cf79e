"""What stands in batches, whatever kind of thing a loader gives."""

from __future__ import annotations

from collections import OrderedDict, UserDict
from typing import Any, NamedTuple

import numpy as np
import pytest

from autotrack.contents import first_of, parts_of

ONE, OTHER = np.arange(3), np.arange(4)


class Pair(NamedTuple):
    x: Any
    y: Any


class Graph:
    def to_dict(self) -> dict[str, Any]:
        return {"x": ONE, "y": OTHER}


class Raising(Graph):
    def to_dict(self) -> dict[str, Any]:
        raise RuntimeError


class Shapeless:
    @property
    def shape(self) -> Any:
        raise RuntimeError


class Broken(UserDict):  # type: ignore[type-arg]
    def values(self) -> Any:
        raise RuntimeError


@pytest.mark.parametrize(
    ("batch", "parts"),
    [
        ((ONE, OTHER), [ONE, OTHER]),
        ([ONE], [ONE]),
        (Pair(ONE, OTHER), [ONE, OTHER]),
        ({"x": ONE, "y": OTHER}, [ONE, OTHER]),
        (UserDict(x=ONE, y=OTHER), [ONE, OTHER]),
        (Graph(), [ONE, OTHER]),
        (ONE, [ONE]),
        (Raising(), []),
        (Shapeless(), []),
        (Broken(), []),
        (7, []),
        (None, []),
    ],
)
def test_parts_are_what_a_batch_holds_itself(batch: Any, parts: list[Any]) -> None:
    found = parts_of(batch)
    assert [id(part) for part in found] == [id(part) for part in parts]


@pytest.mark.parametrize(
    "output",
    [ONE, (ONE, OTHER), [ONE], OrderedDict(logits=ONE, loss=OTHER), UserDict(x=(ONE, OTHER))],
)
def test_the_first_is_found_in_a_tuple_in_a_dictionary(output: Any) -> None:
    assert first_of(output) is ONE


def test_of_nothing_nothing_is_the_first() -> None:
    assert first_of(()) is first_of({}) is first_of(Broken()) is None
