"""How tracking begins: wait until the camera has moved aside, then settle two views and what both see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.geometry.seen_by import bearings
from unflat.geometry.two_views import TwoViews, pure_turn, relative_motion
from unflat.types.arrays import F64

_ASIDE = 0.008
"""Median motion, as a share of the focal length, that a turn does not explain, before two views are tried."""
_LEAST_ANGLE = np.radians(1.5)
"""Median angle between the rays to what both views see."""
_SHARE = 0.6
"""Of the corners that both views see must agree."""
_FEW = 50
"""With fewer shared corners the first view is given up for a later one."""


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """Two views that agree.

    Attributes:
        views: The motion, as :func:`unflat.geometry.two_views.relative_motion` gives it.
        track: (n,) the tracks that both see.
        first: The frame number of the first view.
    """

    views: TwoViews
    track: np.ndarray
    first: int


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    frame: int
    rotation: F64
    track: np.ndarray
    pixel: F64


class Start:
    """Remembers where corners were until one view and the newest make a pair.

    Attributes:
        rotation: (3, 3) how the newest camera is turned, camera from world: all that can be said without parallax.
    """

    def __init__(self, rotation: F64 | None = None) -> None:
        self.rotation = np.eye(3) if rotation is None else rotation
        self._first: _Look | None = None
        self._last: _Look | None = None

    def see(self, frame: int, track: np.ndarray, pixel: F64, lens: F64) -> Begun | None:
        """One frame more: whether tracking can begin with it.

        Args:
            frame: Its number.
            track: (n,) tracks seen in it.
            pixel: (n, 2) where.
            lens: (8,).
        """
        order = np.argsort(track)
        track, pixel = track[order], np.asarray(pixel, np.float64)[order]
        if self._first is None:
            self._first = self._last = _Look(frame, self.rotation, track, pixel)
            return None
        shared, then, now = np.intersect1d(self._first.track, track, return_indices=True)
        if len(shared) < _FEW and self._last is not None:
            self._first = self._last
            shared, then, now = np.intersect1d(self._first.track, track, return_indices=True)
        if len(shared) < 12:
            self._first = self._last = _Look(frame, self.rotation, track, pixel)
            return None
        a, b = bearings(self._first.pixel[then], lens), bearings(pixel[now], lens)
        focal = float(np.sqrt(lens[0] * lens[1]))
        turned, off = pure_turn(a, b, 1.0 / focal)
        self.rotation = turned @ self._first.rotation
        aside = float(np.median(off))
        if aside < 0.5 * _ASIDE:
            self._last = _Look(frame, self.rotation, track, pixel)
        if aside < _ASIDE:
            return None
        views = relative_motion(a, b, 1.5 / focal)
        if views is None or views.kept.sum() < max(_SHARE * len(shared), 40):
            return None
        if float(np.median(views.angle[views.kept])) < _LEAST_ANGLE:
            return None
        return Begun(views, shared, self._first.frame)

    @property
    def first_rotation(self) -> F64:
        """(3, 3) how the first view of the pair is turned."""
        return np.eye(3) if self._first is None else self._first.rotation
