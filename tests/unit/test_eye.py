"""What the other eye sees: shifts by the disparity, mirrors, fills, and says what it made up."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pil

import unflat
import worlds
from two_planes import Paint, TwoPlanes, gradient, grain, plain, psnr
from unflat.errors import InputError, OutputError
from unflat.pipelines.eye import BETWEEN_EYES_M, Eye, eye_view
from unflat.pipelines.result import PhotoResult
from unflat.types.image import Image

EYES: tuple[Eye, ...] = ("right", "left")
SIGN = {"right": 1, "left": -1}
APART_M = 0.12

Bytes = NDArray[np.uint8]


def soft_noise(height: int = 96, width: int = 128) -> Bytes:
    """A picture with something everywhere, no finer than a lens draws."""
    noise = np.random.default_rng(0).normal(0, 1, (height, width, 3))
    return np.clip(128 + 180 * cv2.GaussianBlur(noise, (0, 0), 1.2), 0, 255).astype(np.uint8)


def told(pixels: Bytes, disparity: NDArray[np.floating]) -> PhotoResult:
    return unflat.photo(
        np.ascontiguousarray(pixels),
        depth=np.ascontiguousarray(disparity, np.float32),
        depth_kind="disparity-px",
        fov=60,
    )


def shifted(pixels: Bytes, by: float) -> NDArray[np.float64]:
    """Every row at x + by, between pixels by Catmull and Rom's cubic; the border repeated."""
    columns = np.arange(pixels.shape[1]) + by
    first, t = np.floor(columns).astype(int), (columns % 1)[:, None]
    four = [pixels[:, np.clip(first + i, 0, pixels.shape[1] - 1)].astype(np.float64) for i in (-1, 0, 1, 2)]
    a, b, c, d = four
    return b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("d", [1.0, 5.0, 7.5, 12.0, 3.25, 40.0])
def test_one_disparity_everywhere_is_one_shift(d: float, eye: Eye) -> None:
    left = soft_noise()
    seen = eye_view(told(left, np.full(left.shape[:2], d)), eye).pixels
    assert seen.shape == left.shape
    margin = int(np.ceil(d)) + 3
    inner = np.s_[:, : 128 - margin] if eye == "right" else np.s_[:, margin:]
    expected = np.clip(shifted(left, SIGN[eye] * d), 0, 255)
    assert np.abs(seen[inner] - expected[inner]).max() < (0.51 if d == int(d) else 1.01)


def test_a_smaller_disparity_map_still_counts_in_pixels_of_the_picture() -> None:
    left = soft_noise()
    seen = eye_view(told(left, np.full((48, 64), 6.0)), "right").pixels
    assert seen.shape == left.shape
    assert np.abs(seen[:, :118] - shifted(left, 6)[:, :118]).max() < 1.01


def test_the_focal_length_does_not_matter_to_a_disparity() -> None:
    left = soft_noise()
    disparity = np.full(left.shape[:2], 6.0)
    wide, long = (
        unflat.photo(left, depth=disparity.astype(np.float32), depth_kind="disparity-px", fov=fov) for fov in (90, 25)
    )
    a, b = (eye_view(result, "right").pixels[:, :118].astype(int) for result in (wide, long))
    assert np.abs(a - b).max() <= 1


def pair(paint: Paint) -> tuple[TwoPlanes, PhotoResult, NDArray[np.float32]]:
    """A picture of two planes with mixed outlines, and its true disparity."""
    world = TwoPlanes(paint)
    z = np.where(world.sight().near, world.near, world.far)
    disparity = (world.camera.fx * APART_M / z).astype(np.float32)
    return world, told(world.picture(4).pixels, disparity), disparity


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize(("paint", "hidden"), [(plain, 60), (gradient, 42), (grain, 17)])
def test_two_planes_are_seen_as_the_other_eye_sees_them(paint: Paint, hidden: float, eye: Eye) -> None:
    world, result, _ = pair(paint)
    sight = world.sight(SIGN[eye] * APART_M, samples=4)
    seen = eye_view(result, eye).pixels
    calm = sight.calm & sight.framed
    assert (calm & sight.hidden).sum() > 100
    assert psnr(seen, sight.colour, calm & ~sight.hidden) > 45
    assert psnr(seen, sight.colour, calm & sight.hidden) > hidden
    assert psnr(seen, sight.colour, sight.framed) > min(hidden, 33)


@pytest.mark.parametrize("eye", EYES)
def test_without_a_stereo_file_the_eyes_are_as_far_apart_as_people_s(eye: Eye) -> None:
    world = TwoPlanes(gradient, near=0.8, far=1.6)
    result = unflat.photo(world.picture(4), depth=world.depth)
    sight = world.sight(SIGN[eye] * BETWEEN_EYES_M, samples=4)
    assert (sight.hidden & sight.framed).sum() > 100
    assert psnr(eye_view(result, eye).pixels, sight.colour, sight.framed & sight.calm) > 38


def mirrored_apart(paint: Paint, beside: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How far the right eye and the mirrored left eye of the mirrored picture differ: everywhere, off outlines."""
    world, result, disparity = pair(paint)
    mirrored = told(result.picture.pixels[:, ::-1], disparity[:, ::-1])
    one, other = eye_view(result, "right").pixels.astype(int), eye_view(mirrored, "left").pixels[:, ::-1].astype(int)
    sight = world.sight(APART_M)
    outline = cv2.dilate((~sight.calm).astype(np.uint8), np.ones((2 * beside + 1,) * 2, np.uint8)) > 0
    apart = np.abs(one - other)
    return apart, apart[~outline & sight.framed & ~sight.hidden]


@pytest.mark.parametrize("paint", [plain, gradient, grain])
def test_the_left_eye_of_the_mirrored_picture_is_the_mirrored_right_eye(paint: Paint) -> None:
    everywhere, calm = mirrored_apart(paint, 7)
    assert calm.max() <= 1
    assert everywhere.mean() < 0.1


@pytest.mark.parametrize("paint", [plain, gradient, grain])
def test_the_two_mirrored_eyes_agree_close_to_outlines_too(paint: Paint) -> None:
    assert mirrored_apart(paint, 1)[1].max() <= 2, "the network that continues colours is not quite a mirror's own"


@pytest.mark.parametrize("kind", ["nan", "zero", "inf", "negative"])
@pytest.mark.parametrize("eye", EYES)
def test_holes_in_the_disparity_leave_none_in_the_picture(kind: str, eye: Eye) -> None:
    world, whole, disparity = pair(gradient)
    holes = disparity.copy()
    value = {"nan": np.nan, "zero": 0, "inf": np.inf, "negative": -3}[kind]
    holes[10:30, 20:60] = holes[50:70, 90:120] = holes[:, :4] = value
    result = told(whole.picture.pixels, holes)
    assert not np.asarray(result.depth.valid).all()
    seen = eye_view(result, eye).pixels
    assert seen.shape == whole.picture.pixels.shape
    sight = world.sight(SIGN[eye] * APART_M, samples=4)
    assert psnr(seen, sight.colour, sight.framed & ~sight.hidden) > 28
    same = psnr(seen, eye_view(whole, eye).pixels.astype(np.float64))
    assert same > 28
    assert (seen.reshape(-1, 3).max(axis=1) > 40).all()


def test_beyond_the_border_the_picture_goes_on_smoothly() -> None:
    world, result, disparity = pair(gradient)
    seen = eye_view(result, "right").pixels.astype(float)
    strip = round(float(disparity.min()))
    outside = seen[:, -strip:]
    inside = seen[:, -strip - 2]
    assert np.abs(outside - inside[:, None]).max() < 12
    assert not world.sight(APART_M).framed[:, -strip + 1 :].any()


def test_the_sky_is_seen_by_the_other_eye_too() -> None:
    world = worlds.landscape()
    picture = world.picture()
    seen = eye_view(unflat.photo(picture, depth=world.depth), "right").pixels
    assert seen.shape == picture.pixels.shape
    assert psnr(seen, picture.pixels) > 24
    np.testing.assert_allclose(seen[5:15].astype(int), picture.pixels[5:15].astype(int), atol=2)


def test_a_saved_eye_says_where_it_comes_from_and_that_it_is_made_up(tmp_path: Path) -> None:
    _, result, _ = pair(gradient)
    assert result.save_eye("right", tmp_path / "r.png", tmp_path / "r.jpg") is result
    assert result.report["outputs"] == [str(tmp_path / "r.png"), str(tmp_path / "r.jpg")]
    assert "eye" in result.report["seconds"]
    with Pil.open(tmp_path / "r.png") as file:
        story = json.loads(file.text["unflat"])  # type: ignore[attr-defined]
        pixels = np.asarray(file)
    assert story["invented"] is True
    assert story["steps"][-1]["name"] == "render eye" and "right" in json.dumps(story["steps"][-1])
    assert story["sources"][0]["format"] == "array"
    np.testing.assert_array_equal(pixels, eye_view(result, "right").pixels)
    with Pil.open(tmp_path / "r.jpg") as file:
        assert "render eye" in file.getexif()[270]
        assert file.size == (160, 120)


def left_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_cannot_be_saved_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    _, result, _ = pair(plain)
    with pytest.raises(InputError, match="'middle'") as refused:
        result.save_eye("middle", tmp_path / "a.png")  # type: ignore[arg-type]
    assert "left or right" in str(refused.value.hint)
    with pytest.raises(InputError, match=r"a\.glb"):
        result.save_eye("left", tmp_path / "a.glb")
    with pytest.raises(OutputError):
        result.save_eye("left", tmp_path / "no" / "such" / "a.png")
    assert left_in(tmp_path) == {}
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists") as refused:
        result.save_eye("left", tmp_path / "a.png")
    assert "--force" in str(refused.value.hint)
    assert left_in(tmp_path) == {"a.png": b"mine"}
    with pytest.raises(OutputError, match="exists"):
        result.save_eye("left", tmp_path / "b.png", tmp_path / "a.png")
    with pytest.raises(InputError, match=r"c\.glb"):
        result.save_eye("left", tmp_path / "b.png", tmp_path / "c.glb")
    assert left_in(tmp_path) == {"a.png": b"mine"}, "all are checked before the first is written"
    result.save_eye("left", tmp_path / "a.png", force=True)
    assert left_in(tmp_path)["a.png"].startswith(b"\x89PNG")


def test_an_eye_of_an_image_keeps_its_source() -> None:
    _, result, _ = pair(plain)
    seen = eye_view(result, "left")
    assert isinstance(seen, Image) and seen.source is result.picture.source and seen.jpeg is None


def test_two_ways_to_see_a_real_pair_are_better_than_one() -> None:
    """What `unflat stereo` makes of a measured disparity is the mean of the moved picture and of the layers seen."""
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    rows = slice(180, 330)
    left, right = (np.asarray(Pil.open(folder / f"motorcycle_{e}.png").convert("RGB"))[rows] for e in ("left", "right"))
    with np.load(folder / "motorcycle_disp.npz") as file:
        disparity = file["arr_0"][rows].astype(np.float32)
    layers = eye_view(told(left, disparity), "right").pixels
    pair = unflat.stereo(np.ascontiguousarray(left), depth=disparity, depth_kind="disparity-px", eye="right").pair
    assert (pair.left == left).all() and pair.right_made is not None and 0.05 < pair.right_made.mean() < 0.3
    assert psnr(pair.right, right.astype(np.float64)) > psnr(layers, right.astype(np.float64)) + 0.2
