"""Corners that are followed from frame to frame: sown where there are few, dropped where they cannot be found again."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from unflat.geometry.apart import first_of_near
from unflat.types.arrays import F32, U8, Bool

WINDOW = 21
"""Side of the patch that is followed, pixels."""
_FINE = 9
"""Side of the patch that is compared with what a corner looked like: small, so that it is of one depth."""
_LEVELS = 3
_RETURN = 1.0
"""A corner followed there and back ends no farther than this from where it was, pixels."""
_DRIFT = 2.0
"""A corner that would have to go farther, pixels, to look as it did is left where it was followed to."""
_APART = 12
"""Corners are sown no nearer to each other than this, pixels of a picture 640 wide."""
_QUALITY = 0.01
_LEAST = 2e-4
"""A corner's smaller eigenvalue (OpenCV's measure of a patch) is at least this, whatever the rest of the picture is."""
_MARGIN = 8
"""Nothing is sown or kept so near to the border."""


@dataclass(slots=True)
class Corners:
    """What is being followed.

    Attributes:
        grey: (h, w) uint8, the last frame.
        at: (n, 2) float32 where the corners are in it; the first pixel's centre is (0.5, 0.5).
        track: (n,) int64 the number of each one's track, never used again.
    """

    grey: U8 | None = None
    at: F32 = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    track: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    _next: int = 0
    _held: U8 | None = None
    _held_at: F32 = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    _held_track: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def hold(self) -> None:
        """From now on corners are compared with what they look like in this frame, so that they do not drift."""
        self._held, self._held_at, self._held_track = self.grey, self.at.copy(), self.track.copy()

    def follow(self, grey: U8, guess: F32 | None = None) -> None:
        """Find the corners in the next frame (Lucas and Kanade in pyramids, there and back); drop those not found.

        Args:
            grey: (h, w) uint8 of the same size as the last one.
            guess: (n, 2) where they may be by now.
        """
        if len(self.at) and self.grey is not None:
            before = np.ascontiguousarray(self.at - 0.5)
            start = before.copy() if guess is None else np.ascontiguousarray(guess - 0.5, np.float32)
            start = np.where(np.isfinite(start), start, before).astype(np.float32)
            there, found = _followed(self.grey, grey, before, start)
            back, returned = _followed(grey, self.grey, there, before.copy())
            h, w = grey.shape
            inside = (there > _MARGIN - 0.5).all(1) & (there[:, 0] < w - _MARGIN) & (there[:, 1] < h - _MARGIN)
            keep = found & returned & inside & (np.linalg.norm(back - before, axis=1) < _RETURN)
            self.at, self.track = there[keep] + np.float32(0.5), self.track[keep]
            self._steady(grey)
            self.keep(first_of_near(self.at, 3.0))
        self.grey = grey

    def _steady(self, grey: U8) -> None:
        """Compare with the frame that is held: small corrections are taken, corners that became others are dropped."""
        if self._held is None:
            return
        _, mine, theirs = np.intersect1d(self.track, self._held_track, assume_unique=True, return_indices=True)
        if not len(mine):
            return
        here = np.ascontiguousarray(self.at[mine] - np.float32(0.5))
        there, found = _followed(self._held, grey, self._held_at[theirs] - np.float32(0.5), here.copy(), fine=True)
        moved = np.linalg.norm(there - here, axis=1)
        good = found & (moved < _DRIFT)
        self.at[mine[good]] = there[good] + np.float32(0.5)

    def keep(self, which: Bool) -> None:
        """Drop all others."""
        self.at, self.track = self.at[which], self.track[which]

    def forget(self) -> None:
        """Drop all, and the frame they were seen in; numbers go on."""
        self.grey = self._held = None
        self.at, self.track = np.zeros((0, 2), np.float32), np.zeros(0, np.int64)

    def sow(self, wanted: int) -> np.ndarray:
        """Add corners where there are few (Shi and Tomasi, 1994), until there are about ``wanted``.

        Returns:
            (k,) the numbers of the new tracks.
        """
        import cv2

        if self.grey is None or len(self.at) >= wanted:
            return np.zeros(0, np.int64)
        h, w = self.grey.shape
        apart = max(4, round(_APART * w / 640))
        free = np.zeros((h, w), np.uint8)
        free[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN] = 255
        for x, y in np.round(self.at - 0.5).astype(int):
            cv2.circle(free, (int(x), int(y)), apart, (0,), -1)
        measure = np.asarray(cv2.cornerMinEigenVal(self.grey, 5), np.float32)
        measure[free == 0] = 0
        found = _strongest(measure, wanted - len(self.at), apart)
        fine = np.ascontiguousarray(found, np.float32).reshape(-1, 1, 2)
        if len(found):
            rule = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 10, 0.03)
            fine = cv2.cornerSubPix(self.grey, fine, (3, 3), (-1, -1), rule)
        at = fine.reshape(-1, 2) + np.float32(0.5)
        new = np.arange(self._next, self._next + len(at))
        self._next += len(at)
        self.at, self.track = np.concatenate([self.at, at]), np.concatenate([self.track, new])
        return new

    def add(self, at: F32, track: np.ndarray) -> None:
        """Go on with tracks that were found again."""
        self.at, self.track = np.concatenate([self.at, at.astype(np.float32)]), np.concatenate([self.track, track])


def _followed(source: U8, target: U8, at: F32, start: F32, *, fine: bool = False) -> tuple[F32, Bool]:
    import cv2

    side = _FINE if fine else WINDOW

    rule = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01)
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        source,
        target,
        at,
        start,
        winSize=(side, side),
        maxLevel=0 if fine else _LEVELS,
        criteria=rule,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        minEigThreshold=1e-4,
    )
    return np.asarray(there, np.float32), np.ravel(found) == 1


def _strongest(measure: F32, wanted: int, apart: int) -> F32:
    """(k, 2) whole pixels of local maxima, strongest first but spread: one for each cell before the second of any."""
    import cv2

    w = measure.shape[1]
    peak = (measure == cv2.dilate(measure, np.ones((3, 3), np.uint8))) & (measure > _LEAST)
    peak &= measure > _QUALITY * float(np.partition(np.ravel(measure), -20)[-20])
    y, x = np.nonzero(peak)
    strength = measure[y, x]
    cell = 2 * apart
    cells = (y // cell) * (w // cell + 1) + x // cell
    order = np.lexsort((-strength, cells))
    cells_sorted = cells[order]
    starts = np.r_[True, cells_sorted[1:] != cells_sorted[:-1]] if len(order) else np.zeros(0, bool)
    rank = np.arange(len(order)) - np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    best = order[np.lexsort((-strength[order], rank))]
    best = best[: 4 * wanted]
    at = np.stack([x[best], y[best]], 1).astype(np.float32)
    return at[first_of_near(at, float(apart))][:wanted]
