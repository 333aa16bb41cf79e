"""Characters predicted by weights that are moved by hand, as in lectures from scratch."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def loop(hand):
    g = torch.Generator().manual_seed(7)
    x = torch.randint(0, 9, (200, 3), generator=g)
    y = (x.sum(1) + x[:, 0]) % 9
    table = torch.randn((9, 2), generator=g)
    inner, shift = torch.randn((6, 20), generator=g), torch.randn(20, generator=g)
    outer = torch.randn((20, 9), generator=g) * 0.1
    parameters = [table, inner, shift, outer]
    for p in parameters:
        p.requires_grad = True
    for i in range(240):
        chosen = torch.randint(0, 200, (16,), generator=g)
        logits = torch.tanh(table[x[chosen]].view(-1, 6) @ inner + shift) @ outer
        loss = F.cross_entropy(logits, y[chosen])
        for p in parameters:
            p.grad = None
        loss.backward()
        hand.add("Loss/train", i, loss.item())
        hand.gradient_norm(i, parameters)
        hand.saw("train", loss.item(), 16, correct=(logits.argmax(1) == y[chosen]).sum())
        rate = 0.1 if i < 150 else 0.01
        for p in parameters:
            p.data += -rate * p.grad
        if i + 1 in (100, 200, 240):
            hand.end("train", i + 1)
    return parameters, None
