"""Label maps: numbers where they are, called as their files, lists or programs call them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from phantoms import affine, turned, write_nifti
from unflat.errors import InputError
from unflat.formats.label_maps import read_labels
from unflat.types.volume import LabelMap

MATRIX = affine((1, 2, 3), (4, 5, 6))


def numbers() -> np.ndarray:
    values = np.zeros((4, 5, 6), np.uint8)
    values[1:3, 1:4, 1:3], values[3, :, 4:] = 1, 7
    return values


def called(labels: LabelMap) -> dict[int, str]:
    return {label.number: label.name for label in labels.labels}


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_numbers_of_any_type(tmp_path: Path, kind: type) -> None:
    labels = read_labels(write_nifti(tmp_path / "a.nii.gz", numbers().astype(kind), MATRIX))
    assert_array_equal(labels.numbers, numbers())
    assert labels.numbers.dtype == np.uint8 and called(labels) == {1: "label 1", 7: "label 7"}
    assert_allclose(labels.grid.lps_from_voxel * [[1000], [1000], [1000], [1]], MATRIX, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"1": "spleen", "7": "left lung", "9": "unseen"}'),
        ("labels.json", '{"spleen": 1, "left lung": 7, "background": 0}'),
        ("classes.json", '{"some": {"1": "wrong"}, "total": {"1": "spleen", "7": "left lung"}}'),
        ("dataset.json", '{"name": "x", "labels": {"background": 0, "spleen": 1, "left lung": 7}}'),
        ("a.csv", "number,name\n1,spleen\n7,left lung\n"),
        ("a.txt", "1 spleen\n7 left lung\n"),
        ("a.label", '# ITK-SNAP\n0 0 0 0 0 0 0 "Clear"\n1 255 0 0 1 1 1 "spleen"\n7 0 255 0 1 1 1 "left lung"\n'),
        ("a.ctbl", "# Slicer\n0 Background 0 0 0 0\n1 spleen 255 0 0 255\n7 left\xa0lung 0 255 0 255\n"),
    ],
)
def test_names_are_found_beside_or_given(tmp_path: Path, name: str, text: str) -> None:
    path = write_nifti(tmp_path / "a.nii.gz", numbers(), MATRIX)
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert called(read_labels(path)) == {1: "spleen", 7: "left lung"}
    (tmp_path / name).rename(tmp_path / f"far_{name}")
    assert called(read_labels(path)) == {1: "label 1", 7: "label 7"}
    labels = read_labels(path, tmp_path / f"far_{name}")
    assert called(labels) == {1: "spleen", 7: "left lung"}
    assert (labels.labels[0].color == (255, 0, 0)) == name.endswith((".label", ".ctbl"))


def test_names_that_are_the_same_become_different(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "a.nii", numbers(), MATRIX)
    (tmp_path / "a.json").write_text(json.dumps({"1": "rib", "7": " rib "}))
    assert called(read_labels(path)) == {1: "rib", 7: "rib 2"}


def test_a_folder_of_masks(tmp_path: Path) -> None:
    for name, number in (("spleen", 1), ("lung", 7)):
        write_nifti(tmp_path / f"{name}.nii.gz", (numbers() == number).astype(np.uint8), MATRIX)
    labels = read_labels(tmp_path)
    assert called(labels) == {1: "lung", 2: "spleen"}
    assert_array_equal(labels.numbers, np.select([numbers() == 7, numbers() == 1], [1, 2]))
    write_nifti(tmp_path / "other.nii.gz", numbers(), affine((1, 2, 3.5)))
    with pytest.raises(InputError, match="one grid"):
        read_labels(tmp_path)


def test_segments_of_slicer(tmp_path: Path) -> None:
    head = (
        "NRRD0004\ntype: unsigned char\ndimension: 3\nspace: left-posterior-superior\nsizes: 6 5 4\nencoding: gzip\n"
        "space directions: (1,0,0) (0,2,0) (0,0,3)\nspace origin: (4,5,6)\n"
        "Segment0_Name:=spleen\nSegment0_LabelValue:=1\nSegment0_Color:=1 0.5 0\nSegment0_Layer:=0\n"
        "Segment1_Name:=left lung\nSegment1_LabelValue:=7\nSegment1_Layer:=0\n\n"
    )
    (tmp_path / "a.seg.nrrd").write_bytes(head.encode() + gzip.compress(numbers().tobytes()))
    labels = read_labels(tmp_path / "a.seg.nrrd")
    assert called(labels) == {1: "spleen", 7: "left lung"} and labels.labels[0].color == (255, 128, 0)
    assert_allclose(labels.grid.lps_from_voxel * [[1000], [1000], [1000], [1]], MATRIX)


@pytest.mark.parametrize("first", [True, False])
def test_segments_of_slicer_that_lie_over_each_other(tmp_path: Path, first: bool) -> None:
    layers = np.stack([numbers() == 1, numbers() == 7]).astype(np.uint8)
    data = np.moveaxis(layers, 0, -1) if first else layers
    sizes, kinds = ("2 6 5 4", "list domain domain domain") if first else ("6 5 4 2", "domain domain domain list")
    vectors = ["none", "(1,0,0) (0,2,0) (0,0,3)"]
    head = (
        f"NRRD0004\ntype: uchar\ndimension: 4\nspace: left-posterior-superior\nsizes: {sizes}\nencoding: gzip\n"
        f"space directions: {' '.join(vectors if first else vectors[::-1])}\nkinds: {kinds}\nspace origin: (4,5,6)\n"
        "Segment0_Name:=spleen\nSegment0_LabelValue:=1\nSegment0_Layer:=0\n"
        "Segment1_Name:=left lung\nSegment1_LabelValue:=1\nSegment1_Layer:=1\n\n"
    )
    (tmp_path / "a.seg.nrrd").write_bytes(head.encode() + gzip.compress(np.ascontiguousarray(data).tobytes()))
    labels = read_labels(tmp_path / "a.seg.nrrd")
    assert called(labels) == {1: "spleen", 2: "left lung"}
    assert_array_equal(labels.numbers, np.select([numbers() == 1, numbers() == 7], [1, 2]))


@pytest.mark.parametrize("fractional", [False, True])
def test_dicom_segmentations(tmp_path: Path, fractional: bool) -> None:
    import pydicom
    from pydicom.sequence import Sequence as Items

    def item(**fields: object) -> pydicom.Dataset:
        one = pydicom.Dataset()
        for keyword, value in fields.items():
            setattr(one, keyword, Items([value]) if isinstance(value, pydicom.Dataset) else value)
        return one

    matrix = affine((1, 2, 3), (4, 5, 6), turned(10, 20, 30))
    frames = [(1, 1), (1, 2), (7, 3)]
    d = pydicom.Dataset()
    d.SOPClassUID, d.SOPInstanceUID, d.Modality = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.3", "SEG"
    d.Rows, d.Columns, d.NumberOfFrames, d.SamplesPerPixel = 5, 6, len(frames), 1
    d.PhotometricInterpretation, d.PixelRepresentation = "MONOCHROME2", 0
    d.BitsAllocated = d.BitsStored = 8 if fractional else 1
    d.HighBit = d.BitsStored - 1
    d.SegmentationType, d.MaximumFractionalValue = ("FRACTIONAL" if fractional else "BINARY"), 200
    names = {1: "spleen", 7: "left lung"}
    d.SegmentSequence = Items([item(SegmentNumber=n, SegmentLabel=name) for n, name in names.items()])
    directions = [*(matrix[:3, 0] / 1), *(matrix[:3, 1] / 2)]
    d.SharedFunctionalGroupsSequence = Items([
        item(
            PlaneOrientationSequence=item(ImageOrientationPatient=[float(f"{v:.10g}") for v in directions]),
            PixelMeasuresSequence=item(PixelSpacing=[2, 1], SliceThickness=3),
        )
    ])  # fmt: skip
    d.PerFrameFunctionalGroupsSequence = Items([
        item(
            PlanePositionSequence=item(ImagePositionPatient=[float(f"{v:.8g}") for v in (matrix @ (0, 0, k, 1))[:3]]),
            SegmentIdentificationSequence=item(ReferencedSegmentNumber=number),
        )
        for number, k in frames
    ])  # fmt: skip
    planes = np.stack([numbers()[k] == number for number, k in frames])
    d.PixelData = (planes * np.uint8(150)).tobytes() if fractional else np.packbits(planes, bitorder="little").tobytes()
    d.PixelData += b"\0" * (len(d.PixelData) % 2)
    d["PixelData"].VR = "OB"
    d.file_meta = pydicom.dataset.FileMetaDataset()
    d.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    d.save_as(tmp_path / "seg", enforce_file_format=True)
    labels = read_labels(tmp_path / "seg")
    assert called(labels) == names
    assert_array_equal(labels.numbers, numbers()[1:])
    wanted = matrix.copy()
    wanted[:3, 3] += matrix[:3, 2]
    assert_allclose(labels.grid.lps_from_voxel * [[1000], [1000], [1000], [1]], wanted, atol=1e-5)


@pytest.mark.parametrize("values", [np.zeros((3, 4, 5)), np.full((3, 4, 5), 1.5), np.full((3, 4, 5), -1.0)])
def test_what_is_no_label_map_is_refused(tmp_path: Path, values: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"labelled|whole numbers|numbers of labels"):
        read_labels(write_nifti(tmp_path / "a.nii", values, MATRIX))
