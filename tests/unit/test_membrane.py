"""Smooth continuation: it solves Laplace's equation, stays in range, and stays on its own surface."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unflat.geometry.membrane import _LEAST, APART, membrane
from unflat.types.arrays import F32, Bool


def solved(value: F32, known: Bool, wanted: Bool, guide: F32) -> tuple[F32, Bool]:
    """The definition: one linear equation per pixel that a path over wanted pixels joins to a known one."""
    h, w = known.shape
    steps = ((0, 1), (1, 0), (0, -1), (-1, 0))
    near = known.copy()
    while True:
        grown = near.copy()
        for y, x in np.argwhere(wanted & ~near):
            grown[y, x] = any(0 <= y + v < h and 0 <= x + u < w and near[y + v, x + u] for v, u in steps)
        if (grown == near).all():
            break
        near = grown
    places = [(int(y), int(x)) for y, x in np.argwhere(wanted & near)]
    number = {at: i for i, at in enumerate(places)}
    a, b = np.zeros((len(places), len(places))), np.zeros((len(places), value.shape[2]))
    for (y, x), i in number.items():
        for v, u in ((y + dy, x + dx) for dy, dx in steps):
            if not (0 <= v < h and 0 <= u < w) or not (known | wanted)[v, u]:
                continue
            apart = abs(float(guide[v, u]) - float(guide[y, x])) / (APART * max(guide[v, u], guide[y, x]) + 1e-12)
            weight = max(1 / (1 + apart**4), _LEAST)
            a[i, i] += weight
            if known[v, u]:
                b[i] += weight * value[v, u]
            else:
                a[i, number[v, u]] -= weight
    out = np.where(known[..., None], value, 0).astype(np.float32)
    if places:
        out[tuple(np.array(places).T)] = np.linalg.solve(a, b)
    return out, wanted & ~near


def scattered(seed: int, size: tuple[int, int]) -> tuple[F32, Bool, Bool, F32]:
    """Values, known, wanted, guide: all at random, some pixels neither known nor wanted."""
    rng = np.random.default_rng(seed)
    known = rng.random(size) < rng.choice([0.0, 0.02, 0.1, 0.4])
    wanted = ~known & (rng.random(size) < rng.choice([0.0, 0.5, 0.8, 1.0]))
    value = rng.choice([0, 40, 255], (*size, 2)).astype(np.float32)
    guide = np.ones(size, np.float32) if seed % 2 else rng.choice([0.2, 0.5, 1.0], size).astype(np.float32)
    return value, known, wanted, guide


sizes = st.tuples(st.integers(1, 13), st.integers(1, 13))


@given(seed=st.integers(0, 2**32 - 1), size=sizes)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_known_stays_the_rest_is_continued_reported_or_zero(seed: int, size: tuple[int, int]) -> None:
    value, known, wanted, guide = scattered(seed, size)
    field, lost = membrane(value, known, wanted, guide)
    _, unreachable = solved(value, known, wanted, guide)
    np.testing.assert_array_equal(lost, unreachable)
    np.testing.assert_array_equal(field[known], value[known])
    assert not field[~known & ~wanted].any() and not field[lost].any()
    if known.any():
        held = field[wanted & ~lost]
        assert (held >= value[known].min(axis=0)).all() and (held <= value[known].max(axis=0)).all()


@pytest.mark.parametrize("size", [(5, 5), (8, 16), (17, 31), (23, 12), (6, 40)])
def test_it_solves_the_equation(size: tuple[int, int]) -> None:
    for seed in range(6):
        rng = np.random.default_rng([seed, *size])
        known = rng.random(size) < 0.15
        known[0], known[:, -1] = True, True
        y, x = np.mgrid[: size[0], : size[1]]
        value = np.stack([np.hypot(y - 3, x - 9), rng.uniform(0, 10, size)], axis=-1).astype(np.float32)
        guide = np.where(x + 2 * y < size[1], 1, 0.4).astype(np.float32)
        expected, _ = solved(value, known, ~known, guide)
        got, lost = membrane(value, known, ~known, guide)
        assert not lost.any()
        error = np.abs(got - expected).reshape(-1, 2) / np.ptp(value[known], axis=0)
        assert error.max() < 0.08 and error.mean() < 0.01


@pytest.mark.parametrize("size", [(3, 3), (5, 5), (16, 16), (17, 31), (63, 90), (150, 201), (3, 80), (80, 3)])
def test_what_is_linear_stays_linear(size: tuple[int, int]) -> None:
    y, x = np.mgrid[: size[0], : size[1]]
    value = (5 + 0.7 * y - 0.3 * x).astype(np.float32)[..., None]
    known = np.ones(size, bool)
    known[1:-1, 1:-1] = False
    field, lost = membrane(value, known, ~known)
    assert not lost.any()
    assert np.abs(field - value).max() < 0.012 * np.ptp(value)


@pytest.mark.parametrize("size", [(3, 60), (60, 3), (20, 600), (1, 50), (50, 1), (300, 450)])
def test_one_known_corner_reaches_everything(size: tuple[int, int]) -> None:
    known = np.zeros(size, bool)
    known[0, 0] = True
    field, lost = membrane(np.full((*size, 3), 7, np.float32), known, ~known)
    assert not lost.any()
    assert (field == 7).all()


def test_a_corridor_one_pixel_wide_is_walked_to_its_end() -> None:
    wanted = np.zeros((15, 15), bool)
    wanted[::2] = True
    for row in range(1, 15, 2):
        wanted[row, -1 if row % 4 == 1 else 0] = True
    known = np.zeros_like(wanted)
    known[0, 0] = known[14, 0] = True
    wanted &= ~known
    value = np.where(np.arange(15)[:, None, None] < 7, 10, 20).astype(np.float32) * np.ones((15, 15, 1), np.float32)
    field, lost = membrane(value, known, wanted)
    assert not lost.any()
    assert (field[wanted] >= 10).all() and (field[wanted] <= 20).all()
    assert field[0, 1, 0] < 12 and field[14, 1, 0] > 18


def test_an_island_without_a_known_pixel_is_reported() -> None:
    wanted = np.zeros((40, 41), bool)
    wanted[2:10, 2:39] = wanted[11:20, 2:39] = True
    known = np.zeros_like(wanted)
    known[2, 2] = True
    wanted &= ~known
    field, lost = membrane(np.full((40, 41, 1), 9, np.float32), known, wanted)
    np.testing.assert_array_equal(np.unique(np.nonzero(lost)[0]), np.arange(11, 20))
    assert lost[11:20, 2:39].all() and not field[lost].any() and (field[2:10, 2:39] == 9).all()


def test_the_guide_keeps_two_surfaces_apart() -> None:
    h, w = 40, 64
    columns = np.arange(w) * np.ones((h, 1), int)
    known = (columns < 2) | (columns >= w - 2)
    value = np.where(columns < w // 2, 100, 200).astype(np.float32)[..., None]
    guide = np.where(columns < w // 2, 1.0, 0.25).astype(np.float32)
    apart, _ = membrane(value, known, ~known, guide)
    assert np.abs(apart - value).max() < 25 and np.abs(apart - value).mean() < 10
    mixed, _ = membrane(value, known, ~known)
    assert abs(float(mixed[h // 2, w // 2 - 1, 0]) - 150) < 5


def test_nothing_wanted_and_nothing_known() -> None:
    none, all_ = np.zeros((7, 9), bool), np.ones((7, 9), bool)
    value = np.random.default_rng(0).random((7, 9, 3)).astype(np.float32)
    before = value.copy()
    field, lost = membrane(value, all_, none)
    np.testing.assert_array_equal(field, value)
    assert not lost.any()
    field, lost = membrane(value, none, all_)
    assert not field.any() and lost.all()
    field, lost = membrane(value, none, none)
    assert not field.any() and not lost.any()
    np.testing.assert_array_equal(value, before)


def test_what_is_not_known_is_not_read() -> None:
    value, known, wanted, guide = scattered(5, (11, 12))
    value[~known] = np.nan
    field, _ = membrane(value, known, wanted, guide)
    assert np.isfinite(field).all()
