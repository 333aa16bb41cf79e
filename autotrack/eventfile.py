"""TensorBoard event files: appending records, and reading events back, also from damaged files.

A file is a sequence of frames: length of the message (8 bytes, little endian), checksum of these 8
bytes, the message (a protobuf `Event`), checksum of the message. Checksums are masked CRC-32C
(the TFRecord format, documented with TensorFlow).
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event

from autotrack import eventblock, scalarevent
from autotrack.block import Block
from autotrack.eventcodec import fill_event
from autotrack.eventtabs import fill_graph_event
from autotrack.framing import CHECKSUM, FRAMING, HEADER, LENGTH, frame, masked_checksum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from autotrack.records import Record

_FILE_VERSION = "brain.Event:2"
_READ_BUFFER = 1 << 20


class EventFileWriter:
    """Appends records to one new event file in `directory`, which is made where it is missing.

    `path` is the file, `events.out.tfevents.<unix seconds>.<host>.<pid>.<n>.autotrack`. An existing
    file is never touched. Raises OSError where the directory cannot be written.
    """

    #: Blocks of records may be among those that it writes.
    takes_blocks: ClassVar[bool] = True

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        Path(directory).mkdir(parents=True, exist_ok=True)
        self._event: Any = Event()
        self.path, self._descriptor = _create_file(Path(directory))
        first = Event(wall_time=time.time(), file_version=_FILE_VERSION)
        self._append([frame(first.SerializeToString())])

    def write(self, records: Iterable[Record | Block]) -> None:
        """Append all `records` with one unbuffered write.

        Raises OSError where they do not fit; those that fit whole stay, and the file never ends in
        part of one. Raises ValueError after `close`.
        """
        # Clearing an event frees none of its memory, so one that is used for ever grows for ever.
        self._event = Event()
        frames: list[bytes] = []
        for record in records:
            if isinstance(record, Block):
                frames += eventblock.frames(record)
            else:
                frames.append(self._encode(record))
        if frames:
            self._append(frames)

    def close(self) -> None:
        """Close the file; nothing is pending. Closing twice is fine."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _encode(self, record: Record) -> bytes:
        if record.has_only_numbers:
            event = (record.x, record.time, record.scalars, record.hidden)
            return frame(scalarevent.encode(*event))
        fill_event(self._event, record)
        framed = frame(self._event.SerializeToString())
        if record.graph:
            # in an event the graph and the values exclude each other
            fill_graph_event(self._event, record)
            framed = frame(self._event.SerializeToString()) + framed
        return framed

    def _append(self, frames: list[bytes]) -> None:
        if self._descriptor < 0:
            raise ValueError(f"{self.path} is closed")
        data = memoryview(b"".join(frames))
        done = 0
        try:
            # the second round is for a write that was cut short, as a nearly full disk does
            while done < len(data):
                done += self._write_some(data[done:])
        except OSError:
            self._keep_whole(frames, done)
            raise

    def _write_some(self, data: memoryview) -> int:
        written = os.write(self._descriptor, data)
        if not written:
            raise OSError(errno.EIO, "nothing could be written", str(self.path))
        return written

    def _keep_whole(self, frames: list[bytes], done: int) -> None:
        """Cut the file back to those `frames` that lie whole within the `done` bytes written."""
        ends = itertools.accumulate(len(frame) for frame in frames)
        surplus = done - max((end for end in ends if end <= done), default=0)
        if not surplus:
            return
        try:
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - surplus)
        except OSError:
            # nothing that came after part of a record could be read
            self.close()


def _create_file(directory: Path) -> tuple[Path, int]:
    start = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}"
    count = 0
    while True:
        path = directory / f"{start}.{count}.autotrack"
        try:
            return path, os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            count += 1


class EventReader:
    """Iterates over the protobuf `Event` messages of one file, from its beginning.

    Checksums are verified. Iteration ends cleanly at the first damaged or unfinished record;
    afterwards `truncated` says how many bytes of the file were left over (0 for a whole file).
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.truncated = 0

    def __iter__(self) -> Iterator[Any]:
        parse = Event.FromString
        with self.path.open("rb", buffering=_READ_BUFFER) as file:
            # a file that is being written is read up to where it ends now
            self.truncated = os.fstat(file.fileno()).st_size
            for message in _messages(file, self.truncated):
                try:
                    event = parse(message)
                except DecodeError:
                    return
                self.truncated -= len(message) + FRAMING
                yield event


def read_events(path: str | os.PathLike[str]) -> EventReader:
    """The events of the file at `path`; raises OSError, when iterated, if it cannot be opened."""
    return EventReader(path)


def _messages(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The messages of all frames up to the first that is unfinished or fails its checksum."""
    while size >= FRAMING:
        header = file.read(HEADER.size)
        length, checksum = HEADER.unpack(header)
        size -= length + FRAMING
        # a damaged length is never read: it could ask for any amount of memory
        if masked_checksum(header[: LENGTH.size]) != checksum or size < 0:
            return
        body = file.read(length + CHECKSUM.size)
        message = body[:length]
        if masked_checksum(message) != CHECKSUM.unpack_from(body, length)[0]:
            return
        yield message
