"""A focal loss of one's own that returns a loss a sample; the loop takes their mean."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class FocalLoss(nn.Module):
    def forward(self, logits, target):
        ce = F.cross_entropy(logits, target, reduction="none")
        return (1 - torch.exp(-ce)) ** 2 * ce


def loop(hand):
    torch.manual_seed(334)
    x = torch.randn(34, 5)
    y = (x @ torch.randn(5, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=8, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[20:], y[20:]), batch_size=5)
    model, criterion = nn.Linear(5, 3), FocalLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, labels in train_loader:
            out = model(inputs)
            loss = criterion(out, labels).mean()
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(inputs), correct=(out.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for inputs, labels in val_loader:
                out = model(inputs)
                criterion(out, labels)
                chosen = out.double().log_softmax(1)[torch.arange(len(labels)), labels]
                hits = (out.argmax(1) == labels).sum()
                hand.saw("val", -chosen.mean().item(), len(inputs), "cross_entropy")
                hand.saw("val", 0.0, len(inputs), correct=hits)
        hand.end("val", epoch, "cross_entropy")
        hand.end("val", epoch, loss=False)
    return model, optimizer
