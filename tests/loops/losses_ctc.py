"""nn.CTCLoss: the batch is the second dimension of the scores, and no answer is right or wrong."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ABSENT = {"Accuracy/train"}


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 8, batch_first=True)
        self.head = nn.Linear(8, 5)

    def forward(self, frames):
        hidden, _ = self.rnn(frames)
        return self.head(hidden).log_softmax(-1).transpose(0, 1)


def loop(hand):
    torch.manual_seed(3)
    frames = torch.randn(10, 12, 3)
    words = torch.randint(1, 5, (10, 4))
    lengths = torch.randint(2, 5, (10,))
    loader = DataLoader(TensorDataset(frames, words, lengths), batch_size=4, shuffle=True)
    model = Reader()
    ctc = nn.CTCLoss(blank=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    step = 0
    for epoch in range(3):
        for batch, target, target_lengths in loader:
            log_probs = model(batch)
            input_lengths = torch.full((len(batch),), log_probs.shape[0], dtype=torch.long)
            loss = ctc(log_probs, target, input_lengths, target_lengths)
            optimizer.zero_grad()
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(batch))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return model, optimizer
