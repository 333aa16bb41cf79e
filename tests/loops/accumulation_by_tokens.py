"""Sums over tokens, each divided by the number of tokens in the whole group."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def loop(hand):
    torch.manual_seed(142)
    tokens, targets = torch.randint(0, 9, (24, 7)), torch.randint(0, 9, (24, 7))
    targets[torch.rand(24, 7) < 0.4] = -100
    model = nn.Sequential(nn.Embedding(9, 6), nn.Linear(6, 9))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)

    step = 0
    for epoch in range(2):
        for x, y in zip(tokens.split(12), targets.split(12)):
            num_items = int((y != -100).sum())
            optimizer.zero_grad()
            total = 0.0
            for x_micro, y_micro in zip(x.split(4), y.split(4)):
                logits = model(x_micro).flatten(0, 1)
                labels = y_micro.flatten()
                loss = F.cross_entropy(logits, labels, reduction="sum") / num_items
                loss.backward()
                total += loss.item()
                right = ((logits.argmax(1) == labels) & (labels != -100)).sum()
                counted = int((labels != -100).sum())
                mean = loss.item() * num_items / counted
                hand.saw("train", mean, counted, correct=right, counted=counted)
            hand.step(step, total, optimizer, rtol=1e-6)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
