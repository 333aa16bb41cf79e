"""Encoder and decoder with an optimizer each, one loss and one backward for both."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(65)
    xs, ys = torch.randn(48, 6), torch.randint(0, 3, (48,))
    encoder, decoder = nn.Linear(6, 8), nn.Linear(8, 3)
    encoder_optimizer = torch.optim.SGD(encoder.parameters(), lr=0.1)
    decoder_optimizer = torch.optim.SGD(decoder.parameters(), lr=0.2)
    criterion = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(16), ys.split(16)):
            encoder_optimizer.zero_grad()
            decoder_optimizer.zero_grad()
            out = decoder(encoder(x).relu())
            loss = criterion(out, y)
            loss.backward()
            correct = (out.argmax(1) == y).sum()
            hand.step(step, loss.item(), encoder_optimizer, "encoder_optimizer")
            hand.step(step, loss.item(), decoder_optimizer, "decoder_optimizer")
            hand.saw("train", loss.item(), 16, "encoder_optimizer", correct=correct)
            hand.saw("train", loss.item(), 16, "decoder_optimizer", correct=correct)
            encoder_optimizer.step()
            decoder_optimizer.step()
            step += 1
        hand.end("train", epoch, "encoder_optimizer")
        hand.end("train", epoch, "decoder_optimizer")
    return encoder, decoder, encoder_optimizer, decoder_optimizer
