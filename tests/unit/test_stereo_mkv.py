"""Matroska and WebM films say that they are for two eyes; everything behind what grew is found again."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from unflat.errors import InputError
from unflat.formats.matroska import read_matroska
from unflat.formats.stereo_boxes import StereoMarks
from unflat.formats.stereo_mark import mark_stereo
from unflat.formats.stereo_mkv import mark_matroska
from unflat.pipelines.inspect import inspect
from unflat.types.stereo import Layout

SEGMENT, TRACKS, SEEK, CUES, CLUSTER, TAGS = 0x18538067, 0x1654AE6B, 0x114D9B74, 0x1C53BB6B, 0x1F43B675, 0x1254C367
HOLDERS = {0x1A45DFA3, SEGMENT, TRACKS, SEEK, CUES, CLUSTER, 0xAE, 0xE0, 0x7670, 0x4DBB, 0xBB, 0xB7}


def elements(
    data: bytes, start: int, stop: int, way: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[int, ...], int, bytes]]:
    """Every element with its way down, where it begins and what is in it; from RFC 8794 alone."""
    while start < stop:
        wide = 1
        while not data[start] >> (8 - wide):
            wide += 1
        id_ = int.from_bytes(data[start : start + wide], "big")
        first, width = data[start + wide], 1
        while not first >> (8 - width):
            width += 1
        size = int.from_bytes(data[start + wide : start + wide + width], "big") - (1 << 7 * width)
        body = start + wide + width
        assert body + size <= stop, (hex(id_), start)
        yield (*way, id_), start, data[body : body + size]
        if id_ in HOLDERS:
            yield from elements(data, body, body + size, (*way, id_))
        start = body + size


def values(data: bytes, *way: int) -> list[bytes]:
    """The contents of all elements whose way down ends so."""
    return [content for here, _, content in elements(data, 0, len(data)) if here[-len(way) :] == way]


def check_places(data: bytes) -> None:
    """Cues and seeks point at the elements that they name, and checksums are right."""
    rows = list(elements(data, 0, len(data)))
    base = next(at for way, at, _ in rows if way == (SEGMENT,))
    begin = base + len(data) - base - next(len(content) for way, _, content in rows if way == (SEGMENT,))
    starts = {at - begin: way[-1] for way, at, _ in rows if len(way) == 2}
    for content in values(data, CUES, 0xBB, 0xB7, 0xF1):
        assert starts[int.from_bytes(content, "big")] == CLUSTER
    for content in values(data, SEEK, 0x4DBB):
        inside = {way[-1]: words for way, _, words in elements(content, 0, len(content))}
        assert starts[int.from_bytes(inside[0x53AC], "big")] == int.from_bytes(inside[0x53AB], "big")
    for way, _, content in rows:
        if way[-1] in HOLDERS and content[:1] == b"\xbf":
            assert int.from_bytes(content[2:6], "little") == zlib.crc32(content[6:])


def film(path: Path, size: tuple[int, int] = (128, 64), codec: str = "libx264", **options: str) -> Path:
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as out:
        out.metadata["comment"] = "words"
        stream: Any = out.add_stream(codec, rate=24, options={"g": "5", **options})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(12):
            pixels = np.random.default_rng(i).integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8)
            big = np.ascontiguousarray(pixels.repeat(8, 0).repeat(8, 1))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(big, format="rgb24")))
        out.mux(stream.encode())
    return path


def packets(path: Path) -> list[tuple[int | None, bytes]]:
    av = pytest.importorskip("av")
    with av.open(str(path)) as opened:
        return [(p.pts, bytes(p)) for p in opened.demux() if p.size]


def shape_and_sides(path: Path) -> tuple[Any, dict[str, bytes]]:
    """What FFmpeg makes of it: the shape of its pixels and the side data of the first frame."""
    av = pytest.importorskip("av")
    with av.open(str(path)) as opened:
        frames = list(opened.decode(video=0))
        assert len(frames) == 12
        opened.seek(400_000)
        assert next(opened.decode(video=0)).pts is not None, "cues lead to frames"
        return opened.streams.video[0].sample_aspect_ratio, {d.type.name: bytes(d) for d in frames[0].side_data}


@pytest.mark.parametrize(
    ("layout", "mode", "shown", "kind"),
    [
        (Layout.FULL_SBS, 1, (64, 64), 1),
        (Layout.HALF_SBS, 1, (128, 64), 1),
        (Layout.CROSS, 11, (64, 64), 1),
        (Layout.FULL_TB, 3, (128, 32), 2),
        (Layout.HALF_TB, 3, (128, 64), 2),
        (Layout.VR180, 1, (64, 64), 1),
    ],
)
def test_what_is_said_is_what_matroska_means(
    tmp_path: Path, layout: Layout, mode: int, shown: tuple[int, int], kind: int
) -> None:
    path = film(tmp_path / "f.mkv")
    before = packets(path)
    mark_stereo(path, layout)
    data = path.read_bytes()
    check_places(data)
    assert packets(path) == before
    assert values(data, 0xE0, 0x53B8) == [bytes([mode])]
    sizes = values(data, 0xE0, 0x54B0) + values(data, 0xE0, 0x54BA)
    assert [int.from_bytes(one, "big") for one in sizes] == list(shown)
    ratio, sides = shape_and_sides(path)
    # a view of half size is twice as wide (or high) when it is shown
    stretched = {Layout.HALF_SBS: 2, Layout.HALF_TB: 0.5}.get(layout, 1)
    assert ratio == stretched
    stereo, flags = struct.unpack_from("<ii", sides["STEREO3D"])
    assert (stereo, flags) == (kind, 1 if layout is Layout.CROSS else 0)
    ball = values(data, 0xE0, 0x7670, 0x7672)
    if layout is Layout.VR180:
        assert ball == [bytes(12) + struct.pack(">II", 1 << 30, 1 << 30)]
        assert values(data, 0xE0, 0x7670, 0x7671) == [b"\1"]
        assert "SPHERICAL" in sides
    else:
        assert not ball and "SPHERICAL" not in sides
    told = inspect(path)
    assert told["what"] == "film" and told["format"] == "mkv" and told["size"] == "128×64"
    assert told["seconds"] == pytest.approx(0.5, abs=0.05)
    assert read_matroska(path).comment == "words"
    assert told["stereo"]["layout"] == layout.value
    mark_stereo(path, layout)
    assert path.read_bytes() == data, "said again it is said once"


def test_anaglyphs_in_matroska_and_nothing_in_webm(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mkv")
    plain = path.read_bytes()
    mark_stereo(path, Layout.ANAGLYPH)
    assert values(path.read_bytes(), 0xE0, 0x53B8) == [b"\x0a"] and inspect(path)["stereo"]["layout"] == "anaglyph"
    mark_stereo(path, Layout.WIGGLE)
    assert not values(path.read_bytes(), 0xE0, 0x53B8) and len(path.read_bytes()) <= len(plain)
    web = film(tmp_path / "f.webm", codec="libvpx-vp9", deadline="realtime", **{"cpu-used": "8"})
    mark_stereo(web, Layout.FULL_TB)
    check_places(web.read_bytes())
    assert inspect(web)["stereo"]["marks"]["stereo_mode"] == "top and bottom, left first"
    mark_stereo(web, Layout.ANAGLYPH)
    assert not values(web.read_bytes(), 0xE0, 0x53B8)


def test_the_frame_packing_message_is_read_from_matroska(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mkv", **{"x264-params": "frame-packing=4:log-level=error"})
    mark_stereo(path, Layout.HALF_TB)
    told = inspect(path)["stereo"]
    assert told["layout"] == "half-tb" and told["marks"]["sei"]["packing"] == "top and bottom"
    assert {row["device"]: row["shows_3d"] for row in told["devices"]}["Kodi"] == "yes"


def element(id_: int, content: bytes, width: int = 0) -> bytes:
    width = width or next(w for w in range(1, 9) if len(content) < (1 << 7 * w) - 1)
    number = id_.to_bytes((id_.bit_length() + 7) // 8, "big")
    return number + (len(content) | 1 << 7 * width).to_bytes(width, "big") + content


def summed(content: bytes) -> bytes:
    return b"\xbf\x84" + zlib.crc32(content).to_bytes(4, "little") + content


def number(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def made(order: list[str], seed: int, version: int = 4) -> bytes:
    """A film with its parts in an order; clusters that repeat their place have checksums."""
    dice = random.Random(seed)
    video = element(0xE0, element(0xB0, number(128)) + element(0xBA, number(64)) + element(0x53B8, b"\0"))
    track = element(0xAE, element(0xD7, b"\1") + element(0x83, b"\1") + element(0x86, b"V_TEST") + video)
    fixed = {"tracks": element(TRACKS, summed(track)), "void": element(0xEC, bytes(20)), "tags": element(TAGS, b"")}
    media = [dice.randbytes(dice.randint(0, 90)) for _ in order]
    at: dict[int, int] = {}
    begins: list[int] = [0] * len(order)
    for _ in range(6):
        segment = b""
        for i, name in enumerate(order):
            begins[i] = len(segment)
            if name == "cluster":
                inside = element(0xE7, b"\0") + element(0xA7, number(begins[i])) + element(0xA3, media[i])
                segment += element(CLUSTER, summed(inside) if i % 2 else inside)
            elif name == "cues":
                points = b"".join(
                    element(
                        0xBB, element(0xB3, b"\0") + element(0xB7, element(0xF7, b"\1") + element(0xF1, number(at[j])))
                    )
                    for j in at
                    if order[j] == "cluster"
                )
                segment += element(CUES, summed(points))
            elif name == "seek":
                rows = [(i, name) for i, name in enumerate(order) if name in ("cues", "tracks", "cluster")]
                ids = {"cues": CUES, "tracks": TRACKS, "cluster": CLUSTER}
                seeks = b"".join(
                    element(0x4DBB, element(0x53AB, number(ids[name])) + element(0x53AC, number(at.get(j, 0))))
                    for j, name in rows
                )
                segment += element(SEEK, summed(seeks))
            else:
                segment += fixed[name]
        at = dict(enumerate(begins))
    header = element(0x1A45DFA3, element(0x4282, b"matroska") + element(0x4287, bytes([version])))
    return header + element(SEGMENT, segment, 8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@settings(deadline=None, max_examples=80)
@given(
    some.lists(some.sampled_from(["cluster", "cluster", "cluster", "cues", "void", "tags"]), min_size=1, max_size=9),
    some.booleans(),
    some.integers(0, 9),
    some.sampled_from([Layout.VR180, Layout.FULL_TB, Layout.HALF_SBS]),
)
def test_whatever_the_order_all_is_found_again(
    folder: Path, order: list[str], seek: bool, seed: int, layout: Layout
) -> None:
    order = ["seek"] * seek + order[: seed % 3] + ["tracks"] + order[seed % 3 :]
    order = [name for i, name in enumerate(order) if name != "cues" or "cues" not in order[:i]]
    data = made(order, seed, version=seed % 5 + 1)
    check_places(data)
    path = folder / "f.mkv"
    path.write_bytes(data)
    mark_matroska(path, StereoMarks(layout, 180 if layout is Layout.VR180 else None))
    after = path.read_bytes()
    check_places(after)
    assert values(after, CLUSTER, 0xA3) == values(data, CLUSTER, 0xA3)
    assert not values(after, CLUSTER, 0xA7), "places of clusters that no longer hold are gone"
    assert values(after, 0x4287)[0][0] == max(4, seed % 5 + 1)
    assert [way[-1] for way, _, _ in elements(after, 0, len(after)) if len(way) == 2] == [
        way[-1] for way, _, _ in elements(data, 0, len(data)) if len(way) == 2
    ]


def refused(path: Path) -> str:
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        mark_stereo(path, Layout.FULL_SBS)
    assert path.read_bytes() == before and caught.value.hint and list(path.parent.iterdir()) == [path]
    return str(caught.value)


def test_what_is_damaged_or_unfinished_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.mkv"
    data = made(["seek", "tracks", "cluster", "cluster", "cues"], 3)
    for cut in range(0, len(data), 7):
        path.write_bytes(data[:cut])
        refused(path)
        with pytest.raises(InputError):
            read_matroska(path)
    live = data.replace(
        element(SEGMENT, b"", 8)[:4] + data[data.index(b"\x18\x53\x80\x67") + 4 :][:8],
        b"\x18\x53\x80\x67\x01" + b"\xff" * 7,
    )
    path.write_bytes(live)
    assert "never finished" in refused(path)
    assert read_matroska(path).size is not None, "but it can be looked at"
    for seed in range(300):
        dice, spoilt = random.Random(seed), bytearray(data)
        for _ in range(dice.randint(1, 5)):
            spoilt[dice.randrange(len(data))] = dice.choice([0, 255, dice.randrange(256)])
        path.write_bytes(spoilt)
        for act in (read_matroska, lambda one: mark_matroska(one, StereoMarks(Layout.FULL_SBS))):
            try:
                act(path)
            except InputError as error:
                assert error.hint
        assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(made(["tracks"], 0).replace(b"\x83\x81\1", b"\x83\x81\2"))
    assert "no pictures" in refused(path)
    path.write_bytes(made(["tracks"], 0))
    with pytest.raises(InputError, match="QuickTime"):
        mark_stereo(path, Layout.SPATIAL)
    deep = b""
    for _ in range(3000):
        deep = element(0xAE, deep)
    path.write_bytes(element(0x1A45DFA3, b"") + element(SEGMENT, element(TRACKS, deep)))
    refused(path)
