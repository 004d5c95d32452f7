"""A pair of views as files: one picture of both, both in turn, two files, or a container of two pictures.

Author, copyright and the time at which the photograph was taken go along, nothing else of its metadata. Pictures that
show colours as they are keep the photograph's colour profile; what mixes them, or comes in turn, becomes sRGB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np

from unflat.errors import InputError, ShapeError
from unflat.formats import mpo, spatial_heic, vr180_photo
from unflat.formats.atomic import replacing, translated
from unflat.formats.colour import recoloured
from unflat.formats.hevc_still import new_coder
from unflat.formats.image import check_suffix, encoded
from unflat.formats.picture_story import film_words, picture_words
from unflat.formats.stereo_names import name_for, signs_of_stem
from unflat.formats.video import check_suffix as check_film_suffix
from unflat.formats.video import fitted, write_film
from unflat.geometry.ground import off_ground
from unflat.geometry.layout import unpacked
from unflat.types.arrays import U8
from unflat.types.image import Image, Size
from unflat.types.provenance import Provenance
from unflat.types.stereo import Layout, StereoPair

VIEWS_APART: Final = ("_left", "_right")
"""What is added to the names of the two files of ``Layout.PAIR``."""
_TURNS: Final = (".gif", ".webp", ".mp4")
_FILM_FPS, _FILM_SECONDS = 30, 6
_BY_ENDING: Final[dict[str, Layout]] = {
    vr180_photo.SUFFIX: Layout.VR180,
    ".mpo": Layout.MPO,
    ".gif": Layout.WIGGLE,
    ".mp4": Layout.WIGGLE,
    ".jps": Layout.CROSS,
    ".heic": Layout.SPATIAL,
}
"""Endings of names that only one layout has. A JPS is a JPEG of two views for crossed eyes."""
_CONTAINERS: Final = {Layout.MPO: ".mpo", Layout.SPATIAL: ".heic"}
_SEE_THROUGH: Final = (
    *(None, Layout.PAIR, Layout.FULL_SBS, Layout.HALF_SBS),
    *(Layout.FULL_TB, Layout.HALF_TB, Layout.CROSS),
)
_ALPHA: Final = (".png", ".webp", ".tif", ".tiff", ".avif")
_MIXING = (Layout.ANAGLYPH, Layout.RGBD)


@dataclass(frozen=True, slots=True)
class Writing:
    """What a writer of stereo pictures is told.

    Attributes:
        story: Where it all came from.
        pack: Two views to one picture, for layouts that are one.
        cover: What of each view is opaque, (h, w) uint8 each, where the views lie on white; formats that can keep it.
        quality: 1..100, of JPEG, WebP and AVIF.
        turns: Views a second, where they come in turn.
        force: Replace files that exist.
    """

    story: Provenance
    pack: Callable[[U8, U8], U8] | None = None
    cover: tuple[U8, U8] | None = None
    quality: int = 95
    turns: float = 6.0
    force: bool = False

    def packed(self, pair: StereoPair) -> U8:
        """The picture that holds both views.

        Raises:
            ShapeError: Nobody said how.
        """
        if self.pack is None:
            raise ShapeError("two views in one picture need to be told how they lie there")
        return self.pack(pair.left, pair.right)

    def packed_cover(self) -> U8:
        """What of that picture is opaque, (h, w) uint8.

        Raises:
            ShapeError: Nobody said how, or all of it is.
        """
        if self.pack is None or self.cover is None:
            raise ShapeError("the cover of two views needs both of them, and how they lie in the picture")
        return self.pack(*(np.repeat(view[..., None], 3, 2) for view in self.cover))[..., 0]


def layout_in_name(path: Path) -> Layout | None:
    """The layout that the name of an output asks for, by its ending or by the words that players know."""
    signs = signs_of_stem(path.stem)
    return _own_layout(path) or (signs.layout if signs is not None else None)


def _own_layout(path: Path) -> Layout | None:
    """The layout that the ending of a name stands for, if it stands for one only."""
    return next((layout for end, layout in _BY_ENDING.items() if path.name.lower().endswith(end)), None)


def default_name(layout: Layout, stem: str, word: str = "") -> str:
    """The name, with its suffix, by which players know the layout; ``word`` stands at its end."""
    suffix = {Layout.WIGGLE: ".gif", Layout.MPO: ".mpo", Layout.SPATIAL: ".heic"}.get(layout, ".jpg")
    return name_for(layout, stem) + (f"_{word}" if word else "") + suffix


def targets(path: Path, layout: Layout) -> tuple[Path, ...]:
    """The files that are written for an output."""
    if layout is not Layout.PAIR:
        return (path,)
    return tuple(path.with_name(f"{path.stem}{side}{path.suffix}") for side in VIEWS_APART)


def check_place(path: Path, layout: Layout) -> None:
    """Say early that a layout is not written to files of that name.

    Raises:
        InputError: It is not.
        MissingExtraError: It needs a package that is not installed.
    """
    own = _own_layout(path)
    if own not in (None, layout):
        raise InputError(
            f"{path.name} would be {own.value}, not {layout.value}",
            hint="Leave out --layout, or choose another suffix with -o.",
        )
    if layout is Layout.WIGGLE:
        if path.suffix.lower() not in _TURNS:
            raise InputError(f"no wiggle is written to {path.name}", hint=f"Known suffixes: {' '.join(_TURNS)}")
        check_film_suffix(path)
    elif layout in _CONTAINERS:
        if path.suffix.lower() != _CONTAINERS[layout]:
            raise InputError(
                f"{layout.value} is not written to {path.name}", hint=f"Its suffix is {_CONTAINERS[layout]}."
            )
        if layout is Layout.SPATIAL:
            new_coder()
    elif path.suffix.lower() != ".jps":
        check_suffix(path)


def keeps_cover(path: Path, layout: Layout | None) -> bool:
    """Whether what is transparent can stay so; None is one view alone."""
    return layout in _SEE_THROUGH and path.suffix.lower() in _ALPHA


class Written(NamedTuple):
    """The files that were written, and what a format asks for and had to be assumed, in words for the user."""

    files: list[Path]
    notes: tuple[str, ...] = ()


def write_stereo(pair: StereoPair, path: Path, layout: Layout, how: Writing) -> Written:
    """Write two views.

    Args:
        pair: What the eyes see; for ``Layout.RGBD`` the right view is the depth in grey.
        path: Where to; :func:`check_place` says what is allowed.
        layout: How they become one file.
        how: What else is told.

    Raises:
        InputError: The name is of no format for that layout, or the picture is too large for it.
        OutputError: A place cannot be written, or a file there would be lost.
    """
    check_place(path, layout)
    if layout is Layout.WIGGLE:
        turns = _turns(in_srgb(pair), path, how)
        return Written(write_film(turns, path, _fps(path, how), film_words(how.story), force=how.force))
    if layout in _CONTAINERS or path.name.lower().endswith(vr180_photo.SUFFIX):
        return _write_container(pair, path, layout, how)
    if layout is Layout.PAIR:
        views = dict(zip(targets(path, layout), (pair.left, pair.right), strict=True))
        return Written(write_views(pair, views, how, cover=how.cover or ()))
    pair = in_srgb(pair) if layout in _MIXING else pair
    cover = (how.packed_cover(),) if how.cover is not None and keeps_cover(path, layout) else ()
    return Written(write_views(pair, {path: how.packed(pair)}, how, cover=cover, fine=layout is Layout.ANAGLYPH))


def write_views(
    pair: StereoPair, views: dict[Path, U8], how: Writing, *, cover: Sequence[U8] = (), fine: bool = False
) -> list[Path]:
    """Write pictures of the colours of a pair: all of them or none.

    Args:
        pair: Whose source and profile they have.
        views: Where to, and (h, w, 3) uint8 each.
        how: What else is told.
        cover: Of each of the views, in their order, (h, w) uint8; none where they are opaque.
        fine: Colours keep their full resolution.
    """
    told, covers = picture_words(how.story), dict(zip(views, cover, strict=False))
    with replacing(*views, force=how.force) as drafts:
        for draft, (path, pixels) in zip(drafts, views.items(), strict=True):
            row = "JPEG" if path.suffix.lower() == ".jps" else check_suffix(path)
            alpha = None if row == "JPEG" else covers.get(path)
            image = Image(pixels if alpha is None else off_ground(pixels, alpha), alpha, source=pair.source)
            data = encoded(image, row, how.quality, told, fine=fine, dated=True, profile=pair.profile)
            try:
                draft.write_bytes(data)
            except OSError as error:
                raise translated(error, path) from error
    return list(views)


def in_srgb(pair: StereoPair) -> StereoPair:
    """The same pair in sRGB."""
    if pair.profile is None:
        return pair
    left, right = (recoloured(np.ascontiguousarray(view), pair.profile)[0] for view in (pair.left, pair.right))
    return replace(pair, left=left, right=right, profile=None)


def _write_container(pair: StereoPair, path: Path, layout: Layout, how: Writing) -> Written:
    """Two pictures in one file."""
    if layout is Layout.VR180:
        left, right = unpacked(how.packed(pair), layout)
        pair = replace(pair, left=left, right=right, left_made=None, right_made=None)
    told = picture_words(how.story)
    if layout is Layout.SPATIAL:
        return Written([path], spatial_heic.write(pair, path, force=how.force, quality=how.quality, text=told))
    write = vr180_photo.write if layout is Layout.VR180 else mpo.write
    write(pair, path, force=how.force, quality=how.quality, text=told)
    return Written([path])


def _fps(path: Path, how: Writing) -> float:
    return _FILM_FPS if path.suffix.lower() == ".mp4" else how.turns


def _turns(pair: StereoPair, path: Path, how: Writing) -> Iterator[U8]:
    """Left and right in turn: once where the file begins anew by itself, for some seconds in a film."""
    size = fitted(path, pair.size)
    views = [_shrunk(view, size) for view in (pair.left, pair.right)]
    if path.suffix.lower() != ".mp4":
        yield from views
        return
    held = _FILM_FPS / how.turns
    for number in range(_FILM_FPS * _FILM_SECONDS):
        yield views[int(number / held) % 2]


def _shrunk(view: U8, size: Size) -> U8:
    """A view at the size of a frame; odd sides lose a row or a column, for a film's are even."""
    h, w = view.shape[:2]
    if (w - size.width, h - size.height) in ((0, 0), (0, 1), (1, 0), (1, 1)):
        return np.ascontiguousarray(view[: size.height, : size.width])
    return np.asarray(cv2.resize(view, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)
