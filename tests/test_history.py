"""Runs read back: autotrack's own, and those of other writers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.histogram.metadata import (
    create_summary_metadata as histogram_metadata,
)
from tensorboard.plugins.scalar.metadata import create_summary_metadata as scalar_metadata
from tensorboard.plugins.text.metadata import create_summary_metadata as text_metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter as TensorBoardWriter
from tensorboard.util import tensor_util
from torch.utils.tensorboard import SummaryWriter

from autotrack.errors import RecordNotFoundError
from autotrack.eventfile import EventFileWriter
from autotrack.history import read
from autotrack.records import EMPTY_HISTOGRAM, Histogram, Record
from autotrack.series import HistogramSeries

ROOT = Path(__file__).resolve().parent.parent


def write(directory, *records):
    with EventFileWriter(directory) as writer:
        writer.write(records)
    return read(directory)


def step(x, *scalars, **rest):
    return Record(x, 100.0 + x, list(scalars), **rest)


def epoch_begins(x, number, stream=""):
    return step(x, hidden=[(f"autotrack/epoch{stream}", np.int64(number))])


def epoch_ends(number, steps, *scalars):
    return step(number, *scalars, hidden=[("autotrack/step", np.int64(steps))])


def facts(**run):
    return step(0, hidden=[("autotrack/run", json.dumps(run))])


def simple(minimum, maximum, *counts, limits=None):
    """A histogram of the given bucket counts, by default between its minimum and maximum."""
    limits = np.linspace(minimum, maximum, len(counts) + 1) if limits is None else limits
    counts = np.array([0, *counts], float)
    return Histogram(np.array(limits, float), counts, minimum, maximum, int(counts.sum()), 0.0, 0.0)


# -- scalars ---------------------------------------------------------------------------------------


def test_a_scalar_tag_is_a_series():
    history = write("run", step(0, ("a", 1), ("b", 5)), step(1, ("a", np.nan)), step(2, ("a", 3)))
    series = history["a"]
    assert series.tag == "a"
    assert series.x.tolist() == series.step.tolist() == [0, 1, 2]
    assert series.epoch.tolist() == [-1, -1, -1]
    assert series.time.tolist() == [100, 101, 102]
    np.testing.assert_array_equal(series.value, np.float32([1, np.nan, 3]))
    assert len(series) == 3


def test_the_arrays_have_the_promised_types():
    series = write("run", step(0, ("a", 1)))["a"]
    types = [array.dtype for array in (series.x, series.step, series.epoch, series.time)]
    assert types == [np.int64, np.int64, np.int64, np.float64]
    assert series.value.dtype == np.float32


def test_a_history_is_a_mapping_of_its_scalar_tags_in_order_of_appearance():
    history = write("run", step(0, ("b", 1)), step(1, ("a", 2)), step(2, ("b", 3)))
    assert history.tags == list(history) == ["b", "a"]
    assert len(history) == 2
    assert "a" in history
    assert "c" not in history
    assert history["b"] is history.series["b"]
    with pytest.raises(KeyError, match="c"):
        history["c"]


def test_points_keep_the_order_of_the_file_and_repeated_x():
    history = write("run", step(5, ("a", 1)), step(3, ("a", 2)), step(5, ("a", 3)))
    assert history["a"].x.tolist() == [5, 3, 5]
    assert history["a"].value.tolist() == [1, 2, 3]


def test_large_steps_are_kept():
    assert write("run", step(2**40, ("a", 1)))["a"].step.tolist() == [2**40]


def test_values_are_those_tensorboard_reads():
    rng = np.random.default_rng(0)
    records = [step(x, ("a", rng.normal()), ("b", rng.normal())) for x in range(200)]
    history = write("run", *records)
    accumulator = EventAccumulator("run", {"scalars": 0})
    accumulator.Reload()
    for tag in ("a", "b"):
        expected = [(e.step, e.wall_time, e.value) for e in accumulator.Scalars(tag)]
        series = history[tag]
        assert list(zip(series.step, series.time, series.value, strict=True)) == expected


# -- steps and epochs ------------------------------------------------------------------------------


def epochs_of_three_steps():
    records = []
    for index, number in enumerate((37, 38)):
        first = 3 * index
        records += [epoch_begins(first, number)]
        records += [step(x, ("Loss/train", x)) for x in range(first, first + 3)]
        records += [epoch_ends(number, first + 3, ("Accuracy/train", 50.0 + index))]
    return records


def test_a_step_is_in_the_epoch_that_began_at_or_before_it():
    history = write("run", step(0, ("Loss/train", 9)), *epochs_of_three_steps()[1:])
    assert history["Loss/train"].epoch.tolist() == [-1, -1, -1, -1, 38, 38, 38]
    history = write("other", *epochs_of_three_steps())
    assert history["Loss/train"].epoch.tolist() == [37, 37, 37, 38, 38, 38]
    assert history["Loss/train"].step.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_point_at_an_epoch_has_the_steps_completed_there():
    history = write("run", *epochs_of_three_steps())
    assert history["Accuracy/train"].x.tolist() == [37, 38]
    assert history["Accuracy/train"].epoch.tolist() == [37, 38]
    assert history["Accuracy/train"].step.tolist() == [3, 6]


def test_a_step_after_an_epoch_without_steps_is_in_the_later_epoch():
    history = write("run", epoch_begins(0, 0), epoch_begins(0, 1), step(0, ("a", 1)))
    assert history["a"].epoch.tolist() == [1]


def test_a_pass_of_a_training_without_epochs_has_none(tmp_path):
    """Its x is the step at which it ended, and no epoch of that number."""
    passes = [
        Record(s, float(s), [("Loss/train_epoch", 1.0)], hidden=[("autotrack/step", np.int64(s))])
        for s in (100, 200)
    ]
    with EventFileWriter(tmp_path) as writer:
        writer.write([Record(0, 0.0, [("Loss/train", 2.0)]), *passes])
    found = read(tmp_path)["Loss/train_epoch"]
    assert found.x.tolist() == found.step.tolist() == [100, 200]
    assert found.epoch.tolist() == [-1, -1]


def test_an_evaluation_before_training_stands_at_step_zero():
    history = write("run", epoch_ends(0, 0, ("Loss/val_initial", 1)), *epochs_of_three_steps())
    series = history["Loss/val_initial"]
    assert (series.x.tolist(), series.step.tolist(), series.epoch.tolist()) == ([0], [0], [0])


def test_epoch_starts_are_numbers_and_first_steps():
    history = write("run", *epochs_of_three_steps())
    numbers, steps = history.epoch_starts()
    assert (numbers.tolist(), steps.tolist()) == ([37, 38], [0, 3])
    assert history.has_epochs


def test_without_marks_there_are_no_epochs():
    history = write("run", step(0, ("a", 1)))
    numbers, steps = history.epoch_starts()
    assert (numbers.tolist(), steps.tolist()) == ([], [])
    assert not history.has_epochs


# -- streams ---------------------------------------------------------------------------------------


def two_streams():
    """Stream `d` makes two steps for each of `g`; an epoch has two steps of `g`."""
    records = [facts(streams=["g", "d"])]
    for number in range(2):
        records += [epoch_begins(2 * number, number, "/g"), epoch_begins(4 * number, number, "/d")]
        records += [step(x, ("Loss/train/g", x)) for x in (2 * number, 2 * number + 1)]
        records += [
            step(x, ("LearningRate/d/group0", x)) for x in range(4 * number, 4 * number + 4)
        ]
        marks = [("g", 2 * number + 2), ("d", 4 * number + 4)]
        hidden = [(f"autotrack/step/{name}", np.int64(steps)) for name, steps in marks]
        scalars = [("Loss/train_epoch/g", 1), ("Loss/train_epoch/d", 2), ("Loss/val", 3)]
        records += [Record(number, 1.0, scalars, hidden=hidden)]
    return records


def test_each_stream_counts_its_own_steps():
    history = write("run", *two_streams())
    assert history.streams == ["g", "d"]
    assert history["Loss/train/g"].epoch.tolist() == [0, 0, 1, 1]
    assert history["LearningRate/d/group0"].epoch.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert history["Loss/train_epoch/g"].step.tolist() == [2, 4]
    assert history["Loss/train_epoch/d"].step.tolist() == [4, 8]
    assert [steps.tolist() for steps in history.epoch_starts("d")] == [[0, 1], [0, 4]]


def test_what_belongs_to_no_stream_stands_on_the_first():
    history = write("run", *two_streams())
    assert history["Loss/val"].x.tolist() == history["Loss/val"].epoch.tolist() == [0, 1]
    assert history["Loss/val"].step.tolist() == [2, 4]
    assert [steps.tolist() for steps in history.epoch_starts()] == [[0, 1], [0, 2]]


def test_a_stream_that_turns_up_later_leaves_the_first_its_plain_tags():
    history = write(
        "run",
        facts(streams=[""]),
        epoch_begins(0, 0),
        epoch_begins(0, 5, "/late"),
        step(0, ("Loss/train", 1), ("Loss/train/late", 2)),
    )
    assert history.streams == ["", "late"]
    assert history["Loss/train"].epoch.tolist() == [0]
    assert history["Loss/train/late"].epoch.tolist() == [5]


def test_a_stream_without_marks_of_its_own_has_no_epochs():
    history = write(
        "run", facts(streams=["g", "d"]), epoch_begins(0, 0, "/g"), step(0, ("Loss/train/d", 1))
    )
    assert history["Loss/train/d"].epoch.tolist() == [-1]
    assert [steps.tolist() for steps in history.epoch_starts("d")] == [[], []]


def test_one_unnamed_stream_is_the_empty_name():
    assert write("a", facts(streams=[]), step(0, ("a", 1))).streams == [""]
    assert write("b", facts(streams=[""]), step(0, ("a", 1))).streams == [""]


# -- histograms ------------------------------------------------------------------------------------


def test_histograms_come_back_whole():
    first, second = simple(-1, 1, 4, 6), simple(0, 2, 1, 2, 3)
    first.total, first.total_squares = 1.5, 2.5
    records = [step(0, histograms=[("Weights/w", first)]), epoch_begins(0, 3)]
    history = write("run", *records, step(9, histograms=[("Weights/w", second)]))
    series = history.histograms["Weights/w"]
    assert (series.tag, len(series)) == ("Weights/w", 2)
    assert (series.step.tolist(), series.time.tolist()) == ([0, 9], [100, 109])
    assert series.epoch.tolist() == [3, 3]
    assert [limits.tolist() for limits in series.limits] == [[-1, 0, 1], second.limits.tolist()]
    assert [counts.tolist() for counts in series.counts] == [[0, 4, 6], [0, 1, 2, 3]]
    assert (series.minimum.tolist(), series.maximum.tolist()) == ([-1, 0], [1, 2])
    assert series.number.tolist() == [10, 6]
    assert (series.total[0], series.total_squares[0]) == (1.5, 2.5)
    assert series.nonfinite.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_nonfinite_counts_stand_beside_their_histogram():
    some = simple(0, 1, 2)
    some.nonfinite = (7, 0, 1)
    none = Histogram(EMPTY_HISTOGRAM.limits, EMPTY_HISTOGRAM.counts, np.nan, np.nan, 0, 0.0, 0.0)
    none.nonfinite = (9, 0, 0)
    history = write(
        "run",
        step(0, histograms=[("Gradients/w", simple(0, 1, 2))]),
        step(1, histograms=[("Gradients/w", some), ("Gradients/b", none)]),
        step(2, histograms=[("Gradients/w", none)]),
    )
    series = history.histograms["Gradients/w"]
    assert series.step.tolist() == [0, 1, 2]
    assert series.nonfinite.tolist() == [[0, 0, 0], [7, 0, 1], [9, 0, 0]]
    assert series.number.tolist() == [2, 2, 0]
    assert np.isnan(series.minimum).tolist() == [False, False, True]
    assert history.histograms["Gradients/b"].nonfinite.tolist() == [[9, 0, 0]]


def grid_of(*histograms, **options):
    records = [step(x, histograms=[("w", found)]) for x, found in enumerate(histograms)]
    directory = f"run{len(list(Path().iterdir()))}"
    return write(directory, *records).histograms["w"].on_grid(**options)


def test_a_grid_spreads_each_bucket_evenly():
    edges, counts = grid_of(simple(0, 4, 8, 4), simple(0, 2, 10), n_bins=4)
    assert edges.tolist() == [0, 1, 2, 3, 4]
    assert counts.tolist() == [[4, 4, 2, 2], [5, 5, 0, 0]]


def test_outermost_buckets_end_at_minimum_and_maximum():
    _, counts = grid_of(simple(0.5, 2.5, 2, 2, limits=[0.25, 1.5, 4.0]), n_bins=4, low=0, high=4)
    assert counts.tolist() == [[1, 2, 1, 0]]


@pytest.mark.parametrize("low", [-0.5, 0.0, 2.0, 2.5])
def test_a_constant_is_whole_in_one_bin(low):
    _, counts = grid_of(simple(2.5, 2.5, 7, limits=[2.0, 3.0]), n_bins=3, low=low, high=low + 3)
    assert sorted(counts[0].tolist()) == [0, 0, 7]
    edges, counts = grid_of(simple(2.5, 2.5, 7, limits=[2.0, 3.0]), n_bins=3)
    assert edges[0] < 2.5 < edges[-1]
    assert counts.tolist() == [[0, 7, 0]]


def test_values_at_the_ends_of_the_grid_are_counted_and_those_beyond_are_not():
    _, counts = grid_of(simple(3, 3, 7, limits=[2.0, 4.0]), n_bins=3, low=0, high=3)
    assert counts.tolist() == [[0, 0, 7]]
    _, counts = grid_of(simple(0, 4, 8, 4), n_bins=1, low=1, high=3)
    assert counts.tolist() == [[6]]


def test_a_moment_without_finite_values_is_an_empty_row():
    empty = Histogram(EMPTY_HISTOGRAM.limits, EMPTY_HISTOGRAM.counts, np.nan, np.nan, 0, 0.0, 0.0)
    empty.nonfinite = (1, 0, 0)
    _, counts = grid_of(simple(0, 1, 3), empty, n_bins=2)
    assert counts.tolist() == [[1.5, 1.5], [0, 0]]
    edges, counts = grid_of(empty, n_bins=2)
    assert (edges.tolist(), counts.tolist()) == ([-0.5, 0, 0.5], [[0, 0]])


def test_a_grid_without_histograms_has_no_rows():
    nothing = np.empty(0)
    series = HistogramSeries(
        "w", nothing, nothing, nothing, [], [], nothing, nothing, nothing, nothing, nothing, nothing
    )
    assert series.on_grid(3)[1].shape == (0, 3)


def test_a_grid_needs_low_below_high():
    with pytest.raises(ValueError, match=r"low \(1\) must be below high \(1\)"):
        grid_of(simple(0, 1, 3), low=1, high=1)


# -- vectors, texts, facts -------------------------------------------------------------------------


def vector(x, *values, stream=""):
    hidden = [(f"autotrack/update_ratio{stream}", np.array(values, np.float32))]
    return step(x, hidden=hidden)


def parameters(x, *names, stream=""):
    return step(x, hidden=[(f"autotrack/parameters{stream}", list(names))])


def test_vectors_have_one_column_a_parameter():
    history = write("run", parameters(0, "w", "b"), vector(0, 1, 2), vector(10, 3, np.nan))
    series = history.vectors["autotrack/update_ratio"]
    assert (series.tag, series.names, len(series)) == ("autotrack/update_ratio", ["w", "b"], 2)
    assert series.step.tolist() == [0, 10]
    np.testing.assert_array_equal(series.value, np.float32([[1, 2], [3, np.nan]]))
    assert series.value.dtype == np.float32


def test_vectors_follow_the_newest_parameters():
    history = write(
        "run", parameters(0, "b", "c"), vector(0, 1, 2), parameters(5, "a", "b"), vector(5, 3, 4)
    )
    series = history.vectors["autotrack/update_ratio"]
    assert series.names == ["b", "c", "a"]
    np.testing.assert_array_equal(series.value, [[1, 2, np.nan], [4, np.nan, 3]])


def test_vectors_of_streams_are_apart():
    history = write(
        "run",
        facts(streams=["g", "d"]),
        *(parameters(0, f"{name}.w", stream=f"/{name}") for name in "gd"),
        epoch_begins(0, 0, "/g"),
        epoch_begins(0, 1, "/d"),
        vector(0, 1, stream="/g"),
        vector(0, 2, stream="/d"),
    )
    first, second = history.vectors.values()
    assert (first.names, first.epoch.tolist()) == (["g.w"], [0])
    assert (second.names, second.epoch.tolist()) == (["d.w"], [1])


def test_vectors_without_names_are_numbered():
    history = write("run", vector(0, 1, 2))
    assert history.vectors["autotrack/update_ratio"].names == ["0", "1"]


def test_texts_are_points():
    history = write("run", step(0, texts=[("a", "one")]), step(4, texts=[("a", "zwölf")]))
    assert history.texts == {"a": [(0, "one"), (4, "zwölf")]}


def test_facts_and_the_last_coverage_are_dictionaries():
    coverage = [step(x, hidden=[("autotrack/coverage", json.dumps({"at": x}))]) for x in (1, 2)]
    history = write("run", facts(version="1", config={"lr": 0.1}), *coverage)
    assert history.run == {"version": "1", "config": {"lr": 0.1}}
    assert history.coverage == {"at": 2}


def test_hidden_values_are_no_scalars():
    history = write("run", facts(version="1"), *epochs_of_three_steps(), vector(0, 1))
    assert history.tags == ["Loss/train", "Accuracy/train"]


def test_values_of_a_later_version_are_passed_over():
    later = [("autotrack/future", "text"), ("autotrack/grid", np.zeros((2, 2)))]
    history = write("run", step(0, ("a", 1), hidden=later))
    assert history["a"].value.tolist() == [1]


# -- pandas ----------------------------------------------------------------------------------------


def test_a_data_frame_holds_one_point_a_row():
    frame = write("run", *epochs_of_three_steps()).to_pandas()
    assert list(frame.columns) == ["tag", "x", "step", "epoch", "time", "value"]
    assert len(frame) == 8
    row = frame[frame.tag == "Accuracy/train"].iloc[1]
    assert (row.x, row.step, row.epoch, row.time, row.value) == (38, 6, 38, 138, 51)


def test_a_data_frame_of_nothing_has_its_columns():
    frame = write("run").to_pandas()
    assert list(frame.columns) == ["tag", "x", "step", "epoch", "time", "value"]
    assert frame.empty


def test_without_pandas_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        write("run", step(0, ("a", 1))).to_pandas()


# -- directories -----------------------------------------------------------------------------------


def test_the_files_of_a_directory_are_read_in_order_of_their_names(monkeypatch):
    for started, value in ((1_700_000_200, 2), (1_700_000_100, 1), (1_700_000_300, 3)):
        monkeypatch.setattr("autotrack.eventfile.time.time", lambda now=started: float(now))
        history = write("run", step(0, ("a", value)), step(0, (f"only{value}", value)))
    assert history["a"].value.tolist() == [1, 2, 3]
    assert history.tags == ["a", "only1", "only2", "only3"]


def test_marks_hold_for_their_own_file():
    write("run", epoch_begins(0, 7), step(0, ("a", 1)))
    with SummaryWriter("run") as writer:
        writer.add_scalar("b", 2.0, 0)
    history = read("run")
    assert history["a"].epoch.tolist() == [7]
    assert history["b"].epoch.tolist() == [-1]
    assert [steps.tolist() for steps in history.epoch_starts()] == [[7], [0]]


def test_files_below_sub_directories_are_not_read():
    write("run", step(0, ("a", 1)))
    write("run/sub", step(0, ("a", 2)))
    assert read("run")["a"].value.tolist() == [1]


def test_a_run_that_has_only_begun_is_empty():
    history = write("run")
    assert (history.tags, history.run, history.coverage, history.texts) == ([], {}, {}, {})
    assert history.streams == [""]
    assert not history.has_epochs


def test_a_cut_file_is_read_up_to_the_cut():
    history = write("run", *(step(x, ("a", x)) for x in range(5)))
    assert history.truncated == 0
    (path,) = Path("run").iterdir()
    path.write_bytes(path.read_bytes()[:-3])
    history = read("run")
    assert history["a"].step.tolist() == [0, 1, 2, 3]
    assert history.truncated > 3


def test_a_damaged_file_does_not_keep_the_others_from_being_read():
    write("run", step(0, ("a", 1)))
    (path,) = Path("run").iterdir()
    path.with_name(f"{path.name}.z").write_bytes(path.read_bytes())
    path.write_bytes(b"x" * 100)
    assert read("run")["a"].value.tolist() == [1]
    assert read("run").truncated == 100


def test_a_directory_without_a_record_names_those_below_that_hold_some():
    Path("runs/none").mkdir(parents=True)
    for name in ("b", "a"):
        write(f"runs/{name}", step(0, ("a", 1)))
    with pytest.raises(RecordNotFoundError, match=r"runs holds no event file itself.*: a, b$"):
        read("runs")


def test_many_sub_directories_are_counted():
    for index in range(13):
        write(f"runs/{index:02}")
    with pytest.raises(RecordNotFoundError, match=r"08, 09 and 3 more$"):
        read("runs")


def test_an_empty_or_missing_directory_is_named(tmp_path):
    with pytest.raises(RecordNotFoundError, match=r"holds no event file$"):
        read(tmp_path)
    with pytest.raises(RecordNotFoundError, match="gone is not a directory"):
        read("gone")
    assert issubclass(RecordNotFoundError, FileNotFoundError)


# -- files of other writers ------------------------------------------------------------------------


def test_summary_writer_is_read():
    values = np.random.default_rng(0).normal(size=1000)
    with SummaryWriter("run") as writer:
        for x in (3, 4):
            writer.add_scalar("loss", x / 8, x, walltime=50.0 + x)
            writer.add_histogram("weights", values + x, x)
        writer.add_text("note", "hello", 2)
        writer.add_image("picture", np.zeros((3, 4, 4)), 0)
    history = read("run")
    series = history["loss"]
    assert (series.step.tolist(), series.value.tolist()) == ([3, 4], [0.375, 0.5])
    assert (series.epoch.tolist(), series.time.tolist()) == ([-1, -1], [53, 54])
    assert history.texts == {"note/text_summary": [(2, "hello")]}
    assert (history.tags, history.run) == (["loss"], {})
    histograms = history.histograms["weights"]
    assert histograms.number.tolist() == [1000, 1000]
    np.testing.assert_allclose(histograms.total, [values.sum() + 3000, values.sum() + 4000])
    edges, counts = histograms.on_grid(20)
    assert (edges[0], edges[-1]) == (histograms.minimum[0], histograms.maximum[1])
    np.testing.assert_allclose(counts.sum(axis=1), 1000)


def test_hyperparameters_of_summary_writer_are_the_config():
    with SummaryWriter("run") as writer:
        writer.add_hparams({"lr": 0.1, "name": "cnn", "fast": True}, {"best": 2.5}, run_name=".")
    history = read("run")
    assert history.run == {"config": {"lr": 0.1, "name": "cnn", "fast": True}}
    assert history["best"].value.tolist() == [2.5]


def tensor_value(tag, data, metadata, dtype=None):
    proto = tensor_util.make_tensor_proto(data, dtype=dtype)
    return {"tag": tag, "tensor": proto, "metadata": metadata}


def write_values(*values):
    """One event a value, with TensorBoard's own writer, as Keras writes tensors."""
    writer = TensorBoardWriter("run")
    for x, value in enumerate(values):
        writer.add_event(Event(step=x, wall_time=1.0, summary={"value": [value]}))
    writer.close()
    return read("run")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int32])
def test_tensor_scalars_are_series(dtype):
    metadata = scalar_metadata("", "")
    history = write_values(
        tensor_value("epoch_loss", dtype(3), metadata),
        # the plugin is named with the first value only
        tensor_value("epoch_loss", dtype(5), None),
    )
    assert history["epoch_loss"].value.tolist() == [3, 5]
    assert history["epoch_loss"].step.tolist() == [0, 1]


def test_tensor_histograms_are_histograms():
    rows = [[-1.0, 0.0, 4.0], [0.0, 2.0, 6.0]]
    metadata = histogram_metadata("", "")
    history = write_values(
        tensor_value("w", rows, metadata), tensor_value("w", np.zeros((0, 3)), metadata)
    )
    series = history.histograms["w"]
    assert (series.limits[0].tolist(), series.counts[0].tolist()) == ([0, 2], [4, 6])
    assert series.number.tolist() == [10, 0]
    assert (series.minimum[0], series.maximum[0]) == (-1, 2)
    assert np.isnan(series.total[0])
    assert series.on_grid(3)[1].tolist() == [[4, 3, 3], [0, 0, 0]]


def test_tensor_texts_are_texts():
    metadata = text_metadata("", "")
    history = write_values(tensor_value("note", ["one", "two"], metadata))
    assert history.texts == {"note": [(0, "one\ntwo")]}


def test_tensors_of_other_plugins_are_passed_over():
    history = write_values(
        tensor_value("loss", [1.0, 2.0], scalar_metadata("", "")),
        tensor_value("bad", [1.0, 2.0], histogram_metadata("", "")),
        tensor_value("pr", [[1.0]], {"plugin_data": {"plugin_name": "pr_curves"}}),
        {"tag": "nothing"},
    )
    assert (history.tags, history.histograms, history.texts) == ([], {}, {})


def test_reading_does_not_import_torch():
    Path("run").mkdir()
    write("run", step(0, ("a", 1)))
    code = "import sys, autotrack.history as h; h.read(sys.argv[1]); print('torch' in sys.modules)"
    command = [sys.executable, "-c", code, str(Path("run").resolve())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_reading_says_how_far_it_is(tmp_path):
    with EventFileWriter(tmp_path) as writer:
        writer.write(Record(step, float(step), [("Loss/train", 1.0)]) for step in range(5000))
    news = []
    read(tmp_path, lambda done, total: news.append((done, total)))
    (size,) = {path.stat().st_size for path in tmp_path.iterdir()}
    assert [total for _, total in news] == [size] * len(news)
    assert len(news) > 2
    assert news == sorted(news)
    assert news[-1][0] == size


def test_skipped_steps_are_known_by_stream_and_change_no_name(tmp_path):
    history = write(
        tmp_path,
        facts(streams=["opt_g", "opt_d"]),
        step(0, hidden=[("autotrack/parameters/opt_g", ["a", "b"])]),
        step(0, hidden=[("autotrack/skipped/opt_g", np.int64(1))]),
        step(0, hidden=[("autotrack/update_ratio/opt_g", np.ones(2, np.float32))]),
        step(5, hidden=[("autotrack/skipped/opt_g", np.int64(1))]),
    )
    assert {name: steps.tolist() for name, steps in history.skipped.items()} == {"opt_g": [0, 5]}
    assert history.vectors["autotrack/update_ratio/opt_g"].names == ["a", "b"]
