"""First principles first: weights moved by hand, those of a module by hand, then an optimizer.

Three trainings one after another, as a lesson has them: steps and epochs run on.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def loop(hand):
    torch.manual_seed(183)
    xs, ys = torch.randn(30, 5), torch.randint(0, 2, (30,))
    rate = 0.5

    weights = (torch.randn(5, 2) / 2).requires_grad_()
    bias = torch.zeros(2, requires_grad=True)
    for epoch in range(2):
        for number in range(3):
            x, y = xs[10 * number : 10 * number + 10], ys[10 * number : 10 * number + 10]
            out = x @ weights + bias
            loss = F.cross_entropy(out, y)
            loss.backward()
            step = 3 * epoch + number
            hand.add("Loss/train", step, loss.item())
            hand.gradient_norm(step, [weights, bias])
            hand.saw("train", loss.item(), 10, correct=(out.argmax(1) == y).sum())
            with torch.no_grad():
                weights -= rate * weights.grad
                bias -= rate * bias.grad
                weights.grad.zero_()
                bias.grad.zero_()
        hand.end("train", epoch)

    model = nn.Linear(5, 2)
    for epoch in range(2):
        for number in range(3):
            x, y = xs[10 * number : 10 * number + 10], ys[10 * number : 10 * number + 10]
            out = model(x)
            loss = F.cross_entropy(out, y)
            loss.backward()
            step = 6 + 3 * epoch + number
            hand.add("Loss/train", step, loss.item())
            hand.gradient_norm(step, model.parameters())
            hand.saw("train", loss.item(), 10, correct=(out.argmax(1) == y).sum())
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter -= rate * parameter.grad
                model.zero_grad()
        hand.end("train", 2 + epoch)

    model = nn.Linear(5, 2)
    opt = torch.optim.SGD(model.parameters(), lr=rate)
    for epoch in range(3):
        for number, (x, y) in enumerate(zip(xs.split(10), ys.split(10))):
            out = model(x)
            loss = F.cross_entropy(out, y)
            loss.backward()
            hand.step(12 + 3 * epoch + number, loss.item(), opt)
            hand.saw("train", loss.item(), 10, correct=(out.argmax(1) == y).sum())
            opt.step()
            opt.zero_grad()
        hand.end("train", 4 + epoch)
    return weights, bias, model, opt
