"""Histograms from bit counts, against numpy's own count of the same values on the same edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from autotrack.records import Histogram, histogram_from_bit_counts

rng = np.random.default_rng(0)
LARGEST = float(np.finfo(np.float32).max)
DENORMAL = 2.0**-140
SMALLEST_NORMAL = 2.0**-126

TENSORS = {
    "normal": rng.normal(size=5000),
    "positive": np.abs(rng.normal(size=500)),
    "negative": -np.abs(rng.normal(size=500)),
    "heavy tails": rng.standard_cauchy(size=2000) * 1e3,
    "gradients": rng.normal(size=3000) * 1e-9,
    "many zeros": np.maximum(rng.normal(size=1000), 0),
    "powers of two": np.array([-4, -2, -1, -0.5, 0.5, 1, 1.5, 2, 3, 4]),
    "just below an edge": np.nextafter(np.float32([1.5, 2, -1.5, -2]), np.float32(0)),
    "zero": np.zeros(7),
    "negative zero": np.full(3, -0.0),
    "denormal": np.array([DENORMAL, -DENORMAL, 0]),
    "denormals beside normals": np.array([DENORMAL, SMALLEST_NORMAL, -SMALLEST_NORMAL]),
    "huge": np.array([LARGEST, -LARGEST, 1]),
    "constant": np.full(11, 0.3),
    "one negative": np.array([-7.0]),
    "two far apart": np.array([-1e30, 1e-30]),
}


def bit_counts(values):
    bits = np.asarray(values, np.float32).view(np.int32)
    return np.bincount((bits >> 22) & 1023, minlength=1024)


def histogram(values, **options) -> Histogram:
    values = np.asarray(values, np.float32)
    finite = values[np.isfinite(values)].astype(np.float64)
    least, most = (finite.min(), finite.max()) if finite.size else (np.inf, -np.inf)
    return histogram_from_bit_counts(
        bit_counts(values), least, most, finite.sum(), np.square(finite).sum(), **options
    )


def counted(values, limits):
    """How many values lie in each bucket; edges belong to the side that is farther from zero."""
    values = np.asarray(values, np.float32).astype(np.float64)
    positive = np.digitize(values[values >= 0], limits)
    negative = np.digitize(values[values < 0], limits, right=True)
    return np.bincount(np.concatenate([positive, negative]), minlength=len(limits))


@pytest.mark.parametrize("name", TENSORS)
def test_counts_are_those_of_numpy_on_the_same_edges(name):
    found = histogram(TENSORS[name])
    assert found.counts.tolist() == counted(TENSORS[name], found.limits).tolist()
    assert found.number == len(TENSORS[name]) == found.counts.sum()


def test_nothing_but_zeros_stands_in_the_narrowest_bin():
    found = histogram_from_bit_counts(bit_counts([0.0, -0.0, 0.0]), 0.0, 0.0, 0.0, 0.0)
    assert found.limits.tolist() == [float(np.finfo(np.float32).tiny)]
    assert found.counts.tolist() == [3.0]


@given(arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32)))
def test_any_tensor_is_counted_as_numpy_counts_its_finite_values(values):
    found = histogram(values)
    finite = values[np.isfinite(values)]
    assert found.number == len(finite)
    assert found.counts.tolist() == counted(finite, found.limits).tolist()
    assert (np.diff(found.limits) > 0).all()


@pytest.mark.parametrize("name", TENSORS)
def test_edges_are_powers_of_two_and_halfway_between(name):
    fractions, _ = np.frexp(np.abs(histogram(TENSORS[name]).limits))
    assert set(fractions.tolist()) <= {0.5, 0.75}


@pytest.mark.parametrize("name", TENSORS)
def test_limits_increase_from_the_minimum_to_the_maximum(name):
    found = histogram(TENSORS[name])
    assert (np.diff(found.limits) > 0).all()
    assert found.minimum <= found.limits[0]
    assert found.maximum <= found.limits[-1]
    # TensorBoard draws the outermost buckets from the minimum and to the maximum
    assert found.counts[0] > 0
    assert found.counts[-1] > 0
    # a run of empty buckets is one bucket
    empty = found.counts == 0
    assert not (empty[1:] & empty[:-1]).any()


@pytest.mark.parametrize("name", TENSORS)
def test_it_stays_below_sixty_buckets(name):
    assert len(histogram(TENSORS[name]).limits) < 60


def test_a_tensor_of_all_magnitudes_stays_below_sixty_buckets():
    magnitudes = np.ldexp(1.0, np.arange(-149, 128)) * 1.2
    assert len(histogram(np.concatenate([magnitudes, -magnitudes])).limits) < 60


def test_the_statistics_are_kept():
    found = histogram_from_bit_counts(bit_counts([1, 2]), 1.0, 2.0, 3.0, 5.0, (4, 5, 6))
    assert (found.minimum, found.maximum, found.total, found.total_squares) == (1, 2, 3, 5)
    assert found.nonfinite == (4, 5, 6)


def test_magnitudes_twelve_octaves_down_count_as_zero():
    kept = histogram([3.0, 2.0**-11])
    merged = histogram([3.0, np.nextafter(np.float32(2.0**-11), np.float32(0))])
    assert kept.limits.tolist() == [1.5 * 2.0**-11, 3.0, 4.0]
    assert merged.limits.tolist() == [2.0**-11, 3.0, 4.0]


def test_the_floor_can_be_chosen():
    assert histogram([0.3, 3.0], floor_exponent=0).limits.tolist() == [1, 3, 4]
    assert histogram([0.3, 3.0], floor_exponent=-2).limits.tolist() == [0.375, 3, 4]


@pytest.mark.parametrize("exponent", [-500, 500])
def test_a_floor_outside_the_normal_numbers_is_the_nearest_inside(exponent):
    values = [SMALLEST_NORMAL, 1.0, -3.0]
    found = histogram(values, floor_exponent=exponent)
    assert found.counts.tolist() == counted(values, found.limits).tolist()


@pytest.mark.parametrize("values", [[], [np.nan, np.inf, -np.inf]])
def test_without_finite_values_there_are_no_buckets(values):
    found = histogram(values, nonfinite=(1, 1, 1))
    assert (found.number, len(found.limits), len(found.counts)) == (0, 0, 0)
    assert np.isnan([found.minimum, found.maximum]).all()
    assert (found.total, found.total_squares, found.nonfinite) == (0, 0, (1, 1, 1))


def test_nonfinite_values_are_in_no_bucket():
    found = histogram([np.nan, -np.nan, np.inf, -np.inf, 1.0], nonfinite=(2, 1, 1))
    assert found.number == found.counts.sum() == 1
    assert found.limits.tolist() == [1.5]


def test_another_number_of_codes_is_an_error():
    with pytest.raises(ValueError, match="expected 1024 bit code counts, got 512"):
        histogram_from_bit_counts(np.zeros(512, np.int64), 0, 0, 0, 0)
