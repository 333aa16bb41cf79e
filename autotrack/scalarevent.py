"""Events of nothing but scalars, as nearly all are, put into bytes without protobuf's objects.

The bytes are those that protobuf writes for the same `Event` (event.proto and summary.proto of
TensorFlow): `wall_time` is field 1, `step` 2 and `summary` 5; in the summary each `value` is field
1, in which `tag` is field 1 and `simple_value` field 2.
"""

from __future__ import annotations

import math
import struct
from functools import lru_cache

_WALL_TIME = b"\x09"
_STEP = b"\x10"
_SUMMARY = b"\x2a"
_VALUE = _TAG = b"\x0a"
_SIMPLE_VALUE = b"\x15"
_DOUBLE = struct.Struct("<d").pack
_FLOAT = struct.Struct("<f").pack
_NEGATIVE = 1 << 64


def encode(step: int, time: float, scalars: list[tuple[str, float]]) -> bytes:
    """Return the message of one event; `scalars` are rounded to float32."""
    try:
        values = b"".join([until_number(tag) + _FLOAT(number) for tag, number in scalars])
    except OverflowError:
        values = b"".join([until_number(tag) + _FLOAT(_single(n)) for tag, n in scalars])
    place = _STEP + varint(step) if step else b""
    return b"".join((_WALL_TIME, _DOUBLE(time), place, _SUMMARY, varint(len(values)), values))


@lru_cache(4096)
def until_number(tag: str) -> bytes:
    """Return what comes before the four bytes of a tag's number."""
    text = tag.encode()
    head = (_TAG + varint(len(text)) + text if text else b"") + _SIMPLE_VALUE
    return _VALUE + varint(len(head) + 4) + head


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
