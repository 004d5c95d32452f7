"""What the tracker knows of the place: keyframes, landmarks, and how both are brought into agreement.

A landmark has a depth from the moment it is sown: that of its neighbours or the network's, known badly (``spread``).
What a camera learns of its pose from it is weighed by that: while the camera only turns, a badly known depth tells as
much as a good one, and nothing has to be triangulated before it can be used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.geometry.bundle import Bundle, adjust
from unflat.geometry.seen_by import bearings, pixels_of
from unflat.geometry.triangulate import triangulate_pairs
from unflat.types.arrays import F32, F64, U8, Bool

WINDOW = 8
"""Keyframes that move in the adjustment after each new one."""
_HELD = 12
"""Older keyframes that see the same landmarks and hold them in place."""
_RECENT = 40
"""So many keyframes before them are looked at, too."""
AT_ONCE = 120
"""Keyframes that are brought into agreement at once."""
GUESSED = 0.6
"""How uncertain (standard deviation of its logarithm) a depth taken from neighbours is."""
GUESSED_BY_NETWORK = 0.25
"""The same of one that a network gives, fitted to what is known around."""
_AT_FIRST, _STEADY, _BY_SPREAD = 0.05, 0.003, 0.2
"""Doubt of a map's first keyframe, of each one more, and what is added by landmarks of badly known depth. Fitted, as
``track_stream._HERE``, to walks through the textured room of ``tests/walks``."""
_PIXEL = 1.0
"""How uncertain a followed corner is, pixels, with all that the model leaves out."""
_OFF = 3.0
"""An observation farther off than this after an adjustment is wrong, pixels."""
_CLEAR_ANGLE = np.radians(1.0)
"""Rays that meet at a wider angle give a depth by themselves."""


@dataclass(slots=True, eq=False)
class Keyframe:
    """A frame whose observations are kept.

    Attributes:
        frame: Its number among all frames.
        rotation: (3, 3) camera from world.
        shift: (3,) camera from world.
        track: (k,) int64, rising.
        pixel: (k, 2) float64 at the tracker's size.
        doubt: By what share everything that comes after it may be too large, too small or turned (radians), seen from
            here: one standard deviation.
    """

    frame: int
    rotation: F64
    shift: F64
    track: np.ndarray
    pixel: F64
    doubt: float = 0.0

    @property
    def centre(self) -> F64:
        """Where it stands."""
        return -self.rotation.T @ self.shift

    @property
    def matrix(self) -> F64:
        """(3, 4) camera from world."""
        return np.concatenate([self.rotation, self.shift[:, None]], 1)


class Landmarks:
    """By the number of their track: where they are, and how well that is known. Rows are added as tracks appear.

    Attributes:
        xyz: (n, 3) in the world; NaN where nothing is known.
        spread: (n,) standard deviation of the logarithm of the depth from the anchor.
        anchor: (n,) the keyframe that saw it first; -1 for none.
        prior: (n, 2) the logarithm of the depth given at first, seen from the anchor, and one over its uncertainty.
        color: (n, 3) uint8.
        wrong: (n,) how often it was caught disagreeing.
    """

    def __init__(self) -> None:
        self.xyz = np.full((1024, 3), np.nan)
        self.spread = np.full(1024, np.inf)
        self.anchor = np.full(1024, -1, np.int32)
        self.prior = np.zeros((1024, 2))
        self.color = np.zeros((1024, 3), np.uint8)
        self.wrong = np.zeros(1024, np.int32)

    def reach(self, track: np.ndarray) -> None:
        """Make room for these tracks."""
        while len(track) and int(track.max()) >= len(self.xyz):
            n = len(self.xyz)
            self.xyz = np.concatenate([self.xyz, np.full((n, 3), np.nan)])
            self.spread = np.concatenate([self.spread, np.full(n, np.inf)])
            self.anchor = np.concatenate([self.anchor, np.full(n, -1, np.int32)])
            self.prior = np.concatenate([self.prior, np.zeros((n, 2))])
            self.color = np.concatenate([self.color, np.zeros((n, 3), np.uint8)])
            self.wrong = np.concatenate([self.wrong, np.zeros(n, np.int32)])

    def take(self, other: Landmarks, which: np.ndarray, later: int) -> None:
        """Take these of another map's landmarks over; their keyframes have numbers greater by ``later`` here."""
        self.reach(which)
        for name in ("xyz", "spread", "anchor", "prior", "color", "wrong"):
            getattr(self, name)[which] = getattr(other, name)[which]
        self.anchor[which] += later

    def known(self, track: np.ndarray) -> Bool:
        """Which of these have a place."""
        self.reach(track)
        return np.isfinite(self.xyz[track, 0])


class Map:
    """Keyframes and landmarks of one uninterrupted part."""

    def __init__(self, lens: F64) -> None:
        self.lens = lens
        self.keyframes: list[Keyframe] = []
        self.landmarks = Landmarks()

    def along(self, track: np.ndarray) -> F64:
        """(n, 3) one standard deviation of each landmark along the ray that it was first seen on."""
        marks = self.landmarks
        centres = np.stack([k.centre for k in self.keyframes]) if self.keyframes else np.zeros((1, 3))
        away = marks.xyz[track] - centres[np.maximum(marks.anchor[track], 0)]
        return away * np.minimum(marks.spread[track], 2.0)[:, None]

    def seen_from(self, rotation: F64, shift: F64, track: np.ndarray) -> F64:
        """(n, 2) pixels where a camera would see the landmarks; NaN where unknown or behind."""
        self.landmarks.reach(track)
        return pixels_of(self.landmarks.xyz[track] @ rotation.T + shift, self.lens)

    def add(self, keyframe: Keyframe) -> None:
        """A new keyframe with its observations, in rising order of tracks."""
        order = np.argsort(keyframe.track, kind="stable")
        keyframe.track, keyframe.pixel = keyframe.track[order], keyframe.pixel[order]
        self.landmarks.reach(keyframe.track)
        self.keyframes.append(keyframe)

    def place(self, track: np.ndarray, depth: F64, spread: F64 | float, colors: U8 | None = None) -> None:
        """Give landmarks that the newest keyframe sees first a depth (z) there, known so badly."""
        if not len(track):
            return
        frame, marks = self.keyframes[-1], self.landmarks
        at = bearings(frame.pixel[np.searchsorted(frame.track, track)], self.lens)
        ray = np.concatenate([at, np.ones((len(at), 1))], 1) * depth[:, None]
        marks.xyz[track] = (ray - frame.shift) @ frame.rotation
        marks.spread[track] = spread
        marks.anchor[track] = len(self.keyframes) - 1
        marks.prior[track, 0], marks.prior[track, 1] = np.log(depth), _PIXEL / np.asarray(spread)
        if colors is not None:
            marks.color[track] = colors

    def depth_around(self, pixels: F64) -> F64:
        """(n,) depths of what the newest keyframe sees around these pixels: the median of the five nearest."""
        frame, marks = self.keyframes[-1], self.landmarks
        known = marks.known(frame.track)
        known &= marks.spread[frame.track] < GUESSED
        if not known.any():
            known = marks.known(frame.track)
        z = (marks.xyz[frame.track[known]] @ frame.rotation.T + frame.shift)[:, 2]
        at = frame.pixel[known][z > 0]
        z = z[z > 0]
        if not len(z):
            return np.ones(len(pixels))
        far = ((pixels[:, None] - at[None]) ** 2).sum(-1)
        nearest = np.argsort(far, 1, kind="stable")[:, :5]
        return np.exp(np.median(np.log(z[nearest]), 1))

    def doubted(self, track: np.ndarray) -> float:
        """The doubt of a keyframe that sees these landmarks: small where their depth is known by itself."""
        if not self.keyframes:
            return _AT_FIRST
        self.landmarks.reach(track)
        spread = float(np.median(np.minimum(self.landmarks.spread[track], GUESSED))) if len(track) else GUESSED
        return _STEADY + _BY_SPREAD * max(spread - 0.1, 0.0)

    def drift_at(self, centre: F64) -> float:
        """How far off a camera there may be, one standard deviation, by the doubts on the way to it."""
        centres, doubts = np.stack([k.centre for k in self.keyframes]), np.array([k.doubt for k in self.keyframes])
        return float(np.sqrt((doubts**2 * ((centre - centres) ** 2).sum(1)).sum()))

    def settle_depths(self) -> None:
        """Triangulate what the newest keyframe and its anchor see at an angle, where the depth is only a guess yet."""
        frame, marks = self.keyframes[-1], self.landmarks
        rows = np.flatnonzero((marks.spread[frame.track] > 0.15) & marks.known(frame.track))
        rows = rows[marks.anchor[frame.track[rows]] < len(self.keyframes) - 1]
        if not len(rows):
            return
        track = frame.track[rows]
        anchor = marks.anchor[track]
        first = np.zeros((len(rows), 2))
        there = np.zeros(len(rows), bool)
        for k in np.unique(anchor):
            chosen = np.flatnonzero(anchor == k)
            old = self.keyframes[k]
            place = np.minimum(np.searchsorted(old.track, track[chosen]), len(old.track) - 1)
            there[chosen] = old.track[place] == track[chosen]
            first[chosen] = old.pixel[place]
        track, rows, anchor, first = track[there], rows[there], anchor[there], first[there]
        if not len(rows):
            return
        matrices = np.stack([k.matrix for k in self.keyframes])
        here = frame.pixel[rows]
        a, b = bearings(first, self.lens), bearings(here, self.lens)
        xyz, angle = triangulate_pairs(matrices[anchor], frame.matrix, a, b)
        in_anchor = np.einsum("nij,nj->ni", matrices[anchor][:, :, :3], xyz) + matrices[anchor][:, :, 3]
        off_here = np.linalg.norm(pixels_of(xyz @ frame.rotation.T + frame.shift, self.lens) - here, axis=1)
        off_first = np.linalg.norm(pixels_of(in_anchor, self.lens) - first, axis=1)
        good = (angle > _CLEAR_ANGLE) & (off_here < _OFF) & (off_first < _OFF)
        marks.xyz[track[good]] = xyz[good]

    def settle_all(self, *, rounds: int = 10, lens_prior: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
        """Bring all keyframes into agreement; the first one stays.

        More than ``AT_ONCE`` of them are gone through in stretches of that many that overlap by half, each held by
        what it shares landmarks with, so that neither memory nor time grows faster than the film; the lens is then
        settled by the first stretch alone.
        """
        n = len(self.keyframes)
        if n <= AT_ONCE:
            self._adjust(np.arange(1, n), np.zeros(1, np.int64), rounds, lens_prior)
            return
        for first in range(1, n - AT_ONCE // 2, AT_ONCE // 2):
            free = np.arange(first, min(first + AT_ONCE, n))
            self._adjust(free, self._holding(free), rounds, lens_prior if first == 1 else (0.0, 0.0, 0.0))

    def settle_window(self, rounds: int = 6) -> None:
        """Bring the last keyframes into agreement with each other and with older ones that see the same."""
        n = len(self.keyframes)
        free = np.arange(max(1, n - WINDOW), n)
        self._adjust(free, self._holding(free), rounds, (0.0, 0.0, 0.0))

    def _holding(self, free: np.ndarray) -> np.ndarray:
        """Other keyframes that share most landmarks with these, those before them or that saw one first."""
        seen = np.unique(np.concatenate([self.keyframes[k].track for k in free]))
        anchors = np.unique(self.landmarks.anchor[seen])
        others = np.union1d(anchors[anchors >= 0], np.arange(max(0, free[0] - _RECENT), free[0]))
        others = np.setdiff1d(others, free)
        shared = np.array([np.isin(self.keyframes[k].track, seen, assume_unique=True).sum() for k in others])
        best = np.argsort(-shared, kind="stable")[:_HELD]
        held = np.sort(others[best[shared[best] >= 8]])
        return held if len(held) else np.array([free[0] - 1])

    def _adjust(self, free: np.ndarray, held: np.ndarray, rounds: int, lens_prior: tuple[float, float, float]) -> None:
        chosen = [*held.tolist(), *free.tolist()]
        frames = [self.keyframes[k] for k in chosen]
        sizes = [len(f.track) for f in frames]
        camera = np.repeat(np.arange(len(frames)), sizes)
        row = np.concatenate([np.arange(s) for s in sizes])
        track, pixel = np.concatenate([f.track for f in frames]), np.concatenate([f.pixel for f in frames])
        mine = np.unique(np.concatenate([self.keyframes[k].track for k in free]))
        use = np.isin(track, mine) & self.landmarks.known(track)
        order = np.flatnonzero(use)[np.lexsort((camera[use], track[use]))]
        camera, row, track, pixel = camera[order], row[order], track[order], pixel[order]
        points, point = np.unique(track, return_inverse=True)
        marks = self.landmarks
        at_anchor = np.asarray(chosen)[camera] == marks.anchor[track]
        bundle = Bundle(
            np.stack([f.rotation for f in frames]),
            np.stack([f.shift for f in frames]),
            np.isin(chosen, free),
            marks.xyz[points],
            camera.astype(np.int32),
            point.astype(np.int32),
            pixel,
            self.lens,
            np.where(at_anchor, marks.prior[track, 0], 0.0),
            np.where(at_anchor, marks.prior[track, 1], 0.0),
            lens_prior,
        )
        done = adjust(bundle, rounds=rounds)
        self.lens = done.bundle.lens.copy()
        for i, k in enumerate(chosen):
            self.keyframes[k].rotation, self.keyframes[k].shift = done.bundle.rotation[i], done.bundle.shift[i]
        marks.xyz[points] = done.bundle.xyz
        self._judge(done.bundle, points, done.squares, track)
        wrong = done.squares > _OFF**2
        for i in np.unique(camera[wrong]):
            drop = np.zeros(len(frames[i].track), bool)
            drop[row[wrong & (camera == i)]] = True
            frames[i].track, frames[i].pixel = frames[i].track[~drop], frames[i].pixel[~drop]
        np.add.at(marks.wrong, track[wrong], 1)

    def _judge(self, bundle: Bundle, points: np.ndarray, squares: F64, track: np.ndarray) -> None:
        """How well the depth of each landmark is known: by how far its pixels would move if it moved along its ray."""
        marks = self.landmarks
        moved = self.along(points) / np.minimum(marks.spread[points], 2.0)[:, None]
        xyz = np.einsum("mij,mj->mi", bundle.rotation[bundle.camera], bundle.xyz[bundle.point])
        xyz += bundle.shift[bundle.camera]
        by = np.einsum("mij,mj->mi", bundle.rotation[bundle.camera], moved[bundle.point])
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = bundle.lens[0] * (by[:, :2] - xyz[:, :2] / xyz[:, 2:] * by[:, 2:]) / xyz[:, 2:]
        told = np.where(squares < _OFF**2, (slope**2).sum(1), 0.0) / _PIXEL**2
        told = np.nan_to_num(told, nan=0.0, posinf=0.0) + bundle.depth_weight**2 / _PIXEL**2
        sums = np.bincount(bundle.point, told, len(points))
        marks.spread[points] = 1 / np.sqrt(np.maximum(sums, 0.25))

    def colors_at(self, pixels: U8, at: F32) -> U8:
        """(n, 3) the picture's colours at these pixels."""
        h, w = pixels.shape[:2]
        column = np.clip(at[:, 0].astype(int), 0, w - 1)
        return pixels[np.clip(at[:, 1].astype(int), 0, h - 1), column]
