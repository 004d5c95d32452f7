"""two views + layout -> one picture, or the views in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from unflat.errors import InputError
from unflat.geometry.anaglyph import Anaglyph, anaglyph
from unflat.geometry.half_sphere import FARTHEST_MOVED, LARGEST, HalfSphere, fitting_side
from unflat.geometry.layout import PACKED, packed, packed_size
from unflat.types.arrays import F32, U8
from unflat.types.image import Size
from unflat.types.stereo import Layout, StereoPair

Pack = Callable[[U8, U8], U8]
"""Two views, (h, w, 3) uint8 each, to the picture that holds both."""
LayoutWord = Literal[
    "full-sbs",
    "half-sbs",
    "full-tb",
    "half-tb",
    "cross",
    "anaglyph",
    "wiggle",
    "rgbd",
    "pair",
    "vr180",
    "mpo",
    "spatial",
]


@dataclass(frozen=True, slots=True)
class LayoutOptions:
    """How the two views become a file."""

    layout: LayoutWord | None = None
    """How the two views become one file: full-sbs and half-sbs (side by side), full-tb and half-tb (left above right),
    cross (side by side for crossed eyes), anaglyph (red-cyan glasses), wiggle (in turn), rgbd (picture beside depth),
    pair (two files), vr180 (half a sphere for each eye), mpo (stereo cameras, televisions), spatial (Apple's).
    Default: what the name of -o says, else full-sbs."""
    anaglyph: Anaglyph = "dubois"
    """How colours become those of an anaglyph: dubois (least squares, few ghosts), half-colour, grey or colour."""
    sphere_size: int = 0
    """Side in pixels of the half sphere of each eye (vr180); 0 is as fine as the picture, at most 4096."""
    wiggle_fps: float = 6.0
    """Views a second of a wiggle."""

    def __post_init__(self) -> None:
        for name, kind in (("layout", LayoutWord), ("anaglyph", Anaglyph)):
            value = getattr(self, name)
            if value is not None and value not in get_args(kind):
                raise InputError(f"there is no {name} '{value}'", hint=f"Known: {' '.join(get_args(kind))}.")
        if self.sphere_size and not 64 <= self.sphere_size <= 2 * LARGEST:
            raise InputError(f"--sphere-size {self.sphere_size} is out of range", hint="Give 64 to 8192 pixels, or 0.")
        if not 0.5 <= self.wiggle_fps <= 30:
            raise InputError(f"--wiggle-fps {self.wiggle_fps:g} is out of range", hint="Give 0.5 to 30.")


@dataclass(frozen=True, slots=True)
class Spheres:
    """Two views as half spheres beside each other.

    Attributes:
        sphere: The way of each view into its own.
    """

    sphere: HalfSphere

    def __call__(self, left: U8, right: U8, moved: tuple[float, float] = (0.0, 0.0)) -> U8:
        """Both half spheres.

        Args:
            left: (h, w, 3) uint8.
            right: Of the same size.
            moved: How far right each view lies of what a camera that looks ahead sees, as a share of its width; see
                :func:`moved_apart`.
        """
        return packed(self.sphere(left, moved[0]), self.sphere(right, moved[1]), Layout.VR180)


def moved_apart(pair: StereoPair, left: float) -> tuple[float, float]:
    """How far right each view of a pair for a screen lies of what a camera that looks ahead sees.

    Shifting views onto each other puts the screen before infinity. In half a sphere eyes would have to turn outwards
    for what lies behind it, so there the shift is taken back.

    Args:
        pair: Two views; one that does not say where infinity lies is left as it is.
        left: The share of the disparity that its left view was moved by; of exchanged views, what the right one had.
    """
    infinity = max(-FARTHEST_MOVED, min(pair.infinity_share or 0.0, FARTHEST_MOVED))
    return -left * infinity, (1 - left) * infinity


def lay_out(layout: Layout, size: Size, options: LayoutOptions, fov_x_deg: float | None = None) -> Pack:
    """The way from two views to the picture that holds both, made once for all frames of one camera.

    Args:
        layout: One of two views in one picture, or an anaglyph.
        size: Of each view.
        options: How.
        fov_x_deg: Angle across the width of the views, for half spheres.

    Raises:
        InputError: Half a sphere is asked for and nobody knows the angle.
        ShapeError: The angle is too wide for a flat view, or the layout is no single picture.
    """
    if layout is Layout.ANAGLYPH:
        return lambda left, right: anaglyph(left, right, options.anaglyph)
    if layout is not Layout.VR180:
        packed_size(size, layout)  # says what is no picture of two views
        return lambda left, right: packed(left, right, layout)
    if fov_x_deg is None:
        raise InputError("half a sphere needs the angle of view", hint="Give it with --fov DEGREES.")
    return Spheres(HalfSphere(size, fov_x_deg, options.sphere_size or fitting_side(size.width, fov_x_deg)))


def laid_out_size(layout: Layout, size: Size, options: LayoutOptions, fov_x_deg: float | None = None) -> Size:
    """How large the picture becomes that :func:`lay_out` makes; one view's size where the views come in turn."""
    if layout is Layout.VR180 and fov_x_deg is not None:
        side = options.sphere_size or fitting_side(size.width, fov_x_deg)
        size = Size(side, side)
    return packed_size(size, layout) if layout in PACKED else size


def shown_depth(inverse: F32, near: float, far: float) -> U8:
    """Inverse depth as a grey picture, near is white: the right half of an RGB-D picture.

    Args:
        inverse: (h, w) float32.
        near: What becomes white.
        far: What becomes black, smaller.

    Returns:
        (h, w, 3) uint8.
    """
    span = max(near - far, 1e-12)
    grey = np.rint(np.clip((inverse - np.float32(far)) / np.float32(span), 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
