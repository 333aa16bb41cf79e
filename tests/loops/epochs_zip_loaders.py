"""zip(labelled, unlabelled): the shorter loader ends the epoch, two terms, one counts classes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(100)
    x, y = torch.randn(12, 4), torch.randint(0, 3, (12,))
    labelled_loader = DataLoader(TensorDataset(x, y), batch_size=4, shuffle=True)
    unlabelled_loader = DataLoader(TensorDataset(torch.randn(20, 4)), batch_size=4, shuffle=True)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    step = 0
    for epoch in range(3):
        for (xb, yb), (ub,) in zip(labelled_loader, unlabelled_loader, strict=False):
            out = model(xb)
            supervised = F.cross_entropy(out, yb)
            soft = model(ub).softmax(1).detach()
            noisy = model(ub + 0.1 * torch.randn_like(ub)).log_softmax(1)
            consistency = F.kl_div(noisy, soft, reduction="batchmean")
            loss = supervised + 0.5 * consistency
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/cross_entropy", step, supervised.item())
            hand.add("Loss/train/kl_div", step, consistency.item())
            hand.saw("train", loss.item(), len(xb), correct=(out.argmax(1) == yb).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
