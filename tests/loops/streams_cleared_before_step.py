"""One backward through two networks; the second one's gradients are cleared before the first steps."""

from __future__ import annotations

import torch
from torch import nn


def loop(hand):
    torch.manual_seed(149)
    xs = torch.randn(48, 4)
    student, judge = nn.Linear(4, 3), nn.Linear(3, 1)
    student_opt = torch.optim.SGD(student.parameters(), lr=0.1)
    judge_opt = torch.optim.SGD(judge.parameters(), lr=0.1)

    step = 0
    for epoch in range(2):
        for x in xs.split(16):
            student_opt.zero_grad()
            student_loss = -judge(student(x)).tanh().mean()
            student_loss.backward()
            judge_opt.zero_grad()
            hand.step(step, student_loss.item(), student_opt, "student_opt")
            student_opt.step()

            judge_loss = (judge(student(x).detach()).squeeze(1) - x[:, 0]).abs().mean()
            judge_loss.backward()
            hand.step(step, judge_loss.item(), judge_opt, "judge_opt")
            judge_opt.step()
            hand.saw("train", student_loss.item(), 16, "student_opt")
            hand.saw("train", judge_loss.item(), 16, "judge_opt")
            step += 1
        hand.end("train", epoch, "student_opt")
        hand.end("train", epoch, "judge_opt")
    return student, judge, student_opt, judge_opt
