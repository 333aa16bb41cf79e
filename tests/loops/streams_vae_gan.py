"""A VAE-GAN: encoder, decoder and discriminator with an optimizer each, three backward calls."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader


def loop(hand):
    torch.manual_seed(309)
    loader = DataLoader(torch.randn(20, 6), batch_size=8, shuffle=True)
    encoder, decoder, discriminator = nn.Linear(6, 4), nn.Linear(2, 6), nn.Linear(6, 1)
    opt_enc = torch.optim.Adam(encoder.parameters(), lr=0.01)
    opt_dec = torch.optim.Adam(decoder.parameters(), lr=0.01)
    opt_dis = torch.optim.Adam(discriminator.parameters(), lr=0.01)
    step = 0
    for epoch in range(3):
        for real in loader:
            n = len(real)
            mean, logvar = encoder(real).chunk(2, dim=1)
            z = mean + torch.randn_like(mean) * (0.5 * logvar).exp()
            made = decoder(z)

            opt_dis.zero_grad()
            d_real = F.binary_cross_entropy_with_logits(discriminator(real), torch.ones(n, 1))
            d_fake = F.binary_cross_entropy_with_logits(
                discriminator(made.detach()), torch.zeros(n, 1)
            )
            d_loss = d_real + d_fake
            d_loss.backward()
            hand.step(step, d_loss.item(), opt_dis, "opt_dis")
            hand.add("Loss/train/binary_cross_entropy_with_logits/opt_dis", step, d_real.item())
            hand.add("Loss/train/binary_cross_entropy_with_logits_2/opt_dis", step, d_fake.item())
            hand.saw("train", d_loss.item(), n, "opt_dis")
            opt_dis.step()

            opt_dec.zero_grad()
            opt_enc.zero_grad()
            fooled = F.binary_cross_entropy_with_logits(discriminator(made), torch.ones(n, 1))
            divergence = -0.5 * (1 + logvar - mean**2 - logvar.exp()).sum(1).mean()
            vae_loss = F.mse_loss(made, real) + 0.1 * fooled + 0.01 * divergence
            vae_loss.backward()
            for name, opt in (("opt_enc", opt_enc), ("opt_dec", opt_dec)):
                hand.step(step, vae_loss.item(), opt, name)
                hand.add(f"Loss/train/mse_loss/{name}", step, F.mse_loss(made, real).item())
                hand.add(
                    f"Loss/train/binary_cross_entropy_with_logits/{name}", step, fooled.item()
                )
                hand.saw("train", vae_loss.item(), n, name, output=made, target=real)
            opt_enc.step()
            opt_dec.step()
            step += 1
        for name in ("opt_enc", "opt_dec", "opt_dis"):
            hand.end("train", epoch, name)
    return encoder, decoder, discriminator, opt_enc, opt_dec, opt_dis
