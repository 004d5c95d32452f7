"""Depth of a frame gets its outlines from the picture."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.stages.follow_outlines import follow_outlines
from unflat.types import Size
from unflat.types.arrays import F32, U8

SIZE = Size(320, 176)


def scene(noise: float = 0.0, seed: int = 0) -> tuple[U8, F32, F32]:
    """A bright disc before a dark wall: the picture, its depth at SIZE, and as a network sees it, small and soft."""
    y, x = np.mgrid[0:352, 0:640]
    inside = (x - 300) ** 2 + (y - 170) ** 2 < 90**2
    light = np.where(inside, 190.0, 70.0) + np.random.default_rng(seed).normal(0, noise, inside.shape)
    truth = np.where(inside[1::2, 1::2], 0.8, 0.2).astype(np.float32)
    small = np.where(inside, 0.8, 0.2).reshape(44, 8, 80, 8).mean((1, 3)).astype(np.float32)
    return np.repeat(light.clip(0, 255).astype(np.uint8)[..., None], 3, -1), truth, small


def test_outlines_come_to_lie_on_those_of_the_picture() -> None:
    pixels, truth, small = scene()
    fine = follow_outlines(pixels, small, SIZE)
    assert fine.shape == SIZE.shape and fine.dtype == np.float32
    wrong = np.abs(fine - truth) > 0.1
    plain = np.abs(np.repeat(np.repeat(small, 4, 0), 4, 1) - truth) > 0.1
    assert wrong.mean() < 0.2 * plain.mean() and wrong.mean() < 0.004
    assert fine.min() >= small.min() and fine.max() <= small.max()


def test_noise_of_the_picture_does_not_move_them() -> None:
    fines = [follow_outlines(scene(5.0, seed)[0], scene()[2], SIZE) for seed in (1, 2)]
    assert (np.abs(fines[0] - fines[1]) > 0.05).mean() < 0.003


def test_what_has_no_outlines_keeps_its_slope_and_what_is_large_is_left_alone() -> None:
    pixels = scene()[0]
    slope = np.linspace(0.1, 0.9, 80, dtype=np.float32)[None].repeat(44, 0)
    fine = follow_outlines(np.full_like(pixels, 128), slope, SIZE)
    assert fine[90] == pytest.approx(np.interp((np.arange(320) + 0.5) / 4 - 0.5, np.arange(80), slope[0]), abs=0.01)
    assert follow_outlines(pixels, fine, Size(160, 88)) is fine
    still = np.full((44, 80), 0.3, np.float32)
    assert follow_outlines(pixels, still, SIZE) == pytest.approx(still.mean(), abs=1e-6)
    sky = np.where(np.arange(44)[:, None] < 20, 0.0, slope).astype(np.float32)
    assert np.isfinite(follow_outlines(pixels, sky, SIZE)).all()
