"""Fewer triangles: as few as asked, the border where it was, and an error that is the true one."""

from __future__ import annotations

import numpy as np
import pytest

import unflat.geometry.simplify as under_test
from unflat.errors import MissingExtraError
from unflat.geometry.normals import vertex_normals
from unflat.geometry.rims import directed, is_closed, keys_of, rim_edges, sound
from unflat.geometry.simplify import simplified
from unflat.types.mesh import Mesh

pytest.importorskip("fast_simplification")


def sheet(columns: int = 60, rows: int = 40, wave: float = 0.0) -> Mesh:
    """A rectangle of 3 by 2, wavy or flat, with colours, confidence and marks by place."""
    y, x = np.meshgrid(np.linspace(0, 2, rows + 1), np.linspace(0, 3, columns + 1), indexing="ij")
    vertices = np.stack([x, y, wave * np.sin(4 * x) * np.cos(3 * y)], axis=-1).reshape(-1, 3).astype(np.float32)
    first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    right, below = first + 1, first + columns + 1
    faces = np.concatenate([np.stack([first, below, right], 1), np.stack([right, below, below + 1], 1)])
    faces = faces.astype(np.uint32)
    colors = np.stack([80 * x, 120 * y, 0 * x + 7], axis=-1).reshape(-1, 3).astype(np.uint8)
    left = (x < 1.5).ravel()
    confidence = np.where(left, 0.2, 0.9).astype(np.float32)
    return Mesh(vertices, faces, vertex_normals(vertices, faces), colors=colors, confidence=confidence, invented=left)


def ball(steps: int = 24) -> Mesh:
    """A closed ball of radius 1."""
    trimesh = pytest.importorskip("trimesh")
    made = trimesh.creation.uv_sphere(1.0, (steps, steps))
    return Mesh(made.vertices.astype(np.float32), made.faces.astype(np.uint32))


@pytest.mark.parametrize("wanted", [300, 1000])
def test_as_few_as_asked_and_the_rectangle_keeps_its_border(wanted: int) -> None:
    whole = sheet(wave=0.1)
    mesh, error, worst, gone = simplified(whole, wanted)
    assert 0.8 * wanted <= len(mesh.faces) <= wanted
    assert mesh.vertices.min(axis=0)[:2] == pytest.approx([0, 0], abs=0.01)
    assert mesh.vertices.max(axis=0)[:2] == pytest.approx([3, 2], abs=0.01)
    ends = mesh.vertices[np.unique(rim_edges(mesh.faces))]
    off = np.minimum.reduce([abs(ends[:, 0]), abs(ends[:, 0] - 3), abs(ends[:, 1]), abs(ends[:, 1] - 2)])
    assert off.max() < 0.01
    assert 0 < error < 0.01 and error < worst < 0.1 and gone == 0


def test_a_flat_sheet_of_few_triangles_is_still_the_sheet() -> None:
    mesh, error, worst, gone = simplified(sheet(), 40)
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    assert len(mesh.faces) <= 40
    assert 0.5 * np.cross(b - a, c - a)[:, 2].sum() == pytest.approx(-6, abs=0.01)
    assert error < 1e-3 and worst < 1e-2 and gone == 0


def test_what_vertices_have_goes_with_them() -> None:
    mesh, *_ = simplified(sheet(wave=0.1), 1200)
    x, y = mesh.vertices[:, 0], mesh.vertices[:, 1]
    assert mesh.colors is not None and mesh.confidence is not None and mesh.invented is not None
    assert np.abs(mesh.colors[:, 0] - 80 * x).mean() < 4 and np.abs(mesh.colors[:, 1] - 120 * y).mean() < 6
    clear = np.abs(x - 1.5) > 0.4
    assert (mesh.invented[clear] == (x[clear] < 1.5)).all()
    np.testing.assert_allclose(mesh.confidence[clear], np.where(x[clear] < 1.5, 0.2, 0.9), atol=1e-5)


def test_the_stated_error_is_what_a_slow_search_finds() -> None:
    trimesh = pytest.importorskip("trimesh")
    whole = ball()
    mesh, error, worst, gone = simplified(whole, 200)
    other = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    # one row of triangles at a time: trimesh's own search wants a tree library
    corners = other.triangles
    exact = []
    for point in whole.vertices.astype(float):
        found = trimesh.triangles.closest_point(corners, np.broadcast_to(point, (len(corners), 3)))
        exact.append(np.linalg.norm(found - point, axis=1).min())
    assert np.sqrt(np.mean(np.square(exact))) <= error * 1.0001
    assert error < 1.3 * np.sqrt(np.mean(np.square(exact)))
    assert max(exact) <= worst * 1.0001
    assert is_closed(mesh.faces) and gone == 0


def test_faces_without_area_leave_no_point_nowhere() -> None:
    whole = sheet(wave=0.1)
    vertices = whole.vertices.copy()
    vertices[1000:1400:7] = vertices[1001:1401:7]
    mesh, error, worst, _ = simplified(Mesh(vertices, whole.faces), 600)
    assert 300 < len(mesh.faces) < 650 and np.isfinite(mesh.vertices).all()
    assert error < 0.05 and worst < 0.3


def test_a_few_too_many_become_a_few_fewer() -> None:
    mesh = sheet()
    wanted = len(mesh.faces) - 5
    found = simplified(mesh, wanted)
    assert 0.9 * wanted < len(found.mesh.faces) <= wanted


def test_points_that_are_flung_away_come_back_to_those_that_became_them(monkeypatch: pytest.MonkeyPatch) -> None:
    import fast_simplification

    replay = fast_simplification.replay_simplification
    flung: list[int] = []

    def fling(*given: object) -> object:  # as the library does with surfaces of slivers, now and then
        points, faces, became = replay(*given)
        points[::50] += 900
        flung.append(len(points[::50]))
        return points, faces, became

    monkeypatch.setattr(fast_simplification, "replay_simplification", fling)
    mesh = sheet(wave=0.1)
    found = simplified(mesh, 1000)
    assert flung and np.abs(found.mesh.vertices).max() < 3.2
    assert found.worst < 0.4


def test_nothing_to_do_is_nothing_done() -> None:
    whole = sheet(4, 3)
    mesh, error, worst, gone = simplified(whole, 1000)
    assert mesh is whole and error == worst == gone == 0


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="scan"):
        simplified(sheet(), 100)


def test_faces_that_fold_onto_others_go() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0.4, -0.1, 0]], np.float32)
    faces = np.array([[0, 1, 2], [2, 1, 3], [0, 1, 4], [3, 3, 1]], np.uint32)
    assert sound(corners, faces).tolist() == [[0, 1, 2], [2, 1, 3]]


def test_rims_are_the_edges_of_one_face() -> None:
    faces = sheet(2, 1).faces
    assert len(rim_edges(faces)) == 6 and not is_closed(faces) and is_closed(ball(8).faces)
    assert len(directed(faces)) == 12 and len(np.unique(keys_of(directed(faces)))) == 9
    assert not is_closed(np.zeros((0, 3), np.uint32))
