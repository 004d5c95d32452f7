"""Folders of DICOM slices: every voxel where the scanner measured it, whatever the files are called."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pydicom.sequence import Sequence as Items

from phantoms import (
    BIG,
    CT,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    J2K,
    JPEG_LS,
    MR,
    RLE,
    SECRETS,
    Phantom,
    Written,
    affine,
    is_left_hand,
    left_hand,
    scanned,
    turned,
    write_dicom,
    write_multiframe,
)
from unflat.errors import InputError, MissingExtraError
from unflat.formats.volumes import Reading, ReadOptions, choose, read_volume, series_in


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    values = np.random.default_rng(1).integers(-1000, 2000, (7, 40, 36)).astype(np.int16)
    return Phantom(values, affine((0.7, 0.9, 2.5), (-11, 22, 33.5)))


def read(path: Path) -> Reading:
    (series,) = series_in(path)
    reading = read_volume(series)
    assert reading.volume.values.shape == series.shape
    return reading


def exact(reading: Reading, phantom: Phantom) -> None:
    """The same voxels at the same places; a stack may come from its other end."""
    volume = reading.volume
    assert_array_equal(volume.values, phantom.values)
    assert_allclose(volume.grid.lps_from_voxel[:3] * 1000, phantom.mm_from_voxel[:3], atol=1e-6)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED, RLE, J2K, JPEG_LS])
def test_all_ways_of_storing_are_exact(tmp_path: Path, phantom: Phantom, syntax: str) -> None:
    reading = read(write_dicom(tmp_path / "scan", phantom, Written(syntax)))
    exact(reading, phantom)
    assert (reading.volume.quantity, reading.volume.modality, reading.notes) == ("hu", "CT", ())
    assert reading.volume.values.dtype == np.int16
    assert reading.source.name == "CT series, 7 slices" and reading.source.sha256 is None


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG, RLE, J2K])
@pytest.mark.parametrize("groups", [True, False])
def test_many_frames_in_one_file(tmp_path: Path, phantom: Phantom, syntax: str, groups: bool) -> None:
    exact(read(write_multiframe(tmp_path / "one", phantom, Written(syntax), groups)), phantom)


def test_oblique_and_tilted_grids_are_kept(tmp_path: Path, phantom: Phantom) -> None:
    for number, matrix in enumerate(
        (
            affine((0.5, 0.6, 3), (1, 2, 3), turned(20, -30, 40)),
            affine((0.5, 0.5, 3), (1, 2, 3), tilt_degrees=20),
            affine((0.5, 0.5, 3), (1, 2, 3), turned(3, 2, 1), tilt_degrees=-15),
        )
    ):
        body = replace(phantom, mm_from_voxel=matrix)
        reading = read(write_dicom(tmp_path / str(number), body))
        exact(reading, body)
        assert any("tilted" in note for note in reading.notes) == (number > 0)


def one(path: Path, options: ReadOptions | None = None) -> Reading:
    return read_volume(series_in(path, options)[0], options)


@pytest.mark.parametrize("syntax", [EXPLICIT, RLE])
@pytest.mark.parametrize(
    ("signed", "stored", "intercept"), [(True, 16, 0), (False, 16, -1024), (True, 13, 0), (False, 12, -1024)]
)
def test_bits_are_understood(
    tmp_path: Path, phantom: Phantom, syntax: str, signed: bool, stored: int, intercept: int
) -> None:
    exact(
        one(write_dicom(tmp_path / "a", phantom, Written(syntax, signed=signed, stored=stored, intercept=intercept))),
        phantom,
    )


def test_slopes_that_differ_give_fractions(tmp_path: Path, phantom: Phantom) -> None:
    how = Written(slope=lambda k: 1 + k / 8, intercept=lambda k: -3.0 * k)
    volume = one(write_dicom(tmp_path / "a", phantom, how)).volume
    assert volume.values.dtype == np.float32
    assert np.abs(volume.values - phantom.values).max() < 1


def test_drawings_in_unused_bits_are_left_out(tmp_path: Path, phantom: Phantom) -> None:
    folder = write_dicom(tmp_path / "a", phantom, Written(signed=False, stored=12, intercept=-1024))
    for path in folder.iterdir():
        d = pydicom.dcmread(path)
        stored = np.frombuffer(d.PixelData, "<u2").copy()
        stored[::3] |= 0x8000
        d.PixelData = stored.tobytes()
        d.save_as(path)
    exact(one(folder), phantom)


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_low_values_shown_white_keep_hounsfield_and_turn_brightness(
    tmp_path: Path, phantom: Phantom, modality: str
) -> None:
    how = Written(modality=modality, sop_class=CT if modality == "CT" else MR, photometric="MONOCHROME1")
    reading = one(write_dicom(tmp_path / "a", phantom, how))
    values = phantom.values if modality == "CT" else -1 - phantom.values
    assert_array_equal(reading.volume.values, values)
    assert any("MONOCHROME1" in note for note in reading.notes)


def test_padding_becomes_air(tmp_path: Path, phantom: Phantom) -> None:
    values = phantom.values.copy()
    values[:, :3] = -2000
    more = (("PixelPaddingValue", -2000),)
    read_ = one(write_dicom(tmp_path / "a", replace(phantom, values=values), Written(more=more))).volume.values
    assert (read_[:, :3] == -1000).all()
    assert_array_equal(read_[:, 3:], values[:, 3:])


def test_padding_that_is_a_value_like_others_stays(tmp_path: Path, phantom: Phantom) -> None:
    exact(one(write_dicom(tmp_path / "a", phantom, Written(more=(("PixelPaddingValue", 0),)))), phantom)


def test_a_look_up_table_is_applied(tmp_path: Path) -> None:
    values = np.random.default_rng(2).integers(0, 256, (3, 20, 20)).astype(np.int16)
    item = pydicom.Dataset()
    item.LUTDescriptor, item.ModalityLUTType = [256, 0, 16], "HU"
    table = (np.arange(256) * 7 + 5).astype("<u2")
    item.add_new("LUTData", "OW", table.tobytes())
    more = (("ModalityLUTSequence", Items([item])),)
    how = Written(signed=False, more=more)
    volume = one(write_dicom(tmp_path / "a", Phantom(values, affine()), how)).volume
    assert_array_equal(volume.values, table[values])


def test_a_missing_slice_is_filled_and_told(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.arange(8)[:, None, None] * 100, (8, 9, 9)).astype(np.int16)
    body = Phantom(ramp, affine((1, 1, 2.5), (3, 2, 1)))
    reading = one(write_dicom(tmp_path / "a", body, Written(keep=(0, 1, 2, 4, 5, 6, 7))))
    exact(reading, body)
    assert any("1 slice is missing, the first after slice 3" in note for note in reading.notes)


def test_unequal_distances_are_interpolated_to_the_smallest(tmp_path: Path) -> None:
    heights = np.cumsum([0, 2, 2, 3, 3.5, 3.5, 2])
    ramp = np.broadcast_to(heights[:, None, None] * 10, (7, 9, 9)).astype(np.int16)
    more = (("ImagePositionPatient", lambda k: [0, 0, float(heights[k])]),)
    reading = one(write_dicom(tmp_path / "a", Phantom(ramp, affine((1, 1, 2))), Written(more=more)))
    volume = reading.volume
    assert volume.grid.spacing[2] == pytest.approx(0.002)
    at = volume.grid.lps(np.array([[0.0, 0, k] for k in range(volume.grid.shape[0])]))[:, 2] * 1000
    inner = at <= heights[-1]
    assert_allclose(volume.values[inner, 0, 0], at[inner] * 10, atol=0.51)
    assert at[-1] >= heights[-1] and any("2 to 3.5 mm apart" in note for note in reading.notes)


def test_doubles_are_dropped_and_told(tmp_path: Path, phantom: Phantom) -> None:
    folder = write_dicom(tmp_path / "a", phantom)
    for path in sorted(folder.iterdir())[:3]:
        shutil.copy(path, path.with_name(f"copy of {path.name}"))
    reading = one(folder)
    exact(reading, phantom)
    assert any("3 slices came twice" in note for note in reading.notes)


def test_echoes_at_the_same_places_are_volumes_of_their_own(tmp_path: Path, phantom: Phantom) -> None:
    for echo in (1, 2):
        body = replace(phantom, values=phantom.values // echo)
        write_dicom(
            tmp_path / "a" / str(echo),
            body,
            Written(modality="MR", sop_class=MR, more=(("EchoNumbers", echo),)),
            "1.2.3",
        )
    found = series_in(tmp_path / "a")
    assert len(found) == 2
    sums = {int(np.abs(read_volume(series).volume.values.astype(int)).sum()) for series in found}
    assert sums == {int(np.abs(phantom.values.astype(int) // echo).sum()) for echo in (1, 2)}


def test_the_scan_comes_before_its_localizer(tmp_path: Path, phantom: Phantom) -> None:
    many = replace(phantom, values=np.tile(phantom.values, (3, 1, 1)))
    write_dicom(tmp_path / "a" / "x", many, series="1.2.3")
    side = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    more = (("ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]),)
    write_dicom(
        tmp_path / "a" / "y", replace(phantom, mm_from_voxel=affine((1, 1, 40), turn=side)), Written(more=more), "1.2.3"
    )
    found = series_in(tmp_path / "a")
    assert [series.shape[0] for series in found] == [21, 7]
    assert "localizer" in found[1].title and "no localizers" in found[0].reason
    assert_array_equal(read_volume(found[0]).volume.values, many.values)
    with pytest.raises(InputError, match="no series 3"):
        choose(found, ReadOptions(series=3))
    assert choose(found, ReadOptions(series=2)) is found[1]


def test_a_long_gap_parts_volumes(tmp_path: Path, phantom: Phantom) -> None:
    many = replace(phantom, values=np.tile(phantom.values, (5, 1, 1)))
    found = series_in(write_dicom(tmp_path / "a", many, Written(keep=(*range(10), *range(20, 35)))))
    assert [series.shape[0] for series in found] == [15, 10]
    assert_array_equal(read_volume(found[0]).volume.values, many.values[20:])


def test_a_damaged_slice_is_filled_and_most_damaged_are_refused(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.arange(8)[:, None, None] * 100, (8, 40, 40)).astype(np.int16)
    body = Phantom(ramp, affine())
    for syntax in (EXPLICIT, J2K):
        folder = write_dicom(tmp_path / syntax, body, Written(syntax))
        places = sorted((float(pydicom.dcmread(p).ImagePositionPatient[2]), p) for p in folder.iterdir())
        for at, path in places[2:5:2]:
            data = path.read_bytes()
            path.write_bytes(data[: len(data) - (40 if syntax == J2K else 900)])
            assert at in (2, 4)
        reading = one(folder)
        exact(reading, body)
        assert [note for note in reading.notes if "slices 3, 5 cannot be read" in note], reading.notes
        for _, path in places:
            data = path.read_bytes()
            path.write_bytes(data[: len(data) - 40])
        with pytest.raises(InputError, match="most of its slices cannot be read"):
            one(folder)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ((("SamplesPerPixel", 3), ("PhotometricInterpretation", "RGB")), "colour"),
        ((("Modality", "US"),), "ultrasound"),
        ((("ImageOrientationPatient", None),), "does not tell where"),
        ((("PixelSpacing", None),), "does not tell where"),
        ((("Rows", 0),), "size of its picture"),
        ((("BitsAllocated", 12),), "bits of its pixels"),
        ((("ImageOrientationPatient", [0, 0, 0, 0, 0, 0]),), "does not tell where"),
    ],
)
def test_one_reason_is_given(tmp_path: Path, phantom: Phantom, more: tuple[tuple[str, Any], ...], reason: str) -> None:
    folder = write_dicom(tmp_path / "a", phantom, Written(more=more))
    with pytest.raises(InputError, match=reason) as caught:
        series_in(folder)
    assert caught.value.hint


def test_a_single_slice_is_refused(tmp_path: Path, phantom: Phantom) -> None:
    with pytest.raises(InputError, match="one slice"):
        series_in(write_dicom(tmp_path / "a", phantom, Written(keep=[3])))


def test_slices_without_a_place_lie_as_the_user_says(tmp_path: Path, phantom: Phantom) -> None:
    more = (("ImageOrientationPatient", None), ("ImagePositionPatient", None))
    folder = write_dicom(tmp_path / "a", phantom, Written(more=more))
    reading = one(folder, ReadOptions(spacing_mm=(0.7, 0.9, 2.5)))
    assert_array_equal(reading.volume.values, phantom.values)
    assert_allclose(reading.volume.grid.spacing, (0.0007, 0.0009, 0.0025))
    assert any("assumed" in note for note in reading.notes)


@pytest.mark.parametrize("turn", range(6))
def test_a_left_hand_stays_left(tmp_path: Path, turn: int) -> None:
    """Axial, coronal, sagittal slices, from either end: the hand is in the same place of the same body."""
    ways = [np.roll(np.eye(3), turn % 3, axis=1), np.diag([1.0, -1, -1])[:, np.roll(np.arange(3), turn % 3)]]
    matrix = affine((2, 2, 2), turn=ways[turn // 3])
    matrix[:3, 3] = -matrix[:3, :3] @ (11.5, 11.5, 11.5)
    body = scanned((24, 24, 24), matrix, left_hand(), finer=2)
    volume = one(write_dicom(tmp_path / "a", body)).volume
    assert is_left_hand(volume.values, volume.grid.lps_from_voxel)


def test_archives_and_strange_names(tmp_path: Path, phantom: Phantom) -> None:
    folder = write_dicom(tmp_path / "a", phantom, Written(suffix=".img"))
    (folder / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM" + b"\2\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0")
    (folder / "notes.txt").write_text("nothing")
    (folder / "below").mkdir()
    for path in sorted(folder.glob("*.img"))[:3]:
        path.rename(folder / "below" / path.name)
    (folder / "below" / "again").symlink_to(folder)
    exact(one(folder), phantom)
    archive = tmp_path / "scan"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for number, path in enumerate(p for p in folder.rglob("*") if p.is_file() and "again" not in p.parts):
            packed.write(path, f"../../{number}/{path.name}")
    exact(one(archive), phantom)


def test_no_word_of_the_patient_comes_out(tmp_path: Path, phantom: Phantom) -> None:
    folder = write_dicom(
        tmp_path / SECRETS[0], phantom, Written(more=(("ConvolutionKernel", SECRETS[0]), ("BodyPartExamined", "JANE")))
    )
    for number, path in enumerate(folder.iterdir()):
        path.rename(folder / f"{SECRETS[0]}{number}")
    series = series_in(folder)
    told = " ".join(map(repr, (series, series[0].title, series[0].reason, series[0].notes, one(folder))))
    for path in sorted(folder.iterdir())[:6]:
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError) as caught:
        one(folder)
    told += str(caught.value) + str(caught.value.hint)
    for secret in (*SECRETS, "Jane", "JANE", "1.2.826"):
        assert secret not in told


def test_pixels_that_are_packed_need_the_extra(
    tmp_path: Path, phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_dicom(tmp_path / "a", phantom, Written(J2K))
    plain = write_dicom(tmp_path / "b", phantom, Written(RLE))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="'volume'"):
        one(folder)
    exact(one(plain), phantom)
