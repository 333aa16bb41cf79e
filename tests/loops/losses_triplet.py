"""nn.TripletMarginLoss on anchor, positive and negative."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(118)
    anchor = torch.randn(22, 4)
    positive, negative = anchor + torch.randn(22, 4), torch.randn(22, 4)
    data = TensorDataset(anchor, positive, negative)
    train_set, val_set = torch.utils.data.random_split(data, [16, 6])
    train_loader = DataLoader(train_set, batch_size=6, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=4)
    model = nn.Linear(4, 3)
    criterion = nn.TripletMarginLoss(margin=0.5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        model.train()
        for anchor, positive, negative in train_loader:
            optimizer.zero_grad()
            embedded = model(anchor), model(positive), model(negative)
            loss = criterion(*embedded)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(anchor))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        model.eval()
        with torch.no_grad():
            for anchor, positive, negative in val_loader:
                embedded = model(anchor), model(positive), model(negative)
                loss = criterion(*embedded)
                hand.saw("val", loss.item(), len(anchor))
        hand.end("val", epoch)
    return model, optimizer
