"""One picture -> a camera move through it.

picture ─ photo ─► layered surfaces ─ moved | flown ─► a camera a frame ─┬─ render_view ─ (lens) ─► mp4 gif webp png
                                                                         └─ tracked ─► glb gltf
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unflat.errors import InputError
from unflat.pipelines.marking import marked_view
from unflat.pipelines.photo import PhotoOptions, photo
from unflat.pipelines.report import Progress, silent
from unflat.stages.move_camera import MotionOptions, Stand, flown, moved, tracked
from unflat.trust.mark import with_mark
from unflat.types.arrays import U8
from unflat.types.camera import Camera
from unflat.types.image import Size
from unflat.types.keyframes import Keyframe
from unflat.types.provenance import Step
from unflat.types.scene import Node, Scene

if TYPE_CHECKING:
    from unflat.formats.outlet import SealOptions
    from unflat.pipelines.result import PhotoResult
    from unflat.pipelines.source import Picture
    from unflat.stages.render_view import Painter

SCENES = (".glb", ".gltf")
"""Files that hold the scene with the move in it, rather than a film."""
MOST_ZOOM = 1.6
"""Frames show at least this share (its inverse) of the picture's width, however far the move goes."""
_TRIED_PX = 200
_TRIED = 12
_STEP = 1.03
_OPEN = 2e-3
_JUDGED = 240
"""About how many frames of a move are asked whether they are safe."""
_MEMORY, _BYTES = 640_000_000, 40
"""How much the frames that are being painted may take, and how much one takes for every pixel (measured)."""


@dataclass(frozen=True, slots=True)
class LensOptions:
    """What the lens does with the frames."""

    long_side: int = 1920
    """Long side of the frames in pixels; GIF and WebP are smaller."""
    keyframes: Path | None = None
    """A JSON file of keyframes to fly along, instead of a motion."""
    aperture: float = 0.0
    """Depth of field: diameter of the blur, in hundredths of the width, of what is infinitely far while the middle of
    the scene is in focus; 0 keeps all sharp."""
    focus: float = 1.0
    """Distance that is in focus at the start, as a share of the middle distance."""
    focus_to: float | None = None
    """Distance that is in focus at the end: the focus is pulled from one to the other."""
    crop: bool = True
    """Narrow the view just so far that no frame looks past the picture's border."""

    def __post_init__(self) -> None:
        if not 64 <= self.long_side <= 8192:
            raise InputError(f"--long-side {self.long_side} is out of range", hint="Give 64 to 8192 pixels.")
        if not 0 <= self.aperture <= 20:
            raise InputError(f"--aperture {self.aperture:g} is out of range", hint="Give 0 to 20.")
        for name, value in (("--focus", self.focus), ("--focus-to", self.focus_to)):
            if value is not None and not value > 0:
                raise InputError(f"{name} {value:g} is no distance", hint="1 is the middle of the scene.")


@dataclass(frozen=True, slots=True)
class AnimateOptions:
    """A picture's journey into a film."""

    photo: PhotoOptions = field(default_factory=PhotoOptions)
    motion: MotionOptions = field(default_factory=MotionOptions)
    lens: LensOptions = field(default_factory=LensOptions)


def animate(picture: Picture, options: AnimateOptions | None = None, *, progress: Progress = silent) -> Animation:
    """Make a film of a camera that moves through a picture.

    Args:
        picture: A file, an sRGB uint8 array, or an Image.
        options: See :class:`AnimateOptions`.
        progress: Told what is going on.

    Returns:
        The film to be: ``.save("x.mp4", "x.gif")``, or ``.frames(size)``.

    Raises:
        UnflatError: Any of the tree; the message and hint say what to do.
    """
    from unflat.formats import keyframes

    options = options or AnimateOptions()
    if options.photo.around.panorama == "yes":
        raise InputError("no camera is moved through a panorama", hint="Say that the picture is an ordinary one.")
    if options.photo.art.style == "diagram":
        raise InputError("no camera is moved through a diagram", hint="Leave out --style diagram, or say drawing.")
    if options.lens.keyframes is not None:
        if options.motion.amount is not None:
            raise InputError("a flight along keyframes takes no --amount", hint="The keyframes say how far it goes.")
        keyframes.read(options.lens.keyframes)  # what is wrong with them is said before the work
    ordinary = replace(options.photo, around=replace(options.photo.around, panorama="no"))
    return Animation(photo(picture, ordinary, progress=progress), options, progress)


class Animation:
    """A camera move through a picture.

    Attributes:
        result: The picture with its depth and its scene.
        options: What the recipe was told.
        motion: The move as it is done.
    """

    def __init__(self, result: PhotoResult, options: AnimateOptions, progress: Progress = silent) -> None:
        self.result = result
        self.options = options
        self._progress = progress
        self.stand = _stand(result)
        self._zoom: float | None = None
        self.motion = options.motion
        self._judge()

    def _judge(self) -> None:
        """Keep a move of no given amount within the safe range; say where a given one leaves it."""
        far = self._times_safe(self.motion)
        if far <= 1:
            return
        safe, beyond = f"{100 * self.result.safe_view.share:.3g} %", "of some frames is made up, missing or doubtful"
        if self._flight is not None:
            self.result.warn(
                f"The move goes {far:.1f} times as far as is safe: more than {safe} {beyond}. Keyframes nearer to "
                "0, 0, 0 stay within."
            )
            return
        fitting, times = self.motion, far
        while times > 1:
            fitting = replace(fitting, amount=_below(fitting.share / times))
            times = self._times_safe(fitting)
        if self.motion.amount is None:
            self.motion = fitting
            self.result.warn(
                f"The move goes {fitting.share:g} of the usual way: farther, more than {safe} {beyond}; "
                "--amount 1 goes all of it."
            )
            return
        self.result.warn(
            f"The move goes {far:.1f} times as far as is safe: more than {safe} {beyond}. --amount {fitting.share:g} "
            "stays within."
        )

    def _times_safe(self, motion: MotionOptions) -> float:
        """How many times as far as is safe a move goes, by some of its frames; rounding is forgiven."""
        safe, coarse = self.result.safe_view, replace(motion, fps=max(1.0, min(motion.fps, _JUDGED / motion.seconds)))
        eyes = (camera.pose.centre for camera in self.cameras(self.result.camera.intrinsics.size, coarse))
        return max(safe.times(eye) for eye in eyes) / (1 + 1e-6)

    def cameras(self, size: Size, motion: MotionOptions | None = None) -> list[Camera]:
        """The camera of every frame, for frames of ``size``; of another ``motion`` than its own if one is given."""
        lens, motion = self.result.camera.intrinsics.resized(size), motion or self.motion
        if self._flight is None:
            return list(moved(lens, motion, self.stand))
        return list(flown(lens, self._flight, motion, self.stand))

    @cached_property
    def _flight(self) -> tuple[Keyframe, ...] | None:
        """The keyframes to fly along; None if the camera does a motion."""
        from unflat.formats import keyframes

        path = self.options.lens.keyframes
        return None if path is None else keyframes.read(path)

    def scene(self) -> Scene:
        """The layered scene with the move in it: the same cameras as the film's, as a track."""
        cameras = [_narrowed(camera, self.zoom()) for camera in self.cameras(self.result.camera.intrinsics.size)]
        flight = self._flight
        track = tracked(cameras, self.motion, None if flight is None else flight[-1].time - flight[0].time)
        scene = self.result.scene
        told = (*self._told(), ("poses", len(track.times)))
        story = replace(scene.provenance, steps=(*scene.provenance.steps, Step("move camera", options=told)))
        return replace(scene, tracks=(track,), provenance=story)

    def _told(self) -> tuple[tuple[str, str | float], ...]:
        """What the story of a film, or of a scene with the move in it, says of the move."""
        if self._flight is not None:
            return ("move", "flight"), ("seconds", self._flight[-1].time - self._flight[0].time)
        return ("move", self.motion.motion), ("amount", self.motion.share), ("seconds", self.motion.seconds)

    def frames(self, size: Size) -> Generator[U8]:
        """The frames, (h, w, 3) uint8 sRGB, one after the other.

        Several are painted at once, as many as there are cores and `_MEMORY` has room for.
        """
        from unflat.geometry.bands import cores, side_by_side
        from unflat.stages.render_view import Painter

        at_once = max(1, min(cores(), _MEMORY // (_BYTES * size.pixels)))
        cameras, zoom, painter = self.cameras(size), self.zoom(), Painter(bands=cores() // at_once)
        nodes, begun = self.result.scene.nodes, time.perf_counter()

        def seen(i: int) -> U8:
            return self._frame(nodes, _narrowed(cameras[i], zoom), i / max(1, len(cameras) - 1), painter)

        for i, picture in enumerate(side_by_side(seen, range(len(cameras)), at_once)):
            if i:
                rate = i / (time.perf_counter() - begun)
                self._progress(f"frame {i + 1} of {len(cameras)}, {rate:.1f} a second")
            yield picture

    def zoom(self) -> float:
        """How much longer the lens must be for no frame to look past the picture's border; found once."""
        if self._zoom is None:
            self._zoom = self._found_zoom() if self.options.lens.crop else 1.0
        return self._zoom

    def _found_zoom(self) -> float:
        from unflat.stages.render_view import sees_past

        cameras = self.cameras(self.result.camera.intrinsics.size.fitted(_TRIED_PX))
        some = cameras[:: max(1, len(cameras) // _TRIED)]
        nodes, zoom = self.result.scene.nodes, 1.0
        while zoom < MOST_ZOOM and any(sees_past(nodes, _narrowed(c, zoom)) > _OPEN for c in some):
            zoom *= _STEP
        return zoom

    def _frame(self, nodes: Sequence[Node], camera: Camera, t: float, painter: Painter) -> U8:
        import cv2

        from unflat.geometry.defocus import defocused
        from unflat.geometry.membrane import membrane
        from unflat.stages.render_view import render_view

        view, lens = render_view(nodes, camera, painter, sharp=False), self.options.lens
        colour, missing = view.colour, view.open
        if missing.any():
            colour, _ = membrane(colour, ~missing, missing)
        if lens.aperture > 0:
            end = lens.focus if lens.focus_to is None else lens.focus_to
            share = lens.focus + (end - lens.focus) * t
            blur = lens.aperture / 100 * camera.intrinsics.size.width * self.stand.pivot
            colour = defocused(colour, view.inverse, 1 / (share * self.stand.pivot), blur)
        return np.asarray(cv2.convertScaleAbs(colour), np.uint8)

    def save(self, *paths: str | Path, force: bool = False, seal: SealOptions | None = None) -> Animation:
        """Write the film, or the scene with the move in it; the suffix of each path chooses the format.

        Args:
            *paths: ``x.mp4``, ``x.gif``, ``x.webp``, or ``x.png``, which becomes x.00000.png and so on; ``x.glb`` or
                ``x.gltf`` for the scene.
            force: Replace files that exist.
            seal: Whether, and with what, the files are signed.

        Raises:
            InputError: No film format has the suffix, or the keyframes are wrong.
            OutputError: A file exists already, or cannot be written.
            MissingExtraError: MP4 needs the extra "video".
        """
        from unflat.formats import registry
        from unflat.formats.atomic import check_places
        from unflat.formats.outlet import SealOptions, handed_out
        from unflat.formats.picture_story import film_words
        from unflat.formats.video import fitted, write_film

        places = [Path(path) for path in paths]
        check_places(places, check_suffix, force=force)
        if self.options.lens.aperture > 0 and any(path.suffix.lower() in SCENES for path in places):
            self.result.warn("A scene keeps the move of the camera; depth of field is only in films.")
        whole = self.result.camera.intrinsics.size.fitted(self.options.lens.long_side)
        seal = seal or SealOptions()
        for path in places:
            if path.suffix.lower() in SCENES:
                with self.result.timed("write"):
                    out = registry.write(self.scene(), path, registry.ExportOptions(force=force, seal=seal))
                self.result.wrote(path, notes=out.notes)
                continue
            story = self.result.film_story(self._told())
            story = with_mark(story) if seal.mark else story
            with (
                self.result.timed("film"),
                handed_out(path, story, seal, force=force) as out,
                closing(self.frames(fitted(path, whole))) as film,
            ):
                shown = (marked_view(frame, story) for frame in film)
                written = write_film(shown, out.path, self.motion.fps, film_words(out.story))
            self.result.wrote(*(path.with_name(file.name) for file in written), notes=out.notes)
        return self

    def __repr__(self) -> str:
        return f"Animation({self.motion.motion}, {self.motion.seconds:g} s, {self.result!r})"


def check_suffix(path: Path) -> None:
    """Say early that a move is not written to files of that name.

    Raises:
        InputError: It is not.
        MissingExtraError: Films of this kind need a package that is not installed.
    """
    from unflat.formats import video

    suffix = path.suffix.lower()
    if suffix in video.SUFFIXES:
        video.check_suffix(path)
    elif suffix not in SCENES:
        known = " ".join((*video.SUFFIXES, *SCENES))
        raise InputError(f"no film format for {path.name}", hint=f"Known suffixes: {known}")


def _below(amount: float) -> float:
    """A number of two digits that is not larger."""
    digits = 10.0 ** (1 - math.floor(math.log10(amount)))
    return math.floor(amount * digits) / digits


def _stand(result: PhotoResult) -> Stand:
    """What moves turn about, from the depth of the picture."""
    inverse = 1 / result.depth.z[result.depth.seen]
    pivot = 1 / float(np.median(inverse))
    return Stand(pivot, 1 / float(np.quantile(inverse, 0.98)), result.layers.reach)


def _narrowed(camera: Camera, zoom: float) -> Camera:
    """The same camera with a longer lens."""
    lens = camera.intrinsics
    return replace(camera, intrinsics=replace(lens, fx=lens.fx * zoom, fy=lens.fy * zoom))
