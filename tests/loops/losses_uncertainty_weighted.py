"""Two tasks weighted by learned uncertainty: the weights are parameters of the loss itself."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(316)
    x = torch.randn(22, 5)
    loader = DataLoader(
        TensorDataset(x, torch.randint(0, 3, (22,)), x @ torch.randn(5, 1)), batch_size=8
    )
    body, head, depth = nn.Linear(5, 6), nn.Linear(6, 3), nn.Linear(6, 1)
    log_vars = nn.Parameter(torch.zeros(2))
    modules = nn.ModuleList([body, head, depth])
    optimizer = torch.optim.Adam([*modules.parameters(), log_vars], lr=0.02)
    step = 0
    for epoch in range(3):
        for inputs, labels, depths in loader:
            hidden = body(inputs).relu()
            scores, values = head(hidden), depth(hidden)
            loss_class = F.cross_entropy(scores, labels)
            loss_depth = F.l1_loss(values, depths)
            weights = torch.exp(-log_vars)
            loss = weights[0] * loss_class + weights[1] * loss_depth + log_vars.sum()
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.add("Loss/train/cross_entropy", step, loss_class.item())
            hand.add("Loss/train/l1_loss", step, loss_depth.item())
            hits = (scores.argmax(1) == labels).sum()
            hand.saw(
                "train", loss.item(), len(labels), correct=hits, output=values, target=depths
            )
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return modules, optimizer
