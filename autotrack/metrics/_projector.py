"""Files of TensorBoard's projector: tab-separated tensors and labels, and a configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

CONFIGURATION = "projector_config.pbtxt"
_FORBIDDEN = re.compile(r"[^\w-]")


class Points(NamedTuple):
    """Features [n, width], and for each point its label and predicted class."""

    features: NDArray[np.float32]
    labels: list[int]
    predicted: list[int]


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
        configuration.embeddings.add(
            tensor_name=phase,
            tensor_path=tensors,
            metadata_path=labels,
            tensor_shape=own.features.shape,
        )
    text = text_format.MessageToString(configuration)
    (directory / CONFIGURATION).write_text(text, encoding="utf-8")


def _table(points: Points) -> str:
    # a projector cannot place what is no number
    rows = points.features.astype(float)
    rows[~(abs(rows) < float("inf"))] = 0.0
    return "".join("\t".join(f"{number:.6g}" for number in row) + "\n" for row in rows)


def _labels(points: Points) -> str:
    both = zip(points.labels, points.predicted, strict=True)
    return "label\tpredicted\tright\n" + "".join(
        f"{label}\t{predicted}\t{'yes' if label == predicted else 'no'}\n"
        for label, predicted in both
    )
