"""One large batch is drawn before training and looked at every few steps, in train mode.

What is drawn from training's own loader and shown again is no evaluation.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(196)
    x = torch.randn(60, 5)
    y = (x @ torch.randn(5, 3)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:40], y[:40]), batch_size=4, shuffle=True)
    test_loader = DataLoader(TensorDataset(x[40:], y[40:]), batch_size=20)
    images, _ = next(iter(train_loader))
    test_data_iter = iter(test_loader)
    test_image, test_label = next(test_data_iter)
    net = nn.Linear(5, 3)
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
    step = 0
    for epoch in range(3):
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            outputs = net(inputs)
            loss = loss_function(outputs, labels)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (outputs.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(inputs), correct=hits)
            optimizer.step()
            step += 1
            if step % 10 == 5:
                with torch.no_grad():
                    outputs = net(test_image)
                    predicted = outputs.argmax(1)
                    hits = (predicted == test_label).sum().item()
                    hand.saw("test", None, len(test_image), correct=hits)
                    hand.end("test", epoch, loss=False)
                    net(images)
        hand.end("train", epoch)
    return net, optimizer
