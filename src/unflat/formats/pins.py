"""Pins that a user wrote: texts with places, as JSON.

    {"pins": [{"text": "left kidney", "node": "kidney_left"},
              {"text": "stone", "voxel": [210, 180, 44], "detail": "4 mm"},
              {"text": "entry", "at_mm": [-32.5, 110, -240], "node": "skin"}]}

``voxel`` is column, row and slice of the scan, counted from 0; ``at_mm`` is millimetres to the patient's left, back and
head, as the scan itself counts them. A pin with a node alone points at the middle of it. A list alone, without the
object around it, is taken as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.formats.plain import is_list, is_object, loaded
from unflat.formats.story import bytes_of

_LARGEST = 1 << 22
_MOST = 2000
_LONGEST_TEXT, _LONGEST_DETAIL = 200, 4000
_KNOWN = {"text", "node", "voxel", "at_mm", "detail"}
Three = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class PinNote:
    """One pin as it was written down.

    Attributes:
        text: What stands on it.
        node: The node that it belongs to, or None.
        voxel: Column, row, slice; or None.
        at_mm: Millimetres to the left, back and head; or None.
        detail: What more there is to read, or None.
    """

    text: str
    node: str | None = None
    voxel: Three | None = None
    at_mm: Three | None = None
    detail: str | None = None


def read(path: Path) -> tuple[PinNote, ...]:
    """Read a file of pins.

    Raises:
        InputError: It is not JSON, or one of its pins has no text, no place or something unknown.
    """
    try:
        told = loaded(bytes_of(path, _LARGEST))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path.name} is not JSON: {str(error)[:80]}", hint='{"pins": [{"text": …, "node": …}]}'
        ) from error
    entries = told.get("pins") if is_object(told) else told
    if not is_list(entries) or len(entries) > _MOST:
        raise InputError(f"{path.name} holds no list of up to {_MOST} pins", hint='{"pins": [{"text": …, "node": …}]}')
    return tuple(_note(entry, number, path.name) for number, entry in enumerate(entries, 1))


def _note(entry: object, number: int, name: str) -> PinNote:
    where = f"pin {number} of {name}"
    if not is_object(entry):
        raise InputError(f"{where} is no object", hint='{"text": "left kidney", "node": "kidney_left"}')
    unknown = sorted(set(entry) - _KNOWN)
    if unknown:
        raise InputError(f"{where} has an unknown word '{unknown[0][:40]}'", hint=f"Known: {' '.join(sorted(_KNOWN))}")
    text = entry.get("text")
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST_TEXT:
        raise InputError(f"{where} needs a text of up to {_LONGEST_TEXT} characters")
    node, detail = entry.get("node"), entry.get("detail")
    if not (node is None or isinstance(node, str)) or not (detail is None or isinstance(detail, str)):
        raise InputError(f"{where}: node and detail are texts")
    if detail is not None and len(detail) > _LONGEST_DETAIL:
        raise InputError(f"{where} has a detail of more than {_LONGEST_DETAIL} characters")
    voxel, at = _three(entry.get("voxel"), where), _three(entry.get("at_mm"), where)
    if voxel is not None and at is not None:
        raise InputError(f"{where} has two places", hint="Give voxel or at_mm.")
    if voxel is None and at is None and node is None:
        raise InputError(f"{where} has no place", hint="Give voxel, at_mm, or the name of a node.")
    return PinNote(text.strip(), node, voxel, at, detail)


def _three(value: Any, where: str) -> Three | None:
    if value is None:
        return None
    if not is_list(value) or len(value) != 3 or not all(_is_number(v) for v in value):
        raise InputError(f"{where} has a place that is not three numbers")
    return float(value[0]), float(value[1]), float(value[2])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9 and math.isfinite(value)
