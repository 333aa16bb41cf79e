"""Binary: one logit a sample, squeezed, against floats of 0 and 1."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(40)
    x = torch.randn(23, 4)
    y = (x[:, 0] - x[:, 1] > 0).float()
    loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
    model = nn.Linear(4, 1)
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    step = 0
    for epoch in range(3):
        for inputs, labels in loader:
            logits = model(inputs).squeeze(1)
            loss = criterion(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = ((logits > 0) == (labels == 1)).sum()
            hand.saw("train", loss.item(), len(labels), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
