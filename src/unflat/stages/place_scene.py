"""Cameras and points in any axes -> y down along gravity, the floor at y = 0, metres with an error bar.

Up is what level-held cameras, upright edges of the pictures and the floor say together (geometry/upright). The origin
is on the floor below the first camera, and z points where that camera looks. The size is settled by stages/scale_views;
what is not known is said in a note, never silently assumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from unflat.errors import InputError
from unflat.geometry import upright
from unflat.geometry.measure import weighted_quantile
from unflat.geometry.segments import planes_through, straight_edges
from unflat.stages.marked_length import MarkedLength
from unflat.stages.scale_views import Clues, size_of_place
from unflat.types.arrays import F64, U8
from unflat.types.depth import DepthMap
from unflat.types.views import Reconstruction, Similarity, View

_PICTURES = 12
"""So many pictures, spread over the set, are searched for upright edges."""
_UNSURE = math.radians(5.0)
_LOWEST = 0.02
"""Where there is no floor, the lowest points but this share stand for it."""


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """How a scene of many pictures is stood upright and brought to size."""

    known_length: MarkedLength | None = None
    """Two points and their true distance, [PICTURE:]X1,Y1,X2,Y2=METRES; in two pictures joined by +."""
    marker_mm: float | None = None
    """Side of a printed ArUco or AprilTag marker that stands somewhere in the scene, in millimetres."""
    metric_error: float = 0.05
    """How far a depth map that comes in metres may be off nine times in ten: 0.05 is 5 %."""
    familiar: bool = True
    """Look for faces, standing people, number plates and doors, whose size tells the size of the rest."""

    def __post_init__(self) -> None:
        if self.marker_mm is not None and not 1 <= self.marker_mm <= 10_000:
            raise InputError(f"a marker's side must be between 1 and 10000 mm, not {self.marker_mm:g}")
        if not 0 <= self.metric_error < 10:
            raise InputError(f"the error of a metric depth must be between 0 and 10, not {self.metric_error:g}")


@dataclass(frozen=True, slots=True, eq=False)
class Hints:
    """What is known of a scene beside its pictures.

    Attributes:
        depths: METRIC depth maps by the name of their still (a phone's LiDAR), in the still's own pixels or fewer.
        guess: The network: (h, w, 3) uint8 pixels -> depth; asked only where nothing else tells the size.
        around: The cameras look from around at one thing, rather than about in a place.
    """

    depths: Mapping[str, DepthMap] = field(default_factory=dict)
    guess: Callable[[U8], DepthMap] | None = None
    around: bool = False


def place_scene(
    reconstruction: Reconstruction, hints: Hints, options: PlaceOptions
) -> tuple[Reconstruction, tuple[str, ...]]:
    """Stand a reconstruction upright on its floor, in metres.

    Args:
        reconstruction: Of at least one view, in any axes and unit.
        hints: What is known beside the pictures.
        options: What the user says.

    Returns:
        The same in the new axes, ``level``, with its ``scale``; and the notes that were added to its own.

    Raises:
        InputError: It has no view, or what the user said of its size cannot be found in the pictures.
    """
    if not reconstruction.views:
        raise InputError("no picture found its place, so there is nothing to stand upright", hint=_SHOOT)
    up, error, notes = _up(reconstruction)
    floor, told = _floor(reconstruction, up)
    notes += told
    first = reconstruction.views[0].pose
    foot = first.centre - (first.centre @ up - floor) * up
    turn = _axes(up, first.world_from_camera[:3, :3])
    upright_one = reconstruction.moved(Similarity(1.0, turn, -turn @ foot))
    clues = Clues(options.known_length, options.marker_mm, options.metric_error, options.familiar, hints.depths,
                  hints.guess, hints.around, floor_seen=not told)  # fmt: skip
    factor, scale, told = size_of_place(upright_one, clues)
    notes += told
    if error > _UNSURE:
        notes.append(f"which way is up is only known within {math.degrees(2 * error):.0f} degrees")
    placed = upright_one.moved(Similarity(factor, np.eye(3), np.zeros(3)))
    every = (*reconstruction.notes, *notes)
    return replace(placed, scale=scale, level=True, notes=every), tuple(notes)


_SHOOT = "Take more pictures, each of which shows much of what the one before it shows."


def _up(reconstruction: Reconstruction) -> tuple[F64, float, list[str]]:
    """Up, its standard error in radians, and notes."""
    views = reconstruction.views
    up, information = upright.told_by_cameras(np.stack([v.pose.world_from_camera[:3, :3] for v in views]))
    _, error = upright.up_of(information, up)
    witnesses = ["how the cameras were held"]
    step = max(1, math.ceil(len(views) / _PICTURES))
    normals, lengths = _edges(views[::step])
    lines = upright.told_by_lines(normals, lengths, up, min(3 * error, math.radians(30)))
    if lines is not None:
        information = information + lines
        up, error = upright.up_of(information, up)
        witnesses.append("upright edges")
    floor = upright.floor_below(reconstruction.points.xyz, _eyes(reconstruction), up)
    if floor is not None:
        information = information + upright.told_by_floor(floor)
        up, error = upright.up_of(information, up)
        witnesses.append("the floor")
    note = f"up is told by {_listed(witnesses)}, within {math.degrees(2 * error):.1f} degrees"
    return up, error, [note]


def _edges(views: tuple[View, ...]) -> tuple[F64, F64]:
    """The planes through the eyes and straight edges of their pictures, and how long the edges are."""
    normals, lengths = [np.zeros((0, 3))], [np.zeros(0)]
    for view in views:
        ends = straight_edges(view.still.read())
        normals.append(planes_through(ends, view.lens, view.pose.world_from_camera))
        length = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
        lengths.append(length / max(view.still.size.width, view.still.size.height))
    return np.concatenate(normals), np.concatenate(lengths)


def _floor(reconstruction: Reconstruction, up: F64) -> tuple[float, list[str]]:
    """How high the floor is along ``up``, and a note where it is not seen."""
    xyz, eyes = reconstruction.points.xyz, _eyes(reconstruction)
    floor = upright.floor_below(xyz, eyes, up)
    if floor is not None:
        foot = eyes[0] - (eyes[0] @ floor.up - floor.height) * floor.up
        heights = xyz[np.abs(xyz @ floor.up - floor.height) < max(4 * floor.error, 1e-9)] @ up
        # a floor that slopes is met below the first camera; one that is level is where its points are
        return (float(foot @ up) if floor.up @ up < _LEVEL else float(np.median(heights))), []
    if len(xyz):
        low = weighted_quantile(xyz @ up, _LOWEST)
        return low, ["no floor is seen: the lowest points stand for it"]
    return float(eyes[0] @ up), ["no floor is seen, and no points: the first camera stands on y = 0"]


_LEVEL = math.cos(math.radians(1.5))


def _eyes(reconstruction: Reconstruction) -> F64:
    return np.stack([view.pose.centre for view in reconstruction.views])


def _axes(up: F64, first: F64) -> F64:
    """(3, 3) placed_from_free: y down, z where the first camera looks (its top edge, if it looks straight down)."""
    ahead = first[:, 2] - (first[:, 2] @ up) * up
    if np.linalg.norm(ahead) < 0.2:
        top = -first[:, 1] * (-1 if first[:, 2] @ up > 0 else 1)
        ahead = top - (top @ up) * up
    z = ahead / np.linalg.norm(ahead)
    x = np.cross(-up, z)
    return np.stack([x, -up, z])


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
