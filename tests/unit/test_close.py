"""Holes become membranes: closed for other people's programs, flat where flat, and marked."""

from __future__ import annotations

import numpy as np
import pytest

import fused_worlds as fw
from unflat.formats.solid import check_solid
from unflat.geometry import close
from unflat.geometry.close import closed, parted, rings
from unflat.geometry.rims import is_closed
from unflat.stages.fuse_frames import FuseOptions, fuse_frames
from unflat.types.mesh import Mesh


def cup(steps: int = 24, gone: float = 0.5) -> Mesh:
    """A ball of radius 1 whose part beyond y = ``gone`` is missing; coloured by height."""
    trimesh = pytest.importorskip("trimesh")
    made = trimesh.creation.icosphere(3)
    faces = made.faces[(made.vertices[made.faces][:, :, 1] < gone).all(axis=1)]
    vertices = made.vertices.astype(np.float32)
    height = np.clip(128 + 100 * vertices[:, 1:2], 0, 255).astype(np.uint8)
    return Mesh(
        vertices,
        faces.astype(np.uint32),
        vertices,
        colors=np.repeat(height, 3, axis=1),
        confidence=np.full(len(vertices), 0.7, np.float32),
    )


def accepted(mesh: Mesh) -> float:
    """The volume, as manifold3d and trimesh agree on it."""
    manifold3d, trimesh = pytest.importorskip("manifold3d"), pytest.importorskip("trimesh")
    body = manifold3d.Manifold(manifold3d.Mesh(mesh.vertices.copy(), mesh.faces.copy()))
    assert body.status() == manifold3d.Error.NoError and not body.is_empty()
    other = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert other.is_watertight and other.is_winding_consistent
    assert body.volume() == pytest.approx(other.volume, rel=1e-3)
    return float(other.volume)


def flat_hole(outline: list[tuple[float, float]], height: float = 1.0) -> Mesh:
    """The walls and the floor of a box over an outline in x and z; its lid (towards -y) is missing."""
    n = len(outline)
    ring = np.array(outline, float)
    vertices = np.concatenate(
        [np.insert(ring, 1, 0.0, axis=1), np.insert(ring, 1, height, axis=1), [[ring[:, 0].mean(), height, 0.1]]]
    )
    i, j = np.arange(n), (np.arange(n) + 1) % n
    walls = np.concatenate([np.stack([i, j, n + j], 1), np.stack([i, n + j, n + i], 1)])
    floor = np.stack([n + i, n + j, np.full(n, 2 * n)], 1)
    faces = np.concatenate([walls, floor]).astype(np.uint32)
    return Mesh(vertices.astype(np.float32), faces)


def test_a_cup_gets_a_flat_lid_that_is_marked() -> None:
    mesh = cup()
    assert not is_closed(mesh.faces)
    body = closed(mesh)
    assert is_closed(body.faces) and body.invented is not None and body.normals is not None
    rim = mesh.vertices[rings(mesh.faces)[0]][:, 1].max()
    cap = np.pi * (1 - rim) ** 2 * (3 - (1 - rim)) / 3
    assert accepted(body) == pytest.approx(4 / 3 * np.pi - cap, rel=0.03)
    lid = body.vertices[body.invented]
    assert len(lid) and lid[:, 1].min() > 0.2 and lid[:, 1].max() < 0.5
    assert body.normals[body.invented][:, 1].min() > 0.4
    assert body.confidence is not None and body.colors is not None
    assert (body.confidence[body.invented] == 0).all() and (body.confidence[~body.invented] == np.float32(0.7)).all()
    assert np.abs(body.colors[body.invented][:, 0] - (128 + 100 * lid[:, 1])).max() < 6
    assert body.invented[body.faces].any(axis=1).sum() >= len(rings(mesh.faces)[0]) - 2, "every lid face has a mark"


def test_a_notched_hole_is_filled_inside_its_outline_only() -> None:
    notched = [(0.0, 0.0), (3.0, 0.0), (3.0, 1.0), (1.0, 1.0), (1.0, 3.0), (0.0, 3.0)]
    body = closed(flat_hole(notched))
    assert is_closed(body.faces)
    made = len(body.vertices) - 13
    lid = body.faces[(body.faces >= 13).any(axis=1)]
    a, b, c = (body.vertices[lid[:, k]].astype(float) for k in range(3))
    assert made == 4 and 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() == pytest.approx(5)
    assert (np.abs(body.vertices[13:][:, 1]) < 1e-6).all()


def test_a_long_rim_is_drawn_in_first() -> None:
    angle = np.linspace(0, 2 * np.pi, 3 * close.MOST + 7, endpoint=False)
    mesh = flat_hole([(float(np.cos(a)), float(-np.sin(a))) for a in angle])
    body = closed(mesh)
    assert is_closed(body.faces)
    assert abs(accepted(body)) == pytest.approx(np.pi, rel=0.01)
    assert body.invented is not None and np.abs(body.vertices[body.invented][:, 1]).max() < 1e-5, "moved apart, no more"


def test_a_printer_finds_no_two_corners_at_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(close, "MOST", 12)

    check_solid(closed(cup()), "cup")


def test_only_short_rims_are_closed_if_asked() -> None:
    mesh = cup()
    small = np.ones(len(mesh.faces), bool)
    small[100] = False
    holed = Mesh(mesh.vertices, mesh.faces[small])
    body = closed(holed, longest=1.0)
    assert len(rings(holed.faces)) == 2 and len(rings(body.faces)) == 1
    assert body.invented is not None and body.invented.sum() == 1


def test_a_hole_across_which_an_edge_runs_already_is_closed_by_a_fan() -> None:
    """Two triangles that share an edge and, beyond it, the same two corners: every inner line is taken."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0.2], [0, 1, 0]], np.float32)
    mesh = Mesh(vertices, np.array([[0, 1, 2], [0, 2, 3]], np.uint32))
    body = closed(mesh)
    assert is_closed(body.faces)
    accepted_edges = {tuple(sorted(e)) for f in body.faces.tolist() for e in zip(f, f[1:] + f[:1], strict=True)}
    assert len(accepted_edges) == len(body.faces) * 3 // 2


def test_surfaces_that_touch_in_a_point_are_parted() -> None:
    faces = np.array([[0, 1, 2], [0, 3, 4]], np.uint32)
    source, apart = parted(6, faces)
    assert source.tolist() == [0, 0, 1, 2, 3, 4]
    assert len(np.intersect1d(apart[0], apart[1])) == 0
    assert (source[apart] == faces).all()
    assert len(rings(apart)) == 2


def test_what_is_closed_stays_as_it_is() -> None:
    body = closed(cup())
    again = closed(body)
    np.testing.assert_array_equal(again.vertices, body.vertices)
    np.testing.assert_array_equal(np.sort(again.faces, axis=0), np.sort(body.faces, axis=0))
    assert again.invented is not None and body.invented is not None
    np.testing.assert_array_equal(again.invented, body.invented)


def test_a_fused_object_is_closed_below_where_nobody_looked() -> None:
    poses = [pose for pose in fw.around(20, 3.0) if pose.centre[1] < 0.5]
    frames = fw.frames_of(fw.box((0, 0, 0), (0.6, 0.5, 0.4)), poses, fw.lens_of(96, 72, 40))
    mesh = fuse_frames(frames, FuseOptions(watertight=True))
    assert is_closed(mesh.faces) and mesh.invented is not None
    assert accepted(mesh) == pytest.approx(1.2 * 1.0 * 0.8, rel=0.05)
    assert (mesh.vertices[mesh.invented][:, 1] > 0.35).mean() > 0.9, "but for a pinhole at a corner"
    few = fuse_frames(frames, FuseOptions(watertight=True, triangles=1000))
    assert is_closed(few.faces) and 800 < len(few.faces) <= 1000
    assert accepted(few) == pytest.approx(1.2 * 1.0 * 0.8, rel=0.05)
