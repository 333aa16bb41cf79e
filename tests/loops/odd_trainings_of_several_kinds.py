"""A course's notebook: one model after another, each with a criterion of its own, all kept alive.

Each is left in `eval()`, so that none trains when the next one's first backward comes. The last is
evaluated once more by another function.
"""

from __future__ import annotations

import torch
from torch import nn


def binary(hand):
    torch.manual_seed(131)
    x_train, x_test = torch.randn(40, 2), torch.randn(12, 2)
    y_train, y_test = (x_train[:, 0] > 0).float(), (x_test[:, 0] > 0).float()
    model_0 = nn.Linear(2, 1)
    loss_fn = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model_0.parameters(), lr=0.5)
    for epoch in range(6):
        model_0.train()
        y_logits = model_0(x_train).squeeze()
        loss = loss_fn(y_logits, y_train)
        optimizer.zero_grad()
        loss.backward()
        hand.step(epoch, loss.item(), optimizer)
        hand.saw("train", loss.item(), 40, correct=((y_logits > 0) == y_train).sum())
        hand.end("train", epoch)
        optimizer.step()

        model_0.eval()
        with torch.inference_mode():
            test_logits = model_0(x_test).squeeze()
            test_loss = loss_fn(test_logits, y_test)
        hand.saw("test", test_loss.item(), 12, correct=((test_logits > 0) == y_test).sum())
        hand.end("test", epoch)
    return model_0, optimizer


def line(hand, first):
    torch.manual_seed(132)
    x_line, x_line_test = torch.rand(30, 1), torch.rand(10, 1)
    y_line, y_line_test = 0.7 * x_line + 0.3, 0.7 * x_line_test + 0.3
    model_1 = nn.Linear(1, 1)
    loss_fn = nn.L1Loss()
    optimizer = torch.optim.SGD(model_1.parameters(), lr=0.05)
    for epoch in range(7):
        y_pred = model_1(x_line)
        loss = loss_fn(y_pred, y_line)
        loss.backward()
        hand.step(first + epoch, loss.item(), optimizer)
        hand.saw("train", loss.item(), 30, output=y_pred, target=y_line)
        hand.end("train", first + epoch)
        optimizer.step()
        optimizer.zero_grad()

        model_1.eval()
        with torch.inference_mode():
            test_pred = model_1(x_line_test)
            test_loss = loss_fn(test_pred, y_line_test)
        hand.saw("test", test_loss.item(), 10, output=test_pred, target=y_line_test)
        hand.end("test", first + epoch)
    return model_1, optimizer


def train_step(model, batches, loss_fn, optimizer, hand, step):
    model.train()
    for x, y in batches:
        y_pred = model(x)
        loss = loss_fn(y_pred, y)
        optimizer.zero_grad()
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hand.saw("train", loss.item(), len(x), correct=(y_pred.argmax(1) == y).sum())
        optimizer.step()
        step += 1
    return step


def test_step(model, batches, loss_fn, hand):
    model.eval()
    with torch.inference_mode():
        for x, y in batches:
            test_pred = model(x)
            loss = loss_fn(test_pred, y)
            hand.saw("test", loss.item(), len(x), correct=(test_pred.argmax(1) == y).sum())


def eval_model(model, test_loader, loss_fn, hand):
    model.eval()
    with torch.inference_mode():
        for x, y in test_loader:
            y_pred = model(x)
            loss = loss_fn(y_pred, y)
            hand.saw("test", loss.item(), len(x), correct=(y_pred.argmax(1) == y).sum())


def classes(hand, step, first):
    torch.manual_seed(133)
    data = [torch.utils.data.TensorDataset(torch.randn(n, 4), torch.arange(n) % 3) for n in (24, 9)]
    train_loader, test_loader = (torch.utils.data.DataLoader(one, batch_size=6) for one in data)
    model_2 = nn.Linear(4, 3)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model_2.parameters(), lr=0.1)
    for epoch in range(4):
        step = train_step(model_2, train_loader, loss_fn, optimizer, hand, step)
        hand.end("train", first + epoch)
        test_step(model_2, test_loader, loss_fn, hand)
        hand.end("test", first + epoch)
    eval_model(model_2, test_loader, loss_fn, hand)
    hand.end("test", first + epoch)
    return model_2, optimizer


def loop(hand):
    return [binary(hand), line(hand, 6), classes(hand, 13, 13)]
