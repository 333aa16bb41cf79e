"""The models of the workloads."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def mlp() -> nn.Module:
    """784-128-10."""
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def lenet() -> nn.Module:
    """LeNet on pictures of 28 by 28."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


class Block(nn.Module):
    """Residual block: two convolutions of 3 by 3, or one between two of 1 by 1."""

    def __init__(self, inputs: int, width: int, stride: int, *, expansion: int = 1) -> None:
        super().__init__()
        outputs = width * expansion
        kernels = ((3, 3),) if expansion == 1 else ((1, 3), (3, 1))
        sizes = [k for pair in kernels for k in pair]
        if expansion > 1:
            sizes = [1, 3, 1]
        layers: list[nn.Module] = []
        channels = inputs
        for index, kernel in enumerate(sizes):
            last = index == len(sizes) - 1
            step = stride if index == len(sizes) // 2 and expansion > 1 else 1
            step = stride if expansion == 1 and index == 0 else step
            after = outputs if last else width
            layers += [
                nn.Conv2d(channels, after, kernel, step, kernel // 2, bias=False),
                nn.BatchNorm2d(after),
                *([] if last else [nn.ReLU()]),
            ]
            channels = after
        self.layers = nn.Sequential(*layers)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape as the shortcut's; x (N, C, H, W)."""
        return functional.relu(self.layers(x) + self.shortcut(x))


def half_resnet() -> nn.Module:
    """The layout of ResNet-18 for 32 by 32, with half of its channels: 2.8 million weights."""
    return _resnet((2, 2, 2, 2), 32, 1, nn.Conv2d(3, 32, 3, padding=1, bias=False), 10)


def resnet50() -> nn.Module:
    """ResNet-50 for 224 by 224."""
    stem = nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        *(nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
    )
    return _resnet((3, 4, 6, 3), 64, 4, stem, 1000)


def _resnet(
    depths: tuple[int, ...], width: int, expansion: int, stem: nn.Module, classes: int
) -> nn.Module:
    layers = [stem] if expansion > 1 else [stem, nn.BatchNorm2d(width), nn.ReLU()]
    channels = width
    for stage, depth in enumerate(depths):
        for index in range(depth):
            stride = 2 if stage and not index else 1
            layers.append(Block(channels, width << stage, stride, expansion=expansion))
            channels = (width << stage) * expansion
    pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
    return nn.Sequential(*layers, *pooled)


class Transformer(nn.Module):
    """A GPT: 4 layers of width 128 over 64 tokens; scores (N, tokens, length)."""

    def __init__(self, tokens: int = 64, width: int = 128, length: int = 64) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(tokens, width), nn.Embedding(length, width)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, 4, 4 * width, dropout=0.0, batch_first=True, norm_first=True
            )
            for _ in range(4)
        )
        self.head = nn.Linear(width, tokens, bias=False)
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return scores (N, tokens, length); x (N, length) of token numbers."""
        hidden = self.tokens(x) + self.places(torch.arange(x.shape[1], device=x.device))
        for layer in self.layers:
            hidden = layer(hidden, src_mask=self.mask, is_causal=True)
        scores: Tensor = self.head(hidden)
        return scores.transpose(1, 2)
