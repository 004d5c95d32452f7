"""DICOM: the volumes among files of any name, and one of them read slice by slice."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats import slices
from unflat.formats.dicom_frames import Frame, frames_of, head_of
from unflat.formats.dicom_pixels import Reader, reading, turned_light
from unflat.formats.dicom_stacks import SliceStack, stacks_of
from unflat.formats.volume_blobs import Blob
from unflat.formats.volume_parts import UNPLACED, Plane, ReadOptions, Series, Stack
from unflat.types.volume import Modality

_PARTS = (
    *(
        "ABDOMEN",
        "ABDOMENPELVIS",
        "ANKLE",
        "ARM",
        "BRAIN",
        "BREAST",
        "CHEST",
        "CHESTABDOMEN",
        "CHESTABDPELVIS",
        "CSPINE",
    ),
    *("ELBOW", "EXTREMITY", "FEMUR", "FOOT", "FOREARM", "HAND", "HEAD", "HEADNECK", "HEART", "HIP", "HUMERUS", "JAW"),
    *("KNEE", "LEG", "LSPINE", "LUNG", "MANDIBLE", "MAXILLA", "NECK", "ORBIT", "PELVIS", "SHOULDER", "SKULL", "SPINE"),
    *("TEETH", "THIGH", "THORAX", "TSPINE", "WHOLEBODY", "WRIST"),
)
"""Body parts that are named; others might be anybody's words."""
_KERNEL = re.compile(
    r"[A-Z]{1,3}\d{1,3}[a-z]?(/\d)?|STANDARD|BONE|BONEPLUS|SOFT|LUNG|DETAIL|EDGE|CHST|ULTRA|FC\d\d|[A-F]"
)
_COLOUR = ("RGB", "PALETTE COLOR", "YBR")
_SEG = "1.2.840.10008.5.1.4.1.1.66.4"
_FEW = 0.5
_MOST_PACKED, _SMALL = 4000, 1 << 24
"""Pixels that one byte can unpack to on average, and how many need no such doubts."""


def series_of(blobs: Iterable[Blob], options: ReadOptions) -> tuple[list[Series], list[str]]:
    """The DICOM volumes among files, unsorted, and why others were left out, one reason a file."""
    frames: list[Frame] = []
    reasons: list[str] = []
    for blob in blobs:
        try:
            head = head_of(blob)
            if head is None:
                continue
            found = list(frames_of(blob, head))
            reason = _refusal(found[0])
            if reason is None:
                frames += found
            else:
                reasons.append(reason)
        except InputError as error:
            reasons.append(str(error))
    told = options.spacing_mm
    if told is not None:
        slices.check_spacing(told)
        frames = [_assumed(frame, told) for frame in frames]
    placed = [frame for frame in frames if _placed(frame)]
    missing = "it does not tell where its pictures are in the patient (--spacing-mm says how far apart they are)"
    reasons += [missing] * (len(frames) - len(placed))
    found = stacks_of(placed)
    series = [_series(stack) for stack in found if stack.count > 1]
    reasons += ["it is one slice, and a volume needs two or more" for stack in found if stack.count == 1]
    return series, reasons


def _placed(frame: Frame) -> bool:
    return None not in (frame.place, frame.axes, frame.spacing)


def _assumed(frame: Frame, spacing_mm: tuple[float, float, float]) -> Frame:
    """A frame that does not tell its place, lying as the user says and in the order of its number."""
    if _placed(frame):
        return frame
    return replace(
        frame,
        place=(0.0, 0.0, frame.number * spacing_mm[2]),
        axes=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
        spacing=(spacing_mm[1], spacing_mm[0]),
        assumed=True,
    )


def common_reason(reasons: list[str]) -> str:
    """The reason that most files share."""
    return Counter(reasons).most_common(1)[0][0]


def _refusal(frame: Frame) -> str | None:
    pixels = frame.pixels
    if frame.facts.sop_class == _SEG:
        return "it is a segmentation: give it with --labels"
    if pixels.samples != 1 or pixels.photometric.startswith(_COLOUR):
        return "it holds colour pictures, not measured slices"
    if frame.facts.modality == "US":
        return "it is ultrasound, whose pictures do not lie beside each other"
    return None


def _series(stack: SliceStack) -> Series:
    first = stack.frames[0]
    modality: Modality = first.facts.modality if first.facts.modality in ("CT", "MR") else "other"  # type: ignore[assignment]
    spacing = np.linalg.norm(stack.mm_from_voxel[:3, :3], axis=0).round(4).tolist()
    return Series(
        number=0,
        kind="dicom",
        modality=modality,
        shape=stack.shape,
        spacing_mm=(spacing[0], spacing[1], spacing[2]),
        title=_title(stack),
        reason="",
        notes=stack.notes,
        images=len(stack.frames),
        stack=lambda options: _stack(stack, modality, options),
    )


def _title(stack: SliceStack) -> str:
    facts = stack.frames[0].facts
    words = [facts.modality if re.fullmatch("[A-Z]{2}", facts.modality) else "DICOM"]
    if _KERNEL.fullmatch(facts.kernel):
        words.append(f"kernel {facts.kernel}")
    part = re.sub(r"[\s_/-]", "", facts.body_part.upper())
    if part in _PARTS:
        words.append(part.lower())
    if facts.contrast:
        words.append("with contrast")
    if "LOCALIZER" in stack.frames[0].kind:
        words.append("localizer")
    return ", ".join(words)


def _stack(stack: SliceStack, modality: Modality, options: ReadOptions) -> Stack:
    """A stack to be read; Hounsfield units are kept as they are, other values of MONOCHROME1 are turned."""
    first = stack.frames[0]
    held = sum({id(frame.pixels): frame.pixels.blob.size for frame in stack.frames}.values())
    if math.prod(stack.shape) > _MOST_PACKED * held + _SMALL:
        raise InputError("it claims to hold more voxels than its bytes can be", hint="The files are damaged.")
    told: Modality = {"auto": modality, "ct": "CT", "mr": "MR"}[options.modality]  # type: ignore[assignment]
    hounsfield = (told == "CT" and first.hounsfield) or options.modality == "ct"
    white_low = first.pixels.photometric == "MONOCHROME1" and not hounsfield

    def planes(notes: list[str]) -> Iterator[Plane]:
        if first.assumed:
            notes.append(UNPLACED)
        if first.pixels.photometric == "MONOCHROME1":
            kept = "its Hounsfield units do not change by that" if hounsfield else "its values were turned round"
            notes.append(f"its pictures show low values white (MONOCHROME1): {kept}")
        if told == "CT" and not hounsfield:
            notes.append("it does not tell how its values become Hounsfield units: they are taken as mere brightness")
        with reading() as reader:
            yield from _spread(_read(stack, reader, white_low, notes), stack)

    return Stack(
        shape=stack.shape,
        dtype=np.dtype(np.int16 if first.pixels.allocated != 8 or first.intercept < 0 else np.uint8),
        mm_from_voxel=stack.mm_from_voxel,
        planes=planes,
        quantity="hu" if hounsfield else "intensity",
        modality=told,
    )


def _read(
    stack: SliceStack, reader: Reader, white_low: bool, notes: list[str]
) -> Iterator[tuple[float, NDArray[Any] | None]]:
    """Where each slice is along the normal, and its values; None where it cannot be read.

    Raises:
        InputError: Too few can be read.
    """
    lost: list[int] = []
    for number, (along, frame) in enumerate(zip(stack.along, stack.frames, strict=True), 1):
        try:
            values = reader.values(frame)
        except InputError as error:
            lost.append(number)
            if len(lost) > _FEW * len(stack.frames):
                raise InputError(f"most of its slices cannot be read: {error}", hint=error.hint) from error
            yield float(along), None
            continue
        yield float(along), turned_light(values, frame) if white_low else values
    if lost:
        told = ", ".join(map(str, lost[:5])) + ", …" * (len(lost) > 5)
        notes.append(f"slice{'s' * (len(lost) > 1)} {told} cannot be read: filled from the neighbours")


def _spread(slices: Iterator[tuple[float, NDArray[Any] | None]], stack: SliceStack) -> Iterator[Plane]:
    """The planes of the volume: slices as they are where they lie on its grid, else mixed of their neighbours."""
    read = ((along, plane) for along, plane in slices if plane is not None)
    start, limit = float(stack.along[0]), 0.5 * 0.05 * stack.step + 1e-9
    even = stack.count == len(stack.frames)
    below: tuple[float, NDArray[Any]] | None = None
    above = next(read, None)
    for k in range(stack.count):
        at = float(stack.along[k]) if even else start + k * stack.step
        while above is not None and above[0] < at - limit:
            below, above = above, next(read, None)
        if above is not None and (below is None or abs(above[0] - at) <= limit):
            yield above[1]
        elif above is None:
            assert below is not None
            yield below[1]
        else:
            assert below is not None
            share = (at - below[0]) / (above[0] - below[0])
            yield _mixed(below[1], above[1], share)
    for _ in read:
        continue


def _mixed(below: NDArray[Any], above: NDArray[Any], share: float) -> Plane:
    mean = below * (1 - share) + above * share
    return np.rint(mean).astype(np.int64) if below.dtype.kind in "iu" and above.dtype.kind in "iu" else mean


def renumbered(series: Series, number: int, reason: str) -> Series:
    """The same at another place of the list."""
    return replace(series, number=number, reason=reason)
