"""What lies in the boxes is gone, not only blurred: two faces of the same means become one; else all stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundled import bundled
from unflat.geometry.veil import CELLS, Veil
from unflat.stages.redact_people import How, redact_depth, redact_people, veils_over
from unflat.types.arrays import F32, U8
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, Size
from unflat.types.people import People, Sighting

SMOOTH = 8
"""A smooth slope, rounded to whole colours and differentiated twice."""
HOWS: tuple[How, ...] = ("blur", "remove")


def noise(height: int, width: int, seed: int = 0) -> U8:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def somebody(size: Size, *boxes: tuple[float, float, float, float]) -> People:
    return People(size, tuple(Sighting("face", *box) for box in boxes))


def inside(box: tuple[float, float, float, float], size: Size) -> tuple[slice, slice]:
    left, top = max(0, int(np.floor(box[0]))), max(0, int(np.floor(box[1])))
    right, bottom = min(size.width, int(np.ceil(box[0] + box[2]))), min(size.height, int(np.ceil(box[1] + box[3])))
    return slice(top, bottom), slice(left, right)


def detail(pixels: U8 | F32) -> F32:
    grey = np.asarray(pixels, np.float32).mean(-1)
    return np.asarray(cv2.Laplacian(grey, cv2.CV_32F), np.float32)


@pytest.mark.parametrize("how", HOWS)
def test_no_detail_of_a_face_is_left(how: How) -> None:
    image, box = Image(bundled("astronaut"), jpeg=b"as it was"), (175.0, 75.0, 102.0, 103.0)
    out = redact_people(image, somebody(image.size, box), how)
    assert out.jpeg is None and out.source == image.source
    there = inside(box, image.size)
    before, after = detail(image.pixels[there]), detail(out.pixels[there])
    assert np.abs(after).max() <= SMOOTH
    assert after.std() < 0.1 * before.std()
    assert abs(float(np.corrcoef(before.ravel(), after.ravel())[0, 1])) < 0.1


def test_two_faces_of_the_same_means_become_the_same() -> None:
    """Blurring keeps nine means: whatever is shuffled within a cell changes no byte where the box was."""
    size, box = Size(240, 240), (80.0, 90.0, 72.0, 72.0)
    first = noise(240, 240)
    (veil,) = veils_over(somebody(size, box), size, "blur")
    top, bottom, left, right = veil.core
    second, rng = first.copy(), np.random.default_rng(3)
    part = second[veil.part][top:bottom, left:right]
    rows, columns = ((end // CELLS) * CELLS for end in part.shape[:2])
    for y in range(CELLS):
        for x in range(CELLS):  # pixels that no neighbouring cell shares
            cell = part[
                y * rows // CELLS + 2 : (y + 1) * rows // CELLS - 1,
                x * columns // CELLS + 2 : (x + 1) * columns // CELLS - 1,
            ]
            flat = cell.reshape(-1, 3)
            cell[...] = rng.permutation(flat).reshape(cell.shape)
    assert (first != second).any()
    people = somebody(size, box)
    outs = [redact_people(Image(p), people, "blur").pixels[inside(box, size)] for p in (first, second)]
    np.testing.assert_array_equal(*outs)


def test_removing_keeps_nothing_of_what_was_there() -> None:
    size, box = Size(200, 150), (60.0, 40.0, 50.0, 60.0)
    people = somebody(size, box)
    (veil,) = veils_over(people, size, "remove")
    first, second = noise(150, 200), noise(150, 200)
    second[veil.part] = np.where((veil.share > 0)[..., None], 255 - second[veil.part], second[veil.part])
    outs = [redact_people(Image(p), people, "remove").pixels[inside(box, size)] for p in (first, second)]
    np.testing.assert_array_equal(*outs)


@given(
    left=st.floats(-60, 130),
    top=st.floats(-60, 90),
    width=st.floats(0.01, 260),
    height=st.floats(0.01, 220),
    how=st.sampled_from(HOWS),
)
@settings(max_examples=60, deadline=None)
def test_boxes_anywhere_of_any_size(left: float, top: float, width: float, height: float, how: How) -> None:
    size, box = Size(120, 80), (left, top, width, height)
    pixels, alpha = noise(80, 120), np.random.default_rng(1).integers(0, 256, (80, 120)).astype(np.uint8)
    out = redact_people(Image(pixels, alpha), somebody(size, box), how)
    np.testing.assert_array_equal(out.alpha, alpha)
    touched = np.zeros((80, 120), bool)
    for veil in veils_over(somebody(size, box), size, how):
        touched[veil.part] |= veil.share > 0
        there = inside(box, size)
        whole = np.zeros((80, 120), np.float32)
        whole[veil.part] = veil.share
        assert (whole[there] == 1).all()
    np.testing.assert_array_equal(out.pixels[~touched], pixels[~touched])


@pytest.mark.parametrize("how", HOWS)
def test_the_whole_picture_may_go(how: How) -> None:
    size = Size(90, 70)
    out = redact_people(Image(noise(70, 90)), somebody(size, (0, 0, 90, 70)), how)
    assert np.abs(detail(out.pixels)).max() <= SMOOTH


def test_nobody_changes_nothing() -> None:
    image = Image(noise(20, 30), jpeg=b"as it was")
    assert redact_people(image, People(image.size), "blur") is image


def test_of_a_body_the_head_goes_or_all() -> None:
    size, body = Size(200, 300), Sighting("body", 60, 40, 80, 220)
    image = Image(noise(300, 200))
    blurred = redact_people(image, People(size, (body,)), "blur").pixels
    removed = redact_people(image, People(size, (body,)), "remove").pixels
    assert np.abs(detail(blurred[44:80, 90:110])).max() <= SMOOTH
    np.testing.assert_array_equal(blurred[120:], image.pixels[120:])
    assert np.abs(detail(removed[42:258, 62:138])).max() <= SMOOTH


def test_a_face_in_two_boxes_is_gone() -> None:
    size = Size(120, 120)
    boxes = (30.0, 30.0, 40.0, 40.0), (50.0, 45.0, 40.0, 40.0)
    for how in HOWS:
        out = redact_people(Image(noise(120, 120)), somebody(size, *boxes), how).pixels
        for box in boxes:
            assert np.abs(detail(out[inside(box, size)])).mean() < 8  # the rim of one crosses the other


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kind", [DepthKind.METRIC, DepthKind.DISPARITY])
def test_depth_keeps_only_the_coarse_shape(how: How, kind: DepthKind) -> None:
    rng = np.random.default_rng(0)
    values = (2 + rng.random((75, 100))).astype(np.float32)
    sky = np.zeros((75, 100), bool)
    sky[:20] = True
    if kind is DepthKind.METRIC:
        values[sky] = np.inf
    valid = rng.random((75, 100)) > 0.2
    depth = DepthMap(values, kind, valid | sky, sky, rng.random((75, 100)).astype(np.float32))
    people = somebody(Size(200, 150), (60, 20, 70, 80))  # of the picture, twice as large
    out = redact_depth(depth, people, how)
    there = slice(10, 50), slice(30, 65)
    assert np.isfinite(out.values[there]).all() and np.asarray(out.surface)[there].all()
    assert (
        np.abs(cv2.Laplacian(out.values[there], cv2.CV_32F)).max()
        < 0.1 * np.abs(cv2.Laplacian(values[60:], cv2.CV_32F)).max()
    )
    assert out.values[there].min() >= 2 and out.values[there].max() <= 3
    assert out.confidence is not None and np.ptp(out.confidence[there]) < 1e-6
    far = slice(60, 75), slice(80, 100)
    np.testing.assert_array_equal(out.values[far], values[far])
    np.testing.assert_array_equal(np.asarray(out.valid)[far], np.asarray(depth.valid)[far])


def test_a_veil_beside_the_picture_is_none() -> None:
    assert Veil.over((-50, 0, 40, 40), 100, 100) is None
    assert Veil.over((101, 0, 40, 40), 100, 100) is None
