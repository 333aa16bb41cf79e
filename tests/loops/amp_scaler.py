"""fp16 autocast and GradScaler, nothing unscaled by hand."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(20)
    xs, ys = torch.randn(64, 8), torch.randint(0, 3, (64,))
    loader = DataLoader(TensorDataset(xs, ys), batch_size=16, shuffle=True)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss_fn = nn.CrossEntropyLoss()
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)

    step = 0
    for epoch in range(3):
        for input, target in loader:
            optimizer.zero_grad()
            with torch.autocast(device_type="cpu", dtype=torch.float16):
                output = model(input)
                loss = loss_fn(output, target)
            scaler.scale(loss).backward()
            hand.step(step, loss.item(), optimizer, scale=scaler.get_scale())
            hand.saw("train", loss.item(), len(input), correct=(output.argmax(1) == target).sum())
            scaler.step(optimizer)
            scaler.update()
            step += 1
        hand.end("train", epoch)
    return model, optimizer, scaler
