"""The doors of a tour, and where its parts lie.

Parts share no frame, so they are laid side by side; a visitor sees one at a time. A part that no door leads to gets
one, so that all of the tour can be walked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from unflat.types.arrays import F64
from unflat.types.mesh import Mesh
from unflat.types.scene import Node
from unflat.types.splats import Splats
from unflat.types.tour import Doorway, Passage, Pixel, Stop, TourPlan
from unflat.types.views import Similarity

_APART = 10.0
"""Metres between the parts."""
_BEFORE, _CLOSEST = 0.95, 0.5
"""A door stands at this share of the distance of what is seen behind it, but no more than so many metres before it."""
_NEAR_M = 4.0
"""So far away is a door for which nobody named a pixel, metres, at most."""


@dataclass(frozen=True, slots=True)
class Seeing:
    """What a door has to know of the picture that it is seen in.

    Attributes:
        eye: (3,) where it was taken.
        size: Width and height of what its camera sees.
        ray: Direction of a pixel in the world, of length 1.
        spot: What a pixel shows there, or None.
        own: From pixels of the file to those of what the camera sees.
    """

    eye: F64
    size: tuple[float, float]
    ray: Callable[[Pixel], F64]
    spot: Callable[[Pixel], F64 | None]
    own: Callable[[Pixel], Pixel]


def all_passages(plan: TourPlan, stops: Sequence[Stop]) -> tuple[tuple[Passage, ...], tuple[str, ...]]:
    """The doors of a plan, and those that are missing for all parts to be reached.

    Returns:
        The passages, and a note for each that was added.
    """
    part = {stop.picture: stop.part for stop in stops}
    reached = {number: number for number in part.values()}

    def root(number: int) -> int:
        while reached[number] != number:
            number = reached[number]
        return number

    for passage in plan.passages:
        reached[root(part[passage.start])] = root(part[passage.to])
    added: list[Passage] = []
    for before, after in pairwise(stops):
        if root(before.part) != root(after.part):
            reached[root(before.part)] = root(after.part)
            added.append(Passage(before.picture, after.picture))
    notes = tuple(f"nobody said how one comes from {p.start} to {p.to}: a door was added" for p in added)
    return (*plan.passages, *added), notes


def doors_of(
    passages: Sequence[Passage], seeing: Mapping[str, Seeing], titles: Mapping[str, str]
) -> tuple[Doorway, ...]:
    """Both ends of every passage.

    Args:
        passages: Between pictures of ``seeing``.
        seeing: By picture.
        titles: What to call a picture, where the door has no name.
    """
    ends = [(p.start, p.to, p.pixel, p.name) for p in passages] + [(p.to, p.start, p.back, p.name) for p in passages]
    loose = [start for start, _, pixel, _ in ends if pixel is None]
    doors: list[Doorway] = []
    count: dict[str, int] = {}
    for start, to, pixel, name in ends:
        see = seeing[start]
        if pixel is None:
            count[start] = count.get(start, 0) + 1
            place = _somewhere(see, count[start] / (loose.count(start) + 1))
        else:
            place = _where(see, see.own(pixel))
        doors.append(Doorway(name or titles[to], start, to, place))
    return tuple(doors)


def _where(see: Seeing, pixel: Pixel) -> F64:
    """The foot of a door that is seen at a pixel."""
    spot = see.spot(pixel)
    away = _NEAR_M if spot is None else float(np.linalg.norm(spot - see.eye))
    return see.eye + see.ray(pixel) * max(_BEFORE * away, away - _CLOSEST)


def _somewhere(see: Seeing, share: float) -> F64:
    """The foot of a door at a share of the picture's width, a few steps away."""
    width, height = see.size
    pixel = (share * width, 0.6 * height)
    spot, ray = see.spot(pixel), see.ray(pixel)
    away = _NEAR_M if spot is None else min(_NEAR_M, _BEFORE * float(np.linalg.norm(spot - see.eye)))
    at = see.eye + ray * away
    return np.array([at[0], max(at[1], 0.0), at[2]]) if see.eye[1] < 0 else at


def side_by_side(extents: Sequence[tuple[float, float]]) -> list[float]:
    """How far each part is moved along x, so that none overlaps another; the first stays.

    Args:
        extents: Of each part, the least and the greatest x.
    """
    shifts: list[float] = []
    end = 0.0
    for number, (low, high) in enumerate(extents):
        shift = 0.0 if number == 0 else end + _APART - low
        shifts.append(shift)
        end = high + shift
    return shifts


def extent_of(nodes: Sequence[Node], eyes: Sequence[F64]) -> tuple[float, float]:
    """The least and the greatest x of what stands in a part, its sky aside."""
    xs = [np.array([eye[0] for eye in eyes])]
    for node in nodes:
        if node.role == "sky":
            continue
        item = node.item
        points = item.vertices if isinstance(item, Mesh) else item.means if isinstance(item, Splats) else item.xyz
        xs.append(points[:, 0])
    every = np.concatenate(xs)
    return float(every.min()), float(every.max())


def shifted(by: Similarity, x: float) -> Similarity:
    """A motion with so many metres along x behind it."""
    return replace(by, shift=by.shift + np.array([x, 0.0, 0.0]))
