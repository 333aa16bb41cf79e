"""A gradient scaler, a penalty beside the criterion, gradients unscaled and clipped; some skipped.

Once what is clipped is scaled still.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(212)
    x = torch.randn(200, 6)
    y = x @ torch.randn(6, 1) + 0.1 * torch.randn(200, 1)
    loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
    model = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0, growth_interval=1000)

    step, number = 0, 0
    for epoch in range(4):
        for features, targets in loader:
            optimizer.zero_grad()
            outputs = model(features)
            error = nn.functional.mse_loss(outputs, targets)
            loss = error + 1e-3 * model[0].weight.square().sum()
            scale = scaler.get_scale()
            scaler.scale(loss).backward()
            late = number == 101
            if number in (60, 123):
                model[2].bias.grad.fill_(float("inf"))
            if not late:
                scaler.unscale_(optimizer)
            finite = all(weight.grad.isfinite().all() for weight in model.parameters())
            if finite:
                hand.step(step, loss.item(), optimizer, scale=scale if late else 1.0)
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            if finite:
                hand.gradient_norm(
                    step, model.parameters(), "GradNorm/clipped", scale=scale if late else 1.0
                )
                step += 1
            hand.saw("train", loss.item(), 5, output=outputs, target=targets)
            scaler.step(optimizer)
            scaler.update()
            number += 1
        hand.end("train", epoch)
    assert step == 158
    return model, optimizer, scaler
