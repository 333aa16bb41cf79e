"""Pictures of a batch are looked at, then a lesson shows the criterion on numbers that it makes up.

Those are no evaluation. The one that follows, of outputs made before without gradients, is one.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(403)
    x, y = torch.randn(32, 4), torch.randint(0, 3, (32,))
    training_loader = DataLoader(TensorDataset(x[:20], y[:20]), batch_size=4, shuffle=True)
    validation_loader = DataLoader(TensorDataset(x[20:], y[20:]), batch_size=4)
    pictures, _ = next(iter(training_loader))
    grid = pictures / 2 + 0.5

    loss_fn = nn.CrossEntropyLoss()
    dummy_outputs, dummy_labels = torch.rand(4, 3), torch.tensor([1, 2, 0, 1])
    shown = loss_fn(dummy_outputs, dummy_labels).item()

    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    for v_inputs, v_labels in validation_loader:
        with torch.no_grad():
            v_outputs = model(v_inputs)
        v_loss = loss_fn(v_outputs, v_labels.view(-1))
        hits = (v_outputs.argmax(1) == v_labels).sum()
        hand.saw("val_initial", v_loss.item(), len(v_labels), correct=hits)
    hand.end("val_initial", 0)
    step = 0
    for epoch in range(3):
        for inputs, labels in training_loader:
            optimizer.zero_grad()
            outputs = model(inputs)
            loss = loss_fn(outputs, labels)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 4, correct=(outputs.argmax(1) == labels).sum())
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        with torch.no_grad():
            for v_inputs, v_labels in validation_loader:
                v_outputs = model(v_inputs)
                v_loss = loss_fn(v_outputs, v_labels)
                hits = (v_outputs.argmax(1) == v_labels).sum()
                hand.saw("val", v_loss.item(), len(v_labels), correct=hits)
        hand.end("val", epoch)
    return grid, shown, model, optimizer
