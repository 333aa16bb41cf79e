"""binary_cross_entropy_with_logits imported by its name, with a positive weight."""

from __future__ import annotations

import torch
from torch import nn, optim
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(107)
    x = torch.randn(22, 4)
    y = (x.sum(1, keepdim=True) > 0).float()
    train_data = TensorDataset(x[:16], y[:16])
    val_data = TensorDataset(x[16:], y[16:])
    model = nn.Linear(4, 1)
    opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    n = 0
    for epoch in range(1, 4):
        for x, y in DataLoader(train_data, batch_size=6, shuffle=True):
            opt.zero_grad()
            out = model(x)
            loss = binary_cross_entropy_with_logits(out, y, pos_weight=torch.tensor([2.0]))
            loss.backward()
            hand.step(n, loss.item(), opt)
            hand.saw("train", loss.item(), x.size(0), correct=((out > 0).float() == y).sum())
            opt.step()
            n += 1
        hand.end("train", epoch)

        model.eval()
        with torch.inference_mode():
            for x, y in DataLoader(val_data, batch_size=4):
                out = model(x)
                loss = binary_cross_entropy_with_logits(out, y, pos_weight=torch.tensor([2.0]))
                hand.saw("val", loss.item(), x.size(0), correct=((out > 0).float() == y).sum())
        model.train()
        hand.end("val", epoch)
    return model, opt
