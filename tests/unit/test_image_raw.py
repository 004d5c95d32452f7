"""RAW photographs, where the extra is installed: a digital negative made here, developed upright."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

import pictures
from unflat.errors import InputError
from unflat.formats.image import read_image

pytest.importorskip("rawpy")


def negative(orientation: int = 1) -> bytes:
    """A DNG of 256×192: four grey quarters of different brightness behind an RGGB filter, linear, 16 bits."""
    grey = np.empty((192, 256), np.uint16)
    grey[:96, :128], grey[:96, 128:], grey[96:, :128], grey[96:, 128:] = 4000, 12000, 26000, 60000
    samples = grey.tobytes()
    matrix = struct.pack(
        "<18i", *(v for n in (32406, -15372, -4986, -9689, 18758, 415, 557, -2040, 10570) for v in (n, 10000))
    )
    entries = [
        (254, 4, 1, struct.pack("<I", 0)),
        (256, 4, 1, struct.pack("<I", 256)),
        (257, 4, 1, struct.pack("<I", 192)),
        (258, 3, 1, struct.pack("<H", 16)),
        (259, 3, 1, struct.pack("<H", 1)),
        (262, 3, 1, struct.pack("<H", 32803)),
        (271, 2, 5, b"Made\0"),
        (272, 2, 5, b"Here\0"),
        (273, 4, 1, b"DATA"),
        (274, 3, 1, struct.pack("<H", orientation)),
        (277, 3, 1, struct.pack("<H", 1)),
        (278, 4, 1, struct.pack("<I", 192)),
        (279, 4, 1, struct.pack("<I", len(samples))),
        (315, 2, 4, b"Ann\0"),
        (33421, 3, 2, struct.pack("<HH", 2, 2)),
        (33422, 1, 4, bytes((0, 1, 1, 2))),
        (50706, 1, 4, bytes((1, 4, 0, 0))),
        (50708, 2, 5, b"Made\0"),
        (50717, 4, 1, struct.pack("<I", 65535)),
        (50721, 10, 9, matrix),
        (50728, 5, 3, struct.pack("<6I", 1, 1, 1, 1, 1, 1)),
        (50778, 3, 1, struct.pack("<H", 21)),
    ]
    heap_at = 8 + 2 + 12 * len(entries) + 4
    heap = b"".join(value for *_, value in entries if len(value) > 4)
    table, at = b"", heap_at
    for tag, kind, count, value in entries:
        if value == b"DATA":
            stored = struct.pack("<I", heap_at + len(heap))
        elif len(value) > 4:
            stored, at = struct.pack("<I", at), at + len(value)
        else:
            stored = value.ljust(4, b"\0")
        table += struct.pack("<HHI", tag, kind, count) + stored
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + b"\0" * 4 + heap + samples


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_negative_is_developed_upright(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "a.dng"
    path.write_bytes(negative(orientation))
    image = read_image(path)
    height, width, _ = image.pixels.shape
    assert (width, height) == ((256, 192) if orientation == 1 else (192, 256))
    quarter = image.pixels[..., 1].astype(int)
    order = [quarter[height // 4 * y, width // 4 * x] for y, x in ((1, 1), (1, 3), (3, 1), (3, 3))]
    expected = [0, 1, 2, 3] if orientation == 1 else [1, 3, 0, 2]
    assert np.argsort(order).tolist() == expected
    assert image.source.format == "raw" and "developed from RAW" in image.notes
    assert image.source.rights.creator == "Ann" and image.jpeg is None


def test_a_damaged_negative(tmp_path: Path) -> None:
    path = tmp_path / "a.dng"
    for data in (negative()[:300], b"II*\0" + b"\xff" * 400, pictures.encoded(pictures.quarters(), "TIFF")[:200]):
        path.write_bytes(data)
        with pytest.raises(InputError) as caught:
            read_image(path)
        assert "\n" not in str(caught.value)
