"""The forward warp: exact shifts, what is nearer in front, no cracks, and the same as a slow and obvious painter."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from unflat.errors import ShapeError
from unflat.geometry.warp import SHOWN, seen_by
from unflat.geometry.warp_fill import fill_gaps
from unflat.geometry.warp_rows import TEAR, seen_gaps

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


def soft(height: int, width: int, seed: int = 0) -> Bytes:
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3))
    return np.clip(128 + 160 * cv2.GaussianBlur(noise, (0, 0), 1.2), 0, 255).astype(np.uint8)


def two(height: int, width: int, far: float, near: float, span: slice) -> Floats:
    disparity = np.full((height, width), far, np.float32)
    disparity[:, span] = near
    return disparity


def hard(pixels: Bytes, disparity: Floats, share: float) -> tuple[Bytes, NDArray[np.bool_]]:
    """A view whose outlines are neither unmixed nor softened."""
    seen = seen_gaps(pixels, disparity, share, 0)
    fill_gaps(seen, share)
    return seen.view, seen.cover < SHOWN


def cubic(row: NDArray[np.float64], at: float) -> NDArray[np.float64]:
    """Catmull and Rom's cubic through the pixels of one surface, its ends repeated."""
    first = int(np.floor(at))
    t = at - first
    a, b, c, d = (row[min(max(first + i, 0), len(row) - 1)] for i in (-1, 0, 1, 2))
    value = b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.clip(value, 0, 255)


def surfaces(disparity: Floats, share: float) -> list[tuple[int, int]]:
    """First and last pixel of each surface of a row."""
    jumps = share * np.diff(disparity.astype(np.float64))
    ends, start = [], 0
    for x, jump in enumerate(jumps):
        misses = [jump, *(abs(jump - jumps[i]) for i in (x - 1, x + 1) if 0 <= i < len(jumps))]
        if min(misses) > TEAR or jump <= -1:
            ends.append((start, x))
            start = x + 1
    return [*ends, (start, len(disparity) - 1)]


def painted(row: Bytes, disparity: Floats, share: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One row by looking, at every pixel, through all surfaces from the farthest to the nearest."""
    w = len(row)
    colour, shown = np.zeros((w, 3)), np.zeros(w)
    moved = np.arange(w) + share * disparity.astype(np.float64)
    for u in range(w):
        layers = []
        for start, stop in surfaces(disparity, share):
            here = moved[start : stop + 1]
            cover = min(u + 0.5, here[-1] + 0.5) - max(u - 0.5, here[0] - 0.5)
            if cover <= 0:
                continue
            at = float(np.interp(u, here, np.arange(len(here))))
            depth = np.interp(at, np.arange(len(here)), disparity[start : stop + 1])
            layers.append((depth, min(cover, 1), cubic(row[start : stop + 1].astype(np.float64), at)))
        for _, cover, found in sorted(layers, key=lambda one: one[0]):
            colour[u] += cover * (found - colour[u])
            shown[u] += cover * (1 - shown[u])
    return colour, shown


@pytest.mark.parametrize("share", [-1.0, 1.0, 0.5, -0.5])
@pytest.mark.parametrize("d", [0.0, 4.0, -3.0, 2.5, 7.25])
def test_one_disparity_is_one_shift(share: float, d: float) -> None:
    pixels = soft(40, 64)
    view, made = hard(pixels, np.full((40, 64), d, np.float32), share)
    margin = 12
    inner = np.s_[:, margin : 64 - margin]
    columns = np.arange(64) - share * d
    expected = np.array([[cubic(row.astype(np.float64), x) for x in columns] for row in pixels])
    assert np.abs(view[inner] - expected[inner]).max() <= 1.01
    assert not made[inner].any()
    lost = np.clip(np.abs(share * d) - 0.5, 0, None)
    assert abs(made[0].sum() - lost) <= 1


@pytest.mark.parametrize("share", [-1.0, 0.6])
def test_a_row_is_what_a_slow_painter_makes_of_it(share: float) -> None:
    rng = np.random.default_rng(3)
    pixels = soft(12, 80, 1)
    for y in range(12):
        steps = np.cumsum(rng.uniform(-0.4, 0.4, 80))
        for _ in range(4):
            first, far = int(rng.integers(0, 70)), rng.uniform(-9, 9)
            steps[first : first + int(rng.integers(1, 20))] += far
        disparity = steps.astype(np.float32)[None]
        view, made = hard(pixels[y : y + 1], disparity, share)
        colour, shown = painted(pixels[y], disparity[0], share)
        whole = shown > 0.999
        assert whole.sum() > 30
        assert np.abs(view[0][whole] - colour[whole]).max() <= 1.2
        sure = np.abs(shown - SHOWN / 255) > 0.01
        assert (made[0] == (shown < 0.5))[sure].all()


@pytest.mark.parametrize(("share", "left"), [(-1.0, 24), (1.0, 40)])
def test_what_is_nearer_moves_over_what_is_farther(share: float, left: int) -> None:
    pixels = np.full((8, 96, 3), 40, np.uint8)
    pixels[:, 32:48] = 220
    view, made = hard(pixels, two(8, 96, 0, 8, slice(32, 48)), share)
    assert (view[:, left : left + 16] == 220).all()
    assert (view[:, :left] == 40).all() and (view[:, left + 16 :] == 40).all()
    gap = slice(left + 16, left + 24) if share < 0 else slice(left - 8, left)
    assert made[:, gap].all() and made.sum() == 8 * 8


def test_the_gap_is_filled_from_behind_never_from_before() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 90, (20, 96, 3)).astype(np.uint8)
    pixels[:, 32:48] = rng.integers(170, 255, (20, 16, 3)).astype(np.uint8)
    for share in (-1.0, 1.0):
        view, made = hard(pixels, two(20, 96, -2, 9, slice(32, 48)), share)
        assert made.any() and view[made].max() < 90


def test_half_a_pixel_of_an_edge_is_half_of_each() -> None:
    pixels = np.zeros((4, 64, 3), np.uint8)
    pixels[:, 20:30] = 200
    view, _ = hard(pixels, two(4, 64, 0, 5.5, slice(20, 30)), -1.0)
    assert view[0, 14:26, 0].tolist() == [100] + [200] * 9 + [100, 0]


def test_a_slanted_wall_has_no_cracks_however_much_it_stretches() -> None:
    disparity = np.repeat(np.linspace(40, 0, 50, dtype=np.float32)[None], 6, axis=0)
    wall = np.repeat(np.linspace(20, 240, 50)[None], 6, axis=0)
    view, made = hard(np.repeat(np.rint(wall)[..., None], 3, 2).astype(np.uint8), disparity, -0.9)
    there = np.flatnonzero(~made[0])
    assert len(there) == there[-1] - there[0] + 1
    assert (np.diff(view[0, there, 0].astype(int)) >= 0).all()


def test_rows_do_not_know_how_they_were_shared_out() -> None:
    pixels, rng = soft(150, 70, 5), np.random.default_rng(1)
    disparity = np.where(rng.random((150, 70)) < 0.02, 9, 0).astype(np.float32)
    disparity = cv2.dilate(disparity, np.ones((5, 5)))
    whole, made = seen_by(pixels, disparity, -1.0)
    again, _ = seen_by(pixels, disparity, -1.0)
    assert (whole == again).all() and made.any()


def test_a_share_of_nothing_is_the_picture() -> None:
    pixels = soft(10, 20)
    view, made = seen_by(pixels, np.ones((10, 20), np.float32), 0.0)
    assert view is pixels and not made.any()


def test_sizes_must_agree() -> None:
    with pytest.raises(ShapeError, match="disparity"):
        seen_by(soft(10, 20), np.ones((10, 21), np.float32), 1.0)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 3), (5, 40), (40, 3)])
@pytest.mark.parametrize("share", [-1.0, 0.7])
def test_anything_is_survived(size: tuple[int, int], share: float) -> None:
    rng = np.random.default_rng(7)
    for scale in (0, 0.5, 3, 1e4, 1e30):
        disparity = (rng.normal(0, 1, size) * scale).astype(np.float32)
        disparity[rng.random(size) < 0.1] = rng.choice([np.nan, np.inf, -np.inf, 1e38])
        for rim in (0, 2):
            view, made = seen_by(soft(*size), disparity, share, rim)
            assert view.shape == (*size, 3) and made.shape == size
