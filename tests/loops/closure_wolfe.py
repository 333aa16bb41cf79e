"""LBFGS with line search on batches, the closure returned by a function."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(42)
    xs = torch.randn(60, 3)
    ys = (xs[:, 0] + 0.5 * torch.randn(60) > 0).long()
    loader = DataLoader(TensorDataset(xs, ys), batch_size=30)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4, line_search_fn="strong_wolfe")
    noted = set()

    def make_closure(data, target, step):
        def closure():
            optimizer.zero_grad()
            output = model(data)
            loss = nn.functional.cross_entropy(output, target)
            loss.backward()
            if step not in noted:
                noted.add(step)
                hand.step(step, loss.item(), optimizer)
                correct = (output.argmax(1) == target).sum()
                hand.saw("train", loss.item(), len(data), correct=correct)
            return loss

        return closure

    step = 0
    for epoch in range(3):
        for data, target in loader:
            optimizer.step(make_closure(data, target, step))
            step += 1
        hand.end("train", epoch)
    return model, optimizer
