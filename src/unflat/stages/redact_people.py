"""a picture, who was found in it -> the picture without their faces: blurred for good, or filled from around."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from unflat.geometry.veil import Veil, cells_of, drawn, filled, spread
from unflat.types.arrays import F32, U8, Bool
from unflat.types.depth import DepthMap
from unflat.types.image import Image, Size
from unflat.types.people import People, Sighting

How = Literal["blur", "remove"]
"""``blur``: faces, and the heads of bodies, become nine mean colours that run into each other. ``remove``: faces and
whole bodies become what is around them, continued smoothly."""

_HAIR, _CHIN = 0.3, 0.08
"""What a face's box grows upwards and downwards, in its heights; to the sides the region bulges beyond it."""
_HEAD = 0.24, 0.03, 0.2
"""Of the box of a body that stands: the width of its head over the body's height, how far above the box it may begin,
and where it ends."""
Box = tuple[float, float, float, float]


def redact_people(image: Image, people: People, how: How) -> Image:
    """The picture without the faces of those who were found in it.

    Args:
        image: As it was read.
        people: Who was found; in a picture of another size their boxes are scaled.
        how: See :data:`How`.

    Returns:
        The same with other pixels: in the boxes nothing of the source is left but nine means, or nothing at all;
        beyond boxes, hair, ears and a soft rim every byte is the same. Alpha stays; ``jpeg`` is None if anything went.
    """
    veils = veils_over(people, image.size, how)
    return replace(image, pixels=without(image.pixels, veils, how), jpeg=None) if veils else image


def veils_over(people: People, size: Size, how: How) -> list[Veil]:
    """What has to go from a picture of ``size``. A head whose face was found goes with its face."""
    x, y = size.width / people.size.width, size.height / people.size.height
    boxes = [face_region(seen) for seen in people.faces]
    for body in (body_region(seen, how) for seen in people.seen if seen.part == "body"):
        if how == "remove" or not any(_holds(body, seen) for seen in people.faces):
            boxes.append(body)
    scaled = ((left * x, top * y, width * x, height * y) for left, top, width, height in boxes)
    veils = (Veil.over(box, size.height, size.width) for box in scaled)
    return [veil for veil in veils if veil is not None]


def _holds(box: Box, seen: Sighting) -> bool:
    x, y = seen.left + seen.width / 2 - box[0], seen.top + seen.height / 2 - box[1]
    return 0 <= x <= box[2] and 0 <= y <= box[3]


def face_region(seen: Sighting) -> Box:
    """Left, top, width and height of what goes with a face: hair and chin, too."""
    grown = (1 + _HAIR + _CHIN) * seen.height
    return seen.left, seen.top - _HAIR * seen.height, seen.width, grown


def body_region(seen: Sighting, how: How) -> Box:
    """What goes with a body: its head, or all of it."""
    if how == "remove":
        return seen.left, seen.top, seen.width, seen.height
    wide, above, down = (share * seen.height for share in _HEAD)
    return seen.left + (seen.width - wide) / 2, seen.top - above, wide, above + down


def without(pixels: U8, veils: list[Veil], how: How, cells: list[F32] | None = None) -> U8:
    """Pixels (h, w, 3) under veils.

    Args:
        pixels: sRGB.
        veils: What has to go.
        how: See :data:`How`.
        cells: Means to be used instead of the picture's own, one array for each veil; None: its own.
    """
    out, gone = pixels.copy(), _gone(veils, pixels.shape[:2]) if how == "remove" else None
    for number, veil in enumerate(veils):
        if gone is not None:
            instead = filled(pixels, veil, gone)
        else:
            own = cells_of(pixels[veil.part].astype(np.float32), veil) if cells is None else cells[number]
            instead = spread(own, veil)
        under = drawn(out[veil.part].astype(np.float32), veil, instead)
        out[veil.part] = np.clip(np.rint(under), 0, 255).astype(np.uint8)
    return out


def _gone(veils: list[Veil], shape: tuple[int, ...]) -> Bool:
    gone = np.zeros(shape, np.bool_)
    for veil in veils:
        gone[veil.part] |= veil.share > 0
    return gone


def redact_depth(depth: DepthMap, people: People, how: How) -> DepthMap:
    """Depth of a picture without the shapes of the faces in it: a few means, or what is around, over each.

    Args:
        depth: Of any kind and size; its shape is the picture's.
        people: Who was found in the picture.
        how: See :data:`How`.

    Returns:
        The same where nobody is. Over faces there are surfaces everywhere, none where there was none at all.
    """
    veils = [veil for veil in veils_over(people, depth.size, how) if depth.surface[veil.part].any()]
    if not veils:
        return depth
    surface, values = depth.surface.copy(), np.where(depth.surface, depth.values, 0)[..., None].astype(np.float32)
    sure = None if depth.confidence is None else depth.confidence.copy()
    gone = _gone(veils, surface.shape)
    for veil in veils:
        known = surface[veil.part]
        if how == "remove" and (surface & ~gone).any():
            instead = filled(values, veil, gone | ~depth.surface)
        else:
            instead = spread(cells_of(values[veil.part], veil, known), veil)
        under = drawn(values[veil.part], veil, instead)
        values[veil.part] = np.where((known & (veil.share > 0))[..., None], under, values[veil.part])
        values[veil.part] = np.where((~known & (veil.share > 0))[..., None], instead, values[veil.part])
        surface[veil.part] |= veil.share > 0
        if sure is not None:
            sure[veil.part] = np.where(veil.share > 0, sure[veil.part].mean(), sure[veil.part])
    kept = np.where(surface & (gone | depth.surface), values[..., 0], depth.values).astype(np.float32)
    sky = None if depth.sky is None else depth.sky & ~gone
    return replace(depth, values=kept, valid=np.asarray(depth.valid) | gone, sky=sky, confidence=sure)
