"""Batches are objects: of a dictionary's kind in training, with `to_dict` in the test.

So have tokenizers and graph libraries them. The test has no criterion.
"""

from __future__ import annotations

from collections import UserDict

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Loss/test"}


class Graphs:
    def __init__(self, x, y):
        self.store = {"x": x, "y": y, "edges": torch.zeros(2, 7, dtype=torch.int64)}

    def to_dict(self):
        return dict(self.store)


def words(samples):
    x, y = (torch.stack(column) for column in zip(*samples, strict=True))
    return UserDict(input_ids=x, labels=y)


def graphs(samples):
    return Graphs(*(torch.stack(column) for column in zip(*samples, strict=True)))


def loop(hand):
    torch.manual_seed(144)
    x = torch.randn(40, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train, test = TensorDataset(x[:18], y[:18]), TensorDataset(x[18:], y[18:])
    train_loader = DataLoader(train, batch_size=6, collate_fn=words)
    test_loader = DataLoader(test, batch_size=5, collate_fn=graphs)
    val_loader = DataLoader(test, batch_size=4, collate_fn=words)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        for batch in train_loader:
            outputs = model(batch["input_ids"])
            loss = nn.functional.cross_entropy(outputs, batch["labels"])
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            right = (outputs.argmax(1) == batch["labels"]).sum()
            hand.saw("train", loss.item(), 6, correct=right)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        with torch.no_grad():
            for batch in val_loader:
                out = model(batch["input_ids"])
                loss = nn.functional.cross_entropy(out, batch["labels"])
                right = (out.argmax(1) == batch["labels"]).sum()
                hand.saw("val", loss.item(), len(out), correct=right)
            right = 0
            for batch in test_loader:
                right += (model(batch.store["x"]).argmax(1) == batch.store["y"]).sum().item()
        hand.end("val", epoch)
        hand.add("Accuracy/test", epoch, 100 * right / 22, rtol=1e-7)
    return model, optimizer
