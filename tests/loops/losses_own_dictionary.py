"""A criterion of one's own that returns its losses by name; their weighted sum is trained on.

What it only reports has no gradient. Each has its name in training and in validation, as it came.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


MISSING = {
    "Accuracy/train": "one criterion compares classes and boxes: which of them is scored, it keeps",
    "Accuracy/val": "the same",
}


class Detection(nn.Module):
    def __init__(self):
        super().__init__()
        self.shares = {"loss_ce": 1.0, "loss_bbox": 5.0}

    def forward(self, outputs, targets):
        return {
            "loss_ce": F.cross_entropy(outputs["logits"], targets["labels"]),
            "loss_bbox": F.l1_loss(outputs["boxes"], targets["boxes"]),
            "class_error": (outputs["logits"].argmax(1) != targets["labels"]).float().mean(),
        }


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.logits, self.boxes = nn.Linear(5, 3), nn.Linear(5, 4)

    def forward(self, x):
        return {"logits": self.logits(x), "boxes": self.boxes(x)}


def rows(logits, labels):
    chosen = logits.detach().double().log_softmax(1)[torch.arange(len(labels)), labels]
    return -chosen.mean().item()


def loop(hand):
    torch.manual_seed(328)
    x, boxes = torch.randn(32, 5), torch.rand(32, 4)
    y = (x @ torch.randn(5, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:20], y[:20], boxes[:20]), batch_size=8)
    val_loader = DataLoader(TensorDataset(x[20:], y[20:], boxes[20:]), batch_size=6)
    model, criterion = Heads(), Detection()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    step = 0
    for epoch in range(3):
        model.train()
        criterion.train()
        for samples, labels, corners in train_loader:
            outputs = model(samples)
            found = criterion(outputs, {"labels": labels, "boxes": corners})
            shares = criterion.shares
            total = sum(found[k] * shares[k] for k in found if k in shares)
            optimizer.zero_grad()
            total.backward()
            hand.step(step, total.item(), optimizer)
            near = (outputs["boxes"] - corners).abs().mean().item()
            hand.add("Loss/train/loss_ce", step, rows(outputs["logits"], labels), rtol=1e-6)
            hand.add("Loss/train/loss_bbox", step, near, rtol=1e-6)
            hits = (outputs["logits"].argmax(1) == labels).sum()
            hand.saw("train", total.item(), len(labels), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        criterion.eval()
        with torch.no_grad():
            for samples, labels, corners in val_loader:
                outputs = model(samples)
                criterion(outputs, {"labels": labels, "boxes": corners})
                near = (outputs["boxes"] - corners).abs().mean().item()
                hits = (outputs["logits"].argmax(1) == labels).sum()
                hand.saw("val", near, len(labels), "loss_bbox")
                hand.saw("val", rows(outputs["logits"], labels), len(labels), "loss_ce")
                hand.saw("val", 0.0, len(labels), correct=hits)
        hand.end("val", epoch, "loss_bbox")
        hand.end("val", epoch, "loss_ce")
        hand.end("val", epoch, loss=False)
    return model, optimizer
