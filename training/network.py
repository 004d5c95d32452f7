"""The network `worlds`: a small residual encoder and a top-down decoder.

    rgb ──stem 1/2──┬──1/4──┬──1/8──┬──1/16──┬──1/32──┬─ mean ─ focal
                    │       │       │        │        │
         head ◄─1/2─┴─◄─────┴─◄─────┴─◄──────┴─◄──────┘   (lateral 1×1, upsample ×2, add, fuse 3×3)
          │
          └─ inverse depth >= 0, logit of sky, logarithm of the expected error   at half the input's size

At 1/16 and at 1/32 two blocks of self-attention each (Vaswani et al., 2017) let every part of the picture know the
rest: what is a floor depends on the whole room. Their place is told by a depthwise convolution (Chu et al.,
"Conditional positional encodings", 2021), so any picture size will do. The finest step of the decoder is narrow: it
only places outlines, and at its size each channel costs as much as sixteen at 1/8.

The decoder is a feature pyramid (Lin et al., CVPR 2017) on basic residual blocks (He et al., CVPR 2016).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (48, 96, 192, 320)
STEM = 24
DECODER = 64
FINE = 32
HEADS = 8
CONTEXTS = 2
NEAR = 2
"""The stage, counted from 0, whose features have a context at 1/16."""


class Block(nn.Module):
    """Two 3×3 convolutions beside a shortcut."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outside)
        self.second = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outside)
        same = stride == 1 and inside == outside
        self.shortcut = nn.Identity() if same else nn.Conv2d(inside, outside, 1, stride, bias=False)
        self.shortcut_norm = nn.Identity() if same else nn.BatchNorm2d(outside)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inside, h, w) -> (n, outside, h/stride, w/stride)."""
        y = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.shortcut_norm(self.shortcut(x)) + self.second_norm(self.second(y)))


class Context(nn.Module):
    """Attention among all places, then two pointwise layers; both begin as nothing (zero weights).

    Every place asks; squares of `among` × `among` places answer as one (Wang et al., "PVT v2", 2022).
    """

    def __init__(self, width: int, among: int = 1) -> None:
        super().__init__()
        self.among = among
        self.place = nn.Conv2d(width, width, 3, 1, 1, groups=width)
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.question = nn.Linear(width, 3 * width)
        self.answer = nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        for layer in (self.place, self.answer, self.narrow):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, h, w) -> the same."""
        n, c, h, w = x.shape
        x = x + self.place(x)
        y = x.flatten(2).transpose(1, 2)
        z = self.first_norm(y)
        q = F.linear(z, self.question.weight[:c], self.question.bias[:c])
        if self.among > 1:
            z = F.avg_pool2d(z.transpose(1, 2).view(n, c, h, w), self.among).flatten(2).transpose(1, 2)
        k, v = F.linear(z, self.question.weight[c:], self.question.bias[c:]).chunk(2, -1)
        q, k, v = (a.unflatten(-1, (HEADS, c // HEADS)).transpose(1, 2) for a in (q, k, v))
        weights = ((q * (c // HEADS) ** -0.5) @ k.transpose(-2, -1)).softmax(-1)
        y = y + self.answer((weights @ v).transpose(1, 2).reshape(n, h * w, c))
        y = y + self.narrow(F.relu(self.wide(self.second_norm(y))))
        return y.transpose(1, 2).view(n, c, h, w)


class Trunk(nn.Module):
    """The encoder: (n, 3, h, w) sRGB in 0..white, sides multiples of 32 -> features at 1/2, 1/4, 1/8 and on.

    The names of its parts are those in the weights of every network that stands on it.

    Args:
        widths: Channels at 1/4, 1/8, 1/16 and, if there are more, 1/32; those at 1/16 get a context.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.stem = nn.Conv2d(3, STEM, 3, 2, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(STEM)
        inside = (STEM, *widths[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(Block(i, o, 2), Block(o, o, 1)) for i, o in zip(inside, widths, strict=True)
        )
        self.near_context = nn.Sequential(*(Context(widths[NEAR], among=2) for _ in range(CONTEXTS)))

    def features(self, rgb: Tensor, white: float) -> list[Tensor]:
        """The picture at half its size, then what each stage makes of it."""
        found = [F.relu(self.stem_norm(self.stem((rgb - white * self.mean) / (white * self.deviation))))]
        for number, stage in enumerate(self.stages):
            found.append(stage(found[-1]))
            if number == NEAR:
                found[-1] = self.near_context(found[-1])
        return found


class Worlds(Trunk):
    """(n, 3, h, w) sRGB in 0..white, sides multiples of 32 -> what the drawing above says."""

    def __init__(self) -> None:
        super().__init__(WIDTHS)
        self.context = nn.Sequential(*(Context(WIDTHS[-1]) for _ in range(CONTEXTS)))
        decoder = (FINE, *(DECODER for _ in WIDTHS))
        self.lateral = nn.ModuleList(nn.Conv2d(w, d, 1) for w, d in zip((STEM, *WIDTHS), decoder, strict=True))
        self.fuse = nn.ModuleList(nn.Conv2d(d, d, 3, 1, 1, bias=False) for d in decoder[:-1])
        self.fuse_norm = nn.ModuleList(nn.BatchNorm2d(d) for d in decoder[:-1])
        self.narrow = nn.Conv2d(DECODER, FINE, 1)
        self.head = nn.Conv2d(FINE, 3, 3, 1, 1)
        self.focal = nn.Linear(WIDTHS[-1], 1)

    def forward(self, rgb: Tensor, white: float = 1.0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return inverse depth, sky logit, log error, each (n, 1, h/2, w/2), and log(focal / long side), (n, 1)."""
        features = self.features(rgb, white)
        features[-1] = self.context(features[-1])
        y = self.lateral[-1](features[-1])
        for level in range(len(WIDTHS) - 1, -1, -1):
            y = F.interpolate(y if level else self.narrow(y), scale_factor=2.0, mode="bilinear", align_corners=False)
            y = F.relu(self.fuse_norm[level](self.fuse[level](y + self.lateral[level](features[level]))))
        with torch.autocast(y.device.type, enabled=False):  # the answers themselves in full precision
            inverse_depth, sky, log_error = self.head(y.float()).split(1, dim=1)
            log_focal = self.focal(features[-1].float().mean((2, 3)))
        return F.softplus(inverse_depth), sky, log_error, log_focal


class Shipped(nn.Module):
    """What the ONNX file holds: bytes in, probabilities out."""

    def __init__(self, network: Worlds) -> None:
        super().__init__()
        self.network = network

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(1, h, w, 3) uint8 -> inverse depth, probability of sky, log error (1, 1, h/2, w/2), log focal (1, 1)."""
        inverse_depth, sky, log_error, log_focal = self.network(rgb.permute(0, 3, 1, 2).float(), white=255.0)
        return inverse_depth, torch.sigmoid(sky), log_error, log_focal
