"""Figures: what they show, that texts never overlap, that a person's plots are left alone."""

from __future__ import annotations

import importlib
import itertools
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import made_up_runs
import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from made_up_runs import RUNS, falling
from matplotlib.text import Text
from PIL import Image
from synthetic_runs import MadeUpRun, histogram

from autotrack.findings import Drop, Evidence, Finding, drops_of
from autotrack.history import History
from autotrack.reports import (
    Report,
    accuracy,
    classes,
    compare,
    components,
    confusion,
    curves,
    decimation,
    densities,
    events,
    gradient_flow,
    gradient_norm,
    learning_rate,
    logged,
    loss,
    names,
    overview,
    palette,
    per_class,
    r2,
    save,
    saving,
    scales,
    smoothing,
    style,
    tags,
    update_ratio,
    weights,
)
from autotrack.reports.page.lines import lines_of
from autotrack.reports.positions import TimeAxis
from autotrack.series import Series

PROJECT = Path(__file__).resolve().parent.parent


# -- reading a figure ----------------------------------------------------------------------------


def drawn_texts(figure, monkeypatch):
    """The texts that Matplotlib really draws, each with its box in pixels."""
    seen = []
    draw = Text.draw

    def watched(text, renderer):
        if text.get_visible() and text.get_text().strip():
            seen.append(text)
        return draw(text, renderer)

    with monkeypatch.context() as patch, style.applied():
        patch.setattr(Text, "draw", watched)
        figure.draw_without_rendering()
    return {id(text): (text.get_text(), text.get_window_extent()) for text in seen}.values()


def overlaps(figure, monkeypatch):
    """Pairs of texts that overlap by more than half a pixel."""
    boxes = [(words, box.padded(-0.5)) for words, box in drawn_texts(figure, monkeypatch)]
    return [
        (one, other)
        for (one, a), (other, b) in itertools.combinations(boxes, 2)
        if a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1
    ]


def outside(figure, monkeypatch):
    """Texts that leave the canvas."""
    width, height = figure.canvas.get_width_height()
    return [
        words
        for words, box in drawn_texts(figure, monkeypatch)
        if box.x0 < -0.5 or box.y0 < -0.5 or box.x1 > width + 0.5 or box.y1 > height + 0.5
    ]


def words(figure, monkeypatch):
    """All words of a figure."""
    return [words for words, _ in drawn_texts(figure, monkeypatch)]


def tick_places(axis):
    """Where tick labels in view stand, by their words."""
    low, high = axis.get_view_interval()
    ticks = axis.get_major_ticks() + axis.get_minor_ticks()
    return {
        tick.label1.get_text(): tick.get_loc()
        for tick in ticks
        if tick.label1.get_text() and low <= tick.get_loc() <= high
    }


def line_points(ax):
    """All data points of the lines that are drawn in data coordinates, as (x, y)."""
    lines = [line for line in ax.lines if line.get_transform() == ax.transData]
    return np.concatenate([np.column_stack(line.get_data()) for line in lines]).astype(float)


def has_point(ax, x, y):
    points = line_points(ax)
    return bool(np.any(np.isclose(points, (x, y), rtol=1e-6).all(axis=1)))


# -- every figure of every run -------------------------------------------------------------------


@pytest.mark.parametrize("made_up", RUNS, ids=lambda made_up: made_up.__name__)
def test_no_text_overlaps_another_or_leaves_the_canvas(made_up, tmp_path, monkeypatch):
    history = made_up().read(tmp_path)
    drawn = 0
    for name, draw in saving.figures():
        figure = draw(history)
        if figure is not None:
            drawn += 1
            assert overlaps(figure, monkeypatch) == [], name
            assert outside(figure, monkeypatch) == [], name
    assert drawn >= 2


def test_texts_keep_apart_in_the_resolution_of_svg_and_pdf(tmp_path, monkeypatch):
    figure = overview.draw(made_up_runs.few_epochs().read(tmp_path))
    figure.set_dpi(72)
    assert overlaps(figure, monkeypatch) == []
    assert outside(figure, monkeypatch) == []


def test_the_overlap_check_sees_an_overlap(tmp_path, monkeypatch):
    figure = loss.draw(made_up_runs.few_epochs().read(tmp_path))
    figure.text(0.5, 0.5, "one text")
    figure.text(0.51, 0.5, "another")
    figure.text(0.99, 0.5, "and one outside")
    assert ("one text", "another") in overlaps(figure, monkeypatch)
    assert outside(figure, monkeypatch) == ["and one outside"]


def test_a_record_without_numbers_gives_no_figure(tmp_path):
    history = MadeUpRun().read(tmp_path / "run")
    report = save(history, tmp_path / "figures")
    assert report.paths == []
    assert "nothing to draw" in str(report)
    assert [draw(history) for _, draw in saving.figures()] == [None] * len(list(saving.figures()))


# -- loss ----------------------------------------------------------------------------------------


def test_the_first_tutorial_has_its_own_title_and_axes(tmp_path, monkeypatch):
    ax = loss.draw(made_up_runs.full_batch().read(tmp_path)).axes[0]
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("Training Loss", "Epoch", "Loss")
    assert tick_places(ax.xaxis) == {str(epoch): epoch for epoch in range(0, 101, 20)}
    assert has_point(ax, 0, np.float32(8.3))
    assert "min 0.306 · epoch 99" in words(ax.figure, monkeypatch)


def test_a_run_without_epochs_is_drawn_by_step(tmp_path):
    ax = loss.draw(MadeUpRun().per_step(Loss__train=[3.0, 2.0, 1.5]).read(tmp_path)).axes[0]
    assert ax.get_xlabel() == "Step"
    assert [has_point(ax, x, y) for x, y in enumerate([3.0, 2.0, 1.5])] == [True] * 3


def test_points_stand_at_completed_steps_and_epochs_are_centred(tmp_path):
    ax = loss.draw(made_up_runs.few_epochs().read(tmp_path)).axes[0]
    values = falling(80)
    mean = values.reshape(5, 16).mean(axis=1)
    assert (ax.get_title(), ax.get_xlabel()) == ("Loss", "Epoch")
    assert all(has_point(ax, step, value) for step, value in enumerate(values.astype(np.float32)))
    for end, value in zip((16, 32, 48, 64, 80), mean, strict=True):
        assert has_point(ax, end, value)
        assert has_point(ax, end, value + 0.1)
    assert tick_places(ax.xaxis) == {"0": 8, "1": 24, "2": 40, "3": 56, "4": 72}


def test_epoch_numbers_stand_where_epochs_begin(tmp_path):
    ax = loss.draw(made_up_runs.resumed().read(tmp_path)).axes[0]
    places = tick_places(ax.xaxis)
    assert places["40"] == 3 * 4
    assert places["85"] == (85 - 37) * 4


def test_the_evaluation_before_training_stands_at_step_0(tmp_path):
    ax = loss.draw(made_up_runs.evaluated_before().read(tmp_path)).axes[0]
    assert has_point(ax, 0, np.float32(2.4))


def test_minima_are_marked_with_value_and_moment(tmp_path, monkeypatch):
    figure = loss.draw(made_up_runs.evaluated_before().read(tmp_path))
    lowest = falling(60)
    assert f"min {lowest.min():.3g} · step {lowest.argmin()}" in words(figure, monkeypatch)
    assert "min 0.7 · epoch 2" in words(figure, monkeypatch)


def test_of_trainings_in_turn_the_minima_and_drops_of_the_last_are_marked(tmp_path, monkeypatch):
    """The evaluation of the last is worse than all of those before it."""
    found = words(loss.draw(made_up_runs.folds().read(tmp_path / "folds")), monkeypatch)
    means = falling(80).reshape(5, 16).mean(axis=1) + 0.9
    assert f"min {means.min():.3g} · epoch {10 + means.argmin()}" in found
    assert f"min {falling(80).min():.3g} · step {160 + falling(80).argmin()}" in found
    once = np.repeat([2.0, 0.5], [40, 60]) + np.random.default_rng(3).normal(0, 0.01, 100)
    twice = MadeUpRun(2, 100).per_step(Loss__train=np.tile(once, 2)).begins_anew(100)
    marks = loss.draw(twice.read(tmp_path / "twice")).axes[0].texts
    places = [mark.xy[0] for mark in marks if getattr(mark, "arrow_patch", None)]
    assert places == [pytest.approx(140, abs=10)]


def test_sharp_drops_are_marked(tmp_path, monkeypatch):
    marks = [
        w for w in words(loss.draw(made_up_runs.falls().read(tmp_path)), monkeypatch) if "%" in w
    ]
    # Levels 2.0, 1.2 and 0.5.
    falls = [int(re.fullmatch("\N{MINUS SIGN}(\\d+) %", mark)[1]) for mark in marks]
    assert sorted(falls) == [pytest.approx(40, abs=4), pytest.approx(58, abs=8)]


def test_a_spike_and_a_slope_are_no_drops():
    noise = np.random.default_rng(0).normal(0, 0.05, 2000)
    spike = 1 + noise
    spike[900:903] = 9.0
    assert drops_of(spike) == []
    assert drops_of(np.linspace(5, 1, 2000) + noise) == []
    assert drops_of(np.random.default_rng(1).normal(2, 0.5, 80)) == []


def test_a_curve_that_swings_does_not_drop():
    steps = np.arange(300)
    wave = np.where(np.cos(steps / 8) > 0, 2.0, 1.0) * np.exp(-steps / 400)
    assert drops_of(wave) == []
    assert drops_of(wave, log=True) == []
    assert len(drops_of(wave, lasting=False)) > 1


def test_a_drop_is_found_where_it_is():
    values = np.r_[np.full(70, 10.0), np.full(30, 2.0)]
    assert drops_of(values) == [Drop(70, 10.0, 2.0)]
    decades = np.r_[np.full(70, 10.0), np.full(30, 1e-4)]
    [drop] = drops_of(decades, log=True)
    assert drop.end == 70
    assert (drop.before, drop.after) == (pytest.approx(10.0), pytest.approx(1e-4))


@pytest.mark.parametrize(("low", "scale"), [(1e-3, "log"), (0.5, "linear"), (-1.0, "linear")])
def test_the_loss_axis_is_logarithmic_over_decades_of_positive_values(low, scale, tmp_path):
    run = MadeUpRun().per_step(Loss__train=np.linspace(5, low, 50))
    assert loss.draw(run.read(tmp_path)).axes[0].get_yscale() == scale


def test_missing_values_leave_a_gap_and_say_where(tmp_path, monkeypatch):
    values = np.linspace(3, 2, 40)
    values[10:13], values[30] = np.nan, np.inf
    ax = loss.draw(MadeUpRun().per_step(Loss__train=values).read(tmp_path)).axes[0]
    assert "NaN at 3 of 40 points, first at step 10" in words(ax.figure, monkeypatch)
    assert "Inf at step 30" in words(ax.figure, monkeypatch)
    raw = ax.lines[0].get_ydata()
    assert np.flatnonzero(~np.isfinite(raw)).tolist() == [10, 11, 12, 30]


def test_a_value_between_two_gaps_is_seen(tmp_path):
    ax = loss.draw(
        MadeUpRun().per_step(Loss__train=[1, np.nan, 5, np.nan, 2, 3]).read(tmp_path)
    ).axes[0]
    dots = [line for line in ax.lines if line.get_marker() == "."]
    assert [line.get_data()[0].tolist() for line in dots] == [[0, 2]]


def test_zeros_on_a_logarithmic_axis_are_marked(tmp_path, monkeypatch):
    values = np.r_[10.0 ** np.linspace(1, -3, 40), 0.0]
    figure = loss.draw(MadeUpRun().per_step(Loss__train=values).read(tmp_path))
    assert figure.axes[0].get_yscale() == "log"
    assert "0 at step 40" in words(figure, monkeypatch)


def test_a_long_noisy_curve_is_smoothed_on_top_of_the_raw_one(tmp_path, monkeypatch):
    figure = loss.draw(made_up_runs.long_and_noisy().read(tmp_path))
    ax = figure.axes[0]
    raw, smoothed = ax.lines[:2]
    assert has_point(ax, 12_000, 9.0)
    assert np.nanmax(smoothed.get_ydata()) < 5
    assert raw.get_linewidth() < smoothed.get_linewidth()
    assert any(re.fullmatch("smoothed over ±\\d+ steps", w) for w in words(figure, monkeypatch))


def test_streams_have_their_own_colours_and_names(tmp_path, monkeypatch):
    figure = loss.draw(made_up_runs.adversaries().read(tmp_path))
    assert {"opt_g", "opt_d"} <= set(words(figure, monkeypatch))
    raw = [
        line for line in figure.axes[0].lines if len(line.get_xdata()) == 600 and line.get_alpha()
    ]
    assert len({line.get_color() for line in raw}) == 2


def test_streams_of_other_lengths_meet_where_epochs_begin():
    main = positions_of([0, 100], 200)
    other = positions_of([0, 10], 20)
    axis = TimeAxis({"g": main, "d": other}, 200)
    assert axis.of_steps(np.array([0, 5, 10, 20]), "d").tolist() == [0, 50, 100, 200]
    assert axis.of_steps(np.array([0, 5, 10, 20]), "g").tolist() == [0, 5, 10, 20]


def positions_of(starts, total):
    from autotrack.reports.positions import Epochs

    return Epochs(np.arange(len(starts)), np.array(starts), total)


# -- other figures -------------------------------------------------------------------------------


def test_accuracy_is_in_percent_with_the_best_evaluation_marked(tmp_path, monkeypatch):
    run = MadeUpRun(3, 10).per_epoch(Accuracy__train=[70, 80, 99], Accuracy__val=[60, 75.5, 74])
    figure = accuracy.draw(run.read(tmp_path))
    ax = figure.axes[0]
    assert (ax.get_title(), ax.get_ylabel()) == ("Accuracy", "Accuracy (%)")
    assert "best 75.5 % · epoch 1" in words(figure, monkeypatch)
    assert {"train", "val"} <= set(words(figure, monkeypatch))
    assert has_point(ax, 20, 75.5)


def test_a_hopeless_r2_does_not_hide_the_rest(tmp_path):
    figure = r2.draw(MadeUpRun(3, 10).per_epoch(R2__val=[-5000, 0.2, 0.9]).read(tmp_path))
    assert figure.axes[0].get_ylim() == (-1.0, 1.07)


def test_gradient_norms_before_and_after_clipping(tmp_path, monkeypatch):
    figure = gradient_norm.draw(made_up_runs.few_epochs().read(tmp_path))
    assert {"before\nclipping", "after\nclipping"} <= set(words(figure, monkeypatch))
    assert np.nanmax(figure.axes[0].lines[1].get_ydata()) == 1.0


def test_equal_learning_rates_share_a_line(tmp_path, monkeypatch):
    rates = np.linspace(0.1, 0.05, 30)
    run = MadeUpRun().per_step(LearningRate__group0=rates, LearningRate__group1=rates)
    figure = learning_rate.draw(run.per_step(LearningRate__group2=rates / 2).read(tmp_path))
    assert {"groups 0, 1", "group 2"} <= set(words(figure, monkeypatch))
    assert len(figure.axes[0].lines) == 2


@pytest.mark.parametrize(
    ("rates", "scale"),
    [(0.1 * 0.9 ** np.arange(100), "log"), (np.cos(np.linspace(0, 1.57, 100)), "linear")],
    ids=["exponential", "cosine"],
)
def test_a_schedule_is_drawn_as_its_own_shape(rates, scale, tmp_path):
    figure = learning_rate.draw(MadeUpRun().per_step(LearningRate__group0=rates).read(tmp_path))
    assert figure.axes[0].get_yscale() == scale


def test_update_ratios_are_drawn_one_line_a_parameter(tmp_path, monkeypatch):
    ratios = np.array([[1e-3, 2e-3, 0.0], [5e-4, 4e-3, 0.0]])
    run = MadeUpRun().vectors("autotrack/update_ratio", ["a", "$b_1$", "c"], ratios, every=10)
    figure = update_ratio.draw(run.read(tmp_path))
    ax = figure.axes[0]
    assert ax.get_yscale() == "log"
    assert has_point(ax, 10, np.float32(4e-3))
    assert {"a", "$b_1$"} <= set(words(figure, monkeypatch))
    assert any("1 never updated" in w for w in words(figure, monkeypatch))


def test_of_many_parameters_the_first_and_the_last_have_a_panel(tmp_path):
    figure = weights.draw(made_up_runs.many_parameters().read(tmp_path))
    titles = [ax.get_title() for ax in figure.axes if ax.get_visible()]
    assert len(titles) == 12
    assert (titles[0], titles[-1]) == (made_up_runs.NAMES[0], made_up_runs.NAMES[-1])


def test_the_overview_has_the_panels_that_the_record_fills(tmp_path):
    full = overview.draw(made_up_runs.few_epochs().read(tmp_path / "full"))
    titles = [ax.get_title() for ax in full.axes if ax.get_title()]
    assert titles == [
        "Loss",
        "Accuracy",
        "Gradient Norm",
        "Update Ratio",
        "Learning Rate",
        "Samples/s",
    ]
    small = overview.draw(made_up_runs.resumed().read(tmp_path / "small"))
    assert [ax.get_title() for ax in small.axes] == ["Training Loss"]


def test_of_trainings_in_turn_the_confusion_matrix_is_of_the_last(tmp_path):
    """Each of the first two ends with every answer right."""
    right = [np.diag([50, 50])] * 10
    last = [np.array([[50 - wrong, wrong], [wrong, 50 - wrong]]) for wrong in (30, 20, 12, 14, 19)]
    run = made_up_runs.folds().confusion("val", np.array([*right, *last]))
    shown = classes.best_evaluation(run.read(tmp_path))
    assert shown is not None
    np.testing.assert_array_equal(shown.counts, last[2])
    assert "epoch 12" in shown.text


def test_the_confusion_matrix_is_that_of_the_best_evaluation(tmp_path, monkeypatch):
    history = made_up_runs.classified().read(tmp_path)
    best = int(np.argmax(history["Accuracy/val"].value))
    counts = made_up_runs.confusions(10, 4, 50)[best]
    np.testing.assert_allclose(history.confusion["val"].accuracy, history["Accuracy/val"].value)
    figure = confusion.draw(history)
    matrix = figure.axes[0]
    np.testing.assert_allclose(
        matrix.images[0].get_array(), 100 * counts / counts.sum(axis=1, keepdims=True)
    )
    written = {
        (int(text.get_position()[1]), int(text.get_position()[0])): int(text.get_text())
        for text in matrix.texts
    }
    assert written == {tuple(place): counts[tuple(place)] for place in np.argwhere(counts)}
    seen = words(figure, monkeypatch)
    assert any(w.startswith(f"val · epoch {best}, the best") for w in seen)
    off = counts - np.diag(np.diag(counts))
    assert any(f"· {off.max()} of 50" in w for w in seen)


def test_accuracy_by_class_is_the_diagonal_and_names_the_worst(tmp_path, monkeypatch):
    history = made_up_runs.classified().read(tmp_path)
    counts = made_up_runs.confusions(10, 4, 50)[int(np.argmax(history["Accuracy/val"].value))]
    shares = 100 * np.diag(counts) / counts.sum(axis=1)
    figure = per_class.draw(history)
    assert all(has_point(figure.axes[0], label, share) for label, share in enumerate(shares))
    worst = int(shares.argmin())
    assert f"class {worst} · {shares[worst]:.3g} %" in words(figure, monkeypatch)


def test_a_class_without_samples_is_no_class_that_is_never_recognised(tmp_path):
    history = made_up_runs.two_classes().read(tmp_path)
    shares = confusion.draw(history).axes[0].images[0].get_array()
    np.testing.assert_allclose(shares[0].filled(np.nan), [100 * 40_000 / 40_123, 12300 / 40_123])
    assert np.isnan(np.ma.filled(shares[1], np.nan)).all()


def test_gradients_flow_by_layer_in_the_order_of_depth(tmp_path, monkeypatch):
    history = made_up_runs.classified().read(tmp_path)
    norms = history.vectors["autotrack/gradient_norm"].value.astype(float)
    figure = gradient_flow.draw(history)
    ax = figure.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == list("012345")
    assert ax.get_ylim() == (5.5, -0.5)
    cells = ax.collections[0].get_array()
    by_hand = np.hypot(norms[:, 0], norms[:, 1])
    np.testing.assert_allclose(cells[0], by_hand, rtol=1e-6)
    assert np.ma.getmaskarray(np.ma.masked_invalid(cells))[2].all()
    assert "1 without gradient" in words(figure, monkeypatch)


def test_every_optimizer_has_its_own_gradient_flow(tmp_path):
    history = made_up_runs.adversaries().read(tmp_path)
    axes = [ax for ax in gradient_flow.draw(history).axes if ax.get_title()]
    assert [ax.get_title() for ax in axes] == ["Gradient Flow, opt_g", "Gradient Flow, opt_d"]
    for ax, stream in zip(axes, history.streams, strict=True):
        norms = history.vectors[f"autotrack/gradient_norm/{stream}"].value
        np.testing.assert_allclose(ax.collections[0].get_array(), norms.T, rtol=1e-6)


def test_classes_have_their_names_where_the_record_knows_them(tmp_path, monkeypatch):
    history = made_up_runs.named_classes().read(tmp_path)
    seen = words(confusion.draw(history), monkeypatch)
    assert {"T-shirt/top", "$x_1$ <b>boot"} <= set(seen)
    worst = int(np.diag(made_up_runs.confusions(10, 6, 100)[2]).argmin())
    assert any(
        w.startswith(f"{made_up_runs.GARMENTS[worst]} · ")
        for w in words(per_class.draw(history), monkeypatch)
    )
    other = made_up_runs.classified().read(tmp_path / "other")
    other.run["classes"] = [list("abcdefghij"), list("ABCDEFGHIJ")]
    assert "a" not in words(confusion.draw(other), monkeypatch)


def test_the_overview_of_a_classification(tmp_path, monkeypatch):
    history = made_up_runs.named_classes().read(tmp_path)
    figure = overview.draw(history)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    above = ["Loss", "Accuracy", "Confusion"]
    assert titles == [*above, "Gradient Norm", "Gradient Flow", "Update Ratio", "Samples/s"]
    counts = made_up_runs.confusions(10, 6, 100)[2]
    seen = [text.get_text() for text in figure.axes[2].texts if text.get_text().isdigit()]
    assert sorted(map(int, seen)) == sorted(counts[counts > 0])


def test_parts_of_the_loss_are_drawn_but_no_stream_is_one(tmp_path, monkeypatch):
    history = made_up_runs.classified().read(tmp_path / "one")
    ax = components.draw(history).axes[0]
    assert {"cross_entropy", "mse_loss", "whole loss"} <= set(words(ax.figure, monkeypatch))
    assert has_point(ax, 3, np.float32(falling(80)[3] * 0.2))
    assert components.draw(made_up_runs.adversaries().read(tmp_path / "two")) is None


def test_parts_that_are_evaluated_have_a_panel_each(tmp_path, monkeypatch):
    """None of several parts of an evaluation is its loss: they stand beside training's."""
    history = made_up_runs.detected().read(tmp_path)
    figure = components.draw(history)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[:3] == ["loss_ce", "loss_bbox", "loss_giou"]
    assert len(titles) == 9
    assert has_point(figure.axes[1], 3, np.float32(falling(80)[3] * 2 / 5))
    seen = words(figure, monkeypatch)
    assert [seen.count(name) for name in ("train", "val", "test")] == [9, 9, 9]
    figure = loss.draw(history)
    assert figure.axes[0].get_title() == "Training Loss"
    assert not [word for word in words(figure, monkeypatch) if "loss_" in word]


def test_a_lone_part_of_an_evaluation_stands_beside_the_loss(tmp_path, monkeypatch):
    run = made_up_runs.classified()
    run.per_epoch(Loss__val__cross_entropy=np.linspace(2, 1, 5))
    figure = loss.draw(run.read(tmp_path))
    assert "val/cross_entropy" in words(figure, monkeypatch)


def test_the_programs_own_numbers_have_a_panel_each(tmp_path):
    figure = logged.draw(made_up_runs.classified().read(tmp_path))
    titles = [ax.get_title() for ax in figure.axes if ax.get_visible()]
    assert titles[:2] == ["Temperature", "own/$größe_"]
    assert titles[2].startswith("xxx")
    assert "…" in titles[2]
    assert has_point(figure.axes[1], 5, np.float32(-falling(80)[5]))


def test_steps_of_the_learning_rate_are_marked_on_the_loss(tmp_path, monkeypatch):
    history = made_up_runs.classified().read(tmp_path)
    figure = loss.draw(history)
    assert "rate ÷ 10" in words(figure, monkeypatch)
    assert any(list(line.get_xdata()) == [40, 40] for line in figure.axes[0].lines)
    assert events.rate_changes(np.cos(np.linspace(0, 1, 50))).tolist() == []


def test_skipped_steps_are_marked_where_they_would_have_stood(tmp_path, monkeypatch):
    for figure in (loss, gradient_norm):
        drawn = figure.draw(made_up_runs.scaled().read(tmp_path / figure.__name__))
        assert "6 steps skipped" in words(drawn, monkeypatch)
        (marks,) = [line for line in drawn.axes[0].lines if line.get_marker() == "|"]
        assert list(marks.get_xdata()) == [0, 1, 33, 60]


def test_a_stretch_of_overfitting_is_shaded_and_named(tmp_path, monkeypatch):
    history = made_up_runs.classified().read(tmp_path)
    seen = Evidence("Loss/val", "", int(history["Loss/val"].step[2]), 80)
    finding = Finding("overfitting", "problem", "Overfitting", "", (), (seen,))
    spike = Evidence("Loss/train", "", 30, 30)
    monkeypatch.setattr(
        events, "find", lambda _: [finding, Finding("loss-spikes", "note", "", "", (), (spike,))]
    )
    figure = loss.draw(history)
    assert {"overfitting", "spike"} <= set(words(figure, monkeypatch))
    assert overlaps(figure, monkeypatch) == []
    [band] = [patch for patch in figure.axes[0].patches if patch.get_alpha() == 0.05]
    assert band.get_extents().x0 == pytest.approx(
        figure.axes[0].transData.transform((60, 0))[0], abs=1
    )


@pytest.mark.parametrize("name", ["dark", "print"])
def test_texts_keep_apart_in_every_style(name, tmp_path, monkeypatch):
    history = made_up_runs.classified().read(tmp_path)
    with palette.chosen(name):
        for figure_name in ("overview", "loss", "confusion", "per_class", "gradient_flow"):
            figure = dict(saving.figures())[figure_name](history)
            assert overlaps(figure, monkeypatch) == [], figure_name


def test_runs_are_compared_by_completed_steps(tmp_path, monkeypatch):
    made = (made_up_runs.evaluated_before, made_up_runs.many_epochs, made_up_runs.one_step)
    runs = [one().read(tmp_path / one.__name__) for one in made]
    figure = compare.draw(runs)
    assert [ax.get_xlabel() for ax in figure.axes] == ["Step", "Step", ""]
    for step, value in zip((20, 40, 60), (1.0, 0.8, 0.7), strict=True):
        assert has_point(figure.axes[0], step, np.float32(value))
    assert overlaps(figure, monkeypatch) == []
    assert outside(figure, monkeypatch) == []
    assert compare.draw([MadeUpRun().read(tmp_path / "empty")]) is None


def test_the_best_of_the_compared_runs_is_bold(tmp_path, monkeypatch):
    runs = []
    for rate, values in ((0.1, [3.0, 1.25, 2.0]), (0.01, [3.0, 2.5, 1.5])):
        run = MadeUpRun(3, 4, facts={"name": f"rate {rate}", "config": {"lr": rate}})
        run.per_step(Loss__train=np.ones(12)).per_epoch(Loss__val=values)
        runs.append(run.read(tmp_path / str(rate)))
    figure = compare.draw(runs)
    assert {"best Loss/val", "1.25 · epoch 1", "1.5 · epoch 2", "lr", "0.1"} <= set(
        words(figure, monkeypatch)
    )
    bold = [t.get_text() for t in figure.axes[-1].texts if t.get_fontweight() == "bold"]
    assert bold == ["1.25 · epoch 1"]


def test_names_are_no_formulas(tmp_path, monkeypatch):
    history = made_up_runs.awkward_names().read(tmp_path)
    assert "$x_1$ weight" in words(weights.draw(history), monkeypatch)
    assert "$\\alpha_" in words(overview.draw(history), monkeypatch)
    assert not any(text.get_parse_math() for text in overview.draw(history).findobj(Text))


# -- parts ---------------------------------------------------------------------------------------


@given(
    values=arrays.arrays(
        np.float64,
        st.integers(1, 400),
        elements=st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf]),
    ),
    buckets=st.integers(1, 30),
)
def test_decimation_keeps_the_extremes_of_every_bucket(values, buckets):
    x = np.arange(len(values), dtype=float)
    kept = decimation.kept_indices(values, buckets)
    assert (np.diff(kept) > 0).all()
    size = int(np.ceil(len(values) / buckets))
    for start in range(0, len(values), size):
        bucket = values[start : start + size]
        here = values[kept[(kept >= start) & (kept < start + size)]]
        finite, kept_finite = bucket[np.isfinite(bucket)], here[np.isfinite(here)]
        if len(finite):
            assert (kept_finite.min(), kept_finite.max()) == (finite.min(), finite.max())
        assert np.isfinite(bucket).all() == np.isfinite(here).all()
    assert {0, len(values) - 1} <= set(kept.tolist())
    drawn_x, drawn_y = decimation.decimate(x, values, buckets)
    assert len(drawn_x) <= 5 * buckets
    np.testing.assert_array_equal(drawn_y, values[drawn_x.astype(int)])


def test_smoothing_is_a_mean_of_what_is_near():
    x = np.arange(5000.0)
    noisy = 0.001 * x + np.random.default_rng(0).normal(0, 0.3, 5000)
    smoothed = smoothing.smooth(x, noisy)
    middle = slice(100, -100)
    assert np.abs(smoothed.y - 0.001 * smoothed.x)[middle].max() < 0.1
    np.testing.assert_allclose(smoothing.smooth(x, np.full(5000, 7.0)).y, 7.0)


def test_smoothing_passes_over_what_is_missing_and_survives_a_spike():
    y = np.ones(4000)
    y[2000], y[100], y[3000:] = 1e30, np.nan, np.nan
    smoothed = smoothing.smooth(np.arange(4000.0), y)
    np.testing.assert_allclose(smoothed.y[smoothed.x < 1500], 1.0)
    assert np.isnan(smoothed.y[smoothed.x > 3010]).all()


@pytest.mark.parametrize("splits", [[1000], [3], [3, 2500, 3999], [0, 4000]])
def test_smoothing_reaches_over_no_split(splits):
    """Each training has a value of its own: no mean lies between two of them."""
    y = np.searchsorted(splits, np.arange(4000), "right").astype(np.float64) + 1
    smoothed = smoothing.smooth(np.arange(4000.0), y, splits=np.array(splits))
    expected = np.searchsorted(splits, smoothed.x, "right") + 1.0
    np.testing.assert_allclose(smoothed.y, expected, rtol=1e-12)
    assert (np.diff(smoothed.x) > 0).all()


def test_a_smoothed_line_ends_where_a_training_does(tmp_path):
    """Where the next one begins there is a gap in figures; the page parts lines itself."""
    loss = np.repeat([3.0, 2.0], 400) + np.random.default_rng(0).normal(0, 0.1, 800)
    run = MadeUpRun(2, 400).per_step(Loss__train=loss, GradNorm__total=loss).begins_anew(400)
    history = run.read(tmp_path)
    smoothed = gradient_norm.draw(history).axes[0].lines[1]
    x, y = smoothed.get_xdata(), smoothed.get_ydata()
    assert x[np.isnan(y)].tolist() == [400.0]
    assert y[x < 400].min() > y[x > 400].max()
    (curve,) = tags.training(history, "GradNorm/total")
    (_, calmer) = lines_of(curve, TimeAxis.of(history), 0, calm=True)
    assert np.isfinite(calmer.y).all()


def test_noise_is_measured_apart_from_the_slope():
    noise = np.random.default_rng(0).normal(0, 0.2, 20_000)
    assert smoothing.noise(np.linspace(0, 500, 20_000) + noise) == pytest.approx(0.2, rel=0.05)


@given(
    centres=st.lists(st.floats(0, 100), min_size=1, max_size=9),
    heights=st.lists(st.floats(1, 10), min_size=9, max_size=9),
)
def test_names_are_moved_apart_within_the_panel(centres, heights):
    centres, heights = np.sort(centres), np.array(heights[: len(centres)])
    moved = names.apart(centres, heights, 0.0, 100.0)
    assert (np.diff(moved) >= (heights[1:] + heights[:-1]) / 2 - 1e-9).all()
    assert moved[0] >= -1e-9
    assert moved[-1] <= 100 + 1e-9


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0213, "0.0213"),
        (0.30612, "0.306"),
        (12_345.6, "12,346"),
        (99.96, "100"),
        (1e-4, "0.0001"),
        (float(np.float32(1e-5)), "10⁻⁵"),
        (2.5e-9, "2.5\N{MULTIPLICATION SIGN}10⁻⁹"),
        (-1.5, "\N{MINUS SIGN}1.5"),
        (0.0, "0"),
        (3e8, "3\N{MULTIPLICATION SIGN}10⁸"),
    ],
)
def test_numbers_are_written_as_a_person_would(value, text):
    assert scales.number(value) == text


@given(st.floats(-1e9, 1e9), st.sampled_from([1e-7, 1e-3, 0.25, 1.0, 50.0, 2e4]))
def test_tick_labels_differ_where_ticks_do(start, gap):
    ticks = [start + gap * place for place in range(5)]
    labels = scales.PlainNumbers().format_ticks(ticks)
    if abs(start) / gap < 1e9:
        assert len(set(labels)) == len(labels)


def test_densities_hold_what_the_values_hold():
    values = np.random.default_rng(0).normal(3, 2, 100_000)
    history_of = histogram(values)
    grid = np.linspace(-7, 13, 400)
    run = densities.density(one_histogram(history_of), 0, grid)
    exact, _ = np.histogram(values, np.append(grid - 0.025, grid[-1] + 0.025))
    assert run.sum() == pytest.approx(1.0, abs=0.01)
    assert (grid * run).sum() == pytest.approx(values.mean(), abs=0.05)
    # Buckets are half an octave wide, so the outline is only roughly that of the values.
    assert np.abs(run - exact / len(values)).sum() < 0.25


def one_histogram(one):
    from autotrack.series import HistogramSeries

    zero = np.zeros(1, np.int64)
    return HistogramSeries(
        "Weights/w", zero, zero, np.zeros(1), [one.limits], [one.counts],
        np.array([one.minimum]), np.array([one.maximum]), np.array([one.number]),
        np.array([one.total]), np.array([one.total_squares]), np.zeros((1, 3), np.int64),
    )  # fmt: skip


@given(st.lists(st.floats(0.01, 5), min_size=1, max_size=12))
def test_cumulative_counts_stay_monotone_between_buckets(gaps):
    x = np.concatenate([[0.0], np.cumsum(gaps)])
    y = np.cumsum(np.arange(len(x)) % 3).astype(float)
    between = densities.monotone(x, y, np.linspace(x[0], x[-1], 300))
    assert (np.diff(between) >= -1e-9).all()
    np.testing.assert_allclose(densities.monotone(x, y, x), y, atol=1e-9)


def contrast(one, other):
    """Contrast of two colours after WCAG 2."""

    def luminance(colour):
        channels = mpl.colors.to_rgb(colour)
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return np.dot(linear, [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", palette.STYLES)
def test_texts_are_legible_in_every_style(name):
    with palette.chosen(name) as colours:
        for colour in colours.series:
            assert contrast(style.letters(colour), colours.paper) >= 4.45
        assert contrast(colours.soft_ink, colours.paper) >= 4.5
        assert contrast(colours.alarm, colours.paper) >= 4.5


def test_styles_are_what_they_say(tmp_path):
    history = made_up_runs.evaluated_before().read(tmp_path / "run")
    for name in palette.STYLES:
        save(history, tmp_path / name, look=name)
    pixels = {
        name: np.asarray(Image.open(tmp_path / name / "loss.png").convert("RGBA"), int)
        for name in palette.STYLES
    }
    assert pixels["light"][0, 0].tolist() == [255, 255, 255, 255]
    assert pixels["dark"][0, 0].tolist() == [0x14, 0x17, 0x1C, 255]
    assert pixels["print"][0, 0, 3] == 0
    # Nothing is told by hue alone where there may be none.
    inked = pixels["print"][pixels["print"][..., 3] > 0]
    assert np.ptp(inked[:, :3], axis=1).max() <= 2
    with pytest.raises(ValueError, match="light, dark, print"):
        save(history, tmp_path / "no", look="grey")
    assert not (tmp_path / "no").exists()
    assert palette.current() is palette.LIGHT


def test_a_million_steps_are_drawn_with_few_points_and_every_spike():
    steps = np.arange(1_000_000)
    values = np.ones(len(steps), np.float32)
    values[[123_456, 777_777]] = 50.0, 0.1
    series = Series("Loss/train", steps, steps, np.full(len(steps), -1), steps / 1.0, values)
    history = History(Path("runs"), {"Loss/train": series}, {}, {}, {}, {}, {}, [""], 0, {})
    ax = loss.draw(history).axes[0]
    assert has_point(ax, 123_456, 50.0)
    assert has_point(ax, 777_777, values[777_777])
    assert sum(len(line.get_xdata()) for line in ax.lines) < 10_000


# -- files ---------------------------------------------------------------------------------------


def test_figures_are_saved_under_their_names(tmp_path):
    history = made_up_runs.few_epochs().read(tmp_path / "run")
    report = save(history, tmp_path / "new" / "figures", ("png", "svg", "pdf"))
    expected = [
        "overview",
        "accuracy",
        "gradient_norm",
        "learning_rate",
        "loss",
        "update_ratio",
        "weights",
    ]
    assert [path.stem for path in report.paths[::3]] == expected
    assert [path.suffix for path in report.paths[:3]] == [".png", ".svg", ".pdf"]
    assert report.directory == tmp_path / "new" / "figures"
    assert sorted(path.name for path in report.directory.iterdir()) == sorted(
        path.name for path in report.paths
    )
    assert str(report).split("\n") == [str(path) for path in report.paths]
    with Image.open(report.directory / "loss.png") as image:
        assert image.size == (1280, 740)
    assert (report.directory / "loss.pdf").read_bytes().startswith(b"%PDF")


def test_the_same_record_gives_the_same_files(tmp_path):
    history = made_up_runs.evaluated_before().read(tmp_path / "run")
    one = save(history, tmp_path / "one", ("png", "svg", "pdf"))
    two = save(history, tmp_path / "two", ("png", "svg", "pdf"))
    assert [a.read_bytes() for a in one.paths] == [b.read_bytes() for b in two.paths]


def test_svg_holds_text_as_text(tmp_path):
    history = made_up_runs.awkward_names().read(tmp_path / "run")
    save(history, tmp_path, "svg")
    root = ET.parse(tmp_path / "weights.svg").getroot()  # noqa: S314 - written just before
    texts = [
        "".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")
    ]
    assert {"$x_1$ weight", "Größe.ß_μ", "Weights over time"} <= set(texts)


def test_every_text_of_every_figure_is_text_in_svg_and_pdf(tmp_path, monkeypatch):
    history = made_up_runs.named_classes().read(tmp_path / "run")
    run = [(name, draw(history)) for name, draw in saving.figures()]
    run.append(("compare", compare.draw([history, history])))
    for name, figure in run:
        if figure is None:
            continue
        root = ET.parse(saving.write(figure, tmp_path / f"{name}.svg", "svg")).getroot()  # noqa: S314 - written just before
        texts = {
            "".join(node.itertext()).strip()
            for node in root.iter("{http://www.w3.org/2000/svg}text")
        }
        lines = {line.strip() for text in words(figure, monkeypatch) for line in text.split("\n")}
        assert lines <= texts, name
    pdf = saving.write(run[0][1], tmp_path / "overview.pdf", "pdf").read_bytes()
    # Glyphs that are drawings (Type 3) would be no text.
    assert b"/Subtype /Type3" not in pdf
    assert b"/FontFile2" in pdf


def test_letters_that_no_font_has_are_no_error(tmp_path):
    run = MadeUpRun(1, 5, facts={"name": "重み 🙂"}).per_step(Loss__train=falling(5))
    assert len(save(run.read(tmp_path / "run"), tmp_path, ("png", "svg", "pdf")).paths) == 6


@pytest.mark.parametrize("formats", [("png", "bmp"), "jpg", (".png",)])
def test_an_unknown_format_is_a_clear_error_and_writes_nothing(formats, tmp_path):
    history = made_up_runs.one_step().read(tmp_path / "run")
    with pytest.raises(ValueError, match="png, svg, pdf"):
        save(history, tmp_path / "figures", formats)
    assert not (tmp_path / "figures").exists()


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    history = made_up_runs.one_step().read(tmp_path / "run")
    [old, *_] = save(history, tmp_path / "figures").paths
    before = old.read_bytes()

    def full_disk(self, file, **_):
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save(history, tmp_path / "figures")
    assert old.read_bytes() == before
    assert list((tmp_path / "figures").glob(".*")) == []


def test_a_notebook_shows_each_figure_once(tmp_path):
    history = made_up_runs.one_step().read(tmp_path / "run")
    report = save(history, tmp_path / "a&b", ("pdf", "svg", "png"))
    shown = report._repr_html_()
    assert shown.count("<img") == len(report.paths) / 3
    assert "data:image/svg+xml;base64," in shown
    assert "a&amp;b" in shown
    assert Report(tmp_path, [])._repr_html_().count("<img") == 0


# -- the person's own plots ----------------------------------------------------------------------

DRAW = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from made_up_runs import few_epochs
"""


def run_python(source, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DRAW.format(tests=str(PROJECT / "tests")) + source],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_neither_pyplot_nor_torch_is_imported_and_no_backend_chosen(tmp_path):
    source = """
import matplotlib
before = dict.items(matplotlib.rcParams)
before = {name: value for name, value in before}
from autotrack.reports import save
save(few_epochs().read(Path("run")), "figures", ("png", "svg", "pdf"))
assert {name: value for name, value in dict.items(matplotlib.rcParams)} == before
assert matplotlib.get_backend(auto_select=False) is None
print([name for name in ("matplotlib.pyplot", "torch") if name in sys.modules])
"""
    assert run_python(source, tmp_path) == "[]\n"


def test_a_persons_pyplot_state_and_settings_are_untouched(tmp_path):
    source = """
import matplotlib
matplotlib.use("svg")
import matplotlib.pyplot as plt
plt.style.use("dark_background")
plt.rcParams.update({"font.size": 31, "lines.linewidth": 9, "text.color": "red"})
figure, ax = plt.subplots()
ax.plot([1, 2])
before = {name: value for name, value in dict.items(plt.rcParams)}
from autotrack.reports import save
save(few_epochs().read(Path("run")), "figures")
assert {name: value for name, value in dict.items(plt.rcParams)} == before
assert plt.get_fignums() == [1] and plt.gcf() is figure and plt.gca() is ax
assert matplotlib.get_backend() == "svg"
"""
    run_python(source, tmp_path)
    history = made_up_runs.few_epochs().read(tmp_path / "again")
    for path in save(history, tmp_path / "plain").paths:
        assert path.read_bytes() == (tmp_path / "figures" / path.name).read_bytes(), path.name


def test_figures_are_the_modules_that_draw():
    found = dict(saving.figures())
    assert next(iter(found)) == "overview"
    for path in Path(loss.__file__).parent.glob("*.py"):
        module = importlib.import_module(f"{loss.__package__}.{path.stem}")
        single = hasattr(module, "draw") and not hasattr(module, "SEVERAL_RUNS")
        assert (path.stem in found) == single
    assert curves.__name__.rpartition(".")[2] not in found
