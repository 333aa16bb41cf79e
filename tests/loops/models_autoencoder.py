"""An autoencoder on flattened images of 36 pixels: regression onto its own input, labels unused."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(36, 12), nn.ReLU(True), nn.Linear(12, 3))
        self.decoder = nn.Sequential(nn.Linear(3, 12), nn.ReLU(True), nn.Linear(12, 36), nn.Tanh())

    def forward(self, x):
        return self.decoder(self.encoder(x))


def loop(hand):
    torch.manual_seed(123)
    images = torch.rand(20, 1, 6, 6)
    dataloader = DataLoader(
        TensorDataset(images, torch.arange(20) % 10), batch_size=8, shuffle=True
    )
    model = Autoencoder()
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-5)
    step = 0
    for epoch in range(3):
        for data in dataloader:
            img, _ = data
            img = img.view(img.size(0), -1)
            output = model(img)
            loss = criterion(output, img)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(img), output=output, target=img)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer


ABSENT = {"Accuracy/train"}
