"""Pixels that hang between two surfaces are brought to the farther one; nothing else moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unflat.geometry.edges import CUT_DOWN, CUT_RIGHT, WIDEST_FLIGHT, find_cuts, land_flying
from unflat.types.arrays import F32

EDGE, FLOOR = 0.06, 0.01
NEAR, FAR = 0.5, 0.1


def step(ramp: tuple[float, ...], *, turned: bool = False) -> F32:
    """A near surface left of a far one, 40×40, with the values of ``ramp`` from column 20 on."""
    inverse = np.full((40, 40), FAR, np.float32)
    inverse[:, :20] = NEAR
    inverse[:, 20 : 20 + len(ramp)] = ramp
    return np.ascontiguousarray(inverse.T if turned else inverse)


def landed(inverse: F32) -> F32:
    return land_flying(inverse, inverse > 0, EDGE, FLOOR)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("ramp", [(0.3,), (0.15,), (0.45, 0.2), (0.4, 0.3, 0.15), (0.45, 0.35, 0.12)])
def test_what_hangs_between_two_surfaces_lands_on_the_farther_one(ramp: tuple[float, ...], turned: bool) -> None:
    np.testing.assert_array_equal(landed(step(ramp, turned=turned)), step((), turned=turned))


def test_two_surfaces_without_anything_between_stay_as_they_are() -> None:
    np.testing.assert_array_equal(landed(step(())), step(()))


def test_a_thin_thing_before_or_behind_both_its_sides_stays() -> None:
    for own in (2 * NEAR, 0.5 * FAR):
        inverse = step((own,))
        np.testing.assert_array_equal(landed(inverse), inverse)


def test_a_slanted_plane_however_steep_stays() -> None:
    inverse = np.repeat(np.linspace(0.05, 1.0, 40, dtype=np.float32)[:, None], 40, axis=1)
    np.testing.assert_array_equal(landed(inverse), inverse)


def test_nothing_is_brought_to_where_no_surface_is() -> None:
    inverse = step((0.3,))
    inverse[:, 21:] = 0
    np.testing.assert_array_equal(landed(inverse), inverse)


def once(inverse: F32) -> F32:
    """One round, the slow way."""
    cuts = find_cuts(inverse, inverse > 0, EDGE, FLOOR)
    out = inverse.copy()
    for y, x in np.ndindex(*inverse.shape):
        for dy, dx, bit in ((0, 1, CUT_RIGHT), (1, 0, CUT_DOWN)):
            if min(y - dy, x - dx) < 0 or y + dy >= inverse.shape[0] or x + dx >= inverse.shape[1]:
                continue
            if not cuts[y - dy, x - dx] & bit or not cuts[y, x] & bit:
                continue
            low, high = sorted((inverse[y - dy, x - dx], inverse[y + dy, x + dx]))
            if 0 < low < inverse[y, x] < high:
                out[y, x] = min(out[y, x], low)
    return out


@given(st.integers(0, 10_000))
def test_it_is_what_the_slow_way_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inverse = rng.choice(np.float32([0, 0.1, 0.2, 0.4, 0.8]), (9, 11)).astype(np.float32)
    expected = inverse
    for _ in range(WIDEST_FLIGHT):
        expected = once(expected)
    np.testing.assert_array_equal(landed(inverse), expected)


@given(st.integers(0, 10_000))
def test_pixels_only_go_farther_and_never_beyond_what_is_beside_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inverse = rng.uniform(0.1, 1, (12, 12)).astype(np.float32)
    got = landed(inverse)
    assert (got <= inverse).all() and got.min() == inverse.min()
