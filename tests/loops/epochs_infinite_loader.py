"""cycle(loader) for eleven steps: a restart of the loader is an epoch, the last one is not finished."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def cycle(loader):
    while True:
        yield from loader


def loop(hand):
    torch.manual_seed(108)
    x, y = torch.randn(18, 3), torch.randint(0, 2, (18,))
    dl = cycle(DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True))
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    opt = torch.optim.Adam(model.parameters(), lr=0.05)
    train_num_steps = 11
    step = 0
    while step < train_num_steps:
        xb, yb = next(dl)
        out = model(xb)
        loss = criterion(out, yb)
        loss.backward()
        hand.step(step, loss.item(), opt)
        hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
        opt.step()
        opt.zero_grad()
        step += 1
        # 18 samples in fives are four batches.
        if step % 4 == 0 or step == train_num_steps:
            hand.end("train", (step - 1) // 4)
    return model, opt
