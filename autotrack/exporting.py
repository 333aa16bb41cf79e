"""A record in formats that other programs read: CSV, Parquet, JSON."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np

from autotrack import jsontext
from autotrack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from autotrack.history import History
    from autotrack.series import Series

COLUMNS = ("tag", "x", "step", "epoch", "time", "value")


def export(history: History, kind: str, file: IO[bytes]) -> None:
    """Write all scalar points of a history to a binary file.

    `csv` and `parquet` have a row a point with the columns tag, x, step, epoch (empty where
    unknown), time (unix seconds) and value (float32); `json` holds them by tag, with the run's
    facts and its coverage. Raises UsageError for another format, or where pyarrow is missing, which
    Parquet needs.
    """
    write = _WRITERS.get(kind)
    if write is None:
        msg = f"cannot export as {kind!r}; possible formats: {', '.join(_WRITERS)}"
        raise UsageError(msg)
    write(history, file)


def _write_csv(history: History, file: IO[bytes]) -> None:
    import io

    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for tag, series in history.items():
        writer.writerows((tag, *row) for row in _rows(series))
    text.detach()


def _rows(series: Series) -> Iterator[tuple[Any, ...]]:
    epochs = ["" if epoch < 0 else epoch for epoch in series.epoch.tolist()]
    # the shortest text that reads back as the same float32
    values = map(str, series.value)
    return zip(
        series.x.tolist(), series.step.tolist(), epochs, series.time.tolist(), values, strict=True
    )


def _write_parquet(history: History, file: IO[bytes]) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        msg = "Parquet needs pyarrow: python -m pip install pyarrow"
        raise UsageError(msg) from error
    schema = pa.schema(
        [
            ("tag", pa.dictionary(pa.int32(), pa.string())),
            *((name, pa.int64()) for name in ("x", "step", "epoch")),
            ("time", pa.float64()),
            ("value", pa.float32()),
        ]
    )
    with parquet.ParquetWriter(file, schema) as writer:
        for tag, series in history.items():
            tags = pa.DictionaryArray.from_arrays(np.zeros(len(series), np.int32), [tag])
            epochs = pa.array(series.epoch, mask=series.epoch < 0)
            columns = [tags, series.x, series.step, epochs, series.time, series.value]
            writer.write_table(pa.table(columns, schema=schema))


def _write_json(history: History, file: IO[bytes]) -> None:
    everything = {
        "directory": str(history.directory),
        "run": history.run,
        "coverage": history.coverage,
        "series": {tag: _columns(series) for tag, series in history.items()},
    }
    file.write(jsontext.dumps(everything).encode())
    file.write(b"\n")


def _columns(series: Series) -> dict[str, list[Any]]:
    return {
        "x": series.x.tolist(),
        "step": series.step.tolist(),
        "epoch": [None if epoch < 0 else epoch for epoch in series.epoch.tolist()],
        "time": series.time.tolist(),
        "value": [float(str(value)) for value in series.value],
    }


_WRITERS: dict[str, Callable[[History, IO[bytes]], None]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
    "json": _write_json,
}
