"""Tied weights of encoder and decoder: counted once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class TiedAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(6, 6, bias=False)
        self.decoder = nn.Linear(6, 6)
        self.decoder.weight = self.encoder.weight

    def forward(self, x):
        return self.decoder(torch.tanh(self.encoder(x)))


def loop(hand):
    torch.manual_seed(96)
    xs = torch.randn(48, 6)
    model = TiedAutoencoder()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    step = 0
    for epoch in range(3):
        for x in xs.split(16):
            optimizer.zero_grad()
            out = model(x)
            loss = F.mse_loss(out, x)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, output=out, target=x)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
