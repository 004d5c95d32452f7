"""A film, frame by frame: never all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from fractions import Fraction

from unflat.errors import ShapeError
from unflat.types.arrays import F32, U8, settle
from unflat.types.image import Size
from unflat.types.provenance import Source


@dataclass(frozen=True, slots=True, eq=False)
class TimedFrame:
    """A picture of a film.

    Attributes:
        pixels: (h, w, 3) uint8, sRGB, upright, square pixels.
        time: When it is shown, in seconds on the film's own clock; exact, as its container counts.
        number: 0 for the first frame of the film, wherever reading began.
    """

    pixels: U8
    time: Fraction
    number: int

    def __post_init__(self) -> None:
        settle(self, "pixels", "uint8", (None, None, 3))
        if self.number < 0:
            raise ShapeError(f"a frame's number is at least 0, not {self.number}")


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """What is known of a film, and a way to its frames that can be gone again and again.

    Attributes:
        size: Of its frames as they are shown: upright, square pixels.
        fps: Frames a second; the mean where they are not evenly spaced.
        read: ``read(start, stop)`` yields the frames shown at ``start`` (seconds) or later and before ``stop`` (None:
            the end), in order of time; every call opens the film anew and closes it when the generator is closed.
        seconds: How long it is; None where its container does not say.
        count: How many frames its container speaks of; None where it does not. What is read decides.
        even: Whether all frames are shown equally long, as far as the container says.
        source: Where it came from.
        notes: What reading has to decide ("HDR (PQ) is toned down to SDR"), in words for the user.
        tick: Of its clock, in seconds: every frame's time is a whole number of ticks after the first one's.
    """

    size: Size
    fps: Fraction
    read: Callable[[Fraction, Fraction | None], Generator[TimedFrame]] = field(repr=False)
    seconds: float | None = None
    count: int | None = None
    even: bool = True
    source: Source = field(default_factory=Source.array)
    notes: tuple[str, ...] = ()
    tick: Fraction = Fraction(1, 90_000)

    def __post_init__(self) -> None:
        if not self.fps > 0:
            raise ShapeError(f"a film has more than {self.fps} frames a second")

    def frames(self, start: Fraction = Fraction(0), stop: Fraction | None = None) -> Generator[TimedFrame]:
        """The frames from ``start`` (seconds) until before ``stop``; None is the end."""
        return self.read(start, stop)

    def __str__(self) -> str:
        length = "" if self.seconds is None else f", {self.seconds:.2f} s"
        return f"Clip({self.size}, {float(self.fps):.5g} fps{length}, {self.source.name})"


@dataclass(frozen=True, slots=True, eq=False)
class DepthFrame:
    """A frame with its depth, made steady over the shot that it belongs to.

    Attributes:
        frame: The picture, untouched.
        inverse: (h, w) float32 inverse depth, up to one factor that is the same all through the shot; 0 in the sky. Its
            size may be smaller than the frame's; its shape is the same.
        shot: 0 for the first shot, and one more after every cut.
        near: Inverse depth of what is nearest in the shot, but for the nearest hundredth of its pixels: the same in all
            frames of a static shot, gliding slowly in others.
        far: The same of what is farthest, sky aside.
        confidence: (h, w) float32 0..1 of ``inverse``'s size, or None.
    """

    frame: TimedFrame
    inverse: F32
    shot: int
    near: float
    far: float
    confidence: F32 | None = None

    def __post_init__(self) -> None:
        settle(self, "inverse", "float32", (None, None))
        settle(self, "confidence", "float32", self.inverse.shape)
        if not 0 <= self.far <= self.near:
            raise ShapeError(f"what is near ({self.near:g}) has a larger inverse depth than what is far ({self.far:g})")
