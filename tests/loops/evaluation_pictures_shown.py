"""After training some pictures are shown with what the model says of them: no evaluation.

The loader is that of validation, which has gone through all of it, with a criterion, each epoch.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def show(model, dataloaders, wanted):
    was_training = model.training
    model.eval()
    shown = []
    with torch.no_grad():
        for inputs, labels in dataloaders["val"]:
            guesses = model(inputs).argmax(1)
            for guess, label in zip(guesses, labels, strict=True):
                shown.append((guess, label))
                if len(shown) == wanted:
                    model.train(was_training)
                    return shown
    return shown


def loop(hand):
    torch.manual_seed(404)
    x = torch.randn(38, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    dataloaders = {
        "train": DataLoader(TensorDataset(x[:20], y[:20]), batch_size=5, shuffle=True),
        "val": DataLoader(TensorDataset(x[20:], y[20:]), batch_size=4, shuffle=True),
    }
    model, criterion = nn.Linear(4, 3), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    shown, step = [], 0
    for epoch in range(3):
        for phase in ["train", "val"]:
            model.train(phase == "train")
            for inputs, labels in dataloaders[phase]:
                optimizer.zero_grad()
                with torch.set_grad_enabled(phase == "train"):
                    outputs = model(inputs)
                    loss = criterion(outputs, labels)
                    if phase == "train":
                        loss.backward()
                        hand.step(step, loss.item(), optimizer)
                        optimizer.step()
                        step += 1
                hits = (outputs.argmax(1) == labels).sum()
                hand.saw(phase, loss.item(), len(labels), correct=hits)
            hand.end(phase, epoch)
        if epoch:
            shown += show(model, dataloaders, wanted=6)
    return shown, model, optimizer
