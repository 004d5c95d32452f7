"""The network `forecast`: the first levels of `worlds`, and a decoder that marks mirrors, glass and blank walls.

    rgb ──stem 1/2─────1/4──┬──1/8──┬──1/16 ─ context
                            │       │       │
             logits 1/4 ◄───┴───◄───┴───◄───┘   (lateral 1×1, upsample ×2, add, fuse 3×3)

What the depth network has learnt of edges, surfaces and rooms is what mirrors and panes are told by, so training begins
from its weights; the two share no weights afterwards, and neither has to be trained again when the other is.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.forecast.labels import CLASSES
from training.network import WIDTHS, Trunk

LEVELS = WIDTHS[:3]
DECODER = (48, 64, 64)
"""Channels at 1/4, 1/8 and 1/16."""


class Forecast(Trunk):
    """(n, 3, h, w) sRGB in 0..white, sides multiples of 32 -> logits (n, 3, h/4, w/4) of `labels.CLASSES`."""

    def __init__(self) -> None:
        super().__init__(LEVELS)
        self.reduce = nn.ModuleList(nn.Conv2d(w, d, 1) for w, d in zip(LEVELS, DECODER, strict=True))
        self.narrow = nn.ModuleList(nn.Conv2d(above, d, 1) for above, d in zip(DECODER[1:], DECODER[:-1], strict=True))
        self.join = nn.ModuleList(nn.Conv2d(d, d, 3, 1, 1, bias=False) for d in DECODER)
        self.join_norm = nn.ModuleList(nn.BatchNorm2d(d) for d in DECODER)
        self.answer = nn.Conv2d(DECODER[0], len(CLASSES), 1)
        nn.init.constant_(self.answer.bias, -3.0)  # type: ignore[arg-type]

    def forward(self, rgb: Tensor, white: float = 1.0) -> Tensor:
        """Return the logits."""
        features = self.features(rgb, white)[1:]
        y = torch.zeros(())
        for level in range(len(LEVELS) - 1, -1, -1):
            here = self.reduce[level](features[level])
            if level < len(LEVELS) - 1:
                here = here + F.interpolate(
                    self.narrow[level](y), scale_factor=2.0, mode="bilinear", align_corners=False
                )
            y = F.relu(self.join_norm[level](self.join[level](here)))
        with torch.autocast(y.device.type, enabled=False):
            return self.answer(y.float())


class Shipped(nn.Module):
    """What the ONNX file holds: bytes in, probabilities out."""

    def __init__(self, network: Forecast) -> None:
        super().__init__()
        self.network = network

    def forward(self, rgb: Tensor) -> Tensor:
        """(1, h, w, 3) uint8 -> probabilities (1, 3, h/4, w/4)."""
        return torch.sigmoid(self.network(rgb.permute(0, 3, 1, 2).float(), white=255.0))


def begin(network: Forecast, depth: dict[str, Tensor]) -> None:
    """Take over the levels that `worlds` has too from its weights.

    Raises:
        ValueError: A level that both have is missing or of another shape there.
    """
    ours = network.state_dict()
    new = ("reduce.", "narrow.", "join.", "join_norm.", "answer.")
    shared = [name for name in ours if not name.startswith(new)]
    wrong = [name for name in shared if name not in depth or depth[name].shape != ours[name].shape]
    if wrong:
        raise ValueError(f"these weights do not fit: {', '.join(wrong)}")
    network.load_state_dict({name: depth[name] for name in shared}, strict=False)
