"""A device without hardware: tensors that say they are on it, and an account of who waits for it.

A tensor of it wraps one of the CPU and says `fakegpu:0`, so autotrack takes the path of a device.
Every operation passes through here: one for which a real device would have to be waited for is
noted, and raises where that is forbidden. Copies home arrive when the test says so.

Importing this gives the process a new kind of device: only for a process of its own.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager

import torch
from torch import nn
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from autotrack.devices import Device

NAME = "fakegpu"
aten = torch.ops.aten

WAITING = {
    aten._local_scalar_dense.default,
    aten.is_nonzero.default,
    aten.equal.default,
    aten.nonzero.default,
    aten.masked_select.default,
    aten.bincount.default,
    aten._unique2.default,
    aten.repeat_interleave.Tensor,
    aten.allclose.default,
    aten._coalesce.default,
}
BY_INDEX = {aten.index.Tensor, aten.index_put_.default, aten.index_put.default}


class WaitedError(AssertionError):
    """Somebody asked for what a device has not reckoned yet."""


class Account:
    """What was asked of the device: operations by name, and those that waited."""

    def __init__(self):
        self.operations = Counter()
        self.waits = []
        self.forbidden = False
        self.arrives = True
        self.fails = False
        self.streams = ["default"]
        self.sent_on = []

    def waited(self, what):
        self.waits.append(what)
        if self.forbidden:
            raise WaitedError(what)


account = Account()


class OnDevice(torch.Tensor):
    """A tensor that says it is on the device."""

    @staticmethod
    def __new__(cls, inner, index=0):
        # A view of a plain tensor is a plain tensor, inside `inference_mode` as well.
        with torch.inference_mode(mode=False):
            made = torch.Tensor._make_wrapper_subclass(
                cls,
                inner.size(),
                strides=inner.stride(),
                storage_offset=inner.storage_offset(),
                dtype=inner.dtype,
                device=torch.device(NAME, index),
                requires_grad=inner.requires_grad,
            )
        made.inner = inner.detach()
        return made

    def __repr__(self):
        return f"OnDevice({tuple(self.shape)})"

    def tolist(self):
        account.waited("tolist")
        return self.inner.tolist()

    def numpy(self, **_):
        account.waited("numpy")
        return self.inner.numpy()

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return run(function, args, dict(kwargs or {}))


class Everywhere(TorchDispatchMode):
    """Sees operations that make a tensor on the device from none of it."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return run(function, args, dict(kwargs or {}))


def run(function, args, kwargs):
    leaves = tree_leaves([args, kwargs])
    there = [t for t in leaves if isinstance(t, OnDevice)]
    made_there = is_there(kwargs.get("device"))
    if function is aten._local_scalar_dense.default and not isinstance(args[0], torch.Tensor):
        return args[0]  # a number of Python's that autograd kept as a tensor
    if not there and not made_there:
        return function(*args, **kwargs)
    account.operations[function.overloadpacket.__name__] += 1
    home = note_waits(function, args, kwargs)
    index = torch.device(kwargs["device"]).index if made_there else there[0].device.index
    if kwargs.get("device") is not None:
        kwargs["device"] = torch.device("cpu")
    with torch._C._DisableTorchDispatch():
        result = function(*tree_map(unwrapped, args), **tree_map(unwrapped, kwargs))
    if home:
        return result
    given = {id(t.inner): t for t in there}
    return tree_map(lambda value: wrapped(value, given, index or 0), result)


def is_there(device):
    return device is not None and torch.device(device).type == NAME


def unwrapped(value):
    return value.inner if isinstance(value, OnDevice) else value


def wrapped(value, given, index):
    if not isinstance(value, torch.Tensor):
        return value
    return given[id(value)] if id(value) in given else OnDevice(value, index)


def note_waits(function, args, kwargs):
    """Note what has to wait; whether the result is a tensor of the CPU."""
    if function in WAITING:
        account.waited(str(function))
    if function in BY_INDEX and any(
        i is not None and i.dtype in (torch.bool, torch.uint8) for i in args[1]
    ):
        account.waited(f"{function} by a mask")
    device = kwargs.get("device")
    home = function is aten._to_copy.default and device is not None and not is_there(device)
    home = home or (function is aten.copy_.default and not isinstance(args[0], OnDevice))
    if home and not (kwargs.get("non_blocking") or (len(args) > 2 and args[2])):
        account.waited("copy to the CPU")
    return home


class Event:
    """Happens when the test lets copies arrive."""

    def __init__(self):
        self.pending = None

    def record(self):
        self.pending = list(_copies)
        account.sent_on.append(account.streams[-1])
        _copies.clear()

    def query(self):
        if self.pending and account.arrives:
            self.land()
        return not self.pending

    def synchronize(self):
        account.waited("Event.synchronize")
        if account.fails:
            raise RuntimeError("device-side assert triggered")
        self.land()

    def land(self):
        for home, values in self.pending:
            home.copy_(values)
        self.pending = None


_copies = []


class FakeDevice(Device):
    """A `Device` whose copies home wait for their event."""

    def stream_number(self):
        return hash(account.streams[-1])

    def home(self, length):
        # What was never copied must not pass for a number.
        return torch.full((length,), -12345.0, dtype=self.wide)

    def copy(self, there, home):
        _copies.append((home, there.inner.clone()))
        event = Event()
        event.record()
        return event


class Interface(backend_registration._DummyBackendModule):
    """`torch.fakegpu`."""

    Event = Event

    def current_stream(self, device=None):
        return account.streams[-1]

    @contextmanager
    def stream(self, stream):
        account.streams.append(stream)
        yield
        account.streams.pop()


backend_registration._setup_privateuseone_for_python_backend(NAME, Interface())


def there(tensor, index=0):
    return OnDevice(tensor, index)


def moved(module, index=0):
    """Move a module's parameters and buffers to the device, in place."""
    for part in module.modules():
        for name, parameter in list(part._parameters.items()):
            if parameter is not None:
                tensor = OnDevice(parameter.detach().clone(), index)
                part._parameters[name] = nn.Parameter(tensor, parameter.requires_grad)
        for name, buffer in list(part._buffers.items()):
            if buffer is not None:
                part._buffers[name] = OnDevice(buffer.clone(), index)
    return module
