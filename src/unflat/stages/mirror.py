"""Is a thing the same on both sides? And what then the pictures of one side say about the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unflat.geometry.lathe import core_of
from unflat.types.arrays import F32, F64
from unflat.types.image import Image
from unflat.types.sight import Sight

SURE = 0.8
"""From here on a thing is taken for symmetric."""
_WORK_SIDE = 192
_ALIKE = 40.0
"""Colours that differ by so much, of 255, are two."""


def symmetry_of(front: Image) -> float:
    """How surely a thing is the same to the left and to the right of the upright plane that its front is seen along.

    The outline's overlap with its mirror image (intersection over union) times how alike the colours are there.

    Args:
        front: With alpha.

    Returns:
        0..1.
    """
    import cv2

    assert front.alpha is not None
    size = front.size.fitted(_WORK_SIDE)
    alpha = np.asarray(cv2.resize(np.asarray(front.alpha), (size.width, size.height), interpolation=cv2.INTER_AREA))
    pixels = cv2.resize(np.asarray(front.pixels), (size.width, size.height), interpolation=cv2.INTER_AREA)
    inside = alpha >= 128
    if not inside.any():
        return 0.0
    axis = core_of(inside).axis
    flip = np.array([[-1.0, 0.0, 2 * axis - 1], [0.0, 1.0, 0.0]])
    calm: F32 = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 2.0), np.float32)
    other = cv2.warpAffine(inside.astype(np.uint8), flip, (size.width, size.height), flags=cv2.INTER_NEAREST) > 0
    mirrored = np.asarray(cv2.warpAffine(calm, flip, (size.width, size.height)), np.float32)
    both, either = inside & other, inside | other
    apart = np.linalg.norm(calm - mirrored, axis=2)[both]
    alike = float(np.exp(-((apart / _ALIKE) ** 2)).mean()) if len(apart) else 0.0
    return float(both.sum() / either.sum()) * alike**0.5


def mirror_across(normal: F64, through: F64) -> F64:
    """(4, 4) the reflection of the world in a plane.

    Args:
        normal: (3,) of length 1.
        through: (3,) a point of the plane.
    """
    turn = np.eye(4)
    turn[:3, :3] -= 2 * np.outer(normal, normal)
    turn[:3, 3] = 2 * float(normal @ through) * normal
    return turn


def with_mirrors(sights: Sequence[Sight], mirrors: Sequence[F64]) -> list[Sight]:
    """The pictures as they are, and each of them as every mirror shows it."""
    return [*sights, *(replace(sight, mirror=mirror) for mirror in mirrors for sight in sights)]
