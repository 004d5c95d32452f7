"""Many pictures -> one scene.

films, folders, files ─ sample ─► Stills ─ track ─► Reconstruction ─ place ─► up, floor, metres ─ choose, undistort
   ─ dense, view by view ─► ViewDepth … ─ fuse ─► Mesh ─┬─ simplify, bake ─► surface ─► glb html obj ply usdz
                                                        └─ points, splats ─► ply pcd splat.ply spz
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from unflat import __version__
from unflat.errors import InputError
from unflat.formats.film_parts import key_of
from unflat.formats.scan_shelf import Depths, Shelf
from unflat.formats.stills import Album, album
from unflat.pipelines.people import (
    LeaveOptions,
    counted,
    decided,
    free,
    in_numbers,
    look,
    meet_stills,
    most_of,
    people_of,
    without,
    without_people,
)
from unflat.pipelines.report import Clock, Progress, silent
from unflat.pipelines.scan_look import Guess, network_guess, weights_of
from unflat.stages.bake_texture import TextureOptions
from unflat.stages.calibrate import CameraOptions, calibrate
from unflat.stages.choose_views import ViewOptions, choose_views
from unflat.stages.dense_depth import DenseOptions, dense_depth
from unflat.stages.estimate_depth import DepthOptions
from unflat.stages.fuse_frames import FuseOptions, fuse_frames
from unflat.stages.occupancy import OccupancyOptions
from unflat.stages.place_scene import Hints, PlaceOptions, place_scene
from unflat.stages.sample_frames import SampleOptions, sample_film, sample_photos
from unflat.stages.track_cameras import TrackOptions, track_cameras
from unflat.stages.undistort_views import undistort_views
from unflat.trust.lineage import Lineage
from unflat.types.clip import Clip
from unflat.types.image import Image
from unflat.types.mesh import Mesh
from unflat.types.people import People
from unflat.types.views import Dropped, Lens, Offered, Reconstruction, Still, Stills

_AMONG_PHOTOGRAPHS = Fraction(1, 2)
"""Of a film that is given together with photographs, or with other films, a frame in so many seconds is taken."""
_DEPTHS = 24
"""The depth that phones put into their pictures is read of about so many of them."""
_SAMPLED, _PEOPLE, _MESH = "sampled", "people", "mesh"
"""What the shelf calls them."""
_NAMED = 5
"""So many of the pictures that are left out for one reason are named; the report names all."""


@dataclass(frozen=True, slots=True)
class ScanWork:
    """How the work is done."""

    longest: int = 1600
    """Long side, in pixels, that the pictures are worked on with; never more than their own."""
    fps: float = 30.0
    """Frames a second of a folder of frames that does not tell its times."""
    learned: bool = True
    """Let the network's depth stand in where nothing can be triangulated (blank walls); it is marked as less sure."""

    def __post_init__(self) -> None:
        if not 160 <= self.longest <= 16384:
            raise InputError(f"--longest {self.longest} is out of range", hint="Give 160 to 16384 pixels.")
        if not 0.01 <= self.fps <= 1000:
            raise InputError(f"--fps {self.fps:g} is out of range", hint="Give 0.01 to 1000.")


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """Everything the journey of many pictures can be told."""

    work: ScanWork = field(default_factory=ScanWork)
    sample: SampleOptions = field(default_factory=SampleOptions)
    camera: CameraOptions = field(default_factory=CameraOptions)
    track: TrackOptions = field(default_factory=TrackOptions)
    place: PlaceOptions = field(default_factory=PlaceOptions)
    views: ViewOptions = field(default_factory=ViewOptions)
    dense: DenseOptions = field(default_factory=DenseOptions)
    estimate: DepthOptions = field(default_factory=DepthOptions)
    fuse: FuseOptions = field(default_factory=FuseOptions)
    texture: TextureOptions = field(default_factory=TextureOptions)
    occupancy: OccupancyOptions = field(default_factory=OccupancyOptions)
    leave: LeaveOptions = field(default_factory=LeaveOptions)


class Scan:
    """The steps of one scan, each done when it is first asked for, or taken from the shelf where it lies done.

    Attributes:
        options: What the recipe was told.
        album: What was given.
        lineage: Of the run.
        clock: Of the run.
        shelf: Where what is done lies.
    """

    _moving = 0.5
    """Of a film, frames in which less than this share of the picture moves since the last one show nothing new."""

    def __init__(
        self,
        paths: Sequence[Path],
        options: ScanOptions | None = None,
        *,
        shelf: Shelf | None = None,
        progress: Progress = silent,
    ) -> None:
        """Begin a scan; nothing is decoded yet.

        Args:
            paths: Films, pictures and folders of them.
            options: See :class:`ScanOptions`.
            shelf: Where what is done lies; None for one that goes with this value.
            progress: Told the name of each step as it begins.

        Raises:
            InputError: Nothing there that could be looked at.
        """
        self.options = options or ScanOptions()
        self.album: Album = album(paths, self.options.work.fps)
        self.clock = Clock(progress)
        self.lineage = Lineage()
        self._people: People | None = None
        self._told_network = False
        self._temporary = None
        if shelf is None:
            self._temporary = TemporaryDirectory(prefix="unflat-scan-")
            shelf = Shelf(Path(self._temporary.name), self.options.work.longest)
        self.shelf = shelf

    @cached_property
    def _begun(self) -> str:
        """What the run is known by before anything is done: what was given, and how it is taken in."""
        with self.clock.stage("read"):
            given = {"version": __version__, "files": self.album.digests()}
        told = self.options
        taken = {"longest": told.work.longest, "fps": told.work.fps, "stamps": self.album.stamps}
        people = told.leave.people.treats or "kept"
        return key_of({**given, **taken, "sample": asdict(told.sample), "lens": asdict(told.camera), "people": people})

    def _key(self, *groups: str) -> str:
        """What a step is known by: all that was given, and the options of the steps that led to it."""
        return key_of({"begun": self._begun, **{name: asdict(getattr(self.options, name)) for name in groups}})

    @cached_property
    def _depth_key(self) -> str:
        """What the depth of the views is known by: the network that helps with it has a say, too."""
        words = {"key": self._key("track", "place", "views", "dense")}
        if self.options.work.learned:
            card = weights_of("auto", self.options.estimate)
            words |= {"network": card.name, "weights": card.sha256, "from": card.source}
        return key_of(words)

    @cached_property
    def stills(self) -> Stills:
        """The pictures worth placing, on the shelf."""
        key = self._begun
        with self.clock.stage("sample"):
            found = self.shelf.get_stills(key)
            if found is None:
                self.shelf.clear()
                found = self._sampled()
                self.shelf.put_stills(key, found)
                self.shelf.put_notes(_PEOPLE, key, in_numbers(self._people))
        for note in (*self.album.notes, *self.shelf.get_notes(_SAMPLED, key)):
            self.lineage.warn(note)
        for source in {still.source.sha256: still.source for still in found.items}.values():
            self.lineage.read(source)
        free(
            self.lineage.sources,
            self.options.leave,
            self.lineage,
            commercial_only=self.options.estimate.commercial_only,
        )
        with self.clock.stage("people"):
            if self.options.leave.people.treats is None:
                meet_stills(found.items, self.options.leave, self.lineage)
            else:  # they are gone from the stills: how many there were was counted on the way
                words = self.shelf.get_notes(_PEOPLE, key)
                decided(counted(words), self.options.leave, self.lineage, found.items[0].name)
        self.lineage.did("sample_frames", taken=len(found.items), ordered=found.ordered)
        for line in _by_reason("left out", found.dropped):
            self.lineage.warn(line)
        return found

    def _sampled(self) -> Stills:
        options, film = self.options.sample, self.album.film()
        if film is not None:
            self.shelf.put_notes(_SAMPLED, self._begun, film.notes)
            broken: list[Dropped] = []
            frames = _readable(self.album.stills(through=self._through), broken)
            found = sample_film(
                frames, options, self._keep_frame, seconds=film.seconds, fps=float(film.fps), moving=self._moving
            )
            return replace(found, dropped=(*found.dropped, *broken))
        every = _AMONG_PHOTOGRAPHS if self.album.films else None
        return sample_photos(self.album.stills(every, self._through), options, self._keep_photo)

    def _through(self, clip: Clip) -> Clip:
        """A film without the people who are not to be seen."""
        how = self.options.leave.people.treats
        if how is None:
            return clip
        self._people = most_of(self._people, people_of(clip))
        return without_people(clip, how)

    def _keep_frame(self, still: Still, pixels: Any, mask: Any) -> Still:
        self.clock.progress(f"sample frame {still.name}")
        return self.shelf.keep_still(self._with_lens(still), pixels, mask, lossy=True)

    def _keep_photo(self, still: Still, pixels: Any, mask: Any) -> Still:
        self.clock.progress(f"sample {still.name}")
        how = self.options.leave.people.treats
        if how is not None:
            people = look(pixels)
            self._people = most_of(self._people, people)
            pixels = without(pixels, people, how)
        return self.shelf.keep_still(self._with_lens(still), pixels, mask, lossy=False)

    def _with_lens(self, still: Still) -> Still:
        """The still with the lens that the user knows."""
        told = self.options.camera
        if told.fov is None and told.focal_mm is None:
            return still
        blank = np.broadcast_to(np.uint8(0), (*still.size.shape, 3))
        return replace(still, lens=Lens(calibrate(Image(blank), told)))

    @cached_property
    def tracked(self) -> Reconstruction:
        """Where the cameras were, in a frame and unit of their own."""
        stills, key = self.stills, self._key("track")
        found = self.shelf.get_reconstruction(key, stills)
        if found is None:
            with self.clock.stage("track"):
                try:
                    found = track_cameras(stills, self.options.track, self.clock.progress)
                except InputError as error:
                    raise InputError("; ".join([str(error), *self.lineage.warnings]), hint=error.hint) from error
                self.shelf.put_reconstruction(key, found)
        found = self._worded(found)
        self.lineage.did("track_cameras", placed=len(found.views), of=len(stills.items))
        count = f"{len(found.views)} of {len(stills.items)} pictures found their place"
        if found.lost:
            self.lineage.warn(f"the scene is partial: {count}")
        for note in found.notes:
            if note != count:
                self.lineage.warn(note)
        for line in _by_reason("without a place", found.lost):
            self.lineage.warn(line)
        return found

    def _worded(self, found: Reconstruction) -> Reconstruction:
        """The same in words that fit what the pictures show."""
        return found

    @cached_property
    def cameras(self) -> Reconstruction:
        """Where the cameras were: upright, on their floor, in metres, as far as anything tells."""
        tracked = self.tracked
        with self.clock.stage("place"):
            depths = self.album.depths([view.still.name for view in tracked.views[:: _every(tracked)]])
            placed, notes = place_scene(tracked, Hints(depths, self._guess), self._place)
        for note in notes:
            self.lineage.warn(note)
        scale = placed.scale
        assert scale is not None
        self.lineage.did("place_scene", basis=scale.basis, detail=scale.detail, low=scale.low, high=scale.high)
        return placed

    @cached_property
    def _place(self) -> PlaceOptions:
        """What is told of the place; a length that is marked in no picture by name is marked in the first one."""
        told = self.options.place
        if told.known_length is None or all(name for name, _ in told.known_length.marks):
            return told
        items, dropped = self.stills.items, {one.name: one.why for one in self.stills.dropped}
        first = items[0].name if self.stills.ordered else min([*(still.name for still in items), *dropped])
        if first in dropped:
            raise InputError(
                f"{first}, the first picture, was left out ({dropped[first]})",
                hint="Say in which picture the length is marked: PICTURE:X1,Y1,X2,Y2=METRES.",
            )
        return replace(told, known_length=told.known_length.named(first))

    @cached_property
    def _guess(self) -> Guess | None:
        if not self.options.work.learned:
            return None
        return network_guess("auto", self.options.estimate, self._asked)

    def _asked(self) -> None:
        """Tell, once, which network had a say."""
        if not self._told_network:
            card = weights_of("auto", self.options.estimate)
            more = {} if card.sha256 is None else {"weights_sha256": card.sha256}
            self.lineage.did("learned depth", model=card.name, licence=card.licence, **more)
        self._told_network = True

    @cached_property
    def pinholes(self) -> Reconstruction:
        """The views that depth is looked for in, without distortion."""
        return undistort_views(choose_views(self.cameras, self.options.views), self.options.work.longest)

    @cached_property
    def undistorted(self) -> Reconstruction:
        """All views, without distortion."""
        return undistort_views(self.cameras, self.options.work.longest)

    @cached_property
    def depths(self) -> Depths:
        """What each of them sees, on the shelf."""
        made, key = self.pinholes, self._depth_key
        names = [f"depth {view.still.name}" for view in made.views]
        missing = [n for n, view in enumerate(made.views) if self.shelf.get_depth(names[n], key, view) is None]
        if missing:
            with self.clock.stage("dense"):
                looked = dense_depth(made, self.options.dense, self._guess, missing)
                for number, seen in zip(missing, looked, strict=True):
                    self.shelf.put_depth(names[number], key, seen)
                    self.clock.progress(f"depth {number + 1} of {len(names)}")
        if self.options.work.learned:  # it was asked of every view, if not in this run
            self._asked()
        self.lineage.did("dense_depth", views=len(names))
        return Depths(self.shelf, key, made.views, names)

    @cached_property
    def mesh(self) -> Mesh:
        """All that they see as one surface, as fine as it gets."""
        key = key_of({"depth": self._depth_key, "fuse": asdict(self.options.fuse)})
        depths, found = self.depths, self.shelf.get_mesh(_MESH, key)
        if found is None:
            notes: list[str] = []
            with self.clock.stage("fuse"):
                found = fuse_frames(depths, self.options.fuse, notes.append)
                self.shelf.put_notes(_MESH, key, notes)
                self.shelf.put_mesh(_MESH, key, found)
        for note in self.shelf.get_notes(_MESH, key):
            self.lineage.warn(note)
        self.lineage.did("fuse_frames", triangles=len(found.faces))
        if not len(found.faces):
            raise InputError(
                "the pictures show no surface that could be measured",
                hint="Take more of them, each a small step aside from the last, of things with some pattern.",
            )
        return found

    def close(self) -> None:
        """Throw away what went with this value."""
        if self._temporary is not None:
            self._temporary.cleanup()


def _readable(offered: Iterable[Offered | Dropped], broken: list[Dropped]) -> Iterator[Offered]:
    """What could be read; what could not goes to ``broken``."""
    for one in offered:
        if isinstance(one, Offered):
            yield one
        else:
            broken.append(one)


def _every(found: Reconstruction) -> int:
    """One view in how many is asked for a phone's depth."""
    return max(1, len(found.views) // _DEPTHS)


def _by_reason(what: str, gone: Sequence[Dropped]) -> list[str]:
    """One line for each reason, with the first names that it holds for."""
    names: dict[str, list[str]] = {}
    for one in gone:
        names.setdefault(one.why, []).append(one.name)
    return [f"{what}: {_listed(those)} ({why})" for why, those in names.items()]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:_NAMED])} and {more} more"
