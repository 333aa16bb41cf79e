"""The model is copied for an average and pickled whole in the middle of the training."""

from __future__ import annotations

import copy
import io

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(5, 3)

    def forward(self, x):
        return self.linear(x)


def loop(hand):
    torch.manual_seed(123)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    average = torch.optim.swa_utils.AveragedModel(model)

    step = 0
    best = None
    for epoch in range(3):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(out.argmax(1) == y).sum())
            optimizer.step()
            average.update_parameters(model)
            step += 1
        best = copy.deepcopy(model)
        checkpoint = io.BytesIO()
        torch.save({"model": model, "optimizer": optimizer, "criterion": criterion}, checkpoint)
        hand.end("train", epoch)
    checkpoint.seek(0)
    loaded = torch.load(checkpoint, weights_only=False)
    return model, optimizer, average, best, loaded["model"], loaded["optimizer"]
