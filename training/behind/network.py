"""The network `behind`: a small U-net (Ronneberger et al., 2015) that bends a membrane towards what it hides.

    colour, known, wanted, depth ─ 2×2 to channels ─► 1/2 ─► 1/4 ─► 1/8 ─► 1/16
                                                       │      │      │       │
    colour + residual ◄─ channels to 2×2 ◄───────────◄─┴────◄─┴────◄─┴─────◄─┘

It says what to add to the membrane over the wanted pixels, and begins as nothing: an unsure network leaves the
membrane as it is.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (32, 48, 80, 112)
CHANNELS = 6
"""Red, green, blue, known, wanted, logarithm of relative depth."""


class Pair(nn.Module):
    """Two 3×3 convolutions, the second beside a shortcut."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inside, outside, 3, 1, 1)
        self.second = nn.Conv2d(outside, outside, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inside, h, w) -> (n, outside, h, w)."""
        y = F.relu(self.first(x))
        return y + F.relu(self.second(y))


class Behind(nn.Module):
    """(n, CHANNELS, h, w), sides multiples of 16 -> (n, 3, h, w) what to add."""

    def __init__(self) -> None:
        super().__init__()
        inside = (4 * CHANNELS, *WIDTHS[:-1])
        self.down = nn.ModuleList(Pair(a, b) for a, b in zip(inside, WIDTHS, strict=True))
        self.deep = Pair(WIDTHS[-1], WIDTHS[-1])
        self.up = nn.ModuleList(Pair(a + b, b) for a, b in zip(WIDTHS[1:], WIDTHS[:-1], strict=True))
        self.answer = nn.Conv2d(WIDTHS[0], 12, 1)
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        y, seen = F.pixel_unshuffle(x, 2), []
        for i, step in enumerate(self.down):
            y = step(F.avg_pool2d(y, 2) if i else y)
            seen.append(y)
        y = self.deep(y)
        for step, beside in zip(reversed(self.up), reversed(seen[:-1]), strict=True):
            y = step(torch.cat([F.interpolate(y, scale_factor=2.0, mode="nearest"), beside], 1))
        return F.pixel_shuffle(self.answer(y), 2)
