"""A summed loss divided by the size of the batch, beside a penalty by hand; the last batch is small."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loop(hand):
    torch.manual_seed(126)
    data = torch.randn(22, 6)
    loader = DataLoader(TensorDataset(data), batch_size=8, shuffle=True)
    model = nn.Linear(6, 6)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    step = 0
    for epoch in range(3):
        for (x,) in loader:
            optimizer.zero_grad()
            penalty = (model.weight**2).mean()
            out = model(x)
            loss = F.mse_loss(out, x, reduction="sum") / len(x) + penalty
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(x), output=out, target=x)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
