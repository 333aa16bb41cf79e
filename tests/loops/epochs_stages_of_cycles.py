"""Three tasks in turn, each with a cycle over a loader of its own, all trained by one function."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(328)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = epoch = 0
    for task in ("a", "b", "c"):
        x = torch.randn(15, 4)
        y = (x @ torch.randn(4, 3)).argmax(1)
        loader = DataLoader(TensorDataset(x, y), batch_size=5)
        for i, (inputs, labels) in enumerate(itertools.islice(itertools.cycle(loader), 7)):
            outputs = model(inputs)
            loss = F.cross_entropy(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
            if i in (2, 5, 6):
                hand.end("train", epoch)
                epoch += 1
    return model, optimizer
