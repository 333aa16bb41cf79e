"""Labels come as NumPy made them, in 32 bits: training makes them longer, the test compares them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

ABSENT = {"Loss/test"}


class Clouds(Dataset):
    def __init__(self, points, kinds):
        self.points, self.kinds = points.numpy(), kinds.numpy().astype(np.int32)

    def __len__(self):
        return len(self.kinds)

    def __getitem__(self, index):
        return self.points[index], self.kinds[index]


def loop(hand):
    torch.manual_seed(406)
    x = torch.randn(31, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(Clouds(x[:18], y[:18]), batch_size=6, shuffle=True)
    test_loader = DataLoader(Clouds(x[18:], y[18:]), batch_size=5)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        for points, target in train_loader:
            optimizer.zero_grad()
            pred = model(points)
            loss = criterion(pred, target.long())
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(target), correct=(pred.argmax(1) == target).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        hits = 0
        with torch.no_grad():
            for points, target in test_loader:
                assert target.dtype == torch.int32
                hits += model(points).argmax(1).eq(target.long()).sum().item()
        hand.add("Accuracy/test", epoch, 100 * hits / 13)
    return model, optimizer
