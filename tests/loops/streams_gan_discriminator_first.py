"""A GAN after DCGAN: real and fake back-propagated apart, `detach`, the generator last.

All labels of a call are equal: that is no classification with a share of right answers.
"""

from __future__ import annotations

import torch
from torch import nn

ABSENT = {"Accuracy/train/optimizerD", "Accuracy/train/optimizerG"}


def loop(hand):
    torch.manual_seed(60)
    data = torch.randn(48, 2) @ torch.tensor([[1.0, 0.5], [0.0, 0.3]]) + 2
    netG = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    netD = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Sigmoid())
    criterion = nn.BCELoss()
    optimizerD = torch.optim.Adam(netD.parameters(), lr=0.002, betas=(0.5, 0.999))
    optimizerG = torch.optim.Adam(netG.parameters(), lr=0.001, betas=(0.5, 0.999))

    step = 0
    for epoch in range(2):
        for real in data.split(12):
            netD.zero_grad()
            label = torch.full((12,), 1.0)
            output = netD(real).view(-1)
            errD_real = criterion(output, label)
            errD_real.backward()
            fake = netG(torch.randn(12, 3))
            label.fill_(0.0)
            output = netD(fake.detach()).view(-1)
            errD_fake = criterion(output, label)
            errD_fake.backward()
            errD = errD_real.item() + errD_fake.item()
            hand.step(step, errD, optimizerD, "optimizerD", rtol=1e-6)
            hand.add("Loss/train/binary_cross_entropy/optimizerD", step, errD_real.item())
            hand.add("Loss/train/binary_cross_entropy_2/optimizerD", step, errD_fake.item())
            optimizerD.step()

            netG.zero_grad()
            label.fill_(1.0)
            output = netD(fake).view(-1)
            errG = criterion(output, label)
            errG.backward()
            hand.step(step, errG.item(), optimizerG, "optimizerG")
            optimizerG.step()
            hand.saw("train", errD, 12, "optimizerD")
            hand.saw("train", errG.item(), 12, "optimizerG")
            step += 1
        hand.end("train", epoch, "optimizerD")
        hand.end("train", epoch, "optimizerG")
    return netG, netD, optimizerG, optimizerD
