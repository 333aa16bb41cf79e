"""The module brings training_step and configure_optimizers itself, a bare loop drives it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LitClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(x)

    def training_step(self, batch):
        x, y = batch
        y_hat = self(x)
        return {"loss": F.cross_entropy(y_hat, y), "correct": (y_hat.argmax(1) == y).sum()}

    def validation_step(self, batch):
        x, y = batch
        y_hat = self(x)
        return {"val_loss": F.cross_entropy(y_hat, y), "correct": (y_hat.argmax(1) == y).sum()}

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.05)


def fit(hand, module, train_dataloader, val_dataloader, max_epochs):
    optimizer = module.configure_optimizers()
    global_step = 0
    for current_epoch in range(max_epochs):
        module.train()
        for batch in train_dataloader:
            out = module.training_step(batch)
            optimizer.zero_grad()
            out["loss"].backward()
            hand.step(global_step, out["loss"].item(), optimizer)
            hand.saw("train", out["loss"].item(), len(batch[0]), correct=out["correct"])
            optimizer.step()
            global_step += 1
        hand.end("train", current_epoch)
        module.eval()
        with torch.no_grad():
            for batch in val_dataloader:
                out = module.validation_step(batch)
                hand.saw("val", out["val_loss"].item(), len(batch[0]), correct=out["correct"])
        hand.end("val", current_epoch)
    return optimizer


def loop(hand):
    torch.manual_seed(96)
    x, y = torch.randn(20, 3), torch.randint(0, 2, (20,))
    train_dataloader = DataLoader(TensorDataset(x[:13], y[:13]), batch_size=5, shuffle=True)
    val_dataloader = DataLoader(TensorDataset(x[13:], y[13:]), batch_size=5)
    module = LitClassifier()
    optimizer = fit(hand, module, train_dataloader, val_dataloader, max_epochs=3)
    return module, optimizer
