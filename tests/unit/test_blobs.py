"""Blobs and their words: found where they are, as large as they are, and the same in a turned or paler picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from unflat.geometry.blob_words import directions_of, words_of
from unflat.geometry.blobs import Blobs, blobs_of
from unflat.types.arrays import F32, U8

PLENTY = 100_000


def bright(at: tuple[float, float], sigma: float, side: int = 120) -> U8:
    """One round spot of light."""
    y, x = np.mgrid[:side, :side] + 0.5
    return np.rint(40 + 150 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * sigma**2))).astype(np.uint8)


def stained(seed: int = 0, side: int = 200) -> U8:
    """Stains of all sizes."""
    draw, picture = np.random.default_rng(seed), np.zeros((side, side))
    for sigma in (1.5, 3.0, 6.0, 12.0):
        stains = cv2.GaussianBlur(draw.normal(size=(side, side)), (0, 0), sigma)
        picture += stains / stains.std()
    return np.clip(128 + 25 * picture, 0, 255).astype(np.uint8)


def worded(picture: U8) -> tuple[F32, F32, F32]:
    """Places, directions and words of all blobs."""
    blobs = blobs_of(picture, 1.0, PLENTY)
    chosen, turns = directions_of(blobs, np.arange(len(blobs.xy)))
    return blobs.xy[chosen], turns, words_of(blobs, chosen, turns)


def strongest(blobs: Blobs) -> int:
    return int(np.argmax(blobs.contrast))


@pytest.mark.parametrize("at", [(60.0, 60.0), (51.3, 70.8), (63.75, 44.2)])
@pytest.mark.parametrize("sigma", [1.2, 3.0, 7.0])
def test_a_spot_is_found_where_it_is(at: tuple[float, float], sigma: float) -> None:
    blobs = blobs_of(bright(at, sigma), 1.0, PLENTY)
    assert blobs.xy[strongest(blobs)] == pytest.approx(at, abs=0.03 + 0.03 * sigma)


def test_its_size_grows_with_it() -> None:
    found = [blobs_of(bright((60, 60), sigma), 1.0, PLENTY) for sigma in (1.5, 3.0, 6.0)]
    small, middling, large = (float(blobs.size[strongest(blobs)]) for blobs in found)
    assert middling / small == pytest.approx(2, rel=0.12)
    assert large / middling == pytest.approx(2, rel=0.05)


def test_the_finest_are_looked_for_only_where_others_are_too_few() -> None:
    few, all_of_them = blobs_of(stained(), 1.0, 1), blobs_of(stained(), 1.0, PLENTY)
    assert len(few.octaves) == len(all_of_them.octaves) - 1
    assert all_of_them.size.min() < 0.8 * few.size.min()
    rows = {tuple(row) for row in all_of_them.xy.tolist()}
    assert all(tuple(row) in rows for row in few.xy.tolist())


def test_none_in_a_blank_picture_nor_beyond_the_mask() -> None:
    assert not len(blobs_of(np.full((60, 90), 128, np.uint8), 0.25, PLENTY).xy)
    assert not len(blobs_of(np.full((5, 7), 128, np.uint8), 0.25, PLENTY).xy)
    allowed = np.zeros((200, 200), np.uint8)
    allowed[:, 100:] = 1
    assert 10 < len(within := blobs_of(stained(), 1.0, PLENTY, allowed).xy) < len(blobs_of(stained(), 1.0, PLENTY).xy)
    assert within[:, 0].min() >= 100


def test_words_turn_with_the_picture() -> None:
    xy, turns, words = worded(stained())
    turned_xy, turned, turned_words = worded(np.ascontiguousarray(np.rot90(stained())))
    there = np.stack([xy[:, 1], 200 - xy[:, 0]], axis=1)  # where it went to
    off = np.linalg.norm(there[:, None] - turned_xy[None], axis=2)
    about = (turns[:, None] - turned[None] - np.pi / 2 + np.pi) % (2 * np.pi) - np.pi
    off[np.abs(about) > 0.05] = np.inf
    nearest = off.argmin(1)
    same = off[np.arange(len(off)), nearest] < 0.1
    assert same.mean() > 0.9
    alike = (words * turned_words[nearest]).sum(1)[same]
    assert np.median(alike) > 0.98


def test_words_stay_in_a_paler_picture() -> None:
    picture = stained()
    blobs = blobs_of(picture, 1.0, PLENTY)
    chosen, turns = directions_of(blobs, np.arange(len(blobs.xy)))
    paler = Blobs([stack * np.float32(0.4) + np.float32(90) for stack in blobs.octaves], blobs.octave, blobs.place,
                  blobs.xy, blobs.size, blobs.contrast)  # fmt: skip
    again, turns_again = directions_of(paler, np.arange(len(blobs.xy)))
    assert np.array_equal(again, chosen)
    assert np.allclose(turns_again, turns, atol=1e-3)
    assert np.allclose(words_of(paler, chosen, turns), words_of(blobs, chosen, turns), atol=1e-3)


def test_words_of_one_place_are_alike_and_of_others_not() -> None:
    xy, _, words = worded(stained())
    noise = np.random.default_rng(1).normal(scale=3, size=(200, 200))
    noisy_xy, _, noisy = worded(np.clip(stained() + noise, 0, 255).astype(np.uint8))
    best = (words @ noisy.T).argmax(1)
    far = np.linalg.norm(noisy_xy[best] - xy, axis=1)
    assert (far < 1.5).mean() > 0.75
