"""COLMAP folders, opened by pycolmap: cameras, poses, points and pixels are ours, and its own files are the same."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

import rooms
from unflat.errors import InputError, OutputError
from unflat.formats import registry
from unflat.formats.registry import ExportOptions
from unflat.stages.undistort_views import undistort_views
from unflat.types import Lens, Reconstruction, SparsePoints
from unflat.types.views import Dropped

pycolmap = pytest.importorskip("pycolmap")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("handed") / "room.colmap"
    registry.write(rooms.reconstruction(), path)
    return path


def with_views(**changes: object) -> Reconstruction:
    """The room with the same change made to every still."""
    ours = rooms.reconstruction()
    views = tuple(dataclasses.replace(v, still=dataclasses.replace(v.still, **changes)) for v in ours.views)
    return dataclasses.replace(ours, views=views)


@pytest.mark.parametrize("kind", ["binary", "text"])
def test_pycolmap_opens_it_and_sees_what_we_saw(folder: Path, kind: str) -> None:
    ours, theirs = rooms.reconstruction(), pycolmap.Reconstruction()
    getattr(theirs, f"read_{kind}")(folder / "sparse" / "0")
    assert theirs.num_reg_images() == len(ours.views)
    assert theirs.num_points3D() == len(ours.points.xyz)
    for number, view in enumerate(ours.views, start=1):
        image = theirs.image(number)
        lens, camera = view.lens.intrinsics, image.camera
        assert camera.model.name == "PINHOLE"
        assert (camera.width, camera.height) == (lens.size.width, lens.size.height)
        np.testing.assert_allclose(camera.params, [lens.fx, lens.fy, lens.cx, lens.cy], rtol=1e-15)
        np.testing.assert_allclose(image.projection_center(), view.pose.centre, atol=1e-12)
        seen = ours.points.view == number - 1
        found = np.array([point.xy for point in image.points2D])
        np.testing.assert_allclose(found, ours.points.pixel[seen], rtol=1e-6)
        for point in image.points2D:  # the pixel's convention, the pose and the point agree
            assert np.linalg.norm(image.project_point(theirs.point3D(point.point3D_id).xyz) - point.xy) < 1e-3


def test_every_track_leads_back_to_the_observation(folder: Path) -> None:
    theirs = pycolmap.Reconstruction(str(folder / "sparse" / "0"))
    ours = rooms.reconstruction()
    assert theirs.compute_num_observations() == len(ours.points.view)
    for number, point in theirs.points3D.items():
        np.testing.assert_array_equal(point.color, ours.points.colors[number - 1])
        for element in point.track.elements:
            assert theirs.image(element.image_id).points2D[element.point2D_idx].point3D_id == number


def test_colmap_writes_the_same_bytes_again(folder: Path, tmp_path: Path) -> None:
    """Also the tables of rigs and frames, which its older versions do not have."""
    pycolmap.Reconstruction(str(folder / "sparse" / "0")).write_binary(str(tmp_path))
    for name in ("cameras.bin", "images.bin", "rigs.bin", "frames.bin", "points3D.bin"):
        ours, theirs = (folder / "sparse" / "0" / name).read_bytes(), (tmp_path / name).read_bytes()
        assert sorted(ours) == sorted(theirs), name
        if name != "points3D.bin":  # whose order is that of a hash table
            assert ours == theirs, name


def test_pictures_are_of_their_cameras_size(folder: Path) -> None:
    theirs = pycolmap.Reconstruction(str(folder / "sparse" / "0"))
    names = set()
    for image in theirs.images.values():
        names.add(image.name)
        with Pil.open(folder / "images" / image.name) as picture:
            assert picture.size == (image.camera.width, image.camera.height)
            original = rooms.reconstruction().views[image.image_id - 1].still.read()
            assert np.abs(np.asarray(picture, float) - original).mean() < 3
    assert names == {path.name for path in (folder / "images").iterdir()}


def test_views_share_a_camera_only_where_they_share_its_lens(folder: Path) -> None:
    theirs = pycolmap.Reconstruction(str(folder / "sparse" / "0"))
    assert len(theirs.cameras) == 2
    assert [theirs.image(n).camera_id for n in range(1, 13)] == [1] * 11 + [2]


def test_a_distorted_lens_is_told_as_opencv(tmp_path: Path) -> None:
    ours = rooms.reconstruction()
    bent = Lens(ours.views[0].lens.intrinsics, -0.2, 0.05, 0.001, -0.002)
    ours = dataclasses.replace(ours, views=(dataclasses.replace(ours.views[0], lens=bent),), points=SparsePoints.none())
    registry.write(ours, tmp_path / "a.colmap")
    theirs = pycolmap.Reconstruction(str(tmp_path / "a.colmap" / "sparse" / "0"))
    assert theirs.camera(1).model.name == "OPENCV"
    x, y = 0.3, -0.2
    r2 = x * x + y * y
    radial = 1 + bent.k1 * r2 + bent.k2 * r2 * r2
    seen = bent.intrinsics
    u = seen.fx * (x * radial + 2 * bent.p1 * x * y + bent.p2 * (r2 + 2 * x * x)) + seen.cx
    v = seen.fy * (y * radial + bent.p1 * (r2 + 2 * y * y) + 2 * bent.p2 * x * y) + seen.cy
    np.testing.assert_allclose(theirs.camera(1).img_from_cam(np.array([x, y, 1.0])), [u, v], rtol=1e-12)


def test_undistorted_views_are_pinholes_whose_points_are_where_they_are_seen(tmp_path: Path) -> None:
    """What trainers of splats get from a bent lens: the pictures, the cameras and the pixels all changed together."""
    ours = rooms.reconstruction()
    bent = [Lens(view.lens.intrinsics, -0.15, 0.03, 0.001, -0.001) for view in ours.views]
    views = tuple(dataclasses.replace(view, lens=lens) for view, lens in zip(ours.views, bent, strict=True))
    pixel = ours.points.pixel.astype(np.float64)
    for number, lens in enumerate(bent):
        seen = ours.points.view == number
        camera = lens.intrinsics
        x, y = ((pixel[seen] - [camera.cx, camera.cy]) / [camera.fx, camera.fy]).T
        r2 = x * x + y * y
        radial = 1 + lens.k1 * r2 + lens.k2 * r2 * r2
        moved = (
            x * radial + 2 * lens.p1 * x * y + lens.p2 * (r2 + 2 * x * x),
            y * radial + lens.p1 * (r2 + 2 * y * y) + 2 * lens.p2 * x * y,
        )
        pixel[seen] = np.stack(moved, 1) * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    points = dataclasses.replace(ours.points, pixel=pixel.astype(np.float32))
    straight = undistort_views(dataclasses.replace(ours, views=views, points=points), 120)
    registry.write(straight, tmp_path / "a.colmap")
    theirs = pycolmap.Reconstruction(str(tmp_path / "a.colmap" / "sparse" / "0"))
    seen_by = 0
    for image in theirs.images.values():
        assert image.camera.model.name == "PINHOLE" and max(image.camera.width, image.camera.height) <= 120
        with Pil.open(tmp_path / "a.colmap" / "images" / image.name) as picture:
            assert picture.size == (image.camera.width, image.camera.height)
        for point in image.points2D:
            found = image.project_point(theirs.point3D(point.point3D_id).xyz)
            assert np.linalg.norm(found - point.xy) < 0.01
            seen_by += 1
    assert seen_by > 0.8 * len(points.view)


def test_masks_go_along_and_are_named_as_colmap_looks_for_them(tmp_path: Path) -> None:
    kept = np.zeros(rooms.SIZE.shape, bool)
    kept[:, 40:] = True
    ours = rooms.reconstruction()
    first = dataclasses.replace(ours.views[0], still=dataclasses.replace(ours.views[0].still, mask=lambda: kept))
    registry.write(dataclasses.replace(ours, views=(first, *ours.views[1:])), tmp_path / "a.colmap")
    masks = tmp_path / "a.colmap" / "masks"
    assert {p.name for p in masks.iterdir()} == {f"{p.name}.png" for p in (tmp_path / "a.colmap" / "images").iterdir()}
    np.testing.assert_array_equal(np.asarray(Pil.open(masks / "000000.jpg.png")) > 0, kept)
    assert np.asarray(Pil.open(masks / "000001.jpg.png")).min() == 255


def test_names_of_pictures_are_safe_and_different(tmp_path: Path) -> None:
    ours = rooms.reconstruction()
    names = ("../../a b.jpg", "A.png", "a.jpg", "ü.jpg", "x/y.tif")
    views = tuple(
        dataclasses.replace(view, still=dataclasses.replace(view.still, name=name))
        for view, name in zip(ours.views[:5], names, strict=True)
    )
    registry.write(dataclasses.replace(ours, views=views, points=SparsePoints.none()), tmp_path / "a.colmap")
    theirs = pycolmap.Reconstruction(str(tmp_path / "a.colmap" / "sparse" / "0"))
    written = [image.name for image in theirs.images.values()]
    assert len({name.lower() for name in written}) == 5
    assert all(name.isascii() and "/" not in name and ".." not in name for name in written)
    assert sorted(written) == sorted(path.name for path in (tmp_path / "a.colmap" / "images").iterdir())


def test_a_picture_of_another_size_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    wrong = with_views(read=lambda: np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(InputError, match="10×10"):
        registry.write(wrong, tmp_path / "a.colmap")
    with pytest.raises(InputError, match="no picture"):
        registry.write(dataclasses.replace(wrong, views=()), tmp_path / "a.colmap")
    assert not list(tmp_path.iterdir())


def test_only_a_folder_of_ours_is_replaced(tmp_path: Path) -> None:
    path, force = tmp_path / "a.colmap", ExportOptions(force=True)
    (path / "mine").mkdir(parents=True)
    with pytest.raises(OutputError, match="did not write"):
        registry.write(rooms.reconstruction(), path, force)
    (path / "mine").rmdir()
    registry.write(rooms.reconstruction(), path, force)
    with pytest.raises(OutputError, match="exists already"):
        registry.write(rooms.reconstruction(), path)
    (path / "old").touch()
    lost = dataclasses.replace(rooms.reconstruction(), lost=(Dropped("blur.jpg", "blurred"),))
    registry.write(lost, path, force)
    assert sorted(p.name for p in path.iterdir()) == ["images", "sparse", "unflat.json", "unflat.json.c2pa"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.colmap"]
    told = json.loads((path / "unflat.json").read_text("utf-8"))
    assert told["lost"] == [{"name": "blur.jpg", "why": "blurred"}]
    assert told["scale"]["basis"] == "known-length" and told["frame"] == "level-rdf"
    (tmp_path / "b.colmap").write_text("a file")
    with pytest.raises(OutputError, match="is a file"):
        registry.write(lost, tmp_path / "b.colmap", force)
