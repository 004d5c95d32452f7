"""Folders of DICOM slices: every voxel where the scanner measured it, whatever the files are called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from phantoms import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    J2K,
    JPEG_LS,
    RLE,
    Phantom,
    Written,
    affine,
    turned,
    write_dicom,
    write_multiframe,
)
from unflat.formats.volumes import Reading, read_volume, series_in


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
