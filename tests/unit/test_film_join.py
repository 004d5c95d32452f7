"""Segments become one film: every frame and its time kept, sound in step, words and chapters carried over."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.film_files import FilmRecipe, make_film, number_in, numbered, seen
from tests.joined_films import beeps_in, cut, flashes_in, join_here, read, sounding

from unflat.errors import InputError, OutputError
from unflat.formats.film_join import fitting, join
from unflat.formats.film_remux import decoding_times, durations
from unflat.formats.film_write import EncodeOptions, SegmentWriter
from unflat.types.image import Size

av = pytest.importorskip("av")


@pytest.fixture(autouse=True)
def joined_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Join in this process, which is quicker; tests of the process itself are marked."""
    if "in_a_child" not in request.keywords:
        join_here(monkeypatch)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_every_frame_is_there_at_its_time_and_the_index_is_in_front(tmp_path: Path, suffix: str) -> None:
    times = np.cumsum([0, *np.random.default_rng(2).integers(900, 4000, 39)]).tolist()
    source = make_film(
        tmp_path / "a.mp4",
        FilmRecipe(count=40, times=times, tick=Fraction(1, 30000), sound=1.5, options={"crf": "4", "bf": "3"}),
        muxing={"video_track_timescale": "30000"},
    )
    clip = read(source)
    frames = clip.frames
    target = tmp_path / f"out{suffix}"
    notes = join(cut(clip, tmp_path, frames, 11), source, target, told={"comment": "a story"})
    assert notes == ()
    found, again = seen(target)
    assert [number_in(pixels) for _, pixels in again] == list(range(40))
    off = [abs(t * found.tick - found.zero - f[0]) for (t, _), f in zip(again, frames, strict=True)]
    assert max(off) <= (Fraction(1, 2000) if suffix == ".mkv" else 0)  # Matroska counts milliseconds
    data = target.read_bytes()
    if suffix != ".mkv":
        assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(target)) as film:
        assert {k.lower(): v for k, v in film.metadata.items()}["comment"] == "a story"
        stream = film.streams.video[0]
        assert stream.codec_context.name == "h264"
        lasts = film.duration / 1e6
    assert lasts == pytest.approx(max(1.5, times[-1] / 30000 + 2450 / 30000), abs=0.08)
    join(cut(clip, tmp_path, frames, 11), source, target, told={"comment": "a story"}, force=True)
    assert target.read_bytes() == data or suffix == ".mkv"


@pytest.mark.parametrize(
    ("name", "codec", "suffix"),
    [
        ("a.mp4", "aac", ".mp4"),
        ("a.ts", "aac", ".mp4"),
        ("a.mp4", "aac", ".mkv"),
        ("a.mkv", "pcm_s16le", ".mp4"),
        ("a.ts", "mp2", ".mkv"),
        ("a.mkv", "flac", ".mov"),
        ("a.mkv", "libopus", ".mp4"),
        ("a.avi", "libmp3lame", ".mp4"),
        ("a.mpg", "ac3", ".mov"),
    ],
)
@pytest.mark.parametrize("begin", [0, 4])
def test_sound_stays_in_step_with_the_picture(tmp_path: Path, name: str, codec: str, suffix: str, begin: int) -> None:
    marks = [1.0, 3.0, 5.0, 7.0]

    def paint(number: int) -> np.ndarray:
        lit = any(at <= number / 25 + 1e-6 < at + 0.1 for at in marks)
        return np.full((32, 32, 3), 230 if lit else 20, np.uint8)

    source = make_film(
        tmp_path / name,
        FilmRecipe(size=(32, 32), count=200, paint=paint, sound=8, sound_codec=codec, beeps=marks),
        options={"crf": "20", "preset": "ultrafast", "bf": "2"},
    )
    clip = read(source)
    start, stop = (Fraction(begin), Fraction(6)) if begin else (Fraction(0), None)
    frames = clip.between(float(start), float(stop or 99))
    target = tmp_path / f"out{suffix}"
    notes = join(cut(clip, tmp_path, frames, 60), source, target, start=start, stop=stop)
    assert bool(notes) == (codec in ("pcm_s16le", "mp2", "flac") and suffix != ".mkv")
    seen_at, heard_at, was_heard = flashes_in(target), beeps_in(target), beeps_in(source)
    expected = [at for at in marks if begin <= at < (float(stop) if stop else 9)]
    shift = float(frames[0][0]) if begin else 0.0
    assert len(seen_at) == len(heard_at) == len(expected)
    assert np.abs(seen_at - (np.array(expected) - shift)).max() < 0.041
    own = (
        was_heard[: len(marks)][[at in expected for at in marks]] - flashes_in(source)[[at in expected for at in marks]]
    )
    assert np.abs((heard_at - seen_at) - own).max() < 0.004
    times, _ = sounding(target)
    assert times[-1] < (2.1 if begin else 8.2)


def test_ten_minutes_of_uneven_frames_stay_in_step(tmp_path: Path) -> None:
    marks = np.arange(1.0, 600.0, 13.7)
    rng = np.random.default_rng(7)
    times = np.cumsum([0, *rng.choice([3000, 6000, 30000, 51000], 2900)])
    times = times[times < 600 * 90000]

    def paint(number: int) -> np.ndarray:
        at = times[number] / 90000
        return np.full((16, 16, 3), 230 if ((marks <= at) & (at < marks + 1.2)).any() else 20, np.uint8)

    recipe = FilmRecipe(
        size=(16, 16),
        count=len(times),
        times=[int(t) for t in times],
        tick=Fraction(1, 90000),
        paint=paint,
        sound=600,
        sound_at=0.3,
        rate=8000,
        beeps=[float(at) for at in marks],
        options={"crf": "23", "preset": "ultrafast", "bf": "2", "g": "250"},
        muxing={"video_track_timescale": "90000"},
    )
    source = make_film(tmp_path / "a.mp4", recipe)
    clip = read(source)
    target = tmp_path / "out.mp4"
    join(cut(clip, tmp_path, clip.frames, 700), source, target)
    found, frames = seen(target)
    assert [int((t * found.tick - found.zero) * 90000) for t, _ in frames] == [int(t) for t in times]
    first_shown = np.array([times[times >= at * 90000][0] / 90000 for at in marks])
    assert np.abs(flashes_in(target) - first_shown).max() < 1e-9
    assert np.abs(beeps_in(target) - marks).max() < 0.01
    assert np.abs(beeps_in(target) - beeps_in(source)).max() < 1e-6
    part = clip.between(400, 440)  # far enough in to be sought
    join(cut(clip, tmp_path, part, 100), source, target, start=Fraction(400), stop=Fraction(440), force=True)
    inside = marks[(marks >= 400) & (marks < 440)] - float(part[0][0])
    assert len(inside) == 3 and np.abs(beeps_in(target) - inside).max() < 0.01
    heard = sounding(target)[0]
    assert heard[-1] == pytest.approx(40, abs=0.3) and heard[0] < 0.2


def test_a_silent_film_and_one_whose_sound_is_damaged(tmp_path: Path) -> None:
    source = make_film(tmp_path / "a.mp4", FilmRecipe(count=20))
    clip = read(source)
    segments = cut(clip, tmp_path, clip.frames, 20)
    assert join(segments, source, tmp_path / "silent.mp4") == ()
    assert join(segments, None, tmp_path / "none.mp4") == ()
    assert (tmp_path / "silent.mp4").read_bytes() == (tmp_path / "none.mp4").read_bytes()


@pytest.mark.in_a_child
def test_segments_that_do_not_fit_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    source = make_film(tmp_path / "a.mp4", FilmRecipe(count=20))
    clip = read(source)
    frames = clip.frames
    (tmp_path / "b").mkdir()
    first, second = cut(clip, tmp_path, frames, 10)
    other = cut(clip, tmp_path / "b", frames[10:], 10, EncodeOptions(codec="hevc", speed="ultrafast"))
    for segments, said in (
        ([second, first], "begins before"),
        ([first, first], "begins before"),
        ([first, *other], "coded otherwise"),
        ([first, source], "no segment"),
        ([], "at least one frame"),
    ):
        with pytest.raises(InputError, match=said):
            join(segments, None, tmp_path / "out.mp4")
    for target, kind in ((tmp_path / "out.txt", InputError), (tmp_path / "out.webm", InputError), (first, OutputError)):
        with pytest.raises(kind):
            join([first, second], None, target)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "b", "segment0.mp4", "segment1.mp4"]


def test_decoding_times_ascend_and_are_never_late() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        shown = np.cumsum(rng.integers(1, 500, 40))
        order = np.concatenate([part[rng.permutation(len(part))] for part in np.split(shown, [1, 5, 9, 20, 33])])
        decoded = decoding_times(order)
        assert (np.diff(decoded) > 0).all() and (decoded <= order).all()
        lasting = durations(order)
        assert (order + lasting)[np.argsort(order)][:-1].tolist() == shown[1:].tolist()


def test_a_film_of_another_codec_is_joined_as_well(tmp_path: Path) -> None:
    size, frames = Size(96, 64), [numbered(i) for i in range(24)]
    codecs: tuple[tuple[Any, str], ...] = (("hevc", ".mp4"), ("av1", ".webm"), ("av1", ".mp4"))
    for codec, suffix in codecs:
        paths: list[Path] = []
        for begin in (0, 12):
            paths.append(tmp_path / f"{codec}{begin}.mp4")
            with SegmentWriter(
                paths[-1], size, Fraction(1, 24), EncodeOptions(codec=codec, speed="ultrafast")
            ) as writer:  # type: ignore[arg-type]
                for i in range(begin, begin + 12):
                    writer.write(frames[i], Fraction(i, 24))
        target = tmp_path / f"{codec}{suffix}"
        join(paths, None, target)
        assert [number_in(p) for _, p in seen(target)[1]] == list(range(24))
        if codec == "hevc":
            assert b"hvc1" in target.read_bytes()


def test_webm_is_av1_and_says_early_what_it_cannot_hold() -> None:
    web, other = Path("a.webm"), Path("a.mkv")
    assert fitting(web, EncodeOptions()).chosen == "av1" and fitting(other, EncodeOptions()).chosen == "h264"
    assert fitting(web, EncodeOptions(codec="av1", crf=30)).crf == 30
    for codec in ("h264", "hevc"):
        with pytest.raises(InputError, match=f"cannot hold {codec}"):
            fitting(web, EncodeOptions(codec=codec))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="cannot hold av1"):
        fitting(Path("a.mov"), EncodeOptions(codec="av1"))


def test_a_pause_in_sound_that_is_coded_anew_stays_as_long_as_it_was(tmp_path: Path) -> None:
    whole = make_film(tmp_path / "whole.mkv", FilmRecipe(count=75, sound=3, sound_codec="pcm_s16le", beeps=[0.5, 2.4]))
    source = tmp_path / "gap.mkv"
    with av.open(str(whole)) as film, av.open(str(source), "w") as out:
        to = {stream.index: out.add_stream_from_template(stream, opaque=True) for stream in film.streams}
        for packet in film.demux():
            if packet.size and not (packet.stream.type == "audio" and 1 < packet.pts * packet.time_base < 2):
                packet.stream = to[packet.stream_index]
                out.mux(packet)
    clip = read(source)
    join(cut(clip, tmp_path, clip.frames, 75), source, tmp_path / "out.mp4")
    assert beeps_in(tmp_path / "out.mp4") == pytest.approx([0.5, 2.4], abs=0.01)
