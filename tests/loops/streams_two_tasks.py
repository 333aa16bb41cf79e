"""Two tasks in turn, batch by batch, each with its own model and optimizer."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(66)
    xs = torch.randn(48, 5)
    labels, sizes = torch.randint(0, 3, (48,)), xs.sum(1, keepdim=True)
    classifier, regressor = nn.Linear(5, 3), nn.Linear(5, 1)
    opt_class = torch.optim.SGD(classifier.parameters(), lr=0.1)
    opt_size = torch.optim.SGD(regressor.parameters(), lr=0.05)

    step = 0
    for epoch in range(2):
        for x, label, size in zip(xs.split(12), labels.split(12), sizes.split(12)):
            opt_class.zero_grad()
            logits = classifier(x)
            loss = nn.functional.cross_entropy(logits, label)
            loss.backward()
            hand.step(step, loss.item(), opt_class, "opt_class")
            correct = (logits.argmax(1) == label).sum()
            hand.saw("train", loss.item(), 12, "opt_class", correct=correct)
            opt_class.step()

            opt_size.zero_grad()
            guess = regressor(x)
            loss = nn.functional.mse_loss(guess, size)
            loss.backward()
            hand.step(step, loss.item(), opt_size, "opt_size")
            hand.saw("train", loss.item(), 12, "opt_size", output=guess, target=size)
            opt_size.step()
            step += 1
        hand.end("train", epoch, "opt_class")
        hand.end("train", epoch, "opt_size")
    return classifier, regressor, opt_class, opt_size
