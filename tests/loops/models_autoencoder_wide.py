"""An autoencoder of 80 outputs: R2 stops at 64 output dimensions, the mean absolute error does not."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train", "R2/train"}


def loop(hand):
    torch.manual_seed(124)
    x = torch.rand(20, 80)
    loader = DataLoader(TensorDataset(x), batch_size=8, shuffle=True)
    model = nn.Sequential(nn.Linear(80, 5), nn.Sigmoid(), nn.Linear(5, 80))
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    step = 0
    for epoch in range(3):
        absolute = 0.0
        for (batch,) in loader:
            output = model(batch)
            loss = criterion(output, batch)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(batch))
            absolute += float((output.detach() - batch).abs().double().sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        hand.add("MAE/train", epoch, absolute / (20 * 80))
    return model, optimizer
