"""What the pictures of a tour became: one scene of several parts, with doors between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unflat.errors import InputError
from unflat.geometry.distort import rays_through
from unflat.pipelines.flat import from_keywords
from unflat.pipelines.report import peak_memory_mb
from unflat.pipelines.result import size_warning
from unflat.pipelines.scan_tour import Placed, TourRun
from unflat.stages.locate_mark import located
from unflat.stages.scale_to_metres import COVERAGE
from unflat.stages.tour_layout import Seeing, all_passages, doors_of, extent_of, shifted, side_by_side
from unflat.types.arrays import F64
from unflat.types.camera import Camera, Pose
from unflat.types.provenance import Provenance, Step
from unflat.types.scale import Scale
from unflat.types.scene import Frame, Node, Scene
from unflat.types.tour import Pixel, Stop, Tour
from unflat.types.views import Reconstruction

if TYPE_CHECKING:
    from unflat.formats.registry import ExportOptions
    from unflat.pipelines.scan_result import ScanResult

SUFFIXES = (".html", ".glb", ".gltf", ".usdz", ".obj", ".ply")
"""What a tour can be written to."""
_POINTS = 0.1
"""Points that the user gave in metres tell the size within this share, nine times in ten."""


_FOV = "Give --fov or --focal-mm if you know it.", 'Give "fov" in the plan if you know it.'


def check_suffix(path: Path) -> None:
    """Refuse a suffix that a tour has nothing for.

    Raises:
        InputError: It is of no format, or of one that holds no surfaces with pictures.
    """
    from unflat.formats.registry import format_of

    row = format_of(path)
    if not path.name.lower().endswith(SUFFIXES) or row.module == "splats":
        raise InputError(f"{row.name} cannot hold a tour", hint=f"Tours go to {' '.join(SUFFIXES)}.")


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What stands in one frame.

    Attributes:
        nodes: Surfaces.
        cameras: In the order in which they are visited.
        placed: Pictures with scenes of their own.
        scale: How well its metres are known.
    """

    nodes: tuple[Node, ...]
    cameras: tuple[Camera, ...]
    placed: tuple[Placed, ...]
    scale: Scale


class TourResult:
    """A tour: ``.scene``, ``.report``, ``.save("x.html", "x.glb")``.

    Attributes:
        run: Its steps.
    """

    def __init__(self, run: TourRun) -> None:
        self.run = run
        self._outputs: list[Path] = []

    @cached_property
    def scene(self) -> Scene:
        """All parts, side by side, and the doors between them."""
        run = self.run
        if not run.placed and run.scan is None:
            run.go()
        parts = self._parts()
        placed = [one for part in parts for one in part.placed]
        scale = _together([part.scale for part in parts])
        warning = size_warning(scale)
        if warning is not None:
            run.lineage.warn(warning.replace("Give one length with --known-length.", "Points in metres tell it."))
        stops = self._stops(parts)
        tour = self._tour(stops, placed)
        nodes = tuple(node for part in parts for node in part.nodes)
        order = {stop.picture: number for number, stop in enumerate(stops)}
        cameras = sorted((camera for part in parts for camera in part.cameras), key=lambda c: order[c.name])
        frame = Frame.LEVEL_RDF
        return Scene(nodes, tuple(cameras), frame, scale, self._story(nodes, placed), tour=tour)

    def _parts(self) -> list[_Part]:
        """The parts, each moved to its place beside the others."""
        run = self.run
        numbers = sorted({one.part for one in run.placed} | ({0} if run.scan is not None else set()))
        parts: list[_Part] = []
        for number in numbers:
            here = [one for one in run.placed if one.part == number]
            nodes: list[Node] = []
            cameras: list[Camera] = []
            scales = [one.scale for one in here if one.scale is not None]
            if number == 0 and run.scan is not None:
                scan = run.scan
                names = tuple(view.still.name for view in scan.cameras.views)
                nodes += [replace(node, name="scan", pictures=names) for node in scan.scene.nodes]
                cameras += [*scan.scene.cameras, *self._named(scan)]
                assert scan.cameras.scale is not None
                scales = [scan.cameras.scale]
            for one in here:
                with run.clock.stage("build"):
                    nodes += one.station.nodes(one.world_from_photo)
                cameras.append(_placed_camera(one))
            if not scales:
                scales = [Scale("known-length", 1 / (1 + _POINTS), 1 + _POINTS, COVERAGE, "points given in metres")]
            parts.append(_Part(tuple(nodes), tuple(cameras), tuple(here), _together(scales)))
        shifts = side_by_side([extent_of(part.nodes, [c.pose.centre for c in part.cameras]) for part in parts])
        return [_moved(part, shift) for part, shift in zip(parts, shifts, strict=True)]

    def _named(self, scan: ScanResult) -> list[Camera]:
        """The cameras of a scan's pictures that the plan names and that were not chosen to be looked at for depth."""
        plan, chosen = self.run.plan, {camera.name for camera in scan.scene.cameras}
        named = {plan.start, *(name for passage in plan.passages for name in (passage.start, passage.to))}
        return [view.camera for view in scan.run.undistorted.views if view.still.name in named - chosen]

    def _stops(self, parts: Sequence[_Part]) -> tuple[Stop, ...]:
        plan = self.run.plan
        stops = [
            Stop(camera.name, number, plan.entry(camera.name).title, plan.entry(camera.name).date)
            for number, part in enumerate(parts)
            for camera in part.cameras
        ]
        order = {name: number for number, name in enumerate(self.run.files)}
        last = len(order)
        return tuple(sorted(stops, key=lambda s: (s.picture != plan.start, s.part, order.get(s.picture, last))))

    def _tour(self, stops: tuple[Stop, ...], placed: Sequence[Placed]) -> Tour:
        run = self.run
        passages, notes = all_passages(run.plan, stops)
        for note in notes:
            run.lineage.warn(note)
        seeing = {one.station.name: _seeing(one) for one in placed}
        if run.scan is not None:
            scene = run.scan.cameras
            for number, view in enumerate(scene.views):
                seeing[view.still.name] = _seeing_of_view(scene, number, run.sizes.get(view.still.name))
        return Tour(stops, doors_of(passages, seeing, {s.picture: s.title or s.picture for s in stops}))

    def _story(self, nodes: Sequence[Node], placed: Sequence[Placed]) -> Provenance:
        """What was read and done for all pictures together."""
        lineage = self.run.lineage
        told = [] if self.run.scan is None else [self.run.scan.scene.provenance]
        told += [one.station.story for one in placed]
        names = [""] * (len(told) - len(placed)) + [f"{one.station.name}: " for one in placed]
        steps: list[Step] = []
        warnings = list(lineage.warnings)
        for name, story in zip(names, told, strict=True):
            steps += [step for step in story.steps if step not in steps]
            lone = [w.replace(*_FOV) for w in story.warnings if not w.startswith("The true size is unknown")]
            warnings += [name + warning for warning in lone if name + warning not in warnings]
        sealed = lineage.seal()
        marks = (node.item.invented for node in nodes)
        return replace(
            sealed,
            sources=tuple(source for story in told for source in story.sources),
            steps=(*steps, *sealed.steps),
            warnings=tuple(warnings),
            invented=any(mark is not None and bool(mark.any()) for mark in marks),
        )

    def save(self, *paths: str | Path, options: ExportOptions | None = None, **export: Any) -> TourResult:
        """Write the tour; the suffix of each path chooses the format.

        Args:
            *paths: ``x.html``, ``x.glb``, ``x.usdz``, ``x.obj``, ``x.ply``.
            options: How files are written.
            **export: Any of the export options by name: ``force=True``.

        Returns:
            Itself, so that calls can be chained.

        Raises:
            InputError: A suffix that holds no tour, or landmarks that do not fit.
            OutputError: A file exists already, or cannot be written.
        """
        from unflat.formats import registry
        from unflat.formats.atomic import check_distinct

        options = from_keywords(options or registry.ExportOptions(), export)
        places = [Path(path) for path in paths]
        for path in places:
            check_suffix(path)
            registry.format_of(path).check(path, force=options.force)
        check_distinct([file for path in places for file in registry.format_of(path).targets(path)])
        for path in places:
            scene = self.scene
            with self.run.clock.stage("write"):
                out = registry.write(scene, path, options)
            self._outputs.append(path)
            for note in out.notes:
                self.run.lineage.warn(note)
        return self

    @property
    def report(self) -> dict[str, Any]:
        """What the run says of itself, as plain values: the object that ``--json`` prints."""
        from unflat.formats.provenance_text import to_plain

        run, scene = self.run, self.scene
        tour = scene.tour
        assert tour is not None
        how: dict[str, dict[str, Any]] = {
            one.station.name: {
                "by": one.how,
                "landmarks": one.landmarks,
                "error_px": None if one.error_px is None else round(one.error_px, 2),
            }
            for one in run.placed
        }
        return {
            "outputs": [str(path) for path in self._outputs],
            "seconds": {name: round(value, 4) for name, value in run.clock.seconds.items()},
            "peak_memory_mb": peak_memory_mb(),
            "triangles": scene.triangles,
            "pictures": [{**asdict(stop), **how.get(stop.picture, {"by": "registered"})} for stop in tour.stops],
            "doors": [{"name": d.name, "from": d.start, "to": d.to} for d in tour.doors],
            "scale": asdict(scene.scale),
            "warnings": list(scene.provenance.warnings),
            "provenance": to_plain(scene.provenance),
        }

    def __repr__(self) -> str:
        return f"TourResult({len(self.run.files)} pictures)"


def _placed_camera(one: Placed) -> Camera:
    camera = one.station.camera
    return replace(camera, pose=one.world_from_photo.pose(Pose.identity()))


def _together(scales: Sequence[Scale]) -> Scale:
    """How well the metres of several things are known: as badly as those of the worst."""
    worst = max(scales, key=lambda scale: (scale.assumed, scale.high / scale.low))
    return replace(worst, low=min(s.low for s in scales), high=max(s.high for s in scales))


def _moved(part: _Part, x: float) -> _Part:
    """A part so many metres farther along x."""
    if x == 0:
        return part
    step = np.array([x, 0.0, 0.0])
    nodes: list[Node] = []
    for node in part.nodes:
        item = node.item
        field = "vertices" if hasattr(item, "vertices") else "xyz"
        moved = (getattr(item, field).astype(np.float64) + step).astype(np.float32)
        nodes.append(replace(node, item=replace(item, **{field: moved})))
    cameras = [replace(camera, pose=_beside(camera.pose, step)) for camera in part.cameras]
    placed = [replace(one, world_from_photo=shifted(one.world_from_photo, x)) for one in part.placed]
    return replace(part, nodes=tuple(nodes), cameras=tuple(cameras), placed=tuple(placed))


def _beside(pose: Pose, step: F64) -> Pose:
    world = pose.world_from_camera.copy()
    world[:3, 3] += step
    return Pose(world)


def _seeing(one: Placed) -> Seeing:
    """What a door has to know of a picture with a scene of its own."""
    station, way = one.station, one.world_from_photo
    size = station.still.size

    def spot(at: Pixel) -> F64 | None:
        found = station.spot(at)
        return None if found is None else way.points(found[None])[0]

    return Seeing(
        eye=way.points(np.zeros((1, 3)))[0],
        size=(size.width, size.height),
        ray=lambda at: way.rotation @ station.ray(at),
        spot=spot,
        own=station.pixel,
    )


def _seeing_of_view(scene: Reconstruction, number: int, whole: tuple[float, float] | None) -> Seeing:
    """The same of a picture that found its place by itself; ``whole`` is the size of its file."""
    view = scene.views[number]
    size, m = view.still.size, view.pose.world_from_camera
    wide, tall = whole or (size.width, size.height)

    def ray(at: Pixel) -> F64:
        along = m[:3, :3] @ rays_through(np.array(at), view.lens)
        return along / np.linalg.norm(along)

    def spot(at: Pixel) -> F64 | None:
        found = located(scene, number, np.array(at))
        return None if found is None else found.xyz

    return Seeing(
        eye=m[:3, 3],
        size=(size.width, size.height),
        ray=ray,
        spot=spot,
        own=lambda at: (at[0] * size.width / wide, at[1] * size.height / tall),
    )
