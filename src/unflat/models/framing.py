"""How a picture is laid before a network: the size it looks at, and the numbers it expects there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from unflat.errors import WeightsError
from unflat.types.arrays import F32, U8
from unflat.types.image import Size

Fit = Literal["stretch", "pad", "long", "short", "least", "down"]
"""How the size is found from the nominal one and the picture's:

    stretch  the nominal size itself, whatever the picture's shape
    pad      the nominal size; the picture keeps its shape inside it and the rest is filled with the mean colour
    long     the picture's shape, its long side as the nominal long side
    short    the picture's shape, its short side as the nominal short side
    least    the picture's shape, that side being nominal which has to change least (the rule of MiDaS and its heirs)
    down     the picture's own size, but no side longer than the nominal long side; multiples rounded down
"""
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of the colours 0..1 that most networks are trained with."""
_LONGEST = 8192
_STRETCHED = 4.0
"""How many times the nominal pixels a network is ever shown: attention grows with the square of it."""


@dataclass(frozen=True, slots=True)
class Framing:
    """What a network wants to be shown.

    Attributes:
        size: The nominal size.
        fit: See :data:`Fit`.
        multiple: Both sides are multiples of this.
        mirror: The picture is continued by its mirror image on all sides before it is resized, as ZoeDepth wants it.
        scale: What a byte of the picture is multiplied with; 1/255 gives 0..1.
        mean: Taken off each channel after that, in the network's order of channels.
        std: What each channel is divided by at last.
        bgr: The channels are blue, green, red.
    """

    size: Size
    fit: Fit = "stretch"
    multiple: int = 1
    mirror: bool = False
    scale: float = 1 / 255
    mean: tuple[float, ...] = IMAGENET[0]
    std: tuple[float, ...] = IMAGENET[1]
    bgr: bool = False

    def __post_init__(self) -> None:
        sides = (self.size.width, self.size.height)
        if self.fit not in get_args(Fit):
            raise WeightsError(f"there is no fit '{self.fit!s:.40}'", hint=f"Known: {' '.join(get_args(Fit))}.")
        if not all(8 <= side <= _LONGEST for side in sides) or not 1 <= self.multiple <= 1024:
            raise WeightsError(
                f"a network's picture of {self.size}, multiple {self.multiple}, is out of range",
                hint=f"Sides of 8 to {_LONGEST} pixels, multiples of 1 to 1024.",
            )
        numbers = (self.scale, *self.mean, *self.std)
        if len(self.mean) != 3 or len(self.std) != 3 or not np.isfinite(numbers).all() or 0 in (self.scale, *self.std):
            raise WeightsError(
                "mean and std must be three finite numbers each, std not 0", hint="Mend the model's card."
            )


@dataclass(frozen=True, slots=True)
class Window:
    """Where the picture lies in the network's frame, as shares of its width and height."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0


def framed_size(picture: Size, framing: Framing) -> Size:
    """The size that the network looks at."""
    if framing.fit in ("stretch", "pad"):
        return framing.size
    width, height = float(picture.width), float(picture.height)
    wide, high = framing.size.width / width, framing.size.height / height
    if framing.fit == "long":
        factor = max(framing.size.width, framing.size.height) / max(width, height)
    elif framing.fit == "short":
        factor = min(framing.size.width, framing.size.height) / min(width, height)
    elif framing.fit == "down":
        factor = min(1.0, max(framing.size.width, framing.size.height) / max(width, height))
    else:
        factor = wide if abs(1 - wide) < abs(1 - high) else high
    most = _STRETCHED * framing.size.width * framing.size.height
    factor = min(factor, (most / (width * height)) ** 0.5, _LONGEST / max(width, height))
    whole = np.floor if framing.fit == "down" else np.rint
    sides = [max(1, int(whole(side * factor / framing.multiple))) * framing.multiple for side in (width, height)]
    return Size(*(max(side, _least(framing.multiple)) for side in sides))


def _least(multiple: int) -> int:
    """No network is shown fewer pixels than this on a side."""
    return -(-8 // multiple) * multiple


def lay(rgb: U8, framing: Framing) -> tuple[F32, Window]:
    """Lay a picture before the network.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
        framing: What the network wants.

    Returns:
        (H, W, 3) float32 in the network's numbers and order of channels, and where the picture lies in it.
    """
    placed, window = place(rgb, framing)
    channels = placed[..., ::-1] if framing.bgr else placed
    numbers = channels.astype(np.float32) * np.float32(framing.scale) - np.asarray(framing.mean, np.float32)
    return np.ascontiguousarray(numbers / np.asarray(framing.std, np.float32)), window


def place(rgb: U8, framing: Framing) -> tuple[U8, Window]:
    """The picture at the size the network looks at, still in bytes of sRGB, and where it lies there."""
    window = Window()
    if framing.mirror:
        rgb, window = _mirrored(rgb)
    picture = Size(rgb.shape[1], rgb.shape[0])
    if framing.fit == "pad":
        return _padded(rgb, picture, framing)
    return _resized(rgb, framed_size(picture, framing)), window


def _resized(rgb: U8, size: Size) -> U8:
    import cv2

    shrinks = size.width * size.height < rgb.shape[0] * rgb.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (size.width, size.height), interpolation=how), np.uint8)


def _mirrored(rgb: U8) -> tuple[U8, Window]:
    """Three times the root of half a side is added at either end of it."""
    import cv2

    height, width = rgb.shape[:2]
    down, across = (min(int((side / 2) ** 0.5 * 3), side - 1) for side in (height, width))
    wide = cv2.copyMakeBorder(rgb, down, down, across, across, cv2.BORDER_REFLECT_101)
    x, y = across / (width + 2 * across), down / (height + 2 * down)
    return np.asarray(wide, np.uint8), Window(x, y, 1 - x, 1 - y)


def _padded(rgb: U8, picture: Size, framing: Framing) -> tuple[U8, Window]:
    """The whole picture in the middle of the nominal size, the rest of the mean colour."""
    frame = framing.size
    factor = min(frame.width / picture.width, frame.height / picture.height)
    inner = Size(*(max(1, round(side * factor)) for side in (picture.width, picture.height)))
    left, top = (frame.width - inner.width) // 2, (frame.height - inner.height) // 2
    mean = framing.mean[::-1] if framing.bgr else framing.mean
    colour = np.clip(np.rint(np.asarray(mean) / framing.scale), 0, 255).astype(np.uint8)
    canvas: U8 = np.empty((frame.height, frame.width, 3), np.uint8)
    canvas[:] = colour
    canvas[top : top + inner.height, left : left + inner.width] = _resized(rgb, inner)
    x, y = left / frame.width, top / frame.height
    return canvas, Window(x, y, x + inner.width / frame.width, y + inner.height / frame.height)


def cut(plane: F32, window: Window) -> F32:
    """The part of the network's answer that shows the picture; the answer may be of any size.

    Args:
        plane: (h, w) float32 over the whole frame of the network.
        window: Where the picture lies in it.
    """
    import cv2

    if window == Window():
        return plane
    height, width = plane.shape
    wide, high = window.right - window.left, window.bottom - window.top
    size = Size(max(8, round(wide * width)), max(8, round(high * height)))
    x = (window.left + (np.arange(size.width) + 0.5) / size.width * wide) * width - 0.5
    y = (window.top + (np.arange(size.height) + 0.5) / size.height * high) * height - 0.5
    across: NDArray[Any] = np.broadcast_to(x.astype(np.float32), size.shape).copy()
    down: NDArray[Any] = np.broadcast_to(y.astype(np.float32)[:, None], size.shape).copy()
    taken = cv2.remap(plane, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(taken, np.float32)
