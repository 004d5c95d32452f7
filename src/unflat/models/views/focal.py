"""The focal length that the overlaps of a set speak for, before anything is placed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from unflat.models.views.match import Match
from unflat.types.arrays import F64
from unflat.types.image import Size
from unflat.types.views import Still

_GRID = np.geomspace(0.35, 8.0, 80)
"""Focal lengths that are tried, in long sides of the picture."""
_ENOUGH, _MOST = 40, 200
"""Only overlaps of so many points have a say, and none more than one of so many."""
_SPOILT = 0.3
"""From here on a pair is as wrong as can be."""
_ASIDE = 1.6
_CLEAR = 1.25
"""The voice is clear if a focal length this much shorter or longer fits this much worse, …"""
_LOUD = 0.01
"""… and is at least so wrong."""


def voted_focals(matches: Sequence[Match], stills: Sequence[Still]) -> dict[str, float]:
    """What the overlaps say of each camera's focal length.

    Only overlaps of pictures of one camera speak for it; a camera that they say nothing of has what all overlaps of
    pictures of different cameras agree on, if they do.

    Args:
        matches: Overlaps, with their fundamental matrices.
        stills: All pictures.

    Returns:
        By the word for the camera, in long sides of its pictures; nothing for those whose voice is not clear.
    """
    sizes = [still.size for still in stills]
    words = [still.camera for still in stills]
    own: dict[str, list[Match]] = {}
    across: list[Match] = []
    for match in matches:
        first, second = words[match.first], words[match.second]
        (own.setdefault(first, []) if first == second else across).append(match)
    shared = voted_focal(across, sizes) if across else None
    told: dict[str, float] = {}
    for word in dict.fromkeys(words):
        voice = voted_focal(own.get(word, []), sizes) or shared
        if voice is not None:
            told[word] = voice
    return told


def voted_focal(matches: Iterable[Match], sizes: list[Size]) -> float | None:
    """Ask the overlaps of pictures that were taken by lenses alike for their focal length.

    With the true focal length, a fundamental matrix becomes an essential one, whose two singular values are equal
    (Hartley, "Estimation of relative camera positions for uncalibrated cameras", ECCV 1992; the vote over many pairs
    as in Sweeney et al., "Optimizing the viewing graph for structure-from-motion", ICCV 2015).

    Args:
        matches: Overlaps, with their fundamental matrices.
        sizes: Of all pictures.

    Returns:
        In long sides of a picture; None where the voice is not clear (cameras that all look at one point from the
        same distance do not tell, nor do very long lenses).
    """
    total, heard = np.zeros(len(_GRID)), 0.0
    for match in matches:
        if match.turned or len(match.rows) < _ENOUGH:
            continue
        left, right = (_pixel_from_unit(sizes[number]) for number in (match.first, match.second))
        essential = right.transpose(0, 2, 1) @ match.fundamental @ left
        values = np.linalg.svd(essential, compute_uv=False)
        weight = float(min(len(match.rows), _MOST))
        total += weight * np.minimum((values[:, 0] - values[:, 1]) / (values[:, 0] + values[:, 1]), _SPOILT)
        heard += weight
    if not heard:
        return None
    best = int(total.argmin())
    step = round(np.log(_ASIDE) / np.log(_GRID[1] / _GRID[0]))
    if best < step or best >= len(_GRID) - step:
        return None
    if min(total[best - step], total[best + step]) < max(_CLEAR * total[best], _LOUD * heard):
        return None
    return float(_GRID[best])


def _pixel_from_unit(size: Size) -> F64:
    """(g, 3, 3), for every focal length of the grid the matrix of its pinhole camera."""
    matrix = np.zeros((len(_GRID), 3, 3))
    matrix[:, 0, 0] = matrix[:, 1, 1] = _GRID * size.long_side
    matrix[:, 0, 2], matrix[:, 1, 2], matrix[:, 2, 2] = size.width / 2, size.height / 2, 1
    return matrix
