"""What the numbers of a label map are called: lists as people and programs write them.

JSON (``{"1": "spleen"}``, ``{"spleen": 1}``, several such under names, nnU-Net's ``dataset.json``), colour tables of
3D Slicer (``1 spleen 255 0 0 255``) and ITK-SNAP (``1 255 0 0 1 1 1 "spleen"``), CSV (number, name, perhaps a colour).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from unflat.errors import InputError
from unflat.formats.plain import loaded
from unflat.formats.volume_blobs import Blob
from unflat.types.volume import Label

Names = dict[int, tuple[str, tuple[int, int, int] | None]]
"""Number to name and colour."""

SUFFIXES = (".json", ".ctbl", ".csv", ".tsv", ".txt", ".label")
_LONGEST, _LONGEST_LINE, _LONGEST_NAME = 1 << 22, 1000, 120
_HINT = 'Write {"1": "spleen", "2": "liver"}, a table of 3D Slicer or ITK-SNAP, or CSV lines: number, name.'
_SNAP = re.compile(r'\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+[\d.]+\s+\d\s+\d\s+"([^"]*)"\s*$')
_SLICER = re.compile(r"\s*(\d+)\s+(\S.{0,200}?)\s+(\d+)\s+(\d+)\s+(\d+)(\s+\d+)?\s*$")
_NUMBERED = re.compile(r'"?(\d{1,10})"?\s*[,;\t:= ](.*)')


def read_names(blob: Blob) -> list[Names]:
    """The lists that a file holds; most hold one.

    Raises:
        InputError: It holds none.
    """
    if blob.size > _LONGEST:
        raise InputError("the list of names is too long", hint=_HINT)
    text = blob.head(_LONGEST).decode("utf-8-sig", "replace")
    found = _of_json(text) if text.lstrip()[:1] in ("{", "[") else [_of_lines(text.splitlines())]
    found = [names for names in found if names]
    if not found:
        raise InputError("the list of names cannot be understood", hint=_HINT)
    return found


def _of_json(text: str) -> list[Names]:
    try:
        data: Any = loaded(text)
    except (ValueError, RecursionError) as error:
        raise InputError("the list of names is no JSON", hint=_HINT) from error
    if isinstance(data, list):
        return [_named(enumerate(cast("list[Any]", data), 1))]
    table = cast("dict[str, Any]", data)
    inner = [cast("dict[str, Any]", value) for value in table.values() if isinstance(value, dict)]
    return [_named(_pairs(one)) for one in (table, *inner)]


def _pairs(table: dict[str, Any]) -> Iterable[tuple[Any, Any]]:
    for key, value in table.items():
        yield (value, key) if isinstance(value, int) and not isinstance(value, bool) else (key, value)


def _named(pairs: Iterable[tuple[Any, Any]]) -> Names:
    names: Names = {}
    for number, value in pairs:
        name, color = value, None
        if isinstance(value, dict):
            entry = cast("dict[str, Any]", value)
            name, color = entry.get("name"), _color(entry.get("color"))
        if isinstance(name, str) and re.fullmatch(r"\d{1,10}", str(number)) and int(number) > 0:
            names[int(number)] = (name, color)
    return names


def _color(value: Any) -> tuple[int, int, int] | None:
    found = cast("list[Any]", value)[:3] if isinstance(value, list) else []
    if len(found) == 3 and all(isinstance(part, int) and 0 <= part <= 255 for part in found):
        return int(found[0]), int(found[1]), int(found[2])
    return None


def _of_lines(lines: list[str]) -> Names:
    names: Names = {}
    for line in lines:
        if line.lstrip().startswith("#") or len(line) > _LONGEST_LINE:
            continue
        if snap := _SNAP.match(line):
            number, name, color = snap[1], snap[5], [int(snap[i]) for i in (2, 3, 4)]
        elif slicer := _SLICER.match(line):
            number, name, color = slicer[1], slicer[2], [int(slicer[i]) for i in (3, 4, 5)]
        elif plain := _of_table(line.strip()):
            number, name, color = plain
        else:
            continue
        if len(number) <= 10 and int(number) > 0 and name:
            names[int(number)] = (name, _color(color))
    return names


def _of_table(line: str) -> tuple[str, str, list[int]] | None:
    """Number, name, and perhaps three or four numbers of a colour, parted by commas, semicolons or tabs."""
    found = _NUMBERED.fullmatch(line)
    if found is None:
        return None
    name, *color = (part.strip().strip('"').strip() for part in re.split(r"[,;\t]", found[2].strip()))
    if len(color) not in (0, 3, 4) or not all(re.fullmatch(r"\d{1,3}", part) for part in color):
        return None
    return found[1], name, [int(part) for part in color[:3]]


def labels_of(numbers: Iterable[int], lists: list[Names], told: Mapping[int, Label] | None = None) -> tuple[Label, ...]:
    """A label for each number, by the list that knows the most of them; what no list knows is called by its number.

    Args:
        numbers: Those that occur.
        lists: Of names, the ones to be preferred first.
        told: What the file itself says, for what no list knows.
    """
    occurring = sorted(set(numbers) - {0})
    best = max([*lists, Names()], key=lambda names: sum(number in names for number in occurring))
    labels: list[Label] = []
    taken: set[str] = set()
    for number in occurring:
        own = (told or {}).get(number)
        name, color = best.get(number, (own.name, own.color) if own else (f"label {number}", None))
        plain = "".join(letter if letter.isprintable() else " " for letter in name)
        name = " ".join(plain.split())[:_LONGEST_NAME] or f"label {number}"
        base, more = name, 2
        while name in taken:
            name, more = f"{base} {more}", more + 1
        taken.add(name)
        labels.append(Label(number, name, color))
    return tuple(labels)
