"""SGD given a closure."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(41)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    loader = DataLoader(TensorDataset(xs, ys), batch_size=12)
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loss_fn = nn.CrossEntropyLoss()

    step = 0
    for epoch in range(3):
        for input, target in loader:

            def closure():
                optimizer.zero_grad()
                output = model(input)
                loss = loss_fn(output, target)
                loss.backward()
                hand.step(step, loss.item(), optimizer)
                correct = (output.argmax(1) == target).sum()
                hand.saw("train", loss.item(), len(input), correct=correct)
                return loss

            optimizer.step(closure)
            step += 1
        hand.end("train", epoch)
    return model, optimizer
