"""What happens along outlines and in gaps: no halo, no foreground smeared, nothing but outlines softened."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from unflat.geometry.enlarge import enlarged
from unflat.geometry.warp import seen_by
from unflat.geometry.warp_fill import BESIDE, STEP, fill_gaps, soften_outlines
from unflat.geometry.warp_rows import Seen, seen_gaps

H, W = 24, 120
NEAR, FAR = np.array([220, 40, 30]), np.array([30, 60, 200])
Bytes = NDArray[np.uint8]


def board(shares: tuple[float, ...]) -> tuple[Bytes, NDArray[np.float32]]:
    """A near board from 40 to 60, then pixels that are so much of it, all of these at the depth of what is behind."""
    pixels = np.repeat(FAR[None, None], W, axis=1).repeat(H, axis=0).astype(np.float64)
    pixels[:, 40:60] = NEAR
    for i, share in enumerate(shares):
        pixels[:, 60 + i] = share * NEAR + (1 - share) * FAR
    disparity = np.zeros((H, W), np.float32)
    disparity[:, 40:60] = 10
    return np.rint(pixels).astype(np.uint8), disparity


@pytest.mark.parametrize("shares", [(0.5,), (0.7, 0.3), (1.0,), (1.0, 0.4)])
def test_mixed_pixels_go_with_what_is_near(shares: tuple[float, ...]) -> None:
    pixels, disparity = board(shares)
    seen = seen_gaps(pixels, disparity, -1.0)
    fill_gaps(seen, -1.0)
    expected, _ = board(shares)
    expected = np.roll(expected, -10, axis=1)
    assert np.abs(seen.view[:, 30:80].astype(int) - expected[:, 30:80]).max() <= 2


def test_nothing_is_unmixed_where_depth_was_measured() -> None:
    pixels, disparity = board((0.5,))
    view = seen_gaps(pixels, disparity, -1.0, 0).view
    assert np.abs(view[:, 60].astype(int) - (NEAR + FAR) / 2).max() <= 1


@pytest.mark.parametrize("wide", [1, 2])
def test_a_line_of_light_on_an_edge_goes_with_what_is_near(wide: int) -> None:
    pixels, disparity = board(())
    pixels[:, 60 : 60 + wide] = (250, 250, 250)
    seen = seen_gaps(pixels, disparity, -1.0)
    fill_gaps(seen, -1.0)
    assert (seen.view[:, 50 : 50 + wide] == 250).all(), "it moves as the board does"
    assert (seen.view[:, 50 + wide : 70] == FAR).all(), "and neither stays behind nor runs into what is filled"


def test_a_surface_of_a_third_colour_is_no_line() -> None:
    pixels, disparity = board(())
    pixels[:, 60:66] = (40, 230, 60)
    seen = seen_gaps(pixels, disparity, -1.0)
    assert (seen.view[:, 60:66] == (40, 230, 60)).all() and (seen.cover[:, 50:60] == 0).all()


@pytest.mark.parametrize("share", [-1.0, 1.0])
def test_gaps_hold_what_is_behind_and_rows_hold_together(share: float) -> None:
    rng = np.random.default_rng(1)
    rows = np.linspace(20, 90, H)[:, None, None]
    pixels = np.clip(rows + rng.normal(0, 6, (H, W, 3)), 0, 255).astype(np.uint8)
    pixels[:, 40:60] = 240
    disparity = np.zeros((H, W), np.float32)
    disparity[:, 40:60] = 18
    seen = seen_gaps(pixels, disparity, share, 0)
    gap = seen.cover == 0
    fill_gaps(seen, share)
    assert gap.sum() == H * 18 and seen.view[gap].max() < 120
    inner = gap & (np.arange(H)[:, None] > 3) & (np.arange(H)[:, None] < H - 4)
    off = seen.view.astype(float) - rows
    assert np.abs(off[inner]).mean() < 4  # smoother than what it goes on from: noise of 6 was put in


def test_a_gap_at_the_side_of_the_frame_goes_on_from_the_frame() -> None:
    pixels = np.repeat(np.linspace(0, 250, H)[:, None, None], W, axis=1).repeat(3, axis=2).astype(np.uint8)
    for share in (-1.0, 1.0):
        seen = seen_gaps(pixels, np.full((H, W), 9, np.float32), share, 0)
        assert (seen.cover == 0).sum() == 9 * H
        fill_gaps(seen, share)
        assert np.abs(seen.view[9:-9].astype(int) - pixels[9:-9]).max() <= 3


def test_a_picture_of_one_colour_stays_of_one_colour() -> None:
    rng = np.random.default_rng(2)
    disparity = cv2.GaussianBlur(rng.normal(0, 60, (H, W)), (0, 0), 2).astype(np.float32)
    disparity[5:15, 30:50] += 12
    for share in (-0.5, 0.5):
        for rim in (0, 2):
            view, made = seen_by(np.full((H, W, 3), 137, np.uint8), disparity, share, rim)
            assert np.abs(view.astype(int) - 137).max() <= 1 and made.any()


def test_only_outlines_are_softened_and_as_a_lens_draws() -> None:
    rng = np.random.default_rng(3)
    view = rng.integers(0, 255, (H, W, 3)).astype(np.uint8)
    deep = np.zeros((H, W), np.float32)
    deep[8:16, 40:60] = STEP + 0.1
    deep[8:16, 80:90] = STEP - 0.1
    seen = Seen(view.copy(), np.full((H, W), 255, np.uint8), deep)
    soften_outlines(seen)
    near = (deep > STEP).astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    outline = cv2.morphologyEx(near, cv2.MORPH_GRADIENT, cross) > 0
    line = np.array([BESIDE, 1 - 2 * BESIDE, BESIDE])
    expected = cv2.sepFilter2D(view.astype(np.float32), -1, line, line, borderType=cv2.BORDER_REPLICATE)
    assert (seen.view[~outline] == view[~outline]).all()
    assert np.abs(seen.view[outline] - expected[outline]).max() <= 0.51


def small_and_large() -> tuple[NDArray[np.float32], Bytes, NDArray[np.bool_]]:
    """A soft small map, and the sharp picture of what it shows."""
    truth = np.zeros((96, 160), np.uint8)
    cv2.circle(truth, (80, 48), 30, 1, -1)
    picture = np.where(truth[..., None] > 0, NEAR, FAR).astype(np.uint8)
    soft = cv2.GaussianBlur(truth.astype(np.float32), (0, 0), 4)
    return cv2.resize(soft, (20, 12), interpolation=cv2.INTER_AREA), picture, truth > 0


def test_enlarged_depth_has_the_outlines_of_its_picture() -> None:
    small, picture, truth = small_and_large()
    fine = enlarged(small, picture)
    plain = cv2.resize(small, (160, 96), interpolation=cv2.INTER_LINEAR)
    assert fine.shape == truth.shape
    between = (fine > 0.3) & (fine < 0.7)
    assert between.mean() < 0.01 < ((plain > 0.3) & (plain < 0.7)).mean()
    assert ((fine > 0.5) != truth).sum() < 0.35 * ((plain > 0.5) != truth).sum() + 20


def test_where_depth_is_smooth_the_picture_draws_nothing_into_it() -> None:
    rng = np.random.default_rng(4)
    small = np.tile(np.linspace(0.9, 1, 20, dtype=np.float32), (12, 1))
    picture = rng.integers(0, 255, (96, 160, 3)).astype(np.uint8)
    assert (enlarged(small, picture) == cv2.resize(small, (160, 96), interpolation=cv2.INTER_LINEAR)).all()


def test_depth_of_the_size_of_the_picture_stays() -> None:
    depth = np.random.default_rng(5).random((10, 12)).astype(np.float32)
    assert enlarged(depth, np.zeros((10, 12, 3), np.uint8)) is depth
