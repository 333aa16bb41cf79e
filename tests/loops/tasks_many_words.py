"""A language model with more scores a batch than are worth copying, and padding that is left out."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(145)
    text = torch.randint(1, 90, (96, 21))
    text[torch.rand(96, 21) < 0.2] = 0
    model = nn.Sequential(nn.Embedding(90, 8), nn.Linear(8, 90))
    criterion = nn.CrossEntropyLoss(ignore_index=0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    step = 0
    for epoch in range(3):
        for batch in text.split(16):
            words, wanted = batch[:, :-1], batch[:, 1:].contiguous()
            scores = model(words).transpose(1, 2)
            loss = criterion(scores, wanted)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            real = wanted != 0
            hits = ((scores.argmax(dim=1) == wanted) & real).sum()
            hand.saw("train", loss.item(), 16, correct=hits, counted=real.sum().item())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
