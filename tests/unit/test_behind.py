"""The shipped network continues what runs into an outline, and touches nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.geometry.membrane import membrane
from unflat.models.behind import bettered, shown
from unflat.types.arrays import F32, Bool


def striped(slant: float, period: float, h: int = 144, w: int = 160) -> F32:
    """(h, w, 3) soft grey stripes."""
    y, x = np.mgrid[:h, :w].astype(np.float32)
    wave = np.clip(3 * np.sin(2 * np.pi * (y + slant * x) / period), -1, 1)
    return np.repeat(np.float32(0.5) + np.float32(0.25) * wave[..., None], 3, axis=2).astype(np.float32)


def asked(truth: F32, left: int, right: int) -> tuple[F32, Bool, Bool, F32]:
    """What is shown when a pole stands before columns ``left`` to ``right``."""
    known = np.ones(truth.shape[:2], np.bool_)
    known[:, left:right] = False
    smooth, _ = membrane(truth * np.float32(255), known, ~known)
    return smooth / np.float32(255), known, ~known, np.full(known.shape, 0.5, np.float32)


def off(colour: F32, truth: F32, where: Bool) -> float:
    return float(((colour - truth)[where] ** 2).mean())


@pytest.mark.parametrize("slant", [0.0, 0.3, -0.3])
def test_stripes_go_on_behind_a_pole_better_than_smoothly(slant: float) -> None:
    truth = striped(slant, 24)
    smooth, known, wanted, guide = asked(truth, 70, 90)
    new = bettered(smooth, known, wanted, guide, threads=1)
    assert off(new, truth, wanted) < 0.8 * off(smooth, truth, wanted)
    np.testing.assert_array_equal(new[known], smooth[known])


def test_a_plain_wall_stays_plain() -> None:
    truth = np.full((96, 96, 3), (0.6, 0.5, 0.4), np.float32)
    smooth, known, wanted, guide = asked(truth, 40, 60)
    assert np.abs(bettered(smooth, known, wanted, guide, threads=1) - truth).max() < 3 / 255


def test_what_stands_before_it_lends_it_no_colour() -> None:
    truth = np.full((96, 120, 3), 0.7, np.float32)
    smooth, known, wanted, guide = asked(truth, 40, 80)
    wanted[:, 50:80] = False
    near = ~known & ~wanted
    smooth[near], guide[near] = 0.05, 2.0
    new = bettered(smooth, known | near, wanted, guide, threads=1)
    assert np.abs(new - truth)[wanted].mean() < 6 / 255


def test_tiles_leave_no_seam() -> None:
    truth = striped(0.2, 30, 420, 420)
    smooth, known, wanted, guide = asked(truth, 100, 120)
    whole = bettered(smooth, known, wanted, guide, threads=1)
    assert whole.shape == truth.shape
    seam = np.abs(np.diff(whole - truth, axis=0))[:, 100:120].max(axis=(1, 2))
    assert seam[383] < 1.5 * np.quantile(seam, 0.95) + 0.01


def test_of_all_that_is_neither_seen_nor_asked_nothing_is_shown() -> None:
    colour = np.random.default_rng(0).random((20, 24, 3)).astype(np.float32)
    known, wanted = np.zeros((20, 24), np.bool_), np.zeros((20, 24), np.bool_)
    known[:, :8], wanted[:, 8:12] = True, True
    guide = np.full((20, 24), 0.3, np.float32)
    planes = shown(colour, known, wanted, guide)
    assert planes.shape == (20, 24, 6) and (planes[:, 12:] == 0).all()
    assert (planes[..., 3] == known).all() and (planes[..., 4] == wanted).all() and (planes[..., 5] == 0).all()
