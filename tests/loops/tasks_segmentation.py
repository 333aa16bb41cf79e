"""Segmentation: scores (N, C, H, W), the border pixels carry 255 and are left out."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(46)
    images = torch.randn(13, 3, 6, 5)
    masks = images.argmax(dim=1)
    masks[:, 0, :] = 255
    train_loader = DataLoader(TensorDataset(images[:9], masks[:9]), batch_size=4, shuffle=True)
    val_loader = DataLoader(TensorDataset(images[9:], masks[9:]), batch_size=3)
    model = nn.Conv2d(3, 3, 1)
    criterion = nn.CrossEntropyLoss(ignore_index=255)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    step = 0
    for epoch in range(3):
        model.train()
        for image, mask in train_loader:
            optimizer.zero_grad()
            out = model(image)
            loss = criterion(out, mask)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            inside = mask != 255
            hits = ((out.argmax(1) == mask) & inside).sum()
            hand.saw("train", loss.item(), len(image), correct=hits, counted=int(inside.sum()))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for image, mask in val_loader:
                out = model(image)
                loss = criterion(out, mask)
                inside = mask != 255
                hits = ((out.argmax(1) == mask) & inside).sum()
                hand.saw("val", loss.item(), len(image), correct=hits, counted=int(inside.sum()))
        hand.end("val", epoch)
    return model, optimizer
