"""Many pictures of one place, one at a time: films, folders and files as a row of stills with their pixels."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from unflat.errors import InputError, MissingExtraError
from unflat.formats import film_read
from unflat.formats.film_read import open_clip
from unflat.formats.image import read_image
from unflat.formats.phone_depth import read_phone_depth
from unflat.formats.sniff import SUFFIXES
from unflat.geometry.lens import judge_lens
from unflat.types.arrays import U8, Bool
from unflat.types.camera import Intrinsics
from unflat.types.clip import Clip
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image
from unflat.types.views import Dropped, Lens, Offered, Still

PICTURES = frozenset(suffix for row in SUFFIXES.values() for suffix in row)
_BLOCK = 1 << 22
_STAMPS = ("timestamps.txt", "rgb.txt")
_USUAL = ("images", "rgb", "color")
"""Where COLMAP and nerfstudio, TUM and 7-Scenes keep their pictures, beside folders of masks, depth or small copies."""
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """What was given to look at, before anything of it was decoded.

    Attributes:
        films: Film files.
        pictures: Picture files, in the order of their names.
        sequence: One folder, whose pictures may be frames that follow each other.
        stamps: Seconds of the pictures of a sequence, from its ``timestamps.txt`` or ``rgb.txt``; empty without one.
        fps: Frames a second of a sequence that does not tell its times.
        names: What each file is called among the others.
        notes: Where the pictures of a folder were taken from, if not from the folder itself.
        folders: Those that were given; what stands there of rights counts for all that lies in them.
    """

    films: tuple[Path, ...]
    pictures: tuple[Path, ...]
    sequence: bool
    stamps: tuple[float, ...] = ()
    fps: float = 30.0
    names: dict[Path, str] = field(default_factory=dict[Path, str])
    notes: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """All files."""
        return (*self.films, *self.pictures)

    def digests(self) -> dict[str, str]:
        """SHA-256 of every file, by its name in the album: what a run is known by.

        Raises:
            InputError: A file cannot be read.
        """
        return {self.names[path]: _sha256(path) for path in self.files}

    def film(self) -> Clip | None:
        """The film, where one film is all there is."""
        return open_clip(self.films[0]) if len(self.films) == 1 and not self.pictures else None

    def stills(
        self, every: Fraction | None = None, through: Callable[[Clip], Clip] | None = None
    ) -> Generator[Offered | Dropped]:
        """Every picture in turn, decoded once; what cannot be read is named instead.

        Args:
            every: Of films among photographs, only a frame in so many seconds; None yields all frames.
            through: What every film goes through before its frames are taken; None takes them as they are.

        Raises:
            InputError: The only film there is cannot be read.
            MissingExtraError: All there is needs an extra that is not installed.
        """
        read, missing = 0, None
        for path in self.films:
            name = self.names[path]
            try:
                for one in _frames(path, name, every, through, alone=len(self.films) == 1):
                    read += 1
                    yield one
            except InputError as error:
                if len(self.files) == 1 and not read:
                    raise
                yield Dropped(name, _why(error, path))
        for number, path in enumerate(self.pictures):
            seconds = None
            if self.sequence:
                seconds = self.stamps[number] if self.stamps else number / self.fps
            try:
                one = _picture(path, self.names[path], seconds, self.folders)
            except MissingExtraError as error:
                one, missing = Dropped(self.names[path], str(error)), error
            read += isinstance(one, Offered)
            yield one
        if missing is not None and not read:
            raise missing

    def depths(self, names: Sequence[str]) -> dict[str, DepthMap]:
        """The depth in metres that phones put into their pictures, by the pictures' names.

        Args:
            names: Of those that are asked for; frames of films have none.
        """
        wanted = set(names)
        found: dict[str, DepthMap] = {}
        for path in self.pictures:
            if self.names[path] not in wanted:
                continue
            with contextlib.suppress(InputError):  # a picture is as good as any other if its depth is damaged
                depth = read_phone_depth(path)
                if depth is not None and depth.kind is DepthKind.METRIC:
                    found[self.names[path]] = depth
        return found


def album(paths: Sequence[Path], fps: float = 30.0) -> Album:
    """Find the films and pictures among files and folders; nothing is decoded.

    A folder's pictures are found by their suffixes: in it, or, where it holds none itself, in the one folder in it that
    does (of several, in the one that is called what such folders usually are). Beside them only a ``timestamps.txt``
    or ``rgb.txt`` (one line a frame, seconds first) is looked at. What is given twice is taken once.

    Args:
        paths: Films, pictures and folders of them.
        fps: Frames a second of a sequence of pictures that does not tell its times.

    Raises:
        InputError: Nothing there or nothing that can be read, no picture in a folder, several folders in it that could
            be meant, or a file that is neither.
    """
    places = [_place_of(path) for path in paths]
    given = {file.absolute(): file for place in places for file in _files_of(place)}.values()
    films = [path for path in given if path.suffix.lower() in film_read.SUFFIXES]
    pictures = [path for path in given if path.suffix.lower() not in film_read.SUFFIXES]
    if not given:
        told = ", ".join(map(str, paths)) or "nothing"
        raise InputError(f"there is no picture and no film in {told}", hint="Give a film, a folder, or pictures.")
    alone = len(paths) == 1 and paths[0].is_dir() and not films
    stamps = next(filter(None, (_stamps(folder, pictures) for folder in (places[0], paths[0]))), ()) if alone else ()
    notes = tuple(
        f"the pictures are those in {place}" for path, place in zip(paths, places, strict=True) if path != place
    )
    names, folders = _names((*films, *pictures)), tuple(path for path in paths if path.is_dir())
    return Album(tuple(films), tuple(pictures), alone, stamps, fps, names, notes, folders)


def _place_of(path: Path) -> Path:
    """A file or folder itself, or the folder in it that holds the pictures where it holds none.

    Raises:
        InputError: It is not there or cannot be read, or several folders in it could be meant.
    """
    if _files_of(path) or not path.is_dir():
        return path
    below = sorted((inner for inner in _listed(path) if not inner.name.startswith(".") and inner.is_dir()), key=natural)
    holding = [inner for inner in below if any(map(_looks_like_one, _listed(inner)))]
    usual = [inner for name in _USUAL for inner in holding if inner.name.lower() == name]
    if len(holding) > 1 and not usual:
        named = [str(inner) for inner in holding[:_MOST_NAMED]] + ["…"] * (len(holding) > _MOST_NAMED)
        raise InputError(
            f"{path} holds no picture itself, and {len(holding)} folders in it do",
            hint=f"Name the one that is meant, or several if they show the same: {', '.join(named)}",
        )
    return (usual or holding or [path])[0]


def _files_of(path: Path) -> list[Path]:
    """A file, or the pictures and films of a folder in the order of their names.

    Raises:
        InputError: It is not there, neither of the two, or cannot be read.
    """
    try:
        folder, file, there = path.is_dir(), path.is_file(), path.exists()
    except OSError as error:
        raise _unreadable(path, error) from error
    if folder:
        return sorted(filter(_looks_like_one, _listed(path)), key=natural)
    if file:
        return [path]
    if there:
        raise InputError(f"{path} is neither a file nor a folder", hint="Give a film, a folder, or pictures.")
    raise InputError(f"{path} does not exist", hint="Check the spelling and the folder.")


def _listed(folder: Path) -> list[Path]:
    """What lies in a folder.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise _unreadable(folder, error) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be read: {error.strerror or error}", hint="Check its permissions.")


def _looks_like_one(path: Path) -> bool:
    """Whether a name is one of a picture or a film; hidden files (macOS leaves doubles) are not looked at."""
    suffix = path.suffix.lower()
    return not path.name.startswith(".") and (suffix in film_read.SUFFIXES or suffix in PICTURES) and path.is_file()


def natural(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """A key that sorts ``a2`` before ``a10``."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts], path.name


def _names(paths: Sequence[Path]) -> dict[Path, str]:
    """A name for each file, different from all others: its own, with its folder's where two files share one."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in paths:
        name, number = path.name, 2
        if name in taken:
            name = f"{path.absolute().parent.name}_{path.name}"
        while name in taken:
            name, number = f"{path.stem}_{number}{path.suffix}", number + 1
        taken.add(name)
        names[path] = name
    return names


def _stamps(folder: Path, pictures: Sequence[Path]) -> tuple[float, ...]:
    """The seconds that a sequence's own list gives its frames; empty where there is no list that fits."""
    for name in _STAMPS:
        told = folder / name
        if not told.is_file() or told.stat().st_size > _BLOCK:
            continue
        lines = [line.split() for line in told.read_text(encoding="utf-8", errors="replace").splitlines()]
        rows = [line for line in lines if line and not line[0].startswith("#")]
        try:
            seconds = [float(row[0]) for row in rows]
        except ValueError:
            continue
        by_file = {Path(row[1]).name: s for row, s in zip(rows, seconds, strict=True) if len(row) > 1}
        if all(picture.name in by_file for picture in pictures):
            seconds = [by_file[picture.name] for picture in pictures]
        if len(seconds) == len(pictures) and all(np.isfinite(seconds)) and all(np.diff(seconds) > 0):
            return tuple(seconds)
    return ()


def _picture(path: Path, name: str, seconds: float | None, folders: tuple[Path, ...]) -> Offered | Dropped:
    try:
        image = read_image(path, top=next((top for top in folders if path.is_relative_to(top)), None))
    except InputError as error:
        return Dropped(name, _why(error, path))
    if image.panorama is not None:
        return Dropped(name, "it is a panorama, which photo makes a scene of by itself")
    still = Still(
        name=name,
        size=image.size,
        read=_again(path),
        camera=_camera_of(image),
        lens=_lens_of(image),
        seconds=seconds,
        mask=None if image.alpha is None else _opaque_again(path),
        source=image.source,
    )
    return Offered(still, image.pixels, None if image.alpha is None else image.alpha >= 128)


def _why(error: InputError, path: Path) -> str:
    """Why a file is left out, without its name once more."""
    told = str(error)
    return f"it {told.removeprefix(path.name).strip()}" if told.startswith(path.name) else f"it cannot be read: {told}"


def _again(path: Path) -> Callable[[], U8]:
    return lambda: read_image(path).pixels


def _opaque_again(path: Path) -> Callable[[], Bool]:
    def opaque() -> Bool:
        image = read_image(path)
        return np.ones(image.size.shape, bool) if image.alpha is None else image.alpha >= 128

    return opaque


def _camera_of(image: Image) -> str:
    """One word for pictures that one camera took at one zoom, as far as their files tell."""
    lens = image.lens
    told = (lens.focal_35mm, lens.focal_mm, lens.sensor_width_mm, lens.digital_zoom)
    return "-".join([str(image.size), *(f"{value:g}" for value in told if value is not None)])


def _lens_of(image: Image) -> Lens | None:
    verdict = judge_lens(image.lens, image.size)
    if verdict.focal_px is None or verdict.basis is None:
        return None
    return Lens(Intrinsics.from_focal(verdict.focal_px, image.size, verdict.basis))


def _frames(
    path: Path, name: str, every: Fraction | None, through: Callable[[Clip], Clip] | None, *, alone: bool
) -> Generator[Offered]:
    clip = open_clip(path) if through is None else through(open_clip(path))
    due = Fraction(0)
    with closing(clip.frames()) as frames:
        for frame in frames:
            if every is not None and frame.time < due:
                continue
            due = frame.time + (every or 0)
            called = f"{frame.number:06d}" if alone else f"{name}_{frame.number:06d}"
            still = Still(
                name=called,
                size=clip.size,
                read=_frame_again(clip, frame.time),
                camera=name,
                seconds=float(frame.time),
                source=clip.source,
            )
            yield Offered(still, frame.pixels)


def _frame_again(clip: Clip, time: Fraction) -> Callable[[], U8]:
    def read() -> U8:
        with closing(clip.frames(time)) as frames:
            return next(frames).pixels

    return read


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise _unreadable(path, error) from error
    return digest.hexdigest()
