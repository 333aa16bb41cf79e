"""One loss a token, masked by hand, their sum divided by the number that counts."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MISSING = {"Loss/train_epoch": "the loss is divided by a tensor of which nothing says what it counts"}
ABSENT = {"Accuracy/train"}


def loop(hand):
    torch.manual_seed(321)
    x, y = torch.randn(14, 6, 5), torch.randint(0, 4, (14, 6))
    mask = (torch.rand(14, 6) < 0.7).float()
    loader = DataLoader(TensorDataset(x, y, mask), batch_size=4)
    model = nn.Linear(5, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    step = 0
    for epoch in range(3):
        for inputs, labels, keep in loader:
            scores = model(inputs).transpose(1, 2)
            losses = F.cross_entropy(scores, labels, reduction="none")
            loss = (losses * keep).sum() / keep.sum()
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), float(keep.sum()))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
