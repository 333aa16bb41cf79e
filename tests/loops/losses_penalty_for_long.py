"""One criterion and a penalty by hand, the gradients clipped, in epochs with an evaluation."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(5)
    x = torch.randn(90, 4)
    y = (x @ torch.randn(4, 2)).argmax(1)
    held, answers = torch.randn(12, 4), torch.randint(0, 2, (12,))
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    criterion = nn.CrossEntropyLoss()
    step = 0
    for epoch in range(3):
        model.train()
        for start in range(0, 90, 5):
            scores = model(x[start : start + 5])
            loss = criterion(scores, y[start : start + 5])
            loss = loss + 0.01 * sum(w.pow(2).sum() for w in model.parameters())
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 0.4)
            hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
            correct = (scores.argmax(1) == y[start : start + 5]).sum()
            hand.saw("train", loss.item(), 5, correct=correct)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            scores = model(held)
            hand.saw("val", None, 12, correct=(scores.argmax(1) == answers).sum())
            hand.add("Loss/val/cross_entropy", epoch, criterion(scores, answers).item())
        hand.end("val", epoch, loss=False)
    return model, optimizer
