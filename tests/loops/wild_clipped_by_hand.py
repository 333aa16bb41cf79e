"""A language model over slices of a text: gradients clipped, weights moved by hand, no optimizer.

The step is counted where backward ends; what is clipped after that belongs to the same step, so no
norm may turn up at the next one.
"""

from __future__ import annotations

import math

import torch
from torch import nn

MISSING = {
    "GradNorm/clipped": "without an optimizer nothing says when the gradients are final",
}
VOCABULARY = 9
RATE = 0.8


class Speller(nn.Module):
    def __init__(self):
        super().__init__()
        self.letters = nn.Embedding(VOCABULARY, 5)
        self.memory = nn.GRU(5, 8)
        self.out = nn.Linear(8, VOCABULARY)

    def forward(self, letters, state):
        seen, state = self.memory(self.letters(letters), state)
        scores = self.out(seen).view(-1, VOCABULARY)
        return torch.log_softmax(scores, dim=1), state


def piece(text, start, length):
    stop = min(start + length, len(text) - 1)
    return text[start:stop], text[start + 1 : stop + 1].reshape(-1)


def loop(hand):
    torch.manual_seed(31)
    text = torch.randint(0, VOCABULARY, (24, 3))
    held_out = torch.randint(0, VOCABULARY, (12, 3))
    model = Speller()
    criterion = nn.NLLLoss()

    def evaluate(source, phase, epoch):
        model.eval()
        total = 0.0
        state = torch.zeros(1, 3, 8)
        with torch.no_grad():
            for start in range(0, len(source) - 1, 5):
                letters, following = piece(source, start, 5)
                out, state = model(letters, state)
                loss = criterion(out, following).item()
                total += len(letters) * loss
                correct = (out.argmax(1) == following).sum()
                hand.saw(phase, loss, len(following), correct=correct)
        hand.end(phase, epoch)
        return math.exp(total / (len(source) - 1))

    step = 0
    perplexities = []
    for epoch in range(1, 4):
        model.train()
        state = torch.zeros(1, 3, 8)
        for start in range(0, len(text) - 1, 5):
            letters, following = piece(text, start, 5)
            model.zero_grad()
            out, state = model(letters, state.detach())
            loss = criterion(out, following)
            loss.backward()
            hand.add("Loss/train", step, loss.item())
            hand.gradient_norm(step, model.parameters())
            correct = (out.argmax(1) == following).sum()
            hand.saw("train", loss.item(), len(following), correct=correct)
            nn.utils.clip_grad_norm_(model.parameters(), 0.05)
            with torch.no_grad():
                for p in model.parameters():
                    p.add_(p.grad, alpha=-RATE)
            step += 1
        hand.end("train", epoch)
        perplexities.append(evaluate(held_out, "val", epoch))
    assert all(p > 1 for p in perplexities)
    return model
