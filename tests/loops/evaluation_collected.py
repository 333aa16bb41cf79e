"""Predictions are collected as arrays and scored at the end with numpy, as with sklearn."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def accuracy_score(y_true, y_pred):
    return float(np.mean(np.asarray(y_true) == np.asarray(y_pred)))


def loop(hand):
    torch.manual_seed(311)
    x = torch.randn(37, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=8, shuffle=True)
    test_loader = DataLoader(TensorDataset(x[20:], y[20:]), batch_size=5)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        model.train()
        for inputs, labels in train_loader:
            outputs = model(inputs)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        y_true, y_pred, test_loss = [], [], 0.0
        with torch.no_grad():
            for inputs, labels in test_loader:
                outputs = model(inputs)
                test_loss += criterion(outputs, labels).item() * inputs.size(0)
                y_pred.extend(outputs.argmax(1).cpu().numpy())
                y_true.extend(labels.cpu().numpy())
        hand.add("Loss/test", epoch, test_loss / 17)
        hand.add("Accuracy/test", epoch, 100 * accuracy_score(y_true, y_pred))
    return model, optimizer
