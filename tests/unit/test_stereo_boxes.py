"""Films say that they are for two eyes as the specifications have it, and other readers read it."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mp4_parts import HEAD, KIND, box, found, parts, track
from unflat.errors import InputError
from unflat.formats.film_boxes import read_film
from unflat.formats.frame_packing import FramePacking, message, packing_in
from unflat.formats.nal_units import by_lengths, with_prevention, without_prevention
from unflat.formats.stereo_boxes import StereoMarks
from unflat.formats.stereo_mark import mark_stereo
from unflat.pipelines.inspect import inspect
from unflat.types.stereo import Layout

ENTRY = "moov/trak/mdia/minf/stbl/stsd/avc1"
V1 = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
PACKED = {
    Layout.FULL_SBS: (2, b"side"),
    Layout.HALF_SBS: (2, b"side"),
    Layout.CROSS: (4, b"side"),
    Layout.FULL_TB: (1, b"over"),
    Layout.HALF_TB: (1, b"over"),
    Layout.VR180: (2, b"side"),
}
STEREO3D = {2: 1, 4: 1, 1: 2}
"""AVStereo3D's type by st3d's: side by side is 1, top and bottom 2."""
HALF_SPHERE, FLAT = 3, 4
"""AVSphericalProjection."""


def tool(name: str) -> str:
    """A program of the system; a user may lack it, CI may not."""
    path = shutil.which(name)
    if path is None:
        if os.environ.get("UNFLAT_CI") == "1":
            pytest.fail(f"UNFLAT_CI=1, and there is no {name}")
        pytest.skip(f"there is no {name}")
    return path


def pictures(width: int, height: int, count: int) -> Iterator[np.ndarray]:
    for i in range(count):
        yield (
            np.random.default_rng(i).integers(0, 255, (height // 8, width // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        )


def film(
    path: Path, *, front: bool = False, size: tuple[int, int] = (128, 64), codec: str = "libx264", **params: str
) -> Path:
    """A film with sound and a key frame every five pictures, from FFmpeg's own muxer."""
    av = pytest.importorskip("av")
    flags = {"movflags": "+faststart"} if front else {}
    with av.open(str(path), "w", options=flags) as out:
        mild = {"preset": "veryfast", "x264-params": "log-level=error"} if codec == "libx264" else {}
        stream = out.add_stream(codec, rate=24, options={"g": "5", **mild, **params})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
        sound = out.add_stream("aac", rate=48000, layout="mono")
        wave = np.sin(np.arange(2048) / 9)[None].astype(np.float32)
        for i, pixels in enumerate(pictures(*size, 12)):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            heard = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = 48000, 2048 * i, Fraction(1, 48000)
            out.mux(sound.encode(heard))
        out.mux(stream.encode())
        out.mux(sound.encode())
    return path


def packets(path: Path) -> list[tuple[int, int | None, int | None, bytes]]:
    av = pytest.importorskip("av")
    with av.open(str(path)) as opened:
        return [(p.stream_index, p.pts, p.dts, bytes(p)) for p in opened.demux() if p.size]


def side_data(path: Path) -> dict[str, bytes]:
    """What FFmpeg makes of it: the side data of the first frame; decodes all of the film."""
    av = pytest.importorskip("av")
    with av.open(str(path)) as opened:
        frames = list(opened.decode(video=0))
    assert len(frames) == 12
    return {data.type.name: bytes(data) for data in frames[0].side_data}


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


def test_inspect_says_how_it_is_packed_and_who_shows_it(tmp_path: Path) -> None:
    path = film(tmp_path / "f_LR.mp4")
    mark_stereo(path, Layout.HALF_SBS, baseline_m=0.06, fov_x_deg=60)
    told = inspect(path)
    json.dumps(told)
    stereo = told["stereo"]
    assert [stereo[key] for key in ("container", "layout", "eye", "degrees")] == ["mp4", "half-sbs", "64×64", None]
    assert (stereo["baseline_m"], stereo["fov_x_deg"], stereo["words_in_name"]) == (0.06, 60.0, ["lr"])
    assert stereo["marks"]["st3d"] == "left-right" and stereo["marks"]["sei"] == {
        "packing": "side by side",
        "first": "left",
    }
    assert stereo["marks"]["vexu"]["packing"] == "side by side" and stereo["notes"] == []
    shows = {row["device"]: row["shows_3d"] for row in stereo["devices"]}
    assert shows["YouTube"] == shows["DeoVR"] == shows["3D television"] == "yes"


def test_a_film_for_one_eye_says_nothing_of_two(tmp_path: Path) -> None:
    told = inspect(film(tmp_path / "f.mp4"))
    assert told["stereo"] is None


@pytest.mark.parametrize(
    ("name", "layout", "size", "read"),
    [
        ("f", Layout.FULL_SBS, (192, 64), "full-sbs"),
        ("f", Layout.HALF_SBS, (128, 64), "half-sbs"),
        ("f_LRF_Full_SBS", Layout.FULL_SBS, (64, 64), "full-sbs"),  # two portraits: only the name tells
        ("f", Layout.FULL_TB, (64, 64), "full-tb"),
        ("f", Layout.CROSS, (128, 64), "cross"),
        ("f", Layout.VR180, (128, 64), "vr180"),
    ],
)
def test_full_and_half_views_are_told_apart(
    tmp_path: Path, name: str, layout: Layout, size: tuple[int, int], read: str
) -> None:
    path = film(tmp_path / f"{name}.mp4", size=size)
    mark_stereo(path, layout)
    told = inspect(path)["stereo"]
    assert told["layout"] == read and told["notes"] == [], "all marks agree"


def test_contradictions_are_said(tmp_path: Path) -> None:
    path = film(tmp_path / "f_TB.mp4")
    mark_stereo(path, Layout.HALF_SBS)
    (note,) = inspect(path)["stereo"]["notes"]
    assert "half-tb" in note
    data = path.read_bytes()
    at = data.index(b"pkin") + 8
    path.write_bytes(data[:at] + b"over" + data[at + 4 :])
    assert any("contradict" in note for note in inspect(path)["stereo"]["notes"])


def hand_made(extra: bytes) -> bytes:
    index = HEAD + track([b"a", b"b"], [len(KIND) + 8], 2, wide=False, pictures=True, extra=extra)
    return KIND + box(b"mdat", b"ab") + box(b"moov", index)


def test_marks_of_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "f.mp4"
    mesh = box(
        b"sv3d", box(b"svhd", bytes(4) + b"x\0") + box(b"proj", box(b"prhd", bytes(16)) + box(b"mshp", bytes(12)))
    )
    path.write_bytes(hand_made(box(b"st3d", bytes(4) + b"\3") + mesh))
    told = inspect(path)["stereo"]
    assert (told["layout"], told["degrees"]) == ("vr180", 180) and "meshes" in told["notes"][0]
    eyes = box(b"stri", bytes(4) + b"\3") + box(b"hero", bytes(4) + b"\2")
    eyes += box(b"cmfy", box(b"dadj", struct.pack(">Ii", 0, -250)))
    path.write_bytes(hand_made(box(b"lhvC", b"\1") + box(b"vexu", box(b"eyes", eyes))))
    told = inspect(path)["stereo"]
    assert told["layout"] == "spatial"
    assert told["marks"]["vexu"] == {"eyes": ["left", "right"], "reversed": False, "hero": "right", "disparity": -0.025}
    for words in (box(b"st3d", bytes(4)), box(b"hfov", b""), box(b"vexu", box(b"eyes", box(b"stri", b"")) + b"\1")):
        path.write_bytes(hand_made(words))
        try:
            inspect(path)
        except InputError as error:
            assert "damaged" in str(error)
    path.write_bytes(hand_made(b"").replace(b"tkhd", b"uuid"))
    assert inspect(path)["stereo"] is None


def test_odd_films_are_read_or_refused_in_words(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    pieces = tmp_path / "pieces_LR.mp4"
    flags = {"movflags": "frag_keyframe+empty_moov"}
    with av.open(str(film(tmp_path / "f.mp4"))) as source, av.open(str(pieces), "w", options=flags) as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    assert inspect(pieces)["stereo"]["layout"] == "half-sbs", "a name tells of films in fragments, too"
    with pytest.raises(InputError, match="fragments"):
        mark_stereo(pieces, Layout.HALF_SBS)
    for suffix in (".mp4", ".mov", ".mkv", ".webm"):
        empty = tmp_path / f"empty{suffix}"
        empty.write_bytes(b"")
        for act in (inspect, lambda path: mark_stereo(path, Layout.FULL_SBS)):
            with pytest.raises(InputError, match="film"):
                act(empty)
        assert empty.read_bytes() == b""


def test_tables_that_announce_more_than_any_film_are_refused_before_they_are_made(tmp_path: Path) -> None:
    """A few bytes must not become gigabytes."""
    path = tmp_path / "f.mp4"
    data = hand_made(box(b"avcC", b"\1\x64\0\x0a\xff")).replace(b"test", b"avc1")
    path.write_bytes(data)
    assert inspect(path)["frames"] == 2
    at = data.index(b"stsz") + 8
    for same, count in ((1, 0xFFFFFFFF), (1, 1 << 25), (0, 0xFFFFFFFF)):
        path.write_bytes(data[:at] + struct.pack(">II", same, count) + data[at + 8 :])
        with pytest.raises(InputError, match="damaged"):
            inspect(path)
    at = data.index(b"stsc") + 12
    path.write_bytes(data[:at] + struct.pack(">II", 1, 0xFFFFFFFF) + data[at + 8 :])
    with pytest.raises(InputError, match="damaged"):
        inspect(path)


def test_v1_words_that_are_no_xml_are_no_matter(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4")
    mark_stereo(path, Layout.VR180)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"<rdf:Spherical", b"<!DOCTYPE a [<"))
    assert inspect(path)["stereo"]["marks"]["v1"] == {"damaged": True}


def test_what_cannot_be_said_is_refused(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4")
    before = path.read_bytes()
    with pytest.raises(InputError, match="no MV-HEVC film"):
        mark_stereo(path, Layout.SPATIAL)
    with pytest.raises(InputError, match="m apart"):
        mark_stereo(path, Layout.FULL_SBS, baseline_m=-1)
    with pytest.raises(InputError, match="view of"):
        mark_stereo(path, Layout.FULL_SBS, fov_x_deg=0)
    with pytest.raises(InputError, match="no place"):
        mark_stereo(tmp_path / "f.avi", Layout.FULL_SBS)
    with pytest.raises(InputError, match="180 or 360"):
        StereoMarks(Layout.VR180, 90)
    assert path.read_bytes() == before
    sound = tmp_path / "s.mp4"
    index = HEAD + track([b"a"], [len(KIND) + 8], 1, wide=False, pictures=False)
    sound.write_bytes(KIND + box(b"mdat", b"a") + box(b"moov", index))
    with pytest.raises(InputError, match="no pictures"):
        mark_stereo(sound, Layout.FULL_SBS)
