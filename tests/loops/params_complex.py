"""Complex parameters."""

from __future__ import annotations

import torch
from torch import nn


class Filter(nn.Module):
    def __init__(self):
        super().__init__()
        self.response = nn.Parameter(torch.randn(9, dtype=torch.complex64))

    def forward(self, signal):
        return torch.fft.irfft(torch.fft.rfft(signal) * self.response, n=16)


def loop(hand):
    torch.manual_seed(92)
    signals = torch.randn(48, 16)
    delayed = signals.roll(3, dims=1)
    model = Filter()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

    step = 0
    for epoch in range(3):
        for x, y in zip(signals.split(16), delayed.split(16)):
            optimizer.zero_grad()
            out = model(x)
            loss = nn.functional.mse_loss(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, output=out, target=y)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
