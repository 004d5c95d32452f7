"""Segments become one film: every frame and its time kept, sound in step, words and chapters carried over."""

from __future__ import annotations

import io
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.film_files import FilmRecipe, make_film, number_in, numbered, seen

from unflat.errors import InputError, OutputError
from unflat.formats import film_child, film_join
from unflat.formats.film_join import fitting, join
from unflat.formats.film_remux import decoding_times, durations
from unflat.formats.film_source import clock_zero, opened
from unflat.formats.film_write import EncodeOptions, SegmentWriter
from unflat.types.image import Size

av = pytest.importorskip("av")
SPEED = EncodeOptions(speed="ultrafast", crf=12)


@pytest.fixture(autouse=True)
def joined_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Join in this process, which is quicker; tests of the process itself are marked."""

    @contextmanager
    def child(word: str, task: dict[str, Any], name: str) -> Generator[Any]:
        out = io.BytesIO()
        film_child._WAYS[word](json.loads(json.dumps(task)), out)
        lines = iter(out.getvalue().splitlines())
        yield type("Child", (), {"words": lambda _: json.loads(next(lines))})()

    if "in_a_child" not in request.keywords:
        monkeypatch.setattr(film_join, "child", child)


@dataclass
class Film:
    """A film that was read in this process."""

    size: Size
    tick: Fraction
    fps: Fraction
    frames: list[tuple[Fraction, np.ndarray]]

    def between(self, start: float, stop: float) -> list[tuple[Fraction, np.ndarray]]:
        return [(time, pixels) for time, pixels in self.frames if start <= time < stop]


def read(path: Path) -> Film:
    found, frames = seen(path)
    timed = [(ticks * found.tick - found.zero, pixels) for ticks, pixels in frames]
    return Film(Size(*found.size), found.tick, found.fps, timed)


def cut(
    film: Film, folder: Path, frames: list[tuple[Fraction, np.ndarray]], each: int, options: EncodeOptions = SPEED
) -> list[Path]:
    """Segments of so many frames."""
    paths: list[Path] = []
    for begin in range(0, len(frames), each):
        paths.append(folder / f"segment{len(paths)}.mp4")
        with SegmentWriter(paths[-1], film.size, film.tick, options, fps=film.fps) as writer:
            for time, pixels in frames[begin : begin + each]:
                writer.write(pixels, time)
    return paths


def sounding(path: Path, stream: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """When each sample of a film's sound is heard, in seconds, and how loud it is."""
    times, loud = [], []
    with opened(path) as film:
        zero = float(clock_zero(film))
        for frame in film.decode(audio=stream):
            samples = frame.to_ndarray().astype(np.float32).reshape(-1, frame.samples)[0]
            samples /= 32768 if frame.format.name.startswith("s16") else 1
            times.append(float(frame.pts * frame.time_base) - zero + np.arange(frame.samples) / frame.sample_rate)
            loud.append(np.abs(samples))
    return np.concatenate(times), np.concatenate(loud)


def beeps_in(path: Path, stream: int = 0) -> np.ndarray:
    """When beeps begin."""
    times, loud = sounding(path, stream)
    on = times[loud > 0.25]
    return on[np.append(True, np.diff(on) > 0.2)]


def flashes_in(path: Path) -> np.ndarray:
    """When the picture becomes bright."""
    found, frames = seen(path)
    bright = np.array([pixels.mean() > 128 for _, pixels in frames])
    times = np.array([float(t * found.tick - found.zero) for t, _ in frames])
    return times[bright & ~np.append(False, bright[:-1])]


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


def speaking(path: Path, subtitles: str, tmp_path: Path, count: int = 100) -> Path:
    """A film of four seconds with sound in two languages, subtitles, chapters and words about itself."""
    plain = make_film(
        tmp_path / "plain.mkv", FilmRecipe(count=count, sound=4, beeps=[1, 2], paint=lambda n: numbered(n))
    )
    with av.open(str(plain)) as source, av.open(str(path), "w") as film:
        film.metadata.update(
            {"title": "Home", "artist": "Ann", "location": "+52.5+013.4/", "make": "Acme", "date": "2019"}
        )
        film.metadata.update({"comment": "secret", "com.apple.quicktime.location.ISO6709": "+52.5+013.4/"})
        streams = {s.index: film.add_stream_from_template(s, opaque=True) for s in source.streams}
        second = film.add_stream_from_template(source.streams.audio[0], opaque=True)
        streams[1].metadata["language"], second.metadata["language"] = "eng", "fra"
        second.disposition = av.stream.Disposition.comment
        if path.suffix == ".mkv":
            film.add_attachment("a.ttf", "font/ttf", b"letters")
            film.add_attachment("me.jpg", "image/jpeg", b"private")
        words = film.add_stream(subtitles)
        words.codec_context.subtitle_header = HEADER
        words.metadata["language"] = "deu"
        film.set_chapters([chapter(1, 0, 1500, "One"), chapter(2, 1500, 4000, "Two")])
        film.start_encoding()
        for packet in source.demux():
            if packet.size:
                for out in (streams[packet.stream_index], *([second] if packet.stream_index == 1 else ())):
                    twin = av.Packet(bytes(packet))
                    twin.pts, twin.dts, twin.duration = packet.pts, packet.dts, packet.duration
                    twin.time_base, twin.is_keyframe, twin.stream = packet.time_base, packet.is_keyframe, out
                    film.mux(twin)
        for number, (begin, text) in enumerate(
            ((500, "Guten Tag"), (2500, "Auf\\NWiedersehen" if subtitles == "ass" else "Auf\nWiedersehen"))
        ):
            said = av.Packet(f"{number},0,Default,,0,0,0,,{text}".encode() if subtitles == "ass" else text.encode())
            said.pts = said.dts = begin
            said.duration, said.time_base, said.stream = 1000, Fraction(1, 1000), words
            film.mux(said)
    return path


HEADER = (
    b"[Script Info]\r\nScriptType: v4.00+\r\nPlayResX: 384\r\nPlayResY: 288\r\n\r\n[V4+ Styles]\r\nFormat: Name, "
    b"Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, "
    b"StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, "
    b"Encoding\r\n"
    b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1\r\n\r\n[Events]\r\n"
    b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r\n"
)


def chapter(number: int, begin: int, end: int, title: str) -> Any:
    times = {"start": begin, "end": end, "time_base": Fraction(1, 1000)}
    return {"id": number, "metadata": {"title": title}} | times


def told_by(path: Path) -> dict[str, Any]:
    """What a film carries beside its picture."""
    with av.open(str(path)) as film:
        words = []
        for packet in film.demux(*film.streams.subtitles):
            for said in packet.decode() if packet.size else ():
                text = said.ass.decode().split(",", 8)[-1]
                words.append(
                    (
                        round(float(packet.pts * packet.time_base), 3),
                        round(float(packet.duration * packet.time_base), 3),
                        text,
                    )
                )
        return {
            "languages": [s.language for s in (*film.streams.audio, *film.streams.subtitles)],
            "roles": [int(s.disposition) for s in film.streams.audio],
            "subtitles": [s.codec_context.codec.canonical_name for s in film.streams.subtitles],
            "words": words,
            "chapters": [
                (float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"]), c["metadata"].get("title"))
                for c in film.chapters()
            ],
            "tags": {k.lower(): v for k, v in film.metadata.items()},
        }


@pytest.mark.parametrize(
    ("subtitles", "suffix", "become"),
    [
        ("subrip", ".mp4", "mov_text"),
        ("ass", ".mov", "mov_text"),
        ("subrip", ".mkv", "subrip"),
        ("ass", ".mkv", "ass"),
        ("webvtt", ".mkv", "webvtt"),
        ("subrip", ".webm", "webvtt"),
    ],
)
def test_words_languages_and_chapters_are_carried_over(
    tmp_path: Path, subtitles: str, suffix: str, become: str
) -> None:
    source = speaking(tmp_path / "a.mkv", subtitles, tmp_path)
    clip = read(source)
    frames = clip.frames
    whole, part = tmp_path / f"whole{suffix}", tmp_path / f"part{suffix}"
    options = EncodeOptions(codec="av1", speed="ultrafast") if suffix == ".webm" else SPEED
    join(cut(clip, tmp_path, frames, 50, options), source, whole, told={"comment": "ours"})
    told = told_by(whole)
    assert told["languages"] == ["eng", "fra", "ger" if suffix == ".mov" else "deu"] and told["subtitles"] == [become]
    assert told["roles"][1] & int(av.stream.Disposition.comment) or suffix != ".mkv"
    assert [(a, b, t.replace("\\N", " ")) for a, b, t in told["words"]] == [
        (0.5, 1.0, "Guten Tag"),
        (2.5, 1.0, "Auf Wiedersehen"),
    ]
    assert told["chapters"] == [(0, 1.5, "One"), (1.5, 4, "Two")]
    assert told["tags"]["title"] == "Home" and told["tags"]["comment"] == "ours" and told["tags"]["date"] == "2019"
    data = whole.read_bytes()
    assert not any(word in data for word in (b"+52.5", b"Acme", b"secret", b"private"))
    assert (b"letters" in data) == (suffix == ".mkv")
    join(cut(clip, tmp_path, frames[25:75], 50, options), source, part, start=Fraction(1), stop=Fraction(3))
    told = told_by(part)
    assert [(a, b) for a, b, _ in told["words"]] == [(0, 0.5), (1.5, 0.5)]
    assert told["chapters"] == [(0, 0.5, "One"), (0.5, 2, "Two")]


def test_a_film_from_mp4_gives_its_words_to_matroska(tmp_path: Path) -> None:
    middle = tmp_path / "b.mp4"
    source = speaking(tmp_path / "a.mkv", "subrip", tmp_path)
    clip = read(source)
    frames = clip.frames
    segments = cut(clip, tmp_path, frames, 100)
    join(segments, source, middle)
    assert join(segments, middle, tmp_path / "c.mkv") == ()
    told = told_by(tmp_path / "c.mkv")
    assert told["subtitles"] == ["subrip"] and [w[2] for w in told["words"]] == ["Guten Tag", "Auf\\NWiedersehen"]


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
