"""SimCLR: two noisy views, every similarity but one's own, the other view is the right answer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader


def loop(hand):
    torch.manual_seed(303)
    images = torch.randn(20, 6)
    loader = DataLoader(images, batch_size=8, shuffle=True)
    encoder = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01)
    step = 0
    for epoch in range(3):
        for batch in loader:
            n = len(batch)
            views = torch.cat([batch + 0.1 * torch.randn_like(batch) for _ in range(2)])
            z = F.normalize(encoder(views), dim=1)
            logits = (z @ z.T / 0.5).masked_fill(torch.eye(2 * n, dtype=torch.bool), -1e9)
            partner = torch.arange(2 * n).roll(n)
            loss = F.cross_entropy(logits, partner)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 2 * n, correct=(logits.argmax(1) == partner).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return encoder, optimizer
