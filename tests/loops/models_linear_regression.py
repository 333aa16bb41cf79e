"""Linear regression on fifteen points, full batch, from numpy: one step is one epoch."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn as nn

x_train = np.linspace(1, 10, 15, dtype=np.float32).reshape(-1, 1)
y_train = 0.6 * x_train + np.sin(x_train) / 3 + 0.4


def loop(hand):
    torch.manual_seed(120)
    num_epochs = 30
    model = nn.Linear(1, 1)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
    for epoch in range(num_epochs):
        inputs = torch.from_numpy(x_train)
        targets = torch.from_numpy(y_train)
        outputs = model(inputs)
        loss = criterion(outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        hand.step(epoch, loss.item(), optimizer)
        hand.saw("train", loss.item(), len(inputs), output=outputs, target=targets)
        hand.end("train", epoch)
        optimizer.step()
    return model, optimizer
