"""What films say of two eyes, read: ours, those of others, odd ones and damaged ones."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from tests.marked_films import film

from mp4_parts import HEAD, KIND, box, track
from unflat.errors import InputError
from unflat.formats.stereo_boxes import StereoMarks
from unflat.formats.stereo_mark import mark_stereo
from unflat.pipelines.inspect import inspect
from unflat.types.stereo import Layout


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
