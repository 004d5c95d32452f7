"""The page with a clip, as text: what a browser makes of it is in journeys/test_clip_browser.py."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from pathlib import Path

import pytest

import clips
from outline import Outline
from unflat.errors import InputError, OutputError, ShapeError
from unflat.formats import clip_page
from unflat.formats.clip_page import ClipAbout, ClipShot
from unflat.formats.packed_depth import packed_frame
from unflat.pipelines.inspect import inspect
from unflat.types import Rights, Size, Source

HOSTILE = "</title><script>alert(1)</script><img src=\"x\" onerror='y'>&@@FILM@@<!--\n\x00\u202e.mp4"
SHOTS = (ClipShot(0.0, 1.0, 0.2), ClipShot(0.1, 3.0, 0.0, 2.5))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = (packed_frame(*clips.counted(at), 1.0, 0.2) for at in range(4))
    return clips.encoded(frames, tmp_path_factory.mktemp("film") / "film.mp4")


def about(**changes: object) -> ClipAbout:
    return dataclasses.replace(ClipAbout(clips.SIZE, 25, 60.0, SHOTS, clips.STORY), **changes)


def written(film: Path, folder: Path, told: ClipAbout) -> bytes:
    clip_page.write_page(film, folder / "clip.html", told)
    return (folder / "clip.html").read_bytes()


def inside(page: bytes) -> bytes:
    elements = re.findall(rb'<script type="text/plain" class="film">([^<]*)</script>', page)
    return b"".join(base64.b64decode(each, validate=True) for each in elements)


def test_the_page_carries_the_film_unchanged(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert inside(written(film, tmp_path, about())) == film.read_bytes()
    monkeypatch.setattr(clip_page, "_ELEMENT", 600)
    clip_page.write_page(film, tmp_path / "parts.html", about())
    parts = (tmp_path / "parts.html").read_bytes()
    assert parts.count(b'class="film"') == -(-film.stat().st_size // 600) > 1
    assert inside(parts) == film.read_bytes()


def test_nothing_outside_the_page_is_named_and_only_what_was_built_may_run(film: Path, tmp_path: Path) -> None:
    outline = Outline(written(film, tmp_path, about()))
    for tag, attributes in outline.tags:
        assert tag not in ("iframe", "object", "embed", "base", "img", "video", "audio", "source")
        for key in ("src", "href", "action", "formaction", "srcset", "poster"):
            assert (attributes.get(key) or "data:").startswith("data:"), (tag, attributes)
        assert not [key for key in attributes if key.startswith("on") or key == "style"], (tag, attributes)
    policy = next(a["content"] for t, a in outline.tags if t == "meta" and a.get("http-equiv"))
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == rules.pop("base-uri") == rules.pop("form-action") == "'none'"
    assert rules.pop("media-src") == "blob:" and rules.pop("img-src") == "data: blob:"
    for tag in ("script", "style"):
        text = max(outline.text_of(tag), key=len)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert rules == {}
    assert [a.get("type") for t, a in outline.tags if t == "script"] == ["text/plain", "text/plain", None]


def test_a_hostile_name_is_only_a_name(film: Path, tmp_path: Path) -> None:
    rights = Rights(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    names = []
    for name in (HOSTILE, "plain"):
        source = Source(name, None, "mp4", dataclasses.replace(rights, creator=name))
        story = dataclasses.replace(clips.STORY, sources=(source,), warnings=(name,), version=name)
        clip_page.write_page(film, tmp_path / "a.html", about(provenance=story, title=name), force=True)
        page = (tmp_path / "a.html").read_bytes()
        names.append([tag for tag, _ in Outline(page).tags])
        assert inside(page) == film.read_bytes()
        again = clip_page.read_about(tmp_path / "a.html")
        assert again is not None and again.title == name
    assert names[0] == names[1]


def test_the_player_is_told_everything_and_the_page_says_it_again(film: Path, tmp_path: Path) -> None:
    told = about(safe_share=0.03)
    page = written(film, tmp_path, told)
    found = re.search(rb'id="told">([^<]*)<', page)
    assert found
    plain = json.loads(found[1])
    assert plain["colour"] == [320, 180] and plain["fps"] == 25 and plain["fov"] == 60 and plain["share"] == 0.03
    assert plain["shots"] == [[0.0, 1.0, 0.2, None], [0.1, 3.0, 0.0, 2.5]] and plain["sound"] is False
    assert plain["seconds"] == pytest.approx(4 / 25)
    assert clip_page.read_about(tmp_path / "clip.html") == told


def test_the_panel_says_what_is_a_guess(film: Path, tmp_path: Path) -> None:
    text = Outline(written(film, tmp_path, about())).about
    for words in (
        "estimated by a computer",
        "it is invented",
        "made.mp4",
        "worlds (Apache-2.0)",
        "Scale assumed",
        "made up",
    ):
        assert words in text
    metric = (dataclasses.replace(SHOTS[0], metres=1.0), SHOTS[1])
    clip_page.write_page(film, tmp_path / "b.html", about(shots=metric))
    assert "assumed" not in Outline((tmp_path / "b.html").read_bytes()).about


def test_sound_is_noticed(tmp_path: Path) -> None:
    page = clips.counted_page(tmp_path, 5, 5, sound=True).read_bytes()
    assert b'"sound":true' in page


def test_a_film_that_is_none_of_packed_frames_is_refused_and_nothing_is_left(film: Path, tmp_path: Path) -> None:
    other = clips.encoded((clips.counted(at)[0][:176] for at in range(2)), tmp_path / "other.mp4")
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(500))
    for wrong, words in (
        (other, "not packed ones"),
        (junk, "cannot be read"),
        (tmp_path / "none.mp4", "cannot be read"),
    ):
        with pytest.raises(InputError, match=words):
            clip_page.write_page(wrong, tmp_path / "clip.html", about())
    written(film, tmp_path, about())
    with pytest.raises(OutputError, match="exists"):
        clip_page.write_page(film, tmp_path / "clip.html", about())
    assert {path.name for path in tmp_path.iterdir()} == {"other.mp4", "junk.mp4", "clip.html"}


def test_inspect_says_what_it_is(film: Path, tmp_path: Path) -> None:
    written(film, tmp_path, about())
    said = inspect(tmp_path / "clip.html")
    assert said["what"] == "a clip to move in" and said["size"] == "320×180" and said["shots"] == 2
    assert said["invented"] is True and said["scale"] == "assumed"
    assert said["provenance"]["sources"][0]["name"] == "made.mp4"


@pytest.mark.parametrize("told", ["{", "[]", '{"about":[]}', '{"about":{"shots":3}}', '{"about":{"shots":[[1]]}}'])
def test_a_damaged_page_is_said_and_another_page_is_none(tmp_path: Path, told: str) -> None:
    path = tmp_path / "a.html"
    path.write_text(f'<p><script type="text/plain" id="told">{told}</script>')
    with pytest.raises(InputError, match=r"a\.html"):
        clip_page.read_about(path)
    path.write_text("<p>hello")
    assert clip_page.read_about(path) is None
    with pytest.raises(InputError, match="cannot be read"):
        clip_page.read_about(tmp_path / "missing.html")


def test_clips_that_cannot_be_are_refused() -> None:
    late = (ClipShot(0.5, 1.0, 0.2),)
    for changes in (
        {"shots": ()},
        {"shots": late},
        {"shots": (SHOTS[0], SHOTS[0])},
        {"fps": 0.0},
        {"fov_x_deg": 180.0},
    ):
        with pytest.raises(ShapeError):
            about(**changes)
    for shot in ((0.0, 0.1, 0.2), (-1.0, 1.0, 0.2), (0.0, float("inf"), 0.2), (0.0, 1.0, 0.2, 0.0), (0.0, 0.0, 0.0)):
        with pytest.raises(ShapeError):
            ClipShot(*shot)
    assert about(size=Size(3840, 2160)).sizes.colour == Size(1280, 720)
