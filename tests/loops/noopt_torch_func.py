"""torch.func: functional_call and grad_and_value, weights in a dictionary: nothing to watch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad_and_value

_WHY = "gradients come from torch.func, which calls no backward"
MISSING = {"Loss/train": _WHY, "Loss/train_epoch": _WHY, "GradNorm/total": _WHY}


def loop(hand):
    torch.manual_seed(312)
    xs, ys = torch.randn(24, 4), torch.randint(0, 3, (24,))
    model = nn.Linear(4, 3)
    weights = {name: p.detach().clone() for name, p in model.named_parameters()}

    def objective(weights, x, y):
        return F.cross_entropy(functional_call(model, weights, (x,)), y)

    step = 0
    for epoch in range(3):
        for x, y in zip(xs.split(8), ys.split(8)):
            gradients, loss = grad_and_value(objective)(weights, x, y)
            hand.add("Loss/train", step, loss.item())
            norm = sum(float(g.double().pow(2).sum()) for g in gradients.values()) ** 0.5
            hand.add("GradNorm/total", step, norm)
            hand.saw("train", loss.item(), 8)
            weights = {name: w - 0.1 * gradients[name] for name, w in weights.items()}
            step += 1
        hand.end("train", epoch)
    return [weights]
