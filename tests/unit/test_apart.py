"""Points of a picture, thinned until none is near another."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.geometry.apart import first_of_near


@pytest.mark.parametrize("apart", [3.0, 12.0, 200.0])
def test_the_first_of_near_ones_stays_and_nothing_that_is_far(apart: float) -> None:
    at = np.random.default_rng(1).uniform(0, [160, 120], (400, 2)).astype(np.float32)
    keep = first_of_near(at, apart)
    for i in range(len(at)):
        before = np.flatnonzero(keep[:i])
        near = (np.hypot(*(at[before] - at[i]).T) < apart).any()
        assert keep[i] == (not near)


def test_nothing_stays_nothing() -> None:
    assert len(first_of_near(np.zeros((0, 2), np.float32), 3.0)) == 0
