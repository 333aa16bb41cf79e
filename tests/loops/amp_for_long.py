"""A gradient scaler in long epochs: steps that it skips, now and then, and one scaled in vain."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(211)
    x = torch.randn(200, 6)
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0.5).long()
    loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
    model = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
    criterion = nn.CrossEntropyLoss()
    # What doubles every thirty steps is too large for half precision soon enough.
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**14, growth_interval=30)

    step, scale = 0, scaler.get_scale()
    for epoch in range(4):
        for number, (features, labels) in enumerate(loader):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.float16):
                scores = model(features)
                loss = criterion(scores, labels)
            if epoch == 2 and number == 17:
                # For somebody who looks at its size: no backward comes of it.
                scaler.scale(loss)
            scaler.scale(loss).backward()
            hand.saw("train", loss.item(), 5, correct=(scores.argmax(1) == labels).sum())
            if all(weight.grad.isfinite().all() for weight in model.parameters()):
                hand.step(step, loss.item(), optimizer, scale=scale)
                step += 1
            scaler.step(optimizer)
            scaler.update()
            scale = scaler.get_scale()
        hand.end("train", epoch)
    assert 150 < step < 160
    return model, optimizer, scaler
