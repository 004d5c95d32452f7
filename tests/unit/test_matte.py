"""A mixture made by hand is taken apart again, and nothing that was seen is lost on the way."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from unflat.geometry.hidden import Seam
from unflat.geometry.matte import LEAST_ALPHA, LEAST_APART, Matte, unmix
from unflat.types.arrays import F32, Bool

H, W, WIDTH = 24, 30, 2
NEAR_INVERSE, FAR_INVERSE = 1.0, 0.25
F = np.array([200, 60, 40], np.float32)
B = np.array([40, 120, 190], np.float32)


def strip(edge: int = 14, width: int = WIDTH) -> tuple[F32, Seam, Bool]:
    """Near on the left of column ``edge``, far on its right, ``width`` mixed columns: inverse, seam, covering."""
    columns = np.arange(W) * np.ones((H, 1), int)
    inverse = np.where(columns < edge, NEAR_INVERSE, FAR_INVERSE).astype(np.float32)
    seen = Seam(columns == edge - 1, (columns >= edge) & (columns < edge + width))
    return inverse, seen, (columns < edge) & (columns >= edge - 6)


def textured(base: NDArray[np.float32], spread: float, seed: int) -> F32:
    """A colour with a little of its own pattern."""
    return (base + np.random.default_rng(seed).uniform(-spread, spread, (H, W, 3))).astype(np.float32)


def mixed(seen: Seam, inverse: F32, alpha: NDArray[np.float64], fore: F32, back: F32) -> F32:
    """Composite the seam by hand: C = a·F + (1 - a)·B; elsewhere either surface whole."""
    a = np.where(seen.mixed, alpha, inverse > 0.5)[..., None].astype(np.float32)
    return a * fore + (1 - a) * back


def given_back(matte: Matte, where: Bool) -> F32:
    a = matte.alpha[where][:, None]
    return a * matte.colour[where] + (1 - a) * matte.behind[where]


@pytest.mark.parametrize("share", [0.15, 0.3, 0.5, 0.7, 0.95, 1.0])
def test_a_composite_is_taken_apart(share: float) -> None:
    inverse, seen, covering = strip()
    fore, back = np.broadcast_to(F, (H, W, 3)).copy(), np.broadcast_to(B, (H, W, 3)).copy()
    matte = unmix(mixed(seen, inverse, np.full((H, W), share), fore, back), back, inverse, seen, covering, WIDTH)
    np.testing.assert_allclose(matte.alpha[seen.mixed], share, atol=0.002)
    np.testing.assert_allclose(matte.colour[seen.mixed], F * np.ones((seen.mixed.sum(), 1)), atol=0.2)
    np.testing.assert_allclose(matte.behind[seen.mixed], B * np.ones((seen.mixed.sum(), 1)), atol=0.2)
    assert (matte.inverse[seen.mixed] == NEAR_INVERSE).all()


def test_alpha_is_right_on_patterned_surfaces_too() -> None:
    inverse, seen, covering = strip()
    rng = np.random.default_rng(3)
    alpha = rng.uniform(0.15, 1.0, (H, W))
    fore, back = textured(F, 6, 1), textured(B, 6, 2)
    matte = unmix(mixed(seen, inverse, alpha, fore, back), back, inverse, seen, covering, WIDTH)
    assert np.abs(matte.alpha - alpha)[seen.mixed].max() < 0.05


@pytest.mark.parametrize("seed", range(6))
def test_the_two_surfaces_together_give_the_picture_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inverse, seen, covering = strip(edge=int(rng.integers(8, 20)), width=int(rng.integers(1, 4)))
    fore, back = textured(rng.uniform(50, 200, 3), 40, seed + 10), textured(rng.uniform(50, 200, 3), 40, seed + 20)
    colour = mixed(seen, inverse, rng.random((H, W)), fore, back)
    guess = np.clip(back + rng.normal(0, 10, back.shape), 0, 255).astype(np.float32)
    matte = unmix(colour, guess, inverse, seen, covering, WIDTH)
    ends = np.concatenate([matte.colour[seen.mixed], matte.behind[seen.mixed]], axis=1)
    whole = ((ends > 0) & (ends < 255) | (matte.alpha[seen.mixed][:, None] == 0)).all(axis=1)
    assert whole.mean() > 0.7
    np.testing.assert_allclose(given_back(matte, seen.mixed)[whole], colour[seen.mixed][whole], atol=0.01)


def test_bytes_lose_no_more_than_their_rounding() -> None:
    inverse, seen, covering = strip()
    rng = np.random.default_rng(9)
    colour = np.rint(mixed(seen, inverse, rng.random((H, W)), textured(F, 20, 4), textured(B, 20, 5)))
    matte = unmix(colour.astype(np.float32), textured(B, 5, 6), inverse, seen, covering, WIDTH)
    a = np.rint(matte.alpha * 255)[seen.mixed][:, None] / 255
    back = a * np.rint(matte.colour)[seen.mixed] + (1 - a) * np.rint(matte.behind)[seen.mixed]
    ends = np.concatenate([matte.colour[seen.mixed], matte.behind[seen.mixed]], axis=1)
    whole = ((ends > 0) & (ends < 255) | (matte.alpha[seen.mixed][:, None] == 0)).all(axis=1)
    assert whole.mean() > 0.9
    assert np.abs(back - colour[seen.mixed])[whole].max() < 1.5


def test_what_is_no_mixture_stays_the_farther_surface_s_own() -> None:
    inverse, seen, covering = strip()
    colour = np.where((inverse > 0.5)[..., None], F, B).astype(np.float32)
    off = np.array([200, 220, 60], np.float32)
    rows = np.arange(H) % 2 == 0
    odd = seen.mixed & rows[:, None]
    colour[odd] = off
    colour[seen.mixed & ~rows[:, None]] = 0.5 * F + 0.5 * B
    matte = unmix(colour, np.broadcast_to(B, colour.shape).copy(), inverse, seen, covering, WIDTH)
    assert not matte.alpha[odd].any() and not matte.inverse[odd].any()
    np.testing.assert_allclose(matte.behind[odd], colour[odd], atol=1e-3)
    np.testing.assert_allclose(matte.alpha[seen.mixed & ~odd], 0.5, atol=0.01)


@pytest.mark.parametrize("what", ["alike", "little"])
def test_what_cannot_be_told_apart_stays_the_farther_surface_s_own(what: str) -> None:
    inverse, seen, covering = strip()
    apart = 0.9 * LEAST_APART / np.sqrt(3) if what == "alike" else 100.0
    share = 0.5 if what == "alike" else 0.9 * LEAST_ALPHA
    fore, back = np.full((H, W, 3), 60 + apart, np.float32), np.full((H, W, 3), 60, np.float32)
    colour = mixed(seen, inverse, np.full((H, W), share), fore, back)
    matte = unmix(colour, back, inverse, seen, covering, WIDTH)
    assert not matte.alpha.any() and not matte.inverse.any()
    np.testing.assert_allclose(matte.behind[seen.mixed], colour[seen.mixed], atol=1e-3)
    np.testing.assert_array_equal(matte.behind[~seen.mixed], back[~seen.mixed])


def test_a_shadow_darker_than_the_nearer_surface_is_its_own_whole() -> None:
    inverse, seen, covering = strip()
    fore, back = np.full((H, W, 3), 60, np.float32), np.full((H, W, 3), 200, np.float32)
    matte = unmix(mixed(seen, inverse, np.full((H, W), 1.2), fore, back), back, inverse, seen, covering, WIDTH)
    assert (matte.alpha[seen.mixed] == 1).all()
    np.testing.assert_allclose(matte.colour[seen.mixed], 32, atol=0.1)


def test_beside_a_mixture_the_last_near_pixels_are_whole_and_nothing_else_is() -> None:
    inverse, seen, covering = strip()
    fore, back = textured(F, 10, 7), textured(B, 10, 8)
    colour = mixed(seen, inverse, np.full((H, W), 0.6), fore, back)
    matte = unmix(colour, back, inverse, seen, covering, WIDTH)
    assert (matte.alpha[seen.near] == 1).all() and (matte.inverse[seen.near] == NEAR_INVERSE).all()
    np.testing.assert_array_equal(matte.colour[seen.near], colour[seen.near])
    elsewhere = ~seen.near & ~seen.mixed
    assert not matte.alpha[elsewhere].any() and not matte.inverse[elsewhere].any()
    np.testing.assert_array_equal(matte.behind[~seen.mixed], back[~seen.mixed])


def test_the_inside_of_the_nearer_surface_counts_not_its_rim() -> None:
    inverse, seen, covering = strip()
    fore, back = np.broadcast_to(F, (H, W, 3)).copy(), np.broadcast_to(B, (H, W, 3)).copy()
    colour = mixed(seen, inverse, np.full((H, W), 0.4), fore, back)
    colour[seen.near] = 0.7 * F + 0.3 * B
    matte = unmix(colour, back, inverse, seen, covering, WIDTH)
    np.testing.assert_allclose(matte.alpha[seen.mixed], 0.4, atol=0.002)
    thin = unmix(colour, back, inverse, seen, seen.near, WIDTH)
    np.testing.assert_allclose(thin.alpha[seen.mixed], 0.4 / 0.7, atol=0.01)


def test_a_rim_that_sharpening_left_goes_with_the_outline() -> None:
    inverse, seen, covering = strip()
    clean = (inverse < 0.5) & ~seen.mixed
    back = textured(B, 3, 2)
    colour = np.where((inverse > 0.5)[..., None], F, back).astype(np.float32)
    bright = np.zeros_like(clean)
    bright[4:20, 14] = True
    colour[bright] = B + np.array([40, 45, 25])
    matte = unmix(colour, back, inverse, seen, covering, WIDTH, clean)
    assert (matte.alpha[bright] > 0.4).all() and not matte.alpha[seen.mixed & ~bright].any()
    assert (matte.inverse[bright] == NEAR_INVERSE).all()
    assert np.abs(matte.behind - B)[bright].max() < 10
    np.testing.assert_allclose(given_back(matte, bright), colour[bright], atol=0.5)
    without = unmix(colour, back, inverse, seen, covering, WIDTH)
    assert not without.alpha[bright].any()
    np.testing.assert_allclose(without.behind[bright], colour[bright], atol=1e-3)


def test_on_a_pattern_nothing_is_taken_for_such_a_rim() -> None:
    inverse, seen, covering = strip()
    back = np.clip(textured(np.full(3, 120, np.float32), 70, 5), 0, 255)
    colour = np.where((inverse > 0.5)[..., None], np.float32(120), back).astype(np.float32)
    flat = np.full_like(back, 120)
    matte = unmix(colour, flat, inverse, seen, covering, WIDTH, (inverse < 0.5) & ~seen.mixed)
    assert not matte.alpha[seen.mixed].any()
    np.testing.assert_allclose(matte.behind[seen.mixed], colour[seen.mixed], atol=1e-3)


@pytest.mark.parametrize("missing", ["near", "mixed"])
def test_without_an_outline_there_is_nothing_to_unmix(missing: str) -> None:
    inverse, seen, covering = strip()
    seen = seen._replace(**{missing: np.zeros((H, W), bool)})
    colour, back = textured(F, 50, 1), textured(B, 50, 2)
    kept = back.copy()
    matte = unmix(colour, back, inverse, seen, covering, WIDTH)
    assert not matte.alpha.any() and not matte.inverse.any() and not matte.colour.any()
    np.testing.assert_array_equal(matte.behind, kept)
    np.testing.assert_array_equal(back, kept)


def test_memory_is_that_of_what_is_returned_and_little_more() -> None:
    """Sums over windows are needed along outlines only: whole planes of them took three times as much."""
    rows, columns = 2048, 512
    inverse = np.full((rows, columns), FAR_INVERSE, np.float32)
    inverse[:, :200] = NEAR_INVERSE
    at = np.arange(columns) * np.ones((rows, 1), int)
    seen, covering = Seam(at == 199, (at >= 200) & (at < 203)), (at < 200) & (at > 190)
    colour = np.random.default_rng(0).integers(0, 255, (rows, columns, 3), np.uint8)
    behind = colour.astype(np.float32)
    tracemalloc.start()
    try:
        unmix(colour, behind, inverse, seen, covering, 3, at > 203)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4.5 * behind.nbytes
