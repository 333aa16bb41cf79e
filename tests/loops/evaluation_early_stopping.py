"""Early stopping: validation each epoch, the best weights are kept and put back at the end."""

import copy

from torch.utils.data import DataLoader, TensorDataset


import torch
from torch import nn
from torch.nn import functional as F


def validate(model, loader):
    model.eval()
    total = correct = 0
    with torch.no_grad():
        for x, y in loader:
            out = model(x)
            total += F.cross_entropy(out, y, reduction="sum").item()
            correct += (out.argmax(1) == y).sum().item()
    return total / len(loader.dataset), correct


def loop(hand):
    torch.manual_seed(181)
    parts = [TensorDataset(torch.randn(n, 5), torch.randint(0, 3, (n,))) for n in (30, 20)]
    train_loader = DataLoader(parts[0], batch_size=12)
    valid_loader = DataLoader(parts[1], batch_size=8)
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    best, best_state, patience, step = float("inf"), None, 0, 0
    for epoch in range(20):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            out = model(x)
            loss = F.cross_entropy(out, y)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(x), correct=(out.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        value, correct = validate(model, valid_loader)
        hand.add("Loss/val", epoch, value)
        hand.add("Accuracy/val", epoch, 100 * correct / 20)
        if value < best:
            best, best_state, patience = value, copy.deepcopy(model.state_dict()), 0
        else:
            patience += 1
            if patience == 2:
                break
    model.load_state_dict(best_state)
    value, correct = validate(model, valid_loader)
    hand.add("Loss/val", epoch, value)
    hand.add("Accuracy/val", epoch, 100 * correct / 20)
    return model, optimizer
