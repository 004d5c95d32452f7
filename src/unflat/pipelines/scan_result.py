"""What many pictures became: built in each form when it is asked for, saved in every format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from unflat.errors import InputError
from unflat.pipelines.flat import from_keywords
from unflat.pipelines.report import peak_memory_mb
from unflat.pipelines.result import AR_TRIANGLES, size_warning
from unflat.pipelines.scan import Scan
from unflat.types.mesh import Mesh
from unflat.types.occupancy import Occupancy
from unflat.types.points import PointCloud
from unflat.types.provenance import Provenance, Step
from unflat.types.scene import Frame, Node, Scene
from unflat.types.views import Reconstruction

if TYPE_CHECKING:
    from unflat.formats.registry import ExportOptions

Form = Literal["surface", "ar", "bare", "points", "splats", "print"]
"""A textured surface, one that AR takes, one with colours at its vertices alone, points, splats, a closed body."""
Ply = Literal["surface", "points", "splats"]
_FORMS: tuple[tuple[str, Form], ...] = (
    (".glb", "surface"),
    (".gltf", "surface"),
    (".obj", "surface"),
    (".html", "surface"),
    (".usdz", "ar"),
    (".splat.ply", "splats"),
    (".spz", "splats"),
    (".pcd", "points"),
    (".stl", "print"),
    (".3mf", "print"),
)
_OF_PLY: dict[Ply, Form] = {"surface": "bare", "points": "points", "splats": "splats"}
_AR_TEXTURE = 2048


def _form_of(path: Path, ply: Ply) -> Form:
    """Which form a file of this name holds."""
    for suffix, form in _FORMS:
        if path.name.lower().endswith(suffix):
            return form
    return _OF_PLY[ply]


def check_noun(path: Path) -> None:
    """Refuse a suffix that a scan has nothing for.

    Raises:
        InputError: It is of no format, or of one that holds a depth map.
    """
    from unflat.formats.registry import format_of

    row = format_of(path)
    if row.noun not in (Scene, Reconstruction, Occupancy):
        raise InputError(
            f"{row.name} holds the depth of one picture, not a scene of many",
            hint="Scenes go to .html .glb .usdz .obj .ply .splat.ply .spz, cameras to .tum .colmap .nerfstudio, "
            "what is free to go to .yaml.",
        )


class ScanResult:
    """A place that was scanned: ``.cameras``, ``.scene``, ``.save("x.glb", "x.html")``.

    Attributes:
        run: Its steps.
    """

    def __init__(self, run: Scan) -> None:
        self.run = run
        self._scenes: dict[Form, Scene] = {}
        self._outputs: list[Path] = []
        self._error: float | None = None

    @property
    def cameras(self) -> Reconstruction:
        """Where the pictures were taken, upright and in (true or assumed) metres, and the points that tell so."""
        return self.run.cameras

    @property
    def scene(self) -> Scene:
        """The scene as a textured surface."""
        return self.as_form("surface")

    def as_form(self, form: Form) -> Scene:
        """The scene in one of its forms; built once."""
        if form not in self._scenes:
            nodes, step = _BUILDERS[form](self)
            cameras = self.cameras
            assert cameras.scale is not None
            warning = size_warning(cameras.scale)
            if warning is not None:
                self.run.lineage.warn(warning)
            track = cameras.track() if self.run.stills.ordered else None
            shown = self.run.pinholes if self.run.stills.ordered else self.run.undistorted
            story = self.run.lineage.seal()
            self._scenes[form] = Scene(
                nodes,
                tuple(view.camera for view in shown.views),
                Frame.LEVEL_RDF if cameras.level else Frame.CAMERA_RDF,
                cameras.scale,
                replace(story, steps=(*story.steps, step), invented=_made_up(nodes)),
                tracks=() if track is None else (track,),
            )
        return self._scenes[form]

    def save(
        self, *paths: str | Path, options: ExportOptions | None = None, ply: Ply = "surface", **export: Any
    ) -> ScanResult:
        """Write the result; the suffix of each path chooses the format.

        Args:
            *paths: ``x.html``, ``x.glb``, ``x.usdz``, ``x.spz`` … for the scene; ``x.tum``, ``x.colmap``,
                ``x.nerfstudio`` for its cameras; ``x.yaml`` or ``x.pgm`` (both appear) for what is free to go.
            options: How files are written.
            ply: What a plain ``.ply`` holds: "surface", "points" or "splats".
            **export: Any of the export options by name: ``force=True``.

        Returns:
            Itself, so that calls can be chained.

        Raises:
            InputError: No format has the suffix, or too little could be seen in the pictures.
            OutputError: A file exists already, or cannot be written.
        """
        from unflat.formats import registry
        from unflat.formats.atomic import check_distinct

        options = from_keywords(options or registry.ExportOptions(), export)
        places = [Path(path) for path in paths]
        for path in places:
            check_noun(path)
            registry.format_of(path).check(path, force=options.force)
        check_distinct([file for path in places for file in registry.format_of(path).targets(path)])
        for path in places:
            thing = self._thing(path, ply)
            with self.run.clock.stage("write"):
                out = registry.write(thing, path, options)
            self._outputs.append(path)
            for note in out.notes:
                self.run.lineage.warn(note)
        return self

    @cached_property
    def occupancy(self) -> Occupancy:
        """Where one can go: cells of the floor that are free, occupied, or that nobody saw."""
        from unflat.stages.occupancy import occupancy

        if not self.cameras.level:
            self.run.lineage.warn("Nothing told which way is up, so the map of what is free may be one of a wall.")
        with self.run.clock.stage("occupancy"):
            return occupancy(self.run.depths, self.run.options.occupancy, self.cameras.scale)

    def _thing(self, path: Path, ply: Ply) -> Scene | Reconstruction | Occupancy:
        from unflat.formats.registry import format_of

        noun = format_of(path).noun
        if noun is Occupancy:
            return replace(self.occupancy, provenance=self.run.lineage.seal())
        if noun is Reconstruction:
            cameras = self.cameras if path.suffix.lower() == ".tum" else self.run.undistorted
            return replace(cameras, provenance=self.run.lineage.seal())
        return self.as_form(_form_of(path, ply))

    @property
    def report(self) -> dict[str, Any]:
        """What the run says of itself, as plain values: the object that ``--json`` prints."""
        from unflat.formats.provenance_text import to_plain

        run, cameras = self.run, self.cameras
        assert cameras.scale is not None
        errors = [view.error_px for view in cameras.views if view.error_px is not None]
        confidence = next((_confidence(scene) for scene in self._scenes.values()), None)
        triangles = {form: scene.triangles for form, scene in self._scenes.items() if scene.triangles}
        return {
            "outputs": [str(path) for path in self._outputs],
            "seconds": {name: round(value, 4) for name, value in run.clock.seconds.items()},
            "peak_memory_mb": peak_memory_mb(),
            "triangles": next(iter(triangles.values()), None),
            "triangles_by_form": triangles,
            "surface_error": self._error,
            "partial": bool(cameras.lost),
            "kind": "metric" if not cameras.scale.assumed else "scale",
            "confidence": confidence,
            "views": {
                "given": len(run.stills.items) + len(run.stills.dropped),
                "taken": len(run.stills.items),
                "placed": len(cameras.views),
                "dropped": [asdict(one) for one in run.stills.dropped],
                "lost": [asdict(one) for one in cameras.lost],
                "error_px": round(float(np.median(errors)), 3) if errors else None,
                "points": len(cameras.points.xyz),
            },
            "level": cameras.level,
            "scale": asdict(cameras.scale),
            "warnings": list(run.lineage.warnings),
            "provenance": to_plain(self._whole_story()),
        }

    def _whole_story(self) -> Provenance:
        shared = self.run.lineage.seal()
        steps = [scene.provenance.steps[-1] for scene in self._scenes.values()]
        invented = any(scene.provenance.invented for scene in self._scenes.values())
        return replace(shared, steps=(*shared.steps, *steps), invented=invented)

    def __repr__(self) -> str:
        return f"ScanResult({len(self.run.album.files)} files, {self.cameras})"

    def _simple(self, triangles: int) -> Mesh:
        """The surface with at most so many triangles."""
        from unflat.geometry.simplify import simplified

        mesh = self.run.mesh
        if len(mesh.faces) <= triangles:
            return mesh
        with self.run.clock.stage("simplify"):
            fewer = simplified(mesh, triangles)
        self._error = max(self._error or 0.0, fewer.error)
        return fewer.mesh

    def _textured(self, form: Form) -> tuple[tuple[Node, ...], Step]:
        from unflat.stages.bake_texture import bake_texture

        told = self.run.options
        triangles, options = told.fuse.triangles, told.texture
        if form == "ar":
            triangles = min(triangles, AR_TRIANGLES)
            options = replace(options, texture_size=min(options.texture_size, _AR_TEXTURE))
        mesh = self._simple(triangles)
        with self.run.clock.stage("texture"):
            mesh = bake_texture(mesh, self.run.depths, options)
        assert mesh.texture is not None
        for note in mesh.texture.notes:
            self.run.lineage.warn(note)
        step = Step(f"build {form}", options=(("triangles", len(mesh.faces)), ("texture", str(mesh.texture.size))))
        return (Node("surface", mesh),), step

    def _bare(self) -> tuple[tuple[Node, ...], Step]:
        mesh = self._simple(self.run.options.fuse.triangles)
        return (Node("surface", mesh),), Step("build bare", options=(("triangles", len(mesh.faces)),))

    def _points(self) -> tuple[tuple[Node, ...], Step]:
        cloud = self._cloud
        return (Node("points", cloud),), Step("build points", options=(("points", len(cloud.xyz)),))

    def _splats(self) -> tuple[tuple[Node, ...], Step]:
        from unflat.stages.splats_of_cloud import splats_of_cloud

        cloud = self._cloud
        with self.run.clock.stage("splats"):
            splats = splats_of_cloud(cloud)
        return (Node("splats", splats),), Step("build splats", options=(("splats", len(splats.means)),))

    def _print(self) -> tuple[tuple[Node, ...], Step]:
        from unflat.geometry.close import closed

        mesh = self._simple(self.run.options.fuse.triangles)
        with self.run.clock.stage("close"):
            mesh = closed(mesh)
        return (Node("surface", mesh),), Step("build print", options=(("triangles", len(mesh.faces)),))

    @cached_property
    def _cloud(self) -> PointCloud:
        from unflat.stages.fuse_frames import fuse_points

        depths = self.run.depths
        with self.run.clock.stage("points"):
            return fuse_points(depths, self.run.options.fuse, self.run.lineage.warn)


_BUILDERS: dict[Form, Callable[[ScanResult], tuple[tuple[Node, ...], Step]]] = {
    "surface": lambda result: result._textured("surface"),
    "ar": lambda result: result._textured("ar"),
    "bare": lambda result: result._bare(),
    "points": lambda result: result._points(),
    "splats": lambda result: result._splats(),
    "print": lambda result: result._print(),
}


def _made_up(nodes: tuple[Node, ...]) -> bool:
    marks = (node.item.invented for node in nodes)
    return any(mark is not None and bool(mark.any()) for mark in marks)


def _confidence(scene: Scene) -> float | None:
    parts = [node.item.confidence for node in scene.nodes if node.item.confidence is not None]
    return round(float(np.concatenate(parts).mean()), 4) if parts else None
