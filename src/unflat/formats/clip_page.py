"""A clip one can move in: one web page that holds a film, its depth, and a player.

The film travels as it is, an MP4 whose every frame holds picture and depth (:mod:`unflat.formats.packed_depth`) and
which may have sound; so nothing can come out of step. It stands in base64, for a page of bytes that are no text is
spoilt by servers that call every page UTF-8 (those that compress undo the third that base64 adds). Long films stand in
several elements, since browsers limit how long one text may be.

As every page of ours it opens from a disk, and its security policy forbids it to ask anything of a network.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Generator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from unflat.errors import InputError, ShapeError
from unflat.formats.atomic import replacing
from unflat.formats.packed_depth import CELL, LONGEST, RULER, WAVES, PackedSizes, packed_frame, unpacked_frame
from unflat.formats.page_parts import about, common, filled, source_rows, step_rows, title_of
from unflat.formats.plain import is_list, is_object
from unflat.formats.provenance_text import from_plain, to_plain
from unflat.formats.video import library
from unflat.types.image import Size
from unflat.types.provenance import Provenance

__all__ = [
    "ENCODING",
    "ClipAbout",
    "ClipShot",
    "PackedSizes",
    "packed_frame",
    "read_about",
    "unpacked_frame",
    "write_page",
]

ENCODING = {"crf": "18", "preset": "veryfast"}
"""Options of libx264 that keep the depth: measured in tests/unit/test_packed_depth.py. Colours are BT.709, yuv420p."""
SAFE_SHARE = 0.05
"""The share of the picture's longer side that a safe view may uncover."""
_ELEMENT = 24 * 2**20
"""Bytes of the film in one element; a multiple of three."""
_LARGEST = 3 * 2**30
_START, _END = '<script type="text/plain" class="film">', "</script>\n"
_TOLD = '<script type="text/plain" id="told">'
_LARGEST_TOLD = 16 * 2**20


@dataclass(frozen=True, slots=True)
class ClipShot:
    """A shot of the film.

    Attributes:
        start: Of its first frame, in seconds of the film.
        near: Inverse depth of what is near in it, for all of it (:class:`~unflat.types.clip.DepthFrame`).
        far: The same of what is far.
        metres: How many metres a depth (1 / inverse depth) of 1 is; None where nobody knows. Then the middle of the
            shot's range of inverse depth is taken to be 2.5 m away.
    """

    start: float
    near: float
    far: float
    metres: float | None = None

    def __post_init__(self) -> None:
        numbers = (self.start, self.near, self.far, 1.0 if self.metres is None else self.metres)
        if not (all(map(math.isfinite, numbers)) and self.start >= 0 and 0 <= self.far <= self.near and self.near > 0):
            raise ShapeError(f"no shot begins at {self.start:g} s with inverse depths of {self.far:g} to {self.near:g}")
        if self.metres is not None and self.metres <= 0:
            raise ShapeError(f"a depth of 1 is no {self.metres:g} m")


@dataclass(frozen=True, slots=True)
class ClipAbout:
    """What the page has to know of a film of packed frames.

    Attributes:
        size: Of the frames before they were packed.
        fps: Frames a second.
        fov_x_deg: Horizontal angle of view, in degrees.
        shots: In order of time, the first at 0.
        provenance: The story of the film.
        title: What the page is called; None: after its source.
        safe_share: The share of the picture's longer side that may be uncovered while the view is kept safe.
        longest: The long side that was given to :func:`~unflat.formats.packed_depth.packed_frame`.
    """

    size: Size
    fps: float
    fov_x_deg: float
    shots: tuple[ClipShot, ...]
    provenance: Provenance
    title: str | None = None
    safe_share: float = SAFE_SHARE
    longest: int = LONGEST

    def __post_init__(self) -> None:
        starts = [shot.start for shot in self.shots]
        if not starts or starts[0] != 0 or any(b <= a for a, b in pairwise(starts)):
            raise ShapeError("the shots of a clip begin one after another, the first at 0 s")
        if not (0 < self.fov_x_deg < 180 and 0 < self.fps < 1000 and 0 < self.safe_share < 1):
            raise ShapeError(
                f"no clip has {self.fov_x_deg:g}°, {self.fps:g} fps and a safe share of {self.safe_share:g}"
            )

    @property
    def sizes(self) -> PackedSizes:
        """Where things are in the film's frames."""
        return PackedSizes.of(self.size, self.longest)


def write_page(film: Path, path: Path, told: ClipAbout, *, force: bool = False) -> None:
    """Write a page with a film to move in.

    Args:
        film: A finished MP4 (H.264, yuv420p) of packed frames, with sound or without.
        path: Where to.
        told: What the page has to know.
        force: Replace a file that exists.

    Raises:
        InputError: The film is not of such frames, or larger than 3 GB.
        OutputError: The place cannot be written.
        MissingExtraError: What looks into films is not installed.
    """
    sound, seconds = _checked(film, told.sizes)
    title = told.title or title_of(told.provenance, "Clip")
    # In a script element only "<" could end it; in JSON it stands in texts alone, where it can be written otherwise.
    plain = json.dumps(_plain(told, seconds, sound), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    words = common("clip.css", "clip.js", title, told.provenance, media=True)
    words |= {"KIND": "3D estimate", "ABOUT": _panel(told)}
    with replacing(path, force=force) as (draft,), draft.open("wb") as page, film.open("rb") as source:
        for piece in filled("clip.html", {**words, "TOLD": plain, "FILM": _elements(source)}):
            page.write(piece.encode())


def read_about(path: Path) -> ClipAbout | None:
    """What a page of ours says of the clip in it; None if it is a page without one.

    Raises:
        InputError: The page cannot be read, or what it says is damaged.
    """
    try:
        with path.open("rb") as page:
            head = page.read(_LARGEST_TOLD)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror or error}") from error
    start = head.find(_TOLD.encode())
    if start < 0:
        return None
    damaged = InputError(f"what {path.name} says of its film is damaged")
    end = head.find(_END.strip().encode(), start)
    try:
        return _about(json.loads(head[start + len(_TOLD) : max(end, 0)])["about"])
    except (ValueError, TypeError, KeyError, RecursionError, ShapeError) as error:
        raise damaged from error


def _checked(film: Path, sizes: PackedSizes) -> tuple[bool, float]:
    """Whether the film has sound, and how long its pictures are shown, in seconds: the sound may go on.

    Raises:
        InputError: It is no film that browsers play, or none of packed frames.
    """
    av = library()
    try:
        if film.stat().st_size > _LARGEST:
            raise InputError(f"{film.name} is larger than 3 GB", hint="Give a part of the film with --from and --to.")
        with av.open(str(film)) as source:
            picture = source.streams.video[0].codec_context if source.streams.video else None
            if picture is None or (picture.name, picture.pix_fmt) != ("h264", "yuv420p"):
                raise InputError(f"{film.name} is no H.264 film of 8 bits, which is what browsers play")
            if (picture.width, picture.height) != (sizes.frame.width, sizes.frame.height):
                shown = f"{picture.width}×{picture.height}"
                raise InputError(f"{film.name} has frames of {shown}, not packed ones of {sizes.frame}")
            track = source.streams.video[0]
            if track.duration is None or track.time_base is None:
                raise InputError(f"{film.name} does not say how long it is")
            return bool(source.streams.audio), float(track.duration * track.time_base)
    except (OSError, av.FFmpegError) as error:
        raise InputError(f"{film.name} cannot be read: {error}") from error


def _elements(source: BinaryIO) -> Generator[str]:
    while data := source.read(_ELEMENT):
        yield _START
        yield base64.b64encode(data).decode("ascii")
        yield _END


def _panel(told: ClipAbout) -> str:
    said = (
        "The depth of this film was estimated by a computer. Shapes and distances in it can be wrong. "
        "What comes to light behind outlines was seen by no camera: it is invented."
    )
    assumed = any(shot.metres is None for shot in told.shots)
    scale = "assumed. Lengths in metres are not to be relied on." if assumed else "from the depth."
    view = f"{told.fov_x_deg:.0f}° wide, {told.size}, {len(told.shots)} {'shot' if len(told.shots) == 1 else 'shots'}"
    rows = [*source_rows(told.provenance), ("Film", view), ("Scale", scale), *step_rows(told.provenance)]
    return about(said, rows, told.provenance.warnings)


def _plain(told: ClipAbout, seconds: float, sound: bool) -> dict[str, Any]:
    """What the player has to know (web/src/told.ts), and under "about" all that :func:`read_about` gives back."""
    sizes = told.sizes
    shots = [[shot.start, shot.near, shot.far, shot.metres] for shot in told.shots]
    return {
        "colour": [sizes.colour.width, sizes.colour.height],
        "depth": [sizes.depth.width, sizes.depth.height],
        "frame": [sizes.frame.width, sizes.frame.height],
        "top": sizes.top,
        "strip": sizes.strip,
        "cell": CELL,
        "ruler": [level / 255 for level in RULER],
        "waves": WAVES,
        "fov": told.fov_x_deg,
        "fps": told.fps,
        "seconds": seconds,
        "sound": sound,
        "share": told.safe_share,
        "shots": shots,
        "about": {
            "size": [told.size.width, told.size.height],
            "fps": told.fps,
            "fov_x_deg": told.fov_x_deg,
            "shots": shots,
            "title": told.title,
            "safe_share": told.safe_share,
            "longest": told.longest,
            "provenance": to_plain(told.provenance),
        },
    }


def _about(plain: object) -> ClipAbout:
    """The inverse of what :func:`_plain` puts under "about"; whatever is wrong raises what Python raises for it."""
    if not is_object(plain) or not is_list(plain["shots"]):
        raise TypeError("no object")
    width, height = (int(side) for side in plain["size"])
    shots = (ClipShot(float(s), float(n), float(f), None if m is None else float(m)) for s, n, f, m in plain["shots"])
    return ClipAbout(
        Size(width, height),
        float(plain["fps"]),
        float(plain["fov_x_deg"]),
        tuple(shots),
        from_plain(plain["provenance"]),
        None if plain["title"] is None else str(plain["title"]),
        float(plain["safe_share"]),
        int(plain["longest"]),
    )
