"""What a run trains with: its models with their parameters, its optimizers, their devices.

Looked at when a stream takes its first step, while everything is alive, and again at the end:
the variables of a tracked function are gone by then, and what was seen first stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from autotrack.capture import discovery

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import nn

    from autotrack.capture.models import Models
    from autotrack.capture.streams import Stream


class Inventory:
    """Tables of the models and optimizers of a run, as plain data."""

    def __init__(self, models: Models, streams: list[Stream]) -> None:
        self._models = models
        self._streams = streams
        self._tables: dict[str, dict[str, Any]] = {}
        self._holders: dict[str, Stream] = {}
        # Parameters that had a gradient at any of the looks.
        self._reached: set[str] = set()
        self._optimizers: dict[int, tuple[Stream, dict[str, Any]]] = {}
        self._devices: dict[str, None] = {}
        self._known: dict[Stream, tuple[Any, int]] = {}

    def has_news(self, stream: Stream) -> bool:
        """Whether a stream is new, or has another optimizer or more groups than at the last look.

        Asked at every step: it costs two look-ups.
        """
        known = self._known.get(stream)
        if known is None or known[0] is not stream.optimizer:
            return True
        optimizer = stream.optimizer() if stream.optimizer is not None else None
        return optimizer is not None and known[1] != len(optimizer.param_groups)

    def look(self, due_to: Stream | None = None) -> None:
        """Note every model and optimizer that is alive now; `due_to` is the stream with news."""
        if due_to is not None:
            self._known[due_to] = _state(due_to)
        holders = {id(p): stream for stream in self._streams for p in stream.parameters()}
        living = self._models.living()
        for name, module in living:
            prefix = self._models.prefix_of(name, alone=len(living) == 1)
            self._note_model(name, module, holders, prefix=prefix)
        for stream in self._streams:
            optimizer = stream.optimizer() if stream.optimizer is not None else None
            if optimizer is not None:
                self._optimizers[id(stream)] = (stream, _optimizer(optimizer))

    def _note_model(
        self, name: str, module: nn.Module, holders: dict[int, Stream], prefix: str
    ) -> None:
        parameters = []
        for own_name, parameter in discovery.parameter_names(module):
            full_name = prefix + own_name
            self._devices[_device(parameter.device)] = None
            if id(parameter) in holders:
                self._holders[full_name] = holders[id(parameter)]
            if parameter.grad is not None:
                self._reached.add(full_name)
            row = _tensor(full_name, parameter)
            parameters.append({**row, "trainable": bool(parameter.requires_grad)})
        self._tables[name] = {
            "name": name,
            "class": type(module).__qualname__,
            "parameters": parameters,
            "buffers": [_tensor(prefix + n, b) for n, b in module.named_buffers()],
        }

    def facts(self) -> dict[str, Any]:
        """Return `models`, `optimizers` and `device` for the record, without what is unknown.

        `optimizer` of a parameter is the stream that holds it ("" for the only one) or None;
        `gradient` says whether it had one.
        """
        models = [
            {**table, "parameters": [self._held(p) for p in table["parameters"]]}
            for table in self._tables.values()
        ]
        optimizers = [{"stream": s.suffix or "", **o} for s, o in self._optimizers.values()]
        found = {"models": models, "optimizers": optimizers, "device": ", ".join(self._devices)}
        return {key: value for key, value in found.items() if value}

    def _held(self, parameter: dict[str, Any]) -> dict[str, Any]:
        holder = self._holders.get(parameter["name"])
        held_by = None if holder is None else holder.suffix or ""
        return {**parameter, "gradient": parameter["name"] in self._reached, "optimizer": held_by}


def _state(stream: Stream) -> tuple[Any, int]:
    optimizer = stream.optimizer() if stream.optimizer is not None else None
    return stream.optimizer, 0 if optimizer is None else len(optimizer.param_groups)


def _device(device: torch.device) -> str:
    if device.type != "cuda":
        return str(device)
    return f"{device} ({torch.cuda.get_device_name(device)})"


def _tensor(name: str, tensor: Any) -> dict[str, Any]:
    return {
        "name": name,
        "shape": [int(size) for size in tensor.shape],
        "dtype": str(tensor.dtype).removeprefix("torch."),
    }


def _optimizer(optimizer: Any) -> dict[str, Any]:
    return {
        "class": type(optimizer).__qualname__,
        "defaults": {str(name): value for name, value in _plain(optimizer.defaults.items())},
        "groups": len(optimizer.param_groups),
    }


def _plain(items: Iterable[tuple[Any, Any]]) -> Iterable[tuple[Any, Any]]:
    """Leave out what is no setting: tensors may live on a device, and None says nothing."""
    for name, value in items:
        if isinstance(value, (bool, int, float, str)):
            yield name, value
        elif isinstance(value, (tuple, list)):
            yield name, [v if isinstance(v, (bool, int, float, str)) else str(v) for v in value]
