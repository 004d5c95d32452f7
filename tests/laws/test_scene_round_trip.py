"""The law of the doors: what a format says it keeps comes back, within the tolerance of its row.

Every row of the table that reads scenes is tried with every small scene it can hold. A row whose module is not
there fails by name.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import scenes
from unflat.formats.outlet import SealOptions
from unflat.formats.registry import FORMATS, ExportOptions, Format, read_scene, write
from unflat.types import Camera, Mesh, PointCloud, Scene, Splats, Track

UNSIGNED = ExportOptions(seal=SealOptions(sign=False))
"""A signed file also names its manifest; see the laws of credentials."""
ROWS = [row for row in FORMATS if row.noun is Scene and row.reads]
HOLDS: dict[str, tuple[str, ...]] = {
    "mesh": tuple(scenes.MESH_SCENES),
    "points": ("cloud",),
    "splats": ("splats",),
    "relief": ("relief",),
}
SKY_KEPT = ("glb", "obj", "html")
"""Modules that write the sky; PLY holds one thing, USDZ stands in a room, and nobody prints a sky."""
CASES = [(row, name) for row in ROWS for word in row.keeps for name in HOLDS.get(word, ())]


def there(row: Format) -> bool:
    return importlib.util.find_spec(f"unflat.formats.{row.module}") is not None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.suffixes[0])
def test_every_row_has_its_module_and_a_scene_to_try(row: Format) -> None:
    assert there(row), f"{row.name}: the module unflat.formats.{row.module} is missing"
    assert any(case is row for case, _ in CASES), f"{row.name} keeps nothing that any scene of tests/scenes.py has"


def back(row: Format, scene: Scene, folder: Path) -> Scene:
    path = folder / f"scene{row.suffixes[0]}"
    write(scene, path, UNSIGNED)
    return read_scene(path)


def close(ours: np.ndarray, theirs: np.ndarray, row: Format) -> None:
    size = float(np.abs(ours).max())
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=row.tolerance * size)


@pytest.mark.parametrize(("row", "name"), CASES, ids=lambda v: v if isinstance(v, str) else v.suffixes[0])
def test_what_is_kept_comes_back(row: Format, name: str, tmp_path: Path) -> None:
    if not there(row):
        pytest.skip(f"unflat.formats.{row.module} is missing; the test of the table says so, too")
    scene = scenes.SCENES[name]()
    read = back(row, scene, tmp_path)
    ours = [n for n in scene.nodes if n.role == "surface" or row.module in SKY_KEPT]
    assert len(read.nodes) == len(ours)
    for one, other in zip(ours, read.nodes, strict=True):
        assert type(other.item) is type(one.item)
        check_item(row, one.item, other.item)
        if row.module == "glb":
            assert (other.name, other.role) == (one.name, one.role)
    if "camera" in row.keeps:
        check_cameras(scene.cameras, read.cameras)
    assert len(read.tracks) == (len(scene.tracks) if "track" in row.keeps else 0)
    for ours_moves, theirs_moves in zip(scene.tracks, read.tracks, strict=False):
        check_track(ours_moves, theirs_moves)
    if "provenance" in row.keeps:
        assert read.provenance == scene.provenance
        assert read.scale == scene.scale and read.frame is scene.frame


def check_item(row: Format, ours: object, theirs: object) -> None:
    if isinstance(ours, Mesh) and isinstance(theirs, Mesh) and "relief" in row.keeps:
        close(triangles(ours), triangles(theirs), row)
    elif isinstance(ours, Mesh) and isinstance(theirs, Mesh):
        check_mesh(row, ours, theirs)
    elif isinstance(ours, PointCloud) and isinstance(theirs, PointCloud):
        close(ours.xyz, theirs.xyz, row)
        assert ours.colors is not None and theirs.colors is not None
        np.testing.assert_array_equal(theirs.colors, ours.colors)
        check_confidence(row, ours, theirs)
    elif isinstance(ours, Splats) and isinstance(theirs, Splats):
        close(ours.means, theirs.means, row)
        # SPZ keeps sizes in steps of 1/16 of their logarithm, turns in 10 bits, colours and opacities in 8.
        exact = row.module != "spz"
        np.testing.assert_allclose(np.log(theirs.scales), np.log(ours.scales), atol=1e-5 if exact else 1 / 31)
        same = np.abs((theirs.quaternions * ours.quaternions).sum(1))
        assert same.min() > (1 - 1e-5 if exact else 0.9998)
        np.testing.assert_allclose(theirs.colors, ours.colors, atol=1e-5 if exact else 0.02)
        np.testing.assert_allclose(theirs.opacities, ours.opacities, atol=1e-5 if exact else 1 / 255)
    else:
        pytest.fail(f"no law for {type(ours).__name__}")


def check_mesh(row: Format, ours: Mesh, theirs: Mesh) -> None:
    np.testing.assert_array_equal(theirs.faces, ours.faces)
    close(ours.vertices, theirs.vertices, row)
    if ours.normals is not None and theirs.normals is not None:
        np.testing.assert_allclose(theirs.normals, ours.normals, atol=1e-3)
    check_confidence(row, ours, theirs)
    if "texture" in row.keeps and ours.texture is not None:
        assert theirs.texture is not None and theirs.uv is not None and ours.uv is not None
        np.testing.assert_allclose(theirs.uv, ours.uv, atol=1e-6)
        assert theirs.texture.size == ours.texture.size
        difference = np.abs(theirs.texture.pixels.astype(int) - ours.texture.pixels)
        assert difference.mean() < 1.5, "JPEG at quality 90"
        if row.module == "glb" and ours.texture.alpha is not None:
            assert theirs.texture.alpha is not None
            np.testing.assert_array_equal(theirs.texture.alpha, ours.texture.alpha)


def check_confidence(row: Format, ours: Mesh | PointCloud, theirs: Mesh | PointCloud) -> None:
    if "confidence" not in row.keeps:
        return
    assert ours.confidence is not None and theirs.confidence is not None
    np.testing.assert_allclose(theirs.confidence, ours.confidence, atol=0.5 / 255 + 1e-6)
    made_up = np.zeros(len(ours.confidence), bool) if ours.invented is None else ours.invented
    read = np.zeros(len(ours.confidence), bool) if theirs.invented is None else theirs.invented
    np.testing.assert_array_equal(read, made_up)


def check_cameras(ours: tuple[Camera, ...], theirs: tuple[Camera, ...]) -> None:
    assert len(theirs) == len(ours)
    for one, other in zip(ours, theirs, strict=True):
        mine, yours = one.intrinsics, other.intrinsics
        assert (yours.size, yours.basis) == (mine.size, mine.basis)
        numbers = [(i.fx, i.fy, i.cx, i.cy) for i in (mine, yours)]
        np.testing.assert_allclose(numbers[1], numbers[0], rtol=1e-6)
        np.testing.assert_allclose(other.pose.world_from_camera, one.pose.world_from_camera, atol=1e-6)


def check_track(ours: Track, theirs: Track) -> None:
    assert theirs.name == ours.name
    np.testing.assert_allclose(theirs.times, ours.times, atol=1e-6)
    np.testing.assert_allclose(theirs.world_from_camera, ours.world_from_camera, atol=1e-6)
    for number in range(len(ours.times)):
        check_cameras((ours.camera(number),), (theirs.camera(number),))


def triangles(mesh: Mesh) -> np.ndarray:
    """Corners (m, 9) of the triangles, each from its smallest corner on, sorted: the body, however it is numbered."""
    corners = mesh.vertices[mesh.faces]
    keys = np.round(corners.astype(float), 5)
    first = [min(range(3), key=lambda k: tuple(key[k])) for key in keys]
    rolled = np.stack([np.roll(c, -k, axis=0).reshape(9) for c, k in zip(corners, first, strict=True)])
    return rolled[np.lexsort(np.round(rolled.astype(float), 5).T)]


@pytest.mark.parametrize("row", [r for r in ROWS if "mesh" in r.keeps], ids=lambda row: row.suffixes[0])
def test_writing_what_was_read_gives_the_same_again(row: Format, tmp_path: Path) -> None:
    """Reading and writing once more changes nothing: no drift, no generation lost."""
    if not there(row):
        pytest.skip(f"unflat.formats.{row.module} is missing; the test of the table says so, too")
    first = back(row, scenes.textured_scene(), tmp_path)
    again = tmp_path / "again"
    again.mkdir()
    second = back(row, first, again)
    for one, other in zip(first.nodes, second.nodes, strict=True):
        assert isinstance(one.item, Mesh) and isinstance(other.item, Mesh)
        np.testing.assert_array_equal(other.item.faces, one.item.faces)
        close(one.item.vertices, other.item.vertices, row)
        if "texture" in row.keeps:
            assert one.item.texture is not None and other.item.texture is not None
            np.testing.assert_array_equal(other.item.texture.pixels, one.item.texture.pixels)
