"""``unflat stereo FILM`` and ``unflat depth FILM``: what goes in comes out, in time, with sound, also after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage.data import astronaut
from tests.film_files import FilmRecipe, make_film

av: Any = pytest.importorskip("av")
Run = Callable[..., subprocess.CompletedProcess[str]]


def _pan(number: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """A camera goes over a photograph."""
    left, top = 120 + 2 * number, 60
    width, height = size
    return np.ascontiguousarray(astronaut()[top : top + height, left : left + width])


def _film(folder: Path, **changes: Any) -> Path:
    recipe = FilmRecipe(size=(160, 96), paint=_pan, count=24, sound=1.0, **changes)
    return make_film(folder / "holiday.mp4", recipe)


def _packets(path: Path) -> list[tuple[Any, bytes]]:
    with av.open(str(path)) as film:
        return [(p.pts, bytes(p)) for p in film.demux(film.streams.video[0]) if p.size]


def test_a_film_becomes_one_for_two_eyes_with_its_sound_and_its_times(unflat: Run, tmp_path: Path) -> None:
    _film(tmp_path)
    done = unflat("stereo", "holiday.mp4", "--depth", "ramp", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    target = tmp_path / "holiday_LRF_Full_SBS.mp4"
    assert report["outputs"] == [target.name] and report["frames"] == 24 and report["layouts"] == ["full-sbs"]
    assert [shot["frames"] for shot in report["shots"]] == [24]
    step = next(step for step in report["provenance"]["steps"] if step["name"] == "depth")
    assert report["model"] == step["model"] == "ramp" and step["licence"], "who saw the depth, and by whose leave"
    assert report["provenance"]["invented"] is True
    assert report["shots"][0]["out_percent"] > 0 and report["shots"][0]["in_percent"] > 0
    assert set(path.name for path in tmp_path.iterdir()) == {"holiday.mp4", target.name}, "nothing is left behind"
    with av.open(str(target)) as film, av.open(str(tmp_path / "holiday.mp4")) as source:
        assert len(film.streams.audio) == 1
        frames, before = list(film.decode(video=0)), list(source.decode(video=0))
    assert [f.time for f in frames] == [f.time for f in before]
    both = frames[5].to_ndarray(format="rgb24").astype(float)
    assert both.shape == (96, 320, 3)
    left, right = both[:, :160], both[:, 160:]
    assert np.abs(left - right).mean() > 1
    assert unflat("inspect", target.name, "--json").returncode == 0


def test_killed_anywhere_and_run_again_it_is_the_same_film(unflat: Run, tmp_path: Path) -> None:
    _film(tmp_path)
    words = ("--depth", "ramp", "--segment-seconds", "0.2")
    assert unflat("stereo", "holiday.mp4", *words, "-o", "whole_LR.mp4").returncode == 0
    told = [sys.executable, "-m", "unflat.cli.entry", "stereo", "holiday.mp4", *words, "-o", "killed_LR.mp4"]
    parts = tmp_path / "killed_LR.mp4.parts"
    for wanted in (1, 3):
        run = subprocess.Popen(told, cwd=tmp_path, stderr=subprocess.DEVNULL)
        give_up = time.monotonic() + 120
        while len(list(parts.glob("*.json"))) <= wanted and run.poll() is None and time.monotonic() < give_up:
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert not (tmp_path / "killed_LR.mp4").exists()
    assert parts.is_dir()
    done = unflat("stereo", "holiday.mp4", *words, "-o", "killed_LR.mp4")
    assert done.returncode == 0, done.stderr
    assert not parts.exists()
    assert _packets(tmp_path / "killed_LR.mp4") == _packets(tmp_path / "whole_LR.mp4")


def test_each_eye_may_have_a_file_of_its_own_and_one_run_makes_several_films(unflat: Run, tmp_path: Path) -> None:
    _film(tmp_path)
    done = unflat(
        "stereo", "holiday.mp4", "--depth", "ramp", "--layout", "pair", "-o", "x.mp4", "-o", "x.html", "--json"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["outputs"] == ["x_left.mp4", "x_right.mp4", "x.html"]
    assert report["layouts"] == ["pair", "pair", "clip to move in"]
    views = []
    for name in report["outputs"][:2]:
        with av.open(str(tmp_path / name)) as film:
            views.append(next(film.decode(video=0)).to_ndarray(format="rgb24").astype(float))
            assert len(film.streams.audio) == 1
    assert views[0].shape == (96, 160, 3) and np.abs(views[0] - views[1]).mean() > 1
    again = unflat("stereo", "holiday.mp4", "--depth", "ramp", "--layout", "pair", "-o", "x.mp4")
    assert again.returncode == 9 and "x_left.mp4" in again.stderr


def test_a_part_of_a_film_begins_and_ends_where_it_is_told(unflat: Run, tmp_path: Path) -> None:
    _film(tmp_path)
    done = unflat("stereo", "holiday.mp4", "--depth", "ramp", "--from", "0.2", "--to", "0.6", "-o", "x.mkv", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frames"] == 10
    with av.open(str(tmp_path / "x.mkv")) as film:
        times = [Fraction(f.pts * f.time_base) for f in film.decode(video=0)]
    assert times[0] == 0 and abs(times[-1] - Fraction(9, 25)) <= Fraction(1, 1000)
    late = unflat("stereo", "holiday.mp4", "--depth", "ramp", "--from", "100", "-o", "y.mp4")
    assert late.returncode == 2 and "after the end" in late.stderr
    assert not (tmp_path / "y.mp4").exists()


def test_shots_are_told_apart_and_may_have_settings_of_their_own(unflat: Run, tmp_path: Path) -> None:
    def two(number: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
        return _pan(number, size) if number < 12 else 255 - np.flipud(_pan(3 * number, size))

    make_film(tmp_path / "cut.mp4", FilmRecipe(size=(160, 96), paint=two, count=24))
    (tmp_path / "shots.json").write_text(json.dumps({"shots": [{"from": 0.4, "strength": 0.5}]}))
    done = unflat("stereo", "cut.mp4", "--depth", "ramp", "--shots", "shots.json", "-o", "x.mp4", "--json")
    assert done.returncode == 0, done.stderr
    shots = json.loads(done.stdout)["shots"]
    assert [(shot["from"], shot["frames"]) for shot in shots] == [(0.0, 12), (0.48, 12)]
    assert [shot["strength"] for shot in shots] == [None, 0.5]
    spans = [shot["out_percent"] + shot["in_percent"] for shot in shots]
    assert spans[1] < 1 < spans[0]
    (tmp_path / "shots.json").write_text(json.dumps({"shots": shots}))
    again = unflat("stereo", "cut.mp4", "--depth", "ramp", "--shots", "shots.json", "-o", "y.mp4")
    assert again.returncode == 0, "the report's list of shots is a file of settings"
    assert _packets(tmp_path / "x.mp4") == _packets(tmp_path / "y.mp4")


@pytest.mark.parametrize("name", ["x.mp4", "x.mkv", "x.png"])
def test_depth_of_a_film(unflat: Run, tmp_path: Path, name: str) -> None:
    _film(tmp_path)
    done = unflat("depth", "holiday.mp4", "--depth", "ramp", "-o", name, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    outputs = report["outputs"]
    assert report["provenance"]["invented"] is False, "depth shows what was seen"
    assert len(outputs) == (25 if name == "x.png" else 1)
    if name != "x.png":
        with av.open(str(tmp_path / name)) as film:
            grey = [f.to_ndarray(format="gray") for f in film.decode(video=0)]
        assert len(grey) == 24 and grey[0].shape == (96, 160)
        rows = grey[0].astype(float).mean(axis=1)
        assert rows[90] > rows[5] + 20, "the model of ramps sees the floor near"


def test_a_spatial_film_needs_an_encoder_of_the_user(unflat: Run, tmp_path: Path) -> None:
    _film(tmp_path)
    (tmp_path / "x265").write_text("#!/bin/sh\necho plain\n")
    (tmp_path / "x265").chmod(0o755)
    for words in (("--layout", "spatial", "-o", "x.mov"), ("--layout", "spatial", "-o", "x.mkv")):
        done = unflat("stereo", "holiday.mp4", *words, env={**os.environ, "UNFLAT_X265": str(tmp_path / "x265")})
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 2 and lines[0].startswith("error: "), done.stderr
        if words[-1] == "x.mov":
            assert done.returncode == 4 and "built without multiview" in lines[0] and "ENABLE_MULTIVIEW" in lines[1]
        else:
            assert done.returncode == 2 and "QuickTime" in lines[0]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["holiday.mp4", "x265"]


def test_a_film_of_depth_is_used_as_it_is(unflat: Run, tmp_path: Path) -> None:
    _film(tmp_path)
    assert unflat("depth", "holiday.mp4", "--depth", "ramp", "-o", "near.mkv").returncode == 0
    done = unflat("stereo", "holiday.mp4", "--depth", "near.mkv", "-o", "x_RGBD.mp4", "--crf", "1", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["layouts"] == ["rgbd"] and report["model"] == "near.mkv"
    assert [one["name"] for one in report["provenance"]["sources"]] == ["holiday.mp4", "near.mkv"]
    with av.open(str(tmp_path / "x_RGBD.mp4")) as film, av.open(str(tmp_path / "near.mkv")) as depth:
        shown = [f.to_ndarray(format="gray")[:, 160:].astype(float) for f in film.decode(video=0)]
        given = [f.to_ndarray(format="gray16le").astype(float) / 257 for f in depth.decode(video=0)]
    assert len(shown) == len(given) == 24
    assert max(np.abs(a - b).mean() for a, b in zip(shown, given, strict=True)) < 6
    short = unflat("depth", "holiday.mp4", "--depth", "ramp", "--to", "0.5", "-o", "short.mkv")
    assert short.returncode == 0
    over = unflat("stereo", "holiday.mp4", "--depth", "short.mkv", "-o", "y.mp4")
    assert over.returncode == 2 and "is over at" in over.stderr and not (tmp_path / "y.mp4").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("holiday.mp4", "--ipd-mm", "63"), "--ipd-mm means nothing for a film"),
        (("holiday.mp4", "--style", "drawing"), "--style means nothing for a film"),
        (("holiday.mp4", "-o", "x.glb"), "no film is written to x.glb"),
        (("holiday.mp4", "--from", "soon"), "is no time"),
        (("holiday.mp4", "--from", "5", "--to", "4"), "is not after"),
        (("holiday.mp4", "--layout", "wiggle"), "no layout 'wiggle'"),
        (("holiday.mp4", "--shots", "nowhere.json"), "nowhere.json"),
        (("holiday.mp4", "photo.png"), "together"),
        (("holiday.mp4", "--depth", "photo.png"), "the depth of one picture"),
        (("photo.png", "--from", "5"), "--from means nothing for a picture"),
    ],
)
def test_what_cannot_be_is_said_before_the_work(unflat: Run, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    _film(tmp_path)
    (tmp_path / "photo.png").write_bytes(b"picture")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = unflat("stereo", *words)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2 and len(lines) == 2 and said in lines[0], done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_webm_holds_av1_and_what_becomes_of_the_sound_is_said(unflat: Run, tmp_path: Path) -> None:
    make_film(tmp_path / "old.mkv", FilmRecipe(size=(96, 64), count=8, sound=0.4, sound_codec="pcm_s16le"))
    refused = unflat("stereo", "old.mkv", "--depth", "ramp", "-o", "x.webm", "--codec", "h264")
    assert refused.returncode == 2 and "cannot hold h264" in refused.stderr
    done = unflat("stereo", "old.mkv", "--depth", "ramp", "-o", "x.webm", "--json")
    assert done.returncode == 0, done.stderr
    assert any("coded anew as opus" in warning for warning in json.loads(done.stdout)["warnings"])
    with av.open(str(tmp_path / "x.webm")) as film:
        assert [s.codec_context.codec.canonical_name for s in film.streams] == ["av1", "opus"]
        assert len(list(film.decode(video=0))) == 8
