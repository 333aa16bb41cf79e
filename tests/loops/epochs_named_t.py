"""The quickstart's style: for t in range(epochs) around train(dataloader) and test(dataloader)."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def train(hand, dataloader, model, loss_fn, optimizer, step):
    model.train()
    for batch, (X, y) in enumerate(dataloader):
        pred = model(X)
        loss = loss_fn(pred, y)
        loss.backward()
        hand.step(step + batch, loss.item(), optimizer)
        hand.saw("train", loss.item(), len(X), correct=(pred.argmax(1) == y).sum())
        optimizer.step()
        optimizer.zero_grad()
    return step + batch + 1


def test(hand, dataloader, model, loss_fn):
    size = len(dataloader.dataset)
    model.eval()
    test_loss, correct = 0, 0
    with torch.no_grad():
        for X, y in dataloader:
            pred = model(X)
            test_loss += loss_fn(pred, y).item() * len(X)
            correct += (pred.argmax(1) == y).type(torch.float).sum().item()
    return test_loss / size, 100 * correct / size


def loop(hand):
    torch.manual_seed(112)
    x = torch.randn(24, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_dataloader = DataLoader(TensorDataset(x[:16], y[:16]), batch_size=6)
    test_dataloader = DataLoader(TensorDataset(x[16:], y[16:]), batch_size=5)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    epochs = 3
    step = 0
    for t in range(epochs):
        step = train(hand, train_dataloader, model, loss_fn, optimizer, step)
        hand.end("train", t)
        test_loss, accuracy = test(hand, test_dataloader, model, loss_fn)
        hand.add("Loss/test", t, test_loss)
        hand.add("Accuracy/test", t, accuracy)
    return model, optimizer
