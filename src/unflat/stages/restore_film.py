"""Frames of an old film -> for each a copy without grain, dirt, scratches, flicker and weave, for the eye.

    frame ─► Plate: small picture, flow, motion and light from the one before, lines
          ─► past and coming plates of the shot ─► where it strays, in place and light ─► followed ─► Restored

Depth is seen on the copy, made steady there, and brought back by :func:`placed`; the picture itself stays as it is
unless it is asked for. Frames are held back by WINDOW; memory does not grow with the film.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError, ShapeError
from unflat.geometry.deflicker import gain_of, lit
from unflat.geometry.grain import Neighbour, cleaned, dirt, ways
from unflat.geometry.plates import Plate, restored, stored
from unflat.geometry.weave import WINDOW, Weave, filled, strayed, weave_of
from unflat.types.arrays import F32, U8, Bool, settle
from unflat.types.clip import DepthFrame, TimedFrame
from unflat.types.image import Size

Classic = Literal["auto", "yes", "no", "restore"]
COPY_SIDE = 512
"""Long side of the copy, in pixels: networks look at about as much."""
_NEAR = 2
"""Frames before and after that a frame is averaged with."""
_GLIDES, _FADES = 2.5, 6.0
"""The smooth course of a camera, and of light, is made of so many frames (a bell's width)."""
_DARK = 0.004
"""Light that differs by less (logarithm) is the same."""


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """What is done to the frames of an old film."""

    classic: Classic = "auto"
    """An old film: "yes" sees its depth on copies without grain, dirt, scratches, flicker and weave, "restore" shows it
    without them, too; "auto" looks for them, and for black and white, in a few places, and is yes if it finds two."""

    def __post_init__(self) -> None:
        if self.classic not in get_args(Classic):
            raise InputError(f"--classic cannot be '{self.classic}'", hint=f"Known: {' '.join(get_args(Classic))}.")

    @property
    def restore(self) -> bool:
        """Whether the film itself is shown restored."""
        return self.classic == "restore"

    @property
    def in_doubt(self) -> bool:
        """Whether the film itself decides."""
        return self.classic == "auto"


@dataclass(frozen=True, slots=True, eq=False)
class RestoreState:
    """All that the stage remembers from one frame to the next; it belongs to the frame that it came with.

    Attributes:
        past: The plates up to that frame, in order, of its shot; the last few have their pictures.
    """

    past: tuple[Plate, ...] = ()

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The state as plain arrays, without loss: ``numpy.savez(file, **state.arrays())``."""
        return stored(self.past)

    @staticmethod
    def of(kept: Mapping[str, NDArray[np.generic]]) -> RestoreState:
        """The state that :meth:`arrays` was asked of."""
        return RestoreState(tuple(restored(kept)))


@dataclass(frozen=True, slots=True, eq=False)
class Restored:
    """A frame, and how the eye is to see it.

    Attributes:
        frame: As it came; restored, if that was asked for.
        copy: (h, w, 3) uint8, what depth is seen on: of the frame's shape, not larger, and steady.
        moved: How the frame lies, seen from the copy.
        state: To go on behind this frame in another run.
    """

    frame: TimedFrame
    copy: U8
    moved: Weave
    state: RestoreState

    def __post_init__(self) -> None:
        settle(self, "copy", "uint8", (None, None, 3))

    @property
    def to_see(self) -> TimedFrame:
        """The copy at the time of its frame."""
        return TimedFrame(self.copy, self.frame.time, self.frame.number)


def restore_film(
    frames: Iterable[TimedFrame],
    options: RestoreOptions = RestoreOptions(),  # noqa: B008  frozen
    state: RestoreState | None = None,
) -> Generator[Restored]:
    """Make clean copies of the frames of an old film.

    Args:
        frames: In order, all of one size.
        options: How.
        state: What came with the frame before the first of these; None at the beginning of a film.

    Yields:
        Each frame once, WINDOW frames later or when the film ends.

    Raises:
        ShapeError: A frame has another size than the one before.
    """
    past: deque[Plate] = deque(() if state is None else state.past, WINDOW)
    coming: deque[tuple[TimedFrame, Plate]] = deque()
    size: tuple[int, ...] | None = None
    for frame in frames:
        if size is not None and frame.pixels.shape != size:
            raise ShapeError(f"frame {frame.number} has another size than the one before")
        size = frame.pixels.shape
        before = coming[-1][1] if coming else past[-1] if past else None
        plate = Plate.of(frame.pixels if options.restore else small_copy(frame.pixels), before)
        if coming:
            _mend(past, coming, plate)
        coming.append((frame, plate))
        if len(coming) > WINDOW:
            yield _settled(past, coming, options)
    if coming:
        _mend(past, coming, None)
    while coming:
        yield _settled(past, coming, options)


def small_copy(pixels: U8) -> U8:
    """A picture, no larger than copies are."""
    import cv2

    height, width = pixels.shape[:2]
    size = Size(width, height).fitted(COPY_SIDE)
    if size.shape == (height, width):
        return pixels
    return np.asarray(cv2.resize(pixels, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)


def _mend(past: Sequence[Plate], coming: deque[tuple[TimedFrame, Plate]], after: Plate | None) -> None:
    """Take the scratches out of the last plate that came, now that both its neighbours are known."""
    frame, plate = coming[-1]
    before = None if plate.first else coming[-2][1] if len(coming) > 1 else past[-1] if past else None
    coming[-1] = frame, plate.mended(before, None if after is None or after.first else after)


def _settled(past: deque[Plate], coming: deque[tuple[TimedFrame, Plate]], options: RestoreOptions) -> Restored:
    """The copy of the first frame that is coming, whose plate thereby becomes the past."""
    frame, here = coming.popleft()
    if here.first:
        past.clear()
    future = list(takewhile(lambda p: not p.first, (plate for _, plate in islice(coming, WINDOW))))
    plates = [*past, here, *future]
    at = len(past)
    steps = plates[1:]
    height, width = here.pixels.shape[:2]
    moved, gain = Weave(), None
    if steps:
        moved = weave_of(strayed([filled(p.motion) for p in steps], at, _GLIDES, straight=True), height / width)
        gain = gain_of(strayed([filled(p.light) for p in steps], at, _FADES, straight=False), height, width)
    noise = tuple(float(v) for v in np.median([p.noise for p in plates], axis=0))
    clean = _averaged(plates, at, (noise[0], noise[1]))
    clean = clean if gain is None else lit(clean, gain)
    whole = _steadied(clean, moved)
    past.append(here)
    if len(past) > _NEAR:
        past[-_NEAR - 1] = past[-_NEAR - 1].faded()
    shown = TimedFrame(whole, frame.time, frame.number) if options.restore else frame
    return Restored(shown, small_copy(whole), Weave() if options.restore else moved, RestoreState(tuple(past)))


def _averaged(plates: Sequence[Plate], at: int, noise: tuple[float, float]) -> F32:
    """A plate's picture without grain and dirt, in its own light and place: (h, w, 3) float32."""
    import cv2

    here = plates[at]
    around = [*_neighbours(plates, at, 1), *_neighbours(plates, at, -1)]
    height, width = here.pixels.shape[:2]
    harm: Bool | None = None
    first = [one for one in around if one.distance == 1]
    if len(first) == 2:
        small = dirt(here.grey, (first[0], first[1]), noise[1])
        if small.any():
            grown = cv2.resize(small.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
            harm = np.asarray(grown, np.float32) > 0.25
    return cleaned(here.pixels, here.grey, around, noise, harm)


def _neighbours(plates: Sequence[Plate], at: int, side: int) -> list[Neighbour]:
    """The frames before (side -1) or after (1) that a frame is averaged with, nearest first."""
    height, width = plates[at].pixels.shape[:2]
    there = plates[at + side :: side] if 0 <= at + side < len(plates) else []
    reached = list(there[:_NEAR])
    steps = [p.there for p in reached] if side > 0 else [plates[at - k].back for k in range(len(reached))]
    found: list[Neighbour] = []
    light = np.float32(0)
    for k, (plate, way) in enumerate(zip(reached, ways(steps), strict=True)):
        step = plate.light if side > 0 else -plates[at - k].light
        light = light + filled(step)
        gain = gain_of(light, height, width) if float(np.abs(light).max()) > _DARK else None
        found.append(Neighbour(plate.pixels, plate.grey, way, k + 1, gain))
    return found


def _steadied(clean: F32, moved: Weave) -> U8:
    """A picture as it would lie without weave."""
    import cv2

    height, width = clean.shape[:2]
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    still = cv2.warpAffine(
        clean, moved.matrix(width, height), (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.clip(np.rint(still), 0, 255).astype(np.uint8)


def placed(depth: DepthFrame, seen: Restored) -> DepthFrame:
    """Depth that was made on copies, brought to the pixels of the frame itself.

    Args:
        depth: Of the copy of ``seen``.
        seen: What the copy is of.
    """
    if depth.frame.number != seen.frame.number:
        raise ShapeError(f"depth of frame {depth.frame.number} cannot be that of frame {seen.frame.number}")
    if seen.moved == Weave():
        return replace(depth, frame=seen.frame)
    height, width = depth.inverse.shape
    way = seen.moved.matrix(width, height)
    ground = (depth.inverse > 0).astype(np.float32)
    share = _moved(ground, way)
    inverse = np.where(share > 0.5, _moved(depth.inverse, way) / np.maximum(share, 0.5), 0).astype(np.float32)
    sure = None if depth.confidence is None else _moved(depth.confidence, way)
    return replace(depth, frame=seen.frame, inverse=inverse, confidence=sure)


def _moved(plane: F32, way: F32) -> F32:
    """A plane of the copy on the frame's pixels."""
    import cv2

    height, width = plane.shape
    moved = cv2.warpAffine(plane, way, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)
