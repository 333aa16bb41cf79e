"""Event files, against TensorBoard's own readers and torch's SummaryWriter."""

from __future__ import annotations

import errno
import math
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from google_crc32c import value as crc32c
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import (
    EventFileLoader,
    LegacyEventFileLoader,
)
from tensorboard.backend.event_processing.plugin_event_accumulator import (
    EventAccumulator as PluginEventAccumulator,
)
from tensorboard.compat.proto import types_pb2
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.util import tensor_util
from torch.utils.tensorboard import SummaryWriter

from autotrack import eventfile, framing, scalarevent
from autotrack.block import Block
from autotrack.eventcodec import array_from_tensor, fill_event
from autotrack.eventfile import EventFileWriter, read_events
from autotrack.records import EMPTY_HISTOGRAM, Histogram, Record

ROOT = Path(__file__).resolve().parent.parent
EVERYTHING = {"scalars": 0, "histograms": 0, "tensors": 0, "images": 0}
HISTOGRAM = Histogram(np.array([-1.0, 1, 2]), np.array([0.0, 3, 1]), -0.5, 1.5, 4, 2.0, 3.5)


def write(directory, *records):
    with EventFileWriter(directory) as writer:
        writer.write(records)
    return writer.path


def accumulated(directory) -> EventAccumulator:
    accumulator = EventAccumulator(str(directory), EVERYTHING)
    accumulator.Reload()
    return accumulator


def scalars(path):
    """What TensorBoard's reader finds in the file, up to where it gives up."""
    events = LegacyEventFileLoader(str(path)).Load()
    return [(event.step, value.simple_value) for event in events for value in event.summary.value]


def few_records(count=3):
    return [Record(step, 100.0 + step, [("Loss/train", step / 8)]) for step in range(count)]


# -- what TensorBoard finds ------------------------------------------------------------------------


def test_scalars_are_read_by_tensorboard_at_their_step_and_time(tmp_path):
    write(tmp_path, *few_records())
    events = accumulated(tmp_path).Scalars("Loss/train")
    assert [(e.wall_time, e.step, e.value) for e in events] == [
        (100.0, 0, 0.0),
        (101.0, 1, 0.125),
        (102.0, 2, 0.25),
    ]


@given(st.lists(st.floats(width=32), min_size=1, max_size=5))
def test_every_float32_comes_back_bit_for_bit(tmp_path_factory, values):
    path = write(tmp_path_factory.mktemp("run"), Record(0, 1.0, [("a", v) for v in values]))
    _, event = read_events(path)
    read = [value.simple_value for value in event.summary.value]
    assert np.float32(read).tobytes() == np.float32(values).tobytes()


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(min_value=1e-300),
    st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.floats()), min_size=1),
)
def test_events_of_scalars_are_the_bytes_that_protobuf_writes(step, time, scalars):
    event = Event(step=step, wall_time=time)
    for tag, number in scalars:
        value = event.summary.value.add()
        value.tag, value.simple_value = tag, number
    assert scalarevent.encode(step, time, scalars) == event.SerializeToString()


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3), (0,), (300,)])
@pytest.mark.parametrize("step", [0, 5, 70_000])
def test_events_of_hidden_numbers_are_the_bytes_that_protobuf_writes(shape, step):
    numbers = np.arange(math.prod(shape), dtype=np.int64).reshape(shape) * -77
    record = Record(step, 1.5, [("a", 1.0)])
    record.hidden += [("autotrack/x", numbers), ("autotrack/epoch/é", np.asarray(7))]
    expected = Event()
    fill_event(expected, record)
    found = scalarevent.encode(step, 1.5, record.scalars, record.hidden)
    assert found == expected.SerializeToString()


@pytest.mark.parametrize("length", [1, 5, 24, 90])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("first", [0, 100, 16_350])
def test_a_block_is_the_bytes_of_its_records_one_by_one(length, gaps, first, tmp_path):
    """Numbers of steps take one more byte from 128 and from 16384 on."""
    losses = [math.exp(-i) if i % 3 or not gaps else None for i in range(length)]
    counts = np.arange(4 * length, dtype=np.int64).reshape(length, 4)
    columns = [("Loss/train", losses), ("LearningRate/0", (0.1,) * length)]
    hidden = [
        ("autotrack/epoch", range(first + 9, first + 9 + length)),
        ("autotrack/confusion/train", list(counts) if gaps else counts),
    ]
    if gaps:
        hidden[1][1][0] = None
    block = Block(first, [1000.0 + i for i in range(length)], columns, hidden=hidden)
    block.extra = {length // 2: [("Throughput/steps_per_second", 7.0)]}
    record = block.record(length // 2)
    assert record.scalars[-1] == ("Throughput/steps_per_second", 7.0)
    assert len(record.hidden) == (2 if length // 2 or not gaps else 1)
    write(tmp_path / "block", block)
    one_by_one = []
    for record in block.records():
        event = Event()
        fill_event(event, record)
        one_by_one.append(event.SerializeToString())
    found = list(read_events(next((tmp_path / "block").iterdir())))
    assert [event.SerializeToString() for event in found[1:]] == one_by_one


def test_numbers_are_rounded_to_float32_and_overflow_to_infinity(tmp_path):
    write(tmp_path, Record(0, 1.0, [("third", 1 / 3), ("big", 1e300), ("numpy", np.float64(2.5))]))
    found = accumulated(tmp_path)
    assert found.Scalars("third")[0].value == np.float32(1 / 3)
    assert found.Scalars("big")[0].value == math.inf
    assert found.Scalars("numpy")[0].value == 2.5


def test_one_record_is_one_event(tmp_path):
    record = Record(7, 2.5, [("a", 1), ("b", 2)], [("h", HISTOGRAM)], [("t", "text")])
    events = list(LegacyEventFileLoader(str(write(tmp_path, record))).Load())
    assert [event.step for event in events] == [0, 7]
    assert events[0].file_version == "brain.Event:2"
    assert [value.tag for value in events[1].summary.value] == ["a", "b", "h", "t"]


def test_an_event_holds_nothing_of_the_one_before(tmp_path):
    everything = Record(
        1, 1.0, [("a", 1)], [("h", HISTOGRAM)], [("t", "x")], [("v", "y")], {"lr": 0.1}
    )
    path = write(tmp_path, everything, Record(2, 2.0, [("b", 2)]))
    *_, last = LegacyEventFileLoader(str(path)).Load()
    assert last == Event(
        step=2, wall_time=2.0, summary={"value": [{"tag": "b", "simple_value": 2}]}
    )


def test_histograms_are_read_by_tensorboard(tmp_path):
    write(tmp_path, Record(3, 1.0, histograms=[("Weights/w", HISTOGRAM)]))
    (found,) = accumulated(tmp_path).Histograms("Weights/w")
    value = found.histogram_value
    assert (found.step, value.min, value.max, value.num) == (3, -0.5, 1.5, 4)
    assert (value.sum, value.sum_squares) == (2.0, 3.5)
    assert list(value.bucket_limit) == [-1, 1, 2]
    assert list(value.bucket) == [0, 3, 1]


def test_the_histogram_tab_shows_the_buckets_between_minimum_and_maximum(tmp_path):
    path = write(tmp_path, Record(3, 1.0, histograms=[("Weights/w", HISTOGRAM)]))
    *_, event = EventFileLoader(str(path)).Load()
    shown = tensor_util.make_ndarray(event.summary.value[0].tensor)
    assert shown.tolist() == [[-0.5, 1.0, 3.0], [1.0, 1.5, 1.0]]


def test_a_histogram_without_values_is_only_its_nonfinite_counts(tmp_path):
    empty = Histogram(**{**vars_of(EMPTY_HISTOGRAM), "nonfinite": (5, 0, 2)})
    write(tmp_path, Record(0, 1.0, histograms=[("Weights/w", empty)]))
    found = accumulated(tmp_path)
    assert found.Tags()["histograms"] == []
    assert tensor(found, "autotrack/nonfinite/Weights/w").tolist() == [5, 0, 2]


def test_a_finite_histogram_has_no_nonfinite_counts(tmp_path):
    write(tmp_path, Record(0, 1.0, histograms=[("Weights/w", HISTOGRAM)]))
    assert accumulated(tmp_path).Tags()["tensors"] == []


def vars_of(histogram):
    return {name: getattr(histogram, name) for name in Histogram.__dataclass_fields__}


def tensor(accumulator, tag):
    (event,) = accumulator.Tensors(tag)
    return tensor_util.make_ndarray(event.tensor_proto)


def test_texts_stand_in_the_text_tab(tmp_path):
    write(tmp_path, Record(0, 1.0, texts=[("config", "**Größe** 3")]))
    found = accumulated(tmp_path)
    assert tensor(found, "config").tolist() == ["**Größe** 3".encode()]
    assert list(found.PluginTagToContent("text")) == ["config"]


def test_a_text_that_is_no_unicode_does_not_fail(tmp_path):
    write(tmp_path, Record(0, 1.0, texts=[("argv", "name\udcff.py")]))
    assert tensor(accumulated(tmp_path), "argv").tolist() == [b"name?.py"]


@pytest.mark.parametrize(
    "array",
    [
        np.int64(2**40),
        np.array([1.5, np.nan, -np.inf], np.float32),
        np.arange(6, dtype=np.float64).reshape(2, 3),
        np.array([], np.float32),
        np.array([True, False]),
        np.arange(3, dtype=">i4"),
        np.arange(3, dtype=np.uint8),
        np.zeros((0, 3), np.int64),
    ],
    ids=lambda array: f"{array.dtype.str}{array.shape}",
)
def test_hidden_arrays_keep_type_shape_and_values(tmp_path, array):
    path = write(tmp_path, Record(0, 1.0, hidden=[("autotrack/v", array)]))
    found = tensor(accumulated(tmp_path), "autotrack/v")
    assert (found.dtype, found.shape) == (array.dtype.newbyteorder("="), array.shape)
    np.testing.assert_array_equal(found, array)
    _, event = read_events(path)
    np.testing.assert_array_equal(array_from_tensor(event.summary.value[0].tensor), array)


def test_hidden_texts_are_a_scalar_or_a_vector(tmp_path):
    write(tmp_path, Record(0, 1.0, hidden=[("a", "one"), ("b", ["one", "two"]), ("c", [])]))
    found = accumulated(tmp_path)
    assert tensor(found, "a").shape == ()
    assert tensor(found, "a").item() == b"one"
    assert tensor(found, "b").tolist() == [b"one", b"two"]
    assert tensor(found, "c").shape == (0,)


def test_hidden_values_belong_to_no_tab(tmp_path):
    write(tmp_path, Record(0, 1.0, hidden=[("autotrack/run", "{}")]))
    found = accumulated(tmp_path)
    assert list(found.PluginTagToContent("autotrack")) == ["autotrack/run"]
    assert found.Tags()["scalars"] == found.Tags()["histograms"] == []


def test_hyperparameters_are_those_of_the_hparams_tab(tmp_path):
    settings = {"lr": 0.1, "layers": 3, "name": "cnn", "nesterov": True}
    write(tmp_path, Record(0, 12.5, hyperparameters=settings))
    found = PluginEventAccumulator(str(tmp_path))
    found.Reload()
    content = found.SummaryMetadata(hparams.SESSION_START_INFO_TAG).plugin_data.content
    session = hparams.parse_session_start_info_plugin_data(content)
    assert session.start_time_secs == 12.5
    assert {k: getattr(v, v.WhichOneof("kind")) for k, v in session.hparams.items()} == settings
    assert session.hparams["nesterov"].bool_value is True


def test_a_tensor_that_leaves_values_out_repeats_the_last():
    proto = TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[1.0, 2.0])
    proto.tensor_shape.dim.add(size=4)
    assert array_from_tensor(proto).tolist() == [1, 2, 2, 2]
    del proto.float_val[:]
    assert array_from_tensor(proto).tolist() == [0, 0, 0, 0]


# -- the file --------------------------------------------------------------------------------------


def test_the_file_is_named_as_tensorboard_expects(tmp_path):
    path = write(tmp_path / "new" / "run")
    head, host_and_rest = path.name.split(".tfevents.")
    started, _, rest = host_and_rest.partition(".")
    assert head == "events.out"
    assert len(started) == 10
    assert int(started) > 1_500_000_000
    assert rest.endswith(f".{os.getpid()}.0.autotrack")


def test_a_second_writer_takes_another_file(tmp_path, monkeypatch):
    monkeypatch.setattr(eventfile.time, "time", lambda: 1_700_000_000.0)
    paths = [write(tmp_path, *few_records(1)), write(tmp_path, *few_records(2))]
    assert [path.name.split(".")[-2] for path in paths] == ["0", "1"]
    assert [len(scalars(path)) for path in paths] == [1, 2]


def test_records_of_one_call_are_one_write(tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(
        eventfile.os,
        "write",
        lambda fd, data, real=os.write: sizes.append(len(data)) or real(fd, data),
    )
    with EventFileWriter(tmp_path) as writer:
        header = writer.path.stat().st_size
        writer.write(few_records(50))
        # nothing is kept back
        assert sizes == [header, writer.path.stat().st_size - header]
        writer.write([])
    assert len(sizes) == 2


def test_a_closed_writer_says_so(tmp_path):
    writer = EventFileWriter(tmp_path)
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="is closed"):
        writer.write(few_records())


def test_a_record_that_cannot_be_encoded_leaves_the_file_whole(tmp_path):
    with EventFileWriter(tmp_path) as writer:
        writer.write(few_records(1))
        with pytest.raises(KeyError):
            writer.write([*few_records(1), Record(1, 1.0, hidden=[("a", np.array([object()]))])])
        writer.write(few_records(2))
    assert len(scalars(writer.path)) == 3


def test_a_directory_that_cannot_be_written_is_an_os_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        EventFileWriter(tmp_path / "file" / "run")


def full_disk(monkeypatch, room):
    """Let `room` more bytes be written: the last write is short, any after it fails."""
    real, left = os.write, [room]

    def limited(descriptor, data):
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(descriptor, data[: left[0]])
        left[0] -= written
        return written

    monkeypatch.setattr(eventfile.os, "write", limited)


def test_a_full_disk_leaves_whole_records_wherever_it_ends(tmp_path, monkeypatch):
    whole = write(tmp_path / "whole", *few_records()).stat().st_size
    starts = [event_end(tmp_path / "whole", count) for count in range(4)]
    for room in range(whole - starts[0]):
        with EventFileWriter(tmp_path / str(room)) as writer, monkeypatch.context() as patch:
            full_disk(patch, room)
            with pytest.raises(OSError, match="No space left"):
                writer.write(few_records())
        size = writer.path.stat().st_size
        assert size == max(start for start in starts if start <= starts[0] + room)


def event_end(directory, count):
    """Size of a file of the same writer with `count` records."""
    return write(directory / str(count), *few_records(count)).stat().st_size


def test_writing_goes_on_after_the_disk_has_room_again(tmp_path, monkeypatch):
    with EventFileWriter(tmp_path) as writer:
        with monkeypatch.context() as patch:
            full_disk(patch, 100)
            with pytest.raises(OSError, match="No space left"):
                writer.write(few_records())
        writer.write([Record(9, 1.0, [("Loss/train", 9.0)])])
    steps = [step for step, _ in scalars(writer.path)]
    assert steps[-1] == 9
    assert len(steps) > 1


def test_a_short_write_is_finished(tmp_path, monkeypatch):
    with EventFileWriter(tmp_path) as writer:
        monkeypatch.setattr(eventfile.os, "write", lambda fd, d, real=os.write: real(fd, d[:10]))
        writer.write(few_records())
    assert len(scalars(writer.path)) == 3


def test_a_write_that_gets_nowhere_ends(tmp_path, monkeypatch):
    with EventFileWriter(tmp_path) as writer:
        monkeypatch.setattr(eventfile.os, "write", lambda descriptor, data: 0)
        with pytest.raises(OSError, match="nothing could be written"):
            writer.write(few_records())


def test_where_half_a_record_cannot_be_cut_off_nothing_is_written_behind_it(tmp_path, monkeypatch):
    writer = EventFileWriter(tmp_path)

    def refuse(descriptor, length):
        raise PermissionError(errno.EPERM, "append only")

    with monkeypatch.context() as patch:
        full_disk(patch, 60)
        patch.setattr(eventfile.os, "ftruncate", refuse)
        with pytest.raises(OSError, match="No space left"):
            writer.write(few_records())
    with pytest.raises(ValueError, match="is closed"):
        writer.write(few_records())
    assert len(scalars(writer.path)) == 1


# -- reading ---------------------------------------------------------------------------------------


def test_reading_gives_what_tensorboard_reads(tmp_path):
    path = write(tmp_path, *few_records())
    reader = read_events(path)
    assert list(reader) == list(LegacyEventFileLoader(str(path)).Load())
    assert reader.truncated == 0


def test_a_file_cut_at_any_byte_gives_the_whole_records_before(tmp_path):
    path = write(tmp_path, *few_records())
    data, events = path.read_bytes(), list(LegacyEventFileLoader(str(path)).Load())
    ends = frame_ends(data)
    for size in range(len(data) + 1):
        path.write_bytes(data[:size])
        reader = read_events(path)
        whole = [end for end in ends if end <= size]
        assert list(reader) == events[: len(whole)]
        assert reader.truncated == size - max(whole, default=0)


def frame_ends(data):
    ends, position = [], 0
    while position < len(data):
        position += struct.unpack_from("<Q", data, position)[0] + 16
        ends.append(position)
    return ends


def test_a_damaged_byte_anywhere_ends_the_reading_before_it(tmp_path):
    path = write(tmp_path, *few_records())
    data, events = path.read_bytes(), list(LegacyEventFileLoader(str(path)).Load())
    ends = frame_ends(data)
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x41
        path.write_bytes(damaged)
        reader = read_events(path)
        whole = [end for end in ends if end <= position]
        assert list(reader) == events[: len(whole)]
        assert reader.truncated == len(data) - max(whole, default=0)


def test_a_length_beyond_the_file_is_not_read(tmp_path):
    path = write(tmp_path, *few_records())
    length = struct.pack("<Q", 2**62)
    checksum = crc32c(length)
    masked = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
    tail = length + struct.pack("<I", masked) + bytes(30)
    path.write_bytes(path.read_bytes() + tail)
    reader = read_events(path)
    assert len(list(reader)) == 4
    assert reader.truncated == len(tail)


def test_a_frame_that_holds_no_event_ends_the_reading(tmp_path):
    path = write(tmp_path, *few_records())
    frame = framing.frame(b"\xff not a protobuf")
    path.write_bytes(path.read_bytes() + frame)
    reader = read_events(path)
    assert len(list(reader)) == 4
    assert reader.truncated == len(frame)


def test_an_empty_file_has_no_events(tmp_path):
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(b"")
    reader = read_events(path)
    assert list(reader) == []
    assert reader.truncated == 0


def test_a_run_in_progress_can_be_read(tmp_path):
    with EventFileWriter(tmp_path) as writer:
        writer.write(few_records())
        assert len(list(read_events(writer.path))) == 4


def test_a_reader_can_be_iterated_again(tmp_path):
    path = write(tmp_path, *few_records())
    path.write_bytes(path.read_bytes()[:-1])
    reader = read_events(path)
    assert list(reader) == list(reader)
    assert len(list(reader)) == 3


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(read_events(tmp_path / "none"))


def test_files_of_summary_writer_are_read(tmp_path):
    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(3):
            writer.add_scalar("loss", step / 8, step)
        writer.add_histogram("h", np.arange(10.0), 0)
    (path,) = tmp_path.iterdir()
    reader = read_events(path)
    assert list(reader) == list(LegacyEventFileLoader(str(path)).Load())
    assert reader.truncated == 0


def test_writing_and_reading_do_not_import_torch():
    code = "import sys, autotrack.history; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
