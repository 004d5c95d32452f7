"""What a drawing's labels say, told by a person, as JSON.

    {"labels": ["Nucleus", "Cell wall", {"text": "Vacuole", "detail": "Filled with sap."},
                {"text": "Golgi body", "at_px": [812, 340]}, {"text": "Ribosomes", "node": "region 7"}],
     "regions": [{"name": "chloroplast", "at_px": [640, 220]}]}

Texts without a place name the printed labels in order: those in the left half of the picture from top to bottom, then
those in the right half. ``at_px`` is a pixel of the upright picture: a printed label, the end of its leader, or any
place of a region. A list alone, without the object around it, is taken as labels.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.formats.plain import is_list, is_object, loaded
from unflat.formats.story import bytes_of
from unflat.types.diagram import DiagramNotes, LabelNote, RegionNote

_LARGEST = 1 << 22
_MOST = 2000
_LONGEST_TEXT, _LONGEST_DETAIL = 200, 4000
_HOW = '{"labels": ["Nucleus", {"text": "Cell wall", "at_px": [120, 80]}]}'
_LABEL, _REGION = {"text", "detail", "at_px", "node"}, {"name", "at_px"}


def read(path: Path) -> DiagramNotes:
    """Read a file of labels.

    Raises:
        InputError: It is not JSON, or one of its entries has no text, or something unknown.
    """
    try:
        told: Any = loaded(bytes_of(path, _LARGEST))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is not JSON: {str(error)[:80]}", hint=_HOW) from error
    if is_list(told):
        told = {"labels": told}
    if not is_object(told) or not set(told) <= {"labels", "regions"}:
        raise InputError(f"{path.name} holds no labels", hint=_HOW)
    labels, regions = told.get("labels", []), told.get("regions", [])
    if not is_list(labels) or not is_list(regions) or len(labels) + len(regions) > _MOST:
        raise InputError(f"{path.name} holds no lists of up to {_MOST} labels and regions", hint=_HOW)
    return DiagramNotes(
        tuple(_label(entry, f"label {n} of {path.name}") for n, entry in enumerate(labels, 1)),
        tuple(_region(entry, f"region {n} of {path.name}") for n, entry in enumerate(regions, 1)),
    )


def _label(entry: object, where: str) -> LabelNote:
    if isinstance(entry, str):
        entry = {"text": entry}
    if not is_object(entry) or not set(entry) <= _LABEL:
        raise InputError(f"{where} is no text, nor an object of text, detail, at_px and node", hint=_HOW)
    at = None if entry.get("at_px") is None else _place(entry["at_px"], where)
    node, detail = entry.get("node"), entry.get("detail")
    if not (node is None or isinstance(node, str)) or not (detail is None or isinstance(detail, str)):
        raise InputError(f"{where}: node and detail are texts", hint=_HOW)
    if at is not None and node is not None:
        raise InputError(f"{where} has two places", hint="Give at_px or node.")
    if detail is not None and len(detail) > _LONGEST_DETAIL:
        raise InputError(f"{where} has a detail of more than {_LONGEST_DETAIL} characters", hint=_HOW)
    return LabelNote(_words(entry.get("text"), where), at, node, detail)


def _region(entry: object, where: str) -> RegionNote:
    if not is_object(entry) or set(entry) != _REGION:
        raise InputError(f"{where} needs a name and at_px, and nothing else", hint=_HOW)
    return RegionNote(_words(entry["name"], where), _place(entry["at_px"], where))


def _words(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT:
        raise InputError(f"{where} needs a text of up to {_LONGEST_TEXT} characters", hint=_HOW)
    return " ".join(value.split())


def _place(value: object, where: str) -> tuple[float, float]:
    if not is_list(value) or len(value) != 2:
        raise InputError(f"{where} needs a place of two numbers", hint=_HOW)
    x, y = value
    for v in (x, y):
        if isinstance(v, bool) or not isinstance(v, int | float) or not math.isfinite(v) or abs(v) > 1e7:
            raise InputError(f"{where} needs a place of two numbers", hint=_HOW)
    return float(x), float(y)
