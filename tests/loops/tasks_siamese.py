"""Siamese: the model sees two inputs and answers one probability, same or not (BCELoss)."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Pairs(Dataset):
    def __init__(self, n):
        self.one, self.two = torch.randn(n, 5), torch.randn(n, 5)
        self.target = (torch.arange(n) % 2).float()
        self.two = torch.where(self.target[:, None] == 1, self.one + 0.1 * self.two, self.two)

    def __len__(self):
        return len(self.target)

    def __getitem__(self, index):
        return self.one[index], self.two[index], self.target[index]


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(5, 4)
        self.fc = nn.Linear(8, 1)

    def forward(self, input1, input2):
        output1, output2 = self.encoder(input1), self.encoder(input2)
        return torch.sigmoid(self.fc(torch.cat((output1, output2), 1)))


def train(hand, model, train_loader, optimizer, epoch, step):
    model.train()
    criterion = nn.BCELoss()
    for images_1, images_2, targets in train_loader:
        optimizer.zero_grad()
        outputs = model(images_1, images_2).squeeze()
        loss = criterion(outputs, targets)
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hits = ((outputs > 0.5) == targets.bool()).sum()
        hand.saw("train", loss.item(), len(targets), correct=hits)
        optimizer.step()
        step += 1
    hand.end("train", epoch)
    return step


def test(hand, model, test_loader, epoch):
    model.eval()
    criterion = nn.BCELoss()
    with torch.no_grad():
        for images_1, images_2, targets in test_loader:
            outputs = model(images_1, images_2).squeeze()
            loss = criterion(outputs, targets)
            hits = ((outputs > 0.5) == targets.bool()).sum()
            hand.saw("test", loss.item(), len(targets), correct=hits)
    hand.end("test", epoch)


def loop(hand):
    torch.manual_seed(47)
    train_loader = DataLoader(Pairs(18), batch_size=7, shuffle=True)
    test_loader = DataLoader(Pairs(8), batch_size=5)
    model = SiameseNetwork()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    step = 0
    for epoch in range(1, 4):
        step = train(hand, model, train_loader, optimizer, epoch, step)
        test(hand, model, test_loader, epoch)
        scheduler.step()
    return model, optimizer, scheduler
