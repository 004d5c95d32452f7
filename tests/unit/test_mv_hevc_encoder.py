"""An encoder of spatial films that the user brings: it is found, fed, and its faults are said."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.two_view_films import COUNT, STREAM, check_views, decoded, stream, view

from unflat.errors import InputError, MissingExtraError, OutputError, ShapeError
from unflat.formats.film_join import join
from unflat.formats.film_write import EncodeOptions
from unflat.formats.hevc_setup import layer_of
from unflat.formats.mv_segment import VARIABLE, SpatialSegment, find_encoder
from unflat.formats.nal_units import by_start_codes
from unflat.formats.stereo_mark import mark_stereo
from unflat.pipelines.inspect import inspect
from unflat.types import Size
from unflat.types.stereo import Layout

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
