"""The digits of the tests can be read by torchvision, whichever of the two they are."""

from __future__ import annotations

import numpy as np
import pytest
from _torchvision import datasets
from mnist_files import real_digits, write_mnist, write_small_digits
from sklearn.datasets import load_digits


def test_torchvision_reads_the_small_digits(tmp_path):
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    write_small_digits(raw)
    digits = datasets.MNIST(tmp_path, train=True, download=True)
    assert digits.data.shape == (1797, 28, 28)
    expected = load_digits()
    assert digits.targets.tolist() == expected.target.tolist()
    # one pixel of 8 x 8 became a square of 3 x 3
    np.testing.assert_array_equal(digits.data[5, 2:26:3, 2:26:3], expected.images[5] * 15)


@pytest.mark.skipif(real_digits() is None, reason="the real MNIST files are not on this machine")
def test_torchvision_reads_the_real_digits(tmp_path):
    digits = datasets.MNIST(write_mnist(tmp_path), train=False, download=True)
    assert digits.data.shape == (10000, 28, 28)
    assert digits.targets[:5].tolist() == [7, 2, 1, 0, 4]


def test_a_wrong_folder_in_the_environment_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOTRACK_MNIST", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="AUTOTRACK_MNIST"):
        real_digits()
