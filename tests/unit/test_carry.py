"""A followed path that goes through better known places of some of its cameras."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.geometry.carry import carried
from unflat.geometry.turns import turn
from unflat.types.arrays import F64


def _walk(count: int) -> F64:
    """A camera that walks a bend and looks about."""
    at = np.linspace(0, 2, count)
    path = np.tile(np.eye(4), (count, 1, 1))
    for i, t in enumerate(at):
        path[i, :3, :3] = turn(np.array([0.1 * np.sin(3 * t), t, 0.05 * t]))
        path[i, :3, 3] = np.sin(t), 0.1 * np.sin(5 * t), t
    return path


def _turned(path: F64) -> F64:
    """The same in another frame and unit."""
    moved = path.copy()
    q = turn(np.array([0.3, -1.0, 0.4]))
    moved[:, :3, :3] = q @ path[:, :3, :3]
    moved[:, :3, 3] = 2.5 * path[:, :3, 3] @ q.T + [1.0, 2.0, 3.0]
    return moved


@pytest.mark.parametrize("known", [[0, 199], [0, 60, 61, 120, 199], [40, 80, 150]])
def test_another_frame_and_unit_is_met_exactly(known: list[int]) -> None:
    path = _walk(200)
    true = _turned(path)
    found = carried(path, np.array(known), true[known])
    assert np.allclose(found[:, :3, :3], true[:, :3, :3], atol=1e-6)
    size = np.linalg.norm(np.diff(true[:, :3, 3], axis=0), axis=1).sum()
    off = np.linalg.norm(found[:, :3, 3] - true[:, :3, 3], axis=1)
    # A stretch's unit is told by steps between known cameras, which are the same in both frames: exact.
    assert off.max() < 1e-6 * size


def test_known_cameras_stand_where_they_were_said_to_stand() -> None:
    path, known = _walk(50), np.array([3, 20, 47])
    places = _turned(path)[known]
    assert np.array_equal(carried(path, known, places)[known], places)


def test_slow_drift_in_turn_and_unit_goes_away() -> None:
    true = _walk(200)
    drifted = true.copy()
    for i in range(1, 200):
        step = true[i, :3, 3] - true[i - 1, :3, 3]
        slow = turn(np.array([0.0, 0.001 * i, 0.0005 * i]))
        drifted[i, :3, 3] = drifted[i - 1, :3, 3] + (1 + 0.002 * i) * slow @ step
        drifted[i, :3, :3] = slow @ true[i, :3, :3]
    known = np.arange(0, 200, 15)
    found = carried(drifted, known, true[known])
    before = np.linalg.norm(drifted[:, :3, 3] - true[:, :3, 3], axis=1)
    after = np.linalg.norm(found[:, :3, 3] - true[:, :3, 3], axis=1)
    assert after[: known[-1]].max() < 0.002 * before.max()
    turned = np.einsum("nji,njk->nik", found[:, :3, :3], true[:, :3, :3])
    assert np.degrees(np.arccos(np.clip((np.trace(turned, axis1=1, axis2=2) - 1) / 2, -1, 1))).max() < 0.3


def test_a_camera_that_rests_is_carried_too() -> None:
    path = _walk(60)
    path[20:40] = path[20]
    true = _turned(path)
    found = carried(path, np.array([0, 22, 25, 38, 59]), true[[0, 22, 25, 38, 59]])
    assert np.isfinite(found).all()
    assert np.allclose(found, true, atol=1e-6)
