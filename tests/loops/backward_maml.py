"""Meta-learning: an inner step by `torch.autograd.grad`, an outer one by backward."""

from __future__ import annotations

import torch


def predict(weights, x):
    w1, b1, w2, b2 = weights
    return torch.tanh(x @ w1 + b1) @ w2 + b2


def squared_error(weights, x, y):
    return ((predict(weights, x) - y) ** 2).mean()


def loop(hand):
    torch.manual_seed(54)
    x = torch.linspace(-3, 3, 20).unsqueeze(1)
    phases = torch.rand(4) * 3
    weights = [torch.randn(1, 8), torch.zeros(8), torch.randn(8, 1) / 3, torch.zeros(1)]
    weights = [w.requires_grad_() for w in weights]
    meta_optimizer = torch.optim.Adam(weights, lr=0.01)

    for epoch in range(5):
        meta_loss = 0.0
        for phase in phases:
            y = torch.sin(x + phase)
            inner = squared_error(weights, x[::2], y[::2])
            grads = torch.autograd.grad(inner, weights, create_graph=True)
            fast = [w - 0.05 * g for w, g in zip(weights, grads)]
            meta_loss = meta_loss + squared_error(fast, x[1::2], y[1::2])
        meta_loss = meta_loss / len(phases)
        meta_optimizer.zero_grad()
        meta_loss.backward()
        hand.step(epoch, meta_loss.item(), meta_optimizer)
        hand.add("Loss/train_epoch", epoch, meta_loss.item())
        meta_optimizer.step()
    return weights, meta_optimizer
