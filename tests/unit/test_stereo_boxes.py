"""Films say that they are for two eyes as the specifications have it, and other readers read it."""

from __future__ import annotations

import json
import re
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.marked_films import ENTRY, FLAT, HALF_SPHERE, PACKED, STEREO3D, V1, film, packets, side_data, tool

from mp4_parts import found, parts
from unflat.formats.film_boxes import read_film
from unflat.formats.frame_packing import FramePacking, message, packing_in
from unflat.formats.nal_units import by_lengths, with_prevention, without_prevention
from unflat.formats.stereo_mark import mark_stereo
from unflat.pipelines.inspect import inspect
from unflat.types.stereo import Layout


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".m4v"])
@pytest.mark.parametrize("front", [False, True])
def test_packets_stay_as_they_are_and_the_index_comes_first(tmp_path: Path, suffix: str, front: bool) -> None:
    path = film(tmp_path / f"f{suffix}", front=front)
    before = packets(path)
    mark_stereo(path, Layout.FULL_SBS, baseline_m=0.06)
    assert packets(path) == before and len(before) > 20
    tops = [part.path for part in parts(path.read_bytes()) if "/" not in part.path]
    assert tops.index("moov") < tops.index("mdat")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("codec", "suffix", "params"),
    [
        ("libx265", ".mp4", {"x265-params": "log-level=none:pools=1", "preset": "ultrafast"}),
        ("libsvtav1", ".mp4", {"preset": "12", "svtav1-params": "lp=1"}),
        ("mpeg4", ".mov", {}),
        ("prores_ks", ".mov", {}),
    ],
)
def test_films_of_other_codecs(
    tmp_path: Path, codec: str, suffix: str, params: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVT_LOG", "1")
    path = film(tmp_path / f"f{suffix}", codec=codec, **params)
    before = packets(path)
    mark_stereo(path, Layout.HALF_TB, baseline_m=0.06)
    assert packets(path) == before, "and no message of H.264 in them"
    kind, _, _, _, baseline = struct.unpack_from("<iiiiI", side_data(path)["STEREO3D"])
    assert (kind, baseline) == (2, 60_000) and inspect(path)["stereo"]["layout"] == "half-tb"


@pytest.mark.parametrize("layout", list(PACKED))
def test_the_boxes_are_those_of_the_specifications(tmp_path: Path, layout: Layout) -> None:
    path = film(tmp_path / "f.mp4")
    mark_stereo(path, layout, baseline_m=0.0635, fov_x_deg=63.4)
    mode, packing = PACKED[layout]
    data = path.read_bytes()
    order = [part.path.removeprefix(ENTRY + "/") for part in parts(data) if part.path.startswith(ENTRY + "/")]
    assert order.index("avcC") < order.index("st3d") < order.index("vexu"), "behind what must stand there"
    assert all(order.index("st3d") < order.index(late) for late in ("pasp", "btrt") if late in order)

    def of(way: str) -> bytes:
        (content,) = found(data, f"{ENTRY}/{way}")
        return content

    assert of("st3d") == bytes(4) + bytes([mode])
    assert of("vexu/eyes/stri") == bytes(4) + bytes([3 | (8 if layout is Layout.CROSS else 0)])
    assert of("vexu/eyes/cams/blin") == struct.pack(">II", 0, 63_500)
    assert of("vexu/pack/pkin") == bytes(4) + packing
    assert of("vexu/proj/prji") == bytes(4) + (b"hequ" if layout is Layout.VR180 else b"rect")
    assert of("hfov") == struct.pack(">I", 180_000 if layout is Layout.VR180 else 63_400)
    words = [one for one in found(data, "moov/trak/uuid") if one[:16] == V1]
    if layout is Layout.VR180:
        assert order.index("st3d") < order.index("sv3d")
        assert of("sv3d/svhd") == b"\0\0\0\0unflat\0"
        assert of("sv3d/proj/prhd") == bytes(16)
        assert of("sv3d/proj/equi") == bytes(12) + struct.pack(">II", 1 << 30, 1 << 30)
        assert len(words) == 1 and b"<GSpherical:StereoMode>left-right<" in words[0]
    else:
        assert not words and "sv3d" not in order


@pytest.mark.parametrize("layout", [Layout.FULL_SBS, Layout.CROSS, Layout.FULL_TB, Layout.VR180])
def test_ffmpeg_reads_them(tmp_path: Path, layout: Layout) -> None:
    path = film(tmp_path / "f.mp4")
    assert "STEREO3D" not in side_data(path)
    mark_stereo(path, layout, baseline_m=0.0635, fov_x_deg=63.4)
    seen = side_data(path)
    kind, flags, _, _, baseline = struct.unpack_from("<iiiiI", seen["STEREO3D"])
    assert kind == STEREO3D[PACKED[layout][0]] and flags == (1 if layout is Layout.CROSS else 0)
    assert baseline == 63_500
    (projection,) = struct.unpack_from("<i", seen["SPHERICAL"])
    assert projection == (HALF_SPHERE if layout is Layout.VR180 else FLAT)


def test_a_whole_sphere(tmp_path: Path) -> None:
    path = film(tmp_path / "f_360_TB.mp4", size=(64, 64))
    mark_stereo(path, Layout.FULL_TB, spherical=True)
    data = path.read_bytes()
    assert found(data, f"{ENTRY}/sv3d/proj/equi") == [bytes(20)]
    assert found(data, f"{ENTRY}/vexu/proj/prji") == [bytes(4) + b"equi"]
    assert struct.unpack_from("<i", side_data(path)["SPHERICAL"])[0] == 0
    told = inspect(path)["stereo"]
    assert told["degrees"] == 360 and told["marks"]["sv3d"]["across_deg"] == 360 and told["eye"] == "64×32"


def test_said_again_it_is_said_once(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4")
    plain = path.read_bytes()
    mark_stereo(path, Layout.VR180, baseline_m=0.065, fov_x_deg=90)
    once = path.read_bytes()
    mark_stereo(path, Layout.FULL_TB)
    assert found(path.read_bytes(), f"{ENTRY}/st3d") == [bytes(4) + b"\1"]
    assert not found(path.read_bytes(), "moov/trak/uuid") and not found(path.read_bytes(), f"{ENTRY}/hfov")
    mark_stereo(path, Layout.VR180, baseline_m=0.065, fov_x_deg=90)
    assert path.read_bytes() == once
    mark_stereo(path, Layout.ANAGLYPH)
    silent = path.read_bytes()
    assert not found(silent, f"{ENTRY}/st3d") and not found(silent, f"{ENTRY}/vexu") and len(silent) == len(plain)


def test_ffprobe_and_exiftool_read_half_a_sphere(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4")
    mark_stereo(path, Layout.VR180)
    words = [tool("ffprobe"), "-v", "error", "-show_streams", "-of", "json", str(path)]
    streams = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)["streams"]
    rows: list[dict[str, Any]] = streams[0]["side_data_list"]
    assert any(row["side_data_type"] == "Stereo 3D" and row["type"] == "side by side" for row in rows)
    ball = next(row for row in rows if row["side_data_type"] == "Spherical Mapping")
    assert re.search("equirectangular", ball["projection"])
    done = subprocess.run([tool("exiftool"), "-j", "-G1", str(path)], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)[0]
    assert told["Track1:Stereoscopic3D"] == "Stereoscopic Left-Right"
    assert told["Track1:ProjectionBoundsLeft"] == told["Track1:ProjectionBoundsRight"] == 0.25
    assert told["XMP-GSpherical:ProjectionType"] == "equirectangular"
    assert told["XMP-GSpherical:StereoMode"] == "left-right"
    assert told["XMP-GSpherical:CroppedAreaImageWidthPixels"] == 64
    assert told["XMP-GSpherical:FullPanoWidthPixels"] == 128


@pytest.mark.parametrize(("layout", "kind"), [(Layout.HALF_SBS, 3), (Layout.HALF_TB, 4)])
def test_our_message_says_what_x264_says(tmp_path: Path, layout: Layout, kind: int) -> None:
    ours, theirs = film(tmp_path / "ours.mp4"), tmp_path / "theirs.mp4"
    film(theirs, **{"x264-params": f"frame-packing={kind}:log-level=error"})
    before = packets(ours)
    mark_stereo(ours, layout)
    after = packets(ours)
    words = message(layout)
    assert words is not None
    unit = struct.pack(">I", len(words)) + words
    changed = [(a[3], b[3]) for a, b in zip(before, after, strict=True) if a != b]
    assert len(changed) == 3 and all(new == unit + old for old, new in changed), "one at each key frame"
    assert [p[:3] for p in before] == [p[:3] for p in after]
    written = [unit for unit in by_lengths(packets(theirs)[0][3], 4) if unit[0] & 31 == 6 and unit[1] == 45]
    assert written == [words], "byte for byte what x264 writes"
    assert side_data(ours)["STEREO3D"][:8] == side_data(theirs)["STEREO3D"][:8]
    assert read_film(ours).marks["sei"] == read_film(theirs).marks["sei"]
    untouched = packets(theirs)
    mark_stereo(theirs, layout)
    assert packets(theirs) == untouched, "what the encoder wrote is not written again"


def test_the_message_stands_behind_the_delimiter(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4", **{"x264-params": "aud=1:log-level=error"})
    mark_stereo(path, Layout.HALF_TB)
    kinds = [[unit[0] & 31 for unit in by_lengths(words, 4)] for stream, _, _, words in packets(path) if stream == 0]
    marked = [one for one in kinds if 5 in one]
    assert marked == [[6, 6, 9, 5], [9, 6, 5], [9, 6, 5]], "where FFmpeg itself does not put a message in front of it"


def test_the_message_is_only_for_halves() -> None:
    assert [layout for layout in Layout if message(layout)] == [Layout.HALF_SBS, Layout.HALF_TB]


def test_messages_of_h265_are_read_and_damaged_ones_are_not() -> None:
    unit = message(Layout.HALF_TB)
    assert unit is not None
    assert packing_in([b"\x4e\1" + unit[1:]], "hevc") == FramePacking(4, False) == packing_in([unit], "h264")
    for cut in range(len(unit) - 2):
        assert packing_in([unit[:cut]], "h264") is None
    assert packing_in([b"\x06" + b"\xff" * 999], "h264") is None
    for content in (b"\0\0\1\0\0\3\0\0\2", b"\0\0\0\0\0\0\1", b"ab"):
        guarded = with_prevention(content)
        assert without_prevention(guarded) == content
        assert not re.search(rb"\0\0[\0-\2]", guarded)
