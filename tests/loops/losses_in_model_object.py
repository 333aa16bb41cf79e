"""Labels go into forward, an output object with the loss comes back, as transformers do."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset


@dataclass
class Output:
    loss: torch.Tensor | None
    logits: torch.Tensor


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.EmbeddingBag(20, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, input_ids, labels=None):
        logits = self.head(self.embed(input_ids))
        loss = None if labels is None else F.cross_entropy(logits, labels)
        return Output(loss, logits)


class Sentences(Dataset):
    def __init__(self, n):
        self.ids = torch.randint(0, 20, (n, 6))
        self.labels = self.ids.sum(1) % 3

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return {"input_ids": self.ids[i], "labels": self.labels[i]}


def loop(hand):
    torch.manual_seed(29)
    train_dataloader = DataLoader(Sentences(18), batch_size=7, shuffle=True)
    eval_dataloader = DataLoader(Sentences(8), batch_size=5)
    model = Classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    step = 0
    for epoch in range(3):
        model.train()
        for batch in train_dataloader:
            outputs = model(**batch)
            loss = outputs.loss
            loss.backward()
            hand.step(step, loss.item(), optimizer)
            hits = (outputs.logits.argmax(-1) == batch["labels"]).sum()
            hand.saw("train", loss.item(), len(batch["labels"]), correct=hits)
            optimizer.step()
            optimizer.zero_grad()
            step += 1
        hand.end("train", epoch)
        model.eval()
        for batch in eval_dataloader:
            with torch.no_grad():
                outputs = model(**batch)
            hits = (outputs.logits.argmax(-1) == batch["labels"]).sum()
            hand.saw("val", outputs.loss.item(), len(batch["labels"]), correct=hits)
        hand.end("val", epoch)
    return model, optimizer
