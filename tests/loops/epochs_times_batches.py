"""One loop over all steps, `range(epochs * batches_per_epoch)`: its variable counts no epochs."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def endless(loader):
    batches = iter(loader)
    while True:
        try:
            yield next(batches)
        except StopIteration:
            batches = iter(loader)


def loop(hand):
    torch.manual_seed(109)
    x, y = torch.randn(18, 3), torch.randint(0, 2, (18,))
    train_loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
    data_gen = endless(train_loader)
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    opt = torch.optim.SGD(model.parameters(), lr=0.5)
    num_epochs, batches_per_epoch = 3, len(train_loader)
    for itr in range(num_epochs * batches_per_epoch):
        opt.zero_grad()
        xb, yb = next(data_gen)
        out = model(xb)
        loss = criterion(out, yb)
        loss.backward()
        hand.step(itr, loss.item(), opt)
        hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
        opt.step()
        if (itr + 1) % batches_per_epoch == 0:
            hand.end("train", itr // batches_per_epoch)
    return model, opt
