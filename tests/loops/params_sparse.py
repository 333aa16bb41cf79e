"""Sparse gradients of an embedding."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(90)
    words, ys = torch.randint(0, 50, (48, 4)), torch.randint(0, 3, (48,))
    embedding = nn.EmbeddingBag(50, 3, mode="mean", sparse=True)
    optimizer = torch.optim.SparseAdam(embedding.parameters(), lr=0.05)

    step = 0
    for epoch in range(2):
        for w, y in zip(words.split(12), ys.split(12)):
            optimizer.zero_grad()
            out = embedding(w)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return embedding, optimizer
