"""What the pictures of a tour share: things that several of them show, and where those are.

A thing is a point that the user gave, or one that pictures which stand already see: where their rays meet, or as far
away as their depth says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from unflat.errors import InputError
from unflat.geometry.measure import spot_at, weighted_quantile
from unflat.stages.locate_mark import Located, at_depth, located_twice, together
from unflat.stages.place_by_landmarks import Landmark
from unflat.types.arrays import F64
from unflat.types.depth import DepthMap
from unflat.types.tour import Mark, Pixel, Point, TourPlan
from unflat.types.views import Reconstruction, SparsePoints, View

_LEARNED = 0.15
"""Relative standard error of the depth that one picture alone tells."""
_LEAST_LENGTH = 1e-9


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that the user knows in one picture or in several.

    Attributes:
        name: What to call it.
        pixels: Where pictures show it.
        point: Where it is on the plan, if the user said so.
    """

    name: str
    pixels: Mapping[str, Pixel] = field(default_factory=dict)
    point: Point | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A picture whose camera is known.

    Attributes:
        part: Pictures of the same part share a frame.
        view: Its camera there; pixels are those of ``view.still``.
        lift: Where a pixel's surface is, as far as this picture alone tells.
        learned: What it tells of depth is a network's word, and nothing that was measured.
    """

    part: int
    view: View
    lift: Callable[[F64], Located | None]
    learned: bool = True


def things_of(plan: TourPlan) -> tuple[Thing, ...]:
    """What the marks of a plan are marks of; those of one name are one thing."""
    named: dict[str, dict[str, Pixel]] = {}
    things: list[Thing] = []
    for picture, entry in plan.entries.items():
        for number, mark in enumerate(entry.marks):
            if mark.name is not None:
                named.setdefault(mark.name, {})[picture] = mark.pixel
            else:
                label = f"landmark {number + 1} of {picture}"
                things.append(Thing(label, {picture: mark.pixel, **mark.seen}, mark.point))
    return (*things, *(Thing(name, pixels, plan.points.get(name)) for name, pixels in named.items()))


def check_things(plan: TourPlan, sizes: Mapping[str, tuple[float, float]]) -> None:
    """Refuse a plan that speaks of pictures that are not there, or of pixels outside them.

    Args:
        plan: What the user wrote.
        sizes: Width and height of each picture, by its name.

    Raises:
        InputError: It does.
    """
    for picture, entry in plan.entries.items():
        _known(picture, sizes, "the plan")
        for number, mark in enumerate(entry.marks):
            where = f"landmark {number + 1} of {picture}"
            for name, pixel in {picture: mark.pixel, **mark.seen}.items():
                _known(name, sizes, where)
                _inside(pixel, sizes[name], where, name)
    lone = [name for name in plan.points if not any(name == mark.name for mark in _marks(plan))]
    if lone:
        raise InputError(f"no picture shows the point {lone[0]!r}", hint="Mark it: a landmark with its name.")
    for number, passage in enumerate(plan.passages):
        where = f"link {number + 1}"
        for name, pixel in ((passage.start, passage.pixel), (passage.to, passage.back)):
            _known(name, sizes, where)
            if pixel is not None:
                _inside(pixel, sizes[name], where, name)
    if plan.start is not None:
        _known(plan.start, sizes, "'start'")


def _marks(plan: TourPlan) -> list[Mark]:
    return [mark for entry in plan.entries.values() for mark in entry.marks]


def _known(name: str, sizes: Mapping[str, object], where: str) -> None:
    if name not in sizes:
        import difflib

        near = difflib.get_close_matches(name, list(sizes), 1, 0.6)
        hint = f"Do you mean {near[0]}?" if near else f"The pictures are: {', '.join(list(sizes)[:12])}."
        raise InputError(f"{where} speaks of {name[:80]}, which is not among the pictures", hint=hint)


def _inside(pixel: Pixel, size: tuple[float, float], where: str, name: str) -> None:
    if pixel[0] > size[0] or pixel[1] > size[1]:
        raise InputError(
            f"{where} lies at {pixel[0]:g}, {pixel[1]:g}, outside {name}, which is {size[0]:g}×{size[1]:g} pixels",
            hint="Pixels count from the top left corner of the upright picture, at its full size.",
        )


def xyz_of(point: Point) -> F64:
    """A point of the plan (right, ahead, up) in the axes of a level scene (x right, y down, z ahead)."""
    right, ahead, up = point
    return np.array([right, -up, ahead])


def landmarks_in(
    picture: str, part: int, things: Sequence[Thing], standing: Mapping[str, Standing]
) -> tuple[list[Landmark], bool]:
    """The things in a picture of which is known where in a part they are.

    Args:
        picture: The picture that is to be placed.
        part: Points of the plan are those of part 0.
        things: What is known; pixels of ``picture`` are those that its camera shall have.
        standing: The pictures that stand.

    Returns:
        The landmarks, and whether most of them rest on the depth of single pictures alone.
    """
    landmarks: list[Landmark] = []
    learned = 0
    for thing in things:
        if picture not in thing.pixels:
            continue
        pixel = np.array(thing.pixels[picture])
        if thing.point is not None and part == 0:
            landmarks.append(Landmark(pixel, xyz_of(thing.point), thing.name))
            continue
        seen = [(standing[n], np.array(at)) for n, at in thing.pixels.items() if n != picture and n in standing]
        found, alone = _where([one for one in seen if one[0].part == part])
        if found is not None:
            landmarks.append(Landmark(pixel, found.xyz, thing.name))
            learned += alone
    return landmarks, 2 * learned > len(landmarks)


def _where(seen: Sequence[tuple[Standing, F64]]) -> tuple[Located | None, bool]:
    """Where a thing is that pictures of one part show, and whether the depth of one of them alone says so."""
    if not seen:
        return None, False
    views = tuple(one.view for one, _ in seen)
    marks = [(number, at) for number, (_, at) in enumerate(seen)]
    meeting = located_twice(Reconstruction(views, SparsePoints.none()), marks) if len(seen) > 1 else None
    found = together([one.lift(at) for one, at in seen], meeting)
    return found, meeting is None and all(one.learned for one, _ in seen)


def lifter(view: View, depth: DepthMap, factor: float) -> Callable[[F64], Located | None]:
    """Where pixels of a picture are by its own depth.

    Args:
        view: Its camera.
        depth: METRIC or SCALE, with intrinsics, of any size.
        factor: From the unit of the depth to that of the view's pose.
    """

    def lift(at: F64) -> Located | None:
        try:
            spot = spot_at(depth, float(at[0]), float(at[1]), of=view.still.size)
        except InputError:
            return None  # in the sky, or where there is no depth: nothing is known of it
        return at_depth(view, at, 1 / (factor * float(spot.xyz[2])), _LEARNED, plain=True)

    return lift


def depth_factor(depth: DepthMap, view: View, landmarks: Sequence[Landmark]) -> tuple[float, float] | None:
    """By how much a picture's depth is multiplied to agree with its landmarks.

    Args:
        depth: METRIC or SCALE, with intrinsics.
        view: Where the picture stands.
        landmarks: In its pixels.

    Returns:
        The factor, and by which factor half of the landmarks are off after that; None where none can be compared.
    """
    logs: list[float] = []
    m = view.pose.world_from_camera
    for one in landmarks:
        z = float((one.xyz - m[:3, 3]) @ m[:3, 2])
        try:
            spot = spot_at(depth, float(one.pixel[0]), float(one.pixel[1]), of=view.still.size)
        except InputError:
            continue  # a spire against the sky has no depth to compare
        if z > _LEAST_LENGTH:
            logs.append(float(np.log(z / spot.xyz[2])))
    if not logs:
        return None
    middle = float(np.median(logs))
    return float(np.exp(middle)), float(np.exp(weighted_quantile(np.abs(np.array(logs) - middle), 0.5)))
