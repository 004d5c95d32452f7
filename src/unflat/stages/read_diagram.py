"""A drawing of a cell, an organ or an organism -> what is in it: regions within regions, single lines, labels."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.faces import Faces, faces_of
from unflat.geometry.leaders import Leader, erased, leader_of
from unflat.geometry.lettering import Text, lettering_of
from unflat.geometry.lines import Line, sealed_lines, with_lines
from unflat.geometry.sheet import Ink, Sheet, even_sheet, ink_of_sheet, lab_of
from unflat.types.arrays import U8, Bool
from unflat.types.diagram import Caption, Diagram, Region
from unflat.types.image import Image

_WORKING_PX = 1700
_AHEAD = 2.0
"""Where a leader points at is looked for so many times half a line beyond its end."""
_INSIDE = 9
"""Pixels of a square that lies wholly in a region where its colour is looked at."""
_BLANK = 7.0
"""A region that differs less than this (Lab) from the paper was given no colour."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a diagram is read (with --style diagram)."""

    least_region: float = 0.012
    """Regions of a diagram that are smaller than a disc of this share of the picture's long side are left out."""

    def __post_init__(self) -> None:
        if not 0.001 <= self.least_region <= 0.5:
            raise InputError(f"--least-region {self.least_region:g} is out of range", hint="Give 0.001 to 0.5.")


def read_diagram(picture: Image, options: ReadOptions) -> Diagram:
    """Take a drawing apart.

    Args:
        picture: Upright; what is transparent is paper.
        options: How.

    Raises:
        InputError: There is no outline that encloses anything.
    """
    size = picture.size.fitted(_WORKING_PX)
    rgb = on_paper(picture)
    if size != picture.size:
        rgb = np.asarray(cv2.resize(rgb, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)
    sheet = even_sheet(rgb)
    ink = ink_of_sheet(sheet)
    least = np.pi / 4 * (options.least_region * size.long_side) ** 2
    lettering = lettering_of(ink.dark)
    lines = ink.mask & ~lettering.mask
    drawn, leaders = _without_leaders(lines, lettering.texts, ink.half)
    written = ink._replace(mask=ink.mask | lettering.mask)
    faces = faces_of(sheet, written, sealed_lines(lines, ink.half), sealed_lines(drawn, ink.half), least)
    numbers, single = with_lines(faces.numbers, _beside(drawn, leaders, ink.half), ink.half)
    regions = _regions(faces, sheet, ink, single)
    if all(region.line for region in regions):
        raise InputError(
            "no outline in this picture encloses anything that could become a solid",
            hint="Give a drawing whose outlines are closed; --least-region 0.005 takes smaller ones, too.",
        )
    captions = _captions(lettering.texts, leaders, numbers, ink.half, picture.size.width / size.width)
    return Diagram(numbers, regions, captions, picture.size)


def unevenness(picture: Image, diagram: Diagram) -> float:
    """How far the colours of regions are from one colour each, in Lab: below 2 in scans of drawings, above 6 in photos.

    Args:
        picture: What was drawn.
        diagram: What is in it.

    Returns:
        The median over all pixels well inside a region; 0 where there are none.
    """
    h, w = diagram.numbers.shape
    lab = lab_of(np.asarray(cv2.resize(on_paper(picture), (w, h), interpolation=cv2.INTER_AREA), np.uint8))
    away: list[NDArray[np.float32]] = []
    for region in diagram.regions:
        inside = cv2.erode(diagram.inside(region.number).astype(np.uint8), np.ones((_INSIDE, _INSIDE), np.uint8)) > 0
        if inside.any() and not region.line:
            away.append(np.linalg.norm(lab[inside] - np.median(lab[inside], axis=0), axis=-1).astype(np.float32))
    return float(np.median(np.concatenate(away))) if away else 0.0


def _without_leaders(ink: Bool, texts: Sequence[Text], half: float) -> tuple[Bool, list[Leader | None]]:
    """The ink without the lines that lead from texts, and those lines."""
    leaders = [leader_of(text, [other for other in texts if other is not text], ink, half) for text in texts]
    for leader in leaders:
        ink = ink if leader is None else erased(ink, leader, half)
    return ink, leaders


def _beside(ink: Bool, leaders: Sequence[Leader | None], half: float) -> Bool:
    """The ink that is no remainder of a leader."""
    band = np.zeros(ink.shape, np.uint8)
    for leader in leaders:
        if leader is not None:
            start, tip = ((int(x), int(y)) for x, y in (leader.start, leader.tip))
            cv2.line(band, start, tip, 1, round(2 * half) + 4)
    return ink & (band == 0)


def _captions(
    texts: Sequence[Text], leaders: Sequence[Leader | None], numbers: NDArray[np.int32], half: float, per_cell: float
) -> tuple[Caption, ...]:
    """Texts with the regions that they name: where their leaders lead, or where they stand themselves."""
    out: list[Caption] = []
    for text, leader in zip(texts, leaders, strict=True):
        left, top, right, bottom = text.box
        x, y = ((left + right) / 2, (top + bottom) / 2) if leader is None else leader.tip
        dx, dy = (0.0, 0.0) if leader is None else leader.way
        ahead = (_AHEAD * half, 0.0, 2 * _AHEAD * half, -_AHEAD * half)
        found = [_number_at(numbers, x + d * dx, y + d * dy) for d in ahead]
        region = next((number for number in found if number), None)
        box = (left * per_cell, top * per_cell, right * per_cell, bottom * per_cell)
        out.append(Caption(box, (x * per_cell, y * per_cell), region, leader is not None))
    return tuple(out)


def _number_at(numbers: NDArray[np.int32], x: float, y: float) -> int:
    h, w = numbers.shape
    return int(numbers[int(y), int(x)]) if 0 <= x < w and 0 <= y < h else 0


def on_paper(picture: Image) -> U8:
    """(h, w, 3) the picture on white paper, or on black if all that is opaque in it is light."""
    if picture.alpha is None:
        return picture.pixels
    share = picture.alpha.astype(np.float32)[..., None] / 255
    opaque = picture.alpha > 127
    light = picture.pixels[opaque].min(axis=-1) > 200 if opaque.any() else np.zeros(1, bool)
    paper = np.float32(0 if light.mean() > 0.9 else 255)
    return np.rint(picture.pixels * share + paper * (1 - share)).astype(np.uint8)


def _regions(faces: Faces, sheet: Sheet, ink: Ink, lines: Sequence[Line]) -> tuple[Region, ...]:
    """Faces as regions, the outermost and largest first; then single lines."""
    count = len(faces.parents) - 1
    area = np.bincount(faces.numbers.reshape(-1), minlength=count + 1)
    depth = [0] * (count + 1)
    for n in range(1, count + 1):
        at = n
        while faces.parents[at]:
            depth[n], at = depth[n] + 1, int(faces.parents[at])
    order = sorted(range(1, count + 1), key=lambda n: (depth[n], -int(area[n])))
    colors = _colors(faces.numbers, sheet, ink, count)
    blank = np.linalg.norm(lab_of(colors[None])[0] - sheet.paper, axis=-1) < _BLANK
    made: list[Region] = []
    for place, n in enumerate(order, 1):
        color = tint(place) if blank[n] else (int(colors[n, 0]), int(colors[n, 1]), int(colors[n, 2]))
        name = f"region {place}" if blank[n] else f"region {place} ({color_name(color)})"
        made.append(Region(n, name, int(faces.parents[n]) or None, color, tinted=bool(blank[n])))
    for place, line in enumerate(lines, 1):
        color = tuple(int(v) for v in np.median(sheet.rgb[line.mask], axis=0))
        made.append(
            Region(line.number, f"line {place}", line.inside or None, (color[0], color[1], color[2]), line=True)
        )
    return tuple(made)


def _colors(numbers: NDArray[np.int32], sheet: Sheet, ink: Ink, count: int) -> U8:
    """(count + 1, 3) sRGB: the mean of each face away from ink, or of all of it if nothing is."""
    wide = cv2.dilate(ink.mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    out = np.zeros((count + 1, 3))
    for keep in (np.ones(numbers.shape, bool), ~wide):
        flat = numbers[keep]
        size = np.bincount(flat, minlength=count + 1)
        for k in range(3):
            total = np.bincount(flat, sheet.rgb[..., k][keep], count + 1)
            out[:, k] = np.where(size > 0, total / np.maximum(size, 1), out[:, k])
    return np.rint(out).astype(np.uint8)


def tint(place: int) -> tuple[int, int, int]:
    """A soft colour for the nth region that was drawn without one; neighbours in the row differ most."""
    r, g, b = colorsys.hls_to_rgb((0.09 + 0.618034 * (place - 1)) % 1, 0.74, 0.55)
    return round(255 * r), round(255 * g), round(255 * b)


_HUES = ((15, "red"), (45, "orange"), (70, "yellow"), (165, "green"), (195, "turquoise"), (260, "blue"))
_MORE_HUES = ((310, "purple"), (345, "pink"), (361, "red"))


def color_name(color: tuple[int, int, int]) -> str:
    """What people call a colour.

    Args:
        color: sRGB bytes.
    """
    hue, light, _ = colorsys.rgb_to_hls(*(c / 255 for c in color))
    spread = (max(color) - min(color)) / 255
    if spread < 0.07:
        return "black" if light < 0.2 else "white" if light > 0.9 else "grey"
    name = next(name for end, name in (*_HUES, *_MORE_HUES) if hue * 360 < end)
    return "brown" if name in ("red", "orange", "yellow") and light < 0.4 and spread < 0.6 else name
