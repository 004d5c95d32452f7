"""What a film becomes: two eyes in one of the layouts, or a clip to move in: picked by the name of its file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats import film_join
from unflat.formats.atomic import check_apart, check_places, moved
from unflat.formats.clip_page import ENCODING, ClipAbout, ClipShot, PackedSizes, packed_frame, write_page
from unflat.formats.film_depth import FULL, NEAR, Bits, DepthWriter, row_of
from unflat.formats.film_write import SEGMENT_SUFFIX, EncodeOptions, Packing, SegmentWriter
from unflat.formats.mv_segment import SpatialSegment, find_encoder
from unflat.formats.outlet import seal_targets
from unflat.formats.stereo_names import signs_in
from unflat.formats.stereo_picture import VIEWS_APART
from unflat.pipelines.eye import BETWEEN_EYES_M
from unflat.pipelines.marking import marked_pair, stamp_of
from unflat.stages.follow_outlines import follow_outlines
from unflat.stages.lay_out import Pack, Spheres, lay_out, moved_apart, shown_depth
from unflat.types.arrays import U8
from unflat.types.clip import DepthFrame
from unflat.types.image import Size
from unflat.types.stereo import Layout, StereoPair

if TYPE_CHECKING:
    from unflat.pipelines.stereo_film import Film, FilmOptions, Purpose

PAGE, ROW = ".html", ".png"
_WIDEST, _HIGHEST = 4096, 2304
"""What H.264 players take; larger films are HEVC unless told otherwise."""
_BESIDE = (Layout.FULL_SBS, Layout.HALF_SBS, Layout.VR180)
_ABOVE = (Layout.FULL_TB, Layout.HALF_TB)
_PACKING: dict[Layout, Packing] = {Layout.HALF_SBS: "side-by-side", Layout.HALF_TB: "top-bottom"}
"""What is said in H.264 itself: that each view is to be stretched, so only of halves."""
_OF_FILMS = (*_BESIDE, *_ABOVE, Layout.CROSS, Layout.ANAGLYPH, Layout.RGBD, Layout.SPATIAL, Layout.PAIR)
_SPATIAL = (".mov", ".mp4")
_ASSUMED_EYES = "a spatial film must say how far its eyes are apart: depth has no unit, so 63 mm is assumed"


class FilmKind(Protocol):
    """One film of a run.

    Attributes:
        path: Where it goes.
        two_eyes: It shows what both eyes see.
        words: All that decides what its segments hold, besides the run's options.
        segment_suffix: Of the files that it is made in.
        told: What it is, in a word or two.
        files: What was written, once it is finished.
    """

    path: Path
    two_eyes: bool
    words: list[str]
    segment_suffix: str
    told: str
    files: list[Path]

    def look(self, frame: DepthFrame, pair: StereoPair | None) -> NDArray[Any]:
        """What it shows of a frame: what its writer takes."""
        ...

    def opened(self, path: Path) -> SegmentWriter | SpatialSegment:
        """Begin a segment."""
        ...

    def finish(self, segments: Sequence[Path], film: Film, *, force: bool) -> None:
        """Make the film of its segments."""
        ...


def check_suffix(path: Path, purpose: Purpose) -> None:
    """Say early that a film is not written to files of that name.

    Raises:
        InputError: It is not.
        MissingExtraError: PyAV is not installed.
    """
    more = PAGE if purpose == "stereo" else ROW
    if path.suffix.lower() == more:
        return
    if path.suffix.lower() not in film_join.SUFFIXES:
        known = " ".join((*film_join.SUFFIXES, more))
        raise InputError(f"no film is written to {path.name}", hint=f"Known suffixes: {known}")
    film_join.check_film_suffix(path)


def film_kinds(paths: Sequence[Path], film: Film) -> list[FilmKind]:
    """What each of the films is."""
    kinds: list[FilmKind] = []
    for path in paths:
        if film.purpose == "depth":
            kinds.append(Depth(path, film))
        elif path.suffix.lower() == PAGE:
            kinds.append(Page(path, film))
        else:
            files = targets(path, film.purpose, film.options.lay.layout)
            kinds += [TwoViews(file, film, None if len(files) == 1 else eye) for eye, file in enumerate(files)]
    return kinds


def check_targets(
    paths: Sequence[Path], films: Sequence[Path], options: FilmOptions, purpose: Purpose, *, force: bool
) -> list[Path]:
    """Say before the work what would fail after it, or replace what it is made of.

    Args:
        paths: Where to.
        films: What is read, in this run or another one of the same command.
        options: What the recipe is told.
        purpose: What is made.
        force: Files may be replaced.

    Returns:
        The files that are written.

    Raises:
        InputError: A name is of no format, or two films are of the same name.
        OutputError: A place cannot be written, or a file there would be lost.
    """
    for path in paths:
        check_suffix(path, purpose)
    files = [file for path in paths for file in targets(path, purpose, options.lay.layout)]
    beside = [seal for file in files for seal in seal_targets(file)]
    check_places([*files, *beside], _settled_name, force=force)
    check_apart([*files, *beside], [*films, Path(options.source.depth)])
    return files


def _settled_name(_path: Path) -> None:
    """Its suffix was looked at already."""


def targets(path: Path, purpose: Purpose, said: str | None) -> list[Path]:
    """The files that a film becomes: one, one for each eye, or of a row the first and the note.

    Raises:
        InputError: A film has no such layout.
    """
    if purpose == "depth" and path.suffix.lower() == ROW:
        return row_of(path)
    if purpose == "depth" or path.suffix.lower() == PAGE or layout_for(path, said) is not Layout.PAIR:
        return [path]
    return [path.with_name(f"{path.stem}{end}{path.suffix}") for end in VIEWS_APART]


class TwoViews:
    """A film with two views in each frame, or the picture and its depth, or one view alone.

    Args:
        path: Where it goes.
        film: What it is of.
        eye: 0 for the left view alone, 1 for the right one, None for both.
    """

    segment_suffix = SEGMENT_SUFFIX

    def __init__(self, path: Path, film: Film, eye: int | None = None) -> None:
        self.path = path
        self.layout = layout_for(path, film.options.lay.layout) if eye is None else Layout.PAIR
        self.two_eyes = self.layout is not Layout.RGBD
        self._window, clip = film.window, film.clip
        self._size = _even(clip.size)
        self._shown = Size(film.window.right - film.window.left, film.window.bottom - film.window.top)
        wider = clip.size.width / (film.window.right - film.window.left)
        self._fov = 2 * math.degrees(math.atan(wider * math.tan(math.radians(film.lens.fov_x_deg) / 2)))
        if self.layout is Layout.SPATIAL:
            check_spatial(path)
        way = Layout.FULL_SBS if self.layout is Layout.SPATIAL else self.layout  # so its encoder takes both views
        self._pack = lay_out(way, self._size, film.options.lay, self._fov) if eye is None else _alone(eye)
        trial = np.zeros((*self._size.shape, 3), np.uint8)
        packed = self._pack(trial, trial)
        self._packed = Size(packed.shape[1], packed.shape[0])
        self._encode = settled(film_join.fitting(path, film.options.encode), self._packed, self.layout)
        eyes = film.options.eyes
        self._drawn = None if film.mark is None else stamp_of(film.mark, self._shown, self._pack)
        self._tick, self._fps, self._left = clip.tick, clip.fps, 1 - eyes.left if eyes.swap else eyes.left
        view = "both" if eye is None else VIEWS_APART[eye]
        self.words = ["two views", self.layout.value, view, str(self._packed), str(self._encode), str(film.mark)]
        self.told = self.layout.value
        self.files: list[Path] = []

    def look(self, frame: DepthFrame, pair: StereoPair | None) -> U8:
        """Both views in one picture, the bars of the film around each."""
        if pair is None or not self.two_eyes:
            pair = StereoPair(frame.frame.pixels, _grey(frame))
        if self._drawn is not None:
            pair = marked_pair(pair, self._drawn, self.layout)
        left, right = self._whole(pair.left), self._whole(pair.right)
        if isinstance(self._pack, Spheres):  # infinity lies at infinity there
            return self._pack(left, right, moved_apart(pair, self._left))
        return self._pack(left, right)

    def _whole(self, view: U8) -> U8:
        """A view with the bars around it, of even sides."""
        width, height = self._size.width, self._size.height
        window = self._window
        if view.shape[:2] == (window.bottom - window.top, window.right - window.left):
            view = window.put(view, max(width, window.right), max(height, window.bottom))
        return np.ascontiguousarray(view[:height, :width])

    def opened(self, path: Path) -> SegmentWriter | SpatialSegment:
        """Begin a segment."""
        if self.layout is Layout.SPATIAL:
            return SpatialSegment(path, self._packed, self._tick, self._encode, fps=self._fps)
        packing = _PACKING.get(self.layout) if self._encode.chosen == "h264" else None
        return SegmentWriter(path, self._packed, self._tick, self._encode, fps=self._fps, packing=packing)

    def finish(self, segments: Sequence[Path], film: Film, *, force: bool) -> None:
        """Join the segments with the sound of the source, and say in the file that it is stereo."""
        from unflat.formats.picture_story import film_words
        from unflat.formats.stereo_mark import SUFFIXES as MARKED
        from unflat.formats.stereo_mark import mark_stereo

        whole = _among(segments, self.path)
        story = film.named("stereo film", self.path, layout=self.layout.value)
        told = film_words(story)
        notes = film_join.join(segments, film.path, whole, start=film.start, stop=film.stop, told=told, force=True)
        if whole.suffix.lower() in MARKED:
            fov = None if self.layout is Layout.VR180 else self._fov
            spatial = self.layout is Layout.SPATIAL
            mark_stereo(whole, self.layout, fov_x_deg=fov, baseline_m=BETWEEN_EYES_M if spatial else None)
        with film.handed_out(self.path, story, force=force) as out:
            moved(whole, out.path)
        film.warn([*notes, *([_ASSUMED_EYES] if self.layout is Layout.SPATIAL else [])])
        self.files = [self.path]


class Depth:
    """A film, or a row of PNG files, whose brightness is inverse depth: 0 is infinitely far.

    What is nearest in a shot, but for its nearest hundredth, has the value NEAR; so all of it but single pixels fits.
    """

    two_eyes = False

    def __init__(self, path: Path, film: Film) -> None:
        self.path = path
        self.bits: Bits = "16" if path.suffix.lower() == ROW else film.options.deep.for_file(path)
        self.segment_suffix = ".mkv" if self.bits == "16" else SEGMENT_SUFFIX
        self._window, self._clip = film.window, film.clip
        self.words, self.told = ["depth", self.bits], f"depth, {self.bits} bits"
        self.files: list[Path] = []

    def look(self, frame: DepthFrame, pair: StereoPair | None) -> NDArray[np.uint16]:
        """(h, w) uint16 of the film's own size; bars are infinitely far."""
        import cv2

        window, size = self._window, self._clip.size
        inner = (window.right - window.left, window.bottom - window.top)
        share = np.clip(frame.inverse * np.float32(NEAR / max(frame.near, 1e-12)), 0, 1)
        fine = cv2.resize(share, inner, interpolation=cv2.INTER_LINEAR)
        whole = np.zeros(size.shape, np.uint16)
        whole[window.top : window.bottom, window.left : window.right] = np.rint(fine * FULL)
        return whole

    def opened(self, path: Path) -> DepthWriter:
        """Begin a segment."""
        return DepthWriter(path, self._clip.size, self._clip.tick, self.bits, fps=self._clip.fps)

    def finish(self, segments: Sequence[Path], film: Film, *, force: bool) -> None:
        """Join the segments, silent; what the numbers mean goes with them."""
        from unflat.formats.film_depth import write_depth_film, write_depth_row

        told = {"bits": int(self.bits), "shots": film.shots, "model": film.model}
        story, written = film.named("depth film", self.path), [self.path]
        if self.path.suffix.lower() == ROW:
            with film.handed_out(self.path, story, force=force) as out:
                written = write_depth_row(segments, out.path, told, out.story, force=force)
        else:
            whole = _among(segments, self.path)
            write_depth_film(segments, whole, told, story, start=film.start, force=True)
            with film.handed_out(self.path, story, force=force) as out:
                moved(whole, out.path)
        self.files = [self.path.with_name(file.name) for file in written]


class Page:
    """A page with a clip to move in: picture and depth in every frame, so that they cannot come out of step."""

    two_eyes = False
    segment_suffix = SEGMENT_SUFFIX

    def __init__(self, path: Path, film: Film) -> None:
        self.path, self._clip = path, film.clip
        self._size = Size(film.window.right - film.window.left, film.window.bottom - film.window.top)
        self._sizes = PackedSizes.of(self._size)
        self._packed = self._sizes.frame
        self.words, self.told = ["page", str(self._packed)], "clip to move in"
        self.files: list[Path] = []

    def look(self, frame: DepthFrame, pair: StereoPair | None) -> U8:
        """The picture within its bars and its depth, in one."""
        pixels = frame.frame.pixels
        inverse = follow_outlines(pixels, frame.inverse, self._sizes.depth)
        return packed_frame(pixels, inverse, frame.near, frame.far)

    def opened(self, path: Path) -> SegmentWriter:
        """Begin a segment."""
        options = EncodeOptions(codec="h264", crf=int(ENCODING["crf"]))
        return SegmentWriter(path, self._packed, self._clip.tick, options, fps=self._clip.fps)

    def finish(self, segments: Sequence[Path], film: Film, *, force: bool) -> None:
        """Join the segments with the sound of the source, and put them into a page."""
        whole = _among(segments, self.path.with_suffix(SEGMENT_SUFFIX))
        film.warn(film_join.join(segments, film.path, whole, start=film.start, stop=film.stop, force=True))
        starts = [max(0.0, shot["from"] - film.shots[0]["from"]) for shot in film.shots]
        shots = tuple(
            ClipShot(start, max(shot["near"], 1e-6), min(shot["far"], shot["near"]))
            for start, shot in zip(starts, film.shots, strict=True)
        )
        with film.handed_out(self.path, film.named("clip page", self.path), force=force) as out:
            about = ClipAbout(self._size, float(self._clip.fps), film.lens.fov_x_deg, shots, out.story)
            write_page(whole, out.path, about)
        self.files = [self.path]


def layout_for(path: Path, said: str | None) -> Layout:
    """The layout of a film: the user's word, what its name says, else two full views side by side.

    Raises:
        InputError: A film has no such layout.
    """
    signs = signs_in(path)
    layout = Layout(said) if said is not None else Layout.FULL_SBS if signs is None else signs.layout
    if layout not in _OF_FILMS:
        known = " ".join(one.value for one in _OF_FILMS)
        raise InputError(f"a film has no layout '{layout.value}'", hint=f"Layouts of films: {known}.")
    return layout


def check_spatial(path: Path) -> None:
    """Say early that a spatial film cannot be written.

    Raises:
        InputError: Not to files of that name.
        MissingExtraError: There is no encoder that knows two views.
    """
    if path.suffix.lower() not in _SPATIAL:
        raise InputError(f"spatial films are QuickTime films, not {path.name}", hint="Use a name that ends in .mov.")
    find_encoder()


def settled(options: EncodeOptions, size: Size, layout: Layout) -> EncodeOptions:
    """How a film is coded where the user left it open: what is large as HEVC, anaglyphs with all their colour."""
    if layout is Layout.SPATIAL:
        return options
    if options.codec == "auto" and (size.width > _WIDEST or size.height > _HIGHEST):
        options = replace(options, codec="hevc")
    if layout is Layout.ANAGLYPH and options.codec != "av1":
        options = replace(options, chroma="444")
    return options


def _alone(eye: int) -> Pack:
    return lambda left, right: (left, right)[eye]


def _among(segments: Sequence[Path], path: Path) -> Path:
    """Where a film is put together: among its segments, so that a run that is killed leaves nothing elsewhere."""
    return segments[0].with_name(f"whole{path.suffix}")


def _even(size: Size) -> Size:
    return Size(max(2, size.width // 2 * 2), max(2, size.height // 2 * 2))


def _grey(frame: DepthFrame) -> U8:
    """Depth as a grey picture of the frame's size, near is white."""
    import cv2

    h, w = frame.frame.pixels.shape[:2]
    inverse = np.asarray(cv2.resize(frame.inverse, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    return shown_depth(inverse, frame.near, frame.far)
