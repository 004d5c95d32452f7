"""A drawing taken apart, and what a person says of its labels -> regions with names, and pins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from unflat.errors import InputError
from unflat.stages.inflate_diagram import Solid
from unflat.stages.place_diagram import Placing
from unflat.types.diagram import Caption, Diagram, DiagramNotes, LabelNote, Region
from unflat.types.scene import Pin

_NEAR = 0.015
"""A pixel names the printed label that it lies on, or within this share of the picture's long side."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A text that points at a place of the drawing.

    Attributes:
        text: What it says.
        at_px: (x, y) in pixels of the picture.
        region: The number of the region that it points at.
        detail: What more there is to read, or None.
    """

    text: str
    at_px: tuple[float, float]
    region: int
    detail: str | None = None


class Named(NamedTuple):
    """A diagram whose regions have names.

    Attributes:
        diagram: With these names.
        flags: Its labels.
        warnings: What did not fit, in words for the user.
    """

    diagram: Diagram
    flags: tuple[Flag, ...]
    warnings: tuple[str, ...]


def name_diagram(diagram: Diagram, notes: DiagramNotes) -> Named:
    """Give printed labels their texts, and regions the names that these texts and the user give them.

    Args:
        diagram: Taken apart.
        notes: What a person says; nothing leaves labels "label 1", "label 2" …

    Raises:
        InputError: A note speaks of a region that is not there, or of a place where there is none.
    """
    captions = [caption for caption in diagram.captions if caption.region is not None]
    texts: dict[int, LabelNote] = {}
    flags: list[Flag] = []
    told = [note for note in notes.labels if note.at_px is None and note.node is None]
    for note in notes.labels:
        if note.at_px is not None and (hit := _caption_at(captions, note.at_px, diagram)) is not None:
            texts[hit] = note
        elif note.at_px is not None or note.node is not None:
            flags.append(_own_place(note, diagram))
    free = [n for n in range(len(captions)) if n not in texts]
    texts.update(zip(free, told, strict=False))
    for n, caption in enumerate(captions):
        note = texts.get(n, LabelNote(f"label {n + 1}"))
        assert caption.region is not None
        flags.append(Flag(note.text, caption.tip, caption.region, note.detail))
    warnings: list[str] = []
    if told and len(told) != len(free):
        warnings.append(
            f"{len(told)} labels were named in their order, {len(free)} printed labels were found for them: names may "
            "have slipped. at_px names a label by its place."
        )
    called = {_region_at(diagram, note.at_px, note.name): note.name for note in notes.regions}
    given = {note.text for note in notes.labels}
    for flag in sorted(flags, key=lambda flag: flag.text not in given):
        if flag.text in given:
            called.setdefault(flag.region, flag.text)
    return Named(replace(diagram, regions=_renamed(diagram.regions, called)), tuple(flags), tuple(warnings))


def _caption_at(captions: Sequence[Caption], at: tuple[float, float], diagram: Diagram) -> int | None:
    """The printed label at a pixel: on its letters, or at its leader's end."""
    best, found = _NEAR * diagram.picture.long_side, None
    for n, caption in enumerate(captions):
        left, top, right, bottom = caption.box
        beside = math.hypot(max(left - at[0], 0, at[0] - right), max(top - at[1], 0, at[1] - bottom))
        near = min(beside, math.hypot(at[0] - caption.tip[0], at[1] - caption.tip[1]))
        if near < best:
            best, found = near, n
    return found


def _own_place(note: LabelNote, diagram: Diagram) -> Flag:
    """A label that the drawing does not have."""
    if note.at_px is not None:
        return Flag(note.text, note.at_px, _region_at(diagram, note.at_px, note.text), note.detail)
    for region in diagram.regions:
        if region.name == note.node or region.name.split(" (")[0] == note.node:
            return Flag(note.text, middle_of(diagram, region.number), region.number, note.detail)
    known = ", ".join(region.name for region in diagram.regions[:20])
    raise InputError(f"there is no region '{note.node}' that '{note.text}' could name", hint=f"There are: {known}.")


def _region_at(diagram: Diagram, at: tuple[float, float], text: str) -> int:
    """The number of the region at a pixel of the picture."""
    h, w = diagram.numbers.shape
    x, y = int(at[0] / diagram.per_cell), int(at[1] / diagram.per_cell)
    number = int(diagram.numbers[y, x]) if 0 <= x < w and 0 <= y < h else 0
    if number == 0:
        raise InputError(
            f"there is no region at ({at[0]:g}, {at[1]:g}), which '{text}' is to name",
            hint="at_px is counted in pixels of the upright picture, from its upper left corner.",
        )
    return number


def middle_of(diagram: Diagram, number: int) -> tuple[float, float]:
    """The place of a region that is farthest from its border, in pixels of the picture."""
    import cv2

    own = np.pad((diagram.numbers == number).astype(np.uint8), 1)
    depth = np.asarray(cv2.distanceTransform(own, cv2.DIST_L2, 5))[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return (float(x) + 0.5) * diagram.per_cell, (float(y) + 0.5) * diagram.per_cell


def _renamed(regions: Sequence[Region], called: dict[int, str]) -> tuple[Region, ...]:
    """Regions by the names that they were given, told apart by numbers where two have the same."""
    taken: set[str] = set()
    out: list[Region] = []
    for region in regions:
        name = base = called.get(region.number, region.name)
        more = 2
        while name in taken:
            name, more = f"{base} {more}", more + 1
        taken.add(name)
        out.append(replace(region, name=name))
    return tuple(out)


def pins_of(flags: Sequence[Flag], solids: Sequence[Solid], placing: Placing) -> tuple[Pin, ...]:
    """Labels as pins on the solids that they name, where the eye before the drawing sees their place.

    Args:
        flags: Labels.
        solids: Of all regions.
        placing: Where the drawing stands.
    """
    of = {solid.region.number: solid for solid in solids}
    pins: list[Pin] = []
    for flag in flags:
        solid = of[flag.region]
        x, y = (v / placing.per_cell for v in flag.at_px)
        at = placing.points(np.array([_front(solid, x, y)]))[0].tolist()
        pins.append(Pin(flag.text, (at[0], at[1], at[2]), solid.region.name, flag.detail))
    return tuple(pins)


def _front(solid: Solid, x: float, y: float) -> tuple[float, float, float]:
    """The foremost place of a solid behind (x, y) of the map, or the nearest one that it has."""
    corners = solid.closed.vertices[solid.closed.faces]
    low, high = corners[..., :2].min(axis=1), corners[..., :2].max(axis=1)
    some = corners[((low <= (x, y)) & (high >= (x, y))).all(axis=1)]
    a, b, c = some[:, 0], some[:, 1], some[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    some, a, b, c, area = (values[np.abs(area) > 1e-12] for values in (some, a, b, c, area))
    v = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (y - a[:, 1]) * (c[:, 0] - a[:, 0])) / area
    w = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (b[:, 1] - a[:, 1]) * (x - a[:, 0])) / area
    hit = (v >= -1e-9) & (w >= -1e-9) & (v + w <= 1 + 1e-9)
    if hit.any():
        z = (1 - v - w) * a[:, 2] + v * b[:, 2] + w * c[:, 2]
        return x, y, float(z[hit].min())
    vertices = solid.closed.vertices
    far = np.hypot(vertices[:, 0] - x, vertices[:, 1] - y)
    beside = vertices[far <= far.min() + 1.0]
    nearest = beside[int(beside[:, 2].argmin())]
    return float(nearest[0]), float(nearest[1]), float(nearest[2])
