"""Stochastic weight averaging: an averaged model, its batch norm updated, both evaluated."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset


def evaluate(model, loader, hand, written):
    model.eval()
    with torch.no_grad():
        for x, y in loader:
            out = model(x)
            loss = F.cross_entropy(out, y).item()
            hand.saw(written, loss, len(y), correct=(out.argmax(1) == y).sum())


def loop(hand):
    torch.manual_seed(307)
    x = torch.randn(40, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:27], y[:27]), batch_size=9, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[27:], y[27:]), batch_size=6)
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    swa_model = AveragedModel(model)
    swa_scheduler = SWALR(optimizer, swa_lr=0.05, anneal_epochs=2)
    step = 0
    for epoch in range(4):
        model.train()
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            out = model(inputs)
            loss = F.cross_entropy(out, labels)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(out.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        if epoch >= 2:
            swa_model.update_parameters(model)
            swa_scheduler.step()
        evaluate(model, val_loader, hand, "val")
        hand.end("val", epoch)
    update_bn(train_loader, swa_model)
    # Another model on the same data: a curve of its own, not a second point of the first one's.
    evaluate(swa_model, val_loader, hand, "val_swa")
    hand.end("val_swa", 3)
    return model, swa_model, optimizer
