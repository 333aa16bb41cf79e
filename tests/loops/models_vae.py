"""A VAE: reconstruction by BCE, summed, plus the divergence by hand; grey pixels have no accuracy."""

from __future__ import annotations

import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train", "Accuracy/test"}
MISSING = {"Loss/test": "one of the two terms is written by hand and leaves no trace under no_grad"}


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(16, 10)
        self.fc21 = nn.Linear(10, 3)
        self.fc22 = nn.Linear(10, 3)
        self.fc3 = nn.Linear(3, 16)

    def forward(self, x):
        h1 = F.relu(self.fc1(x.view(-1, 16)))
        mu, logvar = self.fc21(h1), self.fc22(h1)
        std = torch.exp(0.5 * logvar)
        z = mu + torch.randn_like(std) * std
        return torch.sigmoid(self.fc3(z)), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 16), reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE, KLD


def loop(hand):
    torch.manual_seed(125)
    data = torch.rand(26, 1, 4, 4)
    train_loader = DataLoader(TensorDataset(data[:18]), batch_size=7, shuffle=True)
    test_loader = DataLoader(TensorDataset(data[18:]), batch_size=5)
    model = VAE()
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    step = 0
    for epoch in range(1, 4):
        model.train()
        train_loss = 0
        for (batch,) in train_loader:
            optimizer.zero_grad()
            recon_batch, mu, logvar = model(batch)
            BCE, KLD = loss_function(recon_batch, batch, mu, logvar)
            loss = BCE + KLD
            loss.backward()
            train_loss += loss.item()
            hand.step(step, loss.item(), optimizer)
            optimizer.step()
            step += 1
        hand.add("Loss/train_epoch", epoch, train_loss / len(train_loader.dataset))
        model.eval()
        test_bce = 0
        with torch.no_grad():
            for (batch,) in test_loader:
                recon_batch, mu, logvar = model(batch)
                BCE, KLD = loss_function(recon_batch, batch, mu, logvar)
                test_bce += BCE.item()
        hand.add("Loss/test/binary_cross_entropy", epoch, test_bce / len(test_loader.dataset))
    return model, optimizer
