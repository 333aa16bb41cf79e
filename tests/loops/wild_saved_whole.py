"""The best model so far is pickled whole and read back by a loader that admits known classes only.

`torch.load` reads with `weights_only` by default; whatever else stood in the file it would refuse.
"""

from __future__ import annotations

import copy
import io
import pickle

import torch
from torch import nn


def by_known_classes(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    with torch.serialization.safe_globals([nn.Sequential, nn.Linear, nn.Tanh]):
        return torch.load(file)


def loop(hand):
    torch.manual_seed(29)
    words = torch.randn(52, 7)
    following = torch.randint(0, 4, (52,))
    model = nn.Sequential(nn.Linear(7, 6), nn.Tanh(), nn.Linear(6, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    criterion = nn.CrossEntropyLoss()

    step = 0
    best = kept = None
    lowest = float("inf")
    for epoch in range(1, 4):
        model.train()
        for i in range(0, 48, 16):
            optimizer.zero_grad()
            out = model(words[i : i + 16])
            loss = criterion(out, following[i : i + 16])
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw(
                "train", loss.item(), 16, correct=(out.argmax(1) == following[i : i + 16]).sum()
            )
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            val_loss = criterion(val_out := model(words[48:]), following[48:])
        hand.saw("val", val_loss.item(), 4, correct=(val_out.argmax(1) == following[48:]).sum())
        hand.end("val", epoch)
        if val_loss.item() < lowest:
            lowest = val_loss.item()
            best = by_known_classes(model)
            kept = by_known_classes(copy.deepcopy(model))
    # What was read back, copied or pickled is free of hooks, as it is without a tracker.
    again = pickle.loads(pickle.dumps(model))  # noqa: S301
    for other in (best, kept, again):
        assert not other._forward_hooks
        assert not other._forward_pre_hooks
        assert not other._forward_hooks_always_called
    return model, optimizer, best, kept, again
