"""DICOM segmentations: one frame a slice and segment, put together to a label map.

Source: PS3.3 A.51 and C.8.20 (segmentation), C.10.7.1.1 (colours: CIE Lab as whole numbers).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.dicom_frames import Frame, Values, frames_of, head_of
from unflat.formats.dicom_parse import TAGS, Elements, Head
from unflat.formats.dicom_pixels import reading
from unflat.formats.dicom_stacks import normal_of
from unflat.formats.label_names import Names, labels_of
from unflat.formats.volume_blobs import Blob
from unflat.formats.volume_parts import check_memory
from unflat.types.arrays import F64
from unflat.types.volume import Grid, Label, LabelMap

SOP_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation, and label map segmentation."""
_MOST_SLICES = 20_000
_HINT = "Save the segmentation again, or as NIfTI."
_D65 = (0.95047, 1.0, 1.08883)


def is_seg(blob: Blob) -> bool:
    """Whether a file is a DICOM segmentation."""
    try:
        head = head_of(blob)
    except InputError:
        return False
    return head is not None and Values(head.big, head.elements).word("sop_class") in SOP_CLASSES


def read_seg(blob: Blob, lists: list[Names]) -> LabelMap:
    """Read a segmentation; where segments overlap the one of the higher number has the voxel.

    Args:
        blob: The file.
        lists: Names to be preferred to those in it.

    Raises:
        InputError: It is none, or damaged.
        MissingExtraError: Its frames are packed, and the decoders are not installed.
    """
    head = head_of(blob)
    if head is None:
        raise InputError("it is no DICOM segmentation", hint=_HINT)
    top = Values(head.big, head.elements)
    frames = [frame for frame in frames_of(blob, head) if None not in (frame.place, frame.axes, frame.spacing)]
    if not frames:
        raise InputError("it does not tell where its segments are in the patient", hint=_HINT)
    labelmap = top.word("sop_class") == SOP_CLASSES[1] or top.word("segmentation_type") == "LABELMAP"
    numbers_of = _segments_of_frames(head)
    slots, matrix = _laid(frames)
    shape = (int(slots.max()) + 1, frames[0].pixels.rows, frames[0].pixels.columns)
    check_memory(2 * shape[0] * shape[1] * shape[2])
    numbers = np.zeros(shape, np.uint16)
    with reading() as reader:
        for frame, slot in zip(frames, slots.tolist(), strict=True):
            values = reader.stored(frame)
            into = numbers[int(slot)]
            if labelmap:
                np.maximum(into, values.astype(np.uint16), out=into)
                continue
            number = numbers_of.get(frame.index, 1)
            full = 1 if frame.pixels.allocated == 1 else max(top.whole("most") or 255, 1)
            into[(2 * values.astype(np.int64) >= full) & (into < number)] = number
    found: set[int] = set()
    for plane in numbers:
        found |= set(np.unique(plane).tolist())
    affine = matrix.copy()
    affine[:3] /= 1000
    if not found - {0}:
        raise InputError("nothing is labelled in it", hint=_HINT)
    return LabelMap(numbers, Grid(shape, affine), labels_of(found, lists, dict(_told(top, head))))


def _segments_of_frames(head: Head) -> dict[int, int]:
    """Which segment each frame shows."""
    found: dict[int, int] = {}
    top = Values(head.big, head.elements)
    shared = _number_in(head, top.items("shared")[:1])
    for index, item in enumerate(top.items("per_frame")):
        number = _number_in(head, [item]) or shared
        if number:
            found[index] = number
    return found


def _number_in(head: Head, items: list[Elements]) -> int | None:
    for item in items:
        for inner in Values(head.big, item).items("segment_of_frame"):
            return Values(head.big, inner).whole("referenced_segment")
    return None


def _laid(frames: list[Frame]) -> tuple[NDArray[np.int64], F64]:
    """Which slice each frame is, and from voxels to millimetres; slices that hold nothing are not in the file.

    Raises:
        InputError: The frames lie across each other, or at no even distances.
    """
    first = frames[0]
    row, column, normal = normal_of(first)
    if any(not np.allclose(frame.axes or (), first.axes or (), atol=1e-3) for frame in frames):
        raise InputError("its frames lie across each other", hint=_HINT)
    places = np.array([frame.place for frame in frames], np.float64)
    along = places @ normal
    apart = np.diff(np.unique(np.round(along, 3)))
    apart = apart[apart > 0.01]
    step = float(apart.min()) if len(apart) else float(first.between or 1.0)
    slots = np.rint((along - along.min()) / step).astype(np.int64)
    if slots.max() >= _MOST_SLICES or np.abs(along - along.min() - slots * step).max() > 0.1 * step:
        raise InputError("its frames do not lie at even distances", hint=_HINT)
    spacing = first.spacing or (1.0, 1.0)
    low, high = int(np.argmin(along)), int(np.argmax(along))
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 3] = row * spacing[1], column * spacing[0], places[low]
    matrix[:3, 2] = normal * step if low == high else (places[high] - places[low]) / slots[high]
    return slots, matrix


def _told(top: Values, head: Head) -> Iterator[tuple[int, Label]]:
    """What the file calls its segments."""
    for item in top.items("segments"):
        values = Values(head.big, item)
        number, name = values.whole("segment_number"), _text(item)
        if number:
            yield number, Label(number, name or f"segment {number}", _color(item, head))


def _text(item: Elements) -> str:
    raw = item.get(TAGS["segment_label"])
    return raw.decode("utf-8", "replace").strip(" \0") if isinstance(raw, bytes) else ""


def _color(item: Elements, head: Head) -> tuple[int, int, int] | None:
    raw = item.get(TAGS["segment_color"])
    if not isinstance(raw, bytes) or len(raw) != 6:
        return None
    lab = struct.unpack((">" if head.big else "<") + "3H", raw)
    lightness, green_red, blue_yellow = lab[0] * 100 / 65535, lab[1] * 255 / 65535 - 128, lab[2] * 255 / 65535 - 128
    y = (lightness + 16) / 116
    curve = np.array([y + green_red / 500, y, y - blue_yellow / 200])
    xyz = np.where(curve > 6 / 29, curve**3, 3 * (6 / 29) ** 2 * (curve - 4 / 29)) * _D65
    light = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]) @ xyz
    light = np.clip(light, 0, 1)
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    red, green, blue = np.rint(255 * srgb).astype(int).tolist()
    return red, green, blue
