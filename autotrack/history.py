"""A run read back from its event files, as numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotrack.assembly import (
    Part,
    confusion_series,
    epoch_starts,
    histogram_series,
    interval_series,
    later_trainings,
    mode_series,
    scalar_series,
    skipped_steps,
    vector_series,
)
from autotrack.columns import read_columns
from autotrack.errors import RecordNotFoundError
from autotrack.merging import gradient_norms, rank_folders
from autotrack.series import Series

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from autotrack.series import ConfusionSeries, HistogramSeries, VectorSeries

_NAMES_SHOWN = 10


@dataclass(frozen=True, eq=False)
class History(Mapping[str, Series]):
    """What a directory's event files hold: a mapping from scalar tag to `Series`.

    `histograms` and `vectors` are by tag as on disk (`Weights/<parameter>`,
    `autotrack/update_ratio`, `autotrack/update_ratio/<stream>`); `texts` gives the points (x, text)
    of each text tag. `run` (the run's facts) and `coverage` are empty where the files hold none.
    `streams` names the optimizers ([""] for a single one). `truncated` is how many bytes at the end
    of files could not be read: the record that was being written when the run was killed.
    `confusion` has the confusion matrices by phase (`train`, `val`, `train/<stream>`). `skipped`
    has by stream, of every step that a gradient scaler skipped, the steps completed before it.
    `trainings` has by stream the first steps of trainings after the first, where several follow
    each other in a run (folds, settings that are tried), each of weights that are all new.

    `intervals` has, for each part that was recorded less often to keep within the budget, every how
    many-th step (`gradient_norm`) or snapshot (`snapshots`) it was recorded from a step on. `cost`
    is what tracking took: `seconds`, `share`, `loop_seconds` and, by part, `parts`; empty where the
    run did not come to its end. `modes` says by phase whether the model was in training mode (1) or
    in `eval()` (0), pass by pass, under `train` at snapshots, where that makes a difference.
    """

    directory: Path
    series: dict[str, Series]
    histograms: dict[str, HistogramSeries]
    vectors: dict[str, VectorSeries]
    texts: dict[str, list[tuple[int, str]]]
    run: dict[str, Any]
    coverage: dict[str, Any]
    streams: list[str]
    truncated: int
    _epoch_starts: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = field(repr=False)
    confusion: dict[str, ConfusionSeries] = field(default_factory=dict)
    skipped: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    trainings: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    intervals: dict[str, Series] = field(default_factory=dict)
    modes: dict[str, Series] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)

    @property
    def tags(self) -> list[str]:
        """The scalar tags, in the order of their first points."""
        return list(self.series)

    @property
    def has_epochs(self) -> bool:
        """Whether the record says where epochs begin."""
        return any(len(numbers) for numbers, _ in self._epoch_starts.values())

    def epoch_starts(self, stream: str = "") -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Epoch numbers and the first step of each, both of shape [epochs].

        Without a name, those of the first stream. Both are empty where the record has no epochs.
        """
        nothing = np.empty(0, np.int64)
        return self._epoch_starts.get(stream, (nothing, nothing))

    def to_pandas(self) -> pd.DataFrame:
        """All scalar points in long form: columns tag, x, step, epoch, time and value.

        Raises ImportError where pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_pandas() needs pandas: python -m pip install pandas") from error
        columns = ("x", "step", "epoch", "time", "value")
        frames = [
            pd.DataFrame({"tag": tag, **{name: getattr(series, name) for name in columns}})
            for tag, series in self.series.items()
        ]
        empty = pd.DataFrame(columns=["tag", *columns])
        return pd.concat(frames, ignore_index=True) if frames else empty

    def __getitem__(self, tag: str) -> Series:
        return self.series[tag]

    def __iter__(self) -> Iterator[str]:
        return iter(self.series)

    def __len__(self) -> int:
        return len(self.series)


def read(
    directory: str | os.PathLike[str], progress: Callable[[int, int], None] | None = None
) -> History:
    """Read all event files that lie in `directory` itself, in the order of their names.

    Files that autotrack did not write are read as well: their x is taken as the step, and their
    epochs are unknown. Where each of several processes recorded into `rank<k>/`, the history is
    that of the first, with gradient norms over all. Raises RecordNotFoundError where there is no
    event file, naming the sub-directories that hold some, and where not one event can be read.

    `progress` is called now and then with the bytes read so far and those there are to read.
    """
    directory = Path(directory)
    folders = [directory] if _event_files(directory) else rank_folders(directory)
    files = [files for folder in folders if (files := _event_files(folder))]
    told = None if progress is None else _added_up(files, progress)
    ranks = [[Part(read_columns(path, told)) for path in own] for own in files]
    if not ranks:
        raise RecordNotFoundError(_not_found(directory))
    if not any(len(part.columns.x) for own in ranks for part in own) and any(
        part.columns.truncated for own in ranks for part in own
    ):
        raise RecordNotFoundError(f"{directory} holds event files, but none that can be read")
    history = _history(directory, ranks[0])
    if folders != [directory]:
        history.series.update(gradient_norms(ranks))
    return history


def empty(directory: Path) -> History:
    """The history of a run that has recorded nothing yet."""
    return History(directory, {}, {}, {}, {}, {}, {}, [], 0, {})


def holds_run(directory: Path) -> bool:
    """Whether `read` finds a record in a directory."""
    return any(_event_files(folder) for folder in (directory, *rank_folders(directory)))


def _added_up(
    files: list[list[Path]], progress: Callable[[int, int], None]
) -> Callable[[int], None]:
    """What adds up the bytes of single files for `progress`."""
    total = sum(path.stat().st_size for own in files for path in own)
    done = 0

    def told(more: int) -> None:
        nonlocal done
        done += more
        progress(done, total)

    return told


def _history(directory: Path, parts: list[Part]) -> History:
    streams = list(dict.fromkeys(name for part in parts for name in part.placement.streams))
    return History(
        directory=directory,
        series=scalar_series(parts),
        histograms=histogram_series(parts),
        vectors=vector_series(parts),
        texts=_texts(parts),
        run=_merged(part.columns.run for part in parts),
        coverage=_merged(part.columns.coverage for part in parts),
        streams=streams or [""],
        truncated=sum(part.columns.truncated for part in parts),
        _epoch_starts={stream: epoch_starts(parts, stream) for stream in ("", *streams)},
        confusion=confusion_series(parts),
        skipped=skipped_steps(parts),
        trainings=later_trainings(parts),
        intervals=interval_series(parts),
        modes=mode_series(parts),
        cost=_merged(part.columns.cost for part in parts),
    )


def _texts(parts: list[Part]) -> dict[str, list[tuple[int, str]]]:
    texts: dict[str, list[tuple[int, str]]] = {}
    for part in parts:
        for tag, points in part.columns.texts.items():
            placed = [(part.columns.x[event], text) for event, text in points]
            texts.setdefault(tag, []).extend(placed)
    return texts


def _merged(facts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {key: value for known in facts for key, value in known.items()}


def _event_files(directory: Path) -> list[Path]:
    # TensorBoard too goes by this part of the name
    files = (path for path in directory.glob("*tfevents*") if path.is_file())
    return sorted(files, key=lambda path: path.name)


def _not_found(directory: Path) -> str:
    if not directory.is_dir():
        return f"{directory} is not a directory"
    holders = [path.name for path in sorted(directory.iterdir()) if _holds_events(path)]
    if not holders:
        return f"{directory} holds no event file"
    shown = ", ".join(holders[:_NAMES_SHOWN])
    more = f" and {len(holders) - _NAMES_SHOWN} more" if len(holders) > _NAMES_SHOWN else ""
    return f"{directory} holds no event file itself, but these sub-directories do: {shown}{more}"


def _holds_events(directory: Path) -> bool:
    return directory.is_dir() and bool(_event_files(directory))
