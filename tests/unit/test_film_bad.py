"""What is cut short, damaged, made up or hostile: what can be read is read, or there is one clear error."""

from __future__ import annotations

import struct
import subprocess
import sys
import types
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.film_files import FilmRecipe, make_film, number_in, seen

from unflat.errors import InputError, MemoryLimitError, UnflatError
from unflat.formats import film_process
from unflat.formats.film_read import open_clip

pytest.importorskip("av")
NOISE = np.random.default_rng(1).integers(0, 256, (64, 96, 3)).astype(np.uint8)
FAST = {"movflags": "+faststart"}


def rough(number: int) -> np.ndarray:
    """A frame that takes many bytes."""
    return np.roll(NOISE, 5 * number, axis=1)


def test_what_is_no_film_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "words.mp4").write_text("no film at all " * 100)
    make_film(tmp_path / "sound.mp4", FilmRecipe(count=0, sound=1))
    whole = make_film(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "headless.mp4").write_bytes(whole[: len(whole) // 2])
    wrong = {
        "empty": "is empty",
        "words": "cannot be read",
        "sound": "no moving pictures",
        "headless": "cannot be read",
    }
    for name, said in (*wrong.items(), ("missing", "no file")):
        with pytest.raises(InputError, match=said) as told:
            open_clip(tmp_path / f"{name}.mp4")
        assert told.value.hint and "\n" not in str(told.value)


@pytest.mark.parametrize(("name", "muxing"), [("a.mp4", FAST), ("a.mkv", {}), ("a.ts", {})])
def test_a_film_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path, name: str, muxing: dict[str, str]) -> None:
    path = make_film(tmp_path / name, count=100, muxing=muxing, paint=rough, sound=4)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    found, frames = seen(path)
    assert 40 < len(frames) < 75
    assert [t * found.tick - found.zero for t, _ in frames[:-1]] == [
        frames[0][0] * found.tick - found.zero + Fraction(i, 25) for i in range(len(frames) - 1)
    ]
    if name == "a.mp4":
        assert any("cut short" in note and "of 100 frames" in note for note in found.notes)
    if name == "a.mkv":
        assert any("pictures end after" in note for note in found.notes)


def test_a_hole_in_the_middle_costs_what_was_in_it(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mp4", codec="mjpeg", pix_fmt="yuvj420p", options={}, colour=(1, 1, 1, 2))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 1500] = bytes(1500)
    path.write_bytes(data)
    _, frames = seen(path)
    numbers = [number_in(pixels) for _, pixels in frames]
    assert 20 <= len(frames) < 30 and set(range(8)) <= set(numbers) and 29 in numbers


def test_damage_is_never_more_than_an_error_of_ours(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    for i, name in enumerate(("a.mp4", "b.mkv", "c.ts", "d.avi", "e.mp4", "f.mkv")):
        path = make_film(tmp_path / name, count=12, sound=0.3)
        data = np.frombuffer(path.read_bytes(), np.uint8).copy()
        where = rng.integers(0 if i > 3 else len(data) // 3, len(data), 40)
        data[where] = rng.integers(0, 256, 40)
        path.write_bytes(data.tobytes())
        try:
            frames = list(open_clip(path).frames())
        except UnflatError as error:
            assert error.exit_code in (2, 6)
            continue
        times = [f.time for f in frames]
        assert times == sorted(set(times)) and len(times) <= 60


def test_a_list_of_films_leads_nowhere(tmp_path: Path) -> None:
    make_film(tmp_path / "a.ts", FilmRecipe(count=3))
    (tmp_path / "a.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{tmp_path}/a.ts\n#EXT-X-ENDLIST\n")
    (tmp_path / "b.mp4").write_text("ffconcat version 1.0\nfile a.ts\n")
    (tmp_path / "c.mpd").write_text('<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>')
    (tmp_path / "d.sdp").write_text("v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n")
    for name in ("a.m3u8", "b.mp4", "c.mpd", "d.sdp"):
        with pytest.raises(InputError, match="cannot be read as a film"):
            seen(tmp_path / name)


def test_an_index_that_promises_the_moon_is_refused_before_memory_is_gone(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mp4", FilmRecipe(count=5, muxing=FAST))
    data = bytearray(path.read_bytes())
    at = data.index(b"stsz")
    data[at + 8 : at + 16] = struct.pack(">II", 1, 0x7FFFFFFF)  # every sample one byte, two thousand million of them
    stts = data.index(b"stts")
    data[stts + 12 : stts + 16] = struct.pack(">I", 0x7FFFFFFF)
    path.write_bytes(data)
    try:
        clip = open_clip(path)
    except (InputError, MemoryLimitError) as error:
        assert error.hint
    else:
        assert clip.count is not None and clip.count <= len(data)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os.abort()", "broke off"),
        ("import time; time.sleep(600)", "takes too long"),
        ("print('{', end='')", "broke off"),
        ('print(\'{"frames": 4, "keys": 0}\')', "broke off"),
    ],
)
def test_a_decoder_that_crashes_or_hangs_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    (tmp_path / "child.py").write_text(code)
    (tmp_path / "a.mp4").write_bytes(b"x")
    monkeypatch.setattr(film_process, "film_child", types.SimpleNamespace(__file__=str(tmp_path / "child.py")))
    monkeypatch.setattr(film_process, "_PATIENCE_S", 0.6 if "sleep" in code else 60)
    with pytest.raises(InputError, match=said):
        open_clip(tmp_path / "a.mp4")


def test_a_task_may_be_longer_than_an_argument(tmp_path: Path) -> None:
    """As the segments of a film of some hours are."""
    task = {"path": str(make_film(tmp_path / "a.mp4", paint=rough, count=3)), "more": "x" * (1 << 20)}
    with film_process.child("look", task, "a.mp4") as looker:
        assert looker.words()["frames"] == 3


def test_leaving_early_ends_the_decoder(tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    clip = open_clip(make_film(tmp_path / "a.mp4", paint=rough, count=120))
    frames = clip.frames()
    next(frames)
    children = [p for p in psutil.Process().children() if "film_child" in " ".join(p.cmdline())]
    assert len(children) == 1
    frames.close()
    assert not any(p.is_running() and p.status() != "zombie" for p in children)
    assert next(iter(clip.frames())).number == 0


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = make_film(tmp_path / "a.mp4", paint=rough, muxing=FAST)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :: 40] = bytes(len(data[len(data) // 2 :: 40]))
    path.write_bytes(data)
    capfd.readouterr()
    list(open_clip(path).frames())
    assert capfd.readouterr() == ("", "")


FUZZ = """
import sys
from fractions import Fraction
from pathlib import Path
from tests.film_files import make_film, numbered
from tests.mutate import mutations
from unflat.errors import UnflatError
from unflat.formats.film_decode import Damage, frames
from unflat.formats.film_look import look
from unflat.formats.film_remux import remux
from unflat.formats.film_write import SegmentWriter
from unflat.types.image import Size

here, refused, joined = Path(sys.argv[1]), 0, 0
with SegmentWriter(here / "segment.mp4", Size(96, 64), Fraction(1, 25)) as writer:
    for i in range(3):
        writer.write(numbered(i), Fraction(i, 25))
task = {"segments": [str(here / "segment.mp4")], "suffix": ".mkv", "start": "0", "stop": None, "told": {}}
for name in ("a.mp4", "a.mkv", "a.ts"):
    path = make_film(here / name, count=12, sound=0.4, options={"crf": "20", "g": "6", "bf": "2"})
    for broken in mutations(path.read_bytes(), 30, 11, head=1500):
        path.write_bytes(broken)
        try:
            found = look(path)
            first, last = int(found.shown[0]), int(found.shown[-1])
            times = [at for at, _ in frames(path, found.plan, None, first, last, Damage())]
            assert times == sorted(set(times)) and len(times) <= 24
        except UnflatError as error:
            assert error.hint
            refused += 1
        try:
            list(remux(task | {"source": str(path), "draft": str(here / "out.mkv")}))
            joined += 1
        except UnflatError as error:
            assert error.hint
print(refused, joined)
"""


def test_damage_of_all_kinds_is_read_or_refused_and_seldom_costs_the_film(tmp_path: Path) -> None:
    """In a process of its own, as it is in earnest."""
    root = Path(__file__).parents[2]
    words = [sys.executable, "-c", FUZZ, str(tmp_path)]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    refused, joined = map(int, done.stdout.split())
    assert 10 < refused < 60 and joined > 50
