"""Each weight has an optimizer of its own, which steps as soon as the weight's gradient is there."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(146)
    xs, ys = torch.randn(40, 6), torch.randint(0, 3, (40,))
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizers = {p: torch.optim.Adam([p], lr=0.02) for p in model.parameters()}
    names = {p: f"optimizers_{index}" for index, p in enumerate(optimizers)}
    state = {"step": 0}

    def take_step(parameter):
        optimizer, name = optimizers[parameter], names[parameter]
        state.setdefault("first", name)
        hand.gradient_norm(state["step"], [parameter], f"GradNorm/total/{name}")
        hand.learning_rates(state["step"], optimizer, name)
        optimizer.step()
        optimizer.zero_grad()

    for parameter in optimizers:
        parameter.register_post_accumulate_grad_hook(take_step)
    for epoch in range(3):
        for x, y in zip(xs.split(8), ys.split(8)):
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            # The optimizer that came first stands for the loss.
            first = state["first"]
            hand.add(f"Loss/train/{first}", state["step"], loss.item())
            hand.saw("train", loss.item(), 8, first, correct=(out.argmax(1) == y).sum())
            state["step"] += 1
        hand.end("train", epoch, first)
    return model, list(optimizers.values())
