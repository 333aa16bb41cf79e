"""A GAN, generator first; its backward leaves gradients in the discriminator, which are cleared."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader

ABSENT = {"Accuracy/train/optimizer_G", "Accuracy/train/optimizer_D"}


def loop(hand):
    torch.manual_seed(61)
    dataloader = DataLoader(torch.randn(48, 2) + 1, batch_size=12, shuffle=True)
    generator = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    discriminator = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    adversarial_loss = nn.BCEWithLogitsLoss()
    optimizer_G = torch.optim.Adam(generator.parameters(), lr=0.001)
    optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=0.002)

    step = 0
    for epoch in range(2):
        for imgs in dataloader:
            valid, fake = torch.ones(len(imgs), 1), torch.zeros(len(imgs), 1)

            optimizer_G.zero_grad()
            gen_imgs = generator(torch.randn(len(imgs), 3))
            g_loss = adversarial_loss(discriminator(gen_imgs), valid)
            g_loss.backward()
            hand.step(step, g_loss.item(), optimizer_G, "optimizer_G")
            optimizer_G.step()

            optimizer_D.zero_grad()
            real_loss = adversarial_loss(discriminator(imgs), valid)
            fake_loss = adversarial_loss(discriminator(gen_imgs.detach()), fake)
            d_loss = (real_loss + fake_loss) / 2
            d_loss.backward()
            name = "binary_cross_entropy_with_logits"
            hand.step(step, d_loss.item(), optimizer_D, "optimizer_D")
            hand.add(f"Loss/train/{name}/optimizer_D", step, real_loss.item())
            hand.add(f"Loss/train/{name}_2/optimizer_D", step, fake_loss.item())
            optimizer_D.step()
            hand.saw("train", g_loss.item(), len(imgs), "optimizer_G")
            hand.saw("train", d_loss.item(), len(imgs), "optimizer_D")
            step += 1
        hand.end("train", epoch, "optimizer_G")
        hand.end("train", epoch, "optimizer_D")
    return generator, discriminator, optimizer_G, optimizer_D
