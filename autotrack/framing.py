"""Frames of an event file: length, checksum of the length, message, checksum of the message.

Lengths have 8 bytes and checksums, which are masked CRC-32C, 4, little endian (the TFRecord format,
documented with TensorFlow).
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

# falls back to its own Python implementation, with a warning, where its C extension is missing
import google_crc32c
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LENGTH = struct.Struct("<Q")
CHECKSUM = struct.Struct("<I")
HEADER = struct.Struct("<QI")
#: How many bytes a frame has beside its message.
FRAMING = HEADER.size + CHECKSUM.size

_MASK = 0xA282EAD8


def masked_checksum(data: bytes) -> int:
    """Return the checksum of some bytes as a frame has it."""
    checksum: int = google_crc32c.value(data)
    return ((checksum >> 15 | checksum << 17) + _MASK) & 0xFFFFFFFF


def masked_checksums(messages: list[bytes]) -> NDArray[np.uint32]:
    """Return the checksums of many messages, little endian."""
    sums = np.fromiter(map(google_crc32c.value, messages), np.uint32, len(messages))
    return ((sums >> 15 | sums << 17) + np.uint32(_MASK)).astype("<u4")


def frame(message: bytes) -> bytes:
    """Return the frame of a message."""
    return b"".join((header(len(message)), message, CHECKSUM.pack(masked_checksum(message))))


@lru_cache(4096)
def header(length: int) -> bytes:
    """Return what comes before a message of so many bytes."""
    packed = LENGTH.pack(length)
    return packed + CHECKSUM.pack(masked_checksum(packed))
