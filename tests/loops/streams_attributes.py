"""Two optimizers as attributes of a trainer object, stepped in a method."""

from __future__ import annotations

import torch
from torch import nn


class Trainer:
    def __init__(self, encoder, head):
        self.encoder, self.head = encoder, head
        self.encoder_opt = torch.optim.SGD(encoder.parameters(), lr=0.05)
        self.head_opt = torch.optim.SGD(head.parameters(), lr=0.1)
        self.steps = 0

    def training_step(self, x, y, hand):
        out = self.head(torch.tanh(self.encoder(x)))
        loss = nn.functional.cross_entropy(out, y)
        self.encoder_opt.zero_grad()
        self.head_opt.zero_grad()
        loss.backward()
        for name, optimizer in [("encoder_opt", self.encoder_opt), ("head_opt", self.head_opt)]:
            hand.step(self.steps, loss.item(), optimizer, name)
            correct = (out.argmax(1) == y).sum()
            hand.saw("train", loss.item(), len(x), name, correct=correct)
        self.encoder_opt.step()
        self.head_opt.step()
        self.steps += 1

    def fit(self, batches, epochs, hand):
        for epoch in range(epochs):
            for x, y in batches:
                self.training_step(x, y, hand)
            hand.end("train", epoch, "encoder_opt")
            hand.end("train", epoch, "head_opt")


def loop(hand):
    torch.manual_seed(68)
    xs, ys = torch.randn(36, 4), torch.randint(0, 2, (36,))
    trainer = Trainer(nn.Linear(4, 6), nn.Linear(6, 2))
    trainer.fit(list(zip(xs.split(12), ys.split(12))), 2, hand)
    return trainer.encoder, trainer.head, trainer.encoder_opt, trainer.head_opt
