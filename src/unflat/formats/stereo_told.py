"""Two views in one ordinary picture: nothing in its format says so, only its name, or the story that we wrote into it.

A name is believed where the picture agrees: "IMG_LR.jpg" may come from Lightroom. Two views of one scene are alike in
their fine parts, a little moved along the rows.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from unflat.formats.stereo_facts import StereoFacts
from unflat.formats.stereo_names import signs_in
from unflat.geometry.layout import PACKED, unpacked
from unflat.types.arrays import F32, U8
from unflat.types.image import Image, Size
from unflat.types.provenance import Provenance
from unflat.types.stereo import Layout

_LOOKED_AT, _BLOCKS, _FINE_PX = 192, 4, 6
"""Views are looked at in so many pixels a side, block by block; what is coarser than so many pixels is left aside."""
_ALIKE = 0.6
"""Correlation of views of one scene, each block moved along its rows as fits best. Of two views it was 0.85 to 0.95 in
ten photographs, of the halves of one picture 0.36 at most in fifty."""
_FARTHEST = 0.12
"""By how much of the width things are moved against each other at most."""
_BELOW = (Layout.FULL_TB, Layout.HALF_TB)


def told_stereo(path: Path, image: Image, story: Provenance | None) -> StereoFacts | None:
    """What the name of a picture, or our story in it, says of two eyes; None where that is nothing, or not so.

    Args:
        path: The file.
        image: What is in it.
        story: The story that was found in it.
    """
    own, signs = _layout_in(story), signs_in(path)
    layout = own or (None if signs is None else signs.layout)
    if layout is None:
        return None
    cut_in_two = layout in PACKED and layout is not Layout.RGBD
    if own is None and cut_in_two and not _alike(image.pixels, layout):
        return None
    w, h = image.size.width, image.size.height
    eye = image.size
    if layout in PACKED and max(w, h) > 1:
        eye = Size(w, max(1, h // 2)) if layout in _BELOW else Size(max(1, w // 2), h)
    words = signs.words if signs is not None and signs.layout is layout else ()
    return StereoFacts(
        image.source.format,
        False,
        layout,
        eye=eye,
        words=words,
        marks={} if own is None else {"story": own.value},
        degrees=180 if layout is Layout.VR180 else None,
        notes=() if words or layout not in PACKED else ("its name does not say how its views are packed",),
    )


def _layout_in(story: Provenance | None) -> Layout | None:
    """The layout of the step in which two views became this picture."""
    steps = () if story is None else story.steps
    told = next((dict(step.options).get("layout") for step in reversed(steps) if step.name == "lay_out"), None)
    known = {layout.value: layout for layout in Layout}
    return known.get(told) if isinstance(told, str) and told != Layout.PAIR.value else None


def _alike(pixels: U8, layout: Layout) -> bool:
    """Whether the two views that the picture would hold show one scene."""
    h, w = pixels.shape[:2]
    if (h if layout in _BELOW else w) % 2 or min(h, w) < 8:
        return False
    left, right = (_fine(view) for view in unpacked(pixels, layout))
    reach, side = round(_FARTHEST * _LOOKED_AT), _LOOKED_AT // _BLOCKS
    right = np.pad(right, ((0, 0), (reach, reach)))
    found = weight = 0.0
    for top in range(0, _LOOKED_AT, side):
        for start in range(0, _LOOKED_AT, side):
            block = left[top : top + side, start : start + side]
            there = right[top : top + side, start : start + side + 2 * reach]
            power = float(np.linalg.norm(block))
            if power > 0:
                found += power * float(cv2.matchTemplate(there, block, cv2.TM_CCORR_NORMED).max())
                weight += power
    return weight > 0 and found / weight > _ALIKE


def _fine(view: U8) -> F32:
    """The fine parts of a view, small and grey."""
    small = cv2.resize(view, (_LOOKED_AT, _LOOKED_AT), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), _FINE_PX), np.float32)
