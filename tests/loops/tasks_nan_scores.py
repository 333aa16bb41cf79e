"""Some inputs are broken: their scores are NaN, and a NaN score is a wrong answer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(56)
    x = torch.randn(26, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    # The class that argmax of three NaN would name.
    x[20], y[20] = float("nan"), 0
    train_loader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=8, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[16:], y[16:]), batch_size=5)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    step = 0
    for epoch in range(2):
        for xb, yb in train_loader:
            out = model(xb)
            loss = F.cross_entropy(out, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        with torch.no_grad():
            for xb, yb in val_loader:
                out = model(xb)
                loss = F.cross_entropy(out, yb)
                hits = ((out.argmax(1) == yb) & out.isfinite().all(1)).sum()
                hand.saw("val", loss.item(), len(xb), correct=hits)
        hand.end("val", epoch)
    return model, optimizer
