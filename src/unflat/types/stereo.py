"""Two eyes: where they stand, and what they see."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from unflat.errors import ShapeError
from unflat.types.arrays import U8, Bool, settle
from unflat.types.image import Size
from unflat.types.provenance import Source


class Layout(Enum):
    """How two views become one file. The value is the word used in options and reports."""

    FULL_SBS = "full-sbs"
    """Left and right side by side, each at full size."""
    HALF_SBS = "half-sbs"
    """Side by side, each at half its width."""
    FULL_TB = "full-tb"
    """Left above right, each at full size."""
    HALF_TB = "half-tb"
    """Left above right, each at half its height."""
    CROSS = "cross"
    """Side by side with the right view on the left, for crossed eyes."""
    ANAGLYPH = "anaglyph"
    """One picture for red-cyan glasses."""
    WIGGLE = "wiggle"
    """Both views in turn; needs no glasses."""
    RGBD = "rgbd"
    """The picture beside its depth in grey, near is white."""
    PAIR = "pair"
    """Two files, one for each eye."""
    MPO = "mpo"
    """Multi-picture JPEG (CIPA DC-007): stereo cameras, 3D televisions, the 3DS."""
    VR180 = "vr180"
    """Half a sphere for each eye, side by side, for headsets."""
    SPATIAL = "spatial"
    """Apple's: a stereo pair in a HEIC, MV-HEVC in a film."""


@dataclass(frozen=True, slots=True)
class Rig:
    """Two cameras beside each other, in pixels of the frame they look at.

    What has the inverse depth u is seen ``disparity(u) = gain_px * u - shift_px`` pixels farther right by the left eye
    than by the right one: positive disparity comes out of the screen, negative lies behind it.

    Attributes:
        gain_px: Pixels of disparity between the eyes of an inverse depth of 1.
        shift_px: By how many pixels the views are shifted onto each other: ``shift_px / gain_px`` is the inverse depth
            of what lies in the plane of the screen.
        width: Of the frame that these pixels belong to.
        left: The share of the disparity that the left view is moved by; the right one takes the rest. 0.5 splits it
            evenly, 0 leaves the frame as it is to the left eye.
    """

    gain_px: float
    shift_px: float
    width: int
    left: float = 0.5

    def __post_init__(self) -> None:
        if self.width < 1 or not 0 <= self.left <= 1:
            raise ShapeError(f"a rig cannot have width {self.width} and give {self.left:g} to the left eye")

    def resized(self, width: int) -> Rig:
        """The same two eyes for a frame of another width."""
        factor = width / self.width
        return replace(self, gain_px=self.gain_px * factor, shift_px=self.shift_px * factor, width=width)


@dataclass(frozen=True, slots=True, eq=False)
class StereoPair:
    """What two eyes see.

    Attributes:
        left: (h, w, 3) uint8 sRGB, unless ``profile`` says otherwise.
        right: The same of the right eye, of the same size.
        left_made: (h, w) bool, pixels of the left view that were made up because nothing shows them; None: unknown.
        right_made: The same of the right view.
        out_share: How far what is nearest comes out of the screen: disparity as a share of the width.
        in_share: How far what is farthest lies behind it, likewise, positive.
        infinity_share: How far what is infinitely far would lie behind it, likewise: by so much the views of two
            parallel cameras were shifted onto each other; negative where views were exchanged; None where unknown.
        baseline_m: Between the eyes in (possibly assumed) metres; None where depth has no unit.
        fov_x_deg: Horizontal angle of view of each eye; None where unknown.
        source: Of the picture that they were made of.
        profile: ICC profile that the colours are of: that of a picture which is not sRGB; None is sRGB.
    """

    left: U8
    right: U8
    left_made: Bool | None = None
    right_made: Bool | None = None
    out_share: float = 0.0
    in_share: float = 0.0
    infinity_share: float | None = None
    baseline_m: float | None = None
    fov_x_deg: float | None = None
    source: Source = field(default_factory=Source.array)
    profile: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        settle(self, "left", "uint8", (None, None, 3))
        settle(self, "right", "uint8", self.left.shape)
        settle(self, "left_made", "bool", self.size.shape)
        settle(self, "right_made", "bool", self.size.shape)

    @property
    def size(self) -> Size:
        """Of each view."""
        return Size(self.left.shape[1], self.left.shape[0])
