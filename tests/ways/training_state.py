"""What a training leaves behind, as bytes: two trainings are the same when these are equal."""

from __future__ import annotations

from typing import Any

import torch


def state_of(*things: Any) -> dict[str, Any]:
    """Every tensor and number of the state dicts of `things`, and the random generator's state."""
    found: dict[str, Any] = {"random numbers": torch.get_rng_state().numpy().tobytes()}
    for index, thing in enumerate(things):
        _collect(thing.state_dict(), f"{index}", found)
    return found


def _collect(thing: Any, name: str, found: dict[str, Any]) -> None:
    if isinstance(thing, torch.Tensor):
        local = thing.to_local() if hasattr(thing, "to_local") else thing
        raw = local.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        found[name] = (str(local.dtype), tuple(local.shape), raw)
    elif isinstance(thing, dict):
        for key, value in thing.items():
            _collect(value, f"{name}.{key}", found)
    elif isinstance(thing, (list, tuple)):
        for index, value in enumerate(thing):
            _collect(value, f"{name}[{index}]", found)
    else:
        found[name] = repr(thing)


def gradient_norm(parameters: Any) -> float:
    """The L2 norm over all gradients, summed in double precision, the way of a textbook."""
    squares = [
        float(p.grad.detach().double().square().sum()) for p in parameters if p.grad is not None
    ]
    return float(sum(squares) ** 0.5)
