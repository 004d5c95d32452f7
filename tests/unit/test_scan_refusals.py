"""Scans and label maps that would give something wrong are refused, or what is odd about them is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import unflat
from bodies import HEAD_MM, head
from phantoms import affine, ball, scanned, write_nifti
from unflat.errors import InputError, ShapeError
from unflat.formats import label_names, nifti_write, pins
from unflat.formats.label_maps import read_labels
from unflat.formats.volume_blobs import in_memory
from unflat.types import Grid, Volume

SHAPE = (20, 22, 24)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    phantom = scanned(SHAPE, affine(), ball((12, 11, 10), 7))
    write_nifti(tmp_path / "scan.nii.gz", phantom.values, phantom.mm_from_voxel)
    return tmp_path / "scan.nii.gz"


def _numbers() -> Any:
    numbers = np.zeros(SHAPE, np.int32)
    numbers[4:10, 5:15, 5:15], numbers[12:18, 5:15, 5:15] = 1, 2**31 - 1
    return numbers


def test_a_face_is_not_looked_for_where_nobody_knows_the_front(tmp_path: Path) -> None:
    volume = head()
    (tmp_path / "stack").mkdir()
    for k, plane in enumerate(np.clip((volume.values + 1000) / 10, 0, 255).astype(np.uint8)[:, ::-1]):
        Image.fromarray(plane).save(tmp_path / "stack" / f"{k:03d}.png")
    told = unflat.volume(tmp_path / "stack", spacing_mm=HEAD_MM, threshold=60, deface=True)
    with pytest.raises(InputError, match="where the front is"):
        _ = told.scene
    nifti_write.write(volume, tmp_path / "head.nii.gz")
    assert unflat.volume(tmp_path / "head.nii.gz", modality="ct", preset="skin", deface=True).scene.nodes


def test_labels_beside_the_scan(scan: Path, tmp_path: Path) -> None:
    write_nifti(tmp_path / "far.nii.gz", _numbers(), affine(origin=(5000, 0, 0)))
    with pytest.raises(InputError, match="beside it"):
        _ = unflat.volume(scan, labels=tmp_path / "far.nii.gz").scene
    write_nifti(tmp_path / "half.nii.gz", _numbers(), affine(origin=(0, 0, -11)))
    told = unflat.volume(scan, labels=tmp_path / "half.nii.gz").report
    assert any("not on the scan" in word and "label 1" in word for word in told["warnings"])


def test_labels_of_large_numbers(scan: Path, tmp_path: Path) -> None:
    write_nifti(tmp_path / "labels.nii.gz", _numbers(), affine())
    told = unflat.volume(scan, labels=tmp_path / "labels.nii.gz", only=str(2**31 - 1)).report["tissues"]
    assert [row["name"] for row in told] == [f"label {2**31 - 1}"]
    assert told[0]["voxels_ml"] == pytest.approx(0.6)


def test_a_folder_of_masks(scan: Path, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    for name, number in (("liver", 1), ("spleen", 2**31 - 1)):
        write_nifti(tmp_path / "masks" / f"{name}.nii.gz", (_numbers() == number).astype(np.uint8), affine())
    told = unflat.volume(scan, labels=tmp_path / "masks").report
    assert {row["name"] for row in told["tissues"]} == {"liver", "spleen"}
    assert any("called as the files" in word for word in told["warnings"])
    write_nifti(tmp_path / "masks" / "odd.nii.gz", _numbers(), affine())
    with pytest.raises(InputError, match="no mask"):
        read_labels(tmp_path / "masks")


def test_half_letters_and_control_letters(tmp_path: Path) -> None:
    (tmp_path / "pins.json").write_text('[{"text": "p\\ud800", "voxel": [1, 2, 3]}]')
    with pytest.raises(InputError, match="half a character"):
        pins.read(tmp_path / "pins.json")
    with pytest.raises(InputError, match="no JSON"):
        label_names.read_names(in_memory(b'{"1": "z\\ud800"}', "x/a.json"))
    (label,) = label_names.labels_of([1], [{1: ("a\x01b\x1b[31m \u202e", None)}])
    assert label.name == "a b [31m"


def test_lists_of_names_in_many_ways() -> None:
    def names(text: str) -> dict[int, Any]:
        return label_names.read_names(in_memory(text.encode(), "x/a.txt"))[0]

    assert names('1,"spleen"\n"2"; left kidney ;10;20;30\n3\tliver\t1\t2\t3\t255\n# 4 none\n5: gall bladder') == {
        1: ("spleen", None),
        2: ("left kidney", (10, 20, 30)),
        3: ("liver", (1, 2, 3)),
        5: ("gall bladder", None),
    }
    assert names("1 spleen\n1," + " " * 100_000 + ";\n2 " + "x, " * 40_000) == {1: ("spleen", None)}


def test_what_a_volume_cannot_hold() -> None:
    values, grid = np.zeros(SHAPE, np.float32), Grid(SHAPE, np.diag([1e-3, 1e-3, 1e-3, 1]))
    with pytest.raises(ShapeError, match="masked"):
        Volume(np.ma.masked_equal(values, 0), grid, "hu", "CT")
    values[3, 4, 5] = np.nan
    with pytest.raises(ShapeError, match="finite"):
        Volume(values, grid, "hu", "CT")


def test_nothing_but_one_value_is_no_label_map(tmp_path: Path) -> None:
    write_nifti(tmp_path / "ones.nii.gz", np.ones(SHAPE, np.uint8), affine())
    with pytest.raises(InputError, match="same value"):
        _ = unflat.volume(tmp_path / "ones.nii.gz").scene


@pytest.mark.parametrize(("low", "high"), [(100, 1000), (-1000, 100), (-5, 1), (0, 1000)])
def test_resonance_scans_of_any_offset(tmp_path: Path, low: float, high: float) -> None:
    phantom = scanned((40, 42, 44), affine(), ball((21.5, 20.5, 19.5), 14), (-1000, 1000))
    noise = np.random.default_rng(0).normal(0, 0.01, phantom.values.shape) * (phantom.values > -1000)
    values = low + (high - low) * np.float32(phantom.values + 1000) / 2000 * (1 + noise)
    volume = Volume(values.astype(np.float32), Grid(values.shape, np.diag([1e-3, 1e-3, 1e-3, 1])), "intensity", "MR")
    (row,) = unflat.volume(volume).report["tissues"]
    assert row["volume_ml"] == pytest.approx(4 / 3 * np.pi * 1.4**3, rel=0.12)


def test_what_cannot_be_simplified_stays_and_is_named(scan: Path, tmp_path: Path) -> None:
    numbers = np.zeros(SHAPE, np.uint8)
    numbers[4:14, 5:15, 5:15], numbers[16:18, 16:18, 16:20] = 1, 2
    write_nifti(tmp_path / "labels.nii.gz", numbers, affine())
    told = unflat.volume(scan, labels=tmp_path / "labels.nii.gz", simplify_mm=5.0).report
    assert [row["name"] for row in told["tissues"]] == ["label 1", "label 2"]
    for row in told["tissues"]:
        assert row["volume_ml"] == pytest.approx(row["voxels_ml"], rel=0.25)
    assert any("lost its shape" in word and "label 2" in word for word in told["warnings"])
    cut = unflat.volume(scan, labels=tmp_path / "labels.nii.gz", simplify_mm=5.0, cut="axial", cut_at=10.0).report
    assert [row["name"] for row in cut["tissues"]] == ["label 1"]
    assert any("cut away as a whole: label 2" in word for word in cut["warnings"])


def test_skin_of_a_label_map_is_sheer(scan: Path, tmp_path: Path) -> None:
    numbers = np.zeros(SHAPE, np.uint8)
    numbers[2:18, 2:18, 2:18], numbers[6:12, 6:12, 6:12] = 1, 2
    write_nifti(tmp_path / "labels.nii.gz", numbers, affine())
    (tmp_path / "labels.json").write_text('{"1": "skin", "2": "liver"}')
    skin, liver = unflat.volume(scan, labels=tmp_path / "labels.nii.gz").scene.nodes
    assert skin.finish.opacity < 0.5 and liver.finish.opacity == 1
