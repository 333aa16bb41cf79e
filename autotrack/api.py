"""What a person calls: `track`, `tracking`, `report`, `log`. Thin handles on `Run`."""

from __future__ import annotations

import contextlib
import copy
import importlib
import inspect
import operator
import os
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

import wrapt

from autotrack import context
from autotrack.config import Config, is_disabled
from autotrack.errors import AutotrackError, NoRunError, UsageError
from autotrack.guard import Guard, attempt

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from typing_extensions import Self

    from autotrack.cost import Cost
    from autotrack.coverage import Coverage
    from autotrack.history import History
    from autotrack.reports import Report
    from autotrack.run import Run

F = TypeVar("F", bound=Callable[..., Any])

_last: Run | None = None


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
        run: Run = _open(self._config, id(frame), (frame.f_code, frame.f_lineno), things)
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


@overload
def track(function: F, /) -> F: ...
@overload
def track(**options: Any) -> Callable[[F], F]: ...
def track(function: Any = None, /, **options: Any) -> Any:
    """Track the training loop in a function: `@track` or `@track(logdir="runs/mnist")`.

    For functions, methods, static and class methods, generators and coroutines; each call is a run
    of its own. Models and optimizers among the arguments are taken from there. Options as in
    `tracking`.
    """
    config = Config.of(options)
    if function is None:
        return lambda decorated: _Tracked(decorated, config)
    if not callable(function) and not isinstance(function, (staticmethod, classmethod)):
        msg = f"@track goes above a function; got {function!r}"
        raise UsageError(msg)
    return _Tracked(function, config)


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

    run = run_or_directory if run_or_directory is not None else _current()
    if isinstance(run, _Inert) or (run_or_directory is None and is_disabled()):
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


# -- opening a run ------------------------------------------------------------------------------


def _open(
    config: Config, boundary: int | None, opened_at: Any, things: Sequence[tuple[str | None, Any]]
) -> Any:
    global _last
    if is_disabled():
        return _Inert()
    run: Any = Guard(strict=config.strict).call("autotrack", _made, config, boundary, opened_at)
    if isinstance(run, AutotrackError):
        raise run
    if run is None:
        return _Inert()
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


def _current() -> Any:
    active = context.active()
    return active if active is not None else _last


class _Inert:
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


def _things_in(arguments: dict[str, Any]) -> list[tuple[str | None, Any]]:
    """Return the models and optimizers among a call's arguments, with the parameters' names."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "nn"):
        return []
    return [
        (name, value)
        for name, value in arguments.items()
        if isinstance(value, torch.optim.Optimizer)
        # A criterion or a transform is a module too, but holds no weights.
        or (isinstance(value, torch.nn.Module) and any(True for _ in value.parameters()))
    ]


# -- the decorator ------------------------------------------------------------------------------


class _BoundTracked(wrapt.BoundFunctionWrapper[Any, Any]):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(*args, **kwargs)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self._self_instance is None:
            return _named, (self.__wrapped__.__module__, self.__wrapped__.__qualname__)
        return getattr, (self._self_instance, self.__wrapped__.__name__)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        if self._self_instance is None:
            return self
        return getattr(copy.deepcopy(self._self_instance, memo), self.__wrapped__.__name__)


def _named(module: str, name: str) -> Any:
    """Return what a pickle means that holds a static method, or a method without its object."""
    return operator.attrgetter(name)(importlib.import_module(module))


class _Tracked(wrapt.FunctionWrapper[Any, Any]):
    """The decorated function: looks like the original, pickles by its name."""

    __bound_function_wrapper__ = _BoundTracked

    def __init__(self, function: Any, config: Config) -> None:
        super().__init__(function, _call_tracked(config))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return str(self.__wrapped__.__qualname__)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self


def _call_tracked(config: Config) -> Callable[..., Any]:
    def call(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        arguments = _bound(wrapped, args, kwargs)
        if inspect.isasyncgenfunction(wrapped):
            return _async_generator(config, arguments, wrapped(*args, **kwargs))
        if inspect.iscoroutinefunction(wrapped):
            return _coroutine(config, arguments, wrapped(*args, **kwargs))
        if inspect.isgeneratorfunction(wrapped):
            return _generator(config, arguments, wrapped(*args, **kwargs))
        with _opened(config, arguments) as run, run:
            return wrapped(*args, **kwargs)

    return call


def _bound(wrapped: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    try:
        return dict(inspect.signature(wrapped).bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):
        # The call itself will say what is wrong with its arguments.
        return {}


@contextlib.contextmanager
def _opened(config: Config, arguments: dict[str, Any]) -> Iterator[Any]:
    """Open a run around a call and end it with the call, its exception included."""
    things = attempt(_things_in, arguments) or []
    run = _open(config, id(sys._getframe(2)), None, things)
    try:
        # Which of the models is trained shows at the first step: a teacher is an argument too.
        optimizers = [(name, thing) for name, thing in things if hasattr(thing, "param_groups")]
        run.give(optimizers, claimed=things)
        yield run
    except BaseException as error:
        # A generator that is left early is no failure: its last pass is one, as after `break`.
        run.finish(None if isinstance(error, GeneratorExit) else error)
        raise
    run.finish()


def _generator(
    config: Config, arguments: dict[str, Any], generator: Any
) -> Generator[Any, Any, Any]:
    """Drive a generator with its run active only while the generator runs."""
    with _opened(config, arguments) as run:
        return (yield from _Resumed(generator, run))


class _Resumed:
    """A generator whose every resumption happens inside a run."""

    def __init__(self, generator: Any, run: Any) -> None:
        self._generator = generator
        self._run = run

    def __iter__(self) -> _Resumed:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        with self._run:
            return self._generator.send(value)

    def throw(self, *error: Any) -> Any:
        with self._run:
            return self._generator.throw(*error)

    def close(self) -> None:
        with self._run:
            self._generator.close()


async def _coroutine(config: Config, arguments: dict[str, Any], coroutine: Any) -> Any:
    with _opened(config, arguments) as run, run:
        return await coroutine


async def _async_generator(
    config: Config, arguments: dict[str, Any], generator: Any
) -> AsyncIterator[Any]:
    """Drive an async generator with its run active only while the generator runs."""
    with _opened(config, arguments) as run:
        resume, value = generator.asend, None
        while True:
            try:
                with run:
                    item = await resume(value)
            except StopAsyncIteration:
                return
            try:
                resume, value = generator.asend, (yield item)
            except GeneratorExit:
                with run:
                    await generator.aclose()
                return
            except BaseException as error:  # noqa: BLE001 - handed on to the generator
                resume, value = generator.athrow, error
