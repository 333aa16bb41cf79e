"""Several runs side by side: the best of every quantity, and in what the runs differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autotrack.history import History
    from autotrack.series import Series

_LESS_IS_BETTER = ("loss", "mae", "mse", "rmse", "error", "perplexity", "ppl")
_MORE_IS_BETTER = ("accuracy", "acc", "r2", "f1", "auc", "precision", "recall", "bleu", "iou")
_FACTS = ("device", "torch", "version")


@dataclass(frozen=True)
class Best:
    """The best value of a series, and the epoch (None where unknown) and the step it stands at."""

    tag: str
    value: float
    step: int
    epoch: int | None

    @property
    def moment(self) -> str:
        """Where the value stands, in words."""
        return f"step {self.step:,}" if self.epoch is None else f"epoch {self.epoch}"


@dataclass(frozen=True)
class Comparison:
    """What several runs reached and in what they differ; all lists have one entry a run.

    `best`: by tag, None where a run lacks it; `winners`: by tag, the indices of the best run (none
    where only one run has it); `differences`: settings that are not the same in all, None where a
    run does not tell.
    """

    names: list[str]
    best: dict[str, list[Best | None]]
    winners: dict[str, list[int]]
    differences: dict[str, list[Any]]


def compare(histories: Sequence[History]) -> Comparison:
    """Compare runs by the best values of what says by its name which way is better."""
    known_tags = dict.fromkeys(tag for history in histories for tag in history if better(tag))
    # what the model does on other data is asked first
    tags = sorted(known_tags, key=lambda tag: "train" in tag)
    best = {tag: [_best(history.get(tag)) for history in histories] for tag in tags}
    known = {tag: found for tag, found in best.items() if any(found)}
    return Comparison(
        names_of(histories),
        known,
        {tag: _winners(tag, found) for tag, found in known.items()},
        _differences([settings(history) for history in histories]),
    )


def better(tag: str) -> str:
    """Whether "less" or "more" of a tag's quantity is better; "" where its name does not say."""
    words = tag.lower().replace("/", "_").replace("-", "_").split("_")
    if any(word in _MORE_IS_BETTER for word in words):
        return "more"
    return "less" if any(word in _LESS_IS_BETTER for word in words) else ""


def names_of(histories: Sequence[History]) -> list[str]:
    """The names of runs, told apart by their directories where two are the same."""
    names = [str(h.run.get("name") or h.directory.name) for h in histories]
    if len(set(names)) == len(names):
        return names
    return [str(history.directory) for history in histories]


def settings(history: History) -> dict[str, Any]:
    """Everything a run was set to: hyperparameters, optimizers, models, versions and commit."""
    run = history.run
    found: dict[str, Any] = dict(run.get("config") or {})
    for optimizer in run.get("optimizers") or []:
        stream = f" {optimizer['stream']}" if optimizer.get("stream") else ""
        found[f"optimizer{stream}"] = optimizer.get("class")
        defaults = optimizer.get("defaults") or {}
        # what is off is not worth a line
        used = {name: value for name, value in defaults.items() if value}
        found.update({f"optimizer{stream} {name}": value for name, value in used.items()})
    for model in run.get("models") or []:
        sizes = [int(np.prod(p["shape"])) for p in model.get("parameters") or []]
        found[f"{model.get('name') or 'model'}"] = (
            f"{model.get('class')}, {sum(sizes):,} parameters"
        )
    found.update({name: run[name] for name in _FACTS if name in run})
    if run.get("git"):
        found["commit"] = str(run["git"].get("commit"))[:10]
    return found


def _best(series: Series | None) -> Best | None:
    if series is None or not np.isfinite(series.value).any():
        return None
    values = np.where(np.isfinite(series.value), series.value, np.nan)
    at = int(np.nanargmax(values) if better(series.tag) == "more" else np.nanargmin(values))
    epoch = int(series.epoch[at])
    return Best(series.tag, float(values[at]), int(series.step[at]), epoch if epoch >= 0 else None)


def _winners(tag: str, found: list[Best | None]) -> list[int]:
    values = {index: best.value for index, best in enumerate(found) if best is not None}
    if len(set(values.values())) < 2:  # noqa: PLR2004 - one value alone is not better than another
        return []
    wanted = max(values.values()) if better(tag) == "more" else min(values.values())
    return [index for index, value in values.items() if value == wanted]


def _differences(known: list[dict[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for one in known for name in one)
    found = {name: [one.get(name) for one in known] for name in names}
    return {name: values for name, values in found.items() if any(v != values[0] for v in values)}
