"""A flat picture and its size."""

from __future__ import annotations

from dataclasses import dataclass, field

from unflat.errors import ShapeError
from unflat.types.arrays import U8, settle
from unflat.types.provenance import Source


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """Width and height in pixels, always in this order."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ShapeError(f"a size must be at least 1×1, not {self.width}×{self.height}")

    @property
    def shape(self) -> tuple[int, int]:
        """The same as numpy sees it: (height, width)."""
        return self.height, self.width

    @property
    def pixels(self) -> int:
        """How many pixels there are."""
        return self.width * self.height

    @property
    def long_side(self) -> int:
        """The longer of the two."""
        return max(self.width, self.height)

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height

    def fitted(self, long_side: int) -> Size:
        """The same shape with its long side at most ``long_side``; never enlarged."""
        factor = min(1.0, long_side / self.long_side)
        return Size(max(1, round(self.width * factor)), max(1, round(self.height * factor)))

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


@dataclass(frozen=True, slots=True)
class LensRecord:
    """What the camera wrote about its lens. None means that it did not say."""

    focal_35mm: float | None = None
    """Focal length in mm on a 36×24 mm frame (EXIF 0xA405); relates to the frame's diagonal."""
    focal_mm: float | None = None
    """True focal length in mm."""
    sensor_width_mm: float | None = None
    """Width in mm of the part of the sensor that the picture's long or wide side covers, before rotation."""
    subject_distance_m: float | None = None
    """Distance in metres to what was in focus (EXIF 0x9206)."""
    digital_zoom: float | None = None
    """Crop applied by the camera after the lens; 1 is none."""
    axis_px: tuple[float, float] | None = None
    """Where the optical axis meets the picture, in its pixels, after it was cropped by us; None is the middle."""


@dataclass(frozen=True, slots=True)
class PanoramaRecord:
    """What a file says of its panorama (GPano); None where it does not say.

    Attributes:
        projection: Its word for what the rows are.
        full: Width and height of the whole sphere, in the file's pixels.
        area: Left, top, width and height of the picture within it, in the same pixels.
        pitch_deg: By how much the middle of the panorama was above the horizon.
        roll_deg: By how much the camera leaned to its right.
        view_deg: Heading that a viewer should begin with.
        heading_deg: Heading of the middle of the panorama.
    """

    projection: str
    full: tuple[float, float] | None = None
    area: tuple[float, float, float, float] | None = None
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    view_deg: float | None = None
    heading_deg: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A flat picture: sRGB, upright, with what its file said about itself.

    Attributes:
        pixels: (h, w, 3) uint8, sRGB.
        alpha: (h, w) uint8, 255 is opaque; None where the file had none or all of it is opaque.
        source: Where it came from.
        lens: What the camera said of its lens, already turned with the picture.
        panorama: What the file said of looking around; None if it did not.
        private: What the file tells that no output ever will, in words ("GPS position").
        notes: What reading had to decide ("first of 12 frames"), in words for the user.
        jpeg: The JPEG stream whose decoding ``pixels`` is, without metadata; None after any change.
    """

    pixels: U8
    alpha: U8 | None = None
    source: Source = field(default_factory=Source.array)
    lens: LensRecord = field(default_factory=LensRecord)
    panorama: PanoramaRecord | None = None
    private: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    jpeg: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        settle(self, "pixels", "uint8", (None, None, 3))
        Size(self.pixels.shape[1], self.pixels.shape[0])
        settle(self, "alpha", "uint8", self.size.shape)

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return Size(self.pixels.shape[1], self.pixels.shape[0])

    def __repr__(self) -> str:
        return f"Image({self.size}{' with alpha' if self.alpha is not None else ''}, {self.source.name})"
