"""A detector's style: in training forward returns a dictionary of losses, which the loop sums up."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 12)
        self.classes = nn.Linear(12, 3)
        self.box = nn.Linear(12, 4)

    def forward(self, images, labels, boxes):
        h = self.body(images).relu()
        self.scores, self.found = self.classes(h), self.box(h)
        return {
            "loss_classifier": F.cross_entropy(self.scores, labels),
            "loss_box_reg": F.smooth_l1_loss(self.found, boxes),
        }


def loop(hand):
    torch.manual_seed(30)
    images, boxes = torch.randn(22, 6), torch.rand(22, 4)
    labels = torch.randint(0, 3, (22,))
    data_loader = DataLoader(TensorDataset(images, labels, boxes), batch_size=8, shuffle=True)
    model = Detector()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    step = 0
    for epoch in range(2):
        for images, labels, boxes in data_loader:
            loss_dict = model(images, labels, boxes)
            losses = sum(loss for loss in loss_dict.values())
            optimizer.zero_grad()
            losses.backward()
            hand.step(step, losses.item(), optimizer)
            hand.add("Loss/train/cross_entropy", step, loss_dict["loss_classifier"].item())
            hand.add("Loss/train/smooth_l1_loss", step, loss_dict["loss_box_reg"].item())
            hits = (model.scores.argmax(1) == labels).sum()
            found = {"output": model.found, "target": boxes}
            hand.saw("train", losses.item(), len(images), correct=hits, **found)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
