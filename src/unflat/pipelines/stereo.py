"""One picture -> two eyes.

picture ─ take_in, see ─► DepthMap ─ plan_stereo ─► Rig ─ make_stereo ─► StereoPair ─ lay_out ─► one file, or two
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.ground import on_ground
from unflat.geometry.layout import PACKED
from unflat.pipelines.people import LeaveOptions
from unflat.pipelines.photo import PhotoOptions, Taken, believed, see, sized, take_in, told_scale
from unflat.pipelines.report import Clock, Progress, silent
from unflat.pipelines.source import DepthSource, Picture
from unflat.pipelines.stereo_result import StereoResult, Views
from unflat.stages.calibrate import CameraOptions
from unflat.stages.crop_frame import FrameOptions
from unflat.stages.estimate_depth import DepthOptions
from unflat.stages.forecast import ForecastOptions
from unflat.stages.lay_out import LayoutOptions
from unflat.stages.make_stereo import Care
from unflat.stages.plan_stereo import StereoOptions
from unflat.stages.recognise_panorama import PanoramaOptions
from unflat.stages.scale_to_metres import ScaleOptions
from unflat.stages.see_as_art import ArtOptions
from unflat.types.depth import DepthKind, DepthMap

_LARGEST = 20_000_000
"""What is made up in pictures of more pixels is not continued by the network, which takes 150 bytes for each."""


@dataclass(frozen=True, slots=True)
class StereoPictureOptions:
    """Everything that two eyes for one picture can be told."""

    eyes: StereoOptions = field(default_factory=StereoOptions)
    lay: LayoutOptions = field(default_factory=LayoutOptions)
    source: DepthSource = field(default_factory=DepthSource)
    estimate: DepthOptions = field(default_factory=lambda: DepthOptions(detail=4096))
    camera: CameraOptions = field(default_factory=CameraOptions)
    scale: ScaleOptions = field(default_factory=ScaleOptions)
    frame: FrameOptions = field(default_factory=FrameOptions)
    ahead: ForecastOptions = field(default_factory=ForecastOptions)
    around: PanoramaOptions = field(default_factory=PanoramaOptions)
    art: ArtOptions = field(default_factory=ArtOptions)
    leave: LeaveOptions = field(default_factory=LeaveOptions)


def stereo(
    picture: Picture,
    options: StereoPictureOptions | None = None,
    *,
    handed: DepthMap | NDArray[np.floating] | None = None,
    progress: Progress = silent,
) -> StereoResult:
    """See one picture with two eyes.

    Args:
        picture: A file, an sRGB uint8 array, or an Image.
        options: See :class:`StereoPictureOptions`.
        handed: Depth in memory, instead of a model's or a file's; an array needs ``options.source.depth_kind``.
        progress: Told the name of each stage as it begins.

    Returns:
        The result: ``.pair``, ``.save("x.jpg", "x.mpo")``.

    Raises:
        UnflatError: Any of the tree; the message and hint say what to do.
    """
    options = options or StereoPictureOptions()
    clock = Clock(progress)
    with clock.stage("read"):
        told = {one.name: getattr(options, one.name) for one in fields(options) if one.name not in ("eyes", "lay")}
        taken = take_in(picture, PhotoOptions(**told), handed)
        if taken.panorama is not None:
            raise InputError(
                f"{taken.image.source.name} is a panorama: two eyes are given ordinary pictures only",
                hint="--panorama no takes it for one; 'unflat photo' makes a scene of it, to look around in a headset.",
            )
        views = _shown(picture, taken)
    given, lineage = taken.given, taken.lineage
    finest = taken.image.size.long_side if given is not None and given.exact else options.estimate.detail
    depth, kind = see(taken.image, given, taken.options, clock, lineage, finest)
    if depth.kind is DepthKind.METRIC or options.scale.known_length is not None or options.eyes.ipd_mm is not None:
        with clock.stage("scale"):
            known = believed(taken.options.scale, given)
            depth, size = sized(depth, kind, taken.image, known, lineage, told=told_scale(given))
        depth = replace(depth, scale=size)
    if options.eyes.ipd_mm is not None and (depth.scale is None or depth.scale.assumed):
        lineage.warn("The size of the scene was assumed, so --ipd-mm is too; --known-length makes both true.")
    measured = given is not None and options.source.depth_kind == "disparity-px"
    care = Care(taken.image.size.pixels <= _LARGEST, measured, options.estimate.threads)
    return StereoResult(views, depth, options.eyes, options.lay, lineage, clock, care)


def _shown(picture: Picture, taken: Taken) -> Views:
    """What is moved: the picture in the colours of its file where it was not cropped, laid on white if cut out."""
    image, pixels, profile = taken.image, taken.image.pixels, None
    cropped = any(step.name == "crop_frame" for step in taken.lineage.steps)
    if isinstance(picture, str | Path) and not cropped:
        from unflat.formats.own_colours import own_colours

        own = own_colours(Path(picture))
        if own is not None and own[0].shape == pixels.shape:
            pixels, profile = own
    if image.alpha is not None:
        pixels = on_ground(pixels, image.alpha)
        taken.lineage.warn(
            "The picture is cut out: it is laid on white, but for PNG, WebP, TIFF and AVIF of whole views."
        )
    if isinstance(picture, str | Path):
        from unflat.formats.stereo_told import told_stereo

        held = told_stereo(Path(picture), image, None)
        if held is not None and held.layout in PACKED:
            taken.lineage.warn(
                f"The picture seems to hold two views already ({held.layout.value}); it is taken for one."
            )
    return Views(image, pixels, profile)
