"""for phase in ["train", "val"] with set_grad_enabled, loaders in a dictionary."""

from __future__ import annotations

import copy

import torch
from torch import nn, optim
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, TensorDataset


def train_model(
    hand, model, dataloaders, dataset_sizes, criterion, optimizer, scheduler, num_epochs
):
    best_model_wts = copy.deepcopy(model.state_dict())
    best_acc = 0.0
    step = 0
    for epoch in range(num_epochs):
        for phase in ["train", "val"]:
            if phase == "train":
                model.train()
            else:
                model.eval()
            running_loss = 0.0
            running_corrects = 0
            for inputs, labels in dataloaders[phase]:
                optimizer.zero_grad()
                with torch.set_grad_enabled(phase == "train"):
                    outputs = model(inputs)
                    _, preds = torch.max(outputs, 1)
                    loss = criterion(outputs, labels)
                    if phase == "train":
                        loss.backward()
                        hand.step(step, loss.item(), optimizer)
                        optimizer.step()
                        step += 1
                running_loss += loss.item() * inputs.size(0)
                running_corrects += torch.sum(preds == labels.data)
            if phase == "train":
                scheduler.step()
            epoch_loss = running_loss / dataset_sizes[phase]
            epoch_acc = running_corrects.double() / dataset_sizes[phase]
            hand.add("Loss/train_epoch" if phase == "train" else "Loss/val", epoch, epoch_loss)
            hand.add(f"Accuracy/{phase}", epoch, 100 * epoch_acc.item())
            if phase == "val" and epoch_acc > best_acc:
                best_acc = epoch_acc
                best_model_wts = copy.deepcopy(model.state_dict())
    model.load_state_dict(best_model_wts)
    return model


def loop(hand):
    torch.manual_seed(73)
    x = torch.randn(25, 4)
    y = (x @ torch.randn(4, 3)).argmax(1)
    datasets = {"train": TensorDataset(x[:16], y[:16]), "val": TensorDataset(x[16:], y[16:])}
    loaders = {
        name: DataLoader(datasets[name], batch_size=4, shuffle=True) for name in ["train", "val"]
    }
    sizes = {name: len(datasets[name]) for name in ["train", "val"]}
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
    criterion = nn.CrossEntropyLoss()
    train_model(hand, model, loaders, sizes, criterion, optimizer, scheduler, num_epochs=3)
    return model, optimizer, scheduler
