"""Opens a run for whoever asks: `tracking`, `track`; holds the last one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotrack import context
from autotrack.config import is_disabled
from autotrack.errors import AutotrackError
from autotrack.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from autotrack.config import Config
    from autotrack.cost import Cost
    from autotrack.coverage import Coverage
    from autotrack.history import History
    from autotrack.run import Run

_last: Run | None = None


def open_run(
    config: Config, boundary: int | None, opened_at: Any, things: Sequence[tuple[str | None, Any]]
) -> Any:
    """Return a run that has started, or one that takes everything and does nothing.

    `boundary` is the frame beyond which nothing is the person's loop, `opened_at` the place of the
    `with`. Raises what the person asked wrongly; what fails on our side is told, and is no run.
    """
    global _last
    if is_disabled():
        return Inert()
    run: Any = Guard(strict=config.strict).call("autotrack", _made, config, boundary, opened_at)
    if isinstance(run, AutotrackError):
        raise run
    if run is None:
        return Inert()
    run.refuse_nested(things)
    run.start()
    _last = run
    return run


def _made(config: Config, boundary: int | None, opened_at: Any) -> Run | AutotrackError:
    """Return a new run, or the error that tells the person what they asked wrongly."""
    from autotrack.run import Run

    try:
        return Run(config, boundary=boundary, opened_at=opened_at)
    except AutotrackError as error:
        return error


def current() -> Any:
    """Return the run that is open here, else the last one, if there was any."""
    active = context.active()
    return active if active is not None else _last


class Inert:
    """The run of a disabled autotrack: takes everything, does nothing."""

    directory = Path()
    name = ""
    open = False
    trained = False

    @property
    def history(self) -> History:
        """Hold no numbers."""
        from autotrack.history import History

        return History(self.directory, {}, {}, {}, {}, {}, {}, [], 0, {})

    @property
    def coverage(self) -> Coverage:
        """See nothing."""
        from autotrack.coverage import Coverage

        return Coverage()

    @property
    def cost(self) -> Cost:
        """Take no time."""
        from autotrack.cost import Cost

        return Cost()

    def give(self, things: Any, claimed: Any = ()) -> None:
        """Take nothing."""

    def finish(self, error: BaseException | None = None) -> None:
        """End nothing."""

    def log(self, name: str, value: Any) -> None:
        """Record nothing."""

    def flush(self) -> None:
        """Write nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None
