"""itertools.cycle(loader), evaluated every third step: a round of the batches is an epoch."""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(301)
    x = torch.randn(33, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:18], y[:18]), batch_size=5, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[18:], y[18:]), batch_size=6)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    batches = itertools.cycle(train_loader)
    for step in range(14):
        inputs, labels = next(batches)
        outputs = model(inputs)
        loss = criterion(outputs, labels)
        optimizer.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
        optimizer.step()
        # 18 samples in fives are four batches.
        if step % 4 == 3 or step == 13:
            hand.end("train", step // 4)
        if step % 3 == 2:
            model.eval()
            with torch.no_grad():
                for inputs, labels in val_loader:
                    outputs = model(inputs)
                    hits = (outputs.argmax(1) == labels).sum()
                    hand.saw("val", criterion(outputs, labels).item(), len(labels), correct=hits)
            hand.end("val", step // 4)
            model.train()
    return model, optimizer
