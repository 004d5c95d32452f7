"""Frames of an old film, each tied to the one before: how it was moved, lit and scratched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.deflicker import light_step
from unflat.geometry.flow import flow, places, returning, sampled
from unflat.geometry.grain import grain_between, noise_of
from unflat.geometry.moments import restored_look, stored_look
from unflat.geometry.scratches import Scratch, bridged, going_along, scratched, scratches
from unflat.geometry.shots import Look, tie, torn
from unflat.geometry.steady import Step
from unflat.geometry.weave import GRID, by_cell, filled
from unflat.types.arrays import F32, U8

_FLOW_SIDE = 320
"""Flow is looked for in pictures of this long side, in pixels."""
_COARSER = 4.0
"""Grain of a picture is at most so much stronger than that of its small one."""
_NOTHING = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """A frame of a film.

    Attributes:
        pixels: (h, w, 3) uint8, scratches bridged once :meth:`mended`; (0, 0, 3) once it is needed no more.
        grey: (h', w') uint8 small, every line bridged: what flow is looked for in.
        look: What tells shots apart.
        first: It does not go on from the frame before.
        there: From the frame before to this one, on that frame's small pixels.
        back: From this frame to the one before, on its own small pixels.
        motion: (*GRID, 2) how far the picture moved since the frame before, in widths; NaN: unknown.
        light: GRID, how much brighter than before it is (logarithm); NaN: unknown.
        noise: Standard deviation of its grain, grey levels: of ``pixels`` and of ``grey``.
        lines: That may be scratches.
    """

    pixels: U8
    grey: U8
    look: Look
    first: bool
    there: Step
    back: Step
    motion: F32
    light: F32
    noise: tuple[float, float]
    lines: tuple[Scratch, ...] = field(default=())

    @staticmethod
    def of(pixels: U8, before: Plate | None) -> Plate:
        """Take a frame in.

        Args:
            pixels: (h, w, 3) uint8.
            before: The frame before, of the same size; None for the first.
        """
        import cv2

        whole = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
        lines = tuple(scratches(whole))
        small = _small(pixels)
        height, width = small.shape[:2]
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
        grey = bridged(grey, scratched(lines, height, width, 1.0))
        spatial = noise_of(whole), noise_of(grey)
        unknown = np.full((*GRID, 3), np.nan, np.float32)
        if before is None:
            still = Step.none(height, width)
            look = Look.of(small, 1.0)
            return Plate(pixels, grey, look, True, still, still, unknown[..., :2], unknown[..., 2], spatial, lines)
        ways = flow(before.grey, grey), flow(grey, before.grey)
        there, back = _step(*ways), _step(*ways[::-1])
        then = sampled(before.grey.astype(np.float32), places(height, width) + back.flow)
        now = grey.astype(np.float32)
        look = Look.of(small, tie(then, now, back.ok))
        if torn(look, before.look):
            return Plate(pixels, grey, look, True, there, back, unknown[..., :2], unknown[..., 2], spatial, lines)
        known = back.ok > 0
        motion, light = by_cell(-back.flow / np.float32(width), known), light_step(then, now, known)
        fine = grain_between(then, now, known)
        coarse = fine * float(np.clip(spatial[0] / max(spatial[1], 0.1), 1, _COARSER))
        return Plate(pixels, grey, look, False, there, back, motion, light, (coarse, fine), lines)

    def alien(self, before: Plate | None, after: Plate | None) -> list[Scratch]:
        """The lines that do not go along with the picture.

        Args:
            before: The frame before; None if there is none, or it is of another shot.
            after: The same of the frame after.
        """
        ways: list[tuple[Plate, F32]] = []
        if before is not None:
            ways.append((before, -filled(self.motion)[..., 0]))
        if after is not None:
            ways.append((after, filled(after.motion)[..., 0]))
        return [line for line in self.lines if not all(going_along(line, other.lines, by) for other, by in ways)]

    def mended(self, before: Plate | None, after: Plate | None) -> Plate:
        """Without its scratches; see :meth:`alien`."""
        alien = self.alien(before, after)
        if not alien:
            return self
        height, width = self.pixels.shape[:2]
        return replace(self, pixels=bridged(self.pixels, scratched(alien, height, width, 1.0)))

    def faded(self) -> Plate:
        """Without its picture."""
        return replace(self, pixels=_NOTHING)


def _step(there: F32, back: F32) -> Step:
    """A way that leads back; whether it shows the same is asked where it is gone, in the light of the frame."""
    return Step(np.dstack([there, returning(there, back)]).astype(np.float32))


def _small(pixels: U8) -> U8:
    """The picture that flow is looked for in."""
    import cv2

    height, width = pixels.shape[:2]
    factor = min(1.0, _FLOW_SIDE / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def stored(plates: Sequence[Plate]) -> dict[str, NDArray[np.generic]]:
    """Plates as plain arrays, to be kept in a file."""
    kept: dict[str, NDArray[np.generic]] = {}
    for k, p in enumerate(plates):
        plain = {name: np.asarray(getattr(p, name)) for name in ("pixels", "grey", "first", "motion", "light", "noise")}
        plain |= {"there": p.there.way, "back": p.back.way}
        plain["lines"] = np.array([[*s.columns, s.wide, s.light] for s in p.lines], np.float64)
        kept |= {f"{k}.{name}": value for name, value in plain.items()} | stored_look(p.look, f"{k}.look")
    return kept


def restored(kept: Mapping[str, NDArray[np.generic]]) -> list[Plate]:
    """The plates that :func:`stored` made arrays of."""
    plates: list[Plate] = []
    while f"{len(plates)}.pixels" in kept:
        k = len(plates)

        def of(name: str, number: int = k) -> NDArray[np.generic]:
            return kept[f"{number}.{name}"]

        there, back = (Step(np.asarray(of(way), np.float32)) for way in ("there", "back"))
        rows: Iterable[NDArray[np.float64]] = np.asarray(of("lines"), np.float64)
        lines = tuple(Scratch(row[:-2].astype(np.float32), float(row[-2]), float(row[-1])) for row in rows)
        coarse, fine = (float(v) for v in np.asarray(of("noise"), np.float64))
        pixels, grey = (np.asarray(of(name), np.uint8) for name in ("pixels", "grey"))
        motion, light = (np.asarray(of(name), np.float32) for name in ("motion", "light"))
        look = restored_look(kept, f"{k}.look")
        plates.append(Plate(pixels, grey, look, bool(of("first")), there, back, motion, light, (coarse, fine), lines))
    return plates
