"""The benchmark of the eye says the right figures of an eye that is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks import depth

Row = tuple[str, bool, float, float, float]


def table(**d1: float) -> list[Row]:
    return [(name, True, 0.2, value, value) for name, value in d1.items()]


def test_the_mean_is_over_sets_not_over_pictures() -> None:
    rows: list[Row] = [("a", True, 0.1, 0.2, 0.0), ("a", True, 0.1, 0.4, 0.0), ("b", False, 0.3, 0.9, 0.0)]
    assert depth.mean_over_sets(rows)["a"] == pytest.approx((0.1, 0.3, 0))
    assert depth.mean_over_sets(rows)["mean"] == pytest.approx((0.2, 0.6, 0))


@pytest.mark.parametrize(
    ("after", "ships"),
    [({"a": 0.51, "b": 0.51}, True), ({"a": 0.504, "b": 0.504}, False), ({"a": 0.46, "b": 0.6}, False)],
)
def test_new_weights_ship_by_the_rule(after: dict[str, float], ships: bool) -> None:
    assert depth.verdict(table(a=0.5, b=0.5), table(**after)).startswith("ships") == ships


def test_doubt_that_is_right_lowers_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An eye that is wrong on the left and knows it: without its least sure tenth there is no error left."""
    true = np.linspace(1, 4, 64, dtype=np.float32)[:, None].repeat(64, 1)
    wrong = np.where(np.arange(64) < 3, 1.4, 1.0).astype(np.float32)
    picture = np.zeros((64, 64, 3), np.uint8)
    monkeypatch.setattr(depth, "pairs", lambda: iter([("a", True, picture, true, np.ones((64, 64), bool))]))

    def eye(_: object) -> depth.Seen:
        return depth.Seen(wrong / true, -wrong[None].repeat(64, 0))

    errors = depth.trusted(eye)
    assert errors[0] > 0.01
    assert max(errors[1:]) < 1e-5
