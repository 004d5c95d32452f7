"""Films keep what is said in them: subtitles, languages, chapters, and words about themselves."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.film_files import FilmRecipe, make_film, numbered
from tests.joined_films import SPEED, cut, join_here, read

from unflat.formats.film_join import join
from unflat.formats.film_write import EncodeOptions

av = pytest.importorskip("av")


@pytest.fixture(autouse=True)
def joined_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Join in this process, which is quicker; tests of the process itself are marked."""
    if "in_a_child" not in request.keywords:
        join_here(monkeypatch)


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
