"""A sparse gradient in which the same row occurs many times, uncoalesced."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(91)
    pairs = torch.randint(0, 5, (60, 2))
    strength = torch.rand(60)
    table = nn.Embedding(5, 4, sparse=True)
    optimizer = torch.optim.SGD(table.parameters(), lr=0.5)

    step = 0
    for epoch in range(2):
        for pair, wanted in zip(pairs.split(20), strength.split(20)):
            optimizer.zero_grad()
            left, right = table(pair[:, 0]), table(pair[:, 1])
            loss = ((left * right).sum(1) - wanted).abs().mean()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 20)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return table, optimizer
