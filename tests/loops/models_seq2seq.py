"""Sequence to sequence, decoder step by step with teacher forcing by chance: the loss adds up."""

import random


import torch
from torch import nn
from torch.nn import functional as F


def loop(hand):
    torch.manual_seed(182)
    rng = random.Random(0)
    source, target = torch.randint(0, 7, (24, 4)), torch.randint(0, 7, (24, 4))
    embed, encoder = nn.Embedding(7, 6), nn.GRU(6, 8, batch_first=True)
    decoder, head = nn.GRUCell(6, 8), nn.Linear(8, 7)
    parameters = [p for m in (embed, encoder, decoder, head) for p in m.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=0.01)
    criterion = nn.CrossEntropyLoss()
    step = 0
    for epoch in range(2):
        for x, y in zip(source.split(8), target.split(8)):
            optimizer.zero_grad()
            hidden = encoder(embed(x))[1][0]
            token = torch.zeros(8, dtype=torch.int64)
            loss, correct = 0, 0
            for t in range(4):
                hidden = decoder(embed(token), hidden)
                scores = head(hidden)
                loss += criterion(scores, y[:, t])
                correct += (scores.argmax(1) == y[:, t]).sum()
                token = y[:, t] if rng.random() < 0.5 else scores.argmax(1).detach()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), 8, correct=correct, counted=32)
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return embed, encoder, decoder, head, optimizer
