"""Progress bars around both loops, with a postfix, as tqdm and trange do it."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Bar:
    def __init__(self, iterable, desc=""):
        self.iterable, self.text, self.done = iterable, desc, 0

    def __len__(self):
        return len(self.iterable)

    def __iter__(self):
        for item in self.iterable:
            yield item
            self.done += 1

    def set_postfix(self, **numbers):
        self.text = str(numbers)


def trange(*args):
    return Bar(range(*args))


def loop(hand):
    torch.manual_seed(91)
    x, y = torch.randn(14, 3), torch.randint(0, 2, (14,))
    loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True)
    model = nn.Linear(3, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for epoch in trange(2, 5):
        bar = Bar(loader, desc=f"Epoch {epoch}")
        for xb, yb in bar:
            out = model(xb)
            loss = criterion(out, yb)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
            bar.set_postfix(loss=loss.item())
            step += 1
        hand.end("train", epoch)
    return model, optimizer
