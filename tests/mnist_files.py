"""A directory that torchvision.datasets.MNIST accepts without a download."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

REPOSITORY = Path(__file__).resolve().parent.parent
NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def real_digits() -> Path | None:
    """The folder of the four real files, named by AUTOTRACK_MNIST or lying beside the checkout."""
    named = os.environ.get("AUTOTRACK_MNIST")
    folder = Path(named) if named else REPOSITORY.parent / "shared/data/MNIST/raw"
    found = all((folder / f"{name}.gz").exists() or (folder / name).exists() for name in NAMES)
    if named and not found:
        message = f"AUTOTRACK_MNIST={named}: the four MNIST files are not there"
        raise FileNotFoundError(message)
    return folder if found else None


def write_mnist(root: Path) -> Path:
    """Fill `root` with the real files, else with scikit-learn's digits; return `root`."""
    raw = root / "MNIST/raw"
    raw.mkdir(parents=True)
    folder = real_digits()
    if folder is None:
        write_small_digits(raw)
    else:
        unpack(folder, raw)
    return root


def unpack(folder: Path, raw: Path) -> None:
    """Copy the four files, unpacked: torchvision checks the packed ones against one packing."""
    for name in NAMES:
        packed = folder / f"{name}.gz"
        if packed.exists():
            (raw / name).write_bytes(gzip.decompress(packed.read_bytes()))
        else:
            shutil.copy(folder / name, raw)


def write_small_digits(raw: Path) -> None:
    """Write the 1,797 digits of 8 x 8 pixels as 28 x 28, in the format of MNIST."""
    digits = load_digits()
    images = np.zeros((len(digits.images), 28, 28), dtype=np.uint8)
    images[:, 2:26, 2:26] = np.kron(digits.images * 15, np.ones((3, 3))).astype(np.uint8)
    labels = digits.target.astype(np.uint8)
    # the networks of the tests use the first 1,000 of each, so both parts need that many
    for part, rows in (("train", slice(None)), ("t10k", slice(None, None, -1))):
        write_idx(raw / f"{part}-images-idx3-ubyte", images[rows])
        write_idx(raw / f"{part}-labels-idx1-ubyte", labels[rows])


def write_idx(path: Path, values: np.ndarray) -> None:
    """Write unsigned bytes as IDX: a magic number, the sizes big-endian, the values."""
    header = bytes([0, 0, 0x08, values.ndim])
    sizes = np.array(values.shape, dtype=">u4").tobytes()
    path.write_bytes(header + sizes + np.ascontiguousarray(values).tobytes())
