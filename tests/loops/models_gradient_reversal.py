"""Domain-adversarial training: a reversed gradient, labels of one domain, the domains of both."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

# Classes and domains: which of the two is *the* accuracy only the author knows.
ABSENT = {"Accuracy/train"}


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.strength * gradient, None


def loop(hand):
    torch.manual_seed(305)
    source_x, target_x = torch.randn(20, 5), torch.randn(20, 5) + 1
    source_y = torch.randint(0, 3, (20,))
    source_loader = DataLoader(TensorDataset(source_x, source_y), batch_size=8, shuffle=True)
    target_loader = DataLoader(TensorDataset(target_x), batch_size=8, shuffle=True)
    features, classes, domains = nn.Linear(5, 6), nn.Linear(6, 3), nn.Linear(6, 2)
    parts = nn.ModuleList([features, classes, domains])
    optimizer = torch.optim.SGD(parts.parameters(), lr=0.1)
    step = 0
    for epoch in range(3):
        for (xs, ys), (xt,) in zip(source_loader, target_loader):
            f_s, f_t = features(xs).relu(), features(xt).relu()
            class_loss = F.cross_entropy(classes(f_s), ys)
            both = Reverse.apply(torch.cat([f_s, f_t]), 0.5)
            where = torch.cat([torch.zeros(len(xs)), torch.ones(len(xt))]).long()
            domain_loss = F.cross_entropy(domains(both), where)
            loss = class_loss + domain_loss
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/cross_entropy", step, class_loss.item())
            hand.add("Loss/train/cross_entropy_2", step, domain_loss.item())
            hand.saw("train", loss.item(), len(xs))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return parts, optimizer
