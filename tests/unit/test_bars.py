"""Bars of films: found where they are, not where a picture is dark."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.geometry.bars import Window, window_of
from unflat.types.arrays import U8


def _picture(h: int, w: int, seed: int, level: float = 120) -> U8:
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(level, 40, (h, w, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("bars", "window"), [((20, 0), (0, 20, 160, 100)), ((0, 30), (30, 0, 130, 120)), ((0, 0), (0, 0, 160, 120))]
)
@pytest.mark.parametrize("grain", [0, 6])
def test_bars_are_found_though_they_are_grainy(bars: tuple[int, int], window: tuple[int, ...], grain: int) -> None:
    frames = []
    for seed in range(6):
        frame = _picture(120, 160, seed)
        down, across = bars
        for part in (frame[:down], frame[120 - down :], frame[:, :across], frame[:, 160 - across :]):
            part[...] = np.random.default_rng(99 + seed).integers(0, 1 + grain, part.shape)
        frames.append(frame)
    assert window_of(frames) == Window(*window)


def test_a_night_is_no_bar() -> None:
    fading = np.linspace(0, 100, 120)[:, None, None]
    frames = [
        np.clip(fading + np.random.default_rng(i).normal(0, 3, (120, 160, 3)), 0, 255).astype(np.uint8)
        for i in range(5)
    ]
    assert window_of(frames) == Window(0, 0, 160, 120)
    assert window_of([np.zeros((50, 60, 3), np.uint8)]) == Window(0, 0, 60, 50)


def test_an_odd_bar_keeps_corners_even_and_what_is_put_back_is_where_it_was() -> None:
    frames = [_picture(121, 161, seed) for seed in range(4)]
    for frame in frames:
        frame[:15] = 0
        frame[110:] = 0
    window = window_of(frames)
    assert (window.left, window.top, window.right, window.bottom) == (0, 16, 161, 110)
    whole = window.put(window.cut(frames[0]), 161, 121)
    assert (whole[16:110] == frames[0][16:110]).all() and not whole[:16].any() and not whole[110:].any()
