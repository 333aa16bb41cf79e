"""A tiny GPT: random batches, no loader, no epoch; estimate_loss over both splits before and between."""

from __future__ import annotations

import torch
import torch.nn as nn
from torch.nn import functional as F

batch_size, block_size, n_embd, vocab_size = 4, 6, 8, 11
max_iters, eval_interval, eval_iters = 10, 4, 3


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.attn = nn.MultiheadAttention(n_embd, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(n_embd, 16), nn.GELU(), nn.Linear(16, n_embd))

    def forward(self, x):
        h = self.ln1(x)
        mask = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool), 1)
        x = x + self.attn(h, h, h, attn_mask=mask, need_weights=False)[0]
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(vocab_size, n_embd)
        self.wpe = nn.Embedding(block_size, n_embd)
        self.block = Block()
        self.drop = nn.Dropout(0.1)
        self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)
        self.wte.weight = self.lm_head.weight

    def forward(self, idx, targets=None):
        x = self.drop(self.wte(idx) + self.wpe(torch.arange(idx.shape[1])))
        logits = self.lm_head(self.block(x))
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.view(-1, vocab_size), targets.view(-1), ignore_index=-1)
        return logits, loss


def get_batch(data, split):
    data = data[split]
    ix = torch.randint(len(data) - block_size, (batch_size,))
    x = torch.stack([data[i : i + block_size] for i in ix])
    y = torch.stack([data[i + 1 : i + 1 + block_size] for i in ix])
    return x, y


@torch.no_grad()
def estimate_loss(hand, model, data, completed):
    model.eval()
    for split in ["train", "val"]:
        phase = "train_eval" if split == "train" else split
        if completed == 0:
            phase += "_initial"
        for _ in range(eval_iters):
            X, Y = get_batch(data, split)
            logits, loss = model(X, Y)
            hits = (logits.argmax(-1) == Y).sum()
            hand.saw(phase, loss.item(), len(X), correct=hits, counted=Y.numel())
        hand.end(phase, completed)
    model.train()


def loop(hand):
    torch.manual_seed(126)
    text = torch.randint(0, vocab_size, (120,))
    data = {"train": text[:90], "val": text[90:]}
    model = GPT()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    for iter_num in range(max_iters):
        if iter_num % eval_interval == 0 or iter_num == max_iters - 1:
            if iter_num > 0:
                hand.end("train", iter_num)
            estimate_loss(hand, model, data, iter_num)
        X, Y = get_batch(data, "train")
        logits, loss = model(X, Y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        hand.step(iter_num, loss.item(), optimizer)
        hits = (logits.argmax(-1) == Y).sum()
        hand.saw("train", loss.item(), len(X), correct=hits, counted=Y.numel())
        optimizer.step()
    # The stretch after the last estimate is one step long.
    hand.end("train", max_iters)
    return model, optimizer
