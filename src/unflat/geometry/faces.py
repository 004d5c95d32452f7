"""A drawing's lines and colours -> its faces: what lies between lines, or is of one colour; and what lies in what."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.sheet import Ink, Sheet, filled_from
from unflat.types.arrays import F32, Bool

_BLUR = 5
"""Ink colours what is around it within a square of so many pixels."""
_STEP = 0.8
"""A colour that changes by more than this (Lab) from pixel to pixel, or so many times the grain, has an edge there."""
_GRAINS = 4.5
_AROUND, _FINE = 0.06, 50.0
"""The grain of a place is the median of so much of the long side, in so many steps for one of Lab."""
_PALE_WIDE = 0.005
"""Pale lines are thinner than this share of the long side."""
_FADES = 0.5
"""An edge goes on where it is at least this share as steep."""
_SEALED = 5
"""Gaps in such edges are closed that are narrower than so many pixels."""
_NECK, _SHUT = 0.006, 0.6
"""Two places are told apart although they are connected, if what connects them is narrower than twice this share of
the long side, and an edge or a line goes along so much of the border between them."""
_SEED = 0.25
"""Away from lines and edges, a face has at least this share of the pixels that it needs."""
_SLIVER = 0.7
"""What is nowhere so many times as wide as a line is the blur beside one, and no face."""
_SAME = 5.0
"""Neighbours without a line between them whose colours differ by less are one."""
_LINED = 0.4
"""Two faces have a line between them if this share of their border is ink."""
_LED = 0.25
"""Two faces are one if so much of their border is only a leader."""
_BLANK = 9.0
"""What differs less than this from the paper may be paper."""


_TONES = np.array([[2.55, 1, 1], [0, 128, 128]], np.float32)
"""Lab in bytes: what it is multiplied by, and what is added."""


class Faces(NamedTuple):
    """A drawing divided.

    Attributes:
        numbers: (h, w) int32, 0 paper, 1 … the faces; every place belongs to one, lines to the nearest.
        parents: For each face its parent's number, 0 for none; parents[0] is 0.
    """

    numbers: NDArray[np.int32]
    parents: NDArray[np.int32]


def faces_of(sheet: Sheet, ink: Ink, lines: Bool, drawn: Bool, least: float) -> Faces:
    """Divide a drawing.

    A leader divides at first, too, so that no outline that it crosses is cut; what only it divides is joined again.

    Args:
        sheet: The drawing.
        ink: All of its ink, letters as well.
        lines: (h, w) bool, the ink of lines, leaders among them.
        drawn: (h, w) bool, the ink without leaders.
        least: Pixels that a face has at least.
    """
    wide = np.asarray(cv2.dilate(ink.mask.astype(np.uint8), np.ones((_BLUR, _BLUR), np.uint8))).astype(bool)
    if wide.all():
        return Faces(np.zeros(wide.shape, np.int32), np.zeros(1, np.int32))
    colors = np.asarray(filled_from(sheet.lab, ~wide), np.float32)
    pale = _pale_lines(colors, sheet.paper, wide)
    lines, drawn = lines | pale, drawn | pale
    between = lines | _steps(colors, sheet.noise)
    cores = _cores(between, _SEED * least, _SLIVER * ink.half)
    count = len(cores.piece)
    if count == 1:
        return Faces(np.zeros(wide.shape, np.int32), np.zeros(1, np.int32))
    grown = _grown(cores.numbers, lines, colors)
    small = np.bincount(grown.reshape(-1), minlength=count) < least
    if small[1:].all():
        return Faces(np.zeros(wide.shape, np.int32), np.zeros(1, np.int32))
    if small[1:].any():
        grown = _grown(np.where(small[cores.numbers], 0, cores.numbers), lines, colors)
    same = _rejoined(grown, cores.piece, between)
    grown, means = same[grown], _means(colors, same[cores.numbers], count)
    grown = _joined(grown, means, (drawn, lines & ~drawn), sheet.noise)
    blank = _paper(grown, means, sheet, drawn)
    numbers = _counted(np.where(blank[grown], 0, grown))
    return Faces(numbers, _parents(numbers))


def _grown(seeds: NDArray[np.int32], lines: Bool, colors: F32) -> NDArray[np.int32]:
    """Numbers for every place: first up to the lines, and to where colours change most; then to the middle of lines.

    Args:
        seeds: (h, w), 0 where a place belongs to nothing yet.
        lines: (h, w) bool.
        colors: (h, w, 3) Lab.
    """
    count, rooms = _pieces(~lines)
    held = np.zeros(count, bool)
    held[np.unique(rooms[seeds > 0])] = True
    soft = np.asarray(cv2.GaussianBlur(colors, (0, 0), 0.8), np.float32)
    tones = np.clip(np.rint(soft * _TONES[0] + _TONES[1]), 0, 255).astype(np.uint8)
    tones[lines] = 0 if float(np.median(tones[::4, ::4, 0])) > 127 else 255
    near = np.asarray(cv2.watershed(tones, seeds.copy()), np.int32)
    return np.asarray(filled_from(near, (near > 0) & ~lines & held[rooms]), np.int32)


class _Cores(NamedTuple):
    """Where faces begin.

    Attributes:
        numbers: (h, w) int32, 0 where a place belongs to none yet.
        piece: (n + 1,) the connected piece that each core is of.
    """

    numbers: NDArray[np.int32]
    piece: NDArray[np.int64]


def _cores(between: Bool, least: float, half: float) -> _Cores:
    """The wide places of what lies between lines and edges: where an edge has a gap, two such places face each other.

    Args:
        between: (h, w) bool, lines and edges.
        least: Pixels that a piece has at least.
        half: A piece has room for a disc of this radius, in pixels.
    """
    count, pieces = _pieces(~between)
    within = np.asarray(cv2.distanceTransform((~between).astype(np.uint8), cv2.DIST_L2, 5))
    large = np.zeros(count, bool)
    large[np.unique(pieces[within >= max(half, 1.5)])] = True
    large &= np.bincount(pieces.reshape(-1), minlength=count) >= least
    large[0] = False
    many, wide = _pieces(within > _NECK * max(between.shape))
    piece = np.zeros(many, np.int64)
    piece[wide.reshape(-1)] = pieces.reshape(-1)
    piece[0] = 0
    room = np.zeros(many, bool)
    room[np.unique(wide[within > 2 * _NECK * max(between.shape)])] = True
    piece[~room] = 0
    lone = large.copy()
    lone[piece] = False
    keep = large[piece]
    of = np.concatenate([[0], np.flatnonzero(keep), np.flatnonzero(lone)])
    wides, lones = np.zeros(many, np.int32), np.zeros(count, np.int32)
    n = int(keep.sum())
    wides[keep], lones[lone] = np.arange(1, n + 1), np.arange(n + 1, len(of))
    of[1 : n + 1] = piece[keep]
    return _Cores(np.asarray(wides[wide] + lones[pieces], np.int32), of)


def _rejoined(grown: NDArray[np.int32], piece: NDArray[np.int64], between: Bool) -> NDArray[np.int32]:
    """(n + 1,), the same number for cores of one piece where no edge goes on between them."""
    edge = np.asarray(cv2.dilate(between.astype(np.uint8), np.ones((3, 3), np.uint8))).reshape(-1) > 0
    a, b, at = _borders(grown)
    pairs, number = np.unique(a * len(piece) + b, return_inverse=True)
    shut = np.bincount(number, edge[at]) >= _SHUT * np.bincount(number)
    root = np.arange(len(piece))
    for one, other, parted in zip(*np.divmod(pairs, len(piece)), shut, strict=True):
        if piece[one] == piece[other] and not parted:
            first, second = _root(root, int(one)), _root(root, int(other))
            root[max(first, second)] = min(first, second)
    return np.array([_root(root, n) for n in range(len(root))], np.int32)


def _pieces(mask: Bool, connectivity: int = 4) -> tuple[int, NDArray[np.int32]]:
    """The number of connected pieces, what is not of the mask included as 0, and (h, w) which."""
    count, found = cv2.connectedComponents(mask.astype(np.uint8), connectivity=connectivity)
    return int(count), np.asarray(found, np.int32)


def _steps(colors: F32, noise: float) -> Bool:
    """Where flat colours meet."""
    soft = np.asarray(cv2.GaussianBlur(colors, (0, 0), 0.8 if noise < 0.8 else 1.6), np.float32)
    gx, gy = (np.asarray(cv2.Sobel(soft, cv2.CV_32F, *way, ksize=3, scale=0.125)) for way in ((1, 0), (0, 1)))
    steep = np.sqrt((gx * gx + gy * gy).sum(axis=-1))
    least = np.maximum(_STEP, _GRAINS * _usual(steep))
    count, pieces = _pieces(steep > _FADES * least, 8)
    sure = np.zeros(count, bool)
    sure[np.unique(pieces[steep > least])] = True
    sure[0] = False
    edges = sure[pieces].astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_SEALED, _SEALED))
    return np.asarray(cv2.morphologyEx(edges, cv2.MORPH_CLOSE, disc)).astype(bool)


def _pale_lines(colors: F32, paper: F32, ink: Bool) -> Bool:
    """Thin strokes that are nearer to the paper in lightness than what they part, and no room between two lines.

    Args:
        colors: (h, w, 3) Lab without ink.
        paper: (3,) its Lab.
        ink: (h, w) bool, where colours were hidden by ink.
    """
    side = 2 * round(_PALE_WIDE * max(ink.shape) / 2) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    sign = np.float32(1 if paper[0] >= 50 else -1)
    light = np.ascontiguousarray(colors[..., 0]) * sign
    less = light - np.asarray(cv2.morphologyEx(light, cv2.MORPH_OPEN, disc))
    apart = less * less
    for k in (1, 2):
        tone = np.ascontiguousarray(colors[..., k])
        thin = [
            np.abs(tone - np.asarray(cv2.morphologyEx(tone, way, disc))) for way in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE)
        ]
        apart += np.maximum(*thin) ** 2
    pale = (less > 1) & (apart > _SAME**2) & ~ink
    count, pieces = _pieces(pale, 8)
    beside = np.asarray(cv2.dilate(ink.astype(np.uint8), disc)).astype(bool)
    size, hemmed = np.bincount(pieces.reshape(-1), minlength=count), np.bincount(pieces[beside], minlength=count)
    return (hemmed < _LINED * np.maximum(size, 1))[pieces] & pale


def _usual(steep: F32) -> F32:
    """(h, w), how steep colours usually are around each place: grain, and the ripple that a JPEG has beside lines."""
    h, w = steep.shape
    small = np.minimum(steep[::2, ::2] * _FINE, 255).astype(np.uint8)
    usual = cv2.medianBlur(small, 2 * round(_AROUND * max(h, w) / 4) + 1)
    return np.asarray(cv2.resize(usual.astype(np.float32) / _FINE, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


def _means(colors: F32, pieces: NDArray[np.int32], count: int) -> F32:
    """(count, 3) mean colour of each piece."""
    flat = pieces.reshape(-1)
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    return np.stack([np.bincount(flat, colors[..., k].reshape(-1), count) / size for k in range(3)], axis=-1).astype(
        np.float32
    )


def _borders(numbers: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of neighbouring pixels of different numbers: the smaller number, the larger, and the pixel's index."""
    index = np.arange(numbers.size).reshape(numbers.shape)
    one: list[NDArray[np.int64]] = []
    other: list[NDArray[np.int64]] = []
    at: list[NDArray[np.int64]] = []
    for first, second in (((slice(None), slice(-1)), (slice(None), slice(1, None))), (slice(-1), slice(1, None))):
        a, b = numbers[first].astype(np.int64), numbers[second].astype(np.int64)
        differs = a != b
        one.append(np.minimum(a, b)[differs])
        other.append(np.maximum(a, b)[differs])
        at.append(index[first][differs])
    return np.concatenate(one), np.concatenate(other), np.concatenate(at)


def _joined(grown: NDArray[np.int32], means: F32, ink: tuple[Bool, Bool], noise: float) -> NDArray[np.int32]:
    """Neighbours of one colour made one that have no line between them, or, for a part, only a leader.

    Args:
        grown: (h, w) numbers of faces.
        means: Their colours.
        ink: (h, w) bool each: outlines, and leaders.
        noise: Of the sheet.
    """
    drawn, led = (
        np.asarray(cv2.dilate(one.astype(np.uint8), np.ones((3, 3), np.uint8))).reshape(-1) > 0 for one in ink
    )
    a, b, at = _borders(grown)
    pairs, number = np.unique(a * (int(grown.max()) + 1) + b, return_inverse=True)
    length = np.bincount(number)
    apart = np.bincount(number, drawn[at]) >= _LINED * length
    apart &= np.bincount(number, led[at] & ~drawn[at]) < _LED * length
    root = np.arange(int(grown.max()) + 1)
    for pair, lined in zip(pairs.tolist(), apart.tolist(), strict=True):
        one, other = divmod(pair, int(grown.max()) + 1)
        if not lined and np.linalg.norm(means[one] - means[other]) < _SAME + noise:
            one, other = _root(root, one), _root(root, other)
            root[max(one, other)] = min(one, other)
    return np.array([_root(root, n) for n in range(len(root))], np.int32)[grown]


def _root(root: NDArray[np.int64], n: int) -> int:
    while root[n] != n:
        n = int(root[n])
    return n


def _paper(grown: NDArray[np.int32], means: F32, sheet: Sheet, drawn: Bool) -> Bool:
    """Which faces are paper: of its colour, and at the picture's border, or a hole without a line round it."""
    count = len(means)
    blank = np.linalg.norm(means - sheet.paper, axis=1) < _BLANK + sheet.noise
    border = np.zeros(count, bool)
    for edge in (grown[0], grown[-1], grown[:, 0], grown[:, -1]):
        border[edge] = True
    thick = np.asarray(cv2.dilate(drawn.astype(np.uint8), np.ones((3, 3), np.uint8))).reshape(-1)
    a, b, at = _borders(grown)
    length = np.bincount(a, minlength=count) + np.bincount(b, minlength=count)
    lined = np.bincount(a, thick[at], count) + np.bincount(b, thick[at], count)
    outer = blank & border
    beside = np.zeros(count, bool)  # what differs from the paper beside it is none
    beside[a[outer[b]]] = beside[b[outer[a]]] = True
    return outer | (blank & ~beside & (lined < _LINED * length))


def _counted(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """The same with numbers without gaps, 0 staying 0; a face of several pieces keeps the largest number of pixels."""
    present = np.unique(numbers)
    table = np.zeros(int(numbers.max()) + 1, np.int32)
    table[present[present > 0]] = np.arange(1, int((present > 0).sum()) + 1)
    return table[numbers]


def _parents(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """What each face lies in: the smallest of those whose outer outline goes round it."""
    count = int(numbers.max())
    parents = np.zeros(count + 1, np.int32)
    sizes = np.full(count + 1, np.inf)
    spots, boxes = _spots(numbers, count)
    for n in range(1, count + 1):
        x, y, w, h = boxes[n]
        own = numbers[y : y + h, x : x + w] == n
        filled = _filled(own)
        area = float(filled.sum())
        held = np.unique(numbers[y : y + h, x : x + w][filled & ~own])
        for m in held[held > 0].tolist():
            sx, sy = spots[m]
            if x <= sx < x + w and y <= sy < y + h and filled[sy - y, sx - x] and area < sizes[m]:
                parents[m], sizes[m] = n, area
    return parents


def _filled(mask: Bool) -> Bool:
    """A mask with its holes: all that cannot be reached from its border."""
    _, found = cv2.connectedComponents(np.pad(~mask, 1, constant_values=True).astype(np.uint8), connectivity=8)
    pieces = np.asarray(found, np.int32)
    return (pieces != pieces[0, 0])[1:-1, 1:-1]


def _spots(numbers: NDArray[np.int32], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A pixel (x, y) of each face, and its box (x, y, w, h); both (count + 1, …)."""
    ys, xs = np.nonzero(numbers)
    n = numbers[ys, xs]
    spots, boxes = np.zeros((count + 1, 2), np.int64), np.zeros((count + 1, 4), np.int64)
    spots[n] = np.stack([xs, ys], axis=1)
    low = np.full((count + 1, 2), np.iinfo(np.int64).max)
    high = np.full((count + 1, 2), -1)
    np.minimum.at(low, n, np.stack([xs, ys], axis=1))
    np.maximum.at(high, n, np.stack([xs, ys], axis=1))
    boxes[:, :2], boxes[:, 2:] = low, high - low + 1
    return spots, boxes
