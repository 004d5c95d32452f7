"""Matching's kernel against the obvious way."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.geometry.best_two import mutual


def unit(count: int, seed: int) -> np.ndarray:
    drawn = np.abs(np.random.default_rng(seed).normal(size=(count, 16))).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def slowly(a: np.ndarray, b: np.ndarray, ratio: float) -> list[tuple[int, int]]:
    distance = np.sqrt(np.maximum(2 - 2 * (a.astype(np.float64) @ b.astype(np.float64).T), 0))
    found: list[tuple[int, int]] = []
    for i, row in enumerate(distance):
        nearest, second = np.argsort(row)[:2]
        if row[nearest] < ratio * row[second] and np.argmin(distance[:, nearest]) == i:
            found.append((i, int(nearest)))
    return found


@pytest.mark.parametrize("ratio", [0.8, 0.95])
def test_pairs_are_those_of_the_obvious_way(ratio: float) -> None:
    words = unit(300, 0)
    noise = np.random.default_rng(9).normal(scale=0.05, size=words.shape)
    near = np.abs(words[::-1] + noise).astype(np.float32)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    others = [unit(120, 1), near, unit(2, 2)]
    for other, found in zip(others, mutual(words, others, ratio), strict=True):
        assert [tuple(row) for row in found] == slowly(words, other, ratio)
    assert len(mutual(words, others, ratio)[1]) > 100


def test_next_to_nothing_has_no_pairs() -> None:
    assert [len(found) for found in mutual(unit(5, 0), [unit(0, 1), unit(1, 2)], 0.8)] == [0, 0]
    assert [len(found) for found in mutual(unit(0, 0), [unit(4, 1)], 0.8)] == [0]
    assert mutual(unit(3, 0), [], 0.8) == []
