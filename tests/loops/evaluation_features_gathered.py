"""Features are gathered over a loader with labels after each epoch: they are no scores of classes.

An encoder and its head learn by one optimizer; the encoder alone is called, and evaluates nothing.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/val"}


def loop(hand):
    torch.manual_seed(192)
    x, y = torch.randn(40, 6), torch.randint(0, 3, (40,))
    train_loader = DataLoader(TensorDataset(x, y), batch_size=10, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=5)
    encoder, head = nn.Sequential(nn.Linear(6, 12), nn.Tanh()), nn.Linear(12, 3)
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=0.01)
    gathered = []
    step = 0
    for epoch in range(3):
        encoder.train()
        head.train()
        for images, labels in train_loader:
            scores = head(encoder(images))
            loss = F.cross_entropy(scores, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(scores.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        encoder.eval()
        with torch.no_grad():
            gathered += [encoder(images) for images, _ in val_loader]
    return encoder, head, optimizer, gathered
