"""`@track`: a function that is tracked, in a file of its own since the block needs none of it."""

from __future__ import annotations

import contextlib
import copy
import importlib
import inspect
import operator
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any, TypeVar, overload

import wrapt

from autotrack.config import Config
from autotrack.errors import UsageError
from autotrack.guard import attempt
from autotrack.opening import open_run

F = TypeVar("F", bound=Callable[..., Any])


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
    run = open_run(config, id(sys._getframe(2)), None, things)
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
