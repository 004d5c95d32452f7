"""Spatial photos are the boxes that they should be, other people's readers see both eyes, and the cameras are true."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

import pictures
from heif_boxes import full, table
from stereo_pairs import RIGHTS, STORY, TAKEN, a_pair
from unflat.errors import InputError, MissingExtraError, OutputError
from unflat.formats import hevc_still, spatial_heic
from unflat.formats.image import read_image
from unflat.formats.picture_story import picture_words
from unflat.formats.provenance_text import to_plain
from unflat.formats.spatial_read import read_pair
from unflat.pipelines.inspect import inspect
from unflat.stages.make_stereo import make_stereo
from unflat.stages.plan_stereo import StereoOptions
from unflat.types.image import Size
from unflat.types.stereo import Rig, StereoPair

av = pytest.importorskip("av")
pi_heif = pytest.importorskip("pi_heif")

CMIN = UUID("22cc04c7-d6d9-4e07-9d90-4eb6ecbaf3a3").bytes
CMEX = UUID("4363e914-5b7d-4aab-97ae-bea69803b434").bytes
SHIFTED = UUID("de225085-36cb-4365-8743-2f8705e7c78a").bytes


def flat(width: int = 64, height: int = 48, **changes: Any) -> StereoPair:
    """A pair whose farthest lies in the plane of the screen, so that nothing is cut off."""
    return replace(a_pair(width, height), in_share=0.0, **changes)


GOOD = spatial_heic.encoded(flat(), text=picture_words(STORY))


def views(data: bytes) -> list[np.ndarray]:
    """What pi-heif decodes of each picture."""
    found = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True, bgr_mode=False)
    assert found.primary_index == 0
    return [np.array(one)[:, : one.size[0]] for one in found]


def test_the_file_is_laid_out_as_the_standards_say() -> None:
    told = table(GOOD)
    assert told["brands"] == [b"heic", b"mif1", b"miaf", b"heic"] and told["handler"] == b"pict"
    assert told["items"] == {1: b"hvc1", 2: b"hvc1", 3: b"Exif", 4: b"mime"} and told["primary"] == 1
    assert told["groups"] == [(b"ster", 5, (1, 2))]
    assert told["references"] == [(b"cdsc", (3, 1, 1)), (b"cdsc", (4, 1, 1))]
    assert told["data"][3].startswith(b"\0\0\0\6Exif\0\0II*\0")
    assert len(told["properties"]) == len(set(told["properties"]))
    for eye in (1, 2):
        said = {kind if kind != b"uuid" else content[:16]: content for _, kind, content in told["said"][eye]}
        assert [kind for essential, kind, _ in told["said"][eye] if essential] == [b"hvcC"]
        assert full(said[b"ispe"]) == (0, 0, struct.pack(">II", 64, 48))
        assert full(said[b"pixi"]) == (0, 0, b"\3\10\10\10")
        assert said[b"colr"] == b"nclx" + struct.pack(">HHHB", 1, 13, 6, 0x80)
        assert said[SHIFTED] == SHIFTED + bytes(4)
        assert said[CMIN] == CMIN + said[b"cmin"] and said[CMEX] == CMEX + said[b"cmex"]
        assert b"clap" not in said and b"irot" not in said and b"imir" not in said
        version, flags, rest = full(said[b"cmin"])
        focal, across, down = (value / (1 << (flags >> 8)) for value in struct.unpack(">3i", rest))
        assert version == 0 and not flags & 1
        assert focal == pytest.approx(0.5 / math.tan(math.radians(30)), rel=1e-6) and (across, down) == (0.5, 0.5)
        assert full(said[b"cmex"]) == ((0, 0, b"") if eye == 1 else (0, 1, struct.pack(">i", 63_000)))
    assert [content[:16] for _, _, content in told["said"][5]] == [SHIFTED]


def coded_as(sps: bytes) -> tuple[int, int, int]:
    """Of sequence parameters (H.265, 7.3.2.2): chroma format, width and height, which are multiples of 8."""
    plain = sps.replace(b"\0\0\3", b"\0\0")
    bits = "".join(f"{byte:08b}" for byte in plain[15:])
    at = 0

    def number() -> int:
        nonlocal at
        zeros = bits.index("1", at) - at
        value = int(bits[at + zeros : at + 2 * zeros + 1], 2) - 1
        at += 2 * zeros + 1
        return value

    number()
    return number(), number(), number()


def test_the_decoder_record_is_that_of_the_main_profile() -> None:
    record = next(content for _, kind, content in table(GOOD)["said"][1] if kind == b"hvcC")
    assert record[0] == 1 and record[1] == 1 and record[2:6] == b"\x60\0\0\0"  # main, and main 10 takes it
    level = record[12]
    assert level % 30 == 0 and record[13:21] == b"\xf0\0\xfc\xfd\xf8\xf8\0\0" and record[21] & 3 == 3
    kinds, at = [], 23
    for _ in range(record[22]):
        kind, count, length = struct.unpack_from(">BHH", record, at)
        kinds.append(kind)
        unit = record[at + 5 : at + 5 + length]
        assert count == 1 and unit[0] >> 1 == kind & 0x3F
        at += 5 + length
    assert kinds == [0x80 | 32, 0x80 | 33, 0x80 | 34] and at == len(record)
    assert coded_as(record[record.index(b"\x42\1") :]) == (1, 64, 48)
    stream = table(GOOD)["data"][1]
    assert int.from_bytes(stream[:4], "big") + 4 == len(stream) and stream[4] >> 1 in (19, 20)  # one random access unit


@pytest.mark.parametrize("size", [(64, 48), (131, 97), (64, 33), (17, 64), (3, 2), (1, 1)])
def test_both_eyes_come_back_in_their_size(size: tuple[int, int]) -> None:
    pair = flat(*size)
    data = spatial_heic.encoded(pair, quality=97)
    for seen, eye in zip(views(data), (pair.left, pair.right), strict=True):
        assert seen.shape == eye.shape and np.abs(seen.astype(int) - eye).mean() < 4
    own = table(data)["said"][1]
    said = {kind: full(content) for _, kind, content in own}
    across, down = struct.unpack(">II", said[b"ispe"][2])
    assert across % 2 == down % 2 == 0 and across >= size[0] and down >= size[1]
    must = [kind for essential, kind, _ in own if essential]
    cropped = (across, down) != size
    assert must == [b"hvcC", *([b"clap"] if cropped else [])] and (own[-1][1] == b"clap") == cropped
    unit = 1 << (said[b"cmin"][1] >> 8)
    _, middle_x, middle_y = (value / unit for value in struct.unpack(">3i", said[b"cmin"][2]))
    assert middle_x * across == pytest.approx(size[0] / 2, abs=1e-4)
    assert middle_y * down == pytest.approx(size[1] / 2, abs=1e-4)
    found = read_pair(data)
    assert found is not None and found.left == found.right == Size(*size) and found.spatial
    assert found.fov_x_deg == pytest.approx(60, abs=1e-3)


def test_our_own_reader_keeps_the_pixels_when_the_library_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    spatial_heic.write(flat(), path, quality=97)
    seen = read_image(path).pixels
    others = [bytes([number]) * seen.nbytes for number in range(50)]  # take the memory that was given back
    assert len(others) == 50 and np.abs(seen.astype(int) - flat().left).mean() < 4


def test_ffmpeg_sees_both_pictures(tmp_path: Path) -> None:
    pair, path = flat(), tmp_path / "a.heic"
    spatial_heic.write(pair, path, quality=97)
    for number, eye in enumerate((pair.left, pair.right)):
        with av.open(str(path)) as opened:
            assert len(opened.streams.video) == 2
            frame = next(opened.decode(opened.streams.video[number]))
        seen = frame.reformat(format="rgb24", src_colorspace="ITU601", src_color_range="JPEG").to_ndarray()
        assert np.abs(seen.astype(int) - eye).mean() < 4
        assert (frame.color_range, frame.colorspace) == (2, 6)  # full range, as the colours of the file say


def test_the_farthest_gets_no_disparity_and_the_window_its_place() -> None:
    width, shift = 200, 6
    left = np.zeros((40, width, 3), np.uint8)
    right = left.copy()
    left[:, 100 - shift // 2] = right[:, 100 + shift // 2] = 255  # far: seen farther left by the left eye
    pair = StereoPair(left, right, in_share=shift / width, out_share=0.01, baseline_m=0.06, fov_x_deg=50)
    seen, share = spatial_heic.parallel(pair)
    at = [int(view[0, :, 0].argmax()) for view in (seen.left, seen.right)]
    assert at[0] == at[1] == seen.size.width // 2 and seen.size.width == width - shift
    assert share * seen.size.width == pytest.approx(shift)
    assert math.tan(math.radians(seen.fov_x_deg or 0) / 2) == pytest.approx(
        math.tan(math.radians(25)) * seen.size.width / width
    )
    assert seen.in_share == pytest.approx(0) and seen.out_share == pytest.approx((2 + shift) / seen.size.width)
    data = spatial_heic.encoded(pair)
    found = read_pair(data)
    assert found is not None and found.disparity == pytest.approx(shift / (width - shift), abs=1e-4)
    assert found.fov_x_deg == pytest.approx(seen.fov_x_deg, abs=1e-3) and found.baseline_m == 0.06


def test_a_pair_before_the_screen_is_moved_the_other_way() -> None:
    pair = replace(a_pair(100, 20), in_share=-0.05, left_made=np.eye(20, 100, dtype=bool))
    seen, share = spatial_heic.parallel(pair)
    assert share == pytest.approx(-5 / 95)
    np.testing.assert_array_equal(seen.left, pair.left[:, 5:])
    np.testing.assert_array_equal(seen.right, pair.right[:, :95])
    np.testing.assert_array_equal(seen.left_made, pair.left_made[:, 5:] if pair.left_made is not None else None)
    same, none = spatial_heic.parallel(flat())
    assert none == 0 and same.size == flat().size
    assert spatial_heic.parallel(replace(a_pair(100, 20), in_share=5.0))[0].size.width == 95


def test_what_is_not_known_is_assumed_aloud() -> None:
    unknown = flat(baseline_m=None, fov_x_deg=None)
    eyes, angle = spatial_heic.assumed(unknown)
    assert "63 mm" in eyes and "60 degrees" in angle and spatial_heic.assumed(flat()) == ()
    found = read_pair(spatial_heic.encoded(unknown))
    assert found is not None and (found.baseline_m, round(found.fov_x_deg or 0, 3)) == (0.063, 60)
    assert len(spatial_heic.assumed(flat(fov_x_deg=175.0))) == 1
    for odd in (0.0, -1.0, 5e-7, 2147.5, math.inf):
        assert "cannot be said" in spatial_heic.assumed(flat(baseline_m=odd))[0]
        found = read_pair(spatial_heic.encoded(flat(baseline_m=odd)))
        assert found is not None and found.baseline_m == 0.063
    found = read_pair(spatial_heic.encoded(flat(baseline_m=1999.5)))
    assert found is not None and found.baseline_m == 1999.5


def test_where_infinity_lies_counts_more_than_what_is_farthest() -> None:
    pair = replace(a_pair(100, 20), in_share=0.02, infinity_share=0.05)
    seen, share = spatial_heic.parallel(pair)
    assert share == pytest.approx(5 / 95) and seen.in_share == pytest.approx(-3 / 95) and seen.infinity_share == 0
    again, none = spatial_heic.parallel(seen)
    assert none == 0 and again.size == seen.size


def test_the_story_the_time_and_the_rights_travel(tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(GOOD)
    told, source = inspect(path), read_image(path).source
    assert told["provenance"] == to_plain(STORY) and told["invented"] is True and source.taken == TAKEN
    assert source.rights == RIGHTS and told["notes"] == ["first of 2 pictures"]
    stereo = told["stereo"]
    assert [stereo[key] for key in ("container", "layout", "eye", "baseline_m", "fov_x_deg")] == [
        "heic",
        "spatial",
        "64×48",
        0.063,
        60.0,
    ]
    assert stereo["marks"]["spatial"] == {"disparity_adjustment": 0.0}
    shows = {row["device"]: row["shows_3d"] for row in stereo["devices"]}
    assert shows["Apple Vision Pro"] == "yes" and shows["3D television"] == "no"


def test_the_profile_of_the_colours_travels() -> None:
    wide = pictures.swapped_profile()
    data = spatial_heic.encoded(flat(profile=wide))
    said = [content for _, kind, content in table(data)["said"][2] if kind == b"colr"]
    assert said == [b"prof" + wide, b"nclx" + struct.pack(">HHHB", 2, 2, 6, 0x80)]
    for one in pi_heif.open_heif(io.BytesIO(data)):
        assert one.info["icc_profile"] == wide
    for seen, eye in zip(views(data), (flat().left, flat().right), strict=True):
        assert np.abs(seen.astype(int) - eye).mean() < 5


def test_better_quality_is_closer_and_larger() -> None:
    pair = flat(160, 120)
    coded = {quality: spatial_heic.encoded(pair, quality) for quality in (1, 60, 92, 100)}
    far = [float(np.abs(views(data)[0].astype(int) - pair.left).mean()) for data in coded.values()]
    assert far == sorted(far, reverse=True) and far[0] > 1.5 * far[-1]
    sizes = [len(data) for data in coded.values()]
    assert sizes == sorted(sizes)


def test_what_does_not_fit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.heic"
    for quality in (0, 101):
        with pytest.raises(InputError, match="quality"):
            spatial_heic.write(flat(), path, quality=quality)
    with pytest.raises(OutputError, match="too long"):
        spatial_heic.write(flat(), path, text={"unflat": "x" * 70_000})
    for size in (Size(8192, 4354), Size(16_400, 2)):
        with pytest.raises(InputError, match="larger than an HEVC picture"):
            hevc_still.coded_size(size)
    assert hevc_still.coded_size(Size(8191, 4352)) == Size(8192, 4352)

    class NoCoder:
        @staticmethod
        def create(name: str, mode: str) -> None:
            raise av.codec.codec.UnknownCodecError(name)

    monkeypatch.setattr(av, "CodecContext", NoCoder)
    with pytest.raises(MissingExtraError, match="HEIC"):
        spatial_heic.write(flat(), path)
    assert not list(tmp_path.iterdir())


def tool(name: str) -> str:
    """A program of the system; without it the test is skipped, but never in CI."""
    program = shutil.which(name)
    if program is None and os.environ.get("UNFLAT_CI") == "1":
        pytest.fail(f"{name} is not installed")
    if program is None:
        pytest.skip(f"{name} is not installed")
    return program


def test_libheif_lists_both_pictures_and_their_group(tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(spatial_heic.encoded(flat(131, 97)))
    told = subprocess.run([tool("heif-info"), str(path)], capture_output=True, check=True, text=True).stdout
    assert "image: 131x97 (id=1), primary" in told and "image: 131x97 (id=2)" in told and "Exif" in told
    dump = subprocess.run([tool("heif-info"), "-d", str(path)], capture_output=True, check=True, text=True).stdout
    assert "ster" in dump and "131/1" in dump  # other versions choose other words around them
    command = [tool("heif-convert"), str(path), str(tmp_path / "out.png")]
    subprocess.run(command, capture_output=True, check=True)
    for number, eye in enumerate((flat(131, 97).left, flat(131, 97).right), 1):
        seen = read_image(tmp_path / f"out-{number}.png").pixels
        assert seen.shape == eye.shape and np.abs(seen.astype(int) - eye).mean() < 6


def test_exiftool_finds_nothing_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(GOOD)
    command = [tool("exiftool"), "-json", "-validate", "-warning", "-n", "-a", "-G1:4", "-all", str(path)]
    (told,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    values = {name.split(":")[-1]: value for name, value in told.items()}
    assert values["Validate"] in (0, "0 0 0") and "Warning" not in values and values["FileType"] == "HEIC"
    assert values["Artist"] == RIGHTS.creator and values["DateTimeOriginal"] == TAKEN[:19]
    assert (values["ImageWidth"], values["ImageHeight"]) == (64, 48)


def test_exchanged_views_are_moved_onto_each_other_the_other_way() -> None:
    """So the right camera's view, shown to the left eye, is the one that it would be without the exchange."""
    pixels = np.random.default_rng(3).integers(0, 256, (20, 100, 3), np.uint8)
    inverse = np.zeros((20, 100), np.float32)
    inverse[5:15, 40:60] = 1
    rig = Rig(12, 4, 100)
    plain, other = (make_stereo(pixels, inverse, rig, StereoOptions(swap=swap)).pair for swap in (False, True))
    (seen, share), (exchanged, back) = spatial_heic.parallel(plain), spatial_heic.parallel(other)
    assert share > 0 and back == -share
    np.testing.assert_array_equal(exchanged.left, seen.right)
    np.testing.assert_array_equal(exchanged.right, seen.left)
