"""The classic: train() and test() with nll_loss, the test loss by reduction="sum" over the data set."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(9, 8)
        self.dropout = nn.Dropout(0.25)
        self.fc2 = nn.Linear(8, 4)

    def forward(self, x):
        x = self.dropout(F.relu(self.fc1(torch.flatten(x, 1))))
        return F.log_softmax(self.fc2(x), dim=1)


def train(hand, model, train_loader, optimizer, epoch, step):
    model.train()
    for data, target in train_loader:
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        hand.step(step, loss.item(), optimizer)
        hand.saw("train", loss.item(), len(data), correct=(output.argmax(1) == target).sum())
        optimizer.step()
        step += 1
    hand.end("train", epoch)
    return step


def test(hand, model, test_loader, epoch):
    model.eval()
    test_loss = 0
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            output = model(data)
            test_loss += F.nll_loss(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    test_loss /= len(test_loader.dataset)
    hand.add("Loss/test", epoch, test_loss)
    hand.add("Accuracy/test", epoch, 100.0 * correct / len(test_loader.dataset))


def loop(hand):
    torch.manual_seed(60)
    images, digits = torch.randn(32, 1, 3, 3), torch.randint(0, 4, (32,))
    train_set, test_set = torch.utils.data.random_split(TensorDataset(images, digits), [22, 10])
    train_loader = DataLoader(train_set, batch_size=8, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=4)
    model = Net()
    optimizer = optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    step = 0
    for epoch in range(1, 4):
        step = train(hand, model, train_loader, optimizer, epoch, step)
        test(hand, model, test_loader, epoch)
        scheduler.step()
    return model, optimizer, scheduler
