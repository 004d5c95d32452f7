"""Triangles cut along the border of a picture, so that each lies inside it or outside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.tessellate import Sheet
from unflat.types.arrays import F32, Bool

_ON = 1e-3
"""So close to the border, in pixels, a point lies on it."""


def cut_along(sheet: Sheet, frame: tuple[int, int, int, int], width: int) -> Sheet:
    """Split every triangle that crosses the border of a frame; surfaces stay what they are, without cracks.

    Args:
        sheet: Triangles over a grid; inverse depth is linear on each.
        frame: Left, top, right and bottom of the picture in the grid.
        width: Of the grid; the points that are added take after a pixel inside the frame.
    """
    left, top, right, bottom = frame
    for axis, line in ((0, left), (0, right), (1, top), (1, bottom)):
        before = len(sheet.points)
        sheet = _split(sheet, axis, float(line))
        new = sheet.points[before:]
        x = np.clip(new[:, 0].astype(np.int64), left, right - 1)
        y = np.clip(new[:, 1].astype(np.int64), top, bottom - 1)
        sheet = sheet._replace(source=np.concatenate([sheet.source[:before], y * width + x]))
    return sheet


def outside(sheet: Sheet, frame: tuple[int, int, int, int]) -> Bool:
    """(m,) which triangles of a sheet that was cut lie outside the frame."""
    left, top, right, bottom = frame
    middle = sheet.points[sheet.faces, :2].mean(axis=1)
    x, y = middle[:, 0], middle[:, 1]
    return (x < left) | (x > right) | (y < top) | (y > bottom)


def part_of(sheet: Sheet, some: Bool) -> Sheet:
    """Some of the triangles, and their points alone."""
    used, faces = np.unique(sheet.faces[some], return_inverse=True)
    return Sheet(sheet.points[used], sheet.source[used], faces.reshape(-1, 3).astype(np.uint32))


def _split(sheet: Sheet, axis: int, line: float) -> Sheet:
    """Cut all triangles along x = line (axis 0) or y = line (axis 1); new points come last, sources are not theirs."""
    off = sheet.points[:, axis].astype(np.float64) - line
    side = np.where(np.abs(off) <= _ON, 0, np.sign(off)).astype(np.int64)
    of_faces = side[sheet.faces]
    crossed = (of_faces.min(axis=1) < 0) & (of_faces.max(axis=1) > 0)
    if not crossed.any():
        return sheet
    faces, sides = sheet.faces[crossed].astype(np.int64), of_faces[crossed]
    # turned so that the corner alone on its side comes first; with a corner on the line, the one before that corner
    alone = np.where((sides == 0).any(axis=1), (sides == 0).argmax(axis=1) + 2, 0)
    lonely = sides * sides.sum(axis=1, keepdims=True) < 0
    alone = np.where((sides == 0).any(axis=1), alone, lonely.argmax(axis=1)) % 3
    turned = np.take_along_axis(faces, (alone[:, None] + np.arange(3)) % 3, axis=1)
    a, b, c = turned.T
    touches = side[b] == 0
    edges = np.concatenate([np.stack([a, c], 1), np.stack([a, b], 1)[~touches]])
    pairs, at = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    at = at.reshape(-1) + len(sheet.points)
    new = _between(sheet.points, off, pairs)
    new[:, axis] = line
    ac, ab = at[: len(a)], np.full(len(a), -1)
    ab[~touches] = at[len(a) :]
    two = [np.stack(t, 1)[touches] for t in ((a, b, ac), (b, c, ac))]
    three = [np.stack(t, 1)[~touches] for t in ((a, ab, ac), (ab, b, c), (ab, c, ac))]
    whole = np.concatenate([sheet.faces[~crossed], *two, *three]).astype(np.uint32)
    source = np.concatenate([sheet.source, np.zeros(len(new), np.int64)])
    return Sheet(np.concatenate([sheet.points, new]), source, whole)


def _between(points: F32, off: NDArray[np.float64], pairs: NDArray[np.int64]) -> F32:
    """Where the edges between these points meet the line they are ``off``."""
    share = off[pairs[:, 0]] / (off[pairs[:, 0]] - off[pairs[:, 1]])
    one, other = points[pairs[:, 0]].astype(np.float64), points[pairs[:, 1]].astype(np.float64)
    return (one + share[:, None] * (other - one)).astype(np.float32)
