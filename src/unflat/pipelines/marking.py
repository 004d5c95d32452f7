"""The visible mark on what is made: the words that the story says are drawn, at one place in both eyes."""

from __future__ import annotations

from dataclasses import replace

from unflat.geometry.stamp import LEAST, Stamp, stamp
from unflat.stages.lay_out import Pack, Spheres
from unflat.trust.mark import mark_in
from unflat.types.arrays import U8
from unflat.types.image import Size
from unflat.types.provenance import Provenance
from unflat.types.stereo import Layout, StereoPair


def stamp_of(words: str, size: Size, pack: Pack | None = None, *, scale: float = 1.0) -> Stamp:
    """The stamp for views that become a file.

    Args:
        words: What it says.
        size: Of each view.
        pack: How two views become one picture: in half a sphere the mark stands low in front rather than aside.
        scale: How much smaller the file shows the views.
    """
    sphere = isinstance(pack, Spheres)
    scale = pack.sphere.scale if isinstance(pack, Spheres) else scale
    return stamp(words, size, least=LEAST / scale, middle=sphere)


def marked_view(pixels: U8, story: Provenance) -> U8:
    """A picture, (h, w, 3) uint8, with the words that its story says are drawn on it; as it is where there are none."""
    words = mark_in(story)
    return pixels if words is None else stamp(words, Size(pixels.shape[1], pixels.shape[0])).on(pixels)


def marked_pair(pair: StereoPair, drawn: Stamp, layout: Layout | None) -> StereoPair:
    """Both views with the stamp at the same place, so that it lies in the plane of the screen.

    Beside a picture lies its depth: there the plate is flat, and stands before what it covers.
    """
    right = drawn.flat(pair.right) if layout is Layout.RGBD else drawn.on(pair.right)
    return replace(pair, left=drawn.on(pair.left), right=right)
