"""A frame of a film and its depth in one picture, so that nothing can ever bring them out of step.

From top to bottom: the picture; three grey panels with its depth; a strip of black and white cells::

    ┌──────────────────────────────┐
    │ the picture                  │
    ├─────────┬─────────┬──────────┤
    │ coarse  │ wave    │ wave, a  │   a third of the picture's width each
    │         │         │ quarter  │
    │         │         │ later    │
    ├─────────┴─────────┴──────────┤
    │ ▒▒▒ the range of the depth   │
    └──────────────────────────────┘

Films of the web are H.264 with 8 bits, 219 levels of grey in truth, and every level is off by a few. So inverse depth,
0 (far) to 1 (near), stands there three times: as it is, and as two triangle waves of WAVES periods, one a quarter of a
period behind the other. The waves tell the place within a period, the coarse panel tells which period. Two waves, for
a triangle wave says little where it turns, and the other one is steep there; the place comes from their ratio, as the
angle of a point on the square |a| + |b| = 1, so a change of contrast does no harm.

The strip holds five levels of grey, by which a reader takes back whatever a player did to the levels, and the two
inverse depths that 0 and 1 stand for, bit by bit: at a cut the range changes with the very frame that it belongs to.

Everything begins on multiples of 16 pixels: blocks of the codec hold one thing only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import F32, U8, U32
from unflat.types.image import Size

LONGEST = 1280
"""The long side of the picture, in pixels, unless told otherwise."""
WAVES = 4
"""Periods of the waves: the coarse level may be off by an eighth before a wrong period is picked."""
BLOCK = 16
"""Side of a block of the codec."""
CELL = 8
"""Side of a cell of the strip."""
RULER = (0, 64, 128, 191, 255)
"""The levels of the first cells; the bits of both ends of the range follow, least significant first."""
_CELLS = len(RULER) + 64
_LIGHT = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""How BT.709 weighs colours: what a codec did to those of a grey picture goes away."""
_ALIKE = 0.05
"""Neighbours within this share of the range are alike."""
_BELOW, _ABOVE = 0.05, 0.3
"""How far the range goes on beyond what is far and near, as shares of the range: the nearest hundredth lies beyond."""
Plane = TypeVar("Plane", F32, U8)
_LEAST = 1e-6
"""The least span of a range: where all is sky, near and far are both 0."""
_DOUBT = 0.11
"""Where waves and coarse level disagree by more, an eighth being the most they can, the coarse level is taken."""


@dataclass(frozen=True, slots=True)
class PackedSizes:
    """Where things are in a packed frame. All begin at its left border.

    Attributes:
        colour: Of the picture, at the top.
        depth: Of each panel.
        top: The row where the panels begin; they stand beside each other without gaps.
        strip: The row where the strip begins.
        frame: Of the whole.
    """

    colour: Size
    depth: Size
    top: int
    strip: int
    frame: Size

    @staticmethod
    def of(size: Size, longest: int = LONGEST) -> PackedSizes:
        """The sizes for a film whose frames have ``size``; ``longest`` limits the picture's long side.

        Raises:
            ShapeError: The picture is narrower or lower than 16 pixels.
        """
        colour = size.fitted(longest)
        if min(colour.width, colour.height) < BLOCK:
            raise ShapeError(f"a film to move in has at least {BLOCK} pixels a side, not {size}")
        width = max(_whole(colour.width), 3 * BLOCK)
        across = width // (3 * BLOCK) * BLOCK
        depth = Size(across, max(2, round(across * colour.height / colour.width)))
        top = _whole(colour.height)
        strip = top + _whole(depth.height)
        rows = -(-_CELLS // (width // CELL))
        return PackedSizes(colour, depth, top, strip, Size(width, strip + _whole(rows * CELL)))


def packed_frame(pixels: U8, inverse: F32, near: float, far: float, longest: int = LONGEST) -> U8:
    """The one picture that holds a frame and its depth.

    Args:
        pixels: (h, w, 3) uint8 sRGB.
        inverse: (h', w') float32 inverse depth of the same field of view; any size, best that of
            ``PackedSizes.of(...).depth``.
        near: Inverse depth of what is near in the shot (:class:`~unflat.types.clip.DepthFrame`).
        far: The same of what is far.
        longest: The picture's long side at most.

    Returns:
        (H, W, 3) uint8, of the size ``PackedSizes.of(...).frame``.

    Raises:
        ShapeError: The picture is too small, or ``near`` is less than ``far``.
    """
    sizes = PackedSizes.of(Size(pixels.shape[1], pixels.shape[0]), longest)
    low, high = coded_range(near, far)
    packed = np.full((sizes.frame.height, sizes.frame.width, 3), 128, np.uint8)
    colour = pixels if sizes.colour.shape == pixels.shape[:2] else _resized(pixels, sizes.colour, cv2.INTER_AREA)
    packed[: sizes.top] = _extended(colour, sizes.top, sizes.frame.width)
    share = ((_of_size(inverse, sizes.depth) - low) / (high - low)).clip(0, 1)
    for at, level in enumerate(_levels(share)):
        left = at * sizes.depth.width
        panel = np.rint(255 * _extended(level, sizes.strip - sizes.top, sizes.depth.width)).astype(np.uint8)
        packed[sizes.top : sizes.strip, left : left + sizes.depth.width] = panel[..., None]
    _write_strip(packed[sizes.strip :], low, high)
    return packed


def unpacked_frame(packed: U8, size: Size, longest: int = LONGEST) -> tuple[U8, F32]:
    """The picture and its inverse depth, out of what a codec left of a packed frame: what the page does.

    Args:
        packed: (H, W, 3) uint8.
        size: Of the film's frames, as they were packed.
        longest: As it was packed.

    Returns:
        (h, w, 3) uint8 and (h', w') float32, of the sizes of ``PackedSizes``.

    Raises:
        ShapeError: ``packed`` has another size than such frames have.
    """
    sizes = PackedSizes.of(size, longest)
    if packed.shape != (*sizes.frame.shape, 3):
        raise ShapeError(f"a packed frame of {size} has {sizes.frame}, not {packed.shape[1]}×{packed.shape[0]}")
    seen, (low, high) = _read_strip(packed[sizes.strip :])
    grey = packed[sizes.top : sizes.top + sizes.depth.height] @ _LIGHT
    level = np.interp(grey, seen, np.array(RULER) / 255).astype(np.float32)
    width = sizes.depth.width
    coarse, one, other = level[:, :width], level[:, width : 2 * width], level[:, 2 * width : 3 * width]
    share = _mended(_share(coarse, 2 * one - 1, 2 * other - 1))
    colour = packed[: sizes.colour.height, : sizes.colour.width]
    return colour.copy(), (low + (high - low) * share).astype(np.float32)


def coded_range(near: float, far: float) -> tuple[float, float]:
    """The inverse depths that 0 and 1 stand for, as exactly as the strip says them.

    Raises:
        ShapeError: ``near`` is less than ``far``, or one of them is no depth.
    """
    if not (np.isfinite(near) and 0 <= far <= near):
        raise ShapeError(f"no range of inverse depth goes from {far:g} to {near:g}")
    span = max(near - far, 1e-3 * near, _LEAST)
    return float(np.float32(max(0.0, far - _BELOW * span))), float(np.float32(near + _ABOVE * span))


def _whole(length: int) -> int:
    """The next multiple of a block."""
    return -(-length // BLOCK) * BLOCK


def _levels(share: F32) -> tuple[F32, F32, F32]:
    """Coarse, wave, wave a quarter later, each 0..1."""
    turn = share * np.float32(WAVES)
    return share, _triangle(turn), _triangle(turn - np.float32(0.25))


def _triangle(turn: F32) -> F32:
    """1 at whole numbers, 0 halfway between them, straight in between."""
    return np.abs(2 * (turn - np.floor(turn)) - 1)


def _share(coarse: F32, a: F32, b: F32) -> F32:
    """The inverse of :func:`_levels`, with a and b counted from -1 to 1."""
    ratio = b / np.maximum(np.abs(a) + np.abs(b), 1e-6)
    turn = np.where(a >= 0, np.where(b >= 0, ratio, 4 + ratio), 2 - ratio) / 4
    period = np.rint(coarse * WAVES - turn)
    fine = (period + turn) / WAVES
    return np.where(np.abs(fine - coarse) > _DOUBT, coarse, fine).clip(0, 1).astype(np.float32)


def _mended(share: F32) -> F32:
    """What is like none beside it, or halfway between both sides of an outline, is the codec's mistake.

    It becomes the one of its neighbours that is most like the others.
    """
    around = np.pad(share, 1, mode="edge")
    h, w = share.shape
    beside = np.stack([around[y : y + h, x : x + w] for y in range(3) for x in range(3) if (y, x) != (1, 1)])
    alike = (np.abs(beside - share) < _ALIKE).sum(0)
    low, high = np.minimum(beside.min(0), share), np.maximum(beside.max(0), share)
    height = (share - low) / np.maximum(high - low, 2 * _ALIKE)
    between = (height > 0.2) & (height < 0.8) & (high - low > 2 * _ALIKE)
    lone = (alike < 2) | ((alike == 2) & between)
    eight = beside[:, lone]
    apart = np.abs(eight[:, None] - eight[None]).sum(0)
    mended = share.copy()
    mended[lone] = np.take_along_axis(eight, apart.argmin(0)[None], 0)[0]
    return mended


def _write_strip(strip: U8, low: float, high: float) -> None:
    words: U32 = np.array([low, high], "<f4").view("<u4")
    bits = (words[:, None] >> np.arange(32, dtype=np.uint32)) & 1
    levels = (*RULER, *(255 * bits.reshape(-1)))
    for level, (top, left) in zip(levels, _cells(strip), strict=True):
        strip[top : top + CELL, left : left + CELL] = level


def _read_strip(strip: U8) -> tuple[list[float], tuple[float, float]]:
    """The levels that the ruler shows now, and the range."""
    half = CELL // 2
    seen = [float(strip[y + half - 1 : y + half + 1, x + half - 1 : x + half + 1].mean()) for y, x in _cells(strip)]
    bits = (np.array(seen[len(RULER) :]) > 127.5).reshape(2, 32)
    words = (bits.astype(np.uint32) << np.arange(32, dtype=np.uint32)).sum(-1, dtype=np.uint32)
    low, high = words.astype("<u4").view("<f4").tolist()
    return seen[: len(RULER)], (low, high)


def _cells(strip: U8) -> list[tuple[int, int]]:
    """Top left corners of the cells, row by row."""
    across = strip.shape[1] // CELL
    return [(at // across * CELL, at % across * CELL) for at in range(_CELLS)]


def _of_size(inverse: F32, size: Size) -> F32:
    """Depth resampled so that no value appears at an outline that is on neither side of it."""
    if inverse.shape == size.shape:
        return inverse
    nearest = _resized(inverse, size, cv2.INTER_NEAREST_EXACT)
    if inverse.shape[1] < size.width:
        smooth = _resized(inverse, size, cv2.INTER_LINEAR)
    else:
        smooth = _resized(inverse, size, cv2.INTER_AREA)
    most = np.maximum(np.abs(smooth), np.abs(nearest))
    return np.where(np.abs(smooth - nearest) > 0.04 * most, nearest, smooth)


def _resized(plane: Plane, size: Size, how: int) -> Plane:
    return cv2.resize(plane, (size.width, size.height), interpolation=how)  # type: ignore[return-value]


def _extended(plane: Plane, height: int, width: int) -> Plane:
    """The plane with its last row and column repeated."""
    below, beside = height - plane.shape[0], width - plane.shape[1]
    return cv2.copyMakeBorder(plane, 0, below, 0, beside, cv2.BORDER_REPLICATE)  # type: ignore[return-value]
