"""The stereo pair of HEIF files of others is read as their makers meant it; files that lie end in one clear error."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pictures
from unflat.errors import InputError
from unflat.formats.heif_read import heif_table
from unflat.formats.heif_write import Group, Item, Property, box, extent, full_box, heif_file, upper_left
from unflat.formats.spatial_heic import DISPARITY, EXTRINSICS, INTRINSICS
from unflat.formats.spatial_read import read_pair
from unflat.pipelines.inspect import inspect
from unflat.types.image import Size


def own(kind: bytes, content: bytes) -> Property:
    return Property(box(b"uuid", kind, content))


def camera(flags: int, *values: int) -> bytes:
    return struct.pack(f">I{len(values)}i", flags, *values)


def pair_of(said: list[Property], other: list[Property] | None = None, group: list[Property] | None = None) -> bytes:
    """A file of two pictures without any data."""
    left = Item(b"hvc1", b"L", (extent(1280, 720), *said))
    right = Item(b"hvc1", b"R", (extent(1280, 720), *(said if other is None else other)))
    return heif_file([left, right], [Group(b"ster", (0, 1), tuple(group or ()))])


MATRIX = camera(0x1C00, 0x24926E7E, 0x08000000, 0x08000000)
"""Of a photo that a Vision Pro made (strukturag/libheif#1191), 1280×720."""
SPATIAL = [own(INTRINSICS, MATRIX), own(EXTRINSICS, camera(0)), own(DISPARITY, struct.pack(">i", -1000))]
FILE = pair_of(SPATIAL, [SPATIAL[0], own(EXTRINSICS, camera(1, 19_240)), SPATIAL[2]])


def test_a_photo_of_apple_s_devices_is_spatial() -> None:
    found = read_pair(FILE)
    assert found is not None and found.spatial and found.left == found.right == Size(1280, 720)
    focal = 0x24926E7E / (1 << 28) * 1280
    assert found.fov_x_deg == pytest.approx(math.degrees(2 * math.atan(640 / focal)))
    assert (found.baseline_m, found.disparity, found.primary) == (0.01924, -0.1, "left")


def test_the_matrices_that_were_worked_out_by_others() -> None:
    """The values of strukturag/libheif#1164: pictures 1000 wide, focal lengths of 1, 2 and 100 pixels."""
    for focal, value in ((1, 0x10624E), (2, 0x20C49C), (100, 0x6666666)):
        said = [Property(box(b"cmin", camera(0x1E00, value, 0, 0)))]
        items = [Item(b"hvc1", b"", (extent(1000, 500), *said))] * 2
        found = read_pair(heif_file(items, [Group(b"ster", (0, 1))]))
        assert found is not None and not found.spatial
        degrees = math.degrees(2 * math.atan(500 / focal))
        assert found.fov_x_deg == (pytest.approx(degrees, abs=1e-3) if degrees <= 179 else None)


def test_a_turned_and_a_cropped_picture_are_as_they_are_shown() -> None:
    turned = [*SPATIAL, Property(box(b"irot", b"\1"), essential=True)]
    found = read_pair(pair_of(turned))
    focal = 0x24926E7E / (1 << 28) * 1280
    assert found is not None and found.left == Size(720, 1280)
    assert found.fov_x_deg == pytest.approx(math.degrees(2 * math.atan(360 / focal)))
    found = read_pair(pair_of([*SPATIAL, upper_left(1000, 700, 1280, 720)]))
    assert found is not None and found.left == Size(1000, 700)
    assert found.fov_x_deg == pytest.approx(math.degrees(2 * math.atan(500 / focal)))


def test_positions_along_all_axes_count() -> None:
    for flags, values, metres in ((7, (30, 40, 0), 50e-6), (2, (5_000,), 0.005), (36, (-40_000, 1), 0.04)):
        other = [*SPATIAL[:1], Property(box(b"cmex", camera(flags, *values)))]
        found = read_pair(pair_of(SPATIAL, other))
        assert found is not None and found.baseline_m == pytest.approx(metres)


def test_alternatives_stand_for_their_first_picture_and_the_group_may_say_the_shift() -> None:
    items = [Item(b"hvc1", b"", (extent(8 * n, 8),)) for n in range(1, 4)]
    groups = [
        Group(b"altr", (1, 2)),
        Group(b"ster", (3, 0), (own(DISPARITY, struct.pack(">i", 250)),)),  # number 4 is the group of alternatives
    ]
    found = read_pair(heif_file(items, groups))
    assert found is not None and found.left == Size(16, 8) and found.right == Size(8, 8)
    assert found.primary == "right" and found.disparity == 0.025 and not found.spatial


def test_the_wide_forms_of_the_lists_are_read() -> None:
    """Version 1 of the lists has numbers of 32 bits; properties beyond 127 need 16."""
    item = full_box(b"infe", 3, 0, struct.pack(">IH4s", 70_000, 0, b"hvc1"), b"\0")
    other = full_box(b"infe", 3, 0, struct.pack(">IH4s", 70_001, 0, b"grid"), b"\0")
    links = b"".join(struct.pack(">IBH", number, 1, 0x8001) for number in (70_000, 70_001))
    meta = full_box(
        b"meta",
        0,
        0,
        full_box(b"pitm", 1, 0, struct.pack(">I", 70_001)),
        full_box(b"iinf", 1, 0, struct.pack(">I", 2), item, other),
        box(b"iprp", box(b"ipco", extent(40, 30).box), full_box(b"ipma", 1, 1, struct.pack(">I", 2), links)),
        box(b"grpl", full_box(b"ster", 0, 0, struct.pack(">IIII", 9, 2, 70_000, 70_001))),
    )
    large = struct.pack(">I4sQ", 1, b"meta", len(meta) + 8) + meta[8:]  # a length of 64 bits
    for table in (meta, large):
        found = read_pair(box(b"ftyp", b"heic", bytes(4)) + table)
        assert found is not None and found.left == found.right == Size(40, 30) and found.primary == "right"


def test_properties_beyond_the_first_127_are_found() -> None:
    items = b"".join(full_box(b"infe", 2, 0, struct.pack(">HH4s", n, 0, b"hvc1"), b"\0") for n in (1, 2))
    many = b"".join(extent(8, n).box for n in range(1, 300))
    links = b"".join(struct.pack(">HBH", n, 1, 0x8000 | 200 + n) for n in (1, 2))
    table = full_box(
        b"meta",
        0,
        0,
        full_box(b"iinf", 0, 0, struct.pack(">H", 2), items),
        box(b"iprp", box(b"ipco", many), full_box(b"ipma", 0, 1, struct.pack(">I", 2), links)),
        box(b"grpl", full_box(b"ster", 0, 0, struct.pack(">IIII", 9, 2, 1, 2))),
    )
    found = read_pair(table)
    assert found is not None and (found.left, found.right, found.primary) == (Size(8, 201), Size(8, 202), None)


def test_other_files_are_no_pairs(tmp_path: Path) -> None:
    assert read_pair(pictures.heic()) is None and heif_table(b"") is None
    items = [Item(b"hvc1", b"", (extent(8, 8),))]
    assert read_pair(heif_file(items, [Group(b"ster", (0,))])) is None
    assert read_pair(heif_file(items, [Group(b"ster", (0, 5))])) is None
    assert read_pair(heif_file(items * 2, [Group(b"pymd", (0, 1))])) is None
    path = tmp_path / "plain.heic"
    path.write_bytes(pictures.heic())
    assert inspect(path)["stereo"] is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (own(DISPARITY, struct.pack(">i", 20_000)), "disparity"),
        (own(DISPARITY, b"\0\0"), "disparity"),
        (own(INTRINSICS, b"\0\0\x1c\0"), "fov_x_deg"),
        (own(INTRINSICS, camera(0x1C00, 0, 0, 0)), "fov_x_deg"),
        (own(INTRINSICS, camera(0x1C00, -5, 0, 0)), "fov_x_deg"),
        (own(EXTRINSICS, b"\0\0"), "baseline_m"),
        (own(EXTRINSICS, camera(0)), "baseline_m"),
    ],
)
def test_what_makes_no_sense_is_not_believed(said: Property, why: str) -> None:
    found = read_pair(pair_of([said]))
    assert found is not None and getattr(found, why) is None and not found.spatial


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"ster\0\0\0\0\0\0\0\3\0\0\0\2", b"ster\0\0\0\0\0\0\0\3\xff\xff\xff\xff"),
        (b"ipma\0\0\0\0\0\0\0\2", b"ipma\0\0\0\0\xff\xff\xff\xff"),
        (b"ipco", b"ipma"),
        (struct.pack(">I", 20) + b"ispe", struct.pack(">I", 7) + b"ispe"),
        (struct.pack(">I", 20) + b"ispe", struct.pack(">I", 1 << 31) + b"ispe"),
        (camera(0x1C00, 0x24926E7E), camera(0x1C00, 0x24926E7E)[:2]),
        (struct.pack(">I4sI", 12, b"cmex", 1), b""),
    ],
)
def test_lists_that_lie_are_refused(old: bytes, new: bytes) -> None:
    broken = FILE.replace(old, new)
    if broken == FILE:
        other = [*SPATIAL[:1], Property(box(b"cmex", struct.pack(">I", 1)))]  # says x, and ends
        broken = pair_of(SPATIAL, other)
    with pytest.raises(InputError, match="table of pictures is damaged") as caught:
        read_pair(broken)
    assert caught.value.hint


def test_a_file_of_endless_boxes_is_left() -> None:
    with pytest.raises(InputError, match="more boxes"):
        read_pair(full_box(b"meta", 0, 0, box(b"iprp", box(b"ipco", box(b"free") * 30_000))))
    links = struct.pack(">HB", 1, 255) + bytes(255)
    with pytest.raises(InputError, match="says more"):
        read_pair(full_box(b"meta", 0, 0, box(b"iprp", full_box(b"ipma", 0, 0, struct.pack(">I", 500), links * 500))))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_damage_is_read_or_refused_with_one_error(data: st.DataObject) -> None:
    broken = bytearray(FILE)
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.sampled_from([0, 1, 2, 3, 0x7F, 0x80, 0xFF]))
    del broken[data.draw(st.integers(0, len(broken))) :]
    try:
        found = read_pair(bytes(broken))
    except InputError as error:
        assert "table of pictures is damaged" in str(error) and error.hint
    else:
        assert found is None or found.primary in ("left", "right", None)
