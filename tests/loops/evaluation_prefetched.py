"""The next batch is drawn before the evaluation, as a prefetcher does, and trained on after it."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(324)
    x = torch.randn(36, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:24], y[:24]), batch_size=5, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[24:], y[24:]), batch_size=7)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        batches = iter(train_loader)
        following = next(batches, None)
        while following is not None:
            inputs, labels = following
            following = next(batches, None)
            if step % 2 == 1:
                with torch.no_grad():
                    for vx, vy in val_loader:
                        out = model(vx)
                        loss = nn.functional.cross_entropy(out, vy).item()
                        hand.saw("val", loss, len(vy), correct=(out.argmax(1) == vy).sum())
                hand.end("val", epoch)
            outputs = model(inputs)
            loss = nn.functional.cross_entropy(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
