"""Pictures as they come -> those worth placing: sharp, spread, without twins; what is left out is named.

A film is gone through once. It is cut into windows of equal time that never reach over a cut; of each window the
sharpest frame stays, and of a stretch where nothing moves one frame a second. Photographs all stay but copies, twins
and those much more blurred than the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from unflat.errors import InputError
from unflat.geometry.flow import flow, places, returning, sampled
from unflat.geometry.shots import Look, begins_shot, remembered, tie
from unflat.types.arrays import F32, U8, Bool
from unflat.types.views import Dropped, Offered, Still, Stills

Ordered = Literal["auto", "yes", "no"]
Keep = Callable[[Still, U8, Bool | None], Still]
"""Puts a still's pixels (and its mask) away, and gives back the still that reads them from there."""
_SMALL = 160
"""Long side of the picture that is looked at for motion and twins."""
_SHARP = 960
"""Long side of the picture that is looked at for blur: what is finer is noise."""
_TWIN = 1.5
"""Pictures whose grey values differ by less than this (of 255) show the same."""
_MOVED = 0.004
"""What stays within this share of the picture's long side does not move."""
_BLURRED, _MUCH_BLURRED = 0.3, 0.12
"""A photograph this much less sharp than the middle of its set is blurred, if it is so blurred in itself."""
_LEAST = 64
"""A picture with a shorter side than this, in pixels, tells nothing."""
_FEWEST = 3
"""Blurred ones are not left out if fewer would stay."""
_NEIGHBOURS = 0.6
"""Frames follow upon each other if half of the neighbours look so alike, and far more than others do."""


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """Which pictures are taken."""

    ordered: Ordered = "auto"
    """Whether the pictures were taken one after the other along a path: auto looks at names and pictures."""
    sample_fps: float = 15.0
    """Of a film, at most so many frames a second."""
    most_frames: int = 1500
    """Of a film, at most so many frames in all; more than that, and they are spread evenly."""
    keep_blurred: bool = False
    """Do not leave out blurred photographs; frames of a sequence always stay."""

    def __post_init__(self) -> None:
        if self.ordered not in get_args(Ordered):
            raise InputError(f"--ordered cannot be {self.ordered!r}", hint=f"It takes {' '.join(get_args(Ordered))}.")
        if not 0.1 <= self.sample_fps <= 240:
            raise InputError(f"--sample-fps {self.sample_fps:g} is out of range", hint="Give 0.1 to 240.")
        if not 2 <= self.most_frames <= 100_000:
            raise InputError(f"--most-frames {self.most_frames} is out of range", hint="Give 2 to 100000.")


def sharpness(pixels: U8) -> float:
    """0..1: how much of the finest detail a picture has that its size could hold.

    A picture that is blurred again loses little if it was blurred before (Crété-Roffet et al., "The blur effect",
    SPIE 6492, 2007); this is the share that it loses, over the pixels that have detail at all, so that it hardly
    depends on what is shown.

    Args:
        pixels: (h, w, 3) uint8.
    """
    import cv2

    grey = cv2.cvtColor(_fitted(pixels, _SHARP), cv2.COLOR_RGB2GRAY).astype(np.float32)
    shares: list[float] = []
    for axis, kernel in ((1, (9, 1)), (0, (1, 9))):
        again = cv2.blur(grey, kernel, borderType=cv2.BORDER_REFLECT)
        here = np.abs(np.diff(grey, axis=axis))
        there = np.abs(np.diff(again, axis=axis))
        total = float(here.sum())
        shares.append(0.0 if total < here.size * 0.05 else float(np.maximum(here - there, 0).sum()) / total)
    return min(shares)


def sample_film(
    frames: Iterable[Offered],
    options: SampleOptions,
    keep: Keep,
    *,
    seconds: float | None,
    fps: float,
    moving: float = 0.5,
) -> Stills:
    """Choose among the frames of a film, gone through once.

    Args:
        frames: In order of time.
        options: See :class:`SampleOptions`.
        keep: Puts those that are chosen away.
        seconds: How long the film is; None where nobody knows, and then its frames are not spread over it.
        fps: Frames a second that it has.
        moving: Something moves if this share of the picture does; less where a thing turns before a still backdrop.

    Returns:
        The chosen frames, in order; ``dropped`` says how many were left out, and why.

    Raises:
        InputError: Its frames are too small to tell anything.
    """
    step = 1.0 / min(options.sample_fps, fps)
    if seconds is not None and seconds / step > options.most_frames:
        step = seconds / options.most_frames
    window = _Window(keep, step * 0.999, moving)
    for frame in frames:
        if min(frame.still.size.shape) < _LEAST:
            raise InputError(f"the film is only {frame.still.size} pixels", hint=f"Give one of {_LEAST} or more.")
        window.take(frame)
    window.close()
    return Stills(tuple(window.chosen), True, tuple(window.dropped()))


@dataclass(slots=True)
class _Window:
    """The frames among which one is chosen, and those chosen before."""

    keep: Keep
    seconds: float
    moving: float
    chosen: list[Still] = field(default_factory=list[Still])
    count: int = 0
    shots: int = 1
    idle: int = 0
    _best: tuple[float, Offered, U8] | None = None
    _begun: float = 0.0
    _last: U8 | None = None
    _shown: U8 | None = None
    _looks: list[Look] = field(default_factory=list[Look])

    def take(self, frame: Offered) -> None:
        self.count += 1
        small = _fitted(frame.pixels, _SMALL)
        at = frame.still.seconds or 0.0
        if self._cut(small):
            self.close()
            self.shots += 1
            self._last = None
        if self._best is not None and at - self._begun >= self.seconds:
            self.close()
        if self._best is None:
            self._begun = at
        sharp = _detail(frame.pixels)
        if self._best is None or sharp > self._best[0]:
            self._best = (sharp, frame, small)

    def close(self) -> None:
        """End the window; its best frame stays if something moved since the last, or a second went by."""
        if self._best is None:
            return
        _, frame, small = self._best
        self._best = None
        at = frame.still.seconds or 0.0
        waited = not self.chosen or at - (self.chosen[-1].seconds or 0.0) >= 1.0
        if self._last is not None and not waited and not _moved(self._last, small, self.moving):
            self.idle += 1
            return
        self._last = small
        kept = self.keep(frame.still, frame.pixels, frame.mask)
        self.chosen.append(replace(kept, sharpness=sharpness(frame.pixels)))

    def dropped(self) -> list[Dropped]:
        told: list[Dropped] = []
        others = self.count - len(self.chosen) - self.idle
        if others:
            told.append(Dropped(f"{others} frames", "a sharper one is beside each of them"))
        if self.idle:
            told.append(Dropped(f"{self.idle} frames", "nothing had moved"))
        return told

    def _cut(self, small: U8) -> bool:
        """Whether a shot begins with this frame."""
        import cv2

        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
        share = 1.0
        if self._shown is not None:
            there, back = flow(grey, self._shown), flow(self._shown, grey)
            seen = returning(there, back).astype(np.float32)
            followed = sampled(self._shown.astype(np.float32), places(*grey.shape) + there)
            share = tie(followed, grey.astype(np.float32), seen)
        look = Look.of(small, share)
        begins = bool(self._looks) and begins_shot(self._looks, [look])
        self._shown = grey
        self._looks = [look] if begins else remembered(self._looks, look)
        return begins


def sample_photos(pictures: Iterable[Offered | Dropped], options: SampleOptions, keep: Keep) -> Stills:
    """Choose among photographs: copies, twins and blurred ones are left out, and named.

    Args:
        pictures: In the order of their names; those that could not be read say why.
        options: See :class:`SampleOptions`.
        keep: Puts those that are chosen away.

    Returns:
        The chosen ones. ``ordered`` says whether they are frames that follow each other.

    Raises:
        InputError: None of them can be read.
    """
    chosen: list[Still] = []
    smalls: list[U8] = []
    dropped: list[Dropped] = []
    for picture in pictures:
        if isinstance(picture, Dropped):
            dropped.append(picture)
            continue
        still = picture.still
        if min(still.size.shape) < _LEAST:
            dropped.append(Dropped(still.name, f"it is only {still.size} pixels"))
            continue
        small = _fitted(picture.pixels, _SMALL)
        twin = next((n for n, other in enumerate(smalls) if _same(small, other)), None)
        if twin is not None:
            dropped.append(Dropped(still.name, _twin_of(still, chosen[twin])))
            continue
        smalls.append(small)
        kept = keep(still, picture.pixels, picture.mask)
        chosen.append(replace(kept, sharpness=sharpness(picture.pixels)))
    if not chosen:
        why = f": {dropped[0].name}: {dropped[0].why}" if dropped else ""
        raise InputError(f"no picture could be used{why}", hint="Give a film, or pictures of one place.")
    ordered = options.ordered == "yes" or (options.ordered == "auto" and _follows(chosen, smalls))
    if not options.keep_blurred and not ordered:
        chosen, blurred = _sharp_enough(chosen)
        dropped += blurred
    return Stills(tuple(chosen), ordered, tuple(dropped))


def _twin_of(still: Still, other: Still) -> str:
    """How two pictures that show the same are alike."""
    copied = still.source.sha256 is not None and still.source.sha256 == other.source.sha256
    return f"it {'is a copy of' if copied else 'shows the same as'} {other.name}"


def _sharp_enough(stills: Sequence[Still]) -> tuple[list[Still], list[Dropped]]:
    """Those that are not much more blurred than the others."""
    sharp = np.array([still.sharpness or 0.0 for still in stills])
    middle = float(np.median(sharp))
    bad = (sharp < (1 - _BLURRED) * middle) & (sharp < middle - _MUCH_BLURRED)
    if len(stills) - int(bad.sum()) < max(_FEWEST, len(stills) // 2):
        return list(stills), []
    kept = [still for still, is_bad in zip(stills, bad, strict=True) if not is_bad]
    gone = [Dropped(still.name, "it is blurred") for still, is_bad in zip(stills, bad, strict=True) if is_bad]
    return kept, gone


def _follows(stills: Sequence[Still], smalls: Sequence[U8]) -> bool:
    """Whether pictures are frames of one walk: they have times, and neighbours look alike far more than others."""
    timed = all(still.seconds is not None for still in stills)
    if not timed or len(stills) < 8 or len({still.size for still in stills}) > 1:
        return False
    thumbs = np.stack([_thumb(small) for small in smalls])
    alike = thumbs @ thumbs.T
    beside = np.diagonal(alike, 1)
    far = alike[np.triu_indices(len(alike), max(2, len(alike) // 4))]
    return float(np.median(beside)) > _NEIGHBOURS and float(np.median(beside)) > float(np.median(far)) + 0.1


def _thumb(small: U8) -> F32:
    """A grey thumbnail of mean 0 and length 1, as a row."""
    import cv2

    grey = cv2.resize(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (32, 24), interpolation=cv2.INTER_AREA)
    flat = grey.astype(np.float32).ravel()
    flat -= flat.mean()
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-6), np.float32)


def _same(a: U8, b: U8) -> bool:
    return a.shape == b.shape and float(np.abs(a.astype(np.int16) - b).mean()) < _TWIN


def _moved(before: U8, after: U8, share: float) -> bool:
    import cv2

    greys = [np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8) for small in (before, after)]
    way = np.linalg.norm(flow(greys[0], greys[1]), axis=-1)
    return float(np.quantile(way, 1 - share)) > _MOVED * max(before.shape)


def _detail(pixels: U8) -> float:
    """Mean squared difference of neighbours: tells the sharper one of two frames that show the same."""
    import cv2

    grey = cv2.cvtColor(_fitted(pixels, _SHARP), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float((np.diff(grey, axis=0) ** 2).mean() + (np.diff(grey, axis=1) ** 2).mean())


def _fitted(pixels: U8, longest: int) -> U8:
    import cv2

    height, width = pixels.shape[:2]
    if max(height, width) <= longest:
        return np.ascontiguousarray(pixels)
    factor = longest / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
