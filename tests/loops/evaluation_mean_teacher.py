"""A teacher, its student's average, guesses for what is unlabelled; two loaders in either order.

Guesses in training are no evaluation. After each epoch both are evaluated, without a criterion.
"""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Loss/val", "Loss/val_teacher"}


@torch.no_grad()
def hits_of(net, loader):
    return sum((net(x).argmax(1) == y).sum().item() for x, y in loader)


def loop(hand):
    torch.manual_seed(410)
    x = torch.randn(61, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    labelled = DataLoader(TensorDataset(x[:24], y[:24]), batch_size=6, shuffle=True)
    unlabelled = DataLoader(TensorDataset(x[24:48], y[24:48]), batch_size=6, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[48:], y[48:]), batch_size=5)
    student = nn.Linear(4, 3)
    teacher = copy.deepcopy(student).requires_grad_(False)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.3)
    step, known = 0, 0
    for epoch in range(4):
        pairs = zip(labelled, unlabelled) if epoch % 2 else zip(unlabelled, labelled)
        for one, other in pairs:
            (inputs, labels), (more, _) = (one, other) if epoch % 2 else (other, one)
            with torch.no_grad():
                guesses = teacher(more).softmax(1)
            known += len(guesses)
            outputs = student(inputs)
            apart = (student(more).softmax(1) - guesses).square().mean()
            loss = criterion(outputs, labels) + apart
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (outputs.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(labels), correct=hits)
            optimizer.step()
            step += 1
            with torch.no_grad():
                for slow, fast in zip(teacher.parameters(), student.parameters()):
                    slow.lerp_(fast, 0.2)
        hand.end("train", epoch)
        hand.add("Accuracy/val", epoch, 100 * hits_of(student, val_loader) / 13)
        hand.add("Accuracy/val_teacher", epoch, 100 * hits_of(teacher, val_loader) / 13)
    assert known == 96
    return student, teacher, optimizer
