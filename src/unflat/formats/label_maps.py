"""Label maps: which part of the body each voxel is, from NIfTI, NRRD, MetaImage, DICOM SEG, or a folder of masks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats import dicom_seg, metaimage, nifti, nrrd
from unflat.formats.label_names import SUFFIXES, Names, labels_of, read_names
from unflat.formats.volume_blobs import Blob, blobs
from unflat.formats.volume_parts import Plane, Stack, check_memory, too_large
from unflat.types.arrays import F64
from unflat.types.volume import Grid, Label, LabelMap

_HEAD = 4096
_MOST = 4096
"""More different numbers than any map of a body has: it is a scan."""
_HINT = "A label map holds whole numbers: 0 for nothing, 1, 2, … for the parts."
_BESIDE = ("labels", "classes", "dataset", "label_names")


def read_labels(path: Path, names: Path | None = None) -> LabelMap:
    """Read a label map, in metres of patient LPS.

    A folder or an archive of several files is taken as one mask a file, each called as its file is; where two masks
    hold the same voxel the later one has it. Only labels that occur are listed.

    Args:
        path: A NIfTI, NRRD (3D Slicer's names and colours are known), MetaImage or DICOM SEG file, or a folder.
        names: What the numbers are called; without it the names are looked for beside the file, under its own name or
            as ``labels``, ``classes``, ``dataset`` or ``label_names``, and in the file itself.

    Raises:
        InputError: It is no label map, is damaged, or its masks do not fit on each other.
        MemoryLimitError: It does not fit in memory.
    """
    given = blobs(path)
    lists = [found for blob in (blobs(names) if names is not None else []) for found in read_names(blob)]
    files = [blob for blob in given if _reader(blob) is not None or _is_seg(blob)]
    if not files:
        raise InputError("there is no label map in it", hint="Give NIfTI, NRRD, MetaImage or DICOM SEG.")
    if len(files) > 1:
        return _of_masks(files, lists)
    blob = files[0]
    lists = lists or _beside(blob)
    if _is_seg(blob):
        return dicom_seg.read_seg(blob, lists)
    if nrrd.is_nrrd(blob.head(_HEAD)):
        return _of_nrrd(blob, lists)
    stack = _stack(blob)
    return numbered(stack.planes([]), _grid(stack.shape, stack.mm_from_voxel), lists)


def numbered(planes: Iterator[Plane], grid: Grid, lists: list[Names] | None = None) -> LabelMap:
    """A label map of planes of numbers, called by the lists or by their numbers.

    Raises:
        InputError: They are no whole numbers from 0 on, or too many different ones.
        MemoryLimitError: They do not fit in memory.
    """
    numbers = _numbers(planes, grid.shape)
    return LabelMap(numbers, grid, labels_of(_occurring(numbers), lists or []))


def _reader(blob: Blob) -> Any:
    head = blob.head(_HEAD)
    if blob.suffix in nifti.SUFFIXES and nifti.is_nifti(head):
        return nifti.read_stack
    if nrrd.is_nrrd(head):
        return nrrd.read_stack
    if blob.suffix in metaimage.SUFFIXES and metaimage.is_metaimage(head):
        return metaimage.read_stack
    return None


def _is_seg(blob: Blob) -> bool:
    return dicom_seg.is_seg(blob)


def _stack(blob: Blob) -> Stack:
    return _reader(blob)(blob, [])


def _grid(shape: tuple[int, int, int], mm_from_voxel: F64) -> Grid:
    affine = mm_from_voxel.copy()
    affine[:3] /= 1000
    return Grid(shape, affine)


def _beside(blob: Blob) -> list[Names]:
    """The names that lie beside a file."""
    name = PurePosixPath(blob.name).name
    stem = re.sub(r"(\.seg)?(\.nii)?(\.gz)?$", "", name[: len(name) - len(blob.suffix)] + blob.suffix)
    stem = re.sub(r"\.(nrrd|nhdr|mha|mhd|dcm|hdr)$", "", stem)
    for base in (stem, stem.removesuffix(".seg"), *_BESIDE):
        for suffix in SUFFIXES:
            found = blob.beside(base + suffix)
            if found is not None:
                try:
                    return read_names(found)
                except InputError:
                    continue  # some other list of that name
    return []


def _numbers(planes: Iterator[Plane], shape: tuple[int, int, int]) -> NDArray[Any]:
    """(slices, rows, columns) of uint8, uint16 or uint32, as narrow as they fit.

    Raises:
        InputError: They are no whole numbers from 0 on.
        MemoryLimitError: They do not fit in memory.
    """
    check_memory(int(np.prod([float(side) for side in shape])))
    try:
        numbers: NDArray[Any] = np.zeros(shape, np.uint8)
        for k, plane in enumerate(planes):
            if plane.dtype.kind == "f" and not np.array_equal(plane, np.rint(plane)):
                raise InputError("its values are no whole numbers", hint=_HINT)
            low, high = float(plane.min()), float(plane.max())
            if low < 0 or high > 2**32 - 1:
                raise InputError("its values are no numbers of labels", hint=_HINT)
            kind = np.uint8 if high < 2**8 else np.uint16 if high < 2**16 else np.uint32
            numbers = numbers.astype(np.promote_types(numbers.dtype, kind), copy=False)
            numbers[k] = plane
    except MemoryError as error:
        raise too_large(int(np.prod([float(side) for side in shape]))) from error
    return numbers


def _occurring(numbers: NDArray[Any]) -> list[int]:
    """The numbers that occur, 0 left out.

    Raises:
        InputError: There are too many of them, or none.
    """
    found: set[int] = set()
    for plane in numbers:
        found |= set(np.unique(plane).tolist())
        if len(found) > _MOST:
            raise InputError("it holds too many different numbers to be a label map", hint=_HINT)
    found -= {0}
    if not found:
        raise InputError("nothing is labelled in it", hint=_HINT)
    return sorted(found)


def _of_nrrd(blob: Blob, lists: list[Names]) -> LabelMap:
    """A label map of 3D Slicer, whose segments may lie over each other in several layers."""
    found = nrrd.read_header(blob, [])
    segments = _segments(found.keys)
    shape = found.voxels.shape
    if found.layers == 1:
        numbers = _numbers(found.voxels.planes(), shape)
        told = {value: Label(value, name, color) for (_, value), (name, color) in segments.items()}
        return LabelMap(numbers, _grid(shape, found.matrix), labels_of(_occurring(numbers), lists, told))
    if not segments:
        raise InputError("it holds several volumes and does not tell what they are", hint=_HINT)
    numbers = np.zeros(shape, np.uint16)
    told: dict[int, Label] = {}
    for layer in range(min(found.layers, 1 + max(layer for layer, _ in segments))):
        values = _numbers(found.layer(layer).planes(), shape)
        for (_, value), (name, color) in sorted(one for one in segments.items() if one[0][0] == layer):
            number = len(told) + 1
            told[number] = Label(number, name, color)
            numbers[values == value] = number
    return LabelMap(numbers, _grid(shape, found.matrix), labels_of(_occurring(numbers), lists, told))


def _segments(keys: dict[str, str]) -> dict[tuple[int, int], tuple[str, tuple[int, int, int] | None]]:
    """(layer, value) to name and colour of Slicer's segments."""
    segments: dict[tuple[int, int], tuple[str, tuple[int, int, int] | None]] = {}
    for key, name in keys.items():
        if not key.endswith("_Name"):
            continue
        start = key.removesuffix("_Name")
        value, layer = keys.get(f"{start}_LabelValue", ""), keys.get(f"{start}_Layer", "0")
        if not re.fullmatch(r"\d{1,9}", value) or not re.fullmatch(r"\d{1,4}", layer):
            continue
        segments[int(layer), int(value)] = (name, _unit_color(keys.get(f"{start}_Color", "")))
    return segments


def _unit_color(text: str) -> tuple[int, int, int] | None:
    try:
        r, g, b = (round(255 * min(max(float(word), 0), 1)) for word in text.split())
    except ValueError:
        return None
    return r, g, b


def _of_masks(files: list[Blob], lists: list[Names]) -> LabelMap:
    """One mask a file, on one grid.

    Raises:
        InputError: They do not fit on each other.
    """
    if len(files) > _MOST:
        raise InputError(f"it holds more than {_MOST} masks", hint="Give the folder of one scan's masks.")
    numbers: NDArray[Any] | None = None
    grid: Grid | None = None
    told: dict[int, Label] = {}
    for number, blob in enumerate(files, 1):
        stack = _stack(blob) if not _is_seg(blob) else None
        if stack is None:
            raise InputError("it holds several files of labels, some of them DICOM", hint="Give one of them.")
        own = _grid(stack.shape, stack.mm_from_voxel)
        if numbers is None or grid is None:
            numbers, grid = np.zeros(own.shape, np.uint8 if len(files) < 256 else np.uint16), own
        if own.shape != grid.shape or not np.allclose(own.lps_from_voxel, grid.lps_from_voxel, atol=1e-5):
            raise InputError("the masks in the folder do not lie on one grid", hint="Give masks of one scan.")
        held: set[float] = set()
        for plane, into in zip(stack.planes([]), numbers, strict=True):
            inside = plane > 0
            into[inside] = number
            held |= {float(plane[inside].min()), float(plane[inside].max())} if inside.any() else set()
        if len(held) > 1:
            raise InputError("a file of the folder is no mask: it holds several numbers", hint="Give it by itself.")
        told[number] = Label(number, _stem(blob))
    assert numbers is not None and grid is not None
    return LabelMap(numbers, grid, labels_of(_occurring(numbers), lists, told))


def _stem(blob: Blob) -> str:
    name = PurePosixPath(blob.name).name
    return name[: len(name) - len(blob.suffix)] or name
