"""Scans and label maps handed over as arrays are what their files would be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unflat
from bodies import trunk
from unflat.errors import InputError

BALL = (np.indices((24, 26, 28)) - np.reshape([11.5, 12.5, 13.5], (3, 1, 1, 1))).astype(float)
INSIDE = (BALL**2).sum(axis=0) < 9**2


def made(array: Any, **more: Any) -> Any:
    return unflat.volume(array, **{"spacing_mm": (1.0, 1.0, 2.0), **more})


def test_an_array_is_a_scan() -> None:
    result = made(np.where(INSIDE, 700, -1000), modality="ct", table="keep")
    (row,) = result.report["tissues"]
    assert row["name"] == "bone" and row["voxels_ml"] == pytest.approx(INSIDE.sum() * 2e-3)
    span = np.ptp(result.scene.nodes[0].item.vertices, axis=0) * 1000
    assert span == pytest.approx([18, 18, 36], rel=0.05)
    assert result.volume.values.dtype == np.int16 and result.report["scan"]["spacing_mm"] == [1, 1, 2]
    assert any("assumed" in word for word in result.report["warnings"])


@pytest.mark.parametrize("kind", ["f4", "f8", ">i2", "i8", "u8", "?"])
def test_all_kinds_of_numbers(kind: str) -> None:
    array = np.asfortranarray(np.where(INSIDE, 1, 0).astype(kind))
    (row,) = made(array, threshold="0.5", keep="all").report["tissues"]
    assert row["voxels_ml"] == pytest.approx(INSIDE.sum() * 2e-3)


def test_labels_fit_voxel_by_voxel() -> None:
    scan = trunk(noise=0)
    numbers = np.zeros(scan.values.shape, np.int64)
    numbers[10:20, 40:60, 50:70], numbers[25:30, 40:60, 50:70] = 7, 300
    told = unflat.volume(scan, labels=numbers).report["tissues"]
    assert [row["name"] for row in told] == ["label 7", "label 300"]
    with pytest.raises(InputError, match="shape"):
        _ = unflat.volume(scan, labels=numbers[1:]).scene
    with pytest.raises(InputError, match="whole numbers"):
        _ = unflat.volume(scan, labels=numbers + 0.5).scene


def test_a_label_map_alone_becomes_its_parts() -> None:
    numbers = np.zeros((24, 26, 28), np.uint8)
    numbers[4:12, 5:20, 5:20], numbers[14:22, 5:20, 5:20] = 1, 2
    assert [row["name"] for row in made(numbers).report["tissues"]] == ["label 1", "label 2"]


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.zeros((4, 4)), "slices, rows, columns"),
        (np.zeros((1, 4, 4)), "two or more"),
        (np.zeros((4, 4, 4), complex), "of numbers"),
        (np.full((4, 4, 4), "x"), "of numbers"),
        (np.ma.masked_less(np.zeros((4, 4, 4)), 1), "masked"),
    ],
    ids=["flat", "one slice", "complex", "words", "masked"],
)
def test_what_is_no_scan(array: Any, word: str) -> None:
    with pytest.raises(InputError, match=word):
        made(array)


@pytest.mark.parametrize("spacing", [None, (1, 1), (0, 1, 1), (1, float("nan"), 1), (1, 1, -1)])
def test_its_voxels_need_a_size(spacing: Any) -> None:
    with pytest.raises(InputError, match=r"mm|large"):
        made(np.zeros((4, 4, 4)), spacing_mm=spacing)
