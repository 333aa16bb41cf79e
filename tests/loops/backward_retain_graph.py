"""A shared trunk: the first head's backward keeps the graph for the second head."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(51)
    xs, ys = torch.randn(48, 6), torch.randint(0, 3, (48,))
    zs = xs[:, :1] ** 2
    trunk, label_head, size_head = nn.Linear(6, 8), nn.Linear(8, 3), nn.Linear(8, 1)
    params = [p for part in (trunk, label_head, size_head) for p in part.parameters()]
    optimizer = torch.optim.Adam(params, lr=0.01)
    ce, mse = nn.CrossEntropyLoss(), nn.MSELoss()

    step = 0
    for epoch in range(2):
        for x, y, z in zip(xs.split(16), ys.split(16), zs.split(16)):
            features = trunk(x).relu()
            logits, sizes = label_head(features), size_head(features)
            label_loss = ce(logits, y)
            size_loss = mse(sizes, z)
            optimizer.zero_grad()
            label_loss.backward(retain_graph=True)
            size_loss.backward()
            total = label_loss.item() + size_loss.item()
            hand.step(step, total, optimizer, rtol=1e-6)
            hand.add("Loss/train/cross_entropy", step, label_loss.item())
            hand.add("Loss/train/mse_loss", step, size_loss.item())
            hand.saw(
                "train", total, 16, correct=(logits.argmax(1) == y).sum(), output=sizes, target=z
            )
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return trunk, label_head, size_head, optimizer
