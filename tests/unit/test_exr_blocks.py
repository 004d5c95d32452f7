"""The writer of EXR blocks, read again by OpenEXR itself; what it asks its maker for is a few rows at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unflat.formats.exr_blocks import Channels, exr_attribute, write_blocks
from unflat.types import Size

OpenEXR = pytest.importorskip("OpenEXR")


@pytest.mark.parametrize("height", [1, 16, 17, 40])
@pytest.mark.parametrize("noise", [True, False])
def test_openexr_reads_what_was_given(tmp_path: Path, height: int, noise: bool) -> None:
    dice, size, path = np.random.default_rng(height), Size(37, height), tmp_path / "a.exr"
    bits = dice.integers(0, 0x7BFF, size.shape, np.uint16) if noise else np.zeros(size.shape, np.uint16)
    planes = {
        "b.half": bits.view(np.float16),
        "Z": dice.random(size.shape, np.float32) if noise else np.full(size.shape, np.inf, np.float32),
        "A": np.ones(size.shape, np.float16),
    }
    asked: list[slice] = []

    def rows(of: slice) -> Channels:
        asked.append(of)
        return {name: plane[of] for name, plane in planes.items()}

    matrix = np.arange(16, dtype=np.float32).reshape(4, 4)
    window = np.array((-3, -5, 33, height - 6), np.int32)
    write_blocks(path, size, {"dataWindow": window, "worldToNDC": matrix, "owner": "Ærø"}, rows)
    assert max(of.stop - of.start for of in asked) <= 16
    with OpenEXR.File(str(path), separate_channels=True) as file:
        header, found = file.header(), file.channels()
        assert set(found) == set(planes)
        for name, plane in planes.items():
            np.testing.assert_array_equal(found[name].pixels, plane)
            assert found[name].pixels.dtype == plane.dtype
        assert np.array_equal(header["dataWindow"], [(-3, -5), (33, height - 6)])
        assert np.array_equal(header["worldToNDC"], matrix) and header["owner"] == "Ærø"
        assert np.array_equal(header["displayWindow"], [(0, 0), (36, height - 1)])
        assert header["pixelAspectRatio"] == 1


def test_what_a_header_cannot_hold_is_refused() -> None:
    with pytest.raises(KeyError):
        exr_attribute("odd", np.zeros(3, np.float32))
