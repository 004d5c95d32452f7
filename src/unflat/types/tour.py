"""A tour: pictures that share little or nothing, each with a scene of its own, and the doors from one to the other.

What a plan says (TourPlan, as a user writes it) becomes what a scene holds (Tour).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unflat.errors import ShapeError
from unflat.types.arrays import F64, settle

Pixel = tuple[float, float]
"""x and y from the top left corner of the upright picture, as its file holds it."""
Point = tuple[float, float, float]
"""Metres to the right, ahead and up on the plan: where programs with z up show the scene's points."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that the user knows in a picture; exactly one of ``point``, ``seen`` and ``name`` says what it is.

    Attributes:
        pixel: Where the picture shows it.
        point: Where it is.
        seen: Where other pictures show it, by their names.
        name: What it is called here and in other pictures.
    """

    pixel: Pixel
    point: Point | None = None
    seen: Mapping[str, Pixel] = field(default_factory=dict[str, Pixel])
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a picture was taken, as the user says.

    Attributes:
        right: Metres to the right on the plan.
        ahead: Metres ahead.
        up: The eye's height above the floor; None: as high as the picture itself tells.
        heading: Where it looks, in degrees: 0 is ahead, 90 to the right.
        pitch: Degrees upwards; None: as the picture itself tells.
    """

    right: float
    ahead: float
    up: float | None = None
    heading: float = 0.0
    pitch: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a plan says of one picture.

    Attributes:
        title: What it shows, for the visitor.
        date: When it was made, in the user's words.
        fov: Angle across its width in degrees; None where nobody knows.
        alone: It becomes a scene of its own even if it would find its place among the others.
        marks: What is known in it.
        stand: Where it was taken, if the user knows that.
    """

    title: str | None = None
    date: str | None = None
    fov: float | None = None
    alone: bool = False
    marks: tuple[Mark, ...] = ()
    stand: Stand | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A door that a plan asks for; one goes through it both ways.

    Attributes:
        start: The picture that it is seen in.
        to: The picture behind it.
        pixel: Where ``start`` shows it; None: somewhere.
        back: Where ``to`` shows the way back; None: somewhere.
        name: What it is called.
    """

    start: str
    to: str
    pixel: Pixel | None = None
    back: Pixel | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class TourPlan:
    """What the user knows of the pictures of a tour.

    Attributes:
        entries: By the picture's name.
        points: Where named things are.
        passages: Doors.
        start: The picture that one begins at; None: the first.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict[str, Entry])
    points: Mapping[str, Point] = field(default_factory=dict[str, Point])
    passages: tuple[Passage, ...] = ()
    start: str | None = None

    def entry(self, picture: str) -> Entry:
        """What it says of a picture."""
        return self.entries.get(picture, Entry())


@dataclass(frozen=True, slots=True)
class Stop:
    """A picture of a tour, as a scene holds it.

    Attributes:
        picture: Its name, which is that of its camera.
        part: Pictures of the same number stand truly to each other; parts are walked in one at a time.
        title: What it shows.
        date: When it was made.
    """

    picture: str
    part: int = 0
    title: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Doorway:
    """A way from one picture to another.

    Attributes:
        name: What it is called.
        start: The picture that it is seen in.
        to: The picture that it leads to.
        at: (3,) float64, the foot of the door in the frame of the scene.
    """

    name: str
    start: str
    to: str
    at: F64

    def __post_init__(self) -> None:
        settle(self, "at", "float64", (3,))


@dataclass(frozen=True, slots=True, eq=False)
class Tour:
    """The pictures of a tour and the doors between them.

    Attributes:
        stops: In the order in which they are visited.
        doors: One for each direction.
    """

    stops: tuple[Stop, ...]
    doors: tuple[Doorway, ...] = ()

    def __post_init__(self) -> None:
        names = {stop.picture for stop in self.stops}
        if len(names) != len(self.stops):
            raise ShapeError("the pictures of a tour need different names")
        for door in self.doors:
            if not {door.start, door.to} <= names or door.start == door.to:
                raise ShapeError(f"the door {door.name} leads from {door.start} to {door.to}, which are no two stops")

    def __repr__(self) -> str:
        parts = len({stop.part for stop in self.stops})
        return f"Tour({len(self.stops)} pictures in {parts} parts, {len(self.doors)} doors)"
