"""A summed error divided by the number of samples, clipped, in epochs with a smaller last batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(6)
    x = torch.randn(70, 3)
    y = x @ torch.randn(3, 1) + 0.1 * torch.randn(70, 1)
    loader = DataLoader(TensorDataset(x, y), batch_size=4, shuffle=True)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    step = 0
    for epoch in range(3):
        for inputs, wanted in loader:
            output = model(inputs)
            loss = F.mse_loss(output, wanted, reduction="sum") / len(inputs)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
            hand.saw("train", loss.item(), len(inputs), output=output, target=wanted)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
