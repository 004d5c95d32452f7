"""MV-HEVC streams become films whose two views FFmpeg finds; what is missing to make them is said plainly."""

from __future__ import annotations

import json
import os
import random
import stat
import struct
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mp4_parts import chunks, found, parts
from unflat.errors import InputError, MissingExtraError, OutputError, ShapeError
from unflat.formats.film_join import join
from unflat.formats.film_write import EncodeOptions
from unflat.formats.hevc_setup import Order, is_picture, kind_of, layer_of, read_base
from unflat.formats.mv_hevc import write_spatial
from unflat.formats.mv_segment import VARIABLE, SpatialSegment, find_encoder
from unflat.formats.nal_units import BitWriter, by_lengths, by_start_codes, units_of
from unflat.formats.stereo_boxes import StereoMarks
from unflat.formats.stereo_mark import mark_stereo
from unflat.pipelines.inspect import inspect
from unflat.types import Size
from unflat.types.stereo import Layout

STREAM = Path(__file__).parents[1] / "golden" / "streams" / "two_views.hevc"
EYE = Size(128, 96)
COUNT = 10
TIMES = [Fraction(i, 24) for i in range(COUNT + 1)]
MARKS = StereoMarks(Layout.SPATIAL, baseline_m=0.063, fov_x_deg=61.5, disparity=0.02, hero="left")
ENTRY = "moov/trak/mdia/minf/stbl/stsd/hvc1"


def view(number: int, shift: int) -> np.ndarray:
    """Luma of one eye: waves that travel, and a bright bar that stands nearer."""
    y, x = np.mgrid[: EYE.height, : EYE.width]
    luma = (128 + 60 * np.sin((x + shift + 3 * number) / 9) + 40 * np.cos(y / 7)).astype(np.uint8)
    left = (32 + 3 * shift + 2 * number) % EYE.width
    luma[24:48, left : left + EYE.width // 6] = 230
    return luma


def decoded(path: Path) -> list[tuple[Fraction, np.ndarray]]:
    """Time and plane of luma of every view of every picture, base layer first."""
    av = pytest.importorskip("av")
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        stream.codec_context.options = {"view_ids": "-1"}
        return [(Fraction(f.pts * f.time_base), f.to_ndarray()[: f.height]) for f in film.decode(stream)]


def error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b).mean())


def check_views(path: Path, times: list[Fraction], *, narrow: bool = False) -> None:
    """Both eyes of all pictures are there, each at its time, the left one first; ``narrow``: luma is 16 to 235."""
    seen = decoded(path)
    assert [time for time, _ in seen] == [time for time in times for _ in (0, 1)]
    for i in range(len(times)):
        left, right = (16 + view(i, shift) * (219 / 255) if narrow else view(i, shift) for shift in (0, 4))
        for plane, own, other in ((seen[2 * i][1], left, right), (seen[2 * i + 1][1], right, left)):
            assert error(plane, own) < 9 and error(plane, own) < 0.5 * error(plane, other)


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


def stream(path: Path, units: list[bytes]) -> Path:
    path.write_bytes(b"".join(b"\0\0\0\1" + unit for unit in units))
    return path


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


FAKE = """#!{python}
import shutil, sys
words = sys.argv[1:]
if words == ["--help"]:
    print("--num-views   Number of Views" if {views} else "--no-scenecut")
    sys.exit(0)
if {dies}:
    sys.stdin.buffer.read(100)
    print("x265 [error]: the sky fell", file=sys.stderr)
    sys.exit(3)
said = dict(zip(words, words[1:]))
width, height = map(int, said["--input-res"].split("x"))
read = len(sys.stdin.buffer.read())
assert said["--num-views"] == "2" and said["--format"] == "1", words
assert read == {count} * 2 * width * height * 3 // 2, read
shutil.copy({stream!r}, said["--output"])
"""


@pytest.fixture
def fake(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An encoder that writes the same stream whatever it is shown, once it was shown as much as it should be."""
    if sys.platform == "win32":
        pytest.skip("scripts are no programs there")

    def make(views: bool = True, dies: bool = False, source: Path = STREAM) -> Path:
        path = tmp_path_factory.mktemp("bin") / "x265"
        path.write_text(FAKE.format(python=sys.executable, views=views, dies=dies, count=COUNT, stream=str(source)))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv(VARIABLE, str(path))
        return path

    return make


def frames(count: int = COUNT) -> Iterator[np.ndarray]:
    for i in range(count):
        yield np.repeat(np.concatenate([view(i, 0), view(i, 4)], axis=1)[..., None], 3, axis=2)


def test_segments_are_joined_with_sound_and_keep_both_views(tmp_path: Path, fake: Any) -> None:
    """The encoder is played by a script here; its stream is real."""
    av = pytest.importorskip("av")
    fake()
    source = tmp_path / "source.mp4"
    with av.open(str(source), "w") as out:
        sound = out.add_stream("aac", rate=48000, layout="mono")
        for i in range(30):
            heard = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.float32), format="fltp", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = 48000, 2048 * i, Fraction(1, 48000)
            out.mux(sound.encode(heard))
        out.mux(sound.encode())
    times = [Fraction(i, 24) for i in range(2 * COUNT)]
    for number in (0, 1):
        with SpatialSegment(tmp_path / f"{number}.mp4", Size(256, 96), Fraction(1, 24), fps=Fraction(24)) as segment:
            for i, pixels in enumerate(frames()):
                segment.write(pixels, times[COUNT * number + i])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.mp4", "1.mp4", "source.mp4"]
    film = tmp_path / "film.mov"
    join([tmp_path / "0.mp4", tmp_path / "1.mp4"], source, film, told={"comment": "words"})
    mark_stereo(film, Layout.SPATIAL, baseline_m=0.06, fov_x_deg=60)
    assert len(decoded(film)) == 4 * COUNT and [time for time, _ in decoded(film)][::2] == times
    told = inspect(film)
    assert (told["coding"], told["stereo"]["layout"], told["stereo"]["fov_x_deg"]) == ("hvc1", "spatial", 60)
    assert told["stereo"]["marks"]["lhvC"] is True
    with av.open(str(film)) as opened:
        assert [s.type for s in opened.streams] == ["video", "audio"] and opened.metadata["comment"] == "words"


def test_what_is_missing_is_said_plainly(tmp_path: Path, fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(views=False)
    with pytest.raises(MissingExtraError, match="built without multiview") as caught:
        find_encoder()
    assert "ENABLE_MULTIVIEW" in caught.value.hint and caught.value.exit_code == 4
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(MissingExtraError, match=r"nowhere .* cannot be run"):
        find_encoder()
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="no x265 on this machine"):
        SpatialSegment(tmp_path / "a.mp4", Size(256, 96), Fraction(1, 24))
    with pytest.raises(InputError, match="8 bits"):
        SpatialSegment(tmp_path / "a.mp4", Size(256, 96), Fraction(1, 24), EncodeOptions(bits="10"))


def test_the_doctor_says_whether_spatial_films_can_be_made(fake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from unflat.cli.main import run

    path = fake()
    assert run(["doctor"]) == 0 and f"spatial films            {path}\n" in capsys.readouterr().out
    fake(views=False)
    assert run(["doctor", "--json"]) == 0
    assert "without multiview" in json.loads(capsys.readouterr().out)["mv_hevc"]


def test_an_encoder_that_breaks_off_leaves_nothing(tmp_path: Path, fake: Any) -> None:
    fake(dies=True)
    with (
        pytest.raises(OutputError, match="the sky fell"),
        SpatialSegment(tmp_path / "a.mp4", Size(2048, 512), Fraction(1, 24)) as one,
    ):
        for i in range(40):
            one.write(np.zeros((512, 2048, 3), np.uint8), Fraction(i, 24))
    assert list(tmp_path.iterdir()) == []
    flat = stream(tmp_path / "flat.hevc", [u for u in by_start_codes(STREAM.read_bytes()) if layer_of(u) == 0])
    fake(source=flat)
    with (
        pytest.raises(InputError, match="one view only"),
        SpatialSegment(tmp_path / "a.mp4", Size(256, 96), Fraction(1, 24)) as one,
    ):
        for i, pixels in enumerate(frames()):
            one.write(pixels, Fraction(i, 24))
    with (
        pytest.raises(ShapeError, match="come after"),
        SpatialSegment(tmp_path / "a.mp4", Size(256, 96), Fraction(1, 24)) as one,
    ):
        for pixels in frames():
            one.write(pixels, Fraction(0))
    with (
        pytest.raises(ShapeError, match="was to come"),
        SpatialSegment(tmp_path / "a.mp4", Size(256, 96), Fraction(1, 24)) as one,
    ):
        one.write(np.zeros((96, 128, 3), np.uint8), Fraction(0))
    with (
        pytest.raises(InputError, match="at least one"),
        SpatialSegment(tmp_path / "a.mp4", Size(256, 96), Fraction(1, 24)),
    ):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["flat.hevc"]


def test_with_a_real_encoder(tmp_path: Path) -> None:
    """Runs where a user has one; nothing that can be installed here holds it."""
    pytest.importorskip("av")
    try:
        find_encoder()
    except MissingExtraError as missing:
        pytest.skip(str(missing))
    path = tmp_path / "f.mp4"
    times = [Fraction(i * i + 9 * i, 240) for i in range(COUNT)]
    with SpatialSegment(path, Size(257, 97), Fraction(1, 240), fps=Fraction(24)) as segment:
        for pixels, time in zip(frames(), times, strict=True):
            segment.write(np.pad(pixels, ((0, 1), (0, 1), (0, 0))), time)
    check_views(path, times, narrow=True)
    assert os.listdir(tmp_path) == ["f.mp4"]  # noqa: PTH208
