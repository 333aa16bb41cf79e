"""l1_loss of the detached outputs as a metric beside the training loss: neither term nor evaluation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Loss/val", "MAE/val", "Loss/train/l1_loss", "Loss/train/mse_loss"}


def loop(hand):
    torch.manual_seed(77)
    x = torch.randn(20, 3)
    y = x.sum(1, keepdim=True) + 0.1 * torch.randn(20, 1)
    loader = DataLoader(TensorDataset(x, y), batch_size=7, shuffle=True)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        shown = []
        for xb, yb in loader:
            prediction = model(xb)
            loss = F.mse_loss(prediction, yb)
            shown.append(F.l1_loss(prediction.detach(), yb).item())
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), output=prediction, target=yb)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
