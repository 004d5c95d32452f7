"""A picture's colours beyond its border: its smooth continuation, and on it the texture of its patches.

picture ─ smaller ─► smooth continuation (membrane) ─┐
                     patches, coarse to fine ─► where each pixel's texture comes from
                                                     └─► copied from the whole picture at its own size
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import kernel
from unflat.geometry.membrane import membrane
from unflat.geometry.patches import RADIUS, Canvas, Field, improve, patch_scale, patches_beyond
from unflat.types.arrays import F32, U8, Bool

WORK = 320
"""Long side of the extended picture at which patches are looked for last."""
COARSEST = 48
"""... and at most so long where they are looked for first."""
ROUNDS = 4
BLUR = 4.0
"""How blurred the picture is where its colours are compared with the smooth continuation, in pixels at WORK."""
FORGOTTEN = 1.3
"""Patches count less by this factor each 1/48 of the picture's long side away from the border."""
SEAM = 0.08
"""What the texture is off at the border is added to it beyond, less and less over this share of the long side."""
STRONG, FAINT = 0.8, 0.3
"""So much of the texture is laid on the smooth continuation beside the border, and far away from it ..."""
FADING = 0.03
"""... falling over this share of the long side: what is right in kind and wrong in place is better faint."""


class Surroundings(NamedTuple):
    """What is known of the surfaces around a picture, the picture in the middle.

    Attributes:
        inverse: (h, w) inverse depth.
        sky: (h, w).
        margin: How many pixels there are left and right of the picture, and above and below it.
    """

    inverse: F32
    sky: Bool
    margin: tuple[int, int]


def continued_colours(picture: U8, margin: tuple[int, int], around: Surroundings) -> U8:
    """Continue a picture beyond its border.

    Args:
        picture: (h, w, 3) uint8 sRGB.
        margin: How many pixels are added left and right, and above and below.
        around: The depth of picture and surroundings, at any size; its margins are about the same share.

    Returns:
        (h + 2·margin, w + 2·margin, 3) uint8; the picture's own pixels are as given.
    """
    h, w = picture.shape[:2]
    wide = cv2.copyMakeBorder(picture, margin[1], margin[1], margin[0], margin[0], cv2.BORDER_REPLICATE)
    out = np.ascontiguousarray(wide, np.uint8)
    long = max(w + 2 * margin[0], h + 2 * margin[1])
    steps = max(0, int(np.ceil(np.log2(max(min(WORK, long) / COARSEST, 1)))))
    canvas, field = None, None
    says = np.zeros(0, np.float32)
    for step in range(steps + 1):
        finer = _canvas(picture, margin, around, min(1.0, WORK / long) / 2 ** (steps - step))
        field = _begun(finer, canvas, field)
        canvas, near = finer, _nearness(finer, field)
        improve(canvas, field, near, 0, 0)
        says = improve(canvas, field, near, ROUNDS if step < steps else ROUNDS // 2, 100 * step + 1)
    assert canvas is not None and field is not None
    off, strength = _seam(canvas, says)
    in_bands(
        lambda first, last: _paint(out, np.array([*margin, w, h]), canvas, field, (off, strength), first, last),
        len(out),
    )
    return out


def _canvas(picture: U8, margin: tuple[int, int], around: Surroundings, factor: float) -> Canvas:
    """The picture and its surroundings at another size; around the picture, its smooth continuation."""
    h, w = picture.shape[:2]
    size = max(2 * RADIUS + 2, round(w * factor)), max(2 * RADIUS + 2, round(h * factor))
    mx, my = (max(1, round(m * factor)) for m in margin)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    whole = np.asarray(cv2.copyMakeBorder(small.astype(np.float32), my, my, mx, mx, cv2.BORDER_REPLICATE), np.float32)
    box = np.array([my, my + size[1], mx, mx + size[0]], np.int64)
    known = np.zeros(whole.shape[:2], np.bool_)
    known[box[0] : box[1], box[2] : box[3]] = True
    blur = BLUR * max(known.shape) / WORK + 0.5
    smooth = np.asarray(cv2.GaussianBlur(whole, (0, 0), blur), np.float32)
    to = whole.shape[1], whole.shape[0]
    sky = cv2.resize(around.sky.astype(np.uint8), to, interpolation=cv2.INTER_NEAREST) > 0
    seen = ~around.sky & (around.inverse > 0)
    least = np.float32(around.inverse[seen].min() if seen.any() else 1)
    inverse = np.asarray(cv2.resize(np.maximum(around.inverse, least), to, interpolation=cv2.INTER_AREA), np.float32)
    beyond, _ = membrane(whole, known, ~known, np.where(sky, np.float32(0), inverse))
    smooth = np.where(known[..., None], smooth, beyond)
    return Canvas(beyond.copy(), smooth, inverse, sky, box)


def _begun(canvas: Canvas, coarse: Canvas | None, found: Field | None) -> Field:
    """Sources to begin from: those of the coarser size, or the nearest in the picture."""
    at, number = patches_beyond(canvas.sky.shape, canvas.box)
    top, bottom, left, right = canvas.box
    source = at.astype(np.float64)
    if coarse is not None and found is not None:
        finer = np.array([bottom - top, right - left]) / np.array([np.diff(coarse.box)[[0, 2]]])[0]
        there = (at + 0.5 - (top, left)) / finer + coarse.box[[0, 2]]
        there = np.clip(there.astype(np.int64), 0, np.array(coarse.sky.shape) - 1)
        i = found.number[there[:, 0], there[:, 1]]
        source += np.where(i[:, None] >= 0, np.rint((found.source[i] - found.at[i]) * finer), 0)
    low, high = (top + RADIUS, left + RADIUS), (bottom - 1 - RADIUS, right - 1 - RADIUS)
    return Field(at, number, np.clip(source, low, high).astype(np.int64), np.zeros(len(at), np.float32))


def _away(canvas: Canvas) -> F32:
    """(h, w) how many pixels a place is away from the picture; 0 inside."""
    top, bottom, left, right = canvas.box
    rows, columns = np.indices(canvas.sky.shape)
    down = np.maximum(top - rows, rows - bottom + 1)
    return np.maximum(np.maximum(down, np.maximum(left - columns, columns - right + 1)), 0).astype(np.float32)


def _nearness(canvas: Canvas, field: Field) -> F32:
    away = _away(canvas)[field.at[:, 0], field.at[:, 1]]
    return (FORGOTTEN ** (-48 * away / max(canvas.sky.shape))).astype(np.float32)


def _seam(canvas: Canvas, says: F32) -> tuple[F32, F32]:
    """What is to be added to the texture for it to meet the picture, (h, w, 3), and how strong it is, (h, w)."""
    top, bottom, left, right = canvas.box
    away = _away(canvas)
    ring = np.zeros(away.shape, np.bool_)
    ring[top:bottom, left:right] = True
    ring[top + 1 : bottom - 1, left + 1 : right - 1] = False
    off, _ = membrane(np.where(ring[..., None], canvas.colour - says, np.float32(0)), ring, away > 0)
    long = np.float32(max(away.shape))
    off = off * np.exp(-away / (np.float32(SEAM) * long))[..., None]
    return off, np.float32(FAINT) + np.float32(STRONG - FAINT) * np.exp(-away / (np.float32(FADING) * long))


@kernel
def _paint(out, frame, canvas, field, seam, first, last):
    """Texture on the smooth continuation, rows ``first`` to ``last`` of the whole extended picture, in place.

    ``frame``: margins and size of the picture, which stands in ``out`` already. Each pixel takes the mean of what the
    four patches around it copy from the picture, weighed by how near their middles are.
    """
    mx, my, w, h = frame
    ch, cw = canvas.sky.shape
    off, strength = seam
    top, left = canvas.box[0], canvas.box[2]
    fy, fx = np.float32(h) / (canvas.box[1] - top), np.float32(w) / (canvas.box[3] - left)
    colour = np.empty(3, np.float32)
    for y in range(first, last):
        cy = (y - my + np.float32(0.5)) / fy + top - np.float32(0.5)
        y0 = min(max(int(np.floor(cy)), 0), ch - 2)
        ty = min(max(cy - y0, np.float32(0)), np.float32(1))
        for x in range(out.shape[1]):
            if mx <= x < mx + w and my <= y < my + h:
                continue
            cx = (x - mx + np.float32(0.5)) / fx + left - np.float32(0.5)
            x0 = min(max(int(np.floor(cx)), 0), cw - 2)
            tx = min(max(cx - x0, np.float32(0)), np.float32(1))
            colour[:] = 0
            for k in range(4):
                v, u = y0 + k // 2, x0 + k % 2
                weight = (ty if k // 2 else 1 - ty) * (tx if k % 2 else 1 - tx)
                i = field.number[v, u]
                i = max(i, 0)
                b, a = field.source[i, 0], field.source[i, 1]
                s = patch_scale(canvas.inverse, canvas.sky, v, u, b, a)
                py = (b + np.float32(0.5) - top + (cy - v) * s) * fy - np.float32(0.5)
                px = (a + np.float32(0.5) - left + (cx - u) * s) * fx - np.float32(0.5)
                py = min(max(py, np.float32(0)), np.float32(h - 1))
                px = min(max(px, np.float32(0)), np.float32(w - 1))
                q, p = min(int(py), h - 2), min(int(px), w - 2)
                sy, sx = py - q, px - p
                for c in range(3):
                    upper = out[my + q, mx + p, c] * (1 - sx) + out[my + q, mx + p + 1, c] * sx
                    lower = out[my + q + 1, mx + p, c] * (1 - sx) + out[my + q + 1, mx + p + 1, c] * sx
                    copied = upper * (1 - sy) + lower * sy + off[v, u, c]
                    under = canvas.smooth[v, u, c]
                    colour[c] += weight * (under + strength[v, u] * (copied - under))
            for c in range(3):
                out[y, x, c] = np.uint8(min(max(colour[c] + np.float32(0.5), np.float32(0)), np.float32(255)))
