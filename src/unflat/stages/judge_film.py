"""Is this an old film, whose depth is better seen on clean copies? A few bursts of frames tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.plates import Plate
from unflat.geometry.weave import filled, weave_of
from unflat.stages.restore_film import small_copy
from unflat.types.arrays import F32, U8

BURST = 6
"""Frames in a row that are looked at, at least 4."""
_GREY = 3.0
_GRAIN, _FLICKER, _WEAVE, _LINES = 3.0, 0.012, 0.002, 0.5
_ENOUGH = 2
_SCRATCHED = 2.0
"""So many running scratches in a frame are of no new film."""


@dataclass(frozen=True, slots=True)
class FilmSigns:
    """What a film shows of its age.

    Attributes:
        colour: How far colours are spread beside what goes with brightness (a tint does), grey levels.
        grain: Standard deviation of the grain, grey levels.
        flicker: How much the light jumps from frame to frame, as a share of it.
        weave: How much the whole frame jumps, in its widths.
        lines: Running scratches in a frame.
    """

    colour: float
    grain: float
    flicker: float
    weave: float
    lines: float

    @property
    def found(self) -> tuple[str, ...]:
        """The signs that are strong enough, in words."""
        signs = {
            "black and white": self.colour < _GREY,
            "grain": self.grain > _GRAIN,
            "flicker": self.flicker > _FLICKER,
            "weave": self.weave > _WEAVE,
            "scratches": self.lines > _LINES,
        }
        return tuple(name for name, there in signs.items() if there)

    @property
    def classic(self) -> bool:
        """Whether clean copies are worth their time: two signs, as new films have one; or many scratches."""
        return len(self.found) >= _ENOUGH or self.lines > _SCRATCHED


def judge_film(bursts: Sequence[Sequence[U8]]) -> FilmSigns:
    """Look for the signs of age.

    Args:
        bursts: Frames in a row, (h, w, 3) uint8, from some places of the film; best BURST of them each.
    """
    colours, grains, flickers, weaves = list[float](), list[float](), list[float](), list[float]()
    lines = list[int]()
    for burst in bursts:
        plates: list[Plate] = []
        for pixels in burst:
            plates.append(Plate.of(small_copy(pixels), plates[-1] if plates else None))
        colours += [_colour(plate.pixels) for plate in plates[:1]]
        steps = plates[1:]
        if len(steps) < 3 or any(step.first for step in steps):
            continue
        grains += [step.noise[0] for step in steps]
        flickers.append(_jumps([np.median(filled(step.light), keepdims=True) for step in steps]))
        height, width = plates[0].pixels.shape[:2]
        moved = [weave_of(filled(step.motion), height / width, limited=False) for step in steps]
        weaves.append(_jumps([np.array(one[:2]) for one in moved]))
        inner = zip(plates[:-2], plates[1:-1], plates[2:], strict=True)
        lines += [len(here.alien(before, after)) for before, here, after in inner]
    colour, grain, flicker, weave = (float(np.median(v)) if v else 0.0 for v in (colours, grains, flickers, weaves))
    return FilmSigns(colour, grain, flicker, weave, float(np.mean(lines)) if lines else 0.0)


def _jumps(steps: Sequence[NDArray[np.floating]]) -> float:
    """How much steps differ from the mean of their neighbours: a steady course, and one that bends slowly, do not."""
    stack = np.stack(steps)
    bends = stack[1:-1] - (stack[:-2] + stack[2:]) / 2
    return float(np.sqrt((bends**2).sum(-1).mean()))


def _colour(pixels: U8) -> float:
    """Standard deviation of red and blue against green, as far as they do not go with it in a straight line."""
    import cv2

    even = np.asarray(cv2.resize(pixels, (64, 48), interpolation=cv2.INTER_AREA), np.float32).reshape(-1, 3)
    green = even[:, 1] - even[:, 1].mean()
    rest: list[F32] = []
    for channel in (0, 2):
        other = even[:, channel] - even[:, channel].mean()
        slope = float(green @ other) / max(float(green @ green), 1e-6)
        rest.append(other - np.float32(slope) * green)
    return float(np.sqrt(np.mean(np.square(rest))))
