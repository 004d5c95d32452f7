"""A result -> what the other eye sees of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from unflat.types.camera import Camera, Pose
from unflat.types.image import Image

if TYPE_CHECKING:
    from unflat.pipelines.result import PhotoResult

Eye = Literal["left", "right"]
BETWEEN_EYES_M = 0.063
"""Between the eyes of most grown people."""
_TRIANGLES = 4_000_000
_ERROR = 2e-4


def eye_view(result: PhotoResult, eye: Eye) -> Image:
    """See the layered scene with the other eye of a pair, in a camera like the picture's own.

    With stereo disparity d (``--depth-kind disparity-px``) a point of the picture at x is seen at exactly x - d by
    the right eye, at x + d by the left one. With any other depth the eyes are 63 mm apart in written metres.
    What neither shows, beyond the picture's border, continues its surroundings smoothly.

    Args:
        result: A picture with its depth.
        eye: Which eye the result shows; the picture itself is the other one.

    Returns:
        A picture of the same size, with provenance of its source.
    """
    from unflat.geometry.membrane import membrane
    from unflat.stages.build_layered import build_layered
    from unflat.stages.build_layers import build_layers
    from unflat.stages.render_view import render_view

    options = result.options
    apart = result.baseline_m or BETWEEN_EYES_M
    middle = float(np.median(1 / result.depth.z[result.depth.seen]))
    reach = min(1.0, apart * middle)
    seam = options.layer.seam if result.baseline_m is None else min(1, options.layer.seam)
    layer = replace(options.layer, reach=reach, parallax=np.inf, seam=seam)
    layers = build_layers(result.depth, result.picture, layer)
    surface = build_layered(layers, replace(options.surface, triangles=_TRIANGLES, max_error=_ERROR))
    pose = np.eye(4)
    pose[0, 3] = apart if eye == "right" else -apart
    view = render_view(surface.nodes, Camera(result.camera.intrinsics, Pose(pose), eye))
    colour, missing = view.colour, view.open
    if missing.any():
        around, _ = membrane(colour, ~missing, missing)
        colour = np.where(missing[..., None], around, colour)
    return Image(np.clip(np.rint(colour), 0, 255).astype(np.uint8), source=result.picture.source)
