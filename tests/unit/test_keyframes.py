"""Flights in JSON: read as they stand, refused in one line if they are odd."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from unflat.errors import InputError
from unflat.formats import keyframes
from unflat.types.keyframes import Keyframe


def written(folder: Path, value: Any) -> Path:
    path = folder / "flight.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def test_a_flight_is_read_as_it_stands(tmp_path: Path) -> None:
    rows = [{"time": 0, "position": [0, 0, 0]}, {"time": 2.5, "position": [1, -2, 3], "target": [0, 0, 9], "fov": 40}]
    assert keyframes.read(written(tmp_path, {"keyframes": rows})) == (
        Keyframe(0, (0, 0, 0)),
        Keyframe(2.5, (1, -2, 3), (0, 0, 9), 40),
    )


GOOD = {"time": 0, "position": [0, 0, 0]}


@pytest.mark.parametrize(
    "odd",
    [
        "no json",
        "[" * 100_000,
        [],
        {"keyframes": {}},
        {"keyframes": [GOOD]},
        {"keyframes": [GOOD, 7]},
        {"keyframes": [GOOD, {"time": 1}]},
        {"keyframes": [GOOD, {"time": "1", "position": [0, 0, 0]}]},
        {"keyframes": [GOOD, {"time": True, "position": [0, 0, 0]}]},
        {"keyframes": [GOOD, {"time": 1, "position": [0, 0]}]},
        {"keyframes": [GOOD, {"time": 1, "position": [0, 0, "x"]}]},
        {"keyframes": [GOOD, {"time": 1, "position": [0, 0, 0], "fov": 180}]},
        {"keyframes": [GOOD, {"time": 1, "position": [0, 0, 0], "speed": 3}]},
        {"keyframes": [GOOD, {"time": 0, "position": [0, 0, 1]}]},
        '{"keyframes": [{"time": 0, "position": [0, 0, 0]}, {"time": NaN, "position": [0, 0, 0]}]}',
        '{"keyframes": [{"time": 0, "position": [0, 0, 0]}, {"time": 1, "position": [0, Infinity, 0]}]}',
        {"keyframes": [GOOD] * 20_000},
        {"keyframes": [GOOD, {"time": 10**9, "position": [0, 0, 0]}]},
        {"keyframes": [GOOD, {"time": 1e-9, "position": [0, 0, 1]}]},
        {"keyframes": [GOOD, {"time": 1, "position": [0, 1e30, 0]}]},
        {"keyframes": [GOOD, {"time": 1, "position": [0, 0, 0], "target": [0, 0, -1e30]}]},
        {"keyframes": [GOOD, {"time": 10**400, "position": [0, 0, 0]}]},
    ],
    ids=range(22),
)
def test_odd_flights_are_refused(tmp_path: Path, odd: Any) -> None:
    with pytest.raises(InputError):
        keyframes.read(written(tmp_path, odd))
