"""How much any two pictures have in common at a first glance.

Of few pictures the coarsest features are compared, all with all. Of many, each picture becomes one long direction
first: its features' offsets from the words of a vocabulary that is learnt from the set itself (VLAD; Jégou et al.,
"Aggregating local descriptors into a compact image representation", CVPR 2010), and only those most alike in it are
compared so. Nothing is downloaded, and the time grows little faster than the number of pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.best_two import mutual
from unflat.models.views.features import UNIT, WORD, Features
from unflat.models.views.matches import RATIO
from unflat.types.arrays import F32

_COARSE = 256
"""So many of the coarsest features tell whether two pictures are worth comparing (Wu, "Towards linear-time incremental
structure from motion", 3DV 2013)."""
_FEW = 120
"""Up to so many pictures are compared all with all."""
_NEAREST = 40
"""Of more than that, each is compared with so many."""
_WORDS, _LEARNT, _ROUNDS = 64, 30_000, 8
_SEED = 5


def likeness(features: Sequence[Features]) -> NDArray[np.int32]:
    """How many of their coarsest features any two pictures share: (n, n) int32, symmetric, 0 on the diagonal.

    Of many pictures it stays 0 where the vocabulary finds two not alike.
    """
    words = [one.words[:_COARSE].astype(np.float32) / np.float32(UNIT) for one in features]
    count = len(words)
    shared = np.zeros((count, count), np.int32)
    worth = np.ones((count, count), bool) if count <= _FEW else nearest(summaries(words), _NEAREST)
    for i in range(count - 1):
        others = i + 1 + np.flatnonzero(worth[i, i + 1 :])
        shared[i, others] = [len(found) for found in mutual(words[i], [words[j] for j in others], RATIO)]
    return shared + shared.T


def summaries(words: Sequence[F32]) -> F32:
    """Of each picture's features (k, 128) one direction: (n, 64 · 128) float32 of length 1; 0 where there are none."""
    book = _vocabulary(words)
    made = np.zeros((len(words), len(book) * WORD), np.float32)
    for number, one in enumerate(words):
        if len(one):
            nearest_word = (one @ book.T).argmax(1)
            sums = np.zeros((len(book), WORD), np.float32)
            np.add.at(sums, nearest_word, one - book[nearest_word])
            sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
            made[number] = sums.ravel() / max(float(np.linalg.norm(sums)), 1e-9)
    return made


def nearest(directions: F32, most: int) -> NDArray[np.bool_]:
    """(n, n) bool, symmetric: whether one of two is among the ``most`` that are most alike the other."""
    alike = directions @ directions.T
    np.fill_diagonal(alike, -np.inf)
    most = min(most, len(alike) - 1)
    best = np.argpartition(-alike, most - 1, axis=1)[:, :most]
    chosen = np.zeros(alike.shape, bool)
    np.put_along_axis(chosen, best, True, axis=1)
    return chosen | chosen.T


def _vocabulary(words: Sequence[F32]) -> F32:
    """(64, 128) unit vectors: the middles of what the set's features gather around (spherical k-means)."""
    draw = np.random.default_rng(_SEED)
    each = max(1, _LEARNT // len(words))
    sample = np.concatenate([one[draw.permutation(len(one))[:each]] for one in words])
    if len(sample) < _WORDS:
        return np.asarray(sample, np.float32)
    book = sample[draw.choice(len(sample), _WORDS, replace=False)]
    for _ in range(_ROUNDS):
        own = (sample @ book.T).argmax(1)
        sums = np.zeros_like(book)
        np.add.at(sums, own, sample)
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        book = np.where(length > 0, sums / np.maximum(length, 1e-9), book)
    return book.astype(np.float32)
