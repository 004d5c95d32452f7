"""A lens that is not sharp everywhere."""

from __future__ import annotations

import numpy as np

from unflat.geometry.defocus import defocused


def board() -> tuple[np.ndarray, np.ndarray]:
    """A white square near before a black ground far."""
    colour, inverse = np.zeros((81, 81, 3), np.float32), np.full((81, 81), 0.2, np.float32)
    colour[30:51, 30:51], inverse[30:51, 30:51] = 255, 1.0
    return colour, inverse


def test_without_an_aperture_nothing_changes() -> None:
    colour, inverse = board()
    assert defocused(colour, inverse, 1.0, 0.0) is colour


def test_what_is_in_focus_stays_sharp_before_a_blurred_ground() -> None:
    colour, inverse = board()
    rng = np.random.default_rng(0)
    colour[inverse < 1] = rng.uniform(0, 255, ((inverse < 1).sum(), 3)).astype(np.float32)
    out = defocused(colour, inverse, 1.0, 12.0)
    assert np.abs(out[33:48, 33:48] - 255).max() < 1
    assert out[5:20, 5:75].std() < 0.3 * colour[5:20, 5:75].std()


def test_a_near_thing_out_of_focus_spreads_over_what_is_behind() -> None:
    colour, inverse = board()
    out = defocused(colour, inverse, 0.2, 12.0)
    assert 20 < out[40, 27, 0] < 235 and out[40, 27, 0] > out[40, 25, 0]
    assert np.abs(out[40, 40] - 255).max() < 2
    assert np.abs(out[10, 10]).max() < 1


def test_an_even_picture_stays_even_whatever_its_depth() -> None:
    inverse = np.random.default_rng(1).uniform(0.1, 2, (60, 70)).astype(np.float32)
    out = defocused(np.full((60, 70, 3), 100, np.float32), inverse, 1.0, 9.0)
    assert np.abs(out - 100).max() < 0.5


def test_the_blur_is_as_wide_as_the_circle_of_confusion() -> None:
    colour, inverse = np.zeros((101, 101, 3), np.float32), np.full((101, 101), 0.5, np.float32)
    colour[50, 50] = 1000
    spot = defocused(colour, inverse, 1.0, 40.0)[50, :, 0]  # |0.5 - 1| * 40 = 20 pixels across
    lit = np.flatnonzero(spot > 0.3 * spot.max())
    assert 17 <= lit[-1] - lit[0] + 1 <= 23
    assert abs(spot.sum() / defocused(colour, inverse, 1.0, 40.0)[..., 0].sum() - 1) < 1  # all light stays
