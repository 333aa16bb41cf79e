"""The training is a generator that yields every loss; whoever drives it may do other things between."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def training(hand, model, loader, optimizer, epochs):
    criterion = nn.CrossEntropyLoss()
    step = 0
    for epoch in range(1, epochs + 1):
        for xb, yb in loader:
            out = model(xb)
            loss = criterion(out, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
            step += 1
            yield epoch, loss.item()
        hand.end("train", epoch)


def loop(hand):
    torch.manual_seed(98)
    x, y = torch.randn(14, 3), torch.randint(0, 2, (14,))
    loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    losses = []
    for _, loss in training(hand, model, loader, optimizer, epochs=3):
        losses.append(loss)
        assert len(losses) < 50
    return model, optimizer
