"""A variational autoencoder: a summed criterion and a term by hand, in epochs of many batches."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.inwards = nn.Linear(70, 8)
        self.middle, self.width = nn.Linear(8, 2), nn.Linear(8, 2)
        self.outwards = nn.Linear(2, 70)

    def forward(self, x):
        inner = torch.tanh(self.inwards(x))
        mu, log_var = self.middle(inner), self.width(inner)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * log_var)
        return torch.sigmoid(self.outwards(z)), mu, log_var


def loop(hand):
    torch.manual_seed(4)
    pictures = torch.rand(62, 70)
    loader = DataLoader(TensorDataset(pictures), batch_size=4, shuffle=True)
    model = Autoencoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    step = 0
    for epoch in range(3):
        for (x,) in loader:
            again, mu, log_var = model(x)
            unlike = F.binary_cross_entropy(again, x, reduction="sum")
            apart = -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())
            loss = unlike + apart
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item() / len(x), len(x))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
