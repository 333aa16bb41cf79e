"""An autoencoder of 80 outputs: beyond 64 it is a picture, and one score over it says nothing."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train", "R2/train", "MAE/train"}


def loop(hand):
    torch.manual_seed(124)
    x = torch.rand(20, 80)
    loader = DataLoader(TensorDataset(x), batch_size=8, shuffle=True)
    model = nn.Sequential(nn.Linear(80, 5), nn.Sigmoid(), nn.Linear(5, 80))
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    step = 0
    for epoch in range(3):
        for (batch,) in loader:
            output = model(batch)
            loss = criterion(output, batch)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(batch))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
