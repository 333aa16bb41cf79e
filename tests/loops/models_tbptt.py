"""Truncated backpropagation through time: the hidden state is detached from piece to piece."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def loop(hand):
    torch.manual_seed(179)
    series = torch.sin(torch.arange(0, 33) / 3)[None, :, None].repeat(4, 1, 1)
    cell, head = nn.LSTM(1, 8, batch_first=True), nn.Linear(8, 1)
    optimizer = torch.optim.SGD([*cell.parameters(), *head.parameters()], lr=0.05)
    step = 0
    for epoch in range(3):
        state = None
        for start in range(0, 32, 8):
            x, y = series[:, start : start + 8], series[:, start + 1 : start + 9]
            out, state = cell(x, state)
            prediction = head(out)
            loss = ((prediction - y) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 1)
            optimizer.step()
            state = tuple(part.detach() for part in state)
            step += 1
        hand.end("train", epoch)
    return cell, head, optimizer
