"""Mirrors and panes in a depth map -> flat surfaces with the picture on them, fitted to their rims."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unflat.types.arrays import F32, F64, Bool
from unflat.types.depth import DepthMap
from unflat.types.forecast import Marks

SMALLEST = 0.01
"""Share of the picture that a pane has at least."""
NEARER = 1.1
"""Glass that is nearer than what is around it by this factor is a vessel, not a pane."""


def flatten_panes(depth: DepthMap, marks: Marks) -> tuple[DepthMap, int, int]:
    """Lay each mirror and each pane of glass into the plane of its rim.

    What is not of a pane's shape, or nearer than its surroundings as a vessel is, or has no flat rim, stays; so does
    glass whose rim is not flat on every side, as that of a case on a chest.

    Args:
        depth: Of any kind; its values in the panes are replaced.
        marks: Of the same picture, of any size.

    Returns:
        The depth, how many panes were made flat, and how many were found but left.
    """
    import cv2

    from unflat.geometry.inverse import Nearness
    from unflat.geometry.panes import flattened, panes_of, rim_plane, spread

    known = depth.surface
    size = (depth.size.width, depth.size.height)
    masks: dict[str, Bool] = {}
    for name in ("mirror", "glass"):
        seen = cv2.resize(np.asarray(getattr(marks, name)), size, interpolation=cv2.INTER_LINEAR)
        masks[name] = np.asarray(seen) >= 0.5
    either = masks["mirror"] | masks["glass"]
    way = Nearness.of(depth, known)
    nearness = way.from_depth(depth.values, known)
    flat, left = 0, 0
    for name, mask in masks.items():
        for pane in panes_of(mask, SMALLEST):
            plane = rim_plane(nearness, pane, known & ~either, all_around=name == "glass")
            vessel = name == "glass" and plane is not None and _nearer(nearness[pane], spread(plane, pane)[pane])
            if plane is None or vessel:
                left += 1
                continue
            nearness, flat = flattened(nearness, pane, plane), flat + 1
    if not flat:
        return depth, 0, left
    changed = either & known
    values = np.where(changed, way.to_depth(nearness.copy()), depth.values).astype(np.float32)
    return replace(depth, values=values), flat, left


def _nearer(inside: F32, flat: F64) -> bool:
    return bool(np.median(inside) > NEARER * np.median(flat))
