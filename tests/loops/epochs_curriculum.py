"""A curriculum: each epoch has a loader of its own, over more and harder samples."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset


def loop(hand):
    torch.manual_seed(308)
    x = torch.randn(24, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    train_set = TensorDataset(x, y)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for stage, share in enumerate((0.4, 0.7, 1.0)):
        with torch.no_grad():
            hardness = F.cross_entropy(model(x), y, reduction="none")
        easiest = hardness.argsort()[: int(share * 24)].tolist()
        train_loader = DataLoader(Subset(train_set, easiest), batch_size=7, shuffle=True)
        if stage == 0:
            hand.add("Loss/val_initial", 0, hardness.double().mean().item(), rtol=1e-6)
            hits = (model(x).argmax(1) == y).sum()
            hand.add("Accuracy/val_initial", 0, 100 * hits.item() / 24)
        else:
            # All of the training samples, after the stage before this one.
            hits = (model(x).argmax(1) == y).sum()
            hand.saw("val", hardness.double().mean().item(), 24, correct=hits)
            hand.end("val", stage - 1)
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            out = model(inputs)
            loss = F.cross_entropy(out, labels)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(out.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", stage)
    return model, optimizer
