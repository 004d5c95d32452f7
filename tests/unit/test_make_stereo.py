"""A picture becomes two views that sit where the rig says, steady from frame to frame, with whole sides."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from unflat.errors import ShapeError
from unflat.stages.make_stereo import Care, Memory, make_stereo
from unflat.stages.plan_stereo import StereoOptions, plan_stereo
from unflat.types.stereo import Rig

W, H = 200, 60
Bytes = NDArray[np.uint8]


def texture(seed: int = 0) -> Bytes:
    noise = np.random.default_rng(seed).normal(0, 1, (H, W, 3))
    return np.clip(128 + 160 * cv2.GaussianBlur(noise, (0, 0), 1.5), 0, 255).astype(np.uint8)


def box(near: float = 1.0, far: float = 0.0, span: slice = slice(80, 120)) -> NDArray[np.float32]:
    inverse = np.full((H, W), far, np.float32)
    inverse[:, span] = near
    return inverse


def seen_at(view: Bytes, piece: Bytes, around: int) -> int:
    """The column at which a piece of the picture is found in a view."""
    errors = {
        x: np.abs(view[:, x : x + piece.shape[1]].astype(int) - piece).mean()
        for x in range(max(0, around - 30), around + 31)
    }
    return min(errors, key=errors.__getitem__)


@pytest.mark.parametrize("left", [0.0, 0.25, 0.5, 1.0])
def test_each_eye_takes_its_share(left: float) -> None:
    pixels, rig = texture(), Rig(gain_px=16, shift_px=8, width=W, left=left)
    pair = make_stereo(pixels, box(), rig).pair
    near, far = pixels[:, 85:115], pixels[:, 20:60]
    assert seen_at(pair.left, near, 85) - 85 == 8 * left
    assert seen_at(pair.right, near, 85) - 85 == -8 * (1 - left)
    assert seen_at(pair.left, far, 20) - 20 == -8 * left
    assert seen_at(pair.right, far, 20) - 20 == 8 * (1 - left)
    assert pair.out_share == pytest.approx(8 / W) and pair.in_share == pytest.approx(8 / W)


def shift_of(left: Bytes, right: Bytes) -> int:
    """By how many pixels the middle of the left view lies farther right in the right one."""
    return seen_at(right, left[:, 110:150], 110) - 110


@pytest.mark.parametrize("window", ["none", "float", "crop"])
def test_it_says_where_infinity_lies(window: str) -> None:
    pixels, rig = texture(), Rig(gain_px=16, shift_px=6, width=W)
    inverse = box(near=1.0, far=0.0, span=slice(0, 30))  # cut by the left side
    pair = make_stereo(pixels, inverse, rig, StereoOptions(edge_window=window)).pair  # type: ignore[arg-type]
    apart = shift_of(pair.left, pair.right)
    assert pair.infinity_share is not None and apart == pytest.approx(pair.infinity_share * pair.size.width, abs=1)
    assert (apart > 16) if window == "crop" else (apart == 6)
    crossed = make_stereo(pixels, inverse, rig, StereoOptions(swap=True)).pair
    assert crossed.infinity_share == -6 / W and shift_of(crossed.left, crossed.right) == -6


def test_swap_exchanges_the_views() -> None:
    pixels, rig = texture(), Rig(12, 4, W)
    plain, swapped = (make_stereo(pixels, box(), rig, StereoOptions(swap=s)).pair for s in (False, True))
    assert (plain.left == swapped.right).all() and (plain.right == swapped.left).all()
    assert plain.left_made is not None and (plain.left_made == swapped.right_made).all()
    assert not (plain.left == plain.right).all()


def test_a_rig_serves_frames_of_any_width() -> None:
    pixels, rig = texture(), Rig(16, 8, W)
    small = make_stereo(pixels, box(), rig).pair
    same = make_stereo(pixels, box(), replace(rig, gain_px=32, shift_px=16, width=2 * W)).pair
    assert (small.left == same.left).all()


def test_small_depth_serves_a_larger_picture() -> None:
    pixels, rig = texture(), Rig(16, 8, W)
    small = np.ascontiguousarray(box()[::4, ::4])
    pair = make_stereo(pixels, small, rig).pair
    assert seen_at(pair.left, pixels[:, 85:115], 85) == 89


def test_what_is_made_up_keeps_still_where_it_agrees() -> None:
    rng = np.random.default_rng(0)
    pixels, rig = texture(), Rig(16, 8, W)
    frames = [np.clip(pixels + rng.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8) for _ in range(6)]

    def unrest(told: bool) -> float:
        before, views = None, []
        for frame in frames:
            pair, memory = make_stereo(frame, box(), rig, before=before)
            views.append(pair.left.astype(float))
            before = memory if told else None
        made = pair.left_made
        assert made is not None
        return float(np.abs(np.diff(views[2:], axis=0))[:, made].mean())

    assert unrest(True) < 0.6 * unrest(False)


def test_what_differs_is_not_blended() -> None:
    rig = Rig(16, 8, W)
    dark, bright = np.full((H, W, 3), 20, np.uint8), np.full((H, W, 3), 220, np.uint8)
    _, memory = make_stereo(dark, box(), rig)
    pair = make_stereo(bright, box(), rig, before=memory).pair
    assert (pair.left == 220).all() and (pair.right == 220).all()


def test_a_memory_of_another_size_is_refused() -> None:
    rig = Rig(16, 8, W)
    _, memory = make_stereo(texture(), box(), rig)
    with pytest.raises(ShapeError, match="before"):
        make_stereo(texture()[:, :100], box()[:, :100], rig, before=memory)


def test_a_floating_window_hides_what_one_eye_alone_sees() -> None:
    pixels, rig = texture() // 2 + 60, Rig(16, 4, W)
    inverse = box(span=slice(0, 40))
    pair = make_stereo(pixels, inverse, rig, StereoOptions(edge_window="float")).pair
    assert (pair.left[:, :12] == 0).all() and (pair.left[:, 12:] > 0).all()
    assert (pair.right > 0).all()  # nothing comes out at the right side
    first = seen_at(pair.right, pixels[:, 6:26], 6)
    assert first == 0  # the right eye's first column is what the left eye sees right beside the band
    assert seen_at(pair.left, pixels[:, 6:26], 18) == 12


def test_cropping_leaves_nothing_out_of_the_screen_at_the_sides() -> None:
    pixels, rig = texture(), Rig(16, 4, W)
    inverse = box(span=slice(0, 40))
    plain = make_stereo(pixels, inverse, rig).pair
    cropped = make_stereo(pixels, inverse, rig, StereoOptions(edge_window="crop")).pair
    assert plain.out_share > 0 and cropped.out_share == pytest.approx(0)
    assert cropped.size == plain.size
    for made in (cropped.left_made, cropped.right_made):
        assert made is not None and made[:, :2].mean() < 0.1 and made[:, -2:].mean() < 0.1


def test_the_sides_of_the_window_glide() -> None:
    pixels, rig = texture() // 2 + 60, Rig(16, 4, W)
    options = StereoOptions(edge_window="float")
    _, memory = make_stereo(pixels, box(), rig, options)
    pair, after = make_stereo(pixels, box(span=slice(0, 40)), rig, options, memory)
    assert 0 < after.sides[0] < 4
    assert (pair.left[:, : round(after.sides[0])] == 0).all() and (pair.left[:, 12] > 0).all()


def test_what_a_frame_hands_on_goes_through_arrays_unchanged() -> None:
    rng = np.random.default_rng(3)
    pixels, inverse = rng.integers(0, 256, (40, 60, 3), np.uint8), rng.random((40, 60), np.float32)
    options = StereoOptions(edge_window="float")
    rig = plan_stereo(1.0, 0.0, 60, options)
    memory = make_stereo(pixels, inverse, rig, options).memory
    again = Memory.of(memory.arrays())
    later = rng.integers(0, 256, (40, 60, 3), np.uint8)
    one, two = (make_stereo(later, inverse, rig, options, m).pair for m in (memory, again))
    assert (one.left == two.left).all() and (one.right == two.right).all()
    assert again.sides == memory.sides


def test_one_picture_deserves_more_care_than_a_frame() -> None:
    """Lines that run into a gap go on through it, as in no smooth fill; what is near stays out of it."""
    rows, columns = np.mgrid[:96, :160]
    truth = np.where((columns + rows) % 32 < 12, 60, 140).astype(np.uint8)[..., None].repeat(3, 2)
    truth = np.asarray(cv2.GaussianBlur(truth, (0, 0), 0.7), np.uint8)
    pixels, inverse = truth.copy(), np.zeros((96, 160), np.float32)
    pixels[20:76, 60:90], inverse[20:76, 60:90] = (240, 30, 30), 1
    rig = Rig(12, 0, 160, left=0.0)
    quick, still = (make_stereo(pixels, inverse, rig, care=Care(one, True, 1)).pair for one in (False, True))
    made = quick.right_made
    assert made is not None and made.sum() == 56 * 12 and still.right_made is not None
    assert (still.right_made == made).all() and (still.left == pixels).all()
    errors = [float(np.abs(pair.right[made].astype(float) - truth[made]).mean()) for pair in (quick, still)]
    assert errors[1] < 0.8 * errors[0]
    assert (still.right[made][:, 0].astype(int) - still.right[made][:, 1]).max() < 60
    seen = ~cv2.dilate(made.astype(np.uint8), np.ones((5, 5))).astype(bool)
    assert (still.right[seen] == quick.right[seen]).all()


def test_estimated_depth_that_is_too_narrow_leaves_no_rim_behind() -> None:
    pixels = np.full((H, W, 3), (40, 80, 160), np.uint8)
    pixels[:, 80:120] = (230, 60, 40)
    inverse = box(span=slice(81, 119))
    rig = Rig(12, 0, W, left=0.0)
    estimated, measured = (make_stereo(pixels, inverse, rig, care=Care(measured=m)).pair.right for m in (False, True))
    assert (measured[:, 118:121, 0] > 100).any(), "as the depth says, a rim of the thing stays where the wall is"
    beyond = estimated[:, 112:]
    assert beyond[..., 0].max() < 60
    assert (estimated[:, 70:106, 0] > 200).all()
