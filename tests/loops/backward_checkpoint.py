"""Activation checkpointing without reentrance, and the loss itself inside a checkpoint.

Saved tensors of the loss do not exist before backward: to ask for them is to compute them again.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def loop(hand):
    torch.manual_seed(56)
    xs, ys = torch.randn(48, 5), torch.randint(0, 3, (48,))
    trunk = nn.Sequential(nn.Linear(5, 8), nn.Dropout(0.3), nn.ReLU())
    head = nn.Linear(8, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD([*trunk.parameters(), *head.parameters()], lr=0.1)
    seen_logits = []
    computed = []

    def head_and_loss(features, target):
        logits = head(features)
        seen_logits.append(logits.detach())
        computed.append(len(features))
        return criterion(logits, target)

    step = 0
    for epoch in range(2):
        for x, y in zip(xs.split(16), ys.split(16)):
            optimizer.zero_grad()
            features = checkpoint(trunk, x, use_reentrant=False)
            loss = checkpoint(head_and_loss, features, y, use_reentrant=False)
            logits = seen_logits[-1]
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 16, correct=(logits.argmax(1) == y).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return trunk, head, optimizer, computed
