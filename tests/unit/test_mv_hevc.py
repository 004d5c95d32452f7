"""MV-HEVC streams become films whose two views FFmpeg finds; what is missing to make them is said plainly."""

from __future__ import annotations

import random
import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.two_view_films import COUNT, ENTRY, EYE, MARKS, STREAM, TIMES, check_views, stream

from mp4_parts import chunks, found, parts
from unflat.errors import InputError
from unflat.formats.hevc_setup import Order, is_picture, kind_of, layer_of, read_base
from unflat.formats.mv_hevc import write_spatial
from unflat.formats.nal_units import BitWriter, by_lengths, by_start_codes, units_of
from unflat.formats.stereo_mark import mark_stereo
from unflat.pipelines.inspect import inspect
from unflat.types import Size
from unflat.types.stereo import Layout


@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
def test_both_views_are_found_by_ffmpeg(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"f{suffix}"
    uneven = [t + (Fraction(1, 60) if i > 4 else 0) for i, t in enumerate(TIMES)]
    for times in (TIMES, uneven):
        write_spatial([STREAM], times, path, MARKS, force=True)
        check_views(path, times[:-1])
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def arrays(content: bytes, head: int) -> dict[int, list[bytes]]:
    """The units in hvcC (head 22) or lhvC (head 5), by ISO/IEC 14496-15."""
    rows: dict[int, list[bytes]] = {}
    at = head + 1
    for _ in range(content[head]):
        kind, count = content[at], struct.unpack_from(">H", content, at + 1)[0]
        at += 3
        for _ in range(count):
            (size,) = struct.unpack_from(">H", content, at)
            rows.setdefault(kind, []).append(content[at + 2 : at + 2 + size])
            at += 2 + size
    assert at == len(content)
    return rows


def test_the_boxes_hold_what_the_stream_says(tmp_path: Path) -> None:
    path = tmp_path / "f.mov"
    write_spatial([STREAM], TIMES, path, MARKS)
    data = path.read_bytes()
    units = list(by_start_codes(STREAM.read_bytes()))
    (base,), (other,) = found(data, f"{ENTRY}/hvcC"), found(data, f"{ENTRY}/lhvC")
    assert arrays(base, 22) == {
        0x80 | 32: [units[0]],
        0x80 | 33: [u for u in units if kind_of(u) == 33 and layer_of(u) == 0],
        0x80 | 34: [u for u in units if kind_of(u) == 34 and layer_of(u) == 0],
        39: [u for u in units if kind_of(u) == 39 and u[2] == 176][:1],  # which view is which eye
    }
    assert arrays(other, 5) == {
        0x80 | kind: [u for u in units if kind_of(u) == kind and layer_of(u) == 1] for kind in (33, 34)
    }
    sps = arrays(base, 22)[0x80 | 33][0]
    assert base[:2] == b"\1\1" and base[1:13] == read_base(sps).profile and base[21] & 3 == 3
    assert base[16:19] == bytes([0xFC | 1, 0xF8, 0xF8]), "4:2:0 with 8 bits"
    assert other[:4] == b"\1\xf0\0\xfc" and other[4] & 3 == 3
    order = [p.path.removeprefix(ENTRY + "/") for p in parts(data) if p.path.startswith(ENTRY + "/")]
    assert order[:2] == ["hvcC", "lhvC"] and "st3d" not in order and order.count("vexu") == 1
    assert found(data, f"{ENTRY}/vexu/eyes/stri") == [b"\0\0\0\0\3"] and found(data, f"{ENTRY}/hfov") == [
        struct.pack(">I", 61_500)
    ]
    assert found(data, f"{ENTRY}/vexu/eyes/hero") == [b"\0\0\0\0\1"]
    assert found(data, f"{ENTRY}/vexu/eyes/cmfy/dadj") == [struct.pack(">Ii", 0, 200)]
    (entry,) = found(data, ENTRY)
    assert struct.unpack_from(">HH", entry, 24) == (EYE.width, EYE.height)
    (samples,) = chunks(data)
    assert len(samples) == COUNT
    for sample in samples:
        inside = list(by_lengths(sample, 4))
        assert [layer_of(u) for u in inside if is_picture(u)] == [0, 1], "one picture, both layers"
        assert not any(kind_of(u) in (32, 33, 34) for u in inside)
    pictures = [u for u in units if is_picture(u)]
    others = [u for u in units if kind_of(u) not in (32, 33, 34)]
    assert [u for s in samples for u in by_lengths(s, 4)] == others and len(others) > len(pictures), "messages, too"
    (sync,) = found(data, "moov/trak/mdia/minf/stbl/stss")
    entries = [i for i, u in enumerate(u for u in pictures if layer_of(u) == 0) if 16 <= kind_of(u) < 24]
    assert list(struct.unpack_from(f">{len(entries)}I", sync, 8)) == [i + 1 for i in entries] and len(entries) == 2


def test_inspect_knows_a_spatial_film(tmp_path: Path) -> None:
    path = tmp_path / "f.mov"
    write_spatial([STREAM], TIMES, path, MARKS, comment="words")
    told = inspect(path)
    assert (told["coding"], told["frames"], told["size"]) == ("hvc1", COUNT, str(EYE))
    assert told["seconds"] == pytest.approx(COUNT / 24, abs=1e-3)
    stereo = told["stereo"]
    assert (stereo["layout"], stereo["eye"], stereo["baseline_m"], stereo["fov_x_deg"]) == (
        "spatial",
        str(EYE),
        0.063,
        61.5,
    )
    shows = {row["device"]: row for row in stereo["devices"]}
    assert shows["Apple Vision Pro"]["shows_3d"] == "yes" and "not spatial" not in shows["Apple Vision Pro"]["why"]
    assert shows["VLC"]["shows_3d"] == "no"
    mark_stereo(path, Layout.SPATIAL, baseline_m=0.07)
    stereo = inspect(path)["stereo"]
    assert stereo["baseline_m"] == 0.07 and stereo["marks"]["vexu"]["disparity"] == 0
    assert any("not spatial" in row["why"] for row in stereo["devices"]), "the angle of view is gone"
    check_views(path, TIMES[:-1])


def test_pictures_are_counted_as_an_encoder_counts_them() -> None:
    """Beyond where the numbers in slices begin again, with pictures that refer to later ones."""
    av = pytest.importorskip("av")
    context: Any = av.CodecContext.create("libx265", "w")
    context.width, context.height, context.pix_fmt, context.framerate = 64, 64, "yuv420p", 24
    context.time_base = Fraction(1, 24)
    context.options = {
        "preset": "ultrafast",
        "x265-params": "log-level=none:keyint=290:min-keyint=290:bframes=4:pools=1",
    }
    packets: list[Any] = []
    for i in range(330):
        frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), i % 200, np.uint8), format="rgb24")
        frame.pts, frame.time_base = i, Fraction(1, 24)
        packets += context.encode(frame)
    packets += context.encode(None)
    units = [list(by_start_codes(bytes(packet))) for packet in packets]
    sets = {kind_of(unit): unit for unit in units[0] if kind_of(unit) in (33, 34)}
    order = Order.of(sets[33], sets[34])
    assert order.base.size == Size(64, 64)
    numbers = [order.number(next(u for u in one if is_picture(u))) for one in units]
    shown = sorted(range(330), key=lambda i: numbers[i])
    assert [packets[i].pts for i in shown] == list(range(330))
    assert [p.pts for p in packets] != list(range(330)), "there was something to sort"


def test_what_ends_a_picture_stays_with_it(tmp_path: Path) -> None:
    units = list(by_start_codes(STREAM.read_bytes()))
    second = [i for i, unit in enumerate(units) if is_picture(unit) and layer_of(unit) == 0][1]
    late = [bytes([kind << 1, 1, 0x80]) for kind in (40, 36)]  # a suffix message, the end of a sequence
    target = tmp_path / "f.mov"
    write_spatial([stream(tmp_path / "s.hevc", [*units[:second], *late, *units[second:]])], TIMES, target, MARKS)
    (samples,) = chunks(target.read_bytes())
    assert list(by_lengths(samples[0], 4))[-2:] == late


def coded(kind: int, low: int) -> bytes:
    """The head of a slice with a number of four bits, of temporal layer 0."""
    bits = BitWriter()
    bits.u(1, 1)
    if 16 <= kind < 24:
        bits.u(0, 1)
    bits.ue(0)
    bits.ue(1)
    if kind not in (19, 20):
        bits.u(low, 4)
    return bytes([kind << 1, 1]) + bits.ended() + b"\x80"


def test_numbers_go_on_from_what_others_refer_to() -> None:
    """ITU-T H.265, 8.3.1: the last picture that is referred to, and is no leading one, says which round it is."""
    sets = {kind_of(unit): unit for unit in by_start_codes(STREAM.read_bytes()) if layer_of(unit) == 0}
    order = Order(replace(read_base(sets[33]), order_bits=4), 0, False)
    idr, trail, trail_n, rasl, cra = 19, 1, 0, 9, 21
    row = [(idr, 0, (0, 0)), (trail, 8, (0, 8)), (trail_n, 3, (0, 3)), (trail, 0, (0, 16)), (trail_n, 12, (0, 12))]
    row += [(cra, 7, (0, 23)), (rasl, 0, (0, 16)), (trail, 15, (0, 31)), (idr, 0, (1, 0)), (trail, 2, (1, 2))]
    assert [order.number(coded(kind, low)) for kind, low, _ in row] == [wanted for _, _, wanted in row]


def test_units_are_the_same_however_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(by_start_codes(STREAM.read_bytes()))
    assert len(whole) > 20
    for piece in (7, 64, 999):
        monkeypatch.setattr("unflat.formats.nal_units._PIECE", piece)
        with STREAM.open("rb") as file:
            assert list(units_of(file)) == whole


def test_streams_that_are_none_are_refused(tmp_path: Path) -> None:
    units = list(by_start_codes(STREAM.read_bytes()))
    target, path = tmp_path / "f.mov", tmp_path / "s.hevc"

    def refused(match: str, kept: list[bytes], times: list[Fraction] = TIMES) -> None:
        with pytest.raises(InputError, match=match):
            write_spatial([stream(path, kept)], times, target, MARKS)
        assert not target.exists() and [p.name for p in tmp_path.iterdir()] == ["s.hevc"]

    refused("one view only", [u for u in units if layer_of(u) == 0])
    refused("no picture", [])
    refused("no picture", units[:5])
    refused("before parameter sets", [u for u in units if kind_of(u) not in (32, 33, 34)])
    refused("middle of a picture", [u for u in units if not is_picture(u) or layer_of(u)])
    refused("10 pictures, not 9", units, TIMES[:-1])
    refused("same time", units, [TIMES[0], *TIMES[:-1]])
    other = bytearray(units[1])
    other[-1] ^= 0x40
    refused("coded differently", [*units, bytes(other)])
    with pytest.raises(InputError, match="QuickTime"):
        write_spatial([path], TIMES, tmp_path / "f.mkv", MARKS)
    for seed in range(150):
        dice, data = random.Random(seed), bytearray(STREAM.read_bytes())
        for _ in range(dice.randint(1, 5)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        path.write_bytes(data[: dice.randrange(len(data))] if seed % 2 else data)
        try:
            write_spatial([path], TIMES, target, MARKS, force=True)
        except InputError as caught:
            assert str(caught)
