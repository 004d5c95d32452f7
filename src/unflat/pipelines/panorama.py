"""One picture that looks around -> one scene to stand in.

panorama ─ windows ─ network ─ brought together ─ six sides ─ metres ─ layers ─┬─ surface ─► glb gltf usdz obj ply html
                                                                               ├─ splats  ─► splat.ply spz
                                                                               └─ points  ─► ply
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from unflat.errors import InputError
from unflat.pipelines.report import Clock
from unflat.pipelines.result import Form, PhotoResult
from unflat.pipelines.source import Given
from unflat.stages.estimate_panorama import Around, estimate_panorama, given_panorama
from unflat.stages.scale_panorama import scale_panorama, scaled
from unflat.trust.lineage import Lineage
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, Size
from unflat.types.panorama import Panorama
from unflat.types.scale import Scale
from unflat.types.scene import Frame, Node

if TYPE_CHECKING:
    from pathlib import Path

    from unflat.formats.outlet import SealOptions
    from unflat.pipelines.eye import Eye
    from unflat.pipelines.photo import PhotoOptions
    from unflat.stages.build_sphere import Sphere
    from unflat.types.safe_view import SafeView

_HOW = {
    "shape": "This picture was taken for a 360° panorama, for it is 2:1 and closes; --panorama no says otherwise.",
    "file": "This picture is a panorama, as its file says.",
    "given": "This picture was taken for a panorama, as you said.",
}
ASPECT = 16 / 9
"""Of the window that looks ahead."""


class PanoramaResult(PhotoResult):
    """A panorama with its depth in metres, and the scenes made from it.

    ``depth`` holds distances along the rays of the panorama's own pixels.
    """

    frame = Frame.LEVEL_RDF

    def __init__(
        self, picture: Image, around: Around, scale: Scale, options: PhotoOptions, lineage: Lineage, clock: Clock
    ) -> None:
        super().__init__(picture, around.distance, scale, options, lineage, clock)
        self.around = around

    @cached_property
    def camera(self) -> Camera:
        """A window that looks ahead, 90 degrees wide, level, in the middle of everything."""
        assert self.depth.panorama is not None
        panorama = self.depth.panorama.resized(self.picture.size)
        width = max(16, round(2 * panorama.pixels_per_radian))
        window = Intrinsics.from_fov(90, Size(width, max(9, round(width / ASPECT))), "given")
        return Camera(window, Pose.identity(), "panorama", panorama)

    @cached_property
    def sphere(self) -> Sphere:
        """The sides of a cube around the eye, in layers."""
        from unflat.stages.build_sphere import layer_sphere

        with self._clock.stage("layers"):
            return layer_sphere(self.around.sides, self.options.layer)

    @cached_property
    def safe_view(self) -> SafeView:
        """How far the eye may leave the middle before the guess begins, whichever way it looks."""
        from unflat.stages.build_sphere import safe_sphere

        sphere = self.sphere
        with self._clock.stage("safe view"):
            return safe_sphere(sphere, self.options.safe)

    def save_eye(
        self, eye: Eye, *paths: str | Path, force: bool = False, seal: SealOptions | None = None
    ) -> PhotoResult:
        """A panorama has no other eye.

        Raises:
            InputError: Always.
        """
        raise InputError("a panorama has no other eye", hint="--panorama no takes the picture for an ordinary one.")

    @property
    def report(self) -> dict[str, Any]:
        """What the run says of itself, and how far the picture goes around."""
        panorama = self.camera.panorama
        assert panorama is not None
        left, right, top, bottom = (round(angle, 3) for angle in panorama.span)
        said = {"left_deg": left, "right_deg": right, "top_deg": top, "bottom_deg": bottom}
        return super().report | {"panorama": {**said, "projection": panorama.projection, "basis": panorama.basis}}

    def build(self, form: Form) -> tuple[Node, ...]:
        """The nodes of one form.

        Raises:
            InputError: The form is a relief.
        """
        from unflat.stages.build_sphere import build_sphere, point_sphere, splat_sphere
        from unflat.stages.build_surface import SurfaceOptions

        if form == "relief":
            raise InputError(
                "a panorama has no front that a relief could be made of",
                hint="Write .glb, .ply or .obj, or take it for an ordinary picture with --panorama no.",
            )
        if form == "splats":
            layered = self.options.surface.layers != "none"
            return (Node("splats", splat_sphere(self.sphere, self.options.splat, layered=layered)),)
        if form == "points":
            return (Node("points", point_sphere(self.sphere, self.options.cloud)),)
        chosen = self.chosen(form)
        assert isinstance(chosen, SurfaceOptions) and self.camera.panorama is not None
        return self.nodes_of(build_sphere(self.sphere, self.camera.panorama, self.picture, chosen))


def panorama_to_scene(
    image: Image, panorama: Panorama, given: Given | None, options: PhotoOptions, clock: Clock, lineage: Lineage
) -> PanoramaResult:
    """Turn a panorama into space.

    Args:
        image: The upright picture.
        panorama: Its camera.
        given: Depth that came from the user: distances along the rays of its pixels; None asks the model.
        options: See :class:`unflat.pipelines.photo.PhotoOptions`.
        clock: Times the stages.
        lineage: Takes the steps and warnings.
    """
    from unflat.pipelines.result import size_warning

    around = look_around(image, panorama, given, options, clock, lineage)
    with clock.stage("scale"):
        around, scale = in_metres(around, image, options, lineage, given)
    warning = size_warning(scale)
    if warning is not None:
        lineage.warn(warning)
    return PanoramaResult(image, around, scale, options, lineage, clock)


def look_around(
    image: Image, panorama: Panorama, given: Given | None, options: PhotoOptions, clock: Clock, lineage: Lineage
) -> Around:
    """Distances all around, up to one factor unless they came in metres; noted in the lineage.

    Raises:
        InputError: There is no surface, the given depth is that of a pinhole camera, or panes are to be made flat.
    """
    from unflat.pipelines.photo import say_depth

    if options.ahead.reflections == "surface":
        hint = "Leave out --reflections, or say --panorama no."
        raise InputError("mirrors and panes are not made flat in a panorama", hint=hint)
    for note in image.notes:
        lineage.warn(note)
    lineage.warn(_HOW[panorama.basis])
    lineage.did(
        "panorama", basis=panorama.basis, projection=panorama.projection, span_deg=[round(a, 3) for a in panorama.span]
    )
    source = options.source
    with clock.stage("depth"):
        if given is None:
            model = "auto" if source.file is not None else source.depth
            around = estimate_panorama(image, panorama, model, options.estimate, source.depth_kind)
        else:
            if given.depth.intrinsics is not None:
                raise InputError(
                    "this depth belongs to a pinhole camera, the picture is a panorama",
                    hint="Give distances along the rays of the panorama's pixels, or --panorama no.",
                )
            if given.source is not None:
                lineage.read(given.source)
            around = given_panorama(given.depth, image, panorama, options.estimate)
    say_depth(around.seen, around.distance, lineage)
    if around.apart is not None:
        before, after = around.apart
        lineage.did("bring together", apart_before=round(before, 4), apart_after=round(after, 4))
    return around


def distance_around(
    image: Image, panorama: Panorama, given: Given | None, options: PhotoOptions, clock: Clock, lineage: Lineage
) -> DepthMap:
    """Distances along the rays of a panorama's pixels; in metres where anything but an assumption tells them."""
    around = look_around(image, panorama, given, options, clock, lineage)
    metric = around.distance.kind is DepthKind.METRIC
    if metric or options.scale.known_length is not None or options.around.eye_height is not None:
        with clock.stage("scale"):
            sized, scale = in_metres(around, image, options, lineage, given)
        if not scale.assumed:
            around = sized
    lineage.warn("The map holds distances along the rays of the panorama's pixels, not depth along an axis.")
    return around.distance


def in_metres(
    around: Around, image: Image, options: PhotoOptions, lineage: Lineage, given: Given | None
) -> tuple[Around, Scale]:
    """The same in metres, true or assumed; noted in the lineage."""
    from unflat.pipelines.photo import believed, told_scale

    told = told_scale(given)
    if told is not None and options.scale.known_length is None and options.around.eye_height is None:
        factor, scale = 1.0, told
    else:
        known = believed(options.scale, given)
        factor, scale = scale_panorama(around.distance, around.sides, image, known, options.around.eye_height)
    lineage.did("scale_panorama", basis=scale.basis, detail=scale.detail, low=scale.low, high=scale.high)
    sides = tuple(replace(side, depth=scaled(side.depth, factor, scale)) for side in around.sides)
    distance: DepthMap = scaled(around.distance, factor, scale)
    return replace(around, sides=sides, distance=distance), scale
