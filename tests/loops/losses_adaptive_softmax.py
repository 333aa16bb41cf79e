"""nn.AdaptiveLogSoftmaxWithLoss answers with a named tuple that holds the loss."""

from __future__ import annotations

import torch
from torch import nn

ABSENT = {"Accuracy/train"}


def loop(hand):
    torch.manual_seed(8)
    words = torch.randint(0, 30, (24,))
    following = (words * 7 + 3) % 30
    embed = nn.Embedding(30, 8)
    adaptive = nn.AdaptiveLogSoftmaxWithLoss(8, 30, cutoffs=[5, 15], div_value=2.0)
    optimizer = torch.optim.Adam([*embed.parameters(), *adaptive.parameters()], lr=0.02)
    step = 0
    for epoch in range(3):
        for start in range(0, 24, 10):
            w, f = words[start : start + 10], following[start : start + 10]
            out = adaptive(embed(w), f)
            optimizer.zero_grad()
            out.loss.backward()
            hand.step(step, out.loss.item(), optimizer)
            hand.saw("train", out.loss.item(), len(w))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return embed, adaptive, optimizer
