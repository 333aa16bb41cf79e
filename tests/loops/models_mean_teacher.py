"""A mean teacher: a moving average of the weights gives targets; two terms, one by hand."""

import copy


import torch
from torch import nn
from torch.nn import functional as F


def loop(hand):
    torch.manual_seed(174)
    xs, ys = torch.randn(36, 5), torch.randint(0, 3, (36,))
    student = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    teacher = copy.deepcopy(student).requires_grad_(False)
    teacher.eval()
    optimizer = torch.optim.Adam(student.parameters(), lr=0.01)
    step = 0
    for epoch in range(3):
        student.train()
        for x, y in zip(xs.split(12), ys.split(12)):
            out = student(x)
            with torch.no_grad():
                target = F.softmax(teacher(x), 1)
            ce = F.cross_entropy(out, y)
            consistency = F.mse_loss(F.softmax(out, 1), target)
            loss = ce + 2.0 * consistency
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/cross_entropy", step, ce.item())
            hand.add("Loss/train/mse_loss", step, consistency.item())
            probabilities = F.softmax(out, 1)
            hand.saw(
                "train", loss.item(), 12, correct=(out.argmax(1) == y).sum(),
                output=probabilities, target=target,
            )
            optimizer.step()
            step += 1
            with torch.no_grad():
                for old, new in zip(teacher.parameters(), student.parameters()):
                    old.mul_(0.9).add_(new, alpha=0.1)
        hand.end("train", epoch)
    return student, teacher, optimizer
