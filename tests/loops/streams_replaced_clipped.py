"""A second optimizer for the same weights, clipped, while a scheduler still holds the first one."""

from __future__ import annotations

import torch
from torch import nn

LARGEST = 0.4


def loop(hand):
    torch.manual_seed(181)
    x = torch.randn(20, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    for weights in model[0].parameters():
        weights.requires_grad = False

    def train(epochs, step):
        for epoch in epochs:
            for inputs, labels in zip(x.split(5), y.split(5)):
                scores = model(inputs)
                loss = criterion(scores, labels)
                model.zero_grad()
                loss.backward()
                hand.step(step, loss.item(), optimizer)
                right = (scores.argmax(1) == labels).sum()
                hand.saw("train", loss.item(), len(labels), correct=right)
                nn.utils.clip_grad_norm_(model.parameters(), LARGEST)
                hand.gradient_norm(step, model.parameters(), tag="GradNorm/clipped")
                optimizer.step()
                step += 1
            hand.end("train", epoch)
        return step

    done = train(range(2), 0)
    for weights in model[0].parameters():
        weights.requires_grad = True
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(range(2, 4), done)
    return model, optimizer, scheduler.last_epoch
