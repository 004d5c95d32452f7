"""picture + inverse depth + two eyes -> what each of them sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.errors import ShapeError
from unflat.geometry.edge_window import crop_sides, cut_by, float_window, sides_of
from unflat.stages.plan_stereo import StereoOptions
from unflat.types.arrays import F32, U8, Bool
from unflat.types.stereo import Rig, StereoPair

_KEPT = 0.6
"""How much of what was made up a frame ago is kept where it agrees."""
_AGREES = 24.0
"""Colours (sRGB units, the largest channel) that are as far apart as this are different things."""
_WIDER_EVERY, _WIDEST = 400, 3
"""Where depth was estimated its outlines are not sure to the pixel: near things are taken for wider by one pixel for
every so many pixels of the picture's width, and by three at most."""
_GLIDE = 0.1
"""The sides of the window move by this share of their way from frame to frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What the next frame of a shot is told of this one.

    Attributes:
        views: What was made of the picture for the left and for the right eye, before its sides were dealt with.
        made: (h, w) bool of each, what of it was made up.
        sides: How far the left and the right side of the window are out of the screen, in pixels of disparity.
    """

    views: tuple[U8, U8]
    made: tuple[Bool, Bool]
    sides: tuple[float, float]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as plain arrays, for a run that goes on later."""
        views = {"left": self.views[0], "right": self.views[1], "left_made": self.made[0], "right_made": self.made[1]}
        return {**views, "sides": np.array(self.sides, np.float64)}

    @staticmethod
    def of(arrays: Mapping[str, NDArray[Any]]) -> Memory:
        """What :meth:`arrays` gave."""
        left, right = (float(side) for side in arrays["sides"])
        views = np.asarray(arrays["left"], np.uint8), np.asarray(arrays["right"], np.uint8)
        made = np.asarray(arrays["left_made"], np.bool_), np.asarray(arrays["right_made"], np.bool_)
        return Memory(views, made, (left, right))


class Care(NamedTuple):
    """How much care is taken.

    Attributes:
        still: It is one picture: what is made up is continued by a network, for a second or more.
        measured: The depth of every pixel was measured: outlines are where it has them, to the pixel.
        threads: Of the network; 0 takes all cores.
    """

    still: bool = False
    measured: bool = False
    threads: int = 0


class Stereo(NamedTuple):
    """Both views, and what the next frame is told."""

    pair: StereoPair
    memory: Memory


def make_stereo(
    pixels: U8,
    inverse: F32,
    rig: Rig,
    options: StereoOptions | None = None,
    before: Memory | None = None,
    *,
    care: Care | None = None,
) -> Stereo:
    """See a picture with two eyes.

    Each pixel moves along its row and covers what is farther; what nothing shows goes on from what is farther beside
    it. Depth that is smaller than the picture is enlarged with its outlines on those of the picture.

    Args:
        pixels: (h, w, 3) uint8 sRGB.
        inverse: Inverse depth in the unit of the rig, 0 in the sky; (h, w), or smaller and of the same shape.
        rig: The two eyes, for a frame of any width.
        options: Which views, and what is done at the sides; its other fields have gone into the rig.
        before: What the frame before this one of the same shot handed on; what is made up then keeps still.
        care: How much is taken; None: as much as a film's frame bears.

    Raises:
        ShapeError: The memory is of a frame of another size.
    """
    from unflat.geometry.enlarge import enlarged

    options, care = options or StereoOptions(), care or Care()
    h, w = pixels.shape[:2]
    rig = rig.resized(w)
    inverse = enlarged(inverse, pixels)
    if not care.measured:
        inverse = _widened(inverse)
    disparity = inverse * np.float32(rig.gain_px) - np.float32(rig.shift_px)
    sides = sides_of(disparity) if options.edge_window != "none" else (0.0, 0.0)
    if before is not None:
        if before.made[0].shape != (h, w):
            raise ShapeError(f"the frame before was {before.made[0].shape[::-1]}, this one is {(w, h)}")
        sides = tuple(old + _GLIDE * (new - old) for old, new in zip(before.sides, sides, strict=True))
    if options.edge_window == "crop" and max(sides):
        disparity = disparity - np.float32(max(sides))
    views: list[U8] = []
    made: list[Bool] = []
    for number, share in enumerate((rig.left, rig.left - 1)):
        view, made_up = _seen(pixels, disparity, share, care)
        if before is not None:
            view = _kept(view, made_up, before.views[number], before.made[number])
        views.append(view)
        made.append(made_up)
    memory = Memory((views[0], views[1]), (made[0], made[1]), (sides[0], sides[1]))
    return Stereo(_finished(memory, disparity, rig, options), memory)


def _seen(pixels: U8, disparity: F32, share: float, care: Care) -> tuple[U8, Bool]:
    """One view, and what of it is made up."""
    from unflat.geometry.warp import SHOWN, seen_by
    from unflat.geometry.warp_fill import soften_outlines
    from unflat.geometry.warp_rows import RIM, seen_gaps

    rim = 0 if care.measured else RIM
    if not care.still or share == 0:
        return seen_by(pixels, disparity, share, rim)
    from unflat.stages.fill_behind import fill_behind

    seen = seen_gaps(pixels, disparity, share, rim)
    fill_behind(seen, care.threads)
    soften_outlines(seen)
    return seen.view, seen.cover < SHOWN


def _widened(inverse: F32) -> F32:
    """Near things a little wider: a rim of theirs that stays behind is seen twice, one that they take along is not."""
    import cv2

    side = 2 * min(_WIDEST, max(1, round(inverse.shape[1] / _WIDER_EVERY))) + 1
    return np.asarray(cv2.dilate(inverse, np.ones((side, side), np.uint8)), np.float32)


def _kept(view: U8, made: Bool, old: U8, old_made: Bool) -> U8:
    """What is made up moves only part of its way from what it was, where the two agree."""
    at = np.flatnonzero(made & old_made)
    if not len(at):
        return view
    new, was = view.reshape(-1, 3)[at].astype(np.float32), old.reshape(-1, 3)[at].astype(np.float32)
    apart = np.abs(new - was).max(axis=1, keepdims=True)
    kept = np.float32(_KEPT) * np.maximum(1 - apart / np.float32(_AGREES), 0)
    view.reshape(-1, 3)[at] = np.rint(new + kept * (was - new))
    return view


def _finished(memory: Memory, disparity: F32, rig: Rig, options: StereoOptions) -> StereoPair:
    """The pair with its sides dealt with."""
    views, made, shift, zoom = list(memory.views), list(memory.made), rig.shift_px, 1.0
    if options.edge_window == "float":
        views = list(float_window(views[0], views[1], memory.sides))
    elif options.edge_window == "crop" and max(memory.sides):
        strip = max(1, disparity.shape[1] // 50)
        lacking = max(-float(disparity[:, :strip].min()), -float(disparity[:, -strip:].min()), 0.0)
        margin = lacking * max(rig.left, 1 - rig.left)
        shift, zoom = shift + max(memory.sides), rig.width / (rig.width - 2 * cut_by(margin, rig.width))
        views, made = (
            list(x) for x in zip(*(crop_sides(v, m, margin) for v, m in zip(views, made, strict=True)), strict=True)
        )
    if options.swap:
        views.reverse()
        made.reverse()
    out, behind, infinity = (zoom * far / rig.width for far in (float(disparity.max()), -float(disparity.min()), shift))
    infinity = -infinity if options.swap else infinity
    return StereoPair(views[0], views[1], made[0], made[1], max(out, 0.0), max(behind, 0.0), infinity)
