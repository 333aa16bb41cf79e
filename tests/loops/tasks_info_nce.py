"""In-batch contrast: one cross entropy against arange(N), accuracy is finding one's own partner."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(50)
    text = torch.randn(20, 6)
    image = text @ torch.randn(6, 6) + 0.1 * torch.randn(20, 6)
    loader = DataLoader(TensorDataset(text, image), batch_size=8, shuffle=True)
    text_encoder, image_encoder = nn.Linear(6, 4), nn.Linear(6, 4)
    optimizer = torch.optim.Adam([*text_encoder.parameters(), *image_encoder.parameters()], lr=0.02)
    step = 0
    for epoch in range(3):
        for t, i in loader:
            similarity = text_encoder(t) @ image_encoder(i).T
            partner = torch.arange(len(t))
            loss = F.cross_entropy(similarity, partner)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(t), correct=(similarity.argmax(1) == partner).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return text_encoder, image_encoder, optimizer
