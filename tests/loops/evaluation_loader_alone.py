"""Training takes the whole batch each time; only evaluation has a loader, and two parts."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def distance(output, target):
    return F.l1_loss(output, target)


def loop(hand):
    torch.manual_seed(194)
    x, y = torch.randn(16, 3), torch.randn(16, 1)
    valid_dl = DataLoader(TensorDataset(torch.randn(9, 3), torch.randn(9, 1)), batch_size=4)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(3):
        model.train()
        output = model(x)
        loss = distance(output, y) + 2 * distance(output.detach() + output, y)
        optimizer.zero_grad()
        loss.backward()
        with torch.no_grad():
            hand.add("Loss/train/l1_loss", epoch, (output - y).abs().mean().item())
            hand.add("Loss/train/l1_loss_2", epoch, (2 * output - y).abs().mean().item())
        hand.step(epoch, loss.item(), optimizer)
        hand.saw("train", loss.item(), 16)
        optimizer.step()
        hand.end("train", epoch)

        model.eval()
        with torch.no_grad():
            for inputs, targets in valid_dl:
                predicted = model(inputs)
                distance(predicted, targets)
                distance(2 * predicted, targets)
                near, far = (predicted - targets).abs().mean(), (2 * predicted - targets).abs()
                hand.saw("val", near.item(), len(inputs), "l1_loss")
                hand.saw("val", far.mean().item(), len(inputs), "l1_loss_2")
        hand.end("val", epoch, "l1_loss")
        hand.end("val", epoch, "l1_loss_2")
    return model, optimizer
