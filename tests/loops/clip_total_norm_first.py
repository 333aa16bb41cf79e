"""The norm taken and the clipping done by two calls, as for models spread over devices."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm


def loop(hand):
    torch.manual_seed(126)
    xs, ys = 3 * torch.randn(48, 6), torch.randint(0, 3, (48,))
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(12), ys.split(12)):
            optimizer.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            total_norm = get_total_norm([p.grad for p in model.parameters()])
            clip_grads_with_norm_(model.parameters(), 0.5, total_norm)
            hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
            optimizer.step()
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            step += 1
        hand.end("train", epoch)
    return model, optimizer
