"""A room: walls with openings, what is seen through them, places against walls and free on the floor, and its light."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from training.worlds.materials import Material
from training.worlds.mesh import Thing, bounds, box, ellipsoid, floor, place
from training.worlds.palette import Palette
from training.worlds.parts.decor import blinds, curtains, door_frame, door_leaf, radiator, sash
from training.worlds.parts.lamps import ceiling_light, pendant
from training.worlds.parts.many import boxes, quads
from training.worlds.parts.shapes import Maker, ahead, clutter
from training.worlds.scenes.eyes import Obstacles, indoors
from training.worlds.stage import Camera, Lamp, Sky, Stage, Triple

Rect = tuple[float, float, float, float]


def wall_part(length: float, height: float, holes: list[Rect], material: Material) -> Thing:
    """A wall in the plane z = 0 that looks along +z, with rectangular holes (x, y of the lower left, width, height)."""
    xs = sorted({-length / 2, length / 2, *(v for x, _, w, _ in holes for v in (x, x + w))})
    ys = sorted({0.0, height, *(v for _, y, _, h in holes for v in (y, y + h))})
    cells = []
    for x0, x1 in pairwise(xs):
        for y0, y1 in pairwise(ys):
            mx, my = (x0 + x1) / 2, (y0 + y1) / 2
            if not any(x < mx < x + w and y < my < y + h for x, y, w, h in holes):
                cells.append([(x0, y1, 0), (x0, y0, 0), (x1, y0, 0), (x1, y1, 0)])
    corners = np.array(cells)
    return [quads(corners, material, uv=corners[..., :2] * [1, -1])]


def reveal(hole: Rect, thick: float, material: Material) -> Thing:
    """The four inner sides of a hole in a wall that is `thick`."""
    x, y, w, h = hole
    a, b, c, d = (x, y), (x + w, y), (x + w, y + h), (x, y + h)
    sides = [[(*p, 0), (*p, -thick), (*q, -thick), (*q, 0)] for p, q in ((b, a), (c, b), (d, c), (a, d))]
    return [quads(sides, material)]


class Room:
    """A box of air around the origin, its floor at y = 0, that is being furnished.

    Walls: 0 at -z (looks along +z), 1 at -x, 2 at +z, 3 at +x. Places along a wall are metres from its middle, to the
    right as one faces it.
    """

    def __init__(self, palette: Palette, width: float, depth: float, height: float) -> None:
        self.palette, self.width, self.depth, self.height = palette, width, depth, height
        self.things: Thing = []
        self.lamps: list[Lamp] = []
        self.obstacles = Obstacles()
        self.holes: list[list[Rect]] = [[], [], [], []]
        self.hung: list[list[Rect]] = [[], [], [], []]
        self.taken: list[tuple[NDArray, NDArray]] = []
        self.thick = palette.between(0.1, 0.35)
        self.wall, self.trim = (
            palette.wall(),
            palette.paint((0.72, 0.71, 0.68)) if palette.chance(0.6) else palette.wood(),
        )
        self.windows: list[int] = []

    # -- places ---------------------------------------------------------------------------------------------------
    @staticmethod
    def yaw(wall: int) -> float:
        """The yaw of things that stand with their backs to a wall."""
        return (0.0, pi / 2, pi, -pi / 2)[wall]

    def length(self, wall: int) -> float:
        """How long a wall is."""
        return self.width if wall % 2 == 0 else self.depth

    def spot(self, wall: int, along: float, out: float = 0.0, y: float = 0.0) -> NDArray:
        """The point at a wall, `along` from its middle and `out` into the room."""
        yaw = self.yaw(wall)
        right = np.array([cos(yaw), 0.0, -sin(yaw)])
        away = self.depth / 2 if wall % 2 == 0 else self.width / 2
        return right * along + ahead(yaw) * (out - away) + np.array([0, y, 0])

    def put(
        self, thing: Thing, at: NDArray | Triple, yaw: float = 0.0, *, solid: bool = True, force: bool = False
    ) -> bool:
        """Place a thing; False, and nothing done, where it would stand in another or in a wall."""
        placed = place(thing, at, yaw)
        low, high = bounds(placed)
        if solid and not force:
            if abs(low[0]) > self.width / 2 + 0.02 or abs(high[0]) > self.width / 2 + 0.02:
                return False
            if abs(low[2]) > self.depth / 2 + 0.02 or abs(high[2]) > self.depth / 2 + 0.02 or high[1] > self.height:
                return False
            if any((low < b - 0.01).all() and (high > a + 0.01).all() for a, b in self.taken):
                return False
        if solid:
            self.taken.append((low, high))
            self.obstacles.add(placed)
        self.things += placed
        return True

    def against(self, wall: int, thing: Thing, along: float | None = None, gap: float = 0.02) -> NDArray | None:
        """Stand a thing with its back to a wall where there is room; returns where, or None. Doors stay free."""
        low, high = bounds(thing)
        width = float(high[0] - low[0])
        limit = self.length(wall) / 2 - width / 2 - 0.03
        if limit < 0:
            return None
        for tried in range(8):
            x = along if along is not None and tried == 0 else self.palette.between(-limit, limit)
            if along is None and tried == 0 and self.palette.chance(0.3):
                x = limit * float(self.palette.rng.choice([-1, 1]))
            mine = (x - width / 2, 0.0, width, float(high[1]) - 0.05)
            if any(_cross(mine, hole) for hole in self.holes[wall]):
                continue
            at = self.spot(wall, x - float(low[0] + high[0]) / 2, gap - float(low[2]))
            if self.put(thing, at, self.yaw(wall)):
                self.hung[wall].append((x - width / 2, 0.0, width, float(high[1])))
                return at
        return None

    def hang(self, wall: int, thing: Thing, y: float | None = None, along: float | None = None) -> bool:
        """Hang a thing (its back at z = 0, foot at y = 0) where the wall is free."""
        low, high = bounds(thing)
        w, h = float(high[0] - low[0]), float(high[1] - low[1])
        limit = self.length(wall) / 2 - w / 2 - 0.05
        if limit < 0 or h > self.height - 0.3:
            return False
        for _ in range(6):
            x = along if along is not None else self.palette.between(-limit, limit)
            foot = (
                y
                if y is not None
                else float(np.clip(self.palette.rng.normal(1.55, 0.12) - h / 2, 0.1, self.height - h - 0.1))
            )
            mine = (x - w / 2 - 0.05, foot - 0.05, w + 0.1, h + 0.1)
            if any(_cross(mine, other) for other in self.hung[wall] + self.holes[wall]):
                continue
            placed = place(thing, self.spot(wall, x, 0.002, foot - float(low[1])), self.yaw(wall))
            self.things += placed
            self.obstacles.add(placed)
            self.hung[wall].append(mine)
            return True
        return False

    # -- openings -------------------------------------------------------------------------------------------------
    def window(self, wall: int) -> None:
        """A window with its frame, and mostly curtains or blinds, often a radiator below."""
        palette, long = self.palette, self.length(wall)
        low = palette.between(0.0, 0.15) if palette.chance(0.15) else palette.between(0.6, 1.1)
        h = min(palette.between(1.0, 1.6) if low > 0.3 else 2.1, self.height - low - 0.15)
        w = min(palette.between(0.6, 2.6), long - 0.4)
        x = palette.between(-1, 1) * (long / 2 - w / 2 - 0.15)
        hole = (x - w / 2, low, w, h)
        if h < 0.4 or w < 0.3 or any(_cross(hole, other) for other in self.holes[wall]):
            return
        self.holes[wall].append(hole)
        self.windows.append(wall)
        add = self._add(wall)
        add(sash(palette, w, h), x, -self.thick * palette.between(0.3, 0.9), low)
        add([box((w + 0.1, 0.03, self.thick + 0.12), self.trim, (0, -0.03, 0.06 - self.thick / 2))], x, 0.0, low)
        if palette.chance(0.5):
            drop = h + 0.12 if palette.chance(0.4) else h + low + 0.05
            add(curtains(palette, w, min(drop, h + low + 0.08)), x, 0.0, max(0.02, low + h + 0.1 - drop))
        elif palette.chance(0.4):
            add(blinds(palette, w, h), x, -0.09, low)
        if low > 0.5 and palette.chance(0.4):
            self.against(wall, radiator(palette), x)

    def door(self, wall: int, along: float | None = None) -> None:
        """A door: shut, or open onto another room."""
        palette, long = self.palette, self.length(wall)
        w, h = palette.between(0.72, 1.0), palette.between(1.95, 2.15)
        h = min(h, self.height - 0.1)
        x = palette.between(-1, 1) * (long / 2 - w / 2 - 0.12) if along is None else along
        hole = (x - w / 2, 0.0, w, h)
        if any(_cross((hole[0] - 0.15, 0, w + 0.3, h), o) for o in self.holes[wall] + self.hung[wall]):
            return
        add = self._add(wall)
        add(door_frame(palette, w, h), x, 0.0, 0.0)
        self.hung[wall].append((x - w / 2 - 0.1, 0, w + 0.2, h + 0.1))
        # Keep the floor before it free.
        a, b = self.spot(wall, x - w / 2, 0.0), self.spot(wall, x + w / 2, 0.7, h)
        self.taken.append((np.minimum(a, b), np.maximum(a, b)))
        leaf = door_leaf(palette, w, h - 0.01)
        if palette.chance(0.5):
            add(leaf, x, -0.012 if palette.chance(0.5) else 0.005, 0.005)
            self.holes[wall] += [hole] if leaf[-2].material.kind == "glass" else []
            return
        self.holes[wall].append(hole)
        add(place(leaf, (w / 2, 0, 0)), x - w / 2, -0.02, 0.005, -palette.between(1.0, 2.0)) if palette.chance(
            0.3
        ) else None
        self._annex(wall, x)

    def _add(self, wall: int):
        def add(thing: Thing, along: float, out: float, y: float, turn: float = 0.0) -> None:
            placed = place(thing, self.spot(wall, along, out, y), self.yaw(wall) + turn)
            self.things += placed
            self.obstacles.add(placed)

        return add

    def _annex(self, wall: int, x: float) -> None:
        """The room one sees through an open door."""
        from training.worlds.parts.furniture import AT_WALL

        palette, t = self.palette, self.thick
        wide, deep, high = palette.between(1.5, 4), palette.between(1.5, 6), self.height
        shift = palette.between(-0.35, 0.35) * (wide - 1.2)
        paint, ground = palette.wall(), palette.parquet()
        made: Thing = place([floor(wide, deep, ground)], (shift, 0, -t - deep / 2))
        made += place([floor(wide, deep, palette.paint((0.75, 0.75, 0.74)))], (shift, high, -t - deep / 2), roll=pi)
        made += place(wall_part(wide, high, [], paint), (shift, 0, -t - deep))
        for sign in (-1, 1):
            made += place(wall_part(deep, high, [], paint), (shift + sign * wide / 2, 0, -t - deep / 2), -sign * pi / 2)
        made += place(
            wall_part(wide + 2, high, [(-0.5 - shift + 0.02, 0.0, 0.96, 2.1)], paint), (shift, 0, -t - 0.001), pi
        )
        maker = AT_WALL[int(palette.rng.integers(len(AT_WALL)))]
        made += place(maker(palette), (shift + palette.between(-0.2, 0.2) * wide, 0, -t - deep + 0.4))
        origin, yaw = self.spot(wall, x), self.yaw(wall)
        self.things += place(made, origin, yaw)
        lamp = place(
            [ellipsoid((0.1, 0.1, 0.1), palette.light(), sides=8, at=(shift, high - 0.25, -t - deep * 0.5))],
            origin,
            yaw,
        )
        middle = lamp[0].vertices.mean(0)
        power = palette.between(0.3, 3.0)
        self.lamps.append(Lamp(tuple(float(v) for v in middle), 0.1, (power, power * 0.9, power * 0.75)))  # type: ignore[arg-type]

    # -- shell and light ------------------------------------------------------------------------------------------
    def shell(self, ground: Material | None = None, ceiling: Material | None = None) -> None:
        """Walls, floor, ceiling, skirting."""
        palette, w, d, h = self.palette, self.width, self.depth, self.height
        accent = wall_paint(palette) if palette.chance(0.25) else self.wall
        self.things.append(floor(w, d, ground or palette.parquet()))
        top = ceiling or (
            palette.paint((0.76, 0.75, 0.73)) if palette.chance(0.8) else palette.one_of(palette.wood, palette.wall)()
        )  # type: ignore[operator]
        self.things += place([floor(w, d, top)], (0, h, 0), roll=pi)
        board = palette.between(0.05, 0.14) if palette.chance(0.75) else 0.0
        for wall in range(4):
            at, yaw, long = self.spot(wall, 0.0), self.yaw(wall), self.length(wall)
            made = wall_part(long, h, self.holes[wall], accent if wall == 0 else self.wall)
            for hole in self.holes[wall]:
                made += reveal(hole, self.thick, self.wall)
            if board:
                made += _skirting(long, board, [r for r in self.holes[wall] if r[1] < board], self.trim)
            self.things += place(made, at, yaw)
        eps = 0.01
        self.obstacles.lows += [
            np.array(v)
            for v in ((-w, -1, -d), (-w, h, -d), (-w, 0, -d), (-w, 0, d / 2 - eps), (-w, 0, -d), (w / 2 - eps, 0, -d))
        ]
        self.obstacles.highs += [
            np.array(v)
            for v in ((w, eps, d), (w, h + 1, d), (w, h, -d / 2 + eps), (w, h, d), (-w / 2 + eps, h, d), (w, h, d))
        ]

    def light(self, per_lamp: float = 9.0, lit: bool | None = None, hang: bool = True) -> None:
        """Lamps under the ceiling, one for so many square metres, lit or not."""
        palette = self.palette
        nx, nz = max(1, round(self.width / per_lamp**0.5)), max(1, round(self.depth / per_lamp**0.5))
        on = palette.chance(0.75) or not self.windows if lit is None else lit
        maker_seed, drop = palette.rng.integers(1 << 30), palette.between(0.3, 0.3 + max(0.0, self.height - 2.3))
        pend = hang and self.height > 2.3 and palette.chance(0.4)
        warm = np.array([1.0, palette.between(0.7, 0.98), palette.between(0.45, 1.0)])
        power = palette.spread(1.1) * min(self.height, 4.0) ** 2 / 2.5 / (nx * nz) ** 0.4
        for i in range(nx):
            for j in range(nz):
                x, z = ((i + 0.5) / nx - 0.5) * self.width, ((j + 0.5) / nz - 0.5) * self.depth
                same = Palette(np.random.default_rng(maker_seed), palette.tiles)
                thing = pendant(same, drop, on) if pend else ceiling_light(same, on)
                self.things += place(thing, (x, self.height, z))
                self.obstacles.add(place(thing, (x, self.height, z)))
                if on:
                    self.lamps.append(
                        Lamp(
                            (x, self.height - (drop if pend else 0.1) - 0.08, z),
                            0.12,
                            tuple(float(v) for v in warm * power),
                        )
                    )  # type: ignore[arg-type]

    def outside(self) -> Sky:
        """What lies beyond the windows: a panorama, or a sky whose sun shines in, above ground and houses."""
        palette = self.palette
        if palette.chance(0.5) or not self.windows:
            return Sky(panorama=int(palette.rng.integers(1 << 12)), turn=palette.between(0, 2 * pi))
        yaw = self.yaw(self.windows[int(palette.rng.integers(len(self.windows)))]) + pi + palette.rng.normal() * 0.5
        rise = palette.between(0.25, 1.0)
        sun = tuple(float(v) for v in ahead(yaw) * cos(rise) + np.array([0, sin(rise), 0]))
        shine = palette.between(0.5, 3.5) if palette.chance(0.6) else 0.0
        if palette.chance(0.7):
            self._view()
        return Sky(
            sun=sun,
            sun_colour=(shine, shine * 0.93, shine * palette.between(0.7, 0.95)),
            clouds=palette.between(0, 1),
            seed=palette.seed(),
        )  # type: ignore[arg-type]

    def _view(self) -> None:
        """Ground and houses outside."""
        palette, below = self.palette, -palette_drop(self.palette)
        self.things += place(
            [floor(120, 120, palette.grass() if palette.chance(0.5) else palette.paving())], (0, below, 0)
        )
        for _ in range(int(palette.rng.integers(1, 6))):
            angle, away = palette.between(0, 2 * pi), max(self.width, self.depth) / 2 + palette.between(5, 30)
            at = ahead(angle) * away + np.array([0, below, 0])
            if palette.chance(0.5):
                size = (palette.between(5, 14), palette.between(3, 14), 5)
                face = replace(palette.masonry(), pattern="windows", frequency=0.4, second=(0.08, 0.09, 0.11), tile=-1)
                self.things += place([box(size, face)], at, angle + pi)
            else:
                r = palette.between(1.0, 3.0)
                self.things += place(
                    [
                        ellipsoid((r, r * 1.2, r), palette.leaf(), at=(0, r * 1.5, 0)),
                        box((0.3, r, 0.3), palette.bark()),
                    ],
                    at,
                )

    def strew(self, makers: tuple[Maker, ...], count: int) -> None:
        """Things on the floor, wherever there is room."""
        for _ in range(count):
            thing = makers[int(self.palette.rng.integers(len(makers)))](self.palette)
            for _ in range(3):
                at = self.palette.rng.uniform(-0.46, 0.46, 2) * np.array([self.width, self.depth])
                if self.put(thing, (at[0], 0.0, at[1]), self.palette.between(0, 6)):
                    break

    def fill(self) -> Triple:
        """The light of many bounces, tinted by the walls; less of it where lamps make shadows."""
        amount = self.palette.between(0.04, 0.2) if self.lamps else self.palette.between(0.08, 0.3)
        tint = np.asarray(self.wall.colour) / max(self.wall.colour)
        return tuple(float(v) for v in amount * (0.6 + 0.4 * tint))  # type: ignore[return-value]

    def cameras(self, count: int = 5, low: float = 0.5, high: float = 1.9) -> list[Camera]:
        """Cameras in the free air of the room (most at the height of a standing or sitting person's eyes)."""
        w, d = self.width / 2 - 0.2, self.depth / 2 - 0.2
        top = min(high, self.height - 0.25)
        middle = min(top, 1.3)
        split = count // 2 + 1
        views = indoors(self.palette, (-w, middle, -d), (w, top, d), self.obstacles, split)
        return views + indoors(self.palette, (-w, low, -d), (w, top, d), self.obstacles, count - split)

    def stage(self, kind: str, cameras: list[Camera] | None = None) -> Stage:
        """The finished scene."""
        sky = self.outside()
        return Stage(kind, self.things, self.cameras() if cameras is None else cameras, sky, self.lamps, self.fill())


def wall_paint(palette: Palette) -> Material:
    """A wall: most are white, cream or grey paint; the rest as the palette has it."""
    if palette.chance(0.25):
        return palette.wall()
    tone = palette.one_of(
        (0.75, 0.74, 0.72), (0.7, 0.66, 0.58), (0.55, 0.56, 0.57), (0.6, 0.52, 0.42), (0.5, 0.55, 0.55)
    )
    colour = palette.near(tone, 1.15, 0.03)  # type: ignore[arg-type]
    kind = "clouds" if palette.chance(0.3) else "plain"
    return Material(
        colour, palette.near(colour, 1.03, 0.01), kind, palette.spread(1.0), shine=0.02, seed=palette.seed()
    )


def palette_drop(palette: Palette) -> float:
    """How far below the floor the ground lies outside: this storey's height."""
    return palette.between(0.1, 0.5) if palette.chance(0.4) else palette.between(2.5, 14)


def _cross(a: Rect, b: Rect) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def _skirting(long: float, high: float, doors: list[Rect], material: Material) -> Thing:
    edges = sorted([-long / 2, *(v for x, _, w, _ in doors for v in (x, x + w)), long / 2])
    runs = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 0.01]
    return [boxes([((a + b) / 2, 0, 0.008) for a, b in runs], [(b - a, high, 0.016) for a, b in runs], material)]


def dressed(palette: Palette, thing: Thing, makers: tuple[Maker, ...], count: int, tight: float = 0.8) -> Thing:
    """The thing (a table, a chest: its first part says how wide) with clutter on top."""
    low, high = bounds(thing[:1])
    top = float(bounds(thing)[1][1])
    size = high - low
    stuff = clutter(palette, makers, float(size[0]) * 0.94, float(size[2]) * 0.94, count, tight)
    return thing + place(stuff, (float(low[0] + high[0]) / 2, top, float(low[2] + high[2]) / 2))
