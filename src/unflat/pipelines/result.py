"""What a picture became: built in each form when it is asked for, saved in every format."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unflat.errors import InputError
from unflat.models.painter import painter
from unflat.pipelines.flat import from_keywords
from unflat.pipelines.forecast import plain
from unflat.pipelines.report import Clock, peak_memory_mb
from unflat.trust.lineage import Lineage
from unflat.types.camera import Camera, Pose
from unflat.types.depth import DepthMap
from unflat.types.image import Image
from unflat.types.provenance import Provenance, Step
from unflat.types.scale import Scale
from unflat.types.scene import Frame, Node, Scene

if TYPE_CHECKING:
    from unflat.formats.outlet import SealOptions
    from unflat.formats.registry import ExportOptions
    from unflat.pipelines.eye import Eye
    from unflat.pipelines.photo import PhotoOptions
    from unflat.stages.build_relief import ReliefOptions
    from unflat.stages.build_surface import Surface, SurfaceOptions
    from unflat.stages.make_points import PointOptions
    from unflat.stages.make_splats import SplatOptions
    from unflat.types.layers import Layers
    from unflat.types.safe_view import SafeView

Form = Literal["surface", "ar", "splats", "points", "relief"]
_MESHES: tuple[Form, ...] = ("surface", "ar", "relief")
"""The forms that are made of triangles; the report's ``triangles`` counts the first of them that was built."""
_LAYERED: tuple[Form, ...] = ("surface", "ar", "splats")
"""The forms that are made of layers, where these are wanted."""
AR_TRIANGLES = 100_000
"""What AR Quick Look takes with good grace (Apple's guidance for USDZ)."""

_FORM_OF: dict[str, Form] = {
    ".usdz": "ar",
    ".splat.ply": "splats",
    ".spz": "splats",
    ".pcd": "points",
    ".stl": "relief",
    ".3mf": "relief",
}


_MADE = Scale("made-to-measure", 1.0, 1.0, 1.0, "a relief has the size that was asked for")


def size_warning(scale: Scale) -> str | None:
    """What the user should know where nothing told the size."""
    if not scale.assumed:
        return None
    interval = f"{scale.low:.2g} to {scale.high:.2g}"
    return f"The true size is unknown: it may be {interval} times what is written. Give one length with --known-length."


def form_for(path: Path, ply: Form = "surface") -> Form:
    """Which form a file of this name holds; ``ply`` says what a plain .ply holds."""
    name = path.name.lower()
    for suffix, form in _FORM_OF.items():
        if name.endswith(suffix):
            return form
    return ply if name.endswith(".ply") else "surface"


class PhotoResult:
    """A picture with its depth in metres, and the scenes made from them.

    Attributes:
        picture: The upright picture, and what was continued beyond its border.
        depth: (h, w) depth in written metres, with camera; kind SCALE if those are only assumed.
        scale: How well the metres are known.
        options: What the recipe was told.
        baseline_m: How far apart the two eyes were, in written metres, where the depth came as stereo disparity.
    """

    baseline_m: float | None = None
    frame = Frame.CAMERA_RDF

    def __init__(
        self, picture: Image, depth: DepthMap, scale: Scale, options: PhotoOptions, lineage: Lineage, clock: Clock
    ) -> None:
        self.picture = picture
        self.depth = depth
        self.scale = scale
        self.options = options
        self._lineage = lineage
        self._clock = clock
        self._scenes: dict[Form, Scene] = {}
        self._outputs: list[Path] = []
        self._error: float | None = None
        self._of_layers: Provenance | None = None

    @property
    def scene(self) -> Scene:
        """The scene as a textured surface."""
        return self.as_form("surface")

    @cached_property
    def camera(self) -> Camera:
        """The picture's own camera, at the origin of the scene, for the picture's full size."""
        assert self.depth.intrinsics is not None
        return Camera(self.depth.intrinsics.resized(self.picture.size), Pose.identity(), "photograph")

    def extend(self) -> None:
        """Let picture and depth go on beyond the picture's border, as the options say; the camera stays the picture's.

        Before any form is built.
        """
        from unflat.stages.extend_picture import extend_picture

        self.camera  # noqa: B018  (the photograph's own, of the photograph's own size)
        with self._clock.stage("extend"):
            wider, self.depth = extend_picture(self.picture, self.depth, self.options.beyond)
        if wider.size == self.picture.size:
            self.warn(
                f"--extend {self.options.beyond.extend:g} is less than one pixel of this picture's depth "
                f"({self.depth.size}): nothing was added beyond its border."
            )
            return
        self.picture = wider
        self._lineage.did("extend_picture", extend=self.options.beyond.extend, size=str(self.picture.size))
        self._lineage.invented = True

    @cached_property
    def layers(self) -> Layers:
        """The picture with what stands behind its outlines."""
        from unflat.stages.build_layers import build_layers

        with self._clock.stage("layers"):
            return build_layers(self.depth, self.picture, self.options.layer)

    @cached_property
    def safe_view(self) -> SafeView:
        """How far the eye may leave the picture's viewpoint before the guess begins."""
        from unflat.stages.safe_orbit import safe_orbit

        layers = self.layers
        with self._clock.stage("safe view"):
            return safe_orbit(layers, self.options.safe)

    def as_form(self, form: Form) -> Scene:
        """The scene in one of its forms; built once."""
        if form not in self._scenes:
            safe = self.safe_view if form in _LAYERED and self.options.surface.layers != "none" else None
            with self._clock.stage(form):
                nodes = self.build(form)
            scale = _MADE if form == "relief" else self.scale
            story = self._story(form, nodes)
            # What goes beyond the picture or around is no depth of the picture that could be given back for it.
            plain = self.depth.panorama is None and self.depth.invented is None
            depth = self._told_depth() if form == "surface" and plain else None
            self._scenes[form] = Scene(nodes, (self.camera,), self.frame, scale, story, safe, depth)
        return self._scenes[form]

    def build(self, form: Form) -> tuple[Node, ...]:
        """The nodes of one form."""
        return _BUILDERS[form](self)

    def _story(self, form: Form, nodes: tuple[Node, ...]) -> Provenance:
        """The story of one form: what all forms share, and the step that built this one."""
        shared = self._lineage.seal()
        if form == "relief":
            shared = replace(shared, warnings=tuple(w for w in shared.warnings if w != size_warning(self.scale)))
        made, told = _any_invented(nodes), tuple(sorted(asdict(self.chosen(form)).items()))
        step = Step(f"build {form}", *painter(used=made), told)
        return replace(shared, steps=(*shared.steps, step), invented=made)

    def chosen(self, form: Form) -> SurfaceOptions | SplatOptions | PointOptions | ReliefOptions:
        """The options that a form is built with."""
        options = self.options
        if form == "ar":
            triangles = min(options.surface.triangles, AR_TRIANGLES)
            return replace(options.surface, triangles=triangles, sky="none")
        fitting = {
            "surface": options.surface,
            "splats": options.splat,
            "points": options.cloud,
            "relief": options.relief,
        }
        return fitting[form]

    def save(
        self, *paths: str | Path, options: ExportOptions | None = None, ply: Form = "surface", **export: Any
    ) -> PhotoResult:
        """Write the result; the suffix of each path chooses the format.

        Args:
            *paths: ``x.glb``, ``x.usdz``, ``x.html`` … ``x.png`` … for the depth, ``x.exr`` for all layers.
            options: How files are written.
            ply: What a plain ``.ply`` holds: "surface", "points" or "splats".
            **export: Any of the export options by name: ``force=True``, ``texture_size=2048``.

        Returns:
            Itself, so that calls can be chained.

        Raises:
            InputError: No format has the suffix.
            OutputError: A file exists already, or cannot be written.
        """
        from unflat.formats import registry
        from unflat.formats.atomic import check_places

        options = from_keywords(options or registry.ExportOptions(), export)
        if ply not in ("surface", "points", "splats"):
            raise InputError(f"a .ply cannot hold '{ply}'", hint="It holds surface, points or splats.")
        places = [Path(path) for path in paths]
        check_places(places, registry.format_of_picture, force=options.force)
        for path in places:
            holds_depth = registry.format_of(path).noun is DepthMap
            if path.suffix.lower() == ".exr" and self.depth.panorama is None and self.options.surface.layers != "none":
                thing = self._told_layers()
            else:
                thing = self._told_depth() if holds_depth else self.as_form(form_for(path, ply))
            with self._clock.stage("write"):
                out = registry.write(thing, path, options)
            self.wrote(path, notes=out.notes)
        return self

    def save_eye(
        self, eye: Eye, *paths: str | Path, force: bool = False, seal: SealOptions | None = None
    ) -> PhotoResult:
        """Write what the other eye sees of the layered scene, as pictures of the picture's own size.

        Args:
            eye: "left" or "right"; the picture itself is the other one.
            *paths: ``x.png``, ``x.jpg`` …
            force: Replace files that exist.
            seal: Whether, and with what, the files are signed.

        Raises:
            InputError: No such eye, or no picture format has the suffix.
            OutputError: A file exists already, or cannot be written.
        """
        from unflat.formats.atomic import check_places
        from unflat.formats.image import check_suffix
        from unflat.pipelines.eye import eye_view, write_view

        if eye not in ("left", "right"):
            raise InputError(f"there is no {eye!r} eye", hint="Choose left or right.")
        places = [Path(path) for path in paths]
        check_places(places, check_suffix, force=force)
        with self._clock.stage("eye"):
            seen = eye_view(self, eye)
        step = Step("render eye", options=(("eye", eye),))
        story = self._lineage.seal()
        story = replace(story, steps=(*story.steps, step), invented=True)
        for path in places:
            with self._clock.stage("write"):
                self.wrote(path, notes=write_view(seen, path, story, seal, force=force))
        return self

    def film_story(self, told: tuple[tuple[str, str | float], ...]) -> Provenance:
        """The story of a film made from the scene; ``told`` is what it says of the camera's move."""
        story = self.scene.provenance
        return replace(story, steps=(*story.steps, Step("render film", options=told)), invented=True)

    def timed(self, stage: str) -> AbstractContextManager[None]:
        """Times a stage that stands on this result, for the report."""
        return self._clock.stage(stage)

    def warn(self, message: str) -> None:
        """Note something that the user should know, for the report and for files written from now on."""
        self._lineage.warn(message)

    def wrote(self, *paths: Path, notes: tuple[str, ...] = ()) -> None:
        """Note files that were written, and what the user should know of that."""
        self._outputs += paths
        for note in notes:
            self.warn(note)

    def _repr_html_(self) -> str:
        """For notebooks: the depth as a picture, and what is known of camera and size."""
        from unflat.formats.depthmap import thumbnail

        words = f"{self.picture.source.name} · {self.picture.size} · scale {self.scale.basis}"
        return (
            f'<figure><img src="{thumbnail(self.depth)}" alt="depth"><figcaption>{escape(words)}</figcaption></figure>'
        )

    def _told_depth(self) -> DepthMap:
        """The depth with its story and what is known of its size, for files."""
        return replace(self.depth, provenance=self._lineage.seal(), scale=self.scale)

    def _told_layers(self) -> Layers:
        """The layers with their story and what is known of their size, for files."""
        layers, story = self.layers, self._lineage.seal()
        others = (*layers.behind, layers.soft, layers.sky)
        made = any(one is not None and bool(one.invented.any()) for one in others)
        step = Step("build_layers", *painter(used=made), (("reach_m", layers.reach),))
        story = replace(story, steps=(*story.steps, step), invented=story.invented or made)
        self._of_layers = story
        return replace(layers, depth=replace(layers.depth, provenance=story, scale=self.scale))

    @property
    def report(self) -> dict[str, Any]:
        """What the run says of itself, as plain values: the object that ``--json`` prints."""
        from unflat.formats.provenance_text import safe_to_plain, to_plain

        triangles = {form: self._scenes[form].triangles for form in _MESHES if form in self._scenes}
        safe = next((s.safe_view for s in self._scenes.values() if s.safe_view is not None), None)
        confidence = self.depth.confidence
        return {
            "outputs": [str(path) for path in self._outputs],
            "seconds": {name: round(value, 4) for name, value in self._clock.seconds.items()},
            "peak_memory_mb": peak_memory_mb(),
            "triangles": next(iter(triangles.values()), None),
            "triangles_by_form": triangles,
            "surface_error": self._error,
            "kind": self.depth.kind.value,
            "model": self.depth.origin,
            "confidence": None if confidence is None else round(float(confidence[self.depth.seen].mean()), 4),
            "scale": {
                "basis": self.scale.basis,
                "low": self.scale.low,
                "high": self.scale.high,
                "coverage": self.scale.coverage,
                "detail": self.scale.detail,
            },
            "camera": {
                "fov_x_deg": round(self.camera.intrinsics.fov_x_deg, 3),
                "basis": self.camera.intrinsics.basis,
            },
            "safe_view": safe and safe_to_plain(safe),
            "forecast": plain(self._lineage.findings),
            "warnings": list(self._lineage.warnings),
            "provenance": to_plain(self._whole_story()),
        }

    def _whole_story(self) -> Provenance:
        """What was read and done so far, with the steps of every form that was built."""
        shared = self._lineage.seal()
        built = [scene.provenance for scene in self._scenes.values()]
        built += [] if self._of_layers is None else [self._of_layers]
        steps = [step for story in built for step in story.steps[len(shared.steps) :]]
        return replace(shared, steps=(*shared.steps, *steps), invented=any(story.invented for story in built))

    def __repr__(self) -> str:
        return f"PhotoResult({self.picture.source.name}, {self.depth!r}, scale {self.scale.basis})"

    def _surface(self, form: Form) -> tuple[Node, ...]:
        from unflat.stages.build_layered import build_layered
        from unflat.stages.build_surface import SurfaceOptions, build_surface

        chosen = self.chosen(form)
        assert isinstance(chosen, SurfaceOptions)
        if chosen.layers == "none":
            built = build_surface(self.depth, self.picture, chosen)
        else:
            built = build_layered(self.layers, chosen)
        return self.nodes_of(built)

    def nodes_of(self, built: Surface) -> tuple[Node, ...]:
        """The nodes of a surface, once its error and its notes are noted."""
        self._error = max(self._error or 0.0, built.max_error)
        for note in built.notes:
            self._lineage.warn(note)
        return built.nodes

    def _splats(self) -> tuple[Node, ...]:
        from unflat.stages.make_splats import make_splats, splats_of

        if self.options.surface.layers == "none":
            return (Node("splats", make_splats(self.depth, self.picture, self.options.splat)),)
        return (Node("splats", splats_of(self.layers, self.options.splat)),)

    def _points(self) -> tuple[Node, ...]:
        from unflat.stages.make_points import make_points

        return (Node("points", make_points(self.depth, self.picture, self.options.cloud)),)

    def _relief(self) -> tuple[Node, ...]:
        from unflat.stages.build_relief import build_relief

        return (Node("relief", build_relief(self.depth, self.options.relief)),)


_BUILDERS: dict[Form, Callable[[PhotoResult], tuple[Node, ...]]] = {
    "surface": lambda result: result._surface("surface"),
    "ar": lambda result: result._surface("ar"),
    "splats": lambda result: result._splats(),
    "points": lambda result: result._points(),
    "relief": lambda result: result._relief(),
}


def _any_invented(nodes: tuple[Node, ...]) -> bool:
    return any(node.item.invented is not None and bool(node.item.invented.any()) for node in nodes)
