"""Progressive resizing: stages with loaders of larger images, epochs counted in each anew."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(318)
    images, labels = torch.randn(20, 1, 8, 8), torch.randint(0, 3, (20,))
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model.append(nn.Linear(4, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = passes = 0
    for size in (4, 8):
        small = F.interpolate(images, size)
        loader = DataLoader(TensorDataset(small[:13], labels[:13]), batch_size=5, shuffle=True)
        test_loader = DataLoader(TensorDataset(small[13:], labels[13:]), batch_size=4)
        for epoch in range(2):
            model.train()
            for x, y in loader:
                optimizer.zero_grad()
                out = model(x)
                loss = F.cross_entropy(out, y)
                loss.backward()
                hand.step(step, loss.item(), optimizer)
                hand.saw("train", loss.item(), len(y), correct=(out.argmax(1) == y).sum())
                optimizer.step()
                step += 1
            hand.end("train", passes)
            model.eval()
            with torch.inference_mode():
                for x, y in test_loader:
                    out = model(x)
                    loss = F.cross_entropy(out, y)
                    hand.saw("test", loss.item(), len(y), correct=(out.argmax(1) == y).sum())
            hand.end("test", passes)
            passes += 1
    return model, optimizer
