"""Two terms, each back-propagated on its own line before one step: the loss is their sum."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def loop(hand):
    torch.manual_seed(50)
    xs, ys = torch.randn(48, 6), torch.randint(0, 3, (48,))
    classifier, decoder = nn.Linear(6, 3), nn.Linear(6, 6)
    optimizer = torch.optim.SGD([*classifier.parameters(), *decoder.parameters()], lr=0.1)

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            logits = classifier(x)
            class_loss = F.cross_entropy(logits, y)
            class_loss.backward()
            reconstruction_loss = ((decoder(x) - x) ** 2).mean()
            reconstruction_loss.backward()
            total = class_loss.item() + reconstruction_loss.item()
            hand.step(step, total, optimizer, rtol=1e-6)
            hand.saw("train", total, 16, correct=(logits.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return classifier, decoder, optimizer
