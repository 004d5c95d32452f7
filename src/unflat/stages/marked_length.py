"""A true length that the user marks in one picture of a set, or in two."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from unflat.errors import InputError
from unflat.stages.scale_to_metres import KnownLength
from unflat.types.views import Reconstruction, View

_HOW = "Write --known-length [PICTURE:]X1,Y1,X2,Y2=METRES, in pixels; for two pictures, PICTURE:…+PICTURE:…=METRES."
_NUMBER = r"[-+0-9.eE]+"
_MARK = re.compile(rf"(?:(?P<name>.+):)?(?P<x1>{_NUMBER}),(?P<y1>{_NUMBER}),(?P<x2>{_NUMBER}),(?P<y2>{_NUMBER})")
_NEXT = re.compile(rf"(?<=[0-9.])\+(?=.+?:{_NUMBER},)")


@dataclass(frozen=True, slots=True)
class MarkedLength:
    """The true distance between two points, each marked in every one of the pictures.

    Attributes:
        marks: The picture's name ("" for the first one) and where the two points are in it.
    """

    marks: tuple[tuple[str, KnownLength], ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.marks) <= 2 or len({name for name, _ in self.marks}) != len(self.marks):
            raise InputError("a known length is marked in one picture or in two different ones", hint=_HOW)

    @property
    def metres(self) -> float:
        """The true distance."""
        return self.marks[0][1].metres

    @staticmethod
    def parse(text: str) -> MarkedLength:
        """Read "[PICTURE:]X1,Y1,X2,Y2=METRES" or "PICTURE:X1,Y1,X2,Y2+PICTURE:X1,Y1,X2,Y2=METRES".

        Raises:
            InputError: The text says something else.
        """
        before, _, metres = text.rpartition("=")
        found = [_MARK.fullmatch(part.strip()) for part in _NEXT.split(before)]
        marks: list[tuple[str, KnownLength]] = []
        for one in found:
            if one is None:
                raise InputError(f"'{text}' is not a known length", hint=_HOW)
            numbers = ",".join(one[key] for key in ("x1", "y1", "x2", "y2"))
            marks.append((one["name"] or "", KnownLength.parse(f"{numbers}={metres}")))
        return MarkedLength(tuple(marks))

    def __str__(self) -> str:
        parts = [f"{name}:{str(known).partition('=')[0]}" if name else str(known).partition("=")[0]
                 for name, known in self.marks]  # fmt: skip
        return f"{'+'.join(parts)}={self.metres!r}"

    def named(self, first: str) -> MarkedLength:
        """The same, with marks that name no picture on this one."""
        return MarkedLength(tuple((name or first, known) for name, known in self.marks))

    def views(self, reconstruction: Reconstruction) -> list[tuple[int, KnownLength]]:
        """The numbers of the views that are marked, and the marks in pixels of their stills.

        Raises:
            InputError: There is no such picture, it found no place, or a mark is outside of it.
        """
        return [(_number(name, reconstruction), _inside(known, name, reconstruction)) for name, known in self.marks]


def _number(name: str, reconstruction: Reconstruction) -> int:
    views = reconstruction.views
    if not name:
        return 0
    for same in (lambda v: v == name, lambda v: PurePath(v).name == name, lambda v: PurePath(v).stem == name):
        fitting = [k for k, view in enumerate(views) if same(view.still.name)]
        if len(fitting) == 1:
            return fitting[0]
    lost = [one for one in reconstruction.lost if name in (one.name, PurePath(one.name).stem)]
    if lost:
        raise InputError(f"{name} found no place ({lost[0].why})", hint="Mark the length in another picture.")
    some = ", ".join(view.still.name for view in views[:5])
    raise InputError(f"no picture is called {name}", hint=f"The pictures are {some}{' …' if len(views) > 5 else ''}.")


def _inside(known: KnownLength, name: str, reconstruction: Reconstruction) -> KnownLength:
    view: View = reconstruction.views[_number(name, reconstruction)]
    size = view.still.taken or view.still.size
    for x, y in ((known.x1, known.y1), (known.x2, known.y2)):
        if not (0 <= x <= size.width and 0 <= y <= size.height):
            raise InputError(
                f"the point ({x:g}, {y:g}) is outside {view.still.name}, which is {size}",
                hint="Give pixels of the upright picture: 0 is its left or top edge.",
            )
    fx, fy = view.still.size.width / size.width, view.still.size.height / size.height
    return KnownLength(known.x1 * fx, known.y1 * fy, known.x2 * fx, known.y2 * fy, known.metres)
