"""What a person calls: `tracking`, `report`, `log`. Thin handles on `Run`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotrack import context, opening
from autotrack.config import Config, is_disabled
from autotrack.errors import NoRunError, UsageError
from autotrack.guard import attempt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType, TracebackType

    from autotrack.reports import Report
    from autotrack.run import Run


class tracking:  # noqa: N801 - used as a statement: `with tracking(model, optimizer):`
    """Track the training loop inside the `with` block: `with tracking(model, optimizer) as run:`.

    Models and optimizers are optional, any number in any order: those that are not given are found
    when training starts. `options` are the fields of `autotrack.config.Config`. Raises UsageError
    for anything else, and NestedRunError for a model that another open run was given.
    """

    def __init__(self, *models_and_optimizers: Any, **options: Any) -> None:
        self._things = models_and_optimizers
        self._config = Config.of(options)
        self._run: Run | None = None
        if not is_disabled():
            for thing in models_and_optimizers:
                _check(thing)

    def __enter__(self) -> Run:
        frame = _caller()
        names = attempt(_names_in, frame, self._things) or [None] * len(self._things)
        things = list(zip(names, self._things, strict=True))
        run: Run = opening.open_run(self._config, id(frame), (frame.f_code, frame.f_lineno), things)
        del frame
        try:
            run.give(things)
        except BaseException:
            run.finish()
            raise
        self._run = run
        run.__enter__()
        return run

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        run, self._run = self._run, None
        if run is not None:
            run.__exit__()
            run.finish(error)


def report(
    run_or_directory: Run | str | os.PathLike[str] | None = None,
    *,
    formats: Sequence[str] = ("png",),
    directory: str | os.PathLike[str] | None = None,
    style: str = "light",
) -> Report:
    """Save a run's page (`report.html`), figures and findings, and return where they are.

    `run_or_directory`: by default the active run, else the last one. `formats`: of png, svg, pdf.
    `directory`: where to, by default the run's directory with the figures in `figures`. `style`: of
    the figures, light, dark or print (greyscale, thin, no background). Raises NoRunError when there
    is no run, RecordNotFoundError for a directory without a record, UsageError for an unknown
    format or style.
    """
    from autotrack import reports
    from autotrack.history import read

    run = run_or_directory if run_or_directory is not None else opening.current()
    if isinstance(run, opening.Inert) or (run_or_directory is None and is_disabled()):
        return reports.Report(Path(), [])
    if run is None:
        msg = "there is no run to report; track a loop first, or name one: report('runs/...')"
        raise NoRunError(msg)
    if not isinstance(run, (str, os.PathLike)) and not hasattr(run, "history"):
        msg = f"report() takes a run or a directory; got {run!r}"
        raise UsageError(msg)
    history = read(run) if isinstance(run, (str, os.PathLike)) else run.history
    return reports.save_all(history, directory, tuple(formats), style)


def log(name: str, value: Any) -> None:
    """Record a number of your own under `name` at the current step of the active run.

    `value` is a number or a one-element tensor. Raises NoRunError outside a run.
    """
    run: Any = context.active()
    if run is None:
        if is_disabled():
            return
        msg = f"log({name!r}, ...) outside a run; call it inside `with tracking():` or @track"
        raise NoRunError(msg)
    run.log(name, value)


def _check(thing: Any) -> None:
    import torch

    if isinstance(thing, (torch.nn.Module, torch.optim.Optimizer)):
        return
    msg = (
        f"tracking() takes models and optimizers, not a {type(thing).__name__}; options go by name"
    )
    raise UsageError(msg)


def _caller() -> FrameType:
    """Return the frame that the person wrote `with tracking()` in."""
    frame: FrameType | None = sys._getframe(2)
    while (
        frame is not None
        and frame.f_globals.get("__name__") in ("contextlib", __name__)
        and frame.f_back
    ):
        frame = frame.f_back
    assert frame is not None
    return frame


def _names_in(frame: FrameType, things: Sequence[Any]) -> list[str | None]:
    from autotrack import frames

    if not things:
        return []
    variables = {**frame.f_globals, **frames.variables(frame)}
    held = {id(value): name for name, value in variables.items() if not name.startswith("_")}
    return [held.get(id(thing)) for thing in things]
