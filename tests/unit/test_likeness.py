"""Which pictures of many are worth comparing."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.models.views import likeness as room
from unflat.models.views.features import Features, hellinger
from unflat.models.views.likeness import likeness, nearest, summaries
from unflat.models.views.partners import more_partners, partners


def gallery(places: int, each: int, seed: int = 0) -> list[Features]:
    """Pictures of several places, ``each`` of them beside the next; the pictures of a place share most features."""
    draw = np.random.default_rng(seed)
    made: list[Features] = []
    for _ in range(places):
        base = draw.gamma(0.4, 30, (160, 128)).astype(np.float32)
        for _ in range(each):
            shown = draw.permutation(160)[:120]
            raw = base[shown] * draw.uniform(0.85, 1.15, (120, 128)).astype(np.float32)
            made.append(Features(np.zeros((120, 2), np.float32), hellinger(raw), np.zeros((120, 3), np.uint8)))
    return made


def test_pictures_of_one_place_are_alike() -> None:
    alike = likeness(gallery(3, 4))
    same = np.kron(np.eye(3, dtype=bool), np.ones((4, 4), bool)) & ~np.eye(12, dtype=bool)
    assert alike[same].min() > 20
    assert alike[~same].max() < 6
    assert (alike == alike.T).all()


def test_the_vocabulary_finds_the_same_partners(monkeypatch: pytest.MonkeyPatch) -> None:
    features = gallery(7, 4, seed=3)
    whole = likeness(features)
    monkeypatch.setattr(room, "_FEW", 10)
    monkeypatch.setattr(room, "_NEAREST", 5)
    quick = likeness(features)
    assert (quick > 0).sum() < 0.4 * quick.size
    assert partners(quick, ordered=False) == partners(whole, ordered=False)


def test_directions_are_of_length_one_and_empty_pictures_of_none() -> None:
    features = gallery(2, 3)
    words = [one.words.astype(np.float32) / 512 for one in features]
    made = summaries([*words, np.zeros((0, 128), np.float32)])
    assert np.allclose(np.linalg.norm(made[:-1], axis=1), 1, atol=1e-5)
    assert not made[-1].any()
    chosen = nearest(made, 2)
    assert (chosen == chosen.T).all() and not chosen.diagonal().any()


def test_lost_pictures_are_compared_with_all_others_most_alike_first() -> None:
    alike = np.array([[0, 9, 1, 2], [9, 0, 3, 0], [1, 3, 0, 4], [2, 0, 4, 0]], np.int32)
    assert more_partners(alike, {0}) == [(0, 1), (0, 2), (0, 3)]
    assert more_partners(alike, {3}) == [(0, 3), (1, 3), (2, 3)]
