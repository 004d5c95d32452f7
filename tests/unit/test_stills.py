"""Films and folders become rows of stills; the shelf gives back what was put there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from unflat.errors import InputError
from unflat.formats.scan_shelf import Depths, Shelf
from unflat.formats.stills import Album, album
from unflat.stages.sample_frames import SampleOptions, sample_film, sample_photos, sharpness
from unflat.types.camera import Intrinsics, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.mesh import Mesh
from unflat.types.scale import Scale
from unflat.types.views import (
    Dropped,
    Lens,
    Offered,
    Reconstruction,
    SparsePoints,
    Still,
    Stills,
    View,
    ViewDepth,
)


def _picture(seed: int, size: tuple[int, int] = (120, 160), shift: int = 0) -> np.ndarray:
    import cv2

    rng = np.random.default_rng(seed)
    wide = rng.integers(0, 255, (size[0], size[1] * 2, 3), dtype=np.uint8)
    wide = cv2.GaussianBlur(wide, (0, 0), 1.0)
    wide = np.clip((wide.astype(np.float32) - 127) * 4 + 127, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(wide[:, shift : shift + size[1]])


def _save(path: Path, pixels: np.ndarray, **more: object) -> Path:
    Pil.fromarray(pixels).save(path, **more)
    return path


def _chosen(found: Album, shelf: Shelf, **told: object) -> Stills:
    options = SampleOptions(**told)  # type: ignore[arg-type]
    return sample_photos(found.stills(), options, lambda s, p, m: shelf.keep_still(s, p, m, lossy=False))


def test_a_folder_is_sorted_as_people_count(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        _save(tmp_path / f"a{number}.png", _picture(number))
    (tmp_path / "notes.txt").write_text("nothing")
    assert [p.name for p in album([tmp_path]).pictures] == ["a1.png", "a9.png", "a10.png"]


def test_nothing_to_see_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no picture and no film"):
        album([tmp_path])
    with pytest.raises(InputError, match="does not exist"):
        album([tmp_path / "none.jpg"])


def test_copies_twins_blurred_and_damaged_ones_are_named(tmp_path: Path) -> None:
    import cv2

    for number in range(6):
        _save(tmp_path / f"{number}.png", _picture(number))
    (tmp_path / "copy.png").write_bytes((tmp_path / "2.png").read_bytes())
    _save(tmp_path / "twin.bmp", _picture(3))
    _save(tmp_path / "soft.png", cv2.GaussianBlur(_picture(7), (0, 0), 4.0))
    (tmp_path / "torn.png").write_bytes((tmp_path / "1.png").read_bytes()[:200])
    stills = _chosen(album([tmp_path]), Shelf(tmp_path / "shelf", 1600))
    assert [still.name for still in stills.items] == [f"{n}.png" for n in range(6)]
    why = {one.name: one.why for one in stills.dropped}
    assert "copy of 2.png" in why["copy.png"]
    assert "same as 3.png" in why["twin.bmp"]
    assert "blurred" in why["soft.png"]
    assert "cannot be read" in why["torn.png"]


def test_blurred_ones_stay_when_asked_for(tmp_path: Path) -> None:
    import cv2

    for number in range(5):
        _save(tmp_path / f"{number}.png", _picture(number))
    _save(tmp_path / "soft.png", cv2.GaussianBlur(_picture(7), (0, 0), 4.0))
    stills = _chosen(album([tmp_path]), Shelf(tmp_path / "shelf", 1600), keep_blurred=True)
    assert len(stills.items) == 6


def test_sharpness_does_not_depend_on_contrast() -> None:
    import cv2

    sharp = _picture(1, (300, 400))
    pale = (sharp // 4 + 96).astype(np.uint8)
    soft = cv2.GaussianBlur(sharp, (0, 0), 3.0)
    assert abs(sharpness(sharp) - sharpness(pale)) < 0.03
    assert sharpness(soft) < sharpness(pale) - 0.15
    assert sharpness(np.full((50, 60, 3), 128, np.uint8)) == 0


def test_frames_of_a_walk_are_told_from_loose_pictures(tmp_path: Path) -> None:
    walk, loose = tmp_path / "walk", tmp_path / "loose"
    for folder in (walk, loose):
        folder.mkdir()
    for number in range(12):
        far = np.repeat(np.repeat(_picture(1, (6, 24), shift=number), 16, 0), 16, 1)  # a step of a patch at a time
        _save(walk / f"{number:03d}.png", np.ascontiguousarray(far[:, :128]))
        _save(loose / f"{number:03d}.png", _picture(number, (96, 128)))
    assert _chosen(album([walk]), Shelf(tmp_path / "s1", 1600)).ordered
    assert not _chosen(album([loose]), Shelf(tmp_path / "s2", 1600)).ordered


def test_times_of_a_sequence_come_from_its_list(tmp_path: Path) -> None:
    for number in range(3):
        _save(tmp_path / f"{number}.png", _picture(number))
    plain = [o.still.seconds for o in album([tmp_path], fps=10).stills() if isinstance(o, Offered)]
    assert plain == [0.0, 0.1, 0.2]
    (tmp_path / "rgb.txt").write_text("# stamps\n5.5 rgb/0.png\n6.25 rgb/1.png\n7.0 rgb/2.png\n")
    told = [o.still.seconds for o in album([tmp_path]).stills() if isinstance(o, Offered)]
    assert told == [5.5, 6.25, 7.0]


def _film(cut: int, still_from: int) -> list[Offered]:
    frames: list[Offered] = []
    for number in range(60):
        seed, shift = (1, min(number, still_from) * 4) if number < cut else (2, number * 2)
        pixels = _picture(seed, (96, 288), shift=shift)[:, :128]
        if number % 3:
            import cv2

            pixels = cv2.GaussianBlur(pixels, (0, 0), 2.0)
        frames.append(Offered(Still(f"{number:06d}", Size(128, 96), lambda p=pixels: p, seconds=number / 30), pixels))
    return frames


def test_of_a_film_the_sharp_frames_stay_and_nothing_reaches_over_a_cut() -> None:
    frames = _film(cut=41, still_from=20)
    kept: dict[str, np.ndarray] = {}

    def keep(still: Still, pixels: np.ndarray, _mask: object) -> Still:
        kept[still.name] = pixels
        return still

    stills = sample_film(frames, SampleOptions(sample_fps=10), keep, seconds=2.0, fps=30.0)
    numbers = [int(still.name) for still in stills.items]
    assert stills.ordered
    assert numbers == sorted(numbers)
    assert all(number % 3 == 0 for number in numbers if number not in (41, 59))
    assert len([n for n in numbers if 24 <= n < 41]) <= 2  # nothing moves there
    assert any(n >= 41 for n in numbers)
    assert {one.why for one in stills.dropped} == {"a sharper one is beside each of them", "nothing had moved"}


def _view(shelf: Shelf, name: str) -> View:
    pixels = _picture(len(name), (60, 80))
    lens = Lens(Intrinsics.from_fov(60, Size(80, 60)), 0.01, -0.02)
    mask = np.zeros((60, 80), bool)
    mask[10:20] = True
    still = shelf.keep_still(
        Still(name, Size(80, 60), lambda: pixels, lens=lens, seconds=1.5), pixels, mask, lossy=False
    )
    assert np.array_equal(still.read(), pixels)
    pose = np.eye(4)
    pose[:3, 3] = 1, 2, len(name)
    return View(still, lens, Pose(pose), 0.5, 0.75)


def test_the_shelf_gives_back_what_was_put_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", 1600)
    views = (_view(shelf, "a"), _view(shelf, "über alles/b"))
    stills = Stills(tuple(v.still for v in views), True, (Dropped("c", "why"),))
    shelf.put_stills("k", stills)
    again = Shelf(tmp_path / "shelf", 1600).get_stills("k")
    assert again is not None
    assert again.ordered
    assert again.dropped == stills.dropped
    assert [s.name for s in again.items] == [s.name for s in stills.items]
    assert again.items[0].lens == views[0].lens
    assert again.items[1].mask is not None
    assert again.items[1].mask().sum() == 800
    assert shelf.get_stills("other") is None
    points = SparsePoints(
        np.arange(6.0).reshape(2, 3), np.zeros((2, 3), np.uint8), np.ones(2, np.float32), np.array([0, 1], np.int32),
        np.array([1, 0], np.int32), np.array([[1, 2], [3, 4]], np.float32),
    )  # fmt: skip
    made = Reconstruction(views, points, (Dropped("d", "e"),), Scale("known-length", 0.9, 1.1), True, ("note",))
    shelf.put_reconstruction("k2", made)
    back = shelf.get_reconstruction("k2", again)
    assert back is not None
    assert np.array_equal(back.points.xyz, points.xyz)
    assert back.scale == made.scale
    assert back.level
    assert back.lost == made.lost
    assert np.array_equal(back.views[1].pose.world_from_camera, views[1].pose.world_from_camera)
    assert back.views[1].sure == 0.75


def test_depth_and_meshes_come_back(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", 1600)
    view = _view(shelf, "a")
    view = View(view.still, Lens(view.lens.intrinsics), view.pose)
    values = np.linspace(1, 2, 4800, dtype=np.float32).reshape(60, 80)
    depth = DepthMap(values, DepthKind.SCALE, confidence=values - 1, intrinsics=view.lens.intrinsics)
    shelf.put_depth("d0", "k", ViewDepth(view, depth, None, values > 1.5, values < 1.25))
    seen = Depths(shelf, "k", [view], ["d0"])
    assert len(seen) == 1
    assert np.array_equal(seen[0].depth.values, values)
    assert seen[0].learned is not None
    assert seen[0].learned.sum() == 2400
    assert seen[0].flat is not None
    assert seen[0].flat.sum() == 1200
    assert np.allclose(seen[0].depth.confidence, values - 1, atol=1e-3)
    mesh = Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.uint32))
    shelf.put_mesh("m", "k", mesh)
    back = shelf.get_mesh("m", "k")
    assert back is not None
    assert np.array_equal(back.vertices, mesh.vertices)
    (shelf.folder / "m.npz").write_bytes(b"PK damaged")
    assert shelf.get_mesh("m", "k") is None
