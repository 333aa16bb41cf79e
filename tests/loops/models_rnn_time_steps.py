"""A character model: the criterion is called once a time step and the losses are added up."""

from __future__ import annotations

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


# Five calls at one place are one term: no component beside the loss itself.
ABSENT = {"Loss/train/cross_entropy"}


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.i2o = nn.Linear(input_size + hidden_size, output_size)

    def forward(self, x, hidden):
        combined = torch.cat((x, hidden), 1)
        return self.i2o(combined), torch.tanh(self.i2h(combined))

    def init_hidden(self, n):
        return torch.zeros(n, self.hidden_size)


def loop(hand):
    torch.manual_seed(122)
    letters = torch.randint(0, 5, (14, 6))
    loader = DataLoader(TensorDataset(letters), batch_size=5, shuffle=True)
    rnn = RNN(5, 8, 5)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(rnn.parameters(), lr=0.02)
    step = 0
    for epoch in range(3):
        for (line,) in loader:
            hidden = rnn.init_hidden(len(line))
            optimizer.zero_grad()
            loss = 0
            correct = 0
            for i in range(line.size(1) - 1):
                one_hot = nn.functional.one_hot(line[:, i], 5).float()
                output, hidden = rnn(one_hot, hidden)
                correct += int((output.argmax(1) == line[:, i + 1]).sum())
                loss += criterion(output, line[:, i + 1])
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hand.saw("train", loss.item(), len(line), correct=correct, counted=5 * len(line))
            optimizer.step()
            step += 1
        hand.end("train", epoch)
    return rnn, optimizer
