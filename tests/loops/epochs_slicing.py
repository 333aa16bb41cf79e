"""No loader: a permutation and slices of it."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(99)
    X_train, y_train = torch.randn(23, 3), torch.randint(0, 2, (23,))
    X_test, y_test = torch.randn(7, 3), torch.randint(0, 2, (7,))
    n_epochs, batch_size = 3, 8
    model = nn.Linear(3, 2)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    step = 0
    for epoch in range(n_epochs):
        model.train()
        permutation = torch.randperm(len(X_train))
        for i in range(0, len(X_train), batch_size):
            indices = permutation[i : i + batch_size]
            batch_x, batch_y = X_train[indices], y_train[indices]
            outputs = model(batch_x)
            loss = loss_fn(outputs, batch_y)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (outputs.argmax(1) == batch_y).sum()
            hand.saw("train", loss.item(), len(indices), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            y_pred = model(X_test)
            test_loss = loss_fn(y_pred, y_test)
        hand.saw("test", test_loss.item(), 7, correct=(y_pred.argmax(1) == y_test).sum())
        hand.end("test", epoch)
    return model, optimizer
