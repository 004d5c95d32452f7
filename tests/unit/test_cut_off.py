"""Near things that the frame cuts, and what only looks like them."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.geometry.cut_off import cut_offs

H, W = 96, 128
ON = np.ones((H, W), bool)


def room(**boxes: tuple[int, int, int, int]) -> np.ndarray:
    """A wall at inverse depth 0.3 with boxes (top, bottom, left, right) at 1."""
    inverse = np.full((H, W), 0.3, np.float32)
    for top, bottom, left, right in boxes.values():
        inverse[top:bottom, left:right] = 1.0
    return inverse


@pytest.mark.parametrize(
    ("box", "sides"),
    [
        ((40, H, 40, 80), ("bottom",)),
        ((0, 50, 30, 70), ("top",)),
        ((20, 70, 90, W), ("right",)),
        ((20, 70, 0, 30), ("left",)),
        ((50, H, 0, 40), ("bottom", "left")),
        ((0, 40, 0, 40), ("top", "left")),
    ],
)
def test_what_the_frame_cuts_is_found_with_its_sides(box: tuple[int, int, int, int], sides: tuple[str, ...]) -> None:
    (found,) = cut_offs(room(a=box), ON)
    assert found.sides == sides
    top, bottom, left, right = box
    true = np.zeros((H, W), bool)
    true[top:bottom, left:right] = True
    assert (found.region & true).sum() > 0.9 * (found.region | true).sum()
    assert found.ratio == pytest.approx(1 / 0.3, rel=0.05)


def test_what_stands_whole_in_the_picture_is_not_cut() -> None:
    assert cut_offs(room(a=(30, 70, 40, 80)), ON) == []


def test_a_ground_is_no_subject_neither_smooth_nor_with_an_edge() -> None:
    rows = np.arange(H, dtype=np.float32)[:, None]
    smooth = np.repeat(np.maximum(rows - 30, 1) / 66, W, 1).astype(np.float32)
    assert cut_offs(smooth, ON) == []
    assert cut_offs(room(ground=(60, H, 0, W)), ON) == []
    assert cut_offs(room(ceiling=(0, 30, 0, W)), ON) == []


def test_a_subject_on_a_ground_is_found() -> None:
    rows = np.arange(H, dtype=np.float32)[:, None]
    inverse = np.repeat(np.maximum(rows - 30, 3) / 130, W, 1).astype(np.float32)
    inverse[20:, 50:90] = 1.0
    (found,) = cut_offs(inverse, ON)
    assert found.sides == ("bottom",) and not found.region[60, 10]


def test_before_the_sky_too() -> None:
    inverse, on = room(a=(40, H, 40, 80)), ON.copy()
    on[inverse < 0.5] = False
    (found,) = cut_offs(inverse, on)
    assert found.sides == ("bottom",) and found.ratio > 10


def test_a_jump_that_is_too_small_or_a_sliver_says_nothing() -> None:
    inverse = room(a=(40, H, 40, 80))
    assert cut_offs(np.where(inverse > 0.5, 0.35, 0.3).astype(np.float32), ON) == []
    assert cut_offs(room(a=(40, H, 60, 64)), ON) == []


def test_two_things_are_two_and_all_or_nothing_is_none() -> None:
    two = cut_offs(room(a=(40, H, 10, 40), b=(30, H, 80, 110)), ON)
    assert sorted(int(one.region[90].argmax()) // 40 for one in two) == [0, 2]
    assert cut_offs(np.ones((H, W), np.float32), ON) == []
    assert cut_offs(room(a=(40, H, 40, 80)), ~ON) == []
    assert cut_offs(np.ones((8, 8), np.float32), np.ones((8, 8), bool)) == []
