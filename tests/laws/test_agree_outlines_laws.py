"""One wrong mask is outvoted; masks that are right stay as they are, also where one view alone sees through a gap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from test_hull_laws import ball_seen, looking

from unflat.geometry.closed_surface import volume_of
from unflat.stages.agree_outlines import agree_outlines
from unflat.stages.hull import hull
from unflat.types.sight import Sight

WAYS = [(30.0 * k, (5.0, 30.0)[k % 2]) for k in range(12)]
BODY, HEAD = ((0.0, 0.15, 0.0), 0.4), ((0.0, -0.35, 0.0), 0.18)


def with_alpha(sight: Sight, alpha: NDArray[np.uint8]) -> Sight:
    return replace(sight, image=replace(sight.image, alpha=alpha))


def seen(way: tuple[float, float], *balls: tuple[tuple[float, ...], float]) -> Sight:
    """Balls together."""
    each = [ball_seen(looking(*way), *ball) for ball in balls]
    return with_alpha(each[0], np.max([one.alpha for one in each], axis=0))


@pytest.fixture(scope="module")
def right() -> list[Sight]:
    return [seen(way, BODY, HEAD) for way in WAYS]


def test_what_one_mask_leaves_out_comes_back(right: list[Sight]) -> None:
    wrong = 5
    headless = seen(WAYS[wrong], BODY)
    spoilt = [headless if n == wrong else sight for n, sight in enumerate(right)]
    told = agree_outlines(spoilt)
    assert told.mended == [wrong]
    assert all(one is other for n, (one, other) in enumerate(zip(told.sights, spoilt, strict=True)) if n != wrong)
    assert (told.sights[wrong].alpha >= headless.alpha).all()  # nothing is taken away
    whole, bitten, mended = (volume_of(hull(sights, 64)) for sights in (right, spoilt, told.sights))
    assert bitten < 0.97 * whole and mended == pytest.approx(whole, rel=0.01)


def test_masks_that_are_right_stay(right: list[Sight]) -> None:
    told = agree_outlines(right)
    assert told.mended == [] and all(one is other for one, other in zip(told.sights, right, strict=True))


def test_a_gap_that_one_view_alone_sees_stays_a_gap() -> None:
    """A box with a hole along the first camera's axis: the others look at its walls."""
    sights = []
    for n, way in enumerate(WAYS):
        sight = seen(way, ((0.0, 0.0, 0.0), 0.45))
        hole = ball_seen(looking(*way), (0.0, 0.0, 0.0), 0.12).alpha
        sights.append(with_alpha(sight, sight.alpha - np.minimum(hole, sight.alpha)) if n == 0 else sight)
    assert agree_outlines(sights).mended == []
    assert volume_of(hull(sights, 64)) < 0.97 * volume_of(hull([sights[6], *sights[1:]], 64))


def test_few_views_are_believed(right: list[Sight]) -> None:
    spoilt = [seen(WAYS[0], BODY), *right[1:5]]
    assert agree_outlines(spoilt).mended == [] and len(agree_outlines(spoilt).sights) == 5
