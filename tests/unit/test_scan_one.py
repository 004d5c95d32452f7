"""Out of a scan: the thing that the cameras looked at, without table and clutter, closed and on its base."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import painted
from unflat.errors import InputError
from unflat.geometry.closed_surface import Closed, is_closed, volume_of
from unflat.pipelines.scan_object import ObjectOptions
from unflat.pipelines.scan_one import object_from_scan, object_from_views, upright
from unflat.stages.inflate import InflateOptions
from unflat.stages.isolate import isolate, middle_of
from unflat.stages.stand import StandOptions
from unflat.stages.wrap import WrapOptions
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.image import Size
from unflat.types.mesh import Mesh
from unflat.types.scale import Scale
from unflat.types.views import Reconstruction, SparsePoints

QUICK = ObjectOptions(object_triangles=4000, inflate=InflateOptions(cells=64), wrap=WrapOptions(texture_side=256))


def welded(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    places, number = np.unique(np.round(vertices, 5), axis=0, return_inverse=True)
    return places, number.reshape(-1)[faces]


def on_a_table() -> tuple[Mesh, list]:
    """A box of 1 m on a table of 6 m with a post beside it, and what twelve cameras see of the box."""
    block = painted.box(cells=10, side=192)
    v, f = welded(np.asarray(block.vertices), np.asarray(block.faces).astype(int))
    f = f[~(v[f][:, :, 1] > 0.499).all(axis=1)]  # its base was not seen
    n = 60
    t = np.linspace(-3, 3, n + 1)
    gx, gz = np.meshgrid(t, t)
    table = np.stack([gx.ravel(), np.full(gx.size, 0.5), gz.ravel()], axis=1)
    q = (np.arange(n)[:, None] * (n + 1) + np.arange(n)[None, :]).ravel()
    quads = np.concatenate([np.stack([q, q + 1, q + n + 2], 1), np.stack([q, q + n + 2, q + n + 1], 1)])
    flat = np.cross(table[quads[0, 1]] - table[quads[0, 0]], table[quads[0, 2]] - table[quads[0, 0]])
    quads = quads if flat[1] < 0 else quads[:, ::-1]
    under = (np.abs(table[quads][:, :, [0, 2]]) < 0.55).all(axis=(1, 2))
    post = v * (0.1, 0.5, 0.1) + (2.2, 0.24, 1.0)
    parts = [(v, f), (table, quads[~under]), (post, f)]
    starts = np.cumsum([0, *(len(p) for p, _ in parts)])
    whole = Mesh(
        np.concatenate([p for p, _ in parts]).astype(np.float32),
        np.concatenate([g + s for (_, g), s in zip(parts, starts, strict=False)]).astype(np.uint32),
    )
    cameras = [c for c in painted.around(24, 3.5, Size(160, 120), height=-1.4) if c.pose.centre[1] < 0]
    shots = [painted.take([block], camera, 1) for camera in cameras]
    return whole, [painted.frame_of(shot) for shot in shots]


def reconstruction_of(frames: list, scale: Scale | None = None) -> Reconstruction:
    return Reconstruction(tuple(frame.view for frame in frames), SparsePoints.none(), scale=scale, level=True)


def test_the_thing_is_taken_off_its_table_and_closed() -> None:
    mesh, frames = on_a_table()
    known = Scale("metric-source", 0.99, 1.01)
    scene = object_from_scan(reconstruction_of(frames, known), frames, mesh, QUICK)
    (node,) = scene.nodes
    thing = node.item
    assert isinstance(thing, Mesh) and thing.invented is not None and thing.texture is not None
    places, faces = welded(np.asarray(thing.vertices), np.asarray(thing.faces).astype(int))
    assert is_closed(faces.astype(np.uint32))
    np.testing.assert_allclose(np.ptp(places, axis=0), 1.0, atol=0.05)
    assert places[:, 1].max() == 0 and np.abs(places[:, [0, 2]].mean(axis=0)).max() < 0.06
    assert scene.scale == known
    base = np.asarray(thing.vertices[:, 1]) > -1e-4
    assert np.asarray(thing.invented)[base].all() and np.asarray(thing.invented)[~base].mean() < 0.05
    assert scene.provenance.invented
    assert np.asarray(thing.texture.pixels).std() > 20


def test_a_told_size_is_believed_more_and_a_free_one_is_assumed() -> None:
    mesh, frames = on_a_table()
    told = replace(QUICK, stand=StandOptions(height_mm=100.0))
    scene = object_from_scan(reconstruction_of(frames, Scale("metric-source", 0.99, 1.01)), frames, mesh, told)
    assert np.ptp(scene.nodes[0].item.vertices[:, 1]) == pytest.approx(0.1, rel=1e-4)  # type: ignore[union-attr]
    assert scene.scale.basis == "known-length"


def test_masks_vote_and_what_is_apart_goes() -> None:
    mesh, frames = on_a_table()
    cameras = [frame.view.camera for frame in frames]
    alone = isolate(mesh, cameras, [None] * len(cameras), level=True)
    assert alone.up is not None and alone.up[1] == pytest.approx(-1, abs=1e-6) and alone.table > 0.3
    assert np.asarray(alone.mesh.vertices)[:, 0].max() < 1
    nothing = [np.zeros((120, 160), bool)] * len(cameras)
    with pytest.raises(InputError, match="nothing stands"):
        isolate(mesh, cameras, nothing, level=True)


def test_what_hangs_on_a_wall_is_taken_off_it_and_its_up_is_that_of_the_place() -> None:
    mesh, frames = on_a_table()
    fall = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # what was up looks along -z: the table is a wall
    wall = replace(mesh, vertices=(np.asarray(mesh.vertices) @ fall.T).astype(np.float32), normals=None)
    turn = np.eye(4)
    turn[:3, :3] = fall
    cameras = [replace(f.view.camera, pose=Pose(turn @ f.view.pose.world_from_camera)) for f in frames]
    alone = isolate(wall, cameras, [None] * len(cameras), level=True)
    assert alone.hangs
    assert alone.up is None
    assert alone.table > 0.3
    np.testing.assert_allclose(np.ptp(np.asarray(alone.mesh.vertices), axis=0), 1.0, atol=0.05)
    standing = isolate(mesh, [f.view.camera for f in frames], [None] * len(frames), level=True)
    assert not standing.hangs


def test_the_middle_is_where_cameras_look_and_up_is_up() -> None:
    lens = Intrinsics.from_fov(40, Size(100, 80))
    at = (0.3, -0.2, 0.5)
    cameras = [Camera(lens, painted.looking(eye, at)) for eye in ((2.0, -1, 0), (-1.0, -1.5, -2), (0.0, -2.0, 3))]
    middle, reach = middle_of(cameras)
    np.testing.assert_allclose(middle, at, atol=2e-3)
    assert 0.5 < reach < 1.5
    frames = on_a_table()[1]
    turn = upright(np.array([0.0, -1.0, 0.0]), [frame.view for frame in frames])
    assert np.linalg.det(turn) == pytest.approx(1)
    ahead = turn @ frames[0].view.pose.world_from_camera[:3, 2]
    assert abs(ahead[0]) < 1e-9 and ahead[2] > 0
    with pytest.raises(InputError, match="two sides"):
        middle_of([Camera(lens, Pose.identity())])


def test_cut_outs_with_cameras_make_the_box() -> None:
    _, frames = on_a_table()
    views = []
    for frame in frames[::2]:
        mask = np.asarray(frame.depth.values) > 0
        views.append(replace(frame.view, still=replace(frame.view.still, mask=lambda m=mask: m)))
    placed = Reconstruction(tuple(views), SparsePoints.none(), scale=Scale("metric-source", 0.99, 1.01), level=True)
    scene = object_from_views(placed, QUICK)
    (node,) = scene.nodes
    thing = node.item
    assert isinstance(thing, Mesh) and thing.invented is not None
    places, faces = welded(np.asarray(thing.vertices), np.asarray(thing.faces).astype(int))
    assert is_closed(faces.astype(np.uint32))
    assert (np.ptp(places, axis=0) > 0.97).all()  # a hull is never smaller, and no camera sees below
    assert 0.95 < volume_of(Closed(places.astype(np.float64), faces.astype(np.uint32))) < 1.9
    assert thing.texture is not None and thing.texture.pixels.std() > 20
