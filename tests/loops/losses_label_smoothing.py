"""Label smoothing and class weights, smoothed for training only."""

from __future__ import annotations

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(21)
    X = torch.randn(26, 5)
    Y = (X @ torch.randn(5, 3)).argmax(dim=1)
    train_loader = DataLoader(TensorDataset(X[:18], Y[:18]), batch_size=7, shuffle=True)
    valid_loader = DataLoader(TensorDataset(X[18:], Y[18:]), batch_size=5)
    net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3))
    weights = torch.tensor([1.0, 2.0, 0.5])
    train_criterion = nn.CrossEntropyLoss(weight=weights, label_smoothing=0.1)
    valid_criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.02)
    step = 0
    for epoch in range(3):
        net.train()
        for images, labels in train_loader:
            optimizer.zero_grad()
            outputs = net(images)
            loss = train_criterion(outputs, labels)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (outputs.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), labels.size(0), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        net.eval()
        with torch.no_grad():
            for images, labels in valid_loader:
                outputs = net(images)
                loss = valid_criterion(outputs, labels)
                hits = (outputs.argmax(1) == labels).sum()
                hand.saw("val", loss.item(), labels.size(0), correct=hits)
        hand.end("val", epoch)
    return net, optimizer
