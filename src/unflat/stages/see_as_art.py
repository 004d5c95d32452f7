"""What a picture is, what of it the network is shown, and what depth that kind of picture gets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from unflat.types.arrays import F32
from unflat.types.depth import DepthMap
from unflat.types.image import Image, LensRecord

Style = Literal["auto", "photo", "painting", "drawing", "diagram"]


@dataclass(frozen=True, slots=True)
class ArtOptions:
    """What kind of picture it is, and whether age is taken back before it is looked at."""

    style: Style = "auto"
    """What the picture is: photo, painting (no relief of brush marks), drawing (line art, engravings, text: gentle
    depth, smooth within what its strokes enclose), diagram (a drawn cell, organ or organism: what outlines enclose
    becomes solids, one within the other), or auto, which says photo, painting or drawing, and photo when in doubt."""
    restore: bool = True
    """Show the network a faded, yellowed or pale picture with its tones brought back; the scene keeps its own."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a picture is taken for.

    Attributes:
        style: Photo, painting, drawing or diagram.
        note: In words for the user, or None where it is a photograph that nobody spoke of.
    """

    style: Style
    note: str | None = None


def judge_style(picture: Image, options: ArtOptions) -> Verdict:
    """Decide what a picture is: the user's word, else statistics of its strokes.

    A picture with a lens in its EXIF is not taken for a painting by its looks, nor one with alpha for anything but a
    photograph.

    Args:
        picture: Upright, without its frame.
        options: The user's word.
    """
    from unflat.geometry.strokes import strokes_of

    if options.style != "auto":
        return Verdict(options.style)
    if picture.alpha is not None or min(picture.size.width, picture.size.height) < _LEAST_PX:
        return Verdict("photo")
    strokes = strokes_of(picture.pixels)
    if strokes.drawn:
        style: Style = "drawing"
    elif strokes.painted and picture.lens.focal_35mm is None and picture.lens.focal_mm is None:
        style = "painting"
    else:
        return Verdict("photo")
    return Verdict(style, f"The picture looks like a {style} and is treated as one; --style photo says otherwise.")


_LEAST_PX = 64


def without_lens(picture: Image) -> Image:
    """A picture of a picture without the lens of the camera that reproduced it; the notes say so."""
    if picture.lens == LensRecord():
        return picture
    note = "The lens that the file tells of is that of the camera that reproduced the picture: not used."
    return replace(picture, lens=LensRecord(), notes=(*picture.notes, note))


def shown_to_the_eye(picture: Image, options: ArtOptions) -> tuple[Image, str | None]:
    """What the network is shown: the picture, or a copy of it whose faded tones are brought back.

    Args:
        picture: Upright; its own pixels stay what the scene is made of.
        options: The style that was decided on, and whether to restore. Drawings are shown as they are; black and
            white and sepia are stretched as far as their grain bears, for grain that is stretched, too, does more harm
            than contrast does good (benchmarks/aged.py).

    Returns:
        The same picture if nothing faded, else a copy and what was done, in words for the user.
    """
    from unflat.geometry.tones import restored, tones_of

    if not options.restore or options.style == "drawing" or picture.alpha is not None:
        return picture, None
    tones = tones_of(picture.pixels)
    pixels = restored(picture.pixels, tones) if tones.faded else None
    if pixels is None:
        return picture, None
    note = (
        "The picture is faded: the depth network was shown a copy with its tones brought back; "
        "the scene keeps the picture's own. --no-restore shows it as it is."
    )
    return replace(picture, pixels=pixels, jpeg=None), note


def settle_depth(depth: DepthMap, style: Style, picture: Image) -> DepthMap:
    """Depth of a painting without brush marks, of a drawing gentle within its strokes; of a photograph as it is.

    Args:
        depth: Of kind METRIC or SCALE, as fine as it will be.
        style: What the picture is. The paper of a drawing is no sky.
        picture: What it is the depth of; a drawing's strokes divide it.
    """
    from unflat.geometry.bas_relief import layered, without_marks
    from unflat.geometry.strokes import ink_of

    if style not in ("painting", "drawing"):
        return depth
    known = np.asarray(depth.surface) & np.isfinite(depth.values)
    if not known.any():
        return depth
    z = np.asarray(depth.values, np.float32)
    if style == "painting":
        return replace(depth, values=without_marks(z, known))
    values: F32 = layered(z, known, ink_of(picture.pixels))
    return replace(depth, values=values, sky=None)
