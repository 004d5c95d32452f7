"""Faces and bodies: the sweep is OpenCV's own, only faster; hardly a face is missed; what is small does no harm."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from people import MARKED, PHOTOS, finds

from bundled import bundled
from unflat.errors import WeightsError
from unflat.formats.image import read_image
from unflat.models.faces import cascade as cascades
from unflat.models.faces import finder
from unflat.models.faces.cascade import cascade, folder
from unflat.models.faces.finder import absent, find_people
from unflat.models.faces.sweep import Sums, sweep
from unflat.types.arrays import U8

FACE = (175, 75, 102, 103)
"""The astronaut's, marked by hand."""


def grey(name: str) -> U8:
    return np.asarray(cv2.cvtColor(bundled(name), cv2.COLOR_RGB2GRAY), np.uint8)


@pytest.mark.parametrize("name", ["frontalface_alt2", "frontalface_default", "profileface"])
def test_the_sweep_passes_the_windows_that_opencv_passes(name: str) -> None:
    asked = cascade(name)
    picture = cv2.resize(grey("astronaut"), (150, 150), interpolation=cv2.INTER_AREA)
    for side in (151, 118, 95):
        small = np.asarray(cv2.resize(picture, (side, side - 1), interpolation=cv2.INTER_AREA), np.uint8)
        theirs = cv2.CascadeClassifier(str(folder() / f"haarcascade_{name}.xml"))
        size = asked.width, asked.height
        windows = theirs.detectMultiScale(small, 1.1, 0, minSize=size, maxSize=size)
        ours = sweep(Sums.of(small), asked, 0)
        assert {(int(x), int(y)) for x, y, _ in ours} == {(int(x), int(y)) for x, y, *_ in windows}


def test_a_mirrored_cascade_sees_mirrored() -> None:
    asked, flipped = cascade("profileface"), cascade("profileface", mirrored=True)
    picture = np.asarray(cv2.resize(grey("camera"), (140, 140), interpolation=cv2.INTER_AREA), np.uint8)
    plain = sweep(Sums.of(np.ascontiguousarray(picture[:, ::-1])), asked, 12)
    turned = sweep(Sums.of(picture), flipped, 12)
    assert len(plain)
    there = {(int(140 - asked.width - x), int(y), int(stage)) for x, y, stage in plain}
    assert {(int(x), int(y), int(stage)) for x, y, stage in turned} == there


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (64, 64), (20, 20), (25, 300), (130, 63), (129, 65), (24, 24)])
def test_small_pictures_do_no_harm(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    people = find_people(noise)
    assert people.size.shape == shape


def test_nobody_is_in_an_empty_picture() -> None:
    assert not find_people(np.full((300, 400, 3), 90, np.uint8))


def test_a_face_is_found_wherever_it_is_and_however_large() -> None:
    astronaut = bundled("astronaut")
    canvas = np.full((1500, 2000, 3), 120, np.uint8)
    scale = 64 / 102
    small = cv2.resize(astronaut[:260], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for left, top in ((0, 0), (1233, 811), (2000 - small.shape[1], 1500 - small.shape[0])):
        picture = canvas.copy()
        picture[top : top + small.shape[0], left : left + small.shape[1]] = small
        box = tuple(scale * v for v in FACE)
        box = box[0] + left, box[1] + top, box[2], box[3]
        assert any(finds(seen, box) for seen in find_people(picture).faces), (left, top)
    large = np.asarray(cv2.resize(astronaut, (2048, 2048)), np.uint8)
    seen = find_people(large)
    assert any(finds(one, (4 * 175, 4 * 75, 4 * 102, 4 * 103)) and one.score > 0.9 for one in seen.faces)
    assert all(one.left >= 0 and one.left + one.width <= 2048 for one in seen.seen)


def test_two_looks_see_the_same() -> None:
    picture = bundled("astronaut")
    assert find_people(picture) == find_people(picture, threads=1) == find_people(picture)


def test_without_cascades_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert absent() is None
    monkeypatch.setattr(finder, "folder", lambda: tmp_path)
    reason = absent()
    assert reason is not None and "nobody looked" in reason
    assert not find_people(bundled("astronaut"))


def test_a_cascade_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cascades, "folder", lambda: tmp_path)
    with pytest.raises(WeightsError, match="cannot be read"):
        cascade.__wrapped__("gone")
    (tmp_path / "haarcascade_odd.xml").write_text("<cascade>LBP</cascade>", encoding="utf-8")
    with pytest.raises(WeightsError, match="another kind"):
        cascade.__wrapped__("odd")


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="needs ../shared/data/photos")
def test_hardly_a_frontal_face_is_missed() -> None:
    found, misses = 0, list[str]()
    for name, marked in json.loads(MARKED.read_text(encoding="utf-8"))["pictures"].items():
        boxes = [face["box"] for face in marked["faces"] if face["kind"] == "frontal" and max(face["box"][2:]) >= 64]
        if not boxes:
            continue
        assert hashlib.sha256((PHOTOS / name).read_bytes()).hexdigest() == marked["sha256"], name
        people = find_people(read_image(PHOTOS / name).pixels)
        for box in boxes:
            if any(finds(seen, tuple(box)) for seen in people.faces):
                found += 1
            else:
                misses.append(f"{name} {box}")
    assert found >= 0.9 * (found + len(misses)), misses
    assert found
