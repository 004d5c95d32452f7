"""Scans by formula: bodies whose size, place and side are known, written as other people's programs write them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F64

Inside = Callable[[F64], F64]
"""(n, 3) millimetres of LPS -> (n,) signed distance in millimetres, below zero inside."""

CT, MR, SECONDARY = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.7"
ENHANCED_CT, MULTI_SECONDARY = "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.7.3"
EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED, RLE, J2K = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90"
JPEG_LS = "1.2.840.10008.1.2.4.80"
SECRETS = ("Doe^Jane", "19610203", "PAT-4711", "Knee of Jane", "Saint Elsewhere", "Dr^House")
"""What every file written here says of its patient, and nothing that comes out may say."""


@dataclass(frozen=True)
class Phantom:
    """A scan that never was.

    Attributes:
        values: (slices, rows, columns) int16 Hounsfield units.
        mm_from_voxel: (4, 4) to millimetres of LPS.
    """

    values: NDArray[np.int16]
    mm_from_voxel: F64


def affine(
    spacing: Sequence[float] = (1, 1, 1),
    origin: Sequence[float] = (0, 0, 0),
    turn: F64 | None = None,
    tilt_degrees: float = 0,
) -> F64:
    """(4, 4): columns ``turn`` times ``spacing``; a gantry tilted about x moves each slice along y besides."""
    matrix = np.eye(4)
    matrix[:3, :3] = (np.eye(3) if turn is None else turn) * np.asarray(spacing, float)
    if tilt_degrees:
        unit = np.eye(3) if turn is None else turn
        matrix[:3, 2] = spacing[2] * (unit[:, 2] + math.tan(math.radians(tilt_degrees)) * unit[:, 1])
    matrix[:3, 3] = origin
    return matrix


def turned(yaw: float, pitch: float, roll: float) -> F64:
    """A rotation, degrees about z, y and x."""
    a, b, c = np.radians((yaw, pitch, roll))
    z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    x = np.array([[1, 0, 0], [0, np.cos(c), -np.sin(c)], [0, np.sin(c), np.cos(c)]])
    return z @ y @ x


def points(shape: tuple[int, int, int], mm_from_voxel: F64, finer: int = 1) -> F64:
    """(d, h, w, finer³, 3) millimetres of points spread evenly in every voxel."""
    k, j, i = np.meshgrid(*(np.arange(n, dtype=float) for n in shape), indexing="ij")
    part = (np.arange(finer) + 0.5) / finer - 0.5
    inner = np.stack(np.meshgrid(part, part, part, indexing="ij"), -1).reshape(-1, 3)
    ijk = np.stack([i, j, k], -1)[..., None, :] + inner
    return ijk @ mm_from_voxel[:3, :3].T + mm_from_voxel[:3, 3]


def scanned(
    shape: tuple[int, int, int],
    mm_from_voxel: F64,
    inside: Inside,
    levels: tuple[float, float] = (-1000, 1000),
    finer: int = 4,
) -> Phantom:
    """What a scanner sees of a body: each voxel the mean of what is in it (outside, inside)."""
    middles = points(shape, mm_from_voxel)[..., 0, :]
    away = inside(middles.reshape(-1, 3)).reshape(shape)
    share = (away < 0).astype(float)
    near = np.abs(away) < np.linalg.norm(mm_from_voxel[:3, :3], axis=0).sum() / 2
    parts = points((1, 1, 1), np.block([[mm_from_voxel[:3, :3], np.zeros((3, 1))], [np.zeros((1, 3)), 1]]), finer)
    at = middles[near][:, None, :] + parts[0, 0, 0]
    share[near] = (inside(at.reshape(-1, 3)) < 0).reshape(at.shape[:-1]).mean(-1)
    low, high = levels
    return Phantom(np.rint(low + (high - low) * share).astype(np.int16), mm_from_voxel)


def ball(centre: Sequence[float], radius: float) -> Inside:
    """A sphere, millimetres."""
    return lambda at: np.linalg.norm(at - np.asarray(centre, float), axis=1) - radius


def box(centre: Sequence[float], sides: Sequence[float], turn: F64 | None = None) -> Inside:
    """A box, millimetres, turned about its centre."""
    way = np.eye(3) if turn is None else turn

    def inside(at: F64) -> F64:
        beyond = np.abs((at - np.asarray(centre, float)) @ way) - np.asarray(sides, float) / 2
        return np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(1), 0)

    return inside


def left_hand(size: float = 40) -> Inside:
    """A left hand, its palm seen from the front (y below zero), its fingers up (z), its thumb towards the body (−x).

    It stands in a cube of ``size`` millimetres about the origin. No turn makes it a right hand.
    """
    s = size / 40
    parts = [
        box((0, 0, -8 * s), (20 * s, 8 * s, 16 * s)),
        *(
            box((x * s, 0, (h / 2 - 1) * s), (3.6 * s, 6 * s, h * s))
            for x, h in ((-7.5, 14), (-2.5, 18), (2.5, 16), (7.5, 10))
        ),
        box((-13 * s, -3 * s, -6 * s), (10 * s, 4 * s, 4 * s)),
    ]
    return lambda at: np.min([part(at) for part in parts], axis=0)


def is_left_hand(values: NDArray[Any], m_from_voxel: F64, size: float = 40) -> bool:
    """Whether a volume shows the hand where it is, and not where its mirror image would be."""
    at = points(values.shape, m_from_voxel * [[1000], [1000], [1000], [1]])[..., 0, :].reshape(-1, 3)
    solid = values.ravel() > (int(values.min()) + int(values.max())) / 2
    hand = left_hand(size)
    here = np.mean((hand(at) < 0) != solid)
    mirrored = [np.mean((hand(at * flip) < 0) != solid) for flip in ((-1, 1, 1), (1, -1, 1), (1, 1, -1))]
    return bool(here < 0.01 and 1.2 * here < min(mirrored))


@dataclass(frozen=True)
class Written:
    """How a phantom is written as DICOM.

    Attributes:
        syntax: UID of the transfer syntax; RLE, J2K and JPEG_LS are packed by pydicom.
        modality, sop_class, photometric, signed, stored: As DICOM has them.
        slope, intercept: To Hounsfield units; a function of the slice's number, or a number.
        keep: Which slices are written, and in which order; None for all.
        more: Elements that are added to every file, by keyword.
        identity: Whether the patient is named.
        suffix: Of the files' names.
    """

    syntax: str = EXPLICIT
    modality: str = "CT"
    sop_class: str = CT
    photometric: str = "MONOCHROME2"
    signed: bool = True
    stored: int = 16
    slope: float | Callable[[int], float] = 1
    intercept: float | Callable[[int], float] = 0
    keep: Sequence[int] | None = None
    more: tuple[tuple[str, Any], ...] = ()
    identity: bool = True
    suffix: str = ""


def _of(value: float | Callable[[int], float], k: int) -> float:
    return value(k) if callable(value) else value


def _dataset(phantom: Phantom, how: Written, series: str) -> Any:
    import pydicom
    from pydicom.uid import generate_uid

    d = pydicom.Dataset()
    d.SOPClassUID, d.SOPInstanceUID = how.sop_class, generate_uid()
    d.Modality, d.SeriesInstanceUID, d.StudyInstanceUID = how.modality, series, generate_uid()
    d.FrameOfReferenceUID = generate_uid()
    if how.identity:
        d.PatientName, d.PatientBirthDate, d.PatientID = SECRETS[:3]
        d.SeriesDescription, d.InstitutionName, d.ReferringPhysicianName = SECRETS[3:]
        d.ImageComments = SECRETS[0]
    d.Rows, d.Columns = phantom.values.shape[1:]
    d.SamplesPerPixel, d.PhotometricInterpretation = 1, how.photometric
    d.BitsAllocated = 8 if how.stored <= 8 else 16
    d.BitsStored, d.HighBit, d.PixelRepresentation = how.stored, how.stored - 1, int(how.signed)
    d.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    return d


def _directions(matrix: F64) -> tuple[list[float], list[float]]:
    """Orientation and spacing as DICOM has them."""
    i, j = matrix[:3, 0], matrix[:3, 1]
    orientation = [*(i / np.linalg.norm(i)), *(j / np.linalg.norm(j))]
    return [float(f"{v:.12g}") for v in orientation], [float(np.linalg.norm(j)), float(np.linalg.norm(i))]


def _pixels(plane: NDArray[np.int16], how: Written, k: int) -> bytes:
    """What is stored of a plane of Hounsfield units; MONOCHROME1 of anything but CT is mirrored as it is shown."""
    stored = np.rint((plane - _of(how.intercept, k)) / _of(how.slope, k)).astype(np.int64)
    kind = f"{'>' if how.syntax == BIG else '<'}{'i' if how.signed else 'u'}{1 if how.stored <= 8 else 2}"
    if how.signed and how.stored < 16:
        stored &= (1 << how.stored) - 1
        kind = kind.replace("i", "u")
    return stored.astype(kind).tobytes()


def _save(d: Any, path: Path, syntax: str) -> None:
    import pydicom

    d.file_meta = pydicom.dataset.FileMetaDataset()
    packed = syntax in (RLE, J2K, JPEG_LS)
    d.file_meta.TransferSyntaxUID = EXPLICIT if packed else syntax
    d.file_meta.MediaStorageSOPClassUID = d.SOPClassUID
    d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID
    if syntax in (RLE, J2K):
        d.compress(syntax)
    d.save_as(path, enforce_file_format=True)
    if syntax == JPEG_LS:
        _pack_jpeg_ls(path)


def _pack_jpeg_ls(path: Path) -> None:
    """With GDCM, which the volume extra brings; pydicom would need one package more to write it."""
    import gdcm  # type: ignore[import-not-found]

    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(path))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLSLossless))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(path))
    assert writer.Write()


def write_dicom(folder: Path, phantom: Phantom, how: Written | None = None, series: str | None = None) -> Path:
    """A folder of slices, one a file; their names tell nothing of their order."""
    from pydicom.uid import generate_uid

    how, series = how or Written(), series or str(generate_uid())
    folder.mkdir(parents=True, exist_ok=True)
    keep = range(len(phantom.values)) if how.keep is None else how.keep
    orientation, spacing = _directions(phantom.mm_from_voxel)
    for number, k in enumerate(keep):
        d = _dataset(phantom, how, series)
        d.ImageOrientationPatient, d.PixelSpacing = orientation, spacing
        place = phantom.mm_from_voxel @ (0, 0, k, 1)
        d.ImagePositionPatient = [float(f"{v:.10g}") for v in place[:3]]
        d.InstanceNumber, d.SliceThickness = number + 1, 5
        d.RescaleSlope, d.RescaleIntercept = _of(how.slope, k), _of(how.intercept, k)
        if how.modality == "CT":
            d.RescaleType = "HU"
        d.PixelData = _pixels(phantom.values[k], how, k)
        d["PixelData"].VR = "OW"
        for keyword, value in how.more:
            setattr(d, keyword, value(k) if callable(value) else value)
        scrambled = (number * 7919 + 13) % 10007
        name = folder / f"{scrambled:05d}{how.suffix}"
        while name.exists():
            name = name.with_name(f"x{name.name}")
        _save(d, name, how.syntax)
    return folder


def write_multiframe(path: Path, phantom: Phantom, how: Written | None = None, groups: bool = True) -> Path:
    """All slices in one file: shuffled, with functional groups (enhanced CT), or in order with the first place only."""
    import pydicom
    from pydicom.sequence import Sequence as Items
    from pydicom.uid import generate_uid

    how = replace(how or Written(), sop_class=ENHANCED_CT if groups else MULTI_SECONDARY)
    count = len(phantom.values)
    order = [(5 * k) % count if math.gcd(5, count) == 1 else k for k in range(count)] if groups else list(range(count))
    d = _dataset(phantom, how, str(generate_uid()))
    orientation, spacing = _directions(phantom.mm_from_voxel)
    d.NumberOfFrames = count

    def item(**fields: Any) -> Any:
        one = pydicom.Dataset()
        for keyword, value in fields.items():
            setattr(one, keyword, Items([value]) if isinstance(value, pydicom.Dataset) else value)
        return one

    places = [[float(f"{v:.10g}") for v in (phantom.mm_from_voxel @ (0, 0, k, 1))[:3]] for k in order]
    if groups:
        d.SharedFunctionalGroupsSequence = Items(
            [
                item(
                    PlaneOrientationSequence=item(ImageOrientationPatient=orientation),
                    PixelMeasuresSequence=item(PixelSpacing=spacing, SliceThickness=9),
                )
            ]
        )
        d.PerFrameFunctionalGroupsSequence = Items(
            [
                item(
                    PlanePositionSequence=item(ImagePositionPatient=place),
                    PixelValueTransformationSequence=item(
                        RescaleSlope=_of(how.slope, k), RescaleIntercept=_of(how.intercept, k), RescaleType="HU"
                    ),
                )
                for place, k in zip(places, order, strict=True)
            ]
        )
    else:
        d.ImageOrientationPatient, d.PixelSpacing, d.ImagePositionPatient = orientation, spacing, places[0]
        d.SpacingBetweenSlices = float(np.linalg.norm(phantom.mm_from_voxel[:3, 2]))
        d.RescaleSlope, d.RescaleIntercept, d.RescaleType = _of(how.slope, 0), _of(how.intercept, 0), "HU"
    d.PixelData = b"".join(_pixels(phantom.values[k], how, k) for k in order)
    d["PixelData"].VR = "OW"
    _save(d, path, how.syntax)
    return path


def write_nifti(path: Path, values: NDArray[Any], mm_from_voxel: F64) -> Path:
    """By nibabel, which wants RAS."""
    import nibabel

    image: Any = nibabel.Nifti1Image(
        np.ascontiguousarray(values.transpose(2, 1, 0)), np.diag([-1, -1, 1, 1]) @ mm_from_voxel
    )
    image.header.set_xyzt_units("mm")
    image.set_qform(image.affine, 1) if abs(_shear(mm_from_voxel)) < 1e-6 else None
    image.set_sform(image.affine, 1)
    nibabel.save(image, path)
    return path


def _shear(matrix: F64) -> float:
    unit = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    return float(np.abs(unit.T @ unit - np.eye(3)).max())
