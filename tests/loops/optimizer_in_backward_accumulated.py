"""Each weight's optimizer steps inside every second backward, for the gradients of two batches."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(150)
    xs, ys = torch.randn(48, 6), torch.randint(0, 3, (48,))
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizers = {p: torch.optim.SGD([p], lr=0.05) for p in model.parameters()}
    names = {p: f"optimizers_{index}" for index, p in enumerate(optimizers)}
    state = {"step": 0, "steps": False}

    def take_step(parameter):
        if not state["steps"]:
            return
        optimizer, name = optimizers[parameter], names[parameter]
        hand.gradient_norm(state["step"], [parameter], f"GradNorm/total/{name}")
        hand.learning_rates(state["step"], optimizer, name)
        optimizer.step()
        optimizer.zero_grad()

    for parameter in optimizers:
        parameter.register_post_accumulate_grad_hook(take_step)
    for epoch in range(3):
        losses = []
        for number, (x, y) in enumerate(zip(xs.split(8), ys.split(8))):
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            state["steps"] = number % 2 == 1
            losses.append(loss.item())
            (loss / 2).backward()
            for name in names.values():
                hand.saw("train", loss.item(), 8, name, correct=(out.argmax(1) == y).sum())
            if state["steps"]:
                for name in names.values():
                    hand.mean(f"Loss/train/{name}", state["step"], losses)
                losses = []
                state["step"] += 1
        for name in names.values():
            hand.end("train", epoch, name)
    return model, list(optimizers.values())
