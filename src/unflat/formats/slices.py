"""Pictures of slices: a folder of PNG, TIFF, BMP or JPEG files in the order of their names, or a TIFF of many pages.

They do not tell how large they are, so the user has to. Left and right, top and bottom are assumed: rows go to the
patient's left, columns to the back, the first slice is the lowest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile, UnidentifiedImageError

from unflat.errors import InputError
from unflat.formats.decode import foreign_faults, opened
from unflat.formats.sniff import kind_of
from unflat.formats.tiff import check_compressed, check_pages
from unflat.formats.volume_blobs import Blob
from unflat.formats.volume_parts import UNPLACED, Plane, ReadOptions, Stack

_KINDS = ("PNG", "TIFF", "BMP", "JPEG")
_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg")
_HEAD = 64
_MOST_PIXELS, _MOST_PAGES, _LARGEST = 1 << 28, 20_000, 1 << 32
_WHOLE = {"1": np.uint8, "L": np.uint8, "I;16": np.uint16, "I;16L": np.uint16, "I;16B": np.uint16, "I": np.int32}
_HINT = "Save the slices as grey PNG or TIFF pictures of one size."


def is_picture(blob: Blob) -> bool:
    """Whether a file is called and begins as a picture of a slice."""
    return blob.suffix in _SUFFIXES and kind_of(blob.head(_HEAD), blob.suffix) in _KINDS


def shape_of(blobs: Sequence[Blob]) -> tuple[int, int, int]:
    """(slices, rows, columns) of pictures, or of the pages of one.

    Raises:
        InputError: It is one slice only, or the picture is damaged or too large.
    """
    with foreign_faults("the first slice"):
        picture = _opened(blobs[0], "the first slice")
        count = len(blobs) if len(blobs) > 1 else int(getattr(picture, "n_frames", 1))
        width, height = picture.size
    if count < 2:
        raise InputError("it is one picture, and a volume needs two slices or more", hint="Give the folder of all.")
    if count > _MOST_PAGES or not 2 <= width * height <= _MOST_PIXELS:
        raise InputError("the pictures are too large or too many", hint=_HINT)
    return count, height, width


def read_stack(blobs: Sequence[Blob], shape: tuple[int, int, int], options: ReadOptions) -> Stack:
    """Pictures as a stack of slices.

    Raises:
        InputError: Nobody has said how large a voxel is.
    """
    told = options.spacing_mm
    if told is None:
        raise InputError(
            "pictures do not tell how large they are in the body",
            hint="Say it in millimetres: --spacing-mm COLUMN ROW SLICE, as 0.5 0.5 1",
        )
    check_spacing(told)
    matrix = np.diag([*told, 1.0])

    def planes(notes: list[str]) -> Iterator[Plane]:
        notes.append(UNPLACED)
        for number, picture in enumerate(_pictures(blobs, shape[0]), 1):
            yield _grey(picture, f"slice {number}", shape[1:], notes)

    return Stack(shape, np.dtype(np.uint8), matrix, planes)


def check_spacing(spacing: tuple[float, float, float]) -> None:
    """Refuse what can be no distances.

    Raises:
        InputError: Not three numbers above zero.
    """
    if len(spacing) != 3 or not all(np.isfinite(spacing)) or min(spacing) < 1e-4 or max(spacing) > 1e3:
        raise InputError("--spacing-mm needs three distances between 0.0001 and 1000 mm", hint="As 0.5 0.5 1")


def _opened(blob: Blob, name: str) -> ImageFile.ImageFile:
    if blob.size > _LARGEST:
        raise InputError(f"{name} is too large", hint=_HINT)
    data = blob.head(blob.size)
    kind = kind_of(data[:_HEAD], blob.suffix)
    if kind is None:
        raise UnidentifiedImageError("it begins as no picture")
    picture = opened(data, kind)
    if picture.width * picture.height > _MOST_PIXELS:
        raise InputError(f"{name} is too large", hint=_HINT)
    if kind == "TIFF" and getattr(picture, "n_frames", 1) == 1:
        check_compressed(picture, data, name)
    return picture


def _pictures(blobs: Sequence[Blob], count: int) -> Iterator[ImageFile.ImageFile]:
    if len(blobs) > 1:
        for number, blob in enumerate(blobs, 1):
            with foreign_faults(f"slice {number}"):
                picture = _opened(blob, f"slice {number}")
            yield picture
        return
    with foreign_faults("the first slice"):
        data = blobs[0].head(blobs[0].size)
        picture = opened(data, "TIFF")
    checked = False
    for page in range(count):
        with foreign_faults(f"slice {page + 1}"):
            picture.seek(page)
            if not checked and any(tile[0] == "libtiff" for tile in picture.tile):
                check_pages(data, "the file")
                checked = True
        yield picture


def _grey(picture: ImageFile.ImageFile, name: str, size: tuple[int, int], notes: list[str]) -> NDArray[Any]:
    """(rows, columns) of one slice; colours become their brightness, and it is said once.

    Raises:
        InputError: Damaged, or of another size than the first.
    """
    if picture.size != size[::-1]:
        raise InputError(f"{name} is of another size than the first", hint=_HINT)
    with foreign_faults(name):
        if picture.mode == "F":
            return np.asarray(picture, np.float32).astype(np.float64)
        if picture.mode in _WHOLE:
            return np.asarray(picture).astype(_WHOLE[picture.mode])
        note = "its pictures are coloured: their brightness was taken"
        if note not in notes:
            notes.append(note)
        return np.asarray(picture.convert("RGB").convert("L"))
