"""The printable relief: closed, upright, unmirrored, of the size that was asked for."""

from __future__ import annotations

from dataclasses import replace

import manifold3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from unflat.errors import InputError, UnitError
from unflat.geometry.relief import close, compress
from unflat.geometry.transform import Door, door_from_frame, turned
from unflat.stages.build_relief import ReliefOptions, build_relief
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.mesh import Mesh
from unflat.types.scene import Frame


def solid_of(mesh: Mesh) -> manifold3d.Manifold:
    """What a slicer's kernel makes of it."""
    return manifold3d.Manifold(
        manifold3d.Mesh(vert_properties=mesh.vertices * np.float32(1000), tri_verts=mesh.faces.astype(np.uint32))
    )


def every_edge_twice(mesh: Mesh) -> bool:
    """Each edge belongs to two faces that run along it in opposite directions."""
    f = mesh.faces.astype(np.int64)
    sides = np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]])
    forth = {tuple(side) for side in sides.tolist()}
    return len(forth) == len(sides) and all((b, a) in forth for a, b in forth)


@pytest.mark.parametrize("name", list(worlds.WORLDS))
def test_every_relief_is_one_closed_solid(name: str) -> None:
    mesh = build_relief(worlds.WORLDS[name]().depth)
    assert every_edge_twice(mesh)
    solid = solid_of(mesh)
    assert solid.status() == manifold3d.Error.NoError
    low, high = 100 * 75 * 2.0, 100 * 75 * 14.01
    assert low * 0.99 < solid.volume() < high
    extent = mesh.vertices.max(axis=0) - mesh.vertices.min(axis=0)
    np.testing.assert_allclose(extent[[0, 2]], [0.1, 0.075], rtol=1e-5)
    assert 0.002 - 1e-8 <= extent[1] <= 0.014 + 1e-8


def test_it_lies_on_the_print_bed_unmirrored_with_the_picture_up() -> None:
    """A near block in the top left quarter of the picture is a high block at low x, high y of the bed."""
    z = np.full((60, 80), 4.0, np.float32)
    z[5:20, 5:30] = 1.0
    mesh = build_relief(DepthMap(z, DepthKind.SCALE), ReliefOptions(width_mm=80, relief_mm=10, base_mm=3))
    on_bed = turned(door_from_frame(Frame.CAMERA_RDF, Door.PRINT), mesh.vertices) * 1000
    assert on_bed[:, 2].min() == pytest.approx(0, abs=1e-5)
    assert on_bed[:, 2].max() == pytest.approx(13, abs=1e-3)
    high = on_bed[on_bed[:, 2] > 11]
    np.testing.assert_allclose(high.min(axis=0)[:2], [-35, 10], atol=1)
    np.testing.assert_allclose(high.max(axis=0)[:2], [-10, 25], atol=1)


def test_nearer_is_higher_and_the_sky_is_lowest() -> None:
    rng = np.random.default_rng(0)
    inverse = rng.uniform(0.05, 2, (40, 50)).astype(np.float32)
    on = rng.random(inverse.shape) > 0.2
    for evenness in (0.0, 0.5, 1.0):
        height = compress(inverse, on, evenness)
        assert (height[~on] == 0).all() and (height[on] > 0).all() and height.max() <= 1
        order = np.argsort(inverse[on])
        assert (np.diff(height[on][order]) >= -1e-6).all()


def test_detail_survives_a_deep_gap() -> None:
    """Two gentle slopes far apart: evenness gives them more of the height than proportion does."""
    ramp = np.linspace(0, 0.05, 50)
    inverse = np.concatenate([0.1 * (1 + ramp), 2 * (1 + ramp)])[None].repeat(10, 0).astype(np.float32)
    on = np.ones(inverse.shape, bool)
    plain, even = compress(inverse, on, 0.0), compress(inverse, on, 0.5)
    assert np.ptp(even[:, 50:]) > 4 * np.ptp(plain[:, 50:])


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 70), st.integers(2, 70), st.integers(0, 99))
def test_any_size_and_any_noise_closes(w: int, h: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    z = (1 + 3 * rng.random((h, w))).astype(np.float32)
    valid = rng.random((h, w)) > 0.3
    valid[0, 0] = True
    mesh = build_relief(DepthMap(z, DepthKind.METRIC, valid=valid), ReliefOptions(triangles=3000))
    assert len(mesh.faces) <= 3000
    assert every_edge_twice(mesh)
    assert solid_of(mesh).volume() > 0


def test_fewer_triangles_still_close() -> None:
    depth = worlds.landscape(worlds.camera(400, 300)).depth
    for triangles in (1000, 10_000):
        mesh = build_relief(depth, ReliefOptions(triangles=triangles))
        assert len(mesh.faces) <= triangles and every_edge_twice(mesh)


def test_a_square_becomes_a_box() -> None:
    top = np.array([[0, -1, 0], [0, -1, -1], [1, -1, 0], [1, -1, -1]], float)
    faces = np.array([[0, 1, 2], [2, 1, 3]], np.uint32)
    vertices, closed = close(top, faces, top * (1, 0, 1))
    box = Mesh(vertices, closed)
    assert every_edge_twice(box)
    assert solid_of(box).volume() / 1e9 == pytest.approx(1, rel=1e-5)


def test_what_makes_no_relief_is_refused() -> None:
    world = worlds.ball()
    with pytest.raises(UnitError):
        build_relief(replace(world.depth, kind=DepthKind.DISPARITY))
    for bad in ({"width_mm": 0}, {"relief_mm": float("nan")}, {"evenness": 2}):
        with pytest.raises(InputError):
            ReliefOptions(**bad)
    with pytest.raises(InputError, match="triangles"):
        build_relief(world.depth, ReliefOptions(triangles=10))
