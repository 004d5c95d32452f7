"""A result -> what the other eye sees of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from unflat.errors import InputError
from unflat.trust.mark import with_mark
from unflat.types.arrays import U8
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.depth import DepthMap
from unflat.types.image import Image
from unflat.types.provenance import Provenance

if TYPE_CHECKING:
    from unflat.formats.outlet import SealOptions
    from unflat.pipelines.result import PhotoResult
    from unflat.stages.build_layers import LayerOptions
    from unflat.stages.build_surface import SurfaceOptions

Eye = Literal["left", "right"]
BETWEEN_EYES_M = 0.063
"""Between the eyes of most grown people."""
_TRIANGLES = 4_000_000
_ERROR = 2e-4


def write_view(
    view: Image, path: Path, story: Provenance, seal: SealOptions | None = None, *, force: bool = False
) -> tuple[str, ...]:
    """Write a picture that was made, signed.

    Args:
        view: The picture.
        path: Where to; the suffix chooses the format.
        story: Where it came from.
        seal: Whether, and with what, it is signed.
        force: Replace a file that exists.

    Returns:
        What the user should know of it.

    Raises:
        InputError: No picture format has the suffix.
        OutputError: The place cannot be written.
    """
    from unflat.formats.image import write_image
    from unflat.formats.outlet import SealOptions, handed_out
    from unflat.formats.picture_story import picture_words
    from unflat.pipelines.marking import marked_view

    seal = seal or SealOptions()
    if seal.mark:
        story = with_mark(story)
        view = replace(view, pixels=marked_view(view.pixels, story), jpeg=None)
    with handed_out(path, story, seal, force=force) as out:
        write_image(view, out.path, text=picture_words(out.story))
    return out.notes


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
    options = result.options
    apart = result.baseline_m or BETWEEN_EYES_M
    seam = options.layer.seam if result.baseline_m is None else min(1, options.layer.seam)
    aside = apart if eye == "right" else -apart
    layer, lens = replace(options.layer, seam=seam), result.camera.intrinsics
    colours = layered_view(result.depth, result.picture, aside, layer, options.surface, lens)
    return Image(colours, source=result.picture.source)


def layered_view(
    depth: DepthMap,
    picture: Image,
    aside: float,
    layer: LayerOptions,
    surface: SurfaceOptions | None = None,
    lens: Intrinsics | None = None,
) -> U8:
    """Build the layers of a picture as far as an eye needs them, and see them with it.

    Args:
        depth: With a camera, of a kind that has a front.
        picture: What was seen.
        aside: How far to the right the eye stands, in the unit of the depth.
        layer: How; its reach and parallax are settled here.
        surface: How layers become triangles; how many there are is settled here.
        lens: Of the eye; None is that of the depth.

    Returns:
        (h, w, 3) uint8; what nothing shows continues its surroundings smoothly.
    """
    from unflat.geometry.membrane import membrane
    from unflat.stages.build_layered import build_layered
    from unflat.stages.build_layers import build_layers
    from unflat.stages.build_surface import SurfaceOptions
    from unflat.stages.render_view import render_view

    if depth.intrinsics is None:
        raise InputError("a depth map needs a camera before it is seen by another eye", hint="Calibrate it first.")
    middle = float(np.median(1 / depth.z[depth.seen]))
    layers = build_layers(depth, picture, replace(layer, reach=min(1.0, abs(aside) * middle), parallax=np.inf))
    fine = replace(surface or SurfaceOptions(), triangles=_TRIANGLES, max_error=_ERROR)
    pose = np.eye(4)
    pose[0, 3] = aside
    view = render_view(build_layered(layers, fine).nodes, Camera(lens or depth.intrinsics, Pose(pose), "other eye"))
    colour, missing = view.colour, view.open
    if missing.any():
        around, _ = membrane(colour, ~missing, missing)
        colour = np.where(missing[..., None], around, colour)
    return np.clip(np.rint(colour), 0, 255).astype(np.uint8)
