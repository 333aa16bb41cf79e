"""Full batch, one step an epoch: the function is called again, and its epochs run on."""

from __future__ import annotations

import torch
from torch import nn


def train(hand, model, optimizer, data, first, epochs):
    inputs, wanted = data
    for epoch in epochs:
        predicted = model(inputs).squeeze(1)
        loss = nn.functional.l1_loss(predicted, wanted)
        optimizer.zero_grad()
        loss.backward()
        number = first + epoch - epochs.start
        hand.step(number, loss.item(), optimizer)
        hand.saw("train", loss.item(), 9, output=predicted, target=wanted)
        hand.end("train", number)
        optimizer.step()


def loop(hand):
    torch.manual_seed(132)
    data = torch.randn(9, 4), torch.randn(9)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    train(hand, model, optimizer, data, 0, range(120))
    train(hand, model, optimizer, data, 120, range(70))
    train(hand, model, optimizer, data, 190, range(70, 150))
    return model, optimizer
