"""Events of nothing but numbers, as nearly all are, put into bytes without protobuf's objects.

The bytes are those that protobuf writes for the same `Event` (event.proto, summary.proto,
tensor.proto and tensor_shape.proto of TensorFlow): `wall_time` is field 1, `step` 2 and `summary`
5; in the summary each `value` is field 1, in which `tag` is field 1 and `simple_value` field 2. A
hidden array is a `tensor` (8) with its `dtype` (1), `tensor_shape` (2) of a `dim` (2) with `size`
(1) for each dimension, and `tensor_content` (4), then `metadata` (9) whose `plugin_data` (1) has
the `plugin_name` (1).
"""

from __future__ import annotations

import math
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: The plugin of what only autotrack's own reader looks at.
HIDDEN_PLUGIN = "autotrack"

_WALL_TIME = b"\x09"
_STEP = b"\x10"
_SUMMARY = b"\x2a"
_VALUE = _TAG = b"\x0a"
_SIMPLE_VALUE = b"\x15"
_TENSOR = b"\x42"
# DT_INT64 of types.proto.
_DTYPE = b"\x08\x09"
_SHAPE = _DIM = b"\x12"
_SIZE = b"\x08"
_CONTENT = b"\x22"
_METADATA = b"\x4a"
_PLUGIN_DATA = _PLUGIN_NAME = b"\x0a"
_DOUBLE = struct.Struct("<d").pack
_FLOAT = struct.Struct("<f").pack
_NEGATIVE = 1 << 64


def encode(
    step: int,
    time: float,
    scalars: list[tuple[str, float]],
    hidden: Sequence[tuple[str, Any]] = (),
) -> bytes:
    """Return the message of one event; `scalars` are rounded to float32, `hidden` are int64."""
    try:
        values = b"".join([until_number(tag) + _FLOAT(number) for tag, number in scalars])
    except OverflowError:
        values = b"".join([until_number(tag) + _FLOAT(_single(n)) for tag, n in scalars])
    for tag, numbers in hidden:
        before, after = around_numbers(tag, np.shape(numbers))
        values += before + _content(numbers) + after
    place = _STEP + varint(step) if step else b""
    return b"".join((_WALL_TIME, _DOUBLE(time), place, _SUMMARY, varint(len(values)), values))


@lru_cache(4096)
def until_number(tag: str) -> bytes:
    """Return what comes before the four bytes of a tag's number."""
    text = tag.encode()
    head = (_TAG + varint(len(text)) + text if text else b"") + _SIMPLE_VALUE
    return _VALUE + varint(len(head) + 4) + head


@lru_cache(4096)
def around_numbers(tag: str, shape: tuple[int, ...]) -> tuple[bytes, bytes]:
    """Return what comes before and after the bytes of a hidden int64 array of this shape."""
    dims = b"".join([_field(_DIM, _SIZE + varint(size) if size else b"") for size in shape])
    size = 8 * math.prod(shape)
    head = _DTYPE + _field(_SHAPE, dims) + (_CONTENT + varint(size) if size else b"")
    text = tag.encode()
    before = (_field(_TAG, text) if text else b"") + _TENSOR + varint(len(head) + size) + head
    plugin = _field(_PLUGIN_NAME, HIDDEN_PLUGIN.encode())
    after = _field(_METADATA, _field(_PLUGIN_DATA, plugin))
    return _VALUE + varint(len(before) + size + len(after)) + before, after


def _field(key: bytes, content: bytes) -> bytes:
    return key + varint(len(content)) + content


def _content(numbers: int | NDArray[np.int64]) -> bytes:
    return np.asarray(numbers).astype("<i8", copy=False).tobytes()


def _single(number: float) -> float:
    """Return a number that float32 can hold: infinity in place of what is too large for it."""
    try:
        _FLOAT(number)
    except OverflowError:
        return math.copysign(math.inf, number)
    return number


def varint(number: int) -> bytes:
    """Return seven bits a byte, the lowest first; negative numbers in two's complement."""
    left = int(number) if number >= 0 else int(number) + _NEGATIVE
    found = bytearray()
    while left > 0x7F:  # noqa: PLR2004 - seven bits
        found.append(left & 0x7F | 0x80)
        left >>= 7
    found.append(left)
    return bytes(found)
