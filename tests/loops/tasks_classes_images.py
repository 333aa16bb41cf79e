"""A small convolutional classifier with dropout: accuracy is of the outputs the model gave in training."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(36, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        return self.fc(self.drop(torch.flatten(x, 1)))


def loop(hand):
    torch.manual_seed(55)
    images, labels = torch.randn(22, 1, 8, 8), torch.randint(0, 4, (22,))
    trainloader = DataLoader(TensorDataset(images, labels), batch_size=8, shuffle=True)
    net = Net()
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    step = 0
    for epoch in range(2):
        running_loss = 0.0
        correct = total = 0
        for i, data in enumerate(trainloader, 0):
            inputs, labels = data
            optimizer.zero_grad()
            outputs = net(inputs)
            loss = criterion(outputs, labels)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            optimizer.step()
            running_loss += loss.item() * labels.size(0)
            _, predicted = torch.max(outputs.detach(), 1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
            step += 1
        hand.add("Loss/train_epoch", epoch, running_loss / total)
        hand.add("Accuracy/train", epoch, 100 * correct / total)
    return net, optimizer
