"""What every room gets: windows and doors, things on its walls, furniture along them."""

from __future__ import annotations

from training.worlds.parts import decor, furniture, objects
from training.worlds.parts.cabinets import wall_shelf
from training.worlds.scenes.room import Room, dressed


def openings(room: Room, windows: int, doors: int = 1) -> None:
    """Windows on one or two walls, doors anywhere."""
    palette = room.palette
    first = int(palette.rng.integers(4))
    for _ in range(doors):
        room.door(int(palette.rng.integers(4)))
    for i in range(windows):
        room.window(first if i < 2 else (first + 1) % 4)


def adorn(room: Room, much: int = 6) -> None:
    """Pictures, mirrors, shelves, clocks on what is left of the walls."""
    palette = room.palette
    makers = (decor.picture, decor.picture, decor.picture, decor.mirror, decor.wall_clock, wall_shelf)
    for _ in range(int(palette.rng.integers(0, much + 1))):
        maker = makers[int(palette.rng.integers(len(makers)))]
        room.hang(
            int(palette.rng.integers(4)), maker(palette), palette.between(1.2, 1.6) if maker is wall_shelf else None
        )


def row(room: Room, makers: tuple, count: int, dress: float = 0.85) -> None:
    """Furniture along the walls, most of it with things on top."""
    palette = room.palette
    for _ in range(count):
        maker = makers[int(palette.rng.integers(len(makers)))]
        thing = maker(palette)
        if maker in (furniture.drawers, furniture.sideboard, furniture.desk) and palette.chance(dress):
            thing = dressed(palette, thing, objects.DECOR, int(palette.rng.integers(2, 10)))
        room.against(int(palette.rng.integers(4)), thing)
