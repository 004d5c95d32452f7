"""Places that were seen before, known again by what their landmarks look like.

A keyframe leaves behind a binary description of each of its landmarks (ORB without its rotation, for cameras are held
level: Rublee and others, ICCV 2011) and a thumbnail. A frame is compared with the landmarks of those keyframes whose
thumbnails are most like its own; three points and sampling tell a pose, and it is believed when many landmarks are
then found where it puts them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.geometry.resection import resect, resect_from_nothing
from unflat.geometry.seen_by import pixels_of
from unflat.stages.track_map import Map
from unflat.types.arrays import F32, F64, U8

_THUMB = (20, 15)
_LIKE = 10
"""Keyframes that a frame is compared with."""
_CORNERS = 600
_PATCH = 31
_ALIKE = 64
"""Bits of 256 in which two descriptions of one landmark may differ."""
_CLEAR = 0.85
"""The best landmark differs in at most this share of the bits of the second best."""
_AGREE = 3.0
"""Pixels (of a picture 640 wide; 2 at least) within which a landmark agrees with a pose."""
ENOUGH = 25
"""Landmarks that have to agree."""


@dataclass(frozen=True, slots=True, eq=False)
class Recognised:
    """A frame among landmarks that were known before.

    Attributes:
        rotation: (3, 3) camera from world.
        shift: (3,) camera from world.
        track: (n,) landmarks that agree.
        at: (n, 2) float32 where the frame shows them.
    """

    rotation: F64
    shift: F64
    track: np.ndarray
    at: F32


class Places:
    """The keyframes of one map by their looks."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._thumbs: list[F32] = []
        self._tracks: list[np.ndarray] = []
        self._looks: list[U8] = []

    def remember(self, number: int, grey: U8, track: np.ndarray, at: F64) -> None:
        """Describe the landmarks of a keyframe: its number in the map, (n,) tracks and (n, 2) pixels."""
        kept, looks = _described(grey, at.astype(np.float32))
        self._numbers.append(number)
        self._thumbs.append(_thumb(grey))
        self._tracks.append(track[kept])
        self._looks.append(looks)

    def extend(self, other: Places, later: int) -> None:
        """Take the keyframes of another map over; their numbers are greater by ``later`` here."""
        self._numbers += [number + later for number in other._numbers]
        self._thumbs += other._thumbs
        self._tracks += other._tracks
        self._looks += other._looks

    def recognise(self, grey: U8, made: Map, before: int | None = None) -> Recognised | None:
        """Where the camera of a frame stands, if the frame shows what keyframes have shown.

        Args:
            grey: (h, w) uint8 of the size of all others.
            made: The map whose keyframes these are.
            before: Only keyframes of smaller numbers are compared; None: all are.
        """
        import cv2

        count = len(self._numbers) if before is None else int(np.searchsorted(self._numbers, before))
        if not count:
            return None
        like = np.stack(self._thumbs[:count]) @ _thumb(grey)
        rows = np.argsort(-like, kind="stable")[:_LIKE]
        track, first = np.unique(np.concatenate([self._tracks[k] for k in rows]), return_index=True)
        looks = np.concatenate([self._looks[k] for k in rows])[first]
        known = made.landmarks.known(track) & (made.landmarks.spread[track] < 0.3)
        track, looks = track[known], looks[known]
        found = cv2.goodFeaturesToTrack(grey, _CORNERS, 0.005, max(4, grey.shape[1] / 80), blockSize=5)
        if len(track) < ENOUGH or found is None:
            return None
        rule = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 10, 0.03)
        fine = cv2.cornerSubPix(grey, np.asarray(found, np.float32), (3, 3), (-1, -1), rule)
        at = np.asarray(fine, np.float32).reshape(-1, 2) + np.float32(0.5)
        kept, mine = _described(grey, at)
        return _placed(at[kept], mine, track, looks, made, max(_AGREE * grey.shape[1] / 640, 2.0))


def _placed(at: F32, mine: U8, track: np.ndarray, looks: U8, made: Map, within: float) -> Recognised | None:
    """The pose that many landmarks agree with."""
    rows, columns = _alike(mine, looks)
    if len(rows) < ENOUGH // 2:
        return None
    xyz = made.landmarks.xyz[track]
    pose = resect_from_nothing(xyz[columns], at[rows].astype(np.float64), made.lens, within_px=2 * within, rounds=300)
    if pose is None or pose[2].sum() < max(ENOUGH // 2, 0.25 * len(rows)):
        return None
    rotation, shift = pose[:2]
    for reach in (6 * within, 3 * within):  # once a pose is known, more are found: where it puts them
        expected = pixels_of(xyz @ rotation.T + shift, made.lens)
        rows, columns = _alike(mine, looks, at, expected, reach)
        if len(rows) < ENOUGH:
            return None
        seen = at[rows].astype(np.float64)
        found = resect((rotation, shift), xyz[columns], seen, made.lens, made.along(track[columns]))
        rotation, shift = found.rotation, found.shift
    good = found.squares < within**2
    if good.sum() < max(ENOUGH, 0.5 * len(rows)) or not _spread_out(seen[good], made.lens):
        return None
    return Recognised(rotation, shift, track[columns[good]], at[rows[good]])


def _spread_out(at: F64, lens: F64) -> bool:
    """Whether pixels fill enough of the picture to hold a camera in place."""
    return bool((at.std(0) > 0.1 * lens[2:4]).all())


def _alike(
    mine: U8, theirs: U8, at: F32 | None = None, expected: F64 | None = None, reach: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (rows of mine, rows of theirs) that are each other's nearest, clearly; within reach, if one is told."""
    bits = _differ(mine, theirs)
    if at is not None and expected is not None:
        away = ((at[:, None] - expected[None]) ** 2).sum(-1)
        bits = np.where(away < reach**2, bits, 256)  # NaN, behind the camera, is not within
    best = bits.argmin(1)
    rows = np.arange(len(mine))
    least = bits[rows, best]
    mutual = bits.argmin(0)[best] == rows
    clear = least <= _CLEAR * np.partition(bits, 1, 1)[:, 1] if bits.shape[1] > 1 else np.ones(len(mine), bool)
    good = mutual & clear & (least < _ALIKE)
    return rows[good], best[good]


def _differ(a: U8, b: U8) -> np.ndarray:
    """(n, m) in how many bits of 256 descriptions differ."""
    rows, columns = (np.ascontiguousarray(x).view(np.uint64) for x in (a, b))
    out = np.zeros((len(a), len(b)), np.int32)
    for k in range(rows.shape[1]):
        out += np.bitwise_count(rows[:, k, None] ^ columns[None, :, k])
    return out


def _described(grey: U8, at: F32) -> tuple[np.ndarray, U8]:
    """Which of the pixels (n, 2) are far enough from the border, and (k, 32) what is around them."""
    import cv2

    points = [cv2.KeyPoint(float(x) - 0.5, float(y) - 0.5, _PATCH, 0, 0, 0, k) for k, (x, y) in enumerate(at)]
    orb = cv2.ORB.create(nfeatures=max(len(points), 1), nlevels=1, edgeThreshold=20, patchSize=_PATCH)
    kept, looks = orb.compute(cv2.GaussianBlur(grey, (0, 0), 1.0), points)
    if looks is None:
        return np.zeros(0, np.int64), np.zeros((0, 32), np.uint8)
    return np.array([point.class_id for point in kept], np.int64), np.asarray(looks, np.uint8)


def _thumb(grey: U8) -> F32:
    """A frame as 300 numbers of mean 0 and length 1: their product with another's is how much they are alike."""
    import cv2

    small = cv2.GaussianBlur(cv2.resize(grey, _THUMB, interpolation=cv2.INTER_AREA), (0, 0), 0.7)
    flat = small.astype(np.float32).ravel() - small.mean()
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-6), np.float32)
