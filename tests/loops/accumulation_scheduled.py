"""Accumulation with a ragged last group and a scheduler that goes on with every update."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(314)
    x = torch.randn(26, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    loader = DataLoader(TensorDataset(x, y), batch_size=4, shuffle=True)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=9)
    every, step, losses, sizes = 3, 0, [], []
    for epoch in range(3):
        for i, (inputs, labels) in enumerate(loader):
            outputs = model(inputs)
            loss = criterion(outputs, labels)
            (loss / every).backward()
            losses.append((loss / every).item() * every)
            sizes.append(len(labels))
            hand.saw("train", losses[-1], len(labels), correct=(outputs.argmax(1) == labels).sum())
            if (i + 1) % every == 0 or i + 1 == len(loader):
                if len(losses) > 1:
                    hand.step(step, losses, optimizer, sizes=sizes)
                else:
                    hand.step(step, losses[0], optimizer, rtol=1e-6)
                nn.utils.clip_grad_norm_(model.parameters(), 0.5)
                hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
                losses.clear()
                sizes.clear()
                step += 1
        hand.end("train", epoch)
    return model, optimizer, scheduler
