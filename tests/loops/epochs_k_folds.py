"""Three folds, each with a fresh model and the same epoch numbers: the numbering runs on."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset

N_EPOCHS = 2


def loop(hand):
    torch.manual_seed(105)
    x, y = torch.randn(21, 3), torch.randint(0, 2, (21,))
    dataset = TensorDataset(x, y)
    criterion = nn.CrossEntropyLoss()
    step = 0
    for fold in range(3):
        val_ids = list(range(7 * fold, 7 * fold + 7))
        train_ids = [i for i in range(21) if i not in val_ids]
        trainloader = DataLoader(dataset, batch_size=5, sampler=SubsetRandomSampler(train_ids))
        valloader = DataLoader(dataset, batch_size=4, sampler=SubsetRandomSampler(val_ids))
        network = nn.Linear(3, 2)
        optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
        for epoch in range(N_EPOCHS):
            network.train()
            for inputs, targets in trainloader:
                optimizer.zero_grad()
                outputs = network(inputs)
                loss = criterion(outputs, targets)
                loss.backward()
                hand.step(step, loss.item(), optimizer)
                hits = (outputs.argmax(1) == targets).sum()
                hand.saw("train", loss.item(), len(targets), correct=hits)
                optimizer.step()
                step += 1
            hand.end("train", fold * N_EPOCHS + epoch)
            network.eval()
            with torch.no_grad():
                for inputs, targets in valloader:
                    outputs = network(inputs)
                    hits = (outputs.argmax(1) == targets).sum()
                    loss = criterion(outputs, targets)
                    hand.saw("val", loss.item(), len(targets), correct=hits)
            hand.end("val", fold * N_EPOCHS + epoch)
    return network, optimizer
