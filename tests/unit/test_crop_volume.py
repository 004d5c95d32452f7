"""Places told in the voxels of the files are the same places where the scan was read as averages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unflat
from phantoms import affine, ball, scanned, write_nifti
from unflat.errors import InputError
from unflat.stages.crop_volume import coarser_box, coarser_seeds
from unflat.stages.tissues import Box, Seeds
from unflat.types import Grid

SMALL = {"max_memory": "400KB"}


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("scan") / "two.nii.gz"
    one, other = ball((12, 24, 20), 7), ball((36, 24, 20), 7)
    phantom = scanned((41, 49, 49), affine(), lambda at: np.minimum(one(at), other(at)))
    write_nifti(place, phantom.values, phantom.mm_from_voxel)
    return place


def _centres(result: Any) -> list[list[float]]:
    return [np.round(node.item.vertices.mean(axis=0) * 1000, 0).tolist() for node in result.scene.nodes]


def test_seeds_regions_and_pins_are_where_they_were(scan: Path, tmp_path: Path) -> None:
    pins = tmp_path / "pins.json"
    pins.write_text(json.dumps([{"text": "here", "voxel": [12, 24, 20]}]))
    told = {"modality": "ct", "threshold": "0", "pins": pins}
    for more in ({}, SMALL):
        seeded = unflat.volume(scan, seed="36,24,20", **told, **more)
        assert _centres(seeded) == [[36, 24, 20]]
        assert np.array(seeded.scene.pins[0].at) * 1000 == pytest.approx([12, 24, 20])
        boxed = unflat.volume(scan, roi="0:25,0:49,0:41", **told, **more)
        assert _centres(boxed) == [[12, 24, 20]]
        assert (boxed.volume.grid.shape == (41, 49, 49)) == (not more)
        with pytest.raises(InputError, match="beyond the scan"):
            _ = unflat.volume(scan, roi="0:60,0:49,0:41", **told, **more).scene
        with pytest.raises(InputError, match="outside"):
            _ = unflat.volume(scan, seed="60,0,0", **told, **more).scene


def test_what_was_left_over_at_the_ends_is_the_last_voxel() -> None:
    grid = Grid((5, 6, 7), np.eye(4))
    assert coarser_box(Box((3, 15), (0, 12), (1, 2)), (2, 2, 1), grid) == Box((1, 7), (0, 6), (1, 2))
    assert coarser_seeds(Seeds(((14, 0, 3),)), (2, 2, 1), grid).voxels == ((6, 0, 3),)


def test_numbers_and_lists_are_words_of_the_command_line(scan: Path) -> None:
    told = unflat.volume(scan, modality="ct", threshold=0, seed=(36, 24, 20))
    assert _centres(told) == [[36, 24, 20]]
    assert unflat.volume(scan, modality="ct", preset=["bone", "skin"]).options.segment.preset.names == ("bone", "skin")
    with pytest.raises(InputError, match="threshold") as caught:
        unflat.volume(scan, threshold=object())
    assert "--threshold" in str(caught.value.hint)
