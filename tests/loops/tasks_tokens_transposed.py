"""A language model whose scores (N, T, C) are turned for the criterion, whole batches only."""

from __future__ import annotations

import torch
from torch import nn


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 6)
        self.head = nn.Linear(6, 9)

    def forward(self, words):
        return self.head(torch.tanh(self.embed(words))).transpose(1, 2)


def loop(hand):
    torch.manual_seed(144)
    text = torch.randint(0, 9, (40, 6))
    model = Words()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    step = 0
    for epoch in range(2):
        for batch in text.split(4):
            scores = model(batch[:, :-1])
            # Every fourth batch is laid out otherwise, which is nobody's business.
            scores = scores.contiguous() if step % 4 == 3 else scores
            wanted = batch[:, 1:]
            loss = nn.functional.cross_entropy(scores, wanted)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (scores.argmax(dim=1) == wanted).sum()
            hand.saw("train", loss.item(), 4, correct=hits, counted=wanted.numel())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
