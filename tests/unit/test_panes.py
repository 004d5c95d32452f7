"""Mirrors and panes laid into the plane of their rim."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.geometry.panes import flattened, panes_of, rim_plane
from unflat.stages.flatten_panes import flatten_panes
from unflat.types import DepthKind, DepthMap
from unflat.types.forecast import Marks

H, W = 90, 120
ROWS, COLUMNS = np.mgrid[:H, :W].astype(np.float32)
WALL = (0.002 * COLUMNS - 0.001 * ROWS + 0.4).astype(np.float32)
"""Inverse depth of a slanted wall."""
PANE = np.zeros((H, W), bool)
PANE[20:70, 30:80] = True
NOTHING = np.zeros((H, W), np.float32)


def seen_into() -> np.ndarray:
    """The wall, with twice the distance and waves where the mirror hangs."""
    return np.where(PANE, WALL / 2 + 0.02 * np.sin(COLUMNS / 4), WALL).astype(np.float32)


def marks(mirror: np.ndarray = NOTHING, glass: np.ndarray = NOTHING) -> Marks:
    return Marks(mirror.astype(np.float32), glass.astype(np.float32), NOTHING)


def depth_of(inverse: np.ndarray, kind: DepthKind = DepthKind.SCALE) -> DepthMap:
    return DepthMap(inverse if kind is DepthKind.DISPARITY else 1 / inverse, kind)


def test_the_plane_of_the_rim_is_the_walls() -> None:
    plane = rim_plane(seen_into(), PANE, ~PANE)
    assert plane is not None
    assert plane == pytest.approx([0.002, -0.001, 0.4], abs=1e-5)
    assert flattened(seen_into(), PANE, plane) == pytest.approx(WALL, abs=1e-4)


def test_things_beside_the_frame_do_not_turn_the_plane() -> None:
    inverse = seen_into()
    inverse[60:, 20:50] = 1.2  # a chest stands before the lower left corner
    plane = rim_plane(inverse, PANE & (inverse < 1), ~PANE)
    assert plane == pytest.approx([0.002, -0.001, 0.4], abs=1e-4)


def test_a_case_on_a_chest_is_no_window() -> None:
    inverse = seen_into()
    inverse[70:, 25:85] = 1.5 * WALL[70:, 25:85]
    assert rim_plane(inverse, PANE, ~PANE) == pytest.approx([0.002, -0.001, 0.4], abs=1e-4)
    assert rim_plane(inverse, PANE, ~PANE, all_around=True) is None
    assert rim_plane(seen_into(), PANE, ~PANE, all_around=True) is not None
    at_the_edge = np.roll(PANE, -30, 1)  # the picture shows three sides of it
    assert rim_plane(WALL, at_the_edge, ~at_the_edge, all_around=True) is not None


def test_what_stands_before_a_pane_stays() -> None:
    inverse = seen_into()
    inverse[40:60, 50:60] = 2.0
    made = flattened(inverse, PANE, np.array([0.002, -0.001, 0.4]))
    assert (made[40:60, 50:60] == 2.0).all()
    assert made[30, 40] == pytest.approx(WALL[30, 40], abs=1e-5)


def test_a_rim_that_agrees_on_nothing_has_no_plane() -> None:
    noise = np.random.default_rng(1).uniform(0.1, 1, (H, W)).astype(np.float32)
    assert rim_plane(noise, PANE, ~PANE) is None
    assert rim_plane(WALL, PANE, np.zeros((H, W), bool)) is None


def test_only_whole_shapes_are_panes() -> None:
    angle = ((ROWS < 40) | (COLUMNS < 40)) & (ROWS > 20) & (COLUMNS > 20) & (ROWS < 80) & (COLUMNS < 100)
    disc = (ROWS - 45) ** 2 + (COLUMNS - 60) ** 2 < 400
    assert panes_of(angle, 0.01) == []
    (found,) = panes_of(disc, 0.01)
    assert (found == disc).all()
    assert panes_of(disc, 0.5) == []
    two = PANE.copy()
    two[:, 55] = False
    assert len(panes_of(two, 0.01)) == 2


@pytest.mark.parametrize("kind", [DepthKind.SCALE, DepthKind.METRIC, DepthKind.DISPARITY])
@pytest.mark.parametrize("name", ["mirror", "glass"])
def test_a_mirror_becomes_flat_whatever_the_numbers_mean(kind: DepthKind, name: str) -> None:
    depth = depth_of(seen_into(), kind)
    made, flat, left = flatten_panes(depth, marks(**{name: PANE}))
    assert (flat, left) == (1, 0)
    true = depth_of(WALL, kind).values
    assert made.values == pytest.approx(true, rel=1e-3)
    assert (made.values[~PANE] == depth.values[~PANE]).all()
    assert made.kind is kind


def test_a_vessel_stays_and_so_does_a_depth_without_marks() -> None:
    vessel = np.where(PANE, 1.5 * WALL, WALL).astype(np.float32)
    depth = depth_of(vessel)
    made, flat, left = flatten_panes(depth, marks(glass=PANE))
    assert made is depth and (flat, left) == (0, 1)
    made, flat, left = flatten_panes(depth, marks())
    assert made is depth and (flat, left) == (0, 0)


def test_marks_of_another_size_serve() -> None:
    coarse = PANE[::2, ::2]
    small = np.zeros_like(coarse, np.float32)
    made, flat, _ = flatten_panes(depth_of(seen_into()), Marks(coarse.astype(np.float32), small, small))
    assert flat == 1
    assert made.values[40, 50] == pytest.approx(1 / WALL[40, 50], rel=0.02)
