"""Padded sequences, flattened to (N*T, C); the padding is ignored and counts nowhere in accuracy."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

PAD = 0


class Translator(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, 8, padding_idx=PAD)
        self.rnn = nn.GRU(8, 12, batch_first=True)
        self.out = nn.Linear(12, vocabulary)

    def forward(self, src):
        hidden, _ = self.rnn(self.embed(src))
        return self.out(hidden)


def loop(hand):
    torch.manual_seed(45)
    src = torch.randint(1, 10, (15, 6))
    trg = src.flip(1)
    # Three of six are padding in every sentence, so that all batches weigh the same per token.
    trg[:, 3:] = PAD
    loader = DataLoader(TensorDataset(src, trg), batch_size=6, shuffle=True)
    model = Translator(10)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    step = 0
    for epoch in range(3):
        for s, t in loader:
            output = model(s)
            output = output.view(-1, output.shape[-1])
            flat = t.reshape(-1)
            loss = F.cross_entropy(output, flat, ignore_index=PAD)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            real = flat != PAD
            hits = ((output.argmax(1) == flat) & real).sum()
            hand.saw("train", loss.item(), len(s), correct=hits, counted=int(real.sum()))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
