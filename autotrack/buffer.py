"""Values on their way home: floats at once on the CPU, one batched copy a flush from a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from autotrack.records import Record

if TYPE_CHECKING:
    from autotrack.row import Row, Value


def value_of(tensor: torch.Tensor) -> Value:
    """Return a one-element tensor's number: a float from the CPU, a copy that stays on a device.

    A copy, because loops change losses in place (`loss /= n`) after we have looked.
    """
    tensor = tensor.detach()
    if tensor.device.type == "cpu":
        return float(tensor.item())
    return tensor.clone().float()


class Buffer:
    """Rows that wait for the next flush, in order."""

    def __init__(self) -> None:
        self.rows: list[tuple[Row, Any]] = []

    def add(self, row: Row, stream: Any) -> None:
        """Keep a finished row; `stream` names its series once that is settled."""
        self.rows.append((row, stream))

    def take(self) -> list[tuple[Row, Any]]:
        """Fetch what is still on a device and return all rows, leaving the buffer empty."""
        rows, self.rows = self.rows, []
        _fetch([row for row, _ in rows])
        return rows


def _fetch(rows: list[Row]) -> None:
    """Replace the device scalars of `rows` by floats, one copy for each device."""
    waiting: dict[torch.device, list[tuple[Row, int]]] = {}
    for row in rows:
        for index, (_, value) in enumerate(row.scalars):
            if isinstance(value, torch.Tensor):
                waiting.setdefault(value.device, []).append((row, index))
    for places in waiting.values():
        tensors = [torch.as_tensor(row.scalars[i][1]).float().reshape(()) for row, i in places]
        values = torch.stack(tensors).tolist()
        for (row, index), value in zip(places, values, strict=True):
            row.scalars[index] = (row.scalars[index][0], value)


def record_of(row: Row, tag: Any) -> Record:
    """Return the plain record of a row; `tag` maps each tag to its final name."""
    return Record(
        row.x,
        row.time,
        scalars=[(tag(name), float(value)) for name, value in row.scalars],
        histograms=list(row.histograms),
        texts=list(row.texts),
        hidden=[(tag(name), _hidden(value)) for name, value in row.hidden],
        images=list(row.images),
        curves=list(row.curves),
        graph=row.graph,
        ended=row.ended,
    )


def _hidden(value: Any) -> Any:
    """Return a hidden value as the record keeps it: text as it is, numbers as an array."""
    if isinstance(value, str) or (isinstance(value, list) and value and isinstance(value[0], str)):
        return value
    if isinstance(value, torch.Tensor):
        return (value.cpu().float() if value.is_floating_point() else value.cpu()).numpy()
    return np.asarray(value, np.int64 if isinstance(value, int) else np.float32)
