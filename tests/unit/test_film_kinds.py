"""Films of every kind come out upright, of square pixels, in sRGB, at their own times."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.film_files import COLOURS, FilmRecipe, colours_in, grey_ten, make_film, number_in, numbered, seen

from unflat.formats.film_read import open_clip
from unflat.geometry.hdr import Tone

pytest.importorskip("av")
SHORT = FilmRecipe(count=6, options={"crf": "8", "preset": "ultrafast"})
SHORT_TEN: dict[str, Any] = {"pix_fmt": "yuv420p10le", "count": 3}
HEVC = {"crf": "8", "preset": "ultrafast"}


def x265(**more: str) -> dict[str, str]:
    return HEVC | {"x265-params": ":".join(["log-level=none", *(f"{k}={v}" for k, v in more.items())])}


MATRICES = [(a, 0, 0, d) for a in (1, -1) for d in (1, -1)] + [(0, b, c, 0) for b in (1, -1) for c in (1, -1)]


def shown_by(matrix: tuple[int, int, int, int], stored: np.ndarray) -> np.ndarray:
    """Pixel by pixel, as ISO/IEC 14496-12 says it."""
    a, b, c, d = matrix
    y, x = np.mgrid[: stored.shape[0], : stored.shape[1]]
    to_x, to_y = a * x + c * y, b * x + d * y
    to_x, to_y = to_x - to_x.min(), to_y - to_y.min()
    out = np.zeros((to_y.max() + 1, to_x.max() + 1, 3), np.uint8)
    out[to_y, to_x] = stored
    return out


@pytest.mark.parametrize("matrix", MATRICES)
def test_frames_are_turned_upright(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    found, frames = seen(make_film(tmp_path / "a.mp4", SHORT, matrix=matrix, count=2))
    wanted = shown_by(matrix, numbered(1))
    assert frames[1][1].shape == wanted.shape and found.size == (wanted.shape[1], wanted.shape[0])
    assert np.abs(frames[1][1].astype(int) - wanted).mean() < 6
    assert ("its frames were turned upright" in found.notes) == (matrix != (1, 0, 0, 1))


@pytest.mark.parametrize(
    ("shape", "width"), [(Fraction(4, 3), 128), (Fraction(8, 9), 85), (Fraction(96, 97), 95), (Fraction(200), 96)]
)
def test_pixels_become_square(tmp_path: Path, shape: Fraction, width: int) -> None:
    found, frames = seen(make_film(tmp_path / "a.mp4", SHORT, shape=shape, count=2))
    assert frames[0][1].shape == (64, width if width != 95 else 96, 3)
    assert number_in(frames[1][1]) == 1
    assert bool(found.notes) == (width not in (96, 95))


COLOUR_KINDS = [
    ((1, 1, 1, 1), "yuv420p"),
    ((1, 1, 1, 2), "yuv420p"),
    ((6, 6, 6, 1), "yuv420p"),
    ((5, 6, 5, 2), "yuv444p"),
    ((2, 2, 2, 0), "yuv420p"),  # unspecified and small: BT.601, narrow
    ((1, 1, 1, 1), "yuv420p10le"),
    ((1, 1, 1, 1), "yuv422p10le"),
]


@pytest.mark.parametrize(("colour", "pix_fmt"), COLOUR_KINDS)
def test_colours_are_those_that_were_filmed(tmp_path: Path, colour: tuple[int, ...], pix_fmt: str) -> None:
    found, frames = seen(make_film(tmp_path / "a.mp4", SHORT, colour=colour, pix_fmt=pix_fmt, count=3))
    assert np.abs(colours_in(frames[2][1]).astype(int) - COLOURS).max() <= 4, found.plan
    assert not found.notes


def test_a_large_film_that_does_not_say_is_bt709(tmp_path: Path) -> None:
    from unflat.formats.film_plan import plan_of

    class Like:
        def __init__(self, **has: Any) -> None:
            self.__dict__ = has

    def plan(width: int, height: int) -> Any:
        frame = Like(
            **{"width": width, "height": height, "color_range": 0, "colorspace": 2, "color_trc": 2},
            **{"color_primaries": 2, "format": Like(name="yuv420p"), "side_data": {}, "rotation": 0},
        )
        return plan_of(Like(sample_aspect_ratio=None, index=0), frame, counted=False, interlaced=False, notes=[])

    assert [plan(*s).matrix for s in ((720, 576), (720, 480), (1280, 534), (960, 720))] == [
        *("ITU601", "ITU601", "ITU709", "ITU709")
    ]


def test_ten_bits_are_rounded_not_cut(tmp_path: Path) -> None:
    ramp = SHORT_TEN | {"size": (256, 64), "paint": lambda _: grey_ten(np.arange(256) / 255)}
    pixels = seen(make_film(tmp_path / "a.mkv", SHORT, codec="ffv1", options={}, **ramp))[1][0][1].astype(int)
    off = pixels[32] - np.arange(256)[:, None]
    assert np.abs(off).max() <= 1 and abs(off.mean()) < 0.15


@pytest.mark.parametrize("transfer", [16, 18])
def test_high_dynamic_range_is_toned_down_and_said(tmp_path: Path, transfer: int) -> None:
    steps = np.linspace(0.12, 0.8, 6)
    told = x265(hdr10="1", **{"max-cll": "600,200"}) if transfer == 16 else x265()
    bars = SHORT_TEN | {"paint": lambda _: grey_ten(steps.repeat(16)), "colour": (9, transfer, 9, 1)}
    lossless: dict[str, Any] = {"codec": "ffv1", "options": {}}
    coded = {"codec": "libx265", "options": told} if transfer == 16 else lossless
    found, frames = seen(make_film(tmp_path / "a.mkv", SHORT, **coded, **bars))
    tone = Tone("pq", "bt2020", 600) if transfer == 16 else Tone("hlg", "bt2020")
    wanted = tone.exact(np.round(steps * 65535).astype(np.uint16)[:, None].repeat(3, 1))
    assert np.abs(colours_in(frames[1][1]) - wanted).max() <= (1.6 if transfer == 16 else 0.75)
    assert any("BT.2390" in note and ("PQ, up to 600" if transfer == 16 else "HLG") in note for note in found.notes)


def test_wide_colours_of_standard_range_are_brought_to_srgb(tmp_path: Path) -> None:
    found, frames = seen(make_film(tmp_path / "a.mp4", SHORT, colour=(12, 1, 1, 1), count=2))
    codes = (np.array(COLOURS) * 257).astype(np.uint16)
    assert np.abs(colours_in(frames[1][1]) - Tone("srgb", "p3").exact(codes)).max() <= 5
    assert "Display P3" in found.notes[0]


def test_woven_fields_are_taken_apart_the_same_from_anywhere(tmp_path: Path) -> None:
    def woven(number: int) -> np.ndarray:
        pixels = np.full((64, 96, 3), 40, np.uint8)
        for field in (0, 1):
            at = 4 + 3 * (2 * number + field)
            pixels[field::2, at : at + 10] = 220
        return pixels

    options = {"crf": "4", "preset": "ultrafast", "x264-params": "tff=1:keyint=5:scenecut=0"}
    path = make_film(tmp_path / "a.mp4", SHORT, paint=woven, options=options, count=12)
    clip = open_clip(path)
    assert any("bwdif" in note for note in clip.notes)
    whole = list(clip.frames())
    assert [f.time for f in whole] == [Fraction(i, 25) for i in range(12)]
    for frame in whole[1:-1]:
        combed = np.abs(np.diff(frame.pixels[8:-8, :, 1].astype(int), axis=0)).mean()
        assert combed < 0.5 * np.abs(np.diff(woven(frame.number)[8:-8, :, 1].astype(int), axis=0)).mean()
    for begin in (5, 6, 10):  # a key frame, the one after it, the next key frame
        part = list(clip.frames(Fraction(begin, 25)))
        assert [f.number for f in part] == list(range(begin, 12))
        assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(part, whole[begin:], strict=True))


def test_times_that_are_not_even_are_exact(tmp_path: Path) -> None:
    times = [0, 1001, 2002, 5005, 5006, 9009, 12000, 12001, 15015, 20020]
    for name in ("a.mp4", "a.mov"):
        path = make_film(
            tmp_path / name,
            SHORT,
            count=10,
            times=times,
            tick=Fraction(1, 30000),
            muxing={"video_track_timescale": "30000"},
        )
        found, frames = seen(path)
        assert [t * found.tick - found.zero for t, _ in frames] == [Fraction(t, 30000) for t in times]
        assert [number_in(p) for _, p in frames] == list(range(10)) and not found.even


def test_a_picture_that_begins_after_the_sound_keeps_its_distance(tmp_path: Path) -> None:
    times = [12 + i for i in range(6)]
    found, frames = seen(make_film(tmp_path / "a.mp4", SHORT, times=times, sound=1))
    assert [t * found.tick - found.zero for t, _ in frames] == [Fraction(t, 25) for t in times]


def test_an_edit_list_hides_what_it_hides(tmp_path: Path) -> None:
    """A film that begins in the middle of a group of pictures: what is before is decoded, but not shown."""
    import av

    whole = make_film(tmp_path / "whole.mp4", SHORT, count=30, options={"crf": "12", "g": "15", "bf": "2"})
    cut = tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(cut), "w") as film:
        stream = film.add_stream_from_template(source.streams.video[0], opaque=True)
        back = round(7 / 25 / stream.time_base)
        for packet in source.demux(video=0):
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts - back, packet.dts - back, stream
                film.mux(packet)
    found, frames = seen(cut)
    assert [number_in(p) for _, p in frames] == list(range(7, 30)) and len(found.shown) == 23
    assert [t * found.tick - found.zero for t, _ in frames] == [Fraction(i, 25) for i in range(23)]


@pytest.mark.parametrize("size", [(97, 65), (96, 63), (33, 64)])
def test_odd_sizes_are_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    found, frames = seen(make_film(tmp_path / "a.mp4", SHORT, size=size, pix_fmt="yuv444p", count=3))
    assert found.size == size and frames[2][1].shape == (size[1], size[0], 3) and number_in(frames[2][1]) == 2


def test_one_frame_and_a_gif_are_films(tmp_path: Path) -> None:
    found, frames = seen(make_film(tmp_path / "a.mp4", SHORT, count=1))
    assert len(frames) == 1 and found.fps == 25
    found, frames = seen(make_film(tmp_path / "a.gif", SHORT, codec="gif", pix_fmt="rgb8", options={}))
    assert [number_in(p) for _, p in frames] == list(range(6))


def test_a_cover_is_no_film(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.mp4"
    make_film(tmp_path / "film.mp4", SHORT)
    with av.open(str(tmp_path / "film.mp4")) as source, av.open(str(path), "w") as film:
        cover = film.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 640, 480, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        stream = film.add_stream_from_template(source.streams.video[0], opaque=True)
        frame = av.VideoFrame.from_ndarray(np.zeros((480, 640, 3), np.uint8), format="rgb24")
        film.mux(cover.encode(frame))
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                film.mux(packet)
    with av.open(str(path)) as film:
        assert {s.width for s in film.streams.video} == {96, 640}
    found, frames = seen(path)
    assert found.size == (96, 64) and len(frames) == 6


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "options"),
    [
        ("a.webm", "libvpx-vp9", "yuv420p", {"deadline": "realtime", "crf": "10", "b": "0"}),
        ("a.mp4", "libsvtav1", "yuv420p", {"crf": "10", "preset": "12", "svtav1-params": "lp=1"}),
        ("a.mpg", "mpeg2video", "yuv420p", {"qscale": "2", "bf": "2"}),
        ("a.mov", "prores_ks", "yuv422p10le", {}),
        ("a.avi", "mjpeg", "yuvj420p", {"qscale": "2"}),
        ("a.flv", "flv", "yuv420p", {"qscale": "2"}),
        ("a.mkv", "libx264rgb", "rgb24", {"crf": "8"}),
        ("b.mkv", "ffv1", "yuv444p", {}),
    ],
)
def test_films_of_many_codecs_are_read(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVT_LOG", "0")
    colour = {"yuvj420p": (1, 1, 6, 2), "rgb24": (1, 1, 0, 2)}.get(pix_fmt, (1, 1, 1, 1))
    path = make_film(tmp_path / name, count=12, codec=codec, pix_fmt=pix_fmt, options=options, colour=colour)
    found, frames = seen(path)
    assert [number_in(p) for _, p in frames] == list(range(12))
    if codec not in ("mpeg2video", "flv"):  # these do not say which matrix they mean
        assert np.abs(colours_in(frames[5][1]).astype(int) - COLOURS).max() <= 8
    assert [round(float(t * found.tick - found.zero) * 25, 1) for t, _ in frames] == list(range(12))


def test_a_clock_that_jumps_back_is_no_clock(tmp_path: Path) -> None:
    """Two transport streams, one after the other: frames are counted, and none is lost."""
    one = make_film(tmp_path / "one.ts", count=20, options={"crf": "12", "bf": "2", "g": "10"}).read_bytes()
    (tmp_path / "two.ts").write_bytes(one + one)
    clip = open_clip(tmp_path / "two.ts")
    assert any("are counted, 25 a second" in note for note in clip.notes)
    whole = list(clip.frames())
    assert [number_in(f.pixels) for f in whole] == [*range(20), *range(20)] and clip.count == 40
    assert [f.time for f in whole] == [Fraction(i, 25) for i in range(40)]
    late = list(clip.frames(Fraction(33, 25), Fraction(36, 25)))
    assert [f.number for f in late] == [33, 34, 35]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(late, whole[33:36], strict=True))


def test_of_frames_at_one_time_the_first_is_seen(tmp_path: Path) -> None:
    """Matroska counts milliseconds: two frames that are closer have one time."""
    times = [i * 400 for i in range(30)]
    times[5], times[20] = times[4] + 2, times[19] + 3
    path = make_film(tmp_path / "a.mkv", times=times, tick=Fraction(1, 10000), options={"crf": "10", "bf": "0"})
    found, frames = seen(path)
    numbers = [i for i in range(30) if i not in (5, 20)]
    assert [number_in(p) for _, p in frames] == numbers and len(found.shown) == 28 and not found.plan.counted
    assert [t * found.tick for t, _ in frames] == [Fraction(times[i], 10000) for i in numbers]
