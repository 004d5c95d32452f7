"""NIfTI, NRRD, MetaImage and pictures of slices: the same voxels at the same places as other people's readers see."""

from __future__ import annotations

import gzip
import itertools
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from PIL import Image

from phantoms import affine, is_left_hand, left_hand, scanned, turned, write_nifti
from unflat.errors import InputError, MemoryLimitError, UnflatError
from unflat.formats.volume_parts import memory_of
from unflat.formats.volumes import Reading, ReadOptions, read_volume, series_in
from unflat.types.arrays import F64

SHARED = Path(os.environ.get("UNFLAT_SHARED", "/nowhere")) / "data" / "volumes"


def one(path: Path, **options: Any) -> Reading:
    given = ReadOptions(**options)
    return read_volume(series_in(path, given)[0], given)


def values_of(shape: tuple[int, int, int] = (4, 5, 6)) -> NDArray[np.int16]:
    return np.random.default_rng(3).integers(-900, 900, shape).astype(np.int16)


def mm(reading: Reading) -> F64:
    return reading.volume.grid.lps_from_voxel * [[1000], [1000], [1000], [1]]


def itk_mm(image: sitk.Image) -> F64:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return matrix


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".hdr", ".nrrd", ".nhdr", ".mha", ".mhd"])
@pytest.mark.parametrize("kind", ["UInt8", "Int8", "Int16", "UInt16", "Int32", "Float32", "Float64"])
def test_all_agree_with_simpleitk(tmp_path: Path, suffix: str, kind: str) -> None:
    image = sitk.Cast(sitk.GetImageFromArray(np.abs(values_of()) % 128), getattr(sitk, f"sitk{kind}"))
    image.SetSpacing((0.5, 0.7, 2.5))
    image.SetOrigin((-3, 4, 5.5))
    image.SetDirection(turned(20, -30, 40).ravel().tolist())
    for packed in (False, True):
        path = tmp_path / f"{packed}{suffix}"
        sitk.WriteImage(image, str(path), packed)
        reading = one(path)
        other = sitk.ReadImage(str(path))
        assert_array_equal(reading.volume.values, sitk.GetArrayFromImage(other))
        assert_allclose(mm(reading), itk_mm(other), atol=1e-5)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_left_hand_stays_left_in_all_48_ways_of_storing_it(tmp_path: Path, order: tuple[int, int, int]) -> None:
    for flips in itertools.product((1, -1), repeat=3):
        turn = np.zeros((3, 3))
        turn[order, range(3)] = flips
        matrix = affine((2, 2, 2), turn=turn)
        matrix[:3, 3] = -matrix[:3, :3] @ (11.5, 11.5, 11.5)
        body = scanned((24, 24, 24), matrix, left_hand(), finer=1)
        path = write_nifti(tmp_path / "hand.nii", body.values, matrix)
        reading = one(path)
        assert is_left_hand(reading.volume.values, reading.volume.grid.lps_from_voxel)
        assert_allclose(np.diag([-1, -1, 1, 1]) @ nibabel.load(path).affine, mm(reading), atol=1e-4)


def test_slope_intercept_and_what_is_no_number(tmp_path: Path) -> None:
    values = values_of().transpose(2, 1, 0)
    image = nibabel.Nifti1Image(values, np.eye(4))
    image.header.set_slope_inter(0.5, 10)
    nibabel.save(image, tmp_path / "a.nii")
    assert_allclose(
        one(tmp_path / "a.nii").volume.values, nibabel.load(tmp_path / "a.nii").get_fdata().transpose(2, 1, 0)
    )
    holes = values.astype(np.float32) + 0.25
    holes[0, 0, :2] = np.nan, np.inf
    nibabel.save(nibabel.Nifti1Image(holes, np.eye(4)), tmp_path / "b.nii")
    read = one(tmp_path / "b.nii").volume.values
    assert np.isfinite(read).all() and read[0, 0, 0] == read.min()


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("meter", 1000), ("micron", 0.001)])
def test_units_of_length(tmp_path: Path, unit: str, factor: float) -> None:
    image = nibabel.Nifti1Image(values_of(), np.diag([3.0, 2, 1, 1]))
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii")
    assert_allclose(one(tmp_path / "a.nii").volume.grid.spacing, np.array([3, 2, 1]) * factor / 1000, rtol=1e-6)


def test_which_place_is_believed(tmp_path: Path) -> None:
    scanner, template = affine((1, 2, 3), (5, 6, 7)), affine((2, 2, 2), (1, 1, 1))
    for s_code, wanted in ((1, template), (4, scanner)):
        image = nibabel.Nifti1Image(values_of(), None)
        image.header.set_xyzt_units("mm")
        image.set_qform(np.diag([-1, -1, 1, 1]) @ scanner, 1)
        image.set_sform(np.diag([-1, -1, 1, 1]) @ template, s_code)
        nibabel.save(image, tmp_path / "a.nii")
        reading = one(tmp_path / "a.nii")
        assert_allclose(mm(reading), wanted, atol=1e-5)
        assert any("template" in note for note in reading.notes) == (s_code == 4)


def test_several_volumes_analyze_and_nowhere(tmp_path: Path) -> None:
    many = np.stack([values_of(), values_of() + 1], -1)
    nibabel.save(nibabel.Nifti1Image(many, np.eye(4)), tmp_path / "a.nii")
    reading = one(tmp_path / "a.nii")
    assert_array_equal(reading.volume.values, values_of().transpose(2, 1, 0))
    assert any("holds 2 volumes" in note for note in reading.notes)
    nibabel.save(nibabel.AnalyzeImage(values_of(), np.eye(4)), tmp_path / "b.hdr")
    assert any("Analyze" in note for note in one(tmp_path / "b.hdr").notes)
    (tmp_path / "b.img").unlink()
    with pytest.raises(InputError, match="not beside it"):
        one(tmp_path / "b.hdr")
    nowhere = nibabel.Nifti1Image(values_of(), None)
    nowhere.header["qform_code"] = nowhere.header["sform_code"] = 0
    nibabel.save(nowhere, tmp_path / "c.nii")
    assert any("left and right" in note for note in one(tmp_path / "c.nii").notes)


@pytest.mark.parametrize(
    ("space", "signs"),
    [("right-anterior-superior", (-1, -1, 1)), ("LAS", (1, -1, 1)), ("left-posterior-superior", (1, 1, 1))],
)
def test_spaces_of_nrrd(tmp_path: Path, space: str, signs: tuple[int, int, int]) -> None:
    head = (
        f"NRRD0004\n# by hand\ntype: short\ndimension: 3\nspace: {space}\nsizes: 6 5 4\nencoding: gzip\nendian: big\n"
        "space directions: (1,0,0) (0,0,-2) (0,3,0)\nspace origin: (4,5,6)\ncontent: Doe^Jane\n\n"
    )
    (tmp_path / "a.nrrd").write_bytes(head.encode() + gzip.compress(values_of().astype(">i2").tobytes()))
    reading = one(tmp_path / "a.nrrd")
    assert_array_equal(reading.volume.values, values_of())
    there = np.array([[1, 0, 0, 4], [0, 0, 3, 5], [0, -2, 0, 6], [0, 0, 0, 1.0]])
    assert_allclose(mm(reading), np.diag([*signs, 1]) @ there)


def test_data_files_stay_in_their_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.raw").write_bytes(values_of().tobytes())
    inner = tmp_path / "in"
    inner.mkdir()
    rest = "NDims = 3\nDimSize = 6 5 4\nElementType = MET_SHORT\nElementSpacing = 1 1 1\n"
    for name in ("../secret.raw", str(tmp_path / "secret.raw"), "LIST", "slice%03d.raw"):
        (inner / "a.mhd").write_text(f"ObjectType = Image\n{rest}ElementDataFile = {name}\n")
        with pytest.raises(InputError):
            one(inner / "a.mhd")
        (inner / "a.nhdr").write_text(
            f"NRRD0004\ntype: short\ndimension: 3\nsizes: 6 5 4\nencoding: raw\nendian: little\ndata file: {name}\n"
        )
        with pytest.raises(InputError):
            one(inner / "a.nhdr")


def claims() -> dict[str, bytes]:
    """Small files that claim to be enormous, and small files that unpack to much."""
    side = 30000
    nifti = bytearray(nibabel.Nifti1Image(values_of(), np.eye(4)).to_bytes())
    struct.pack_into("<4h", nifti, 40, 3, side, side, side)
    head = f"NRRD0004\ntype: short\ndimension: 3\nsizes: {side} {side} {side}\nencoding: gzip\nendian: little\n\n"
    meta = f"NDims = 3\nDimSize = {side} {side} {side}\nElementType = MET_SHORT\nCompressedData = True\n"
    meta += "ElementDataFile = LOCAL\n"
    zeros = zlib.compress(bytes(1 << 24))
    return {
        "a.nii": bytes(nifti),
        "a.nii.gz": gzip.compress(bytes(nifti) + bytes(1 << 24)),
        "a.nrrd": head.encode() + gzip.compress(bytes(1 << 24)),
        "a.mha": meta.encode() + zeros,
    }


@pytest.mark.parametrize("name", list(claims()))
def test_claims_are_not_believed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(claims()[name])
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
        "from pathlib import Path; from unflat.errors import UnflatError\n"
        "from unflat.formats.volumes import read_volume, series_in\n"
        "try: read_volume(series_in(Path(sys.argv[1]))[0])\nexcept UnflatError as error: print(type(error).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / name], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() in ("InputError", "MemoryLimitError")


def test_many_files_that_are_no_scans_end_soon(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"{number}").write_bytes(b"nothing")
    with pytest.raises(InputError, match="no scan"):
        series_in(tmp_path)


def test_a_scan_that_is_too_large_is_averaged_and_told(tmp_path: Path) -> None:
    matrix = affine((0.5, 0.5, 1), (1, 2, 3), turned(10, 20, 30))
    values = (np.add.outer(np.add.outer(np.arange(20) * 40, np.arange(40) * 4), np.arange(60))).astype(np.int16)
    path = write_nifti(tmp_path / "a.nii", values, matrix)
    whole = one(path)
    assert_array_equal(whole.volume.values, values)
    small = one(path, max_memory="180 KB")
    assert small.volume.grid.shape == (20, 20, 30) and small.volume.values.dtype == np.int16
    assert any("2×2×1 voxels" in note and "30×20×20 instead of 60×40×20" in note for note in small.notes)
    k, j, i = np.meshgrid(*map(np.arange, small.volume.grid.shape), indexing="ij")
    at = np.linalg.solve(
        matrix[:3, :3],
        small.volume.grid.lps(np.stack([i, j, k], -1).reshape(-1, 3).astype(float)).T * 1000 - matrix[:3, 3:],
    )
    assert_allclose(at.T @ (1, 4, 40), small.volume.values.ravel(), atol=0.51)
    with pytest.raises(MemoryLimitError):
        one(path, max_memory="10")


@pytest.mark.parametrize(
    ("text", "count"), [("2GB", 2 * 10**9), ("500 mb", 5 * 10**8), ("1.5GiB", 1_500_000_000), ("7", 7)]
)
def test_amounts_of_memory(text: str, count: int) -> None:
    assert memory_of(text) == count


@pytest.mark.parametrize("text", ["", "much", "-1GB", "2 XB", "nan"])
def test_no_amounts_of_memory(text: str) -> None:
    with pytest.raises(InputError, match="amount"):
        memory_of(text)


@pytest.mark.parametrize("suffix", ["folder .png", "folder .tif", "pages", "packed pages"])
def test_pictures_of_slices(tmp_path: Path, suffix: str) -> None:
    values = (np.abs(values_of((11, 20, 30))) * 30).astype(np.uint16)
    planes = [Image.fromarray(plane) for plane in values]
    if suffix.startswith("folder"):
        path = tmp_path / "a"
        path.mkdir()
        for number, plane in enumerate(planes):
            plane.save(path / f"slice{number + 1}{suffix[-4:]}")
    else:
        path = tmp_path / "a.tif"
        packing = {"compression": "tiff_lzw"} if "packed" in suffix else {}
        planes[0].save(path, save_all=True, append_images=planes[1:], **packing)
    with pytest.raises(InputError, match="how large") as caught:
        one(path)
    assert "--spacing-mm" in str(caught.value.hint)
    reading = one(path, spacing_mm=(0.5, 0.6, 2))
    assert_array_equal(reading.volume.values, values)
    assert_allclose(mm(reading), np.diag([0.5, 0.6, 2, 1]))
    assert reading.source.name == "picture series, 11 slices"


def test_scanners_are_told_by_values(tmp_path: Path) -> None:
    air = scanned((12, 20, 20), affine(), lambda at: np.linalg.norm(at - (10, 10, 6), axis=1) - 5, (-1000, 60)).values
    path = write_nifti(tmp_path / "a.nii", air, affine())
    assert (one(path).volume.quantity, one(path).volume.modality) == ("hu", "CT")
    assert any("taken for CT" in note for note in one(path).notes)
    assert one(path, modality="mr").volume.quantity == "intensity"
    write_nifti(path, air + 1000, affine())
    assert one(path).volume.quantity == "intensity"
    assert one(path, modality="ct").volume.quantity == "hu"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here")
def test_every_shared_file_is_a_volume_or_one_reason() -> None:
    seen = {"volumes": 0, "reasons": 0}
    files = [path for path in sorted(SHARED.rglob("*")) if path.suffix in (".dcm", ".nrrd", ".gz")]
    assert len(files) > 200
    for path in [*files, SHARED / "ct_totalsegmentator" / "example_ct_dicom"]:
        try:
            reading = one(path)
        except UnflatError as error:
            assert path.suffix == ".dcm" and error.exit_code == 2 and error.hint and len(str(error)) < 200
            seen["reasons"] += 1
            continue
        seen["volumes"] += 1
        if path.suffix in (".gz", ".nrrd"):
            image = sitk.ReadImage(str(path))
            assert_array_equal(reading.volume.values, sitk.GetArrayFromImage(image))
            assert_allclose(mm(reading), itk_mm(image), atol=1e-3)
        if path.suffix == ".gz":
            assert_allclose(mm(reading), np.diag([-1, -1, 1, 1]) @ nibabel.load(path).affine, atol=1e-3)
    assert seen["volumes"] > 130 and seen["reasons"] > 70
