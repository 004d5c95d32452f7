"""The plan of a tour in a JSON file: what the user knows of pictures that find no place by themselves.

    {
      "pictures": {
        "market.jpg": {
          "title": "The market", "date": "about 1890", "fov": 50, "alone": true,
          "landmarks": [
            {"pixel": [812, 403], "seen": {"today.jpg": [1030, 377], "tower.jpg": [90, 512]}},
            {"pixel": [120, 655], "point": [3.2, 8.0, 0.0]},
            {"pixel": [300, 210], "name": "clock"}
          ]
        },
        "cellar.jpg": {"position": [4.0, 12.5, 1.6], "heading": 90, "pitch": 0}
      },
      "points": {"clock": [0.0, 9.5, 6.1]},
      "links": [{"from": "market.jpg", "pixel": [640, 480], "to": "cellar.jpg", "back": [90, 300], "name": "stairs"}],
      "start": "market.jpg"
    }

Everything may be left out. Pixels count from the top left corner of the upright picture; points are metres to the
right, ahead and up. docs/walk.md explains it for users.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.formats.image import read_bytes
from unflat.formats.plain import is_list, is_object
from unflat.types.tour import Entry, Mark, Passage, Pixel, Point, Stand, TourPlan

_LARGEST = 1 << 22
_MOST_MARKS = 1000
_MOST_LINKS = 1000
_LONGEST = 200
"""Characters of a name, a title or a date."""
_FARTHEST = 1e6
"""Metres, and pixels."""
_HINT = "docs/walk.md shows what a plan of a tour looks like."
_PLAN = ("pictures", "points", "links", "start")
_ENTRY = ("title", "date", "fov", "alone", "landmarks", "position", "heading", "pitch")
_MARK = ("pixel", "point", "seen", "name")
_LINK = ("from", "to", "pixel", "back", "name")


def read(path: Path) -> TourPlan:
    """Read the plan of a tour.

    Raises:
        InputError: Missing, no JSON, or not such an object.
    """
    try:
        text = read_bytes(path, limit=_LARGEST).decode("utf-8-sig")
        told: Any = json.loads(text, object_pairs_hook=_object_of)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is no JSON: {str(error)[:200]}", hint=_HINT) from error
    return plan_of(told)


def plan_of(document: object) -> TourPlan:
    """The plan that a JSON document is.

    Raises:
        InputError: It says something else.
    """
    whole = _known(document, "the plan", _PLAN)
    pictures = whole.get("pictures", {})
    if not is_object(pictures):
        raise _wrong("'pictures' is no object of pictures by their file names")
    points = whole.get("points", {})
    if not is_object(points):
        raise _wrong("'points' is no object of points by their names")
    links = whole.get("links", [])
    if not is_list(links) or len(links) > _MOST_LINKS:
        raise _wrong(f"'links' is no list of at most {_MOST_LINKS} links")
    return TourPlan(
        {_text(name, "the name of a picture"): _entry(told, str(name)) for name, told in pictures.items()},
        {_text(name, "the name of a point"): _point(at, f"the point {str(name)[:40]}") for name, at in points.items()},
        tuple(_passage(told, number) for number, told in enumerate(links)),
        None if whole.get("start") is None else _text(whole["start"], "'start'"),
    )


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose words are all different: of two landmarks of one name nobody knows which one is meant."""
    made = dict(pairs)
    if len(made) != len(pairs):
        words = [word for word, _ in pairs]
        raise ValueError(f"{next(w for w in words if words.count(w) > 1)[:40]!r} stands twice in one object")
    return made


def _entry(told: object, name: str) -> Entry:
    where = name[:60]
    words = _known(told, where, _ENTRY)
    marks = words.get("landmarks", [])
    if not is_list(marks) or len(marks) > _MOST_MARKS:
        raise _wrong(f"the landmarks of {where} are no list of at most {_MOST_MARKS}")
    alone = words.get("alone", False)
    if not isinstance(alone, bool):
        raise _wrong(f"'alone' of {where} is neither true nor false")
    fov = _optional(words, "fov", where)
    if fov is not None and not 1 <= fov <= 170:
        raise _wrong(f"the angle of view (fov) of {where} is {fov:g}, not 1 to 170 degrees")
    read_marks = tuple(_mark(row, f"landmark {k + 1} of {where}", name) for k, row in enumerate(marks))
    names = [mark.name for mark in read_marks if mark.name is not None]
    if len(set(names)) != len(names):
        twice = next(each for each in names if names.count(each) > 1)
        raise _wrong(f"the landmark {twice!r} stands twice in {where}")
    return Entry(
        _label(words, "title", where), _label(words, "date", where), fov, alone, read_marks, _stand(words, where)
    )


def _stand(words: dict[str, Any], where: str) -> Stand | None:
    heading, pitch = _optional(words, "heading", where), _optional(words, "pitch", where)
    if words.get("position") is None:
        if heading is not None or pitch is not None:
            raise _wrong(f"{where} has a heading, but no position")
        return None
    at = _numbers(words["position"], (2, 3), f"the position of {where}")
    if pitch is not None and not -90 <= pitch <= 90:
        raise _wrong(f"the pitch of {where} is {pitch:g}, not -90 to 90 degrees")
    if heading is None or not -360 <= heading <= 360:
        raise _wrong(f"{where} has a position, but no heading of -360 to 360 degrees (0: ahead, 90: to the right)")
    return Stand(at[0], at[1], at[2] if len(at) > 2 else None, heading, pitch)


def _mark(told: object, where: str, picture: str) -> Mark:
    words = _known(told, where, _MARK)
    pixel = _pixel(words.get("pixel"), f"the pixel of {where}")
    given = [word for word in ("point", "seen", "name") if words.get(word) is not None]
    if len(given) != 1:
        raise _wrong(f"{where} needs one of point, seen and name, and has {' and '.join(given) or 'none'}")
    if given == ["point"]:
        return Mark(pixel, _point(words["point"], f"the point of {where}"))
    if given == ["name"]:
        return Mark(pixel, name=_text(words["name"], f"the name of {where}"))
    seen = words["seen"]
    if not is_object(seen) or not seen:
        raise _wrong(f"'seen' of {where} is no object of pixels by picture")
    if picture in seen:
        raise _wrong(f"'seen' of {where} is for other pictures")
    return Mark(pixel, seen={str(k): _pixel(at, f"the pixel of {where} in {str(k)[:40]}") for k, at in seen.items()})


def _passage(told: object, number: int) -> Passage:
    where = f"link {number + 1}"
    words = _known(told, where, _LINK)
    start, to = (_text(words.get(end), f"'{end}' of {where}") for end in ("from", "to"))
    if start == to:
        raise _wrong(f"{where} leads from {start} to itself")
    pixel, back = (
        None if words.get(end) is None else _pixel(words[end], f"'{end}' of {where}") for end in ("pixel", "back")
    )
    return Passage(start, to, pixel, back, _label(words, "name", where))


def _known(told: object, where: str, words: tuple[str, ...]) -> dict[str, Any]:
    if not is_object(told):
        raise _wrong(f"{where} is no object")
    unknown = sorted(set(told) - set(words))
    if unknown:
        raise InputError(f"{where} has an unknown entry {unknown[0][:40]!r}", hint=f"Known: {' '.join(words)}.")
    return told


def _text(value: object, what: str) -> str:
    """A line of text that a page may show."""
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        raise _wrong(f"{what} is no text of 1 to {_LONGEST} characters")
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in value):
        raise _wrong(f"{what} is more than one line")
    return value


def _label(words: dict[str, Any], word: str, where: str) -> str | None:
    return None if words.get(word) is None else _text(words[word], f"'{word}' of {where}")


def _optional(words: dict[str, Any], word: str, where: str) -> float | None:
    return None if words.get(word) is None else _numbers([words[word]], (1,), f"'{word}' of {where}")[0]


def _pixel(value: object, what: str) -> Pixel:
    x, y = _numbers(value, (2,), what)
    if x < 0 or y < 0:
        raise _wrong(f"{what} is outside the picture: pixels count from 0 at its top left corner")
    return x, y


def _point(value: object, what: str) -> Point:
    x, y, z = _numbers(value, (3,), what)
    return x, y, z


def _numbers(value: object, counts: tuple[int, ...], what: str) -> list[float]:
    told = " or ".join(map(str, counts))
    if not is_list(value) or len(value) not in counts:
        raise _wrong(f"{what} is no list of {told} numbers")
    for each in value:
        if isinstance(each, bool) or not isinstance(each, int | float):
            raise _wrong(f"{what} is not made of numbers")
        if not abs(each) <= _FARTHEST:  # not a number is not, either
            raise _wrong(f"{what} has a number that is too large")
    return [float(each) for each in value]


def _wrong(what: str) -> InputError:
    return InputError(what, hint=_HINT)
