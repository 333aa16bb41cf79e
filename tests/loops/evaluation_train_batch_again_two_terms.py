"""After each step its batch is measured once more; the loss has a second term, made after the first."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Loss/val", "Loss/val_2", "Accuracy/val_2", "Loss/train_eval", "Accuracy/train_eval"}


def loop(hand):
    torch.manual_seed(91)
    x, fresh = torch.randn(22, 4), torch.randn(9, 4)
    rule = torch.randn(4, 3)
    loader = DataLoader(TensorDataset(x, (x @ rule).argmax(1)), batch_size=6, shuffle=True)
    held_out = DataLoader(TensorDataset(fresh, (fresh @ rule).argmax(1)), batch_size=4)
    model = nn.Linear(4, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    after, step = [], 0
    for epoch in range(3):
        for inputs, labels in loader:
            scores = model(inputs)
            fits = criterion(scores, labels)
            even = torch.full_like(scores, 1 / 3)
            flat = F.kl_div(scores.log_softmax(1), even, reduction="batchmean")
            loss = fits + 0.1 * flat
            optimizer.zero_grad()
            loss.backward()
            hand.add("Loss/train/cross_entropy", step, fits.item())
            hand.add("Loss/train/kl_div", step, flat.item())
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(labels), correct=(scores.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
            with torch.no_grad():
                after.append(criterion(model(inputs), labels).item())
        hand.end("train", epoch)
        losses = []
        with torch.no_grad():
            for inputs, labels in held_out:
                scores = model(inputs)
                right = (scores.argmax(1) == labels).sum()
                losses.append(criterion(scores, labels).item())
                hand.saw("val", losses[-1], len(labels), correct=right)
        hand.end("val", epoch, loss=False)
        hand.mean("Loss/val/cross_entropy", epoch, losses, sizes=[4, 4, 1])
    return model, optimizer
