"""Knowledge distillation: a frozen teacher, softened scores by kl_div, labels by cross entropy."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Loss/val"}


def loop(hand):
    torch.manual_seed(127)
    x = torch.randn(27, 5)
    y = (x @ torch.randn(5, 4)).argmax(1)
    train_loader = DataLoader(TensorDataset(x[:18], y[:18]), batch_size=7, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[18:], y[18:]), batch_size=5)
    teacher = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 4)).eval()
    student = nn.Linear(5, 4)
    optimizer = torch.optim.Adam(student.parameters(), lr=0.05)
    T, alpha = 2.0, 0.7
    step = 0
    for epoch in range(3):
        student.train()
        for inputs, labels in train_loader:
            with torch.no_grad():
                teacher_logits = teacher(inputs)
            student_logits = student(inputs)
            soft = F.kl_div(
                F.log_softmax(student_logits / T, dim=1),
                F.softmax(teacher_logits / T, dim=1),
                reduction="batchmean",
            )
            label_loss = F.cross_entropy(student_logits, labels)
            loss = alpha * T * T * soft + (1 - alpha) * label_loss
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/kl_div", step, soft.item())
            hand.add("Loss/train/cross_entropy", step, label_loss.item())
            hits = (student_logits.argmax(1) == labels).sum()
            hand.saw("train", loss.item(), len(labels), correct=hits)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
        student.eval()
        val_ce = 0.0
        with torch.no_grad():
            for inputs, labels in val_loader:
                outputs = student(inputs)
                val_ce += F.cross_entropy(outputs, labels).item() * len(labels)
                hand.saw("val", None, len(labels), correct=(outputs.argmax(1) == labels).sum())
        hand.end("val", epoch, loss=False)
        hand.add("Loss/val/cross_entropy", epoch, val_ce / 9)
    return student, teacher, optimizer
