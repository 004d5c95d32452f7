"""Which features of two pictures are the same place."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import cv2
import numpy as np

from unflat.geometry.bands import side_by_side
from unflat.geometry.best_two import mutual
from unflat.models.views.features import UNIT, Features
from unflat.models.views.match import FEWEST, Match, Rows
from unflat.types.arrays import F32, F64, Bool

RATIO, EASY = 0.8, 0.85
"""Lowe 2004; and for pictures that found no place, of which every match counts."""
_SHARE = 0.3
"""Of easy pairs so many must agree: of ever more by chance, some always do."""
_SURE = 0.9999
_ROUNDS = 5000
_ERROR = 1.0 / 1000
"""Distance from the epipolar line, of the picture's long side; at least a pixel."""
_TURNED = 0.9
"""A camera only turned if one homography explains this part of the matches, …"""
_ROUND = 0.03
"""… and is like a rotation but for the lens: its eigenvalues are so nearly of one length."""


def _unit(features: Features) -> F32:
    return features.words.astype(np.float32) / np.float32(UNIT)


def matches_of(
    features: Sequence[Features],
    pairs: Sequence[tuple[int, int]],
    long_sides: Sequence[int],
    ratio: float = RATIO,
) -> list[Match]:
    """Compare pairs of pictures and keep what one epipolar geometry explains.

    Args:
        features: Of all pictures.
        pairs: Numbers of two pictures each, the smaller first.
        long_sides: Of the pictures, in pixels.
        ratio: How much nearer than the next the nearest feature is.

    Returns:
        The pairs that agree in at least ``FEWEST`` points, in the order of ``pairs``.
    """
    partners: dict[int, list[int]] = {}
    for first, second in pairs:
        partners.setdefault(first, []).append(second)

    def raw() -> Generator[tuple[int, int, Rows]]:
        for first, others in partners.items():
            rows = mutual(_unit(features[first]), [_unit(features[other]) for other in others], ratio)
            yield from ((first, other, r) for other, r in zip(others, rows, strict=True) if len(r) >= FEWEST)

    def check(pair: tuple[int, int, Rows]) -> Match | None:
        first, second, rows = pair
        a, b = features[first].xy[rows[:, 0]], features[second].xy[rows[:, 1]]
        least = max(FEWEST, round(_SHARE * len(rows)) if ratio > RATIO else 0)
        found = _agreeing(a, b, max(1.0, _ERROR * max(long_sides[first], long_sides[second])), least)
        return None if found is None else Match(first, second, rows[found[0]], *found[1:])

    return [match for match in side_by_side(check, raw()) if match is not None]


def _agreeing(a: F32, b: F32, within: float, least: int) -> tuple[Bool, F64, bool] | None:
    """What of pairs one epipolar geometry explains (MAGSAC++, Barath et al., CVPR 2020); None if too little.

    A place with two directions is two features; it counts once, and is no more than one of the points of a guess.

    Args:
        a: (n, 2) pixels in the first picture.
        b: (n, 2) pixels in the second.
        within: Pixels from the epipolar line.
        least: So many must agree.

    Returns:
        (n,) what agrees, the fundamental matrix, and whether the camera only turned.
    """
    both, own = _once(np.concatenate([a, b], axis=1))
    if len(both) < least:
        return None
    fundamental, inside = cv2.findFundamentalMat(both[:, :2], both[:, 2:], cv2.USAC_MAGSAC, within, _SURE, _ROUNDS)
    if fundamental is None or np.shape(fundamental) != (3, 3):
        return None
    kept = np.asarray(inside).ravel().astype(bool)
    if kept.sum() < least:
        return None
    turned = _only_turned(both[kept, :2], both[kept, 2:], within)
    return kept[own], np.asarray(fundamental, np.float64), turned


def _once(rows: F32) -> tuple[F32, np.ndarray]:
    """Rows (k, 4) without those that were there before, in their order, and (n,) which of them each one is."""
    _, first, own = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return rows[first[order]], place[own.ravel()]


def _only_turned(a: F32, b: F32, within: float) -> bool:
    """Whether a rotation of the camera explains all, whatever its lens: H is then like R, of eigenvalues 1, e^±iθ."""
    homography, on_plane = cv2.findHomography(a, b, cv2.USAC_MAGSAC, 1.5 * within)
    if homography is None or on_plane.mean() < _TURNED:
        return False
    lengths = np.abs(np.linalg.eigvals(homography))
    return bool(lengths.max() < (1 + _ROUND) * lengths.min())
