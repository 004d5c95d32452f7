"""Paintings, drawings and old photographs: what they are taken for, shown as, and what depth they get."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from bundled import PHOTOGRAPHS, bundled
from unflat.formats.image import read_image
from unflat.geometry.bas_relief import layered, without_marks
from unflat.geometry.strokes import ink_of
from unflat.geometry.tones import tones_of
from unflat.stages.see_as_art import ArtOptions, judge_style, settle_depth, shown_to_the_eye, without_lens
from unflat.types import Image, LensRecord
from unflat.types.arrays import F32, U8, Bool
from unflat.types.depth import DepthKind, DepthMap

SHARED = Path(os.environ.get("UNFLAT_SHARED", "/nowhere")) / "data/photos"
PAINTED = {"dav2_demo03.jpg": "painting", "dav2_demo19.jpg": "painting", "dav2_demo05.jpg": "drawing"}


def picture_of(name: str) -> Image:
    return Image(bundled(name))


def drawing(seed: int = 0, paper: tuple[int, int, int] = (244, 238, 222)) -> U8:
    """Strokes of a pen on paper."""
    dice = np.random.default_rng(seed)
    sheet = np.full((360, 480, 3), paper, np.uint8)
    for _ in range(60):
        points = np.cumsum(np.vstack([dice.uniform(0, 1, 2) * (480, 360), dice.normal(0, 25, (8, 2))]), 0)
        cv2.polylines(sheet, [points.astype(np.int32)], False, (40, 35, 30), 2, cv2.LINE_AA)
    return sheet


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_is_a_photograph(name: str) -> None:
    assert judge_style(picture_of(name), ArtOptions()).style == "photo"


@pytest.mark.parametrize("name", ["page", "text"])
def test_text_is_a_drawing(name: str) -> None:
    assert judge_style(picture_of(name), ArtOptions()).style == "drawing"


@pytest.mark.parametrize("turn", range(4))
def test_a_drawing_is_one_however_it_is_turned_and_whatever_its_paper(turn: int) -> None:
    pixels = np.ascontiguousarray(np.rot90(drawing(turn, (235 - 12 * turn, 230 - 12 * turn, 205 - 12 * turn)), turn))
    verdict = judge_style(Image(pixels), ArtOptions())
    assert verdict.style == "drawing" and verdict.note is not None and "--style photo" in verdict.note


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared photographs")
def test_the_shared_photographs_are_told_apart() -> None:
    for path in sorted(p for p in SHARED.iterdir() if p.suffix in (".jpg", ".png")):
        assert judge_style(read_image(path), ArtOptions()).style == PAINTED.get(path.name, "photo"), path.name


def test_the_users_word_stands_and_cut_outs_are_photographs() -> None:
    assert judge_style(picture_of("coffee"), ArtOptions(style="painting")).style == "painting"
    assert judge_style(Image(drawing()), ArtOptions(style="photo")).style == "photo"
    alpha = np.full((360, 480), 255, np.uint8)
    alpha[0] = 0
    assert judge_style(Image(drawing(), alpha), ArtOptions()).style == "photo"


def test_a_reproduction_loses_its_lens_and_says_so() -> None:
    plain = Image(drawing())
    assert without_lens(plain) is plain
    bare = without_lens(Image(drawing(), lens=LensRecord(focal_35mm=50)))
    assert bare.lens == LensRecord() and "reproduced" in bare.notes[-1]


def faded(picture: U8) -> U8:
    return (picture * np.float32(0.3) + np.float32([150, 140, 115])).astype(np.uint8)


def test_the_eye_sees_a_faded_picture_with_its_colours_back_and_the_user_keeps_his() -> None:
    true = bundled("coffee")
    picture = Image(faded(true))
    shown, note = shown_to_the_eye(picture, ArtOptions(style="photo"))
    assert note is not None and "--no-restore" in note
    assert np.array_equal(picture.pixels, faded(true))
    before, after = (np.abs(p.astype(float) - true).mean() for p in (picture.pixels, shown.pixels))
    assert after < before / 3


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket", "camera"])
def test_a_clean_picture_is_shown_as_it_is(name: str) -> None:
    picture = picture_of(name)
    assert shown_to_the_eye(picture, ArtOptions(style="photo")) == (picture, None)


def pale(grain: float, tint: tuple[float, float, float] = (1, 1, 1)) -> Image:
    """A picture of one tint and little contrast, with grain."""
    picture = bundled("camera").astype(np.float32)
    picture = cv2.GaussianBlur(picture, (0, 0), 1.0) * 0.4 + 95
    picture += np.random.default_rng(2).normal(0, grain, (*picture.shape[:2], 1))
    return Image((picture * np.array(tint, np.float32)).clip(0, 255).round().astype(np.uint8))


def gain(picture: Image) -> float:
    """How many times the contrast of a picture its eye is shown."""
    shown, note = shown_to_the_eye(picture, ArtOptions(style="photo"))
    assert (note is None) == (shown is picture)
    soft = [cv2.GaussianBlur(p.pixels[..., 1], (0, 0), 3).astype(float).std() for p in (shown, picture)]
    return float(soft[0] / soft[1])


@pytest.mark.parametrize("tint", [(1, 1, 1), (1.05, 0.95, 0.72)])
def test_grey_and_sepia_are_stretched_as_far_as_their_grain_bears(tint: tuple[float, float, float]) -> None:
    assert gain(pale(0, tint)) > 2
    assert tones_of(pale(1.3, tint).pixels).grain == pytest.approx(1.3, rel=0.15)
    assert 1.4 < gain(pale(0.9, tint)) < 1.85
    assert gain(pale(3, tint)) == 1
    healthy = bundled("camera") * np.array(tint, np.float32) * np.float32(0.95)
    assert gain(Image(healthy.clip(0, 255).astype(np.uint8))) == 1


def test_all_is_shown_as_it_is_on_request_and_so_are_drawings() -> None:
    for picture in (pale(0), Image(faded(bundled("coffee")))):
        assert shown_to_the_eye(picture, ArtOptions(style="photo", restore=False))[0] is picture
        assert shown_to_the_eye(picture, ArtOptions(style="drawing"))[0] is picture


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared photographs")
def test_no_healthy_photograph_is_shown_otherwise() -> None:
    for path in sorted(p for p in SHARED.iterdir() if p.suffix in (".jpg", ".png")):
        picture = read_image(path)
        if PAINTED.get(path.name) != "drawing":
            assert shown_to_the_eye(picture, ArtOptions(style="photo"))[0] is picture, path.name


def two_halves(step: float, height: int = 120, width: int = 200) -> F32:
    z = np.full((height, width), 2, np.float32)
    z[:, width // 2 :] *= np.float32(step)
    return z


def strokes(z: F32, *columns: slice) -> Bool:
    """Upright strokes over a depth map."""
    ink = np.zeros(z.shape, np.bool_)
    for some in columns:
        ink[:, some] = True
    return ink


def test_a_drawings_depth_has_no_step_where_there_is_no_stroke_and_keeps_its_large_structure() -> None:
    z = two_halves(3)
    z[:, 40:42] = 0.5  # a stroke that the network took for a post
    out = layered(z, np.ones(z.shape, bool), strokes(z, np.s_[40:42]))
    assert np.abs(np.diff(np.log(out), axis=1)).max() < 0.06
    assert out[:, 10].mean() < 0.75 * out[:, -10].mean()
    assert 1.4 < np.quantile(out, 0.99) / np.quantile(out, 0.01) < 1.7
    assert np.abs(np.log(out[:, 30:52])).std() < 0.03


def test_what_strokes_divide_stays_apart_and_the_stroke_is_of_the_nearer() -> None:
    """The network's border wriggles about the line that was drawn; the depth of the drawing does not."""
    z = two_halves(1.5)
    for y in range(len(z)):
        z[y, 100 - 6 : 100 + round(6 * np.sin(y / 7))] = 2
        z[y, 100 + round(6 * np.sin(y / 7)) : 106] = 3
    out = layered(z, np.ones(z.shape, bool), strokes(z, np.s_[99:102]))
    assert np.log(out[:, 5:102]).std() < 0.03 and np.log(out[:, 102:-5]).std() < 0.03
    assert (out[:, 103] / out[:, 98]).min() > 1.3
    assert np.abs(np.log(out[:, 101] / out[:, 97])).max() < 0.02
    sideways = layered(np.ascontiguousarray(z.T), np.ones(z.T.shape, bool), strokes(z, np.s_[99:102]).T)
    assert np.allclose(np.log(sideways.T), np.log(out), atol=0.05)


def test_ink_is_where_the_pen_was() -> None:
    sheet = np.full((200, 300, 3), (240, 230, 210), np.uint8)
    cv2.line(sheet, (40, 100), (260, 100), (30, 30, 30), 3)
    ink = ink_of(sheet)
    assert ink.shape == (200, 300) and ink[100, 50:250].all() and not ink[:90].any() and not ink[110:].any()
    large = np.asarray(cv2.resize(sheet, (1500, 1000)), np.uint8)
    assert ink_of(large).shape == (341, 512)


def test_a_gentle_drawing_is_not_pressed_and_scale_means_nothing() -> None:
    z = two_halves(1.2)
    known, ink = np.ones(z.shape, bool), strokes(z, np.s_[99:101])
    out = layered(z, known, ink)
    assert out[:, -10].mean() / out[:, 10].mean() == pytest.approx(1.2, rel=0.02)
    assert np.allclose(layered(7 * z, known, ink), 7 * out, rtol=1e-4)


def test_cracks_leave_no_relief_in_a_painting_and_steps_stay() -> None:
    true = two_halves(1.5, 240, 400)
    cracks = np.random.default_rng(0).normal(0, 1, true.shape).astype(np.float32)
    cracks = cv2.GaussianBlur(cracks, (0, 0), 1.5)
    noisy = true * np.exp(cracks / cracks.std() * np.float32(0.012))
    known = np.ones(true.shape, bool)
    known[:5] = False
    out = without_marks(noisy, known)
    assert np.array_equal(out[:5], noisy[:5])
    inside = np.s_[20:-20, 20:180]
    assert np.log(out[inside]).std() < 0.35 * np.log(noisy[inside]).std()
    assert out[:, 210].mean() / out[:, 190].mean() == pytest.approx(1.5, rel=0.02)


def test_depth_is_settled_by_style_and_paper_is_no_sky() -> None:
    sky = np.zeros((120, 200), bool)
    sky[:30] = True
    z = two_halves(1.5)
    z[sky] = np.inf
    depth = DepthMap(z, DepthKind.SCALE, sky=sky)
    sheet = Image(np.full((120, 200, 3), 240, np.uint8))
    assert settle_depth(depth, "photo", sheet) is depth
    painted = settle_depth(depth, "painting", sheet)
    assert painted.sky is not None and np.isinf(painted.values[sky]).all()
    drawn = settle_depth(depth, "drawing", sheet)
    assert drawn.sky is None and np.isfinite(drawn.values).all()
