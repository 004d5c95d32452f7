"""Where people are in a picture: faces first, then bodies. Made to miss few, and to say how sure it is of each.

What OpenCV brings is asked in two rounds. Every place and size is looked at coarsely by several finders: faces from
the front (Haar cascades "alt2" and "default"), turned to either side (cascade "profile" and its mirror image), leaning
by 25 degrees either way (alt2 in turned copies). Whatever any of them took for a face, or nearly, is looked at closely:
in small pictures of one size, at several sizes and leanings, by all of them. A true face is seen again and again, a
chance likeness once or twice. Bodies are those of people who stand or walk.

**What it cannot do.** These finders are from the years 2001 to 2005. Of faces from the front that are 64 pixels wide
they miss about one in ten. They miss more of those that are turned by more than 30 degrees or lean by more than 35,
are covered (masks, hands, veils, dark glasses), blurred, lit from one side or from behind, or dark in dim light, which
befalls dark skin more often; most that are smaller than 64 pixels and 1/60 of the long side; and drawn, painted and
carved ones. A head seen from behind or from above is not found, a body only if it is upright, seen down to its knees
and higher than a fifth of the picture's long side. That nobody was found never means that nobody is there; and what is
found may be a lion, or a lamp.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from unflat.geometry.bands import side_by_side
from unflat.models.faces.bodies import bodies as standing
from unflat.models.faces.cascade import folder
from unflat.models.faces.closer import NEEDED, closer
from unflat.models.faces.glances import glances
from unflat.models.faces.merge import Heap, apart, heaped
from unflat.types.arrays import F64, U8
from unflat.types.image import Size
from unflat.types.people import People, PersonPart, Sighting

FINDER = "OpenCV: Haar cascades, gradient histograms"
"""What looked, for records."""
SMALLEST_PX = 64
"""Faces of this width are looked for in pictures of any size; smaller ones where the picture is small."""

_LONG = 1250
"""Pictures whose long sides are no longer are looked at as they are."""
_WINDOW = 20
_CLOSELY = 20
"""No more places than this are looked at closely, the likeliest first."""
LEAST = 0.4
"""Probability from which on something is said to be a face."""
_BODY_FALL = 1.0
"""Score of bodies: 1 - exp(-distance from the hyperplane / this)."""
_BOX = 1.0, 1.15
"""A face's width and height over its window's; the window ends above the chin."""
_DOWN = 0.04
"""So much of the window's height lies the middle of the face below the window's."""


def absent() -> str | None:
    """Why nobody can be found here, in words for the user; None if the finders are there."""
    import cv2

    if all((folder() / f"haarcascade_{name}.xml").is_file() for name in NEEDED) and hasattr(cv2, "HOGDescriptor"):
        return None
    return f"OpenCV {cv2.__version__} brings no finder of faces: nobody looked for people"


def find_people(rgb: U8, *, bodies: bool = True, least: float = LEAST, threads: int | None = None) -> People:
    """Faces and bodies in a picture. Nobody where :func:`absent` gives a reason; the caller has to tell that.

    Args:
        rgb: (h, w, 3) uint8 sRGB, upright.
        bodies: Whether bodies are looked for, too.
        least: Faces that are less probable are left out.
        threads: At most so many; None: as many as there are cores.

    Returns:
        Faces, then bodies, the surest of each first; boxes in pixels of ``rgb``, within it. That of a face is as wide
        as the head and reaches from the brow to the chin.
    """
    full = Size(rgb.shape[1], rgb.shape[0])
    if absent() is not None:
        return People(full)
    grey = _small_grey(rgb)
    back = full.width / grey.shape[1]
    seen, upright = list[F64](), list[Heap]()
    looks: list[Callable[[], None]] = [partial(_keep, look, seen) for look in glances(grey)]
    if bodies:
        looks.insert(1, lambda: upright.extend(standing(grey)))
    for _ in side_by_side(lambda look: look(), looks, threads):
        pass
    windows = np.concatenate(seen)
    windows = windows[np.lexsort(windows.T)]  # whoever was first
    faces = [heap for heap in closer(grey, heaped(windows)[:_CLOSELY], threads) if heap.weight >= least]
    found = [_sighting("face", heap, back, full) for heap in apart(faces)]
    found += [_sighting("body", heap, back, full) for heap in apart(upright)]
    return People(full, tuple(one for one in found if one is not None))


def _keep(look: Callable[[], F64], seen: list[F64]) -> None:
    seen.append(look())


def _small_grey(rgb: U8) -> U8:
    """Grey, and so small that the smallest face is as wide as a window, or the picture as long as need be."""
    import cv2

    long_side = max(rgb.shape[:2])
    shrink = max(1.0, min(long_side / _LONG, SMALLEST_PX / _WINDOW))
    small = rgb
    while shrink >= 2:  # a half is the fastest
        height, width = small.shape[:2]
        small = cv2.resize(small, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA)
        shrink = max(1.0, shrink / 2)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    if shrink > 1:
        size = tuple(max(1, round(side / shrink)) for side in grey.shape[::-1])
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    return grey


def _sighting(part: PersonPart, heap: Heap, back: float, size: Size) -> Sighting | None:
    """A heap as a box in the full picture; None if none of it is in there."""
    wide, high, down = (*_BOX, _DOWN) if part == "face" else (1.0, 1.0, 0.0)
    x, y = heap.x * back, (heap.y + down * heap.height) * back
    wide, high = wide * heap.width * back / 2, high * heap.height * back / 2
    left, right = max(x - wide, 0.0), min(x + wide, float(size.width))
    top, bottom = max(y - high, 0.0), min(y + high, float(size.height))
    if left >= right or top >= bottom:
        return None
    score = heap.weight if part == "face" else 1 - math.exp(-heap.weight / _BODY_FALL)
    return Sighting(part, left, top, right - left, bottom - top, score)
