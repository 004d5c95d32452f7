"""A cut-out that was laid on the ground and taken off it is the cut-out again."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unflat.geometry.ground import GROUND, off_ground, on_ground


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 600))
def test_on_and_off_the_ground(seed: int, height: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, 7, 3), np.uint8)
    alpha = rng.integers(0, 256, (height, 7), np.uint8)
    alpha[rng.random((height, 7)) < 0.3] = 0
    alpha[rng.random((height, 7)) < 0.3] = 255
    laid = on_ground(pixels, alpha)
    share = alpha[..., None] / 255
    assert np.abs(laid - (pixels * share + GROUND * (1 - share))).max() <= 0.51
    back = off_ground(laid, alpha)
    assert (back[alpha == 0] == GROUND).all()
    np.testing.assert_array_equal(back[alpha == 255], pixels[alpha == 255])
    error = np.abs(back.astype(int) - pixels).max(axis=2)
    assert (error <= 0.5 / np.maximum(share[..., 0], 1e-9) + 0.51)[alpha > 0].all()
