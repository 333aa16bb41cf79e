"""The photograph that every test is compared with really sees what could be left behind."""

from __future__ import annotations

import functools

import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook
from torch.optim.optimizer import register_optimizer_step_post_hook
from untouched import differences, left_on, surfaces

import autotrack.observers.model


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


def test_what_is_left_on_a_model_or_an_optimizer_is_seen():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    assert left_on([model, optimizer], {"first": model[0].weight}) == []
    model[1].register_forward_hook(lambda *args: None)
    assert left_on(model) == []
    handles = [
        model[1].register_forward_hook(autotrack.observers.model._Forward()),
        optimizer.register_step_pre_hook(functools.partial(autotrack.observers.model.watch)),
        model[0].weight.register_post_accumulate_grad_hook(autotrack.observers.model.watch),
    ]
    model.forward = autotrack.observers.model.watch
    assert sorted(left_on(model, [optimizer])) == [
        "_forward_hooks",
        "_optimizer_step_pre_hooks",
        "_post_accumulate_grad_hooks",
        "forward",
    ]
    for handle in handles:
        handle.remove()
    del model.forward
    assert left_on(model, optimizer) == []


def test_a_run_that_ends_in_settled_steps_leaves_no_hook(tmp_path):
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with autotrack.tracking(logdir=tmp_path / "run") as run:
        for _ in range(40):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(torch.ones(4, 3)), torch.ones(4, 1)).backward()
            optimizer.step()
        assert run.settled.stage
    assert run.settled.taken
    assert left_on(model, optimizer) == []
    assert not model._forward_hooks
