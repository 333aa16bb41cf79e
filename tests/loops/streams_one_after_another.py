"""Two models one after another, each with names of its own, and the second one clipped.

Steps and epochs run on, in the same curves: no optimizer is left to go on beside the second.
"""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(181)
    xs, ys = torch.randn(36, 4), torch.randint(0, 3, (36,))
    x_val, y_val = torch.randn(10, 4), torch.randint(0, 3, (10,))
    criterion = nn.CrossEntropyLoss()

    model_small = nn.Linear(4, 3)
    opt_small = torch.optim.SGD(model_small.parameters(), lr=0.3)
    for epoch in range(3):
        model_small.train()
        for number, (x, y) in enumerate(zip(xs.split(12), ys.split(12))):
            out = model_small(x)
            loss = criterion(out, y)
            opt_small.zero_grad()
            loss.backward()
            hand.step(3 * epoch + number, loss.item(), opt_small)
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            opt_small.step()
        hand.end("train", epoch)
        model_small.eval()
        with torch.no_grad():
            out = model_small(x_val)
            val_loss = criterion(out, y_val)
        hand.saw("val", val_loss.item(), 10, correct=(out.argmax(1) == y_val).sum())
        hand.end("val", epoch)

    model_wide = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    opt_wide = torch.optim.Adam(model_wide.parameters(), lr=0.01)
    for epoch in range(4):
        model_wide.train()
        for number, (x, y) in enumerate(zip(xs.split(12), ys.split(12))):
            step = 9 + 3 * epoch + number
            out = model_wide(x)
            loss = criterion(out, y)
            opt_wide.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), opt_wide)
            torch.nn.utils.clip_grad_norm_(model_wide.parameters(), max_norm=0.1)
            hand.gradient_norm(step, model_wide.parameters(), "GradNorm/clipped")
            hand.saw("train", loss.item(), 12, correct=(out.argmax(1) == y).sum())
            opt_wide.step()
        hand.end("train", 3 + epoch)
        model_wide.eval()
        with torch.no_grad():
            out = model_wide(x_val)
            val_loss = criterion(out, y_val)
        hand.saw("val", val_loss.item(), 10, correct=(out.argmax(1) == y_val).sum())
        hand.end("val", 3 + epoch)
    return model_small, model_wide, opt_small, opt_wide
