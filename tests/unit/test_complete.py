"""Pixels without depth find the known pixel that looks most alike: the cheapest path, against Dijkstra."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from unflat.geometry.complete import STEP, nearest_alike
from unflat.types.arrays import U8, Bool


def price(colour: U8, a: tuple[int, int], b: tuple[int, int]) -> float:
    """What the step between two neighbours costs."""
    apart = np.abs(colour[a].astype(int) - colour[b].astype(int)).max()
    return float(apart) + STEP * (1.41 if a[0] != b[0] and a[1] != b[1] else 1.0)


def cheapest(sources: list[tuple[int, int]], open_: Bool, colour: U8) -> NDArray[np.float64]:
    """Dijkstra (1959): the cost of the cheapest path from any source over open pixels; inf where there is none."""
    h, w = open_.shape
    cost = np.full((h, w), np.inf)
    queue = [(0.0, at) for at in sources]
    for at in sources:
        cost[at] = 0
    while queue:
        so_far, (y, x) = heapq.heappop(queue)
        if so_far > cost[y, x]:
            continue
        for v in range(max(y - 1, 0), min(y + 2, h)):
            for u in range(max(x - 1, 0), min(x + 2, w)):
                then = so_far + price(colour, (y, x), (v, u))
                if open_[v, u] and (v, u) != (y, x) and then < cost[v, u]:
                    cost[v, u] = then
                    heapq.heappush(queue, (then, (v, u)))
    return cost


def places(mask: Bool) -> list[tuple[int, int]]:
    return [(int(y), int(x)) for y, x in np.argwhere(mask)]


def assert_cheapest(known: Bool, open_: Bool, colour: U8, *, share: float = 1.0) -> None:
    """Every source is one of the cheapest (ties are free), at least for this share of the open pixels."""
    source = nearest_alike(known, open_, colour)
    search = open_ & ~known
    best = cheapest(places(known), search, colour)
    np.testing.assert_array_equal(source[known], np.flatnonzero(known))
    np.testing.assert_array_equal(source[search] < 0, np.isinf(best[search]))
    assert (source[~known & ~open_] == -1).all()
    found = search & (source >= 0)
    right = 0
    for at in np.unique(source[found]):
        from_it = cheapest([(int(at) // known.shape[1], int(at) % known.shape[1])], search, colour)
        mine = found & (source == at)
        assert known.ravel()[at] and np.isfinite(from_it[mine]).all()
        right += int((from_it[mine] <= best[mine] + 1e-3 * (1 + best[mine])).sum())
    assert right >= share * found.sum()


sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))


@given(seed=st.integers(0, 2**32 - 1), size=sizes, levels=st.sampled_from([2, 8, 256]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_source_is_the_cheapest_one(seed: int, size: tuple[int, int], levels: int) -> None:
    rng = np.random.default_rng(seed)
    known = rng.random(size) < rng.choice([0.0, 0.1, 0.3])
    open_ = rng.random(size) < rng.choice([0.7, 1.0])
    colour = (rng.integers(0, levels, (*size, 3)) * (255 // (levels - 1))).astype(np.uint8)
    assert_cheapest(known, open_, colour)


def test_on_one_colour_it_is_the_nearest_one() -> None:
    rng = np.random.default_rng(2)
    known = rng.random((30, 40)) < 0.01
    source = nearest_alike(known, ~known, np.full((30, 40, 3), 90, np.uint8))
    y, x = np.mgrid[:30, :40]

    def steps(at: NDArray[np.int64]) -> NDArray[np.float64]:
        dy, dx = abs(y - at // 40), abs(x - at % 40)
        return np.maximum(dy, dx) + 0.41 * np.minimum(dy, dx)

    nearest = np.min([steps(np.full((30, 40), at)) for at in np.flatnonzero(known)], axis=0)
    np.testing.assert_allclose(steps(source), nearest, atol=1e-4)


def test_a_hole_across_an_outline_takes_each_side_from_its_own_surface() -> None:
    columns = np.arange(60) * np.ones((40, 1), int)
    colour = np.where((columns < 33)[..., None], [200, 80, 40], [40, 90, 160]).astype(np.uint8)
    open_ = np.zeros((40, 60), bool)
    open_[10:30, 12:50] = True
    source = nearest_alike(~open_, open_, colour)
    np.testing.assert_array_equal(source[open_] % 60 < 33, columns[open_] < 33)


def spiral(side: int) -> Bool:
    """A corridor one pixel wide that turns in to the middle: more turns than the sweeps follow."""
    path = np.zeros((side, side), bool)
    y, x, dy, dx = 0, 0, 0, 1
    path[0, 0] = True
    length = side - 1
    for turn in range(side - 1):
        for _ in range(length):
            y, x = y + dy, x + dx
            path[y, x] = True
        dy, dx = dx, -dy
        length -= 2 if turn % 2 == 0 and turn > 0 else 0
        if length <= 0:
            break
    return path


def test_where_the_sweeps_do_not_suffice_the_source_is_a_known_one_or_none() -> None:
    path = spiral(41)
    known = np.zeros_like(path)
    known[0, 0] = True
    open_ = path & ~known
    reachable = np.isfinite(cheapest([(0, 0)], open_, np.zeros((41, 41, 3), np.uint8)))
    assert reachable[open_].all()
    source = nearest_alike(known, open_, np.zeros((41, 41, 3), np.uint8))
    assert set(np.unique(source[open_]).tolist()) == {-1, 0}
    assert (source[~path] == -1).all()


@pytest.mark.parametrize("kind", ["nothing known", "nothing open", "all known"])
def test_where_there_is_nothing_to_find_nothing_is_found(kind: str) -> None:
    known = np.full((6, 7), kind != "nothing known")
    open_ = np.full((6, 7), kind != "nothing open")
    source = nearest_alike(known, open_, np.zeros((6, 7, 3), np.uint8))
    expected = np.arange(42).reshape(6, 7) if known.all() else np.full((6, 7), -1)
    np.testing.assert_array_equal(source, expected)
