"""Damaged scans: a volume or one reason, soon, and never a traceback. Longer: ``python -m benchmarks.volume_fuzz``."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mutate import mutations
from phantoms import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    J2K,
    JPEG_LS,
    RLE,
    SECRETS,
    Phantom,
    Written,
    affine,
    write_dicom,
    write_multiframe,
    write_nifti,
)
from unflat.errors import InputError, UnflatError
from unflat.formats import dicom_unpack
from unflat.formats.dicom_frames import frames_of, head_of
from unflat.formats.dicom_unpack import Decoder, frame_places, packed_frame
from unflat.formats.label_maps import read_labels
from unflat.formats.volume_blobs import in_memory
from unflat.formats.volumes import read_volume, series_in

VALUES = np.random.default_rng(0).integers(-1000, 2000, (6, 40, 36)).astype(np.int16)
PHANTOM = Phantom(VALUES, affine((1, 1, 2)))


def survive(path: Path, data: bytes, count: int, head: int, read: Callable[[Path], object]) -> None:
    read_, refused = 0, 0
    for broken in mutations(data, count, 5, head):
        path.write_bytes(broken)
        start = time.process_time()
        try:
            read(path)
            read_ += 1
        except UnflatError as error:
            refused += 1
            assert error.exit_code in (2, 6) and error.hint
            assert not any(secret in str(error) for secret in SECRETS)
        assert time.process_time() - start < 5
    assert read_ > count // 20 and refused > count // 20


def volume(path: Path) -> object:
    return read_volume(series_in(path)[0])


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED, RLE])
def test_damaged_dicom(tmp_path: Path, syntax: str) -> None:
    data = write_multiframe(tmp_path / "a", PHANTOM, Written(syntax)).read_bytes()
    survive(tmp_path / "b", data, 250, 3000, volume)


def test_damaged_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in write_dicom(tmp_path / "a", PHANTOM).iterdir():
            archive.write(path, path.name)
    survive(tmp_path / "b.zip", (tmp_path / "a.zip").read_bytes(), 150, 2000, volume)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_damaged_files(tmp_path: Path, suffix: str) -> None:
    import SimpleITK as sitk

    if suffix.startswith(".nii"):
        write_nifti(tmp_path / f"a{suffix}", VALUES, PHANTOM.mm_from_voxel)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(VALUES), str(tmp_path / f"a{suffix}"), True)
    survive(tmp_path / f"b{suffix}", (tmp_path / f"a{suffix}").read_bytes(), 150, 352, volume)


def test_damaged_labels(tmp_path: Path) -> None:
    data = write_nifti(tmp_path / "a.nii", (VALUES > 0).astype(np.uint8), PHANTOM.mm_from_voxel).read_bytes()
    survive(tmp_path / "b.nii", data, 150, 352, read_labels)


@pytest.mark.parametrize("syntax", [J2K, JPEG_LS])
def test_damaged_packed_frames_end_their_own_process_only(
    tmp_path: Path, syntax: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicom_unpack, "_PATIENCE_S", 2.0)  # some make decoders run for ever
    monkeypatch.setattr(dicom_unpack, "_MOST_LATE", 99)
    blob = in_memory(write_multiframe(tmp_path / "a", PHANTOM, Written(syntax)).read_bytes())
    head = head_of(blob)
    assert head is not None
    pixels = next(frames_of(blob, head)).pixels
    with blob.open() as file:
        frame = packed_frame(file, frame_places(pixels, file)[0])
    decoder, refused = Decoder(), 0
    try:
        for broken in mutations(frame, 30, 7, 120):
            try:
                assert decoder.decode(pixels, broken).shape == (40, 36)
            except InputError:
                refused += 1
        assert refused > 4
        assert decoder.decode(pixels, frame).shape == (40, 36)
    finally:
        decoder.end()
