"""A penalty on the gradient of the loss with respect to the input (`create_graph=True`)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def loop(hand):
    torch.manual_seed(52)
    xs, ys = torch.randn(36, 5), torch.randint(0, 3, (36,))
    model = nn.Sequential(nn.Linear(5, 10), nn.Tanh(), nn.Linear(10, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(12), ys.split(12)):
            x = x.clone().requires_grad_()
            out = model(x)
            ce = F.cross_entropy(out, y)
            (grad,) = torch.autograd.grad(ce, x, create_graph=True)
            loss = ce + 10.0 * grad.pow(2).sum()
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
