"""A tagger: scores (N, C, T), targets (N, T), every token is an answer."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(12, 8)
        self.conv = nn.Conv1d(8, 4, 3, padding=1)

    def forward(self, words):
        return self.conv(self.embed(words).transpose(1, 2))


def loop(hand):
    torch.manual_seed(44)
    words = torch.randint(0, 12, (14, 7))
    tags = words % 4
    loader = DataLoader(TensorDataset(words, tags), batch_size=6, shuffle=True)
    tagger = Tagger()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(tagger.parameters(), lr=0.05)
    step = 0
    for epoch in range(3):
        for sentence, tag in loader:
            tagger.zero_grad()
            scores = tagger(sentence)
            loss = criterion(scores, tag)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (scores.argmax(dim=1) == tag).sum()
            hand.saw("train", loss.item(), len(sentence), correct=hits, counted=tag.numel())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return tagger, optimizer
