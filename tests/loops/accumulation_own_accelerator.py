"""An accelerator of one's own, in the manner of Hugging Face Accelerate: it divides and it skips."""

from __future__ import annotations

import contextlib

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Accelerator:
    def __init__(self, gradient_accumulation_steps):
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.calls = 0
        self.sync_gradients = False

    @contextlib.contextmanager
    def accumulate(self, loader_length):
        self.calls += 1
        at_end = self.calls % loader_length == 0
        self.sync_gradients = at_end or self.calls % self.gradient_accumulation_steps == 0
        yield

    def backward(self, loss):
        loss = loss / self.gradient_accumulation_steps
        loss.backward()


class AcceleratedOptimizer:
    def __init__(self, optimizer, accelerator):
        self.optimizer = optimizer
        self.accelerator = accelerator

    def step(self):
        if self.accelerator.sync_gradients:
            self.optimizer.step()

    def zero_grad(self):
        if self.accelerator.sync_gradients:
            self.optimizer.zero_grad()


def loop(hand):
    torch.manual_seed(8)
    xs, ys = torch.randn(64, 6), torch.randint(0, 3, (64,))
    loader = DataLoader(TensorDataset(xs, ys), batch_size=8)
    model = nn.Linear(6, 3)
    accelerator = Accelerator(gradient_accumulation_steps=2)
    adam = torch.optim.AdamW(model.parameters(), lr=0.01)
    optimizer = AcceleratedOptimizer(adam, accelerator)

    step, group = 0, []
    for epoch in range(2):
        for x, y in loader:
            with accelerator.accumulate(len(loader)):
                logits = model(x)
                loss = nn.functional.cross_entropy(logits, y)
                accelerator.backward(loss)
                group.append(loss.item())
                hand.saw("train", loss.item(), len(x), correct=(logits.argmax(1) == y).sum())
                if accelerator.sync_gradients:
                    hand.step(step, group, adam)
                    step, group = step + 1, []
                optimizer.step()
                optimizer.zero_grad()
        hand.end("train", epoch)
    return model, adam
