"""A drawing, taken apart -> solids: what holds others becomes a bowl that is cut open, what holds nothing is round.

             eye
              │          z = 0, the plane of the paper
╶──┐╲─────────┼────────╱┌──╴
   └╮ ( a )   ▼  (  b )╭┘       a bowl for the region that holds a and b: its far half, with a wall;
     ╰╮               ╭╯        a and b lie in it, apart from each other as their outlines are
       ╰─────────────╯
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unflat.errors import InputError
from unflat.geometry.bits import packed
from unflat.geometry.closed_surface import Closed, without_crumbs
from unflat.geometry.cushions import Footprint, bowl, cushion, footprint_of
from unflat.geometry.marching import Limits, surface_of
from unflat.geometry.pillow import pillow_squares
from unflat.geometry.silhouette import ball_squares
from unflat.geometry.simplify_solid import fewer
from unflat.types.arrays import F32, Bool
from unflat.types.diagram import Diagram, Region

_APART = 0.0016
"""Outlines that touch are moved back by this share of the drawing's long side each."""
_WALL, _WHOLE = 0.07, 0.8
"""A wall is at most this share of its region's inner radius thick, or this share of the room that is drawn for it
where what it holds fills it."""
_FILLED = 0.55
"""What it holds fills a region if it takes this share of it."""
_CELLS, _FINEST = 180, 0.25
_ABOVE = 0.3
"""The middle of what lies in a bowl is at most this share of half its thickness above the rim."""
_LEAST = 0.3
"""What a wall would leave less of than this share of its width keeps it, and may go into the wall."""
_CRUMB = 0.01
"""Loose pieces of a solid that are smaller than this share of its largest are left out."""
_THIN_WALL = 3.0
"""A wall is at least so many cells thick."""
_STURDY = 0.0022
"""Half the width of a line is at least this share of the drawing's long side."""
_LEAST_PX = 2.5
"""And of anything: what is thinner has no inside."""
_ACROSS: dict[str, float] = {"line": 4.0, "round": 13.0, "bowl": 60.0}
"""Cells that the radius of the widest place of a solid takes, if they are not too many."""


@dataclass(frozen=True, slots=True)
class SolidOptions:
    """How a diagram becomes solids (with --style diagram)."""

    bowl_depth: float = 0.6
    """How deep regions of a diagram are that hold others and are cut open: 1 is half a ball for a disc."""
    roundness: float = 1.0
    """How thick regions of a diagram are that hold nothing: 1 makes a ball of a disc, 0.3 a flat cushion."""
    solid_error: float = 0.0002
    """Triangles of a diagram's solids are left out as long as no place moves more than this share of its long side."""

    def __post_init__(self) -> None:
        if not 0.1 <= self.bowl_depth <= 2:
            raise InputError(f"--bowl-depth {self.bowl_depth:g} is out of range", hint="Give 0.1 to 2.")
        if not 0.1 <= self.roundness <= 2:
            raise InputError(f"--roundness {self.roundness:g} is out of range", hint="Give 0.1 to 2.")
        if not 0 <= self.solid_error <= 0.01:
            raise InputError(f"--solid-error {self.solid_error:g} is out of range", hint="Give 0 to 0.01.")


class Solid(NamedTuple):
    """One region in space.

    Attributes:
        region: Which.
        closed: Its surface; x and y in pixels of the diagram's map, z in the same unit, away from the eye.
        hollow: It is a bowl.
    """

    region: Region
    closed: Closed
    hollow: bool


class _Room(NamedTuple):
    """Where the children of a bowl lie.

    Attributes:
        plan: The outline of the bowl on its grid.
        wall: Its thickness in pixels.
        floor: (h, w) z of its inner side in pixels, above the rim where it has none.
        rim: z of its rim in pixels.
    """

    plan: Footprint
    wall: float
    floor: F32
    rim: float


def inflate_diagram(diagram: Diagram, options: SolidOptions) -> tuple[Solid, ...]:
    """Make a solid of every region.

    Args:
        diagram: What was drawn.
        options: How deep and how round.

    Returns:
        In the order of the diagram's regions; none touches another.
    """
    rooms: dict[int | None, _Room] = {}
    return tuple(_solid(diagram, region, options, rooms) for region in diagram.regions)


def lighter(solids: Sequence[Solid], diagram: Diagram, options: SolidOptions) -> tuple[Solid, ...]:
    """The same with fewer triangles, closed as they were.

    Args:
        solids: Of :func:`inflate_diagram`.
        diagram: That they were made of.
        options: How far they may move.

    Raises:
        MissingExtraError: manifold3d is not installed.
    """
    error = options.solid_error * max(diagram.numbers.shape)
    return tuple(solid._replace(closed=fewer(solid.closed, error, None).closed) for solid in solids)


def _solid(diagram: Diagram, region: Region, options: SolidOptions, rooms: dict[int | None, _Room]) -> Solid:
    """One solid, in the room of the region that it lies in; a bowl adds its own room."""
    apart = _APART * max(diagram.numbers.shape)
    room = rooms.get(region.parent)
    mask = diagram.inside(region.number)
    if region.line:
        mask = _thickened(mask, _STURDY * max(mask.shape))
    children = diagram.children(region.number)
    kind = "line" if region.line else "bowl" if children else "round"
    plan = footprint_of(mask, _CELLS, _FINEST, _ACROSS[kind])
    if not float(plan.depth.max()) > 0:  # a region as thin as a line
        mask = _thickened(mask, max(_STURDY * max(mask.shape), _LEAST_PX))
        plan = footprint_of(mask, _CELLS, _FINEST, _ACROSS[kind])
    depth = _held(plan, room, 0.0 if region.line else apart)
    if kind != "bowl":
        squares = ball_squares(depth) if region.line else _as_thick_as_wide(pillow_squares(depth), depth)
        flat, low = _resting(plan, squares, (options.roundness, options.bowl_depth), room, apart)
        field, first = cushion(squares, flat)
        return Solid(region, _placed(field, first, plan, low), hollow=False)
    wall = _wall_of(diagram, region, plan, depth)
    outer, inner = pillow_squares(depth), pillow_squares(depth - np.float32(wall))
    flat, low = _resting(plan, outer, (options.bowl_depth, options.bowl_depth), room, apart)
    field, first = bowl(outer, inner, flat, wall)
    floor = low + flat * plan.cell * np.sign(inner) * np.sqrt(np.abs(inner))
    rooms[region.number] = _Room(plan._replace(depth=depth), wall * plan.cell, floor.astype(np.float32), low)
    return Solid(region, _placed(field, first, plan, low), hollow=True)


def _thickened(mask: Bool, half: float) -> Bool:
    """A line that is at least twice ``half`` wide, in pixels: what is thinner cannot be printed."""
    import cv2

    within = np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5))
    more = round(half - float(np.quantile(within[mask], 0.9)))
    if more < 1:
        return mask
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * more + 1, 2 * more + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc)) > 0


def _as_thick_as_wide(squares: F32, depth: F32) -> F32:
    """A pillow that is no thicker than the widest place of its outline."""
    return squares * np.float32(min(1.0, (float(depth.max()) + 0.75) ** 2 / max(float(squares.max()), 1e-6)))


def _held(plan: Footprint, room: _Room | None, apart: float) -> F32:
    """(h, w) cells to the outline of a region, moved back from its neighbours and from the wall around it."""
    depth = plan.depth - np.float32(min(apart / plan.cell, 0.3 * float(plan.depth.max())))
    if room is None:
        return depth
    x, y = plan.centres()
    around = room.plan.at(room.plan.depth, x, y) * np.float32(room.plan.cell) - np.float32(room.wall + apart)
    held = np.minimum(depth, around / np.float32(plan.cell)).astype(np.float32)
    return held if float(held.max()) > _LEAST * float(depth.max()) else depth


def _wall_of(diagram: Diagram, region: Region, plan: Footprint, depth: F32) -> float:
    """How thick the wall of a bowl is, in cells: no thicker than leaves its children where they are, if that can be."""
    inside = np.zeros(diagram.numbers.shape, bool)
    for child in diagram.children(region.number):
        inside |= diagram.inside(child.number)
    x, y = plan.centres()
    h, w = diagram.numbers.shape
    columns, rows = np.clip(x.astype(np.int64), 0, w - 1), np.clip(y.astype(np.int64), 0, h - 1)
    held = inside[rows, columns] & (depth > 0)
    radius = float(depth.max())
    if not held.any():
        return max(_THIN_WALL, _WALL * radius)
    gap = float(np.quantile(depth[held], 0.002))
    thickest = np.inf if held.sum() > _FILLED * (depth > 0).sum() else _WALL * radius
    return float(np.clip(_WHOLE * gap, min(_THIN_WALL, 0.3 * radius), max(thickest, _THIN_WALL)))


def _resting(
    plan: Footprint, squares: F32, flats: tuple[float, float], room: _Room | None, apart: float
) -> tuple[float, float]:
    """How thick a solid is for a round one, and the z of its middle plane in pixels: it rests in the bowl around it.

    What is as deep for its outline as the bowl it lies in has its middle below the rim; what would be deeper is made
    no deeper than leaves its middle near the rim.

    Args:
        plan: Its grid.
        squares: (h, w) of half its thickness, in cells.
        flats: The thickness that is wanted, and that of the bowl around it.
        room: The bowl; None: the solid lies in the plane of the paper.
        apart: Pixels between it and the bowl.
    """
    inside = squares > 0
    if room is None or not inside.any():
        return flats[0], 0.0
    x, y = plan.centres()
    floor = room.plan.at(room.floor, x, y)[inside] - np.float32(apart)
    half = np.sqrt(squares[inside]) * plan.cell
    flat, low = flats[0], 0.0
    for flat in np.linspace(flats[0], min(flats), 6).tolist():
        low = float((floor - flat * half).min())
        if low >= room.rim - _ABOVE * flat * float(half.max()):
            break
    return flat, low


def _placed(field: F32, first: float, plan: Footprint, low: float) -> Closed:
    """The surface of a field, in pixels of the map."""
    c = plan.cell
    ends = plan.left + 0.5 * c, plan.top + 0.5 * c, first * c + low
    deep, rows, columns = field.shape
    pixels_from_cell = np.concatenate([np.diag((c, c, c)), np.array(ends)[:, None]], axis=1)
    surface = surface_of(
        packed((deep, rows, columns), lambda k: field[k] <= 0), field, Limits(-np.inf, 0.0), pixels_from_cell
    )
    return without_crumbs(Closed(surface.vertices.astype(np.float64), surface.faces), _CRUMB)
