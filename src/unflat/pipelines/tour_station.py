"""One picture of a tour: a scene of its own, stood upright, whose pixels can be found in it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from unflat.errors import InputError
from unflat.formats.image import read_image
from unflat.geometry.lens import judge_lens
from unflat.geometry.measure import spot_at
from unflat.pipelines.people import free, meet
from unflat.pipelines.photo import PhotoOptions, look_for_panorama, photo
from unflat.pipelines.report import Clock
from unflat.pipelines.result import PhotoResult
from unflat.pipelines.scan import ScanOptions
from unflat.pipelines.source import DepthSource, told_style
from unflat.stages.calibrate import CameraOptions, calibrate
from unflat.stages.crop_frame import crop_frame, crop_points
from unflat.stages.place_scene import Hints, PlaceOptions, place_scene
from unflat.stages.recognise_panorama import EYE_HEIGHT_M, PanoramaOptions
from unflat.trust.lineage import Lineage
from unflat.types.arrays import F64
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.mesh import Mesh
from unflat.types.points import PointCloud
from unflat.types.provenance import Provenance
from unflat.types.scale import Scale
from unflat.types.scene import Node
from unflat.types.tour import Entry, Pixel
from unflat.types.views import Lens, Reconstruction, Similarity, SparsePoints, Still, View

_TRIANGLES = 80_000
"""Of one picture's surface: a tour has many."""
_GRID = 48
"""A picture's depth is asked for up, floor and size at so many places along its long side."""


class Station:
    """A picture that has, or is to have, a scene of its own.

    Attributes:
        name: What it is called among the others.
        entry: What the plan says of it.
    """

    def __init__(self, name: str, path: Path, entry: Entry, options: ScanOptions, clock: Clock) -> None:
        """Open a picture; frames and mounts around it are taken off.

        Raises:
            InputError: The picture cannot be read.
        """
        self.name = name
        self.entry = entry
        self._estimate, self._clock = options.estimate, clock
        self._notes = Lineage()
        whole = read_image(path)
        free([whole.source], options.leave, self._notes, commercial_only=options.estimate.commercial_only)
        whole = meet(whole, options.leave, self._notes).image
        self._crop = crop_frame(whole, PhotoOptions().frame)
        picture = whole if self._crop is None else self._crop.picture
        self._picture, self._art = told_style(picture, PhotoOptions().art, self._notes)
        self._lens: Intrinsics | None = None

    def pixel(self, at: Pixel) -> Pixel:
        """A pixel of the file as one of the picture that is left of it.

        Raises:
            InputError: It lies in what was around the picture.
        """
        if self._crop is None:
            return at
        try:
            return crop_points([at], self._crop)[0]
        except InputError as error:
            raise InputError(
                f"the pixel {at[0]:g}, {at[1]:g} of {self.name} lies in the frame or margin around the picture",
                hint="Mark points within the picture.",
            ) from error

    @property
    def still(self) -> Still:
        """The picture as one that is to be placed; its lens only if anything but a guess tells it."""
        picture = self._picture
        lens = None
        if self.entry.fov is not None:
            lens = Lens(Intrinsics.from_fov(self.entry.fov, picture.size))
        elif judge_lens(picture.lens, picture.size).focal_px is not None:
            lens = Lens(calibrate(picture, CameraOptions()))
        return Still(self.name, picture.size, lambda: picture.pixels, lens=lens, source=picture.source)

    def see_through(self, lens: Intrinsics) -> None:
        """Use this camera, which landmarks told, from now on."""
        self._lens = lens
        self.__dict__.pop("seen", None)

    @cached_property
    def seen(self) -> PhotoResult:
        """The picture with its depth."""
        told = self._lens
        fov = self.entry.fov if told is None else told.fov_x_deg
        plain = PhotoOptions()
        options = replace(
            plain,
            camera=CameraOptions(fov=fov),
            estimate=self._estimate,
            surface=replace(plain.surface, triangles=_TRIANGLES),
            frame=replace(plain.frame, keep_frame=True),
            art=self._art,
        )
        self._clock.progress(f"see {self.name}")
        return photo(self._picture, options, progress=self._clock.progress)

    @cached_property
    def around(self) -> bool:
        """Whether the picture looks around."""
        told = CameraOptions(fov=self.entry.fov)
        return look_for_panorama(self._picture, PanoramaOptions(), told, DepthSource(), Lineage()) is not None

    @property
    def camera(self) -> Camera:
        """The picture's camera at the origin of its own scene."""
        return replace(self.seen.camera, name=self.name)

    @property
    def story(self) -> Provenance:
        """Where its scene comes from."""
        return self.seen.scene.provenance

    def view(self, world_from_photo: Similarity) -> View:
        """The camera once the picture stands somewhere."""
        lens = Lens(self.camera.intrinsics)
        return View(replace(self.still, lens=None), lens, world_from_photo.pose(Pose.identity()))

    def spot(self, at: Pixel) -> F64 | None:
        """(3,) what the picture shows at a pixel, in its own scene; None in the sky, or where nothing is known."""
        depth, size = self.seen.depth, self._picture.size
        if depth.panorama is None:
            try:
                return spot_at(depth, *at, of=size).xyz
            except InputError:
                return None  # in the sky, or without depth
        ray, column, row = self._ray_around(at)
        return ray * float(depth.values[row, column]) if bool(depth.surface[row, column]) else None

    def ray(self, at: Pixel) -> F64:
        """(3,) the direction in which a pixel looks, of length 1, in the picture's own scene."""
        if self.around:
            return self._ray_around(at)[0]
        lens = self.camera.intrinsics
        ray = np.array([(at[0] - lens.cx) / lens.fx, (at[1] - lens.cy) / lens.fy, 1.0])
        return ray / np.linalg.norm(ray)

    def _ray_around(self, at: Pixel) -> tuple[F64, int, int]:
        from unflat.geometry.panorama import panorama_rays

        depth, size = self.seen.depth, self._picture.size
        assert depth.panorama is not None
        column = min(int(at[0] * depth.size.width / size.width), depth.size.width - 1)
        row = min(int(at[1] * depth.size.height / size.height), depth.size.height - 1)
        return np.asarray(panorama_rays(depth.panorama)[row, column], np.float64), column, row

    @cached_property
    def upright(self) -> tuple[Similarity, Scale, tuple[str, ...]]:
        """How its scene stands on its floor, in metres; how well they are known; and notes.

        The camera is above the origin and looks along z.
        """
        seen = self.seen
        if self.around:
            return Similarity(1.0, np.eye(3), np.array([0.0, -EYE_HEIGHT_M, 0.0])), seen.scale, ()
        points = self._points()
        still = replace(self.still, lens=None)
        known = None if seen.scale.assumed else seen.scale
        lone = Reconstruction((View(still, Lens(self.camera.intrinsics), Pose.identity()),), points, scale=known)
        placed, notes = place_scene(lone, Hints(), PlaceOptions(familiar=False))
        assert placed.scale is not None
        before, after = (float(np.linalg.norm(each.xyz - each.xyz.mean(0))) for each in (points, placed.points))
        world = placed.views[0].pose.world_from_camera
        return Similarity(after / before, world[:3, :3], world[:3, 3]), placed.scale, notes

    def _points(self) -> SparsePoints:
        """What the picture sees, at places of a grid, as if it had been triangulated."""
        depth = self.seen.depth
        assert depth.intrinsics is not None
        step = max(1, round(depth.size.long_side / _GRID))
        rows, columns = (
            grid.ravel() for grid in np.mgrid[step // 2 : depth.size.height : step, step // 2 : depth.size.width : step]
        )
        good = np.asarray(depth.surface)[rows, columns]
        rows, columns = rows[good], columns[good]
        lens, z = depth.intrinsics, depth.z[rows, columns].astype(np.float64)
        xyz = np.stack([(columns + 0.5 - lens.cx) / lens.fx * z, (rows + 0.5 - lens.cy) / lens.fy * z, z], 1)
        scale = self._picture.size.width / depth.size.width
        count = len(z)
        pixel = np.stack([columns + 0.5, rows + 0.5], 1).astype(np.float32) * np.float32(scale)
        zeros = np.zeros(count, np.int32)
        colors, error = np.zeros((count, 3), np.uint8), np.ones(count, np.float32)
        return SparsePoints(xyz, colors, error, zeros, np.arange(count, dtype=np.int32), pixel)

    def nodes(self, world_from_photo: Similarity) -> tuple[Node, ...]:
        """Its scene as it stands in the world; each node is named after the picture."""
        made: list[Node] = []
        for node in self.seen.scene.nodes:
            name = self.name if node.role == "surface" else f"{self.name} {node.name}"
            made.append(Node(name, _moved(node, world_from_photo), node.role, (self.name,)))
        return tuple(made)


def _moved(node: Node, by: Similarity) -> Mesh | PointCloud:
    """What a node holds, moved."""
    item = node.item
    turn = by.rotation.T.astype(np.float32)
    normals = getattr(item, "normals", None)
    turned = None if normals is None else normals @ turn
    if isinstance(item, Mesh):
        return replace(item, vertices=by.points(item.vertices.astype(np.float64)).astype(np.float32), normals=turned)
    assert isinstance(item, PointCloud)
    return replace(item, xyz=by.points(item.xyz.astype(np.float64)).astype(np.float32), normals=turned)
