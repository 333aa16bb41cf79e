"""Batches of a second loader go through the model before the backward that they feed, by a loss in
plain arithmetic: none of them is evaluated, also where the first loader's batch is drawn in between.

Once some are looked at first, and then one that trains: of such a pass nothing is said.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(409)
    x = torch.randn(48, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    labelled = DataLoader(TensorDataset(x[:24], y[:24]), batch_size=6, shuffle=True)
    others = DataLoader(TensorDataset(x[24:], y[24:]), batch_size=6)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step, looked = 0, 0
    for epoch in range(4):
        unlabelled = iter(others)
        if epoch == 3:
            looked += sum(len(model(next(unlabelled)[0])) for _ in range(2))
        batches = iter(labelled)
        for _ in range(2):
            more, _ = next(unlabelled)
            sharpness = (model(more).softmax(1) ** 2).sum(1).mean()
            inputs, labels = next(batches)
            outputs = model(inputs)
            loss = criterion(outputs, labels) - 0.1 * sharpness
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (outputs.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(labels), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    assert looked == 12
    return model, optimizer
