"""One picture -> one scene.

picture ─ open ─ depth (model | phone | file) ─ camera ─ refine ─ metres ─┬─ surface ─► glb gltf usdz obj ply html
                                                                          ├─ splats  ─► splat.ply spz
                                                                          ├─ points  ─► ply
                                                                          └─ relief  ─► stl 3mf
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.lens import judge_lens
from unflat.pipelines.diagram import DiagramOptions, diagram_to_scene
from unflat.pipelines.forecast import minded
from unflat.pipelines.people import LeaveOptions, free, meet
from unflat.pipelines.report import Clock, Progress, silent
from unflat.pipelines.result import PhotoResult, size_warning
from unflat.pipelines.source import (
    DepthSource,
    Given,
    Picture,
    given_depth,
    handed_depth,
    lost_confidence,
    open_picture,
    scale_of,
    take_out,
    told_style,
)
from unflat.stages.build_layers import LayerOptions
from unflat.stages.build_relief import ReliefOptions
from unflat.stages.build_surface import SurfaceOptions
from unflat.stages.calibrate import WIDEST_DEG, CameraOptions, calibrate
from unflat.stages.crop_frame import FrameOptions
from unflat.stages.estimate_depth import DepthOptions, Estimate, check_opaque, estimate_depth, refine_to
from unflat.stages.extend_picture import ExtendOptions
from unflat.stages.forecast import ForecastOptions
from unflat.stages.make_points import PointOptions
from unflat.stages.make_splats import SplatOptions
from unflat.stages.recognise_panorama import PanoramaOptions, recognise_panorama
from unflat.stages.safe_orbit import SafeOptions
from unflat.stages.scale_to_metres import ScaleOptions, of_assumed_shape, scale_to_metres
from unflat.stages.see_as_art import ArtOptions, settle_depth, shown_to_the_eye
from unflat.trust.lineage import Lineage
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image
from unflat.types.panorama import Panorama
from unflat.types.scale import Scale

if TYPE_CHECKING:
    from unflat.models.card import ModelCard

NETWORK_METRIC_ERROR = 0.5
"""How far the metres of a network may be off nine times in ten, at least: on scenes unlike its own they err so."""


@dataclass(frozen=True, slots=True)
class PhotoOptions:
    """Everything a picture's journey can be told."""

    source: DepthSource = field(default_factory=DepthSource)
    estimate: DepthOptions = field(default_factory=DepthOptions)
    camera: CameraOptions = field(default_factory=CameraOptions)
    scale: ScaleOptions = field(default_factory=ScaleOptions)
    layer: LayerOptions = field(default_factory=LayerOptions)
    surface: SurfaceOptions = field(default_factory=SurfaceOptions)
    splat: SplatOptions = field(default_factory=SplatOptions)
    beyond: ExtendOptions = field(default_factory=ExtendOptions)
    cloud: PointOptions = field(default_factory=PointOptions)
    relief: ReliefOptions = field(default_factory=ReliefOptions)
    safe: SafeOptions = field(default_factory=SafeOptions)
    frame: FrameOptions = field(default_factory=FrameOptions)
    ahead: ForecastOptions = field(default_factory=ForecastOptions)
    around: PanoramaOptions = field(default_factory=PanoramaOptions)
    art: ArtOptions = field(default_factory=ArtOptions)
    diagram: DiagramOptions = field(default_factory=DiagramOptions)
    leave: LeaveOptions = field(default_factory=LeaveOptions)


def photo(
    picture: Picture,
    options: PhotoOptions | None = None,
    *,
    handed: DepthMap | NDArray[np.floating] | None = None,
    progress: Progress = silent,
) -> PhotoResult:
    """Turn one picture into space.

    Args:
        picture: A file, an sRGB uint8 array, or an Image.
        options: See :class:`PhotoOptions`.
        handed: Depth in memory, instead of a model's or a file's; an array needs ``options.source.depth_kind``.
        progress: Told the name of each stage as it begins.

    Returns:
        The result: ``.scene``, ``.depth``, ``.save("x.glb", "x.usdz")``.

    Raises:
        UnflatError: Any of the tree; the message and hint say what to do.
    """
    clock, options = Clock(progress), options or PhotoOptions()
    if options.art.style == "diagram":
        return diagram_to_scene(picture, options, clock, handed)
    with clock.stage("read"):
        image, panorama, given, options, lineage = take_in(picture, options, handed)
    if panorama is not None:
        from unflat.pipelines.panorama import panorama_to_scene

        if options.beyond.extend:
            raise InputError("a panorama is not extended", hint="Leave out --extend, or say --panorama no.")

        return panorama_to_scene(image, panorama, given, options, clock, lineage)
    depth, kind = see(image, given, options, clock, lineage, options.estimate.detail)
    unsized = depth
    with clock.stage("scale"):
        depth, scale = sized(depth, kind, image, believed(options.scale, given), lineage, told=told_scale(given))
    warning = size_warning(scale)
    if warning is not None:
        lineage.warn(warning)
    result = PhotoResult(image, depth, scale, options, lineage, clock)
    if given is not None and options.source.depth_kind == "disparity-px":
        seen = depth.surface
        result.baseline_m = float(np.median(depth.z[seen] / unsized.z[seen])) / result.camera.intrinsics.fx
    if options.beyond.extend:
        result.extend()
    return result


class Taken(NamedTuple):
    """What a recipe begins with.

    Attributes:
        image: The upright picture, without what was around it.
        panorama: Its camera, if it looks around.
        given: Depth that needs no model, or None.
        options: Where they speak of pixels or styles, those of ``image``.
        lineage: With all that was noted.
    """

    image: Image
    panorama: Panorama | None
    given: Given | None
    options: PhotoOptions
    lineage: Lineage


def take_in(picture: Picture, options: PhotoOptions, handed: DepthMap | NDArray[np.floating] | None = None) -> Taken:
    """Read a picture and what is known of it: does it look around, what is around it, how was it made, how deep is it.

    Args:
        picture: A file, an sRGB uint8 array, or an Image.
        options: What the user says.
        handed: Depth in memory, instead of a file's.

    Raises:
        InputError: The picture, or what is said of it, cannot be used.
    """
    if options.art.style == "diagram":
        raise InputError(
            "a diagram becomes solids, which have no depth of their own and are no film",
            hint="'unflat photo --style diagram' makes them; --style drawing sees depth in a drawing.",
        )
    image = open_picture(picture)
    if image.alpha is not None:
        check_opaque(image.alpha)
    lineage = Lineage.begin(image.source)
    free([image.source], options.leave, lineage, commercial_only=options.estimate.commercial_only)
    panorama = look_for_panorama(image, options.around, options.camera, options.source, lineage)
    crop, source = None, replace(options.source, phone_depth=options.source.phone_depth and panorama is None)
    if panorama is None:
        image, crop = take_out(image, options.frame, lineage)
    if handed is None:
        given = given_depth(source, picture, image, crop)
    else:
        given = handed_depth(handed, source.depth_kind, image, crop)
    met = meet(image, options.leave, lineage)
    image, given = met.image, given and replace(given, depth=met.redacted(given.depth))
    if given is not None and given.source is not None and lost_confidence(given.depth):
        lineage.warn(
            f"{given.source.name} does not hold the confidence that its depth was made with: nothing in it counts as "
            "doubtful, and how far the eye may go is judged without it. Only .exr keeps it."
        )
    options = replace(options, scale=scale_of(options.scale, crop))
    if panorama is None:
        image, art = told_style(image, options.art, lineage)
        options = replace(options, art=art)
    elif options.art.style not in ("auto", "photo"):
        lineage.warn(f"--style {options.art.style} is not used: a panorama is seen as a photograph.")
    return Taken(image, panorama, given, options, lineage)


def look_for_panorama(
    image: Image, around: PanoramaOptions, camera: CameraOptions, source: DepthSource, lineage: Lineage
) -> Panorama | None:
    """The camera of a picture that looks around; one with a stereo disparity is seen by two ordinary eyes.

    A lens that the user gives an ordinary picture is believed more than a shape that looks like a panorama's.
    """
    told = camera.focal_mm is not None or (camera.fov is not None and camera.fov <= WIDEST_DEG)
    found = None
    if source.depth_kind != "disparity-px" or around.panorama != "auto":
        found = recognise_panorama(image, around, camera.fov)
    if found is not None and found.basis == "shape" and told:
        found = None
    if found is None and image.panorama is not None and around.panorama == "auto" and source.depth_kind is None:
        projection = image.panorama.projection[:40]
        lineage.warn(f"The file says that it is a panorama ({projection}), but not one that is understood: not used.")
    if found is not None and (camera.focal_mm is not None or (camera.fov is not None and found.basis == "file")):
        lineage.warn("The lens that was given is not used: this is a panorama; --panorama no says otherwise.")
    if found is None and around.eye_height is not None:
        lineage.warn("The eye height is not used: this picture is no panorama; --panorama yes says otherwise.")
    return found


def see(
    image: Image, given: Given | None, options: PhotoOptions, clock: Clock, lineage: Lineage, long_side: int
) -> tuple[DepthMap, DepthKind]:
    """Depth with a camera, of a kind that can be lifted, refined to ``long_side``; noted in the lineage.

    Args:
        image: The upright picture.
        given: Depth that came with the picture or from the user; None asks the model.
        options: See :class:`PhotoOptions`.
        clock: Times the stages.
        lineage: Takes the steps and warnings.
        long_side: Of the depth that is returned, in pixels; never more than the picture's.

    Returns:
        The depth, and the kind it had before an unknown offset was assumed.

    Raises:
        InputError: There is no surface in the picture.
    """
    from unflat.geometry.align import assume_scale

    if given is not None and given.depth.panorama is not None:
        raise InputError(
            "this depth holds distances along the rays of a panorama, the picture was taken for an ordinary one",
            hint="Say --panorama yes, or give depth along the axis of a camera.",
        )
    for note in image.notes:
        lineage.warn(note)
    if given is not None and given.source is not None:
        lineage.read(given.source)
    size = image.size.fitted(long_side)
    seen = look(_shown(image, options, lineage), options, clock) if given is None else Estimate(given.depth)
    seen = minded(seen, image, options, clock, lineage)
    with clock.stage("refine"):
        depth = assume_scale(refine_to(seen, image, size, exact=given is not None and given.exact))
        if given is None:
            depth = settle_depth(depth, options.art.style, image)
    if given is not None and given.fill and not np.asarray(depth.valid).all():
        depth = _filled(depth, image, options, clock, lineage)
    with clock.stage("camera"):
        intrinsics = calibrate(
            image, options.camera, measured=seen.depth.intrinsics, model_focal=seen.focal_over_long_side
        )
        depth = replace(depth, intrinsics=intrinsics.resized(depth.size))
    _say_camera(intrinsics, image, lineage)
    say_depth(seen, depth, lineage)
    if not depth.surface.any():
        raise InputError(
            "there is no surface in this picture: all of it is sky, transparent or without depth",
            hint="Give a depth map with --depth FILE.",
        )
    return depth, seen.depth.kind


def sized(
    depth: DepthMap,
    kind: DepthKind,
    image: Image,
    options: ScaleOptions,
    lineage: Lineage,
    *,
    told: Scale | None = None,
) -> tuple[DepthMap, Scale]:
    """The depth in metres, true or assumed; noted in the lineage.

    Args:
        depth: As :func:`see` gives it.
        kind: The kind it had before an offset was assumed.
        image: The upright picture.
        options: What the user knows of the size.
        lineage: Takes the step.
        told: How well its metres are known, if the depth has its metres already; a known length is believed more.
    """
    if told is not None and options.known_length is None:
        lineage.did("scale_to_metres", basis=told.basis, detail=told.detail, low=told.low, high=told.high)
        return depth, told
    depth, scale = scale_to_metres(depth, image, options)
    if not kind.is_depth:
        depth, scale = of_assumed_shape(depth, scale)
    lineage.did("scale_to_metres", basis=scale.basis, detail=scale.detail, low=scale.low, high=scale.high)
    return depth, scale


def told_scale(given: Given | None) -> Scale | None:
    """What a depth file of ours says of its metres."""
    return None if given is None else given.depth.scale


def believed(options: ScaleOptions, given: Given | None) -> ScaleOptions:
    """A network's metres are believed less than those that were measured."""
    if given is not None:
        return options
    return replace(options, metric_error=max(options.metric_error, NETWORK_METRIC_ERROR))


def look(image: Image, options: PhotoOptions, clock: Clock) -> Estimate:
    """What the chosen model sees."""
    with clock.stage("depth"):
        source = options.source
        if source.file is not None:
            return estimate_depth(image, "auto", options.estimate)
        return estimate_depth(image, source.depth, options.estimate, source.depth_kind)


def _shown(image: Image, options: PhotoOptions, lineage: Lineage) -> Image:
    """What the model is shown; noted in the lineage where that is not the picture itself."""
    shown, note = shown_to_the_eye(image, options.art)
    if note is not None:
        lineage.did("restore_for_eye")
        lineage.warn(note)
    return shown


def _filled(depth: DepthMap, image: Image, options: PhotoOptions, clock: Clock, lineage: Lineage) -> DepthMap:
    """A phone's depth with its holes filled by the model, where the two agree elsewhere."""
    from unflat.geometry.align import assume_scale, merge_depths

    guess = look(image, options, clock)
    with clock.stage("refine"):
        try:
            return merge_depths(depth, assume_scale(refine_to(guess, image, depth.size)))
        except InputError as error:
            lineage.warn(f"The holes of the phone's depth stay open: {error}.")
            return depth


def say_depth(seen: Estimate, depth: DepthMap, lineage: Lineage) -> None:
    """Note what the depth is and where it comes from."""
    kind = seen.depth.kind
    weights = {} if seen.card is None or seen.card.sha256 is None else {"weights_sha256": seen.card.sha256}
    if seen.device != "cpu":
        weights["device"] = seen.device
    lineage.did("depth", model=depth.origin, licence=depth.licence, kind=kind.value, size=str(depth.size), **weights)
    if not kind.is_depth:
        lineage.warn(
            f"The depth is of kind '{kind.value}': its offset is unknown and was assumed, "
            "so straight lines in depth may come out bent."
        )
    if seen.card is not None:
        _say_card(seen.card, lineage)
    if seen.note is not None:
        lineage.warn(seen.note)
    if depth.origin == "ramp":
        lineage.warn("The model 'ramp' does not look at the picture; it is for tests only.")


def _say_card(card: ModelCard, lineage: Lineage) -> None:
    """What the user should know of a model from outside."""
    for assumed in card.assumed:
        lineage.warn(f"Nobody says of '{card.name}' {assumed}; it was assumed. A card beside it would tell.")
    if not card.commercial:
        lineage.warn(
            f"The licence of the weights of '{card.name}' ({card.licence}) does not allow commercial use, "
            "or nobody knows that it does."
        )


def _say_camera(intrinsics: Intrinsics, image: Image, lineage: Lineage) -> None:
    verdict = judge_lens(image.lens, image.size)
    if verdict.note:
        lineage.warn(verdict.note)
    lineage.did("calibrate", basis=intrinsics.basis, fov_x_deg=round(intrinsics.fov_x_deg, 3))
    if intrinsics.guessed:
        who = "the model's guess" if intrinsics.basis == "model" else "assumed"
        lineage.warn(
            f"The focal length is unknown; a field of view of {intrinsics.fov_x_deg:.0f} degrees is {who}. "
            "Give --fov or --focal-mm if you know it."
        )
