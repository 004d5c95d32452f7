"""What the border cuts ends as its outlines say, what is behind goes on, and nothing breaks off in between."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.geometry.beyond import Surroundings, continued_colours
from unflat.geometry.outside import continued_depth
from unflat.geometry.planes import line_of, planes_beyond
from unflat.types.arrays import F32, Bool

MARGIN = 60


def none(inverse: F32) -> Bool:
    return np.zeros(inverse.shape, np.bool_)


def wall(shape: tuple[int, int] = (120, 160)) -> F32:
    return np.full(shape, 0.1, np.float32)


def above(inverse: F32) -> Bool:
    """(MARGIN, w) where something near is above a wall, from the border outwards."""
    found = continued_depth(inverse, none(inverse), (MARGIN, MARGIN)).inverse[:MARGIN, MARGIN:-MARGIN]
    near = found > 0.2
    assert np.allclose(found[near], 0.5, rtol=0.01) and np.allclose(found[~near], 0.1, rtol=0.01)
    return near[::-1]


def test_a_thing_with_upright_outlines_ends_in_a_half_circle_and_the_wall_closes_behind_it() -> None:
    inverse = wall()
    inverse[:10, 60:100] = 0.5
    near = above(inverse)
    t, x = np.mgrid[1 : MARGIN + 1, 0:160]
    away = np.hypot(t, x + 0.5 - 80)
    assert near[away < 18.5].all() and not near[away > 21.5].any()


def test_what_has_come_straight_for_long_goes_on_for_half_as_long() -> None:
    inverse = wall()
    inverse[:70, 76:84] = 0.5
    tip = int(np.flatnonzero(above(inverse).any(axis=1)).max()) + 1
    assert 31 + 4 - 3 <= tip <= 31 + 4 + 3


@pytest.mark.parametrize(("slope", "tip"), [(1.0, 20 * np.tan(np.pi / 8)), (-0.4, 20 * 1.48)])
def test_outlines_that_meet_end_sooner_than_those_that_part(slope: float, tip: float) -> None:
    inverse = wall()
    y, x = np.mgrid[0:120, 0:160]
    inverse[(np.abs(x - 79.5) < 20 + slope * y) & (y < 30)] = 0.5
    assert np.flatnonzero(above(inverse).any(axis=1)).max() + 1 == pytest.approx(tip, abs=2.5)


def test_what_leans_goes_on_leaning() -> None:
    inverse = wall()
    y, x = np.mgrid[0:120, 0:160]
    inverse[(np.abs(x - 80 + 0.5 * y) < 10) & (y < 40)] = 0.5
    near = above(inverse)
    middle = float((near[5] * np.arange(160)).sum() / near[5].sum())
    assert 82 < middle < 84.5


def test_below_the_picture_things_reach_farther_and_what_stands_in_a_corner_ends_too() -> None:
    inverse = wall()
    inverse[100:, 60:100] = 0.5
    inverse[95:, :16] = 0.5
    found = continued_depth(inverse, none(inverse), (MARGIN, MARGIN)).inverse > 0.2
    tip = np.flatnonzero(found[180:, 140]).max() + 1
    assert tip == pytest.approx(1.5 * 20, abs=2)
    left = found[MARGIN : MARGIN + 120, :MARGIN]
    assert left[-1, -20:].all() and not left[:, :-30].any() and not left[:94].any()


def test_ground_goes_on_exactly_behind_who_stands_on_it_and_its_horizon_stays() -> None:
    y, x = np.mgrid[-36:156, -48:208]
    truth = np.where(y > 42, 0.004 * (y - 40), 0).astype(np.float32)
    seen = truth[36:-36, 48:-48].copy()
    sky = seen == 0
    person = (np.abs(x - 80) < 15) & (y > 30) & (y < 120)
    here = person[36:-36, 48:-48]
    seen[here], sky[here] = 0.9, False
    found = continued_depth(seen, sky, (48, 36))
    outside = np.ones(truth.shape, np.bool_)
    outside[36:-36, 48:-48] = False
    made = outside & ~((found.inverse > 0.85) & (y >= 120) & (np.abs(x - 80) < 17))
    assert np.array_equal(found.sky[made], truth[made] == 0)
    assert np.allclose(found.inverse[made], truth[made], rtol=1e-4)
    assert (found.inverse[156:170, 128] > 0.85).all()


def test_rough_ground_keeps_its_horizon_and_is_smooth_far_out() -> None:
    rng = np.random.default_rng(3)
    y = np.mgrid[0:120, 0:160][0]
    rough = 0.004 * (y - 40) * np.exp(np.cumsum(rng.normal(0, 0.05, (120, 160)), axis=0) * 0.3)
    inverse = np.where(y > 44, rough, 0).astype(np.float32)
    found = continued_depth(inverse, inverse == 0, (MARGIN, 0))
    assert not found.sky[50:, :MARGIN].any() and found.sky[:40, :MARGIN].all()


def test_where_surfaces_part_that_were_one_nothing_breaks_off() -> None:
    """A table whose edge is hidden by low things: planes and what is no plane, with no outline between them."""
    y, x = np.mgrid[0:120, 0:160].astype(float)
    bump = 0.3 * np.exp(-(((x - 80) / 25) ** 2) - ((y - 119) / 30) ** 2)
    inverse = ((0.1 + 0.004 * y) * (1 + bump)).astype(np.float32)
    found = continued_depth(inverse, none(inverse), (MARGIN, MARGIN)).inverse[-MARGIN + 5 :]
    assert np.abs(np.diff(np.log(found), axis=1)).max() < 0.04
    assert (found[-1] > found[0]).all()  # the whole of it comes nearer, as the table does


def test_a_mountain_goes_on_along_its_slope() -> None:
    y, x = np.mgrid[0:120, 0:160]
    mountain = y > 100 - 0.5 * x
    inverse = np.where(mountain, 0.1 + 0.0002 * y, 0).astype(np.float32)
    found = continued_depth(inverse, ~mountain, (MARGIN, 0))
    top = [int(np.flatnonzero(~found.sky[:, c]).min()) for c in (219, 222, 226)]
    assert top[0] > top[1] > top[2]
    assert top[0] - top[2] == pytest.approx(3, abs=2)


def test_nothing_comes_from_nothing() -> None:
    inverse = wall()
    inverse[:, 120:] = 0
    found = continued_depth(inverse, none(inverse), (20, 10))
    assert not found.valid[:, 145:].any() and not found.inverse[:, 145:].any()
    assert found.valid[:, :138].all()
    empty = continued_depth(np.zeros((30, 40), np.float32), np.ones((30, 40), np.bool_), (8, 6))
    assert empty.sky.all() and not empty.inverse.any()
    for shape in ((1, 1), (2, 30)):
        small = continued_depth(wall(shape), none(wall(shape)), (3, 2))
        assert small.valid.all() and np.allclose(small.inverse, 0.1)


def test_floor_and_wall_meet_outside_where_they_do_in_space() -> None:
    floor, front = np.array([-0.1, 0.0, 0.004]), np.array([0.1, 0.0, 0.0])
    turned = [np.array([p[0], p[2], p[1]]) for p in (floor, front)]
    inside = np.maximum(0.1, -0.1 + 0.004 * np.arange(100.0))[None].repeat(8, 0).astype(np.float32)
    line = line_of(inside, none(inside), turned)
    assert set(line.number.tolist()) == {0, 1}
    made = planes_beyond(turned, line.number, -5, np.arange(100))
    assert np.allclose(made, inside[0], rtol=1e-5)


def test_a_dark_rim_beside_an_outline_is_no_valley_between_two_things() -> None:
    inverse = wall((120, 400))
    inverse[:, 200:] = 0.12
    inverse[100:, 150:250] = 0.5
    inverse[100:, 147:150] = 0.06
    found = continued_depth(inverse, none(inverse), (MARGIN, MARGIN)).inverse[180:, MARGIN:-MARGIN]
    assert (found[:, :100] > 0.09).all() and (found[:, :100] < 0.13).all()


def test_colour_stays_with_its_surface() -> None:
    """A white thing before a black wall: what is left of it outside is white inside its outline and black around."""
    inverse = wall()
    inverse[:30, 50:110] = 0.5
    picture = np.where(inverse[..., None] > 0.2, 240, 20).astype(np.uint8).repeat(3, 2)
    found = continued_depth(inverse, none(inverse), (40, MARGIN))
    wide = continued_colours(picture, (40, MARGIN), Surroundings(found.inverse, found.sky, (40, MARGIN)))
    t, x = np.mgrid[MARGIN:0:-1, -40:200]
    away = np.hypot(t, x + 0.5 - 80)
    assert (wide[:MARGIN][away < 22] > 170).all()
    assert (wide[:MARGIN][away > 38] < 90).mean() > 0.99
