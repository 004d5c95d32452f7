"""What goes on behind outlines, against a slow flood from every outline pixel; the seam and the clean ring."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import worlds
from unflat.geometry.edges import CUT_DOWN, CUT_RIGHT, find_cuts
from unflat.geometry.hidden import BEHIND, CLOSELY, MARGIN, ROUGHLY, clean_ring, grow_behind, seam
from unflat.stages.build_surface import FAINT, inverse_depth
from unflat.types.arrays import F32, U8, Bool

FAR = 0.2
EDGE = 0.06
SLACK = 1.5
"""A pixel at the rim may be missed by so many pixels: half a pixel that label correction does not pursue, and one
pixel that it would have been asked from. It is less than MARGIN, so what the reach itself needs is never missed.
Only where missing pixels leave a passage one pixel wide may the better of two outlines be given up before it."""

Picture = tuple[F32, Bool, U8]


def outlines(inverse: F32, cuts: U8, on: Bool) -> dict[tuple[int, int], float]:
    """The near pixel of every cut and the inverse depth of the nearest surface behind it."""
    h, w = inverse.shape
    found: dict[tuple[int, int], float] = {}
    for y, x in np.ndindex(h, w):
        for bit, there in ((CUT_RIGHT, (y, x + 1)), (CUT_DOWN, (y + 1, x))):
            if not cuts[y, x] & bit or there[0] >= h or there[1] >= w or not on[y, x] or not on[there]:
                continue
            near, far = ((y, x), there) if inverse[y, x] > inverse[there] else (there, (y, x))
            found[near] = max(found.get(near, 0.0), float(inverse[far]))
    return found


def covered(picture: Picture, reach: float, less: float = 0.0) -> Bool:
    """The definition: flood from every outline pixel over what hides its far surface, as far as the eye can look."""
    inverse, on, cuts = picture
    h, w = inverse.shape
    y, x = np.mgrid[:h, :w]
    everything = np.zeros((h, w), bool)
    for (cy, cx), b in outlines(inverse, cuts, on).items():
        allowed = reach * (np.minimum(inverse, inverse[cy, cx]) - b) + MARGIN - less
        may = on & (np.float32(BEHIND) * inverse > b) & (np.hypot(y - cy, x - cx) < allowed)
        found, edge = np.zeros((h, w), bool), [(cy, cx)]
        found[cy, cx] = True
        while edge:
            v, u = edge.pop()
            top, left = max(v - 1, 0), max(u - 1, 0)
            around = np.s_[top : v + 2, left : u + 2]
            edge += [(top + int(a), left + int(c)) for a, c in np.argwhere(may[around] & ~found[around])]
            found[around] |= may[around]
        everything |= found
    return everything


def things(rng: np.random.Generator, depths: int, round_: bool, slope: float = 0.0, holes: bool = True) -> Picture:
    """Discs or rectangles at one of so many depths before a wall, tilted by ``slope``; often there are ``holes``."""
    h, w = (int(n) for n in rng.integers(5, 24, 2))
    y, x = np.mgrid[:h, :w]
    inverse = np.full((h, w), FAR, np.float32)
    values = rng.uniform(0.3, 1.5, depths)
    for _ in range(int(rng.integers(1, 5))):
        cy, cx, a, b = rng.uniform(0, h), rng.uniform(0, w), rng.uniform(0.6, 8), rng.uniform(0.6, 8)
        inside = np.hypot(y - cy, x - cx) < a if round_ else (abs(y - cy) < a) & (abs(x - cx) < b)
        tilt = 1 + slope * rng.uniform(-1, 1) * (x - cx) + slope * rng.uniform(-1, 1) * (y - cy)
        inverse[inside] = (rng.choice(values) * tilt.clip(0.5, 3))[inside]
    on = rng.random((h, w)) > (0.08 if holes and rng.random() < 0.4 else -1)
    inverse[~on] = 0
    return inverse, on, find_cuts(inverse, on, EDGE, 0.01)


def noise(rng: np.random.Generator) -> Picture:
    """Every pixel a surface of its own."""
    h, w = (int(n) for n in rng.integers(2, 16, 2))
    inverse = np.exp(rng.normal(0, 1, (h, w))).astype(np.float32)
    on = np.ones((h, w), bool)
    return inverse, on, find_cuts(inverse, on, EDGE, 0.01)


def grown(picture: Picture, reach: float) -> F32:
    inverse, on, cuts = picture
    return grow_behind(inverse, on, cuts, reach)


seeds = st.integers(0, 2**32 - 1)
reaches = st.floats(0, 15)


@given(seed=seeds, reach=reaches, round_=st.booleans())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_two_surfaces_are_grown_as_the_definition_says(seed: int, reach: float, round_: bool) -> None:
    picture = things(np.random.default_rng(seed), 1, round_, holes=False)
    got = grown(picture, reach) > 0
    assert not (got & ~covered(picture, reach + 1e-5)).any()
    assert not (covered(picture, reach, SLACK) & ~got).any()


@given(seed=seeds, reach=reaches, kind=st.sampled_from(["discs", "boxes", "tilted", "noise"]))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_nothing_is_grown_beyond_the_definition_and_it_is_always_behind(seed: int, reach: float, kind: str) -> None:
    rng = np.random.default_rng(seed)
    picture = noise(rng) if kind == "noise" else things(rng, 3, kind == "discs", 0.15 if kind == "tilted" else 0)
    inverse, on, cuts = picture
    back = grow_behind(inverse, on, cuts, reach)
    got = back > 0
    assert not (got & ~covered(picture, reach + 1e-5)).any()
    assert (back[got] < inverse[got]).all() and not (got & ~on).any()
    begun = outlines(inverse, cuts, on)
    assert set(back[got].tolist()) <= set(begun.values())
    for at, b in begun.items():
        assert back[at] == np.float32(b)
    beyond = got.copy()
    beyond[tuple(np.array(list(begun), int).reshape(-1, 2).T)] = False
    assert (back[beyond] < np.float32(BEHIND) * inverse[beyond]).all()


def test_among_several_surfaces_hardly_a_pixel_that_the_reach_needs_is_missed() -> None:
    missed = needed = 0
    for seed in range(120):
        rng = np.random.default_rng([11, seed])
        picture, reach = things(rng, 3, bool(seed % 2)), float(rng.uniform(0, 15))
        must = covered(picture, reach, MARGIN)
        needed += int(must.sum())
        missed += int((must & ~(grown(picture, reach) > 0)).sum())
    assert needed > 1000
    assert missed <= 0.01 * needed


@given(seed=seeds, reach=reaches)
@settings(max_examples=20, deadline=None, derandomize=True)
def test_turning_the_picture_turns_what_is_behind_two_surfaces(seed: int, reach: float) -> None:
    inverse, on, _ = things(np.random.default_rng(seed), 1, True, holes=False)
    flipped, flipped_on = (np.ascontiguousarray(a[::-1].T) for a in (inverse, on))
    there = grown((flipped, flipped_on, find_cuts(flipped, flipped_on, EDGE, 0.01)), reach).T[::-1]
    here = grown((inverse, on, find_cuts(inverse, on, EDGE, 0.01)), reach)
    must = covered((inverse, on, find_cuts(inverse, on, EDGE, 0.01)), reach, SLACK)
    np.testing.assert_array_equal(here[must], there[must])


@pytest.mark.parametrize("name", ["wall", "slanted", "ground", "room"])
def test_nothing_is_behind_surfaces_that_nothing_covers(name: str) -> None:
    world = worlds.WORLDS[name]()
    inverse, on, _, _ = inverse_depth(world.depth)
    cuts = find_cuts(inverse, on, EDGE, FAINT * float(np.median(inverse[on])))
    assert not grow_behind(inverse, on, cuts, 1000.0).any()
    both = seam(inverse, on, cuts, 2, EDGE)
    assert not both.near.any() and not both.mixed.any()


def test_a_square_before_a_wall_hides_the_wall_as_far_as_the_eye_can_look() -> None:
    inverse = np.full((60, 60), np.float32(0.25))
    inverse[10:50, 10:50] = 0.75
    on = np.ones(inverse.shape, bool)
    back = grow_behind(inverse, on, find_cuts(inverse, on, EDGE, 0.01), 16.0)
    y, x = np.mgrid[:60, :60]
    inside = np.minimum(np.minimum(y - 10, 49 - y), np.minimum(x - 10, 49 - x))
    wide = 16.0 * (0.75 - 0.25) + MARGIN
    np.testing.assert_array_equal(back > 0, (inside >= 0) & (inside < wide))
    assert set(back[back > 0].tolist()) == {0.25}
    assert not (grow_behind(inverse, on, find_cuts(inverse, on, EDGE, 0.01), 0.0) > 0)[15:45, 15:45].any()


def near_and_mixed(picture: Picture, width: int) -> tuple[Bool, Bool]:
    """The definition of the seam."""
    inverse, on, cuts = picture
    near = np.zeros(on.shape, bool)
    for at in outlines(inverse, cuts, on):
        near[at] = True
    mixed = np.zeros(on.shape, bool)
    for y, x in np.argwhere(on & ~near):
        top, left = max(y - width, 0), max(x - width, 0)
        around = np.s_[top : y + width + 1, left : x + width + 1]
        mixed[y, x] = bool((inverse[around][near[around]] > inverse[y, x] * np.float32(1 + EDGE)).any())
    return near, mixed


@given(seed=seeds, width=st.integers(0, 4), noisy=st.booleans())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_the_seam_is_the_last_near_pixels_and_the_first_far_ones(seed: int, width: int, noisy: bool) -> None:
    rng = np.random.default_rng(seed)
    picture = noise(rng) if noisy else things(rng, 3, True)
    near, mixed = near_and_mixed(picture, width)
    got = seam(*picture, width, EDGE)
    np.testing.assert_array_equal(got.near, near)
    np.testing.assert_array_equal(got.mixed, mixed)


def largest_around(values: NDArray[np.float32], y: int, x: int, width: int) -> float:
    return float(values[max(y - width, 0) : y + width + 1, max(x - width, 0) : x + width + 1].max())


@given(seed=seeds, width=st.integers(1, 4))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_the_clean_ring_is_farther_surface_beside_what_is_filled(seed: int, width: int) -> None:
    inverse, on, cuts = things(np.random.default_rng(seed), 3, True)
    seen = seam(inverse, on, cuts, 2, EDGE)
    behind = grow_behind(inverse, on, cuts, 6.0)
    around = (behind > 0) | seen.mixed
    back = np.where(seen.mixed, inverse, behind)
    got = clean_ring(inverse, on, back, around, seen, width)
    expected = np.zeros(on.shape, bool)
    for y, x in np.argwhere(on & ~seen.mixed & ~seen.near):
        beside = largest_around(around.astype(np.float32), y, x, width) > 0
        most = np.float32(CLOSELY if around[y, x] else ROUGHLY)
        expected[y, x] = beside and inverse[y, x] <= most * np.float32(largest_around(back, y, x, width))
    np.testing.assert_array_equal(got, expected)
    assert not (got & (seen.mixed | seen.near | ~on)).any()
