"""Incremental structure from motion with OpenCV and our own geometry, where pycolmap is missing.

Two pictures begin (:func:`unflat.geometry.two_views.relative_motion`); then, again and again, the picture that sees
most of what is known finds its place among it, what it sees at an angle becomes points, and everything is brought into
agreement (Snavely, Seitz, Szeliski, "Photo tourism", SIGGRAPH 2006).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unflat.geometry.resection import resect, resect_from_nothing
from unflat.geometry.two_views import TwoViews, relative_motion
from unflat.models.views.growing import Growing
from unflat.models.views.match import FEWEST, Match
from unflat.models.views.placement import Material, Placed, largest_first
from unflat.models.views.sightings import sightings_of

_SEEN, _SHARE = 15, 0.25
"""A picture is placed by so many points that agree, and this share of those that it seems to see."""
_EASE = ((60, 8.0), (30, 4.0), (FEWEST, 1.5))
"""What two pictures need to begin: points that agree, and degrees between the rays in the middle of them."""
_TRIED = 12
_WIDE = 15.0
"""Degrees from which on it is no better to stand farther apart."""
_GROWN = 1.25
"""All is brought into agreement each time that the model has grown so much, …"""
_SMALL = 8
"""… and after every picture while it has no more than these."""
_LAST = 2
"""So often at the end; several lenses, which are measured one by one, take three times as long to settle."""
_LENGTHS = (0.6, 0.85, 1.2, 1.7, 2.4, 3.4, 5.0)
"""Focal lengths, in long sides, tried for a camera of which nothing is known yet."""


def models_of(material: Material, told: Callable[[int], None]) -> list[Placed]:
    """All models that come of the matches, the one of most pictures first.

    Args:
        material: Pictures and matches; the same give the same.
        told: Called with the number of pictures of the model that grows, each time that it changes.

    Returns:
        Models of two or more pictures each.
    """
    seen = sightings_of([len(one.xy) for one in material.taken], material.matches)
    found: list[Placed] = []
    free = set(range(len(material.taken)))
    while len(free) > 1:
        model = _begun(material, Growing(material, seen), free)
        if model is None:
            break
        _grow(material, model, free, told)
        made = model.result()
        free -= set(made.pictures)
        if len(made.pictures) < 2:
            break
        found.append(made)
        if material.largest_only and 2 * len(made.pictures) > len(material.taken):
            break
    return largest_first(found)


def _begun(material: Material, model: Growing, free: set[int]) -> Growing | None:
    """The two pictures that begin: many points, seen from far apart; each round asks for less of both."""
    pairs = [m for m in material.matches if not m.turned and m.first in free and m.second in free]
    pairs = sorted(pairs, key=lambda m: (-len(m.rows), m.first, m.second))
    done: dict[int, tuple[float, TwoViews, Match]] = {}
    for least, apart in _EASE:
        for match in [m for m in pairs if len(m.rows) >= least][: _TRIED if least > FEWEST else 4 * _TRIED]:
            if id(match) not in done:
                motion = _motion(model, match)
                if motion is None:
                    done[id(match)] = (0.0, TwoViews(np.eye(3), np.zeros(3), *_nothing()), match)
                else:
                    angle = float(np.degrees(np.median(motion.angle[motion.kept])))
                    done[id(match)] = (angle, motion, match)
        fit = [(a, t, m) for a, t, m in done.values() if a >= apart and int(t.kept.sum()) >= least]
        if fit:
            angle, motion, match = max(fit, key=lambda f: min(f[0], _WIDE) * float(f[1].kept.sum()))
            model.begin(match.first, match.second, motion)
            return model
    return None


def _nothing() -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    return np.zeros((0, 3)), np.zeros(0), np.zeros(0, bool), False


def _motion(model: Growing, match: Match) -> TwoViews | None:
    first, second = (
        model.bearings_of(number, match.rows[:, side].astype(np.int64))
        for side, number in enumerate((match.first, match.second))
    )
    within = model.tolerance(match.first) / model.focal(match.first)
    return relative_motion(first, second, within)


def _grow(material: Material, model: Growing, free: set[int], told: Callable[[int], None]) -> None:
    """Place picture after picture until none finds its place any more."""
    model.triangulate()
    model.agree(10)
    agreed, patient = 2, True
    told(2)
    while True:
        if _place_next(material, model, free):
            count = len(model.pictures)
            told(count)
            patient = True
            model.triangulate()
            if count <= _SMALL or count >= _GROWN * agreed:
                model.agree(6)
                agreed = count
        elif patient:  # once more after everything has found its place better
            model.agree(12)
            model.triangulate()
            agreed, patient = len(model.pictures), False
        else:
            break
    for _ in range(_LAST if model.lenses == 1 else 3 * _LAST):
        model.agree(25)
        model.triangulate()


def _place_next(material: Material, model: Growing, free: set[int]) -> bool:
    """Place the picture that sees most of what is known; False where none agrees with it."""
    counts = model.known_by_picture()
    order = [int(n) for n in np.argsort(-counts, kind="stable") if counts[n] >= _SEEN and int(n) in free]
    return any(_placed(material, model, number) for number in order if not model.placed[number])


def _placed(material: Material, model: Growing, number: int) -> bool:
    """Find a picture's place among known points; the focal length too, where nothing tells it."""
    xyz, pixels = model.known_of(number)
    one = material.taken[number]
    lens = model.lens(number)
    lenses = [lens]
    if not model.measured(number) and one.lens is None and one.camera not in material.focal:
        for length in _LENGTHS:
            other = lens.copy()
            other[:2] = length * one.size.long_side
            lenses.append(other)
    tries = [(found, lens) for lens in lenses if (found := _resected(xyz, pixels, lens, model.tolerance(number)))]
    if not tries:
        return False
    (rotation, shift, agrees), lens = max(tries, key=lambda t: int(t[0][2].sum()))
    if agrees.sum() < max(_SEEN, _SHARE * len(xyz)):
        return False
    better = resect((rotation, shift), xyz[agrees], pixels[agrees], lens)
    model.add(number, better.rotation, better.shift, lens)
    return True


def _resected(
    xyz: np.ndarray, pixels: np.ndarray, lens: np.ndarray, within: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    return resect_from_nothing(xyz, pixels, lens, within_px=within, rounds=400)
