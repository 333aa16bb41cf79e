"""Diffusion: noise at random times is predicted; a moving average of the weights is kept."""

from torch.utils.data import DataLoader, TensorDataset


import torch
from torch import nn
from torch.nn import functional as F


def loop(hand):
    torch.manual_seed(178)
    loader = DataLoader(TensorDataset(torch.randn(40, 6)), batch_size=16, shuffle=True)
    model = nn.Sequential(nn.Linear(7, 16), nn.SiLU(), nn.Linear(16, 6))
    average = torch.optim.swa_utils.AveragedModel(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    keep = torch.linspace(0.99, 0.1, 10)
    step = 0
    for epoch in range(3):
        for (x,) in loader:
            t = torch.randint(0, 10, (len(x),))
            noise = torch.randn_like(x)
            a = keep[t][:, None]
            noisy = a.sqrt() * x + (1 - a).sqrt() * noise
            predicted = model(torch.cat([noisy, t[:, None] / 10], 1))
            loss = F.mse_loss(predicted, noise)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(x), output=predicted, target=noise)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            hand.gradient_norm(step, model.parameters(), "GradNorm/clipped")
            optimizer.step()
            average.update_parameters(model)
            step += 1
        hand.end("train", epoch)
    return model, average, optimizer
