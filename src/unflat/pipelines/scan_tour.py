"""Pictures that share little or nothing -> one tour.

pictures ─┬─ those that find their places by themselves: Scan ─► one surface, part 0 ──────────────┐
          └─ the others, each a Station: photo ─► layers ─┬─ landmarks ─► a camera, its depth fitted ─┤
                                                          ├─ a position that the user gives ──────────┤
                                                          └─ nothing: a part of its own, upright ─────┴─► doors ─► Scene
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from unflat.errors import InputError, MissingExtraError
from unflat.formats.scan_shelf import Shelf
from unflat.formats.stills import Album, album
from unflat.pipelines.report import Clock, Progress, silent
from unflat.pipelines.scan import Scan, ScanOptions
from unflat.pipelines.scan_result import ScanResult
from unflat.pipelines.tour_station import Station
from unflat.stages.locate_mark import Located, located
from unflat.stages.place_by_landmarks import LEAST_KNOWN, LEAST_UNKNOWN, POOR, Landmark, flat, place_by_landmarks
from unflat.stages.tour_things import (
    Standing,
    Thing,
    check_things,
    depth_factor,
    landmarks_in,
    lifter,
    things_of,
    xyz_of,
)
from unflat.trust.lineage import Lineage
from unflat.types.arrays import F64
from unflat.types.scale import Scale
from unflat.types.tour import Pixel, Stand, TourPlan
from unflat.types.views import Lens, Reconstruction, Similarity, Still

_POOR_LEARNED = 0.12
"""Where landmarks rest on the depth of single pictures, they may contradict each other by so much more."""
_FEWEST = 2
"""So many pictures, at least, are looked at together."""
_OFF = 1.25
"""A picture's depth that half of its landmarks leave by more than this factor is said to be bent."""

_MORE = f"Mark more ({LEAST_UNKNOWN} where the angle of view is unknown), give its position and heading, or a link."

How = Literal["landmarks", "position", "alone"]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A station that stands.

    Attributes:
        station: The picture.
        part: In which part of the tour.
        world_from_photo: From its own scene to the frame of its part.
        how: What told its place.
        landmarks: How many did, where landmarks did.
        error_px: By how much they are off (root mean square).
        scale: How well its metres are known, where no other picture of its part told them.
    """

    station: Station
    part: int
    world_from_photo: Similarity
    how: How
    landmarks: int = 0
    error_px: float | None = None
    scale: Scale | None = None


class TourRun:
    """The steps of one tour.

    Attributes:
        album: What was given.
        plan: What the user knows.
        scan: Of the pictures that found their places by themselves; None where none did.
        placed: The others, in the order in which they were placed.
        files: Pictures by their names.
        sizes: Width and height of the pictures that the plan speaks of.
        lineage: Of the run.
        clock: Of the run.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        plan: TourPlan,
        options: ScanOptions | None = None,
        *,
        shelf: Shelf | None = None,
        progress: Progress = silent,
    ) -> None:
        """Begin a tour: the plan is compared with the pictures, nothing is built yet.

        Args:
            paths: Films, pictures and folders of them.
            plan: What the user knows of the pictures.
            options: Of the pictures that find their places by themselves.
            shelf: Where what is done of these lies; None for one that goes with this value.
            progress: Told the name of each step as it begins.

        Raises:
            InputError: There is no picture, or the plan does not fit the pictures.
        """
        self.options = options or ScanOptions()
        self.plan = plan
        self.album: Album = album(paths, self.options.work.fps)
        self.clock, self.lineage = Clock(progress), Lineage()
        self.files = {self.album.names[path]: path for path in self.album.pictures}
        self.sizes = self._sizes_of_named()
        check_things(plan, {name: self.sizes.get(name, (np.inf, np.inf)) for name in self.files})
        for name, entry in plan.entries.items():
            if entry.alone or len(self.album.files) < _FEWEST:
                self._check_enough(name)
        self._given, self._shelf = tuple(paths), shelf
        self.scan: ScanResult | None = None
        self.placed: list[Placed] = []
        self._standing: dict[str, Standing] = {}
        self._things: tuple[Thing, ...] = ()
        self._rough: set[str] = set()

    def _sizes_of_named(self) -> dict[str, tuple[float, float]]:
        """Width and height of the pictures that the plan speaks of."""
        from unflat.formats.image import read_image

        plan = self.plan
        named = set(plan.entries) | {end for p in plan.passages for end in (p.start, p.to)}
        named |= {name for entry in plan.entries.values() for mark in entry.marks for name in mark.seen}
        found: dict[str, tuple[float, float]] = {}
        for name in sorted(named & set(self.files)):
            size = read_image(self.files[name]).size
            found[name] = float(size.width), float(size.height)
        return found

    def go(self) -> None:
        """Place all pictures.

        Raises:
            InputError: Landmarks that are too few or contradict each other, or no picture at all.
        """
        self._scan_together()
        stations = self._stations()
        self._things = tuple(self._in_pixels(thing, stations) for thing in things_of(self.plan))
        waiting = dict(stations)
        for name, station in stations.items():
            if station.entry.stand is not None:
                self._stand(waiting.pop(name), station.entry.stand)
        while waiting:
            station, landmarks, part = self._next(list(waiting.values())) or self._first(list(waiting.values()))
            del waiting[station.name]
            if landmarks:
                self._by_landmarks(station, landmarks, part)
            else:
                self._alone(station, part)
        self._check_unused()

    # -- the pictures that find their places by themselves -----------------------------------------------------------

    def _scan_together(self) -> None:
        """Try to place pictures by what they share; what does not work is no error here."""
        apart = {name for name, entry in self.plan.entries.items() if entry.alone or entry.stand is not None}
        rest = [path for path in self.album.files if self.album.names[path] not in apart]
        if not rest or (not self.album.films and len(rest) < _FEWEST):
            return
        given = self._given if not apart else rest
        run = Scan(given, self.options, shelf=self._shelf, progress=self.clock.progress)
        run.clock = self.clock
        try:
            result = ScanResult(run)
            if len(run.cameras.views) < _FEWEST:
                return
            result.as_form("surface")
        except (InputError, MissingExtraError) as error:
            self.lineage.warn(f"No pictures were brought together by what they show: {error}.")
            return
        self.scan = result
        scene = run.cameras
        for number, view in enumerate(scene.views):
            self._standing[view.still.name] = Standing(0, view, _lift_of(scene, number), learned=False)

    def _stations(self) -> dict[str, Station]:
        """The pictures that become scenes of their own, in the order of the plan's start and of their names."""
        placed = set(self._standing)
        gone = set() if self.scan is None else {one.name for one in self.scan.run.stills.dropped}
        names = [n for n in self.files if n not in placed and (n not in gone or n in self.sizes)]
        if self.plan.start in names:
            names.sort(key=lambda name: name != self.plan.start)
        found: dict[str, Station] = {}
        for name in names:
            try:
                with self.clock.stage("read"):
                    one = Station(name, self.files[name], self.plan.entry(name), self.options, self.clock)
            except InputError as error:
                if name in self.sizes:
                    raise
                self.lineage.warn(f"left out: {name} ({error})")
                continue
            found[name] = one
        if not found and self.scan is None:
            raise InputError("there is no picture that a tour could be made of", hint="Give pictures, or a folder.")
        return found

    def _in_pixels(self, thing: Thing, stations: dict[str, Station]) -> Thing:
        """The same thing in the pixels of what the cameras see: smaller, or without a frame."""
        pixels: dict[str, Pixel] = {}
        for name, (x, y) in thing.pixels.items():
            if name in stations:
                pixels[name] = stations[name].pixel((x, y))
            elif name in self._standing:
                size, (width, height) = self._standing[name].view.still.size, self.sizes[name]
                pixels[name] = x * size.width / width, y * size.height / height
        return replace(thing, pixels=pixels)

    # -- the others --------------------------------------------------------------------------------------------------

    def _next(self, waiting: list[Station]) -> tuple[Station, list[Landmark], int] | None:
        """The picture of which the most landmarks are known; None where none has enough."""
        best: tuple[Station, list[Landmark], int] | None = None
        for station in waiting:
            for part in sorted({0, *self._parts()}):
                landmarks, _ = landmarks_in(station.name, part, self._things, self._standing)
                if len(landmarks) >= LEAST_KNOWN and (best is None or len(landmarks) > len(best[1])):
                    best = station, landmarks, part
        return best

    def _first(self, waiting: list[Station]) -> tuple[Station, list[Landmark], int]:
        """The picture that a new part begins with: the one that shares the most with others that wait."""
        names = {station.name for station in waiting}

        def shared(station: Station) -> int:
            return sum(len(names & set(t.pixels)) - 1 for t in self._things if station.name in t.pixels)

        return max(waiting, key=shared), [], max(self._parts(), default=0) + 1

    def _by_landmarks(self, station: Station, landmarks: list[Landmark], part: int) -> None:
        if station.around:
            raise InputError(
                f"{station.name} looks around; its place is not found by landmarks",
                hint="Give its position and heading, or a link.",
            )
        learned = landmarks_in(station.name, part, self._things, self._standing)[1]
        still = self._with_lens(station, landmarks, learned=learned)
        try:
            found = place_by_landmarks(still, landmarks, _POOR_LEARNED if learned else POOR)
        except InputError as error:
            if not learned:
                raise
            self.lineage.warn(f"{station.name} stands by itself: {error}, for their places are only estimated.")
            self._rough.add(station.name)
            self._alone(station, max(self._parts()) + 1)
            return
        for note in found.notes:
            self.lineage.warn(note)
        if still.lens is None:
            station.see_through(found.view.lens.intrinsics)
        fitted = depth_factor(station.seen.depth, found.view, landmarks)
        if fitted is None:
            hint = "Mark points on things, too."
            raise InputError(f"no landmark of {station.name} has a depth: all lie in its sky", hint=hint)
        if fitted[1] > _OFF:
            off = f"half of its landmarks are off by more than {fitted[1]:.2f} times"
            self.lineage.warn(f"{station.name}: its surface is bent, {off} in depth.")
        if learned:
            self.lineage.warn(f"{station.name}: its place rests on the estimated depth of other pictures: it is rough.")
        m = found.view.pose.world_from_camera
        way = Similarity(fitted[0], m[:3, :3], m[:3, 3])
        self._add(Placed(station, part, way, "landmarks", len(landmarks), found.view.error_px))

    def _with_lens(self, station: Station, landmarks: list[Landmark], *, learned: bool) -> Still:
        """The picture with the lens that its landmarks need where they cannot tell it."""
        still = station.still
        few = len(landmarks) < LEAST_UNKNOWN or flat(np.stack([one.xyz for one in landmarks]))
        if still.lens is not None or not (learned or few):
            return still
        guess = station.camera.intrinsics
        more = "fov would tell it" if learned else "six landmarks that do not lie in one plane would tell it, or fov"
        self.lineage.warn(f"{station.name}: its angle of view is assumed, {guess.fov_x_deg:.0f} degrees; {more}.")
        return replace(still, lens=Lens(guess))

    def _stand(self, station: Station, stand: Stand) -> None:
        """Where the user says; upright, and as large as its own picture says."""
        upright, scale, _ = station.upright
        turn = _heading(stand.heading) @ upright.rotation
        if stand.pitch is not None:
            turn = _heading(stand.heading) @ _pitch(stand.pitch)
        height = upright.shift[1] if stand.up is None else -stand.up
        place = xyz_of((stand.right, stand.ahead, 0.0)) + np.array([0.0, height, 0.0])
        self._add(Placed(station, 0, Similarity(upright.factor, turn, place), "position", scale=scale))

    def _alone(self, station: Station, part: int) -> None:
        upright, scale, _ = station.upright
        self._add(Placed(station, part, upright, "alone", scale=scale))

    def _add(self, one: Placed) -> None:
        self.placed.append(one)
        view = one.station.view(one.world_from_photo)
        depth = one.station.seen.depth
        lift = _nowhere if one.station.around else lifter(view, depth, one.world_from_photo.factor)
        self._standing[one.station.name] = Standing(one.part, view, lift)
        told = {} if one.error_px is None else {"error_px": round(one.error_px, 2), "landmarks": one.landmarks}
        self.lineage.did("place_picture", picture=one.station.name, by=one.how, part=one.part, **told)

    def _check_enough(self, name: str) -> None:
        """Refuse early a picture whose only landmarks are points, and too few of them.

        Raises:
            InputError: It is one, and neither a position nor a door leads to it.
        """
        mine = [thing for thing in things_of(self.plan) if name in thing.pixels]
        lone = all(len(thing.pixels) == 1 for thing in mine)
        told = self.plan.entry(name).stand is not None or any(name in (p.start, p.to) for p in self.plan.passages)
        if 0 < len(mine) < LEAST_KNOWN and lone and not told:
            raise InputError(f"{name} has {len(mine)} landmarks; its camera needs {LEAST_KNOWN}", hint=_MORE)

    def _check_unused(self) -> None:
        """Landmarks that placed nothing are a mistake, unless a door or a position leads to their picture."""
        linked = {end for p in self.plan.passages for end in (p.start, p.to)}
        for one in self.placed:
            name = one.station.name
            count = sum(name in thing.pixels for thing in self._things)
            if one.how != "alone" or not count or name in self._rough or self._helped(name):
                continue
            known = max(len(landmarks_in(name, p, self._others(name), self._standing)[0]) for p in self._parts())
            told = f"{name} has {known} landmarks of which is known where they are; its camera needs {LEAST_KNOWN}"
            if name not in linked:
                raise InputError(told, hint=_MORE)
            self.lineage.warn(f"{told}: it stands by itself.")

    def _others(self, name: str) -> tuple[Thing, ...]:
        return tuple(thing for thing in self._things if name in thing.pixels)

    def _parts(self) -> set[int]:
        return {standing.part for standing in self._standing.values()}

    def _helped(self, name: str) -> bool:
        """Whether another picture of the same part was placed by what it shares with this one."""
        part = self._standing[name].part
        friends = {other for thing in self._others(name) for other in thing.pixels if other != name}
        return any(p.station.name in friends and p.part == part and p.how == "landmarks" for p in self.placed)


def _lift_of(scene: Reconstruction, number: int) -> Callable[[F64], Located | None]:
    def lift(at: F64) -> Located | None:
        return located(scene, number, at)

    return lift


def _nowhere(_at: F64) -> Located | None:
    """What a picture that looks around tells of a pixel of an ordinary one."""
    return None


def _heading(degrees: float) -> F64:
    """Turned to the right about the vertical (y points down)."""
    a = np.radians(degrees)
    return np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])


def _pitch(degrees: float) -> F64:
    """Turned upwards about x."""
    a = np.radians(degrees)
    return np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
