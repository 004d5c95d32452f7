"""A flight in a JSON file: {"keyframes": [{"time": 0, "position": [0, 0, 0], "target": [0, 0, 2], "fov": 50}, …]}.

Times are seconds, lengths metres of the scene, in axes of the picture's own camera (x right, y down, z forward);
``target`` and ``fov`` (degrees across the width) may be left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.formats.image import read_bytes
from unflat.formats.plain import is_list, is_object
from unflat.types.keyframes import Keyframe, Point, in_order

_LARGEST = 1 << 22
_MOST = 10_000


def read(path: Path) -> tuple[Keyframe, ...]:
    """Read a flight.

    Raises:
        InputError: Missing, no JSON, or not such an object.
    """
    try:
        told: Any = json.loads(read_bytes(path, limit=_LARGEST))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is no JSON: {error}", hint="See CONVENTIONS.md for the keyframes.") from error
    rows = told.get("keyframes") if is_object(told) else None
    if not is_list(rows) or not 2 <= len(rows) <= _MOST:
        raise InputError(f"{path.name} holds no list 'keyframes' of 2 to {_MOST} entries")
    return in_order([_keyframe(row, i, path.name) for i, row in enumerate(rows)])


def _keyframe(row: object, number: int, name: str) -> Keyframe:
    where = f"keyframe {number} of {name}"
    if not is_object(row):
        raise InputError(f"{where} is no object")
    unknown = sorted(set(row) - {"time", "position", "target", "fov"})
    if unknown:
        raise InputError(f"{where} has an unknown entry '{unknown[0][:40]}'", hint="Known: time position target fov.")
    time, fov = _number(row.get("time"), where), row.get("fov")
    target = None if row.get("target") is None else _point(row["target"], where)
    return Keyframe(time, _point(row.get("position"), where), target, None if fov is None else _number(fov, where))


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: {str(value)[:40]!r} is no number")
    try:
        return float(value)
    except OverflowError as error:
        raise InputError(f"{where} has a number that is too large") from error


def _point(value: object, where: str) -> Point:
    if not is_list(value) or len(value) != 3:
        raise InputError(f"{where} needs a position of three numbers")
    x, y, z = (_number(v, where) for v in value)
    return x, y, z
