"""The photograph that every test is compared with really sees what could be left behind."""

from __future__ import annotations

import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook
from torch.optim.optimizer import register_optimizer_step_post_hook
from untouched import differences, surfaces


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (torch.autograd, "backward"),
        (torch.Tensor, "backward"),
        (torch._C._nn, "mse_loss"),
        (torch.nn.functional, "cross_entropy"),
        (torch.nn.CrossEntropyLoss, "forward"),
        (torch.nn.utils, "clip_grad_norm_"),
        (torch.utils.data.DataLoader, "__iter__"),
        (torch.optim.Optimizer, "zero_grad"),
        (torch.amp.GradScaler, "scale"),
    ],
)
def test_a_replaced_function_is_seen_by_its_name(owner, name, monkeypatch):
    before = surfaces()
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, lambda *args: None)
        left = differences(before, surfaces())
    assert any(entry.endswith(f".{name}") for entry in left)
    assert differences(before, surfaces()) == []


def test_an_added_name_is_seen(monkeypatch):
    before = surfaces()
    with monkeypatch.context() as patch:
        patch.setattr(torch.nn.Module, "flag", 1, raising=False)
        assert differences(before, surfaces()) == ["torch.nn.modules.module.Module.flag"]


@pytest.mark.parametrize(
    "register", [register_module_forward_hook, register_optimizer_step_post_hook]
)
def test_a_global_hook_is_seen(register):
    before = surfaces()
    handle = register(lambda *args: None)
    left = differences(before, surfaces())
    handle.remove()
    assert len(left) == 1
    assert differences(before, surfaces()) == []


def test_a_new_operator_of_torchscript_is_seen(monkeypatch):
    before = surfaces()
    with monkeypatch.context() as patch:
        patch.setitem(torch.jit._builtins._get_builtin_table(), 1, "aten::mse_loss")
        assert differences(before, surfaces()) == ["torch.jit operator of 1"]
