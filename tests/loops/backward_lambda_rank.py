"""LambdaRank: the gradient of the scores is written down, there is no loss to differentiate.

Scores times lambdas is a number, but none that anybody minimises.
"""

from __future__ import annotations

import torch
from torch import nn

ABSENT = {"Loss/train", "Loss/train_epoch"}


def lambdas(scores, relevance):
    better = (relevance[:, None] > relevance[None, :]).float()
    pull = better / (1 + torch.exp(scores[:, None] - scores[None, :]))
    return (pull.sum(0) - pull.sum(1)) / len(scores)


def loop(hand):
    torch.manual_seed(132)
    documents, relevance = torch.randn(48, 5), torch.randint(0, 4, (48,))
    model = nn.Linear(5, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

    step = 0
    for _epoch in range(2):
        for x, y in zip(documents.split(16), relevance.split(16)):
            scores = model(x).squeeze(1)
            optimizer.zero_grad()
            scores.backward(lambdas(scores.detach(), y))
            hand.gradient_norm(step, model.parameters())
            hand.learning_rates(step, optimizer)
            optimizer.step()
            step += 1
    return model, optimizer
