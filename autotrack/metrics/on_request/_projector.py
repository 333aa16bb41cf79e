"""Files of TensorBoard's projector: tab-separated tensors and labels, and a configuration."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from autotrack.eventtabs import png

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

CONFIGURATION = "projector_config.pbtxt"
_FORBIDDEN = re.compile(r"[^\w-]")


class Points(NamedTuple):
    """Features [n, width], and for each point its label, predicted class and, if known, picture.

    `pictures` are [n, height, width, 3] between 0 and 1.
    """

    features: NDArray[np.float32]
    labels: list[str]
    predicted: list[str]
    pictures: NDArray[np.float32] | None = None


def write(directory: Path, points: Mapping[str, Points]) -> None:
    """Write the points of each phase into `directory`; raises OSError where that fails."""
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    configuration = ProjectorConfig()
    for number, (phase, own) in enumerate(points.items()):
        tensors = f"embeddings_{number}_{_FORBIDDEN.sub('_', phase)}.tsv"
        labels = tensors.replace(".tsv", "_labels.tsv")
        (directory / tensors).write_text(_table(own), encoding="utf-8")
        (directory / labels).write_text(_labels(own), encoding="utf-8")
        embedding = configuration.embeddings.add(
            tensor_name=phase,
            tensor_path=tensors,
            metadata_path=labels,
            tensor_shape=own.features.shape,
        )
        if own.pictures is not None:
            image = tensors.replace(".tsv", ".png")
            (directory / image).write_bytes(png(_sprite(own.pictures)))
            embedding.sprite.image_path = image
            embedding.sprite.single_image_dim.extend(own.pictures.shape[2:0:-1])
    text = text_format.MessageToString(configuration)
    (directory / CONFIGURATION).write_text(text, encoding="utf-8")


def _sprite(pictures: NDArray[np.float32]) -> NDArray[np.uint8]:
    """All pictures row by row in a square of as many rows as columns, as the projector wants it."""
    count, height, width, _ = pictures.shape
    side = math.ceil(math.sqrt(count))
    sheet = np.zeros((side * height, side * width, 3), np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, side)
        place = slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width)
        sheet[place] = np.round(255 * picture)
    return sheet


def _table(points: Points) -> str:
    # a projector cannot place what is no number
    rows = points.features.astype(float)
    rows[~(abs(rows) < float("inf"))] = 0.0
    return "".join("\t".join(f"{number:.6g}" for number in row) + "\n" for row in rows)


def _labels(points: Points) -> str:
    both = zip(points.labels, points.predicted, strict=True)
    return "label\tpredicted\tright\n" + "".join(
        f"{_cell(label)}\t{_cell(predicted)}\t{'yes' if label == predicted else 'no'}\n"
        for label, predicted in both
    )


def _cell(text: str) -> str:
    return " ".join(text.split())
