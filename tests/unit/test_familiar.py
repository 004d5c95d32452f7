"""Familiar things: found where they are, and nothing found where there are none."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from unflat.models.familiar import absent, find_familiar
from unflat.types.arrays import U8

PHOTOS = Path(os.environ.get("UNFLAT_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "data" / "photos"


def astronaut() -> U8:
    return np.asarray(skimage.data.astronaut(), dtype=np.uint8)


def test_the_finders_are_in_the_wheel() -> None:
    assert absent() is None


def test_the_face_of_a_portrait_is_found() -> None:
    (face,) = find_familiar(astronaut())
    assert face.what == "face"
    assert face.left < 205  # the one eye
    assert face.left + face.width > 245  # the other
    assert face.top < 110
    assert face.top + face.height > 150  # the mouth
    assert 85 < face.width < 120


@pytest.mark.parametrize("factor", [0.75, 2.0, 5.0])
def test_the_box_grows_with_the_picture(factor: float) -> None:
    (small,) = find_familiar(astronaut())
    (large,) = find_familiar(np.asarray(cv2.resize(astronaut(), None, fx=factor, fy=factor), dtype=np.uint8))
    assert large.width == pytest.approx(factor * small.width, rel=0.2)
    assert large.left + large.width / 2 == pytest.approx(factor * (small.left + small.width / 2), rel=0.05)


def test_a_mirrored_face_is_found_at_the_mirrored_place() -> None:
    (face,) = find_familiar(astronaut())
    (mirrored,) = find_familiar(np.ascontiguousarray(astronaut()[:, ::-1]))
    assert mirrored.left + mirrored.width / 2 == pytest.approx(512 - face.left - face.width / 2, abs=8)


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_where_nobody_is_nobody_is_found(name: str) -> None:
    assert find_familiar(np.asarray(getattr(skimage.data, name)(), dtype=np.uint8)) == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (23, 23), (24, 24), (127, 64), (2000, 3)])
def test_small_and_odd_pictures_are_no_fault(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert find_familiar(noise) == ()


def test_an_opencv_without_cascades_finds_nothing_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cv2.data, "haarcascades", str(tmp_path))
    assert "no face finder" in (absent() or "")
    assert find_familiar(astronaut()) == ()


def test_an_opencv_without_a_data_folder_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "data")
    assert absent() is not None


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the measuring pictures are not here")
def test_the_photographs_give_no_false_alarm() -> None:
    seen: dict[str, list[str]] = {}
    for path in sorted(PHOTOS.glob("*.*")):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is not None:
            found = find_familiar(np.ascontiguousarray(picture[..., ::-1], dtype=np.uint8))
            if found:
                seen[path.name] = [thing.what for thing in found]
    people = {"rembg_cloth-1.jpg", "rembg_girl-1.jpg", "rembg_girl-3.jpg", "skimage_astronaut.jpg"}
    things = {"rembg_car-2.jpg": ["plate"], "moge_01_HouseIndoor.jpg": ["door", "door"]}
    assert set(seen) <= people | set(things)
    assert len(set(seen) & people) >= 3
    assert {name: seen.get(name) for name in things} == things
    assert seen["rembg_cloth-1.jpg"] == ["face", "person"]
