"""Three weighted terms, one of them by hand: raw components in training; in validation only they."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(5, 10)
        self.kind = nn.Linear(10, 3)
        self.size = nn.Linear(10, 1)

    def forward(self, x):
        h = torch.tanh(self.trunk(x))
        return self.kind(h), self.size(h)


def loop(hand):
    torch.manual_seed(32)
    x = torch.randn(26, 5)
    kind, size = (x @ torch.randn(5, 3)).argmax(1), x.sum(1, keepdim=True)
    train_loader = DataLoader(TensorDataset(x, kind, size), batch_size=10, shuffle=True)
    held = TensorDataset(torch.randn(7, 5), torch.randint(0, 3, (7,)), torch.randn(7, 1))
    val_loader = DataLoader(held, batch_size=4)
    net = TwoHeads()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    step = 0
    for epoch in range(3):
        net.train()
        for xb, kb, sb in train_loader:
            kinds, sizes = net(xb)
            ce = F.cross_entropy(kinds, kb)
            mse = F.mse_loss(sizes, sb)
            penalty = sum(p.abs().sum() for p in net.parameters())
            loss = ce + 0.3 * mse + 1e-3 * penalty
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/cross_entropy", step, ce.item())
            hand.add("Loss/train/mse_loss", step, mse.item())
            hits = (kinds.argmax(1) == kb).sum()
            hand.saw("train", loss.item(), len(xb), correct=hits, output=sizes, target=sb)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        net.eval()
        ce_sum = mse_sum = 0.0
        with torch.no_grad():
            for xb, kb, sb in val_loader:
                kinds, sizes = net(xb)
                ce_sum += F.cross_entropy(kinds, kb).item() * len(xb)
                mse_sum += F.mse_loss(sizes, sb).item() * len(xb)
                hits = (kinds.argmax(1) == kb).sum()
                hand.saw("val", None, len(xb), correct=hits, output=sizes, target=sb)
        hand.end("val", epoch, loss=False)
        hand.add("Loss/val/cross_entropy", epoch, ce_sum / 7)
        hand.add("Loss/val/mse_loss", epoch, mse_sum / 7)
    return net, optimizer


ABSENT = {"Loss/val"}
