"""Scans: what is in a folder, an archive or a file, without its pixels; then one of them, voxel by voxel.

Nothing that names a patient leaves here: a source is called by what it is ("CT series, 20 slices"), has no digest and
no file name, and neither notes nor errors tell names of files, texts or identifiers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from unflat.errors import InputError
from unflat.formats import dicom, metaimage, nifti, nrrd, slices
from unflat.formats.reserved import with_sidecars
from unflat.formats.volume_blobs import Blob, blobs
from unflat.formats.volume_parts import UNPLACED, Kind, Plane, ReadOptions, Series, Stack, gather, memory_of, steps_for
from unflat.types.provenance import Source
from unflat.types.volume import Modality, Quantity, Volume

__all__ = ["ReadOptions", "Reading", "Series", "choose", "read_volume", "series_in"]

_NAMES: dict[Kind, str] = {
    "dicom": "DICOM",
    "nifti": "NIfTI",
    "nrrd": "NRRD",
    "metaimage": "MetaImage",
    "slices": "picture",
    "array": "array",
}
_LOCALIZER_SLICES = 10
_HEAD = 4096
_AIR_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Reading:
    """A volume that was read.

    Attributes:
        volume: In metres of patient LPS.
        source: What it is, without what it was called.
        notes: What was odd, assumed or changed, in words.
        steps: Of how many columns, rows and slices as stored its voxels are averages.
    """

    volume: Volume
    source: Source
    notes: tuple[str, ...]
    steps: tuple[int, int, int] = (1, 1, 1)

    @property
    def placed(self) -> bool:
        """Whether the files tell how the patient lay."""
        return UNPLACED not in self.notes


def series_in(path: Path, options: ReadOptions | None = None) -> tuple[Series, ...]:
    """The volumes in a folder (and all below it), a ZIP archive or a file, the best first; no pixels are read.

    Args:
        path: What to look at.
        options: For files that do not tell how far their slices are apart.

    Raises:
        InputError: There is no volume; the message is the reason that most files give.
    """
    options = options or ReadOptions()
    given = blobs(path)
    found: list[Series] = []
    reasons: list[str] = []
    pictures: list[Blob] = []
    rest: list[Blob] = []
    for blob in given:
        try:
            reader = next((reader for looks, reader in _FILES if looks(blob)), None)
            if reader is not None:
                found.append(reader(blob))
            elif slices.is_picture(blob):
                pictures.append(blob)
            else:
                rest.append(blob)
        except InputError as error:
            reasons.append(str(error))
    more, why = dicom.series_of(rest, options)
    found, reasons = found + more, reasons + why
    if not found and pictures and not reasons:
        found.append(_slices(pictures, options))
    if not found:
        raise _nothing(reasons, len(given))
    return _ranked([replace(one, place=path) for one in found])


def choose(series: tuple[Series, ...], options: ReadOptions) -> Series:
    """The series that the options ask for, or the best.

    Raises:
        InputError: There is none of that number.
    """
    if options.series is None:
        return series[0]
    wanted = next((one for one in series if one.number == options.series), None)
    if wanted is None:
        raise InputError(f"there is no series {options.series}, only 1 to {len(series)}", hint="Give one of them.")
    return wanted


def read_volume(series: Series, options: ReadOptions | None = None) -> Reading:
    """Read one of the volumes that ``series_in`` found.

    Raises:
        InputError: Damaged.
        MissingExtraError: Its slices are packed, and the decoders are not installed.
        MemoryLimitError: It does not fit in memory.
    """
    options = options or ReadOptions()
    notes = list(series.notes)
    stack = series.stack(options)
    most = memory_of(options.max_memory) if options.max_memory else None
    steps = steps_for(stack, most)
    values, grid = gather(stack, steps, notes)
    modality, quantity = _meaning(stack, values, options, notes)
    volume = Volume(values, grid, quantity, modality)
    if series.kind == "array":
        source = Source.array()
    else:
        word = modality if modality != "other" else _NAMES[series.kind]
        source = Source(f"{word} series, {series.images} slices", None, series.kind)
    if series.place is not None:
        inside = series.place / "0" if series.place.is_dir() else series.place
        source, said = with_sidecars(source, inside)
        notes += said
    return Reading(volume, source, tuple(notes), steps)


def _meaning(stack: Stack, values: Plane, options: ReadOptions, notes: list[str]) -> tuple[Modality, Quantity]:
    """What the values are, where the file does not say."""
    if stack.quantity is not None:
        return stack.modality, stack.quantity
    if options.modality == "ct":
        return "CT", "hu"
    if options.modality == "mr":
        return "MR", "intensity"
    if _looks_hounsfield(values):
        notes.append("it does not tell its scanner; by its values (air at -1000) it was taken for CT (--modality)")
        return "CT", "hu"
    notes.append("it does not tell its scanner; by its values it was not taken for CT (--modality)")
    return "other", "intensity"


def _looks_hounsfield(values: Plane) -> bool:
    """Whether whole numbers have a peak where CT has air, and little between it and fat."""
    if values.dtype != np.int16 or int(values.min()) > -900:
        return False
    counts = np.bincount((values[:: max(len(values) // 64, 1)].ravel().astype(np.int32) + 32768), minlength=65536)
    air, between = counts[32768 - 1100 : 32768 - 900].sum(), counts[32768 - 800 : 32768 - 600].sum()
    return bool(air >= _AIR_SHARE * counts.sum() and air > 2 * between)


def _nifti(blob: Blob) -> Series:
    notes: list[str] = []
    return _of_stack("nifti", nifti.read_stack(blob, notes), notes)


def _nrrd(blob: Blob) -> Series:
    notes: list[str] = []
    return _of_stack("nrrd", nrrd.read_stack(blob, notes), notes)


def _metaimage(blob: Blob) -> Series:
    notes: list[str] = []
    return _of_stack("metaimage", metaimage.read_stack(blob, notes), notes)


def _slices(pictures: list[Blob], options: ReadOptions) -> Series:
    """Pictures of slices; those of the folder that holds the most of them.

    Raises:
        InputError: There is one only, or it is damaged.
    """
    folders: dict[str, list[Blob]] = {}
    for blob in pictures:
        folders.setdefault(blob.name.rpartition("/")[0], []).append(blob)
    chosen = max(folders.values(), key=len)
    shape = slices.shape_of(chosen)
    return Series(
        number=0,
        kind="slices",
        modality="other",
        shape=shape,
        spacing_mm=options.spacing_mm,
        title="pictures of slices",
        reason="",
        notes=(),
        images=shape[0],
        stack=lambda options: slices.read_stack(chosen, shape, options),
    )


def _of_stack(kind: Kind, stack: Stack, notes: list[str]) -> Series:
    spacing = np.linalg.norm(stack.mm_from_voxel[:3, :3], axis=0).round(4).tolist()
    return Series(
        number=0,
        kind=kind,
        modality=stack.modality,
        shape=stack.shape,
        spacing_mm=(spacing[0], spacing[1], spacing[2]),
        title=_NAMES[kind],
        reason="",
        notes=tuple(notes),
        images=stack.shape[0],
        stack=lambda _: stack,
    )


def _looks_nifti(blob: Blob) -> bool:
    return blob.suffix in nifti.SUFFIXES and nifti.is_nifti(blob.head(_HEAD))


def _looks_nrrd(blob: Blob) -> bool:
    return nrrd.is_nrrd(blob.head(_HEAD))


def _looks_metaimage(blob: Blob) -> bool:
    return blob.suffix in metaimage.SUFFIXES and metaimage.is_metaimage(blob.head(_HEAD))


_FILES: tuple[tuple[Callable[[Blob], bool], Callable[[Blob], Series]], ...] = (
    (_looks_nifti, _nifti),
    (_looks_nrrd, _nrrd),
    (_looks_metaimage, _metaimage),
)
"""How a file of one volume is known, and what reads it."""


def _nothing(reasons: list[str], files: int) -> InputError:
    hint = "Give a folder or ZIP of DICOM slices, or a NIfTI, NRRD or MetaImage file."
    if not reasons:
        return InputError("there is no scan in it" if files != 1 else "the file is no scan that can be read", hint=hint)
    common = dicom.common_reason(reasons)
    return InputError(f"there is no volume in it: {common}" if files != 1 else common, hint=hint)


def _ranked(found: list[Series]) -> tuple[Series, ...]:
    """The best first: cross-sections before localizers, CT and MR before others, then the most slices and voxels."""

    def key(one: Series) -> tuple[int, ...]:
        thin = one.images < _LOCALIZER_SLICES or "localizer" in one.title
        d, h, w = one.shape
        return thin, one.modality == "other", -one.images, -d * h * w

    ranked = sorted(found, key=key)
    best = "the only volume" if len(ranked) == 1 else "the most slices of those that are no localizers"
    named: list[Series] = []
    for number, one in enumerate(ranked, 1):
        d, h, w = one.shape
        size = f"{w}×{h}×{d} voxels"
        if one.spacing_mm is not None:
            size += f" of {'×'.join(f'{s:.3g}' for s in one.spacing_mm)} mm"
        reason = best if number == 1 else "fewer slices" if one.images < ranked[0].images else "fewer voxels"
        named.append(replace(one, number=number, title=f"{one.title}, {size}", reason=reason))
    return tuple(named)
