"""MPO files are what CIPA DC-007 says they are, other readers find both eyes, and damage ends in one clear error."""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pil

import pictures
from stereo_pairs import RIGHTS, STORY, TAKEN, a_pair
from unflat.errors import InputError, OutputError
from unflat.formats import mpo
from unflat.formats.ifd import HEADER, ascii_tag, directory, long_tag, read_directory, whole_number
from unflat.formats.image import read_image
from unflat.formats.picture_story import picture_words
from unflat.formats.provenance_text import to_plain
from unflat.pipelines.inspect import inspect
from unflat.types.provenance import Source

GOOD = mpo.encoded(a_pair())


def segments(stream: bytes) -> list[tuple[int, bytes]]:
    """Marker and content of each segment before the first scan, by the letter of T.81."""
    found, at = [], 2
    while stream[at] == 0xFF and stream[at + 1] != 0xDA:
        length = int.from_bytes(stream[at + 2 : at + 4], "big")
        found.append((stream[at + 1], stream[at + 4 : at + 2 + length]))
        at += 2 + length
    return found


def table(block: bytes, at: int) -> tuple[dict[int, tuple[int, int, bytes]], int]:
    """A little-endian directory as TIFF 6.0 draws it: number -> type, count, bytes; and the next one's place."""
    (rows,) = struct.unpack_from("<H", block, at)
    found = {}
    for row in range(rows):
        number, kind, count, value = struct.unpack_from("<HHI4s", block, at + 2 + 12 * row)
        size = {2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8}[kind] * count
        place = int.from_bytes(value, "little")
        found[number] = kind, count, value[:size] if size <= 4 else block[place : place + size]
    assert list(found) == sorted(found) and len(found) == rows
    return found, int.from_bytes(block[at + 2 + 12 * rows : at + 6 + 12 * rows], "little")


def test_the_file_is_laid_out_as_the_standard_says() -> None:
    parts = segments(GOOD)
    assert [code for code, _ in parts[:2]] == [0xE1, 0xE2] and 0xE0 not in dict(parts)
    assert parts[0][1].startswith(b"Exif\0\0") and parts[1][1].startswith(b"MPF\0II*\0\x08\0\0\0")
    header = GOOD.index(b"MPF\0") + 4
    block = GOOD[header:]
    index, following = table(block, 8)
    assert index[0xB000] == (7, 4, b"0100") and index[0xB001] == (4, 1, struct.pack("<I", 2))
    first, second = (index[0xB002][2][at : at + 16] for at in (0, 16))
    assert index[0xB002][:2] == (7, 32)
    flags, length, offset, *others = struct.unpack("<IIIHH", first)
    assert (flags, offset, others) == (0x20020002, 0, [0, 0])  # representative, disparity; the first lies at 0
    flags2, length2, offset2, *others = struct.unpack("<IIIHH", second)
    assert (flags2, others) == (0x00020002, [0, 0])
    assert header + offset2 == length and length + length2 == len(GOOD)
    assert GOOD[length - 2 : length + 2] == b"\xff\xd9\xff\xd8"
    own, end = table(block, following)
    assert end == 0 and 0xB000 not in own
    right = GOOD[length:]
    theirs, end = table(right[right.index(b"MPF\0") + 4 :], 8)
    assert end == 0 and theirs[0xB000] == (7, 4, b"0100") and 0xE0 not in dict(segments(right))
    for number, tags in ((1, own), (2, theirs)):
        assert tags[0xB101] == (4, 1, struct.pack("<I", number)) and tags[0xB204] == (4, 1, struct.pack("<I", 1))
        assert tags[0xB205] == (10, 1, struct.pack("<ii", 0, 1))
        assert tags[0xB206] == (5, 1, struct.pack("<II", 63_000, 1_000_000))


def test_pillow_finds_both_eyes(tmp_path: Path) -> None:
    pair, path = a_pair(131, 97), tmp_path / "a.mpo"
    mpo.write(pair, path, quality=95)
    with Pil.open(path) as picture:
        assert picture.format == "MPO" and getattr(picture, "n_frames", 0) == 2
        for frame, eye in enumerate((pair.left, pair.right)):
            picture.seek(frame)
            assert np.abs(np.asarray(picture.convert("RGB")).astype(int) - eye).mean() < 4
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("quality", "sampling"), [(92, 1), (80, 2)])
def test_colour_is_sampled_as_exif_allows(quality: int, sampling: int) -> None:
    from PIL.JpegImagePlugin import get_sampling

    for frame in (0, 1):
        picture: Any = Pil.open(io.BytesIO(mpo.encoded(a_pair(), quality)))
        picture.seek(frame)
        assert get_sampling(picture) == sampling


def test_the_story_the_date_and_the_rights_travel_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.mpo"
    mpo.write(a_pair(), path, text=picture_words(STORY))
    with Pil.open(path) as picture:
        outer = picture.getexif()
        inner = outer.get_ifd(0x8769)
    upright = {0x0112, 0x011A, 0x011B, 0x0128, 0x0213}
    assert set(outer) == upright | {0x010E, 0x0132, 0x013B, 0x8298, 0x8769}
    assert outer[0x0132] == inner[0x9003] == "2019:08:07 06:05:04" and inner[0x9010] == inner[0x9011] == "+02:00"
    assert (inner[0xA001], inner[0xA002], inner[0xA003], inner[0x9000]) == (1, 64, 48, b"0232")
    told = inspect(path)
    assert told["provenance"] == to_plain(STORY) and told["invented"] is True
    assert told["rights"] == {"creator": RIGHTS.creator, "copyright": RIGHTS.copyright}
    assert read_image(path).source.taken == TAKEN
    silent = mpo.encoded(replace(a_pair(), source=Source.array()))
    exif = Pil.open(io.BytesIO(silent)).getexif()
    assert set(exif) == upright | {0x8769} and not {0x9003, 0x9010, 0x9011} & set(exif.get_ifd(0x8769))


def test_both_eyes_carry_the_profile_of_their_colours() -> None:
    wide = pictures.swapped_profile()
    picture: Any = Pil.open(io.BytesIO(mpo.encoded(replace(a_pair(), profile=wide))))
    for frame in (0, 1):
        picture.seek(frame)
        assert picture.info["icc_profile"] == wide and picture.getexif().get_ifd(0x8769)[0xA001] == 0xFFFF
    assert b"ICC_PROFILE" not in GOOD


def test_a_distance_that_is_not_known_is_said_to_be_unknown() -> None:
    data = mpo.encoded(a_pair(baseline_m=None))
    assert data.count(b"\xff" * 8) >= 2
    assert [eye.baseline_m for eye in mpo.read_pictures(data)] == [None, None]
    assert [eye.baseline_m for eye in mpo.read_pictures(GOOD)] == [0.063, 0.063]


def test_inspect_names_the_eyes_and_what_shows_them(tmp_path: Path) -> None:
    path = tmp_path / "a.mpo"
    mpo.write(a_pair(), path)
    stereo = inspect(path)["stereo"]
    assert [stereo[key] for key in ("container", "layout", "eye", "baseline_m", "notes")] == [
        "mpo",
        "mpo",
        "64×48",
        0.063,
        [],
    ]
    assert stereo["marks"] == {"mpf": {"pictures": 2, "base": 1, "convergence_deg": 0.0}}
    shows = {row["device"]: row["shows_3d"] for row in stereo["devices"]}
    assert shows["3D television"] == shows["stereo camera (Fujifilm Real 3D)"] == "yes"
    assert (shows["Nintendo 3DS"], shows["Apple Vision Pro"], shows["Google Photos and Cardboard (Android)"]) == (
        "by hand",
        "no",
        "no",
    )


def test_eyes_of_two_sizes_and_more_than_two_viewpoints_are_told(tmp_path: Path) -> None:
    first, second = mpo.read_pictures(GOOD)
    other = mpo.encoded(a_pair(32, 48))
    right = other[mpo.read_pictures(other)[1].start :]
    lengths = struct.pack("<II", 0x00020002, second.length), struct.pack("<II", 0x00020002, len(right))
    path = tmp_path / "a.mpo"
    path.write_bytes(GOOD[: first.length].replace(*lengths) + right)
    assert inspect(path)["stereo"]["notes"] == ["its eyes differ in size"]


def test_pictures_that_are_no_eyes_are_not_taken_for_eyes(tmp_path: Path) -> None:
    plain = tmp_path / "plain.jpg"
    plain.write_bytes(pictures.encoded(pictures.quarters(), "JPEG"))
    assert mpo.read_pictures(plain.read_bytes()) == () and inspect(plain)["stereo"] is None
    preview = tmp_path / "preview.jpg"
    preview.write_bytes(GOOD.replace(struct.pack("<I", 0x20020002), struct.pack("<I", 0x00030000)))
    assert [one.kind for one in mpo.read_pictures(preview.read_bytes())] == ["primary", "disparity"]
    assert inspect(preview)["stereo"] is None


def test_a_file_that_lost_its_second_picture_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "cut.mpo"
    path.write_bytes(GOOD[: mpo.read_pictures(GOOD)[1].start])
    told = inspect(path)
    assert told["stereo"] is None and any("list of pictures is damaged" in note for note in told["notes"])


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (struct.pack("<I", 2), struct.pack("<I", 0), "does not list"),
        (struct.pack("<I", 2), struct.pack("<I", 5), "does not list"),
        (struct.pack("<I", 2), b"\xff" * 4, "does not list"),
        (struct.pack("<HHI", 0xB002, 7, 32), struct.pack("<HHI", 0xB002, 7, 1 << 31), "outside"),
        (b"MPF\0II*\0\x08\0\0\0", b"MPF\0II*\0\xff\xff\0\0", "outside"),
        (b"MPF\0II", b"MPF\0XX", "header"),
    ],
)
def test_an_index_that_lies_is_refused(old: bytes, new: bytes, why: str) -> None:
    at = GOOD.index(b"MPF\0")
    broken = GOOD[:at] + GOOD[at:].replace(old, new, 1)
    assert broken != GOOD
    with pytest.raises(InputError, match=why):
        mpo.read_pictures(broken)


def test_a_picture_that_is_longer_than_the_file_is_refused() -> None:
    first, second = mpo.read_pictures(GOOD)
    broken = GOOD.replace(struct.pack("<II", 0x20020002, first.length), struct.pack("<II", 0x20020002, 0))
    broken = broken.replace(struct.pack("<II", 0x00020002, second.length), struct.pack("<II", 0x00020002, len(GOOD)))
    with pytest.raises(InputError, match="picture 2 of 2"):
        mpo.read_pictures(broken)


def test_the_numbers_of_the_viewpoints_say_which_eye_is_left(tmp_path: Path) -> None:
    first = mpo.read_pictures(GOOD)[0]
    other = mpo.encoded(a_pair(32, 48))
    right = other[mpo.read_pictures(other)[1].start :]
    lengths = struct.pack("<I", mpo.read_pictures(GOOD)[1].length), struct.pack("<I", len(right))
    left_is_last = [
        part.replace(struct.pack("<HHII", 0xB101, 4, 1, own), struct.pack("<HHII", 0xB101, 4, 1, 3 - own))
        for own, part in ((1, GOOD[: first.length].replace(*lengths)), (2, right))
    ]
    path = tmp_path / "a.mpo"
    path.write_bytes(b"".join(left_is_last))
    assert [one.number for one in mpo.read_pictures(path.read_bytes())] == [2, 1]
    assert inspect(path)["stereo"]["eye"] == "32×48"


def test_a_directory_that_ends_too_early_is_refused() -> None:
    whole = HEADER + directory([long_tag(1, 7), ascii_tag(2, "words")], len(HEADER), 99)
    tags, following = read_directory(whole, 8, "<")
    assert following == 99 and tags[2].raw == b"words\0" and whole_number(tags[1], "<") == 7
    rows = 8 + 2 + 2 * 12
    for end in (8, 9, rows - 1, rows + 3, len(whole) - 1):
        with pytest.raises(ValueError, match=r"outside|cut short"):
            read_directory(whole[:end], 8, "<")
    with pytest.raises(ValueError, match="outside"):
        read_directory(whole, -1, "<")


def test_pictures_upon_each_other_are_refused() -> None:
    first, second = mpo.read_pictures(GOOD)
    entry = struct.pack("<II", 0x20020002, first.length)
    with pytest.raises(InputError, match="upon each other"):
        mpo.read_pictures(GOOD.replace(entry, struct.pack("<II", 0x20020002, first.length + second.length)))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_is_read_or_refused_with_one_error(data: st.DataObject) -> None:
    broken = bytearray(GOOD)
    reach = GOOD.index(b"MPF\0") + 250
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, reach))] = data.draw(st.sampled_from([0, 1, 2, 8, 0x7F, 0x80, 0xFF]))
    del broken[data.draw(st.integers(0, len(broken))) :]
    try:
        found = mpo.read_pictures(bytes(broken))
    except InputError as error:
        assert "list of pictures is damaged" in str(error) and error.hint
    else:
        assert all(one.start + one.length <= len(broken) for one in found)


@pytest.mark.parametrize("quality", [0, 101])
def test_a_quality_that_is_none_is_refused(tmp_path: Path, quality: int) -> None:
    with pytest.raises(InputError, match="quality"):
        mpo.write(a_pair(), tmp_path / "a.mpo", quality=quality)
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="too long"):
        mpo.write(a_pair(), tmp_path / "a.mpo", text={"unflat": "x" * 70_000})
    with pytest.raises(InputError, match="65500"):
        mpo.write(a_pair(65_501, 1), tmp_path / "a.mpo")
    path = tmp_path / "there.mpo"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        mpo.write(a_pair(), path)
    mpo.write(a_pair(), path, force=True)
    assert path.read_bytes() == GOOD and list(tmp_path.iterdir()) == [path]


def test_exiftool_agrees(tmp_path: Path) -> None:
    program = shutil.which("exiftool")
    if program is None and os.environ.get("UNFLAT_CI") == "1":
        pytest.fail("exiftool is not installed")
    if program is None:
        pytest.skip("exiftool is not installed")
    path = tmp_path / "a.mpo"
    mpo.write(a_pair(), path, text=picture_words(STORY))
    command = [program, "-json", "-ee", "-a", "-G1:4", "-n", "-validate", "-warning", "-error", str(path)]
    command += ["-all"]
    (told,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    values = {name.split(":")[-1]: value for name, value in sorted(told.items(), reverse=True)}
    assert values["Validate"] in (0, "0 0 0") and "Warning" not in values and "Error" not in values
    assert values["NumberOfImages"] == 2 and values["BaselineLength"] == 0.063 and values["MPImageType"] == 0x020002
    assert values["Artist"] == RIGHTS.creator and values["DateTimeOriginal"] == "2019:08:07 06:05:04"
