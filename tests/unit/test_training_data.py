"""Between the worlds and the trainer: shards on disk, crops and tones, the table of scenes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training import augment, shards
from training.paint import while_alive
from training.worlds.sample import BACKDROP, SHARES, SKY, Sample, picture_size, scenes, useful

ROOT = Path(__file__).parents[2]


def made(number: int, shape: tuple[int, int] = (24, 32), kind: str = "test") -> Sample:
    """A ramp of depth under a strip of sky, and a number to be known by."""
    h, w = shape
    rng = np.random.default_rng(number)
    depth = np.repeat(np.linspace(9, 1, h, dtype=np.float32)[:, None], w, 1)
    depth[:4] = 0
    what = np.where(depth > 0, 0, SKY).astype(np.uint8)
    rgb = rng.integers(0, 256, (h, w, 3), np.uint8)
    return Sample(rgb, depth, np.zeros((h, w, 3), np.float32), what, 1.0 + 0.01 * number, kind)


def test_a_shard_gives_back_what_was_written(tmp_path: Path) -> None:
    samples = [made(i) for i in range(5)]
    shards.write(tmp_path / "s1_0000", shards.arrays(samples), seed=1)
    shard = shards.Shard(tmp_path / "s1_0000")
    assert len(shard) == 5
    for i, sample in enumerate(samples):
        assert (shard.rgb[i] == sample.rgb).all()
        assert (shard.what[i] == sample.what).all()
        known = sample.depth > 0
        assert (shard.inverse[i][~known] == 0).all()
        product = shard.inverse[i][known].astype(float) * sample.depth[known]  # one factor for all of a picture
        assert product == pytest.approx(product.mean(), rel=2e-3)
        assert np.quantile(shard.inverse[i][known].astype(float), 0.98) == pytest.approx(1, rel=2e-3)
        assert 2 * np.arctan(0.5 / shard.focal[i]) == pytest.approx(sample.fov, rel=1e-6)
    assert json.loads((tmp_path / "s1_0000" / "about.json").read_text()) == {"seed": 1}


def test_an_unfinished_shard_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shards.found(tmp_path / "nowhere") == {}
    content = shards.arrays([made(0)])
    written = []

    def stop(path: Path, array: object) -> None:
        written.append(path)
        if len(written) == 3:
            raise OSError("the disk is full")

    monkeypatch.setattr(np, "save", stop)
    with pytest.raises(OSError, match="full"):
        shards.write(tmp_path / "s1_0000", content)
    assert shards.found(tmp_path) == {}
    assert not (tmp_path / "s1_0000").exists()


def test_a_shard_that_is_replaced_stays_whole_for_those_who_read_it(tmp_path: Path) -> None:
    place = tmp_path / "s1_0000"
    shards.write(place, shards.arrays([made(1)]))
    old = shards.Shard(place)
    shards.write(place, shards.arrays([made(2), made(3)]))
    assert (old.rgb[0] == made(1).rgb).all()
    assert len(shards.Shard(place)) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["s1_0000"]


def test_the_ring_is_filled_and_then_replaced_and_shapes_are_kept_apart(tmp_path: Path) -> None:
    def mixed() -> Iterator[Sample]:
        for i in range(16):
            yield made(i, kind="wide")
            if i % 2:
                yield made(100 + i, (32, 24), "tall")

    shards.paint(tmp_path, mixed(), seed=4, ring=3, count=4)  # 16 wide and 8 tall: six shards
    there = shards.found(tmp_path)
    assert [p.name for p in there] == ["s4_0000", "s4_0001", "s4_0002"]
    about = [json.loads((p / "about.json").read_text()) for p in there]
    assert sorted(a["number"] for a in about) == [3, 4, 5]
    for path, told in zip(there, about, strict=True):
        shard = shards.Shard(path)
        ((kind, count),) = told["kinds"].items()
        assert count == len(shard) == 4
        assert shard.rgb.shape[1:3] == ((24, 32) if kind == "wide" else (32, 24))


def test_a_painter_that_is_started_again_goes_on(tmp_path: Path) -> None:
    (tmp_path / ".s4_0007.123").mkdir()  # a draft of one that was killed
    assert shards.painted(tmp_path, 4) == (0, 0)
    shards.paint(tmp_path, (replace(made(i), number=10 + i) for i in range(9)), seed=4, ring=9, count=4)
    assert not list(tmp_path.glob(".*"))
    assert shards.painted(tmp_path, 4) == (2, 18)  # the ninth picture is in no shard: its scene is painted again
    assert shards.painted(tmp_path, 5) == (0, 0)
    shards.paint(tmp_path, (made(i) for i in range(4)), seed=4, ring=9, count=4)
    assert sorted(p.name for p in shards.found(tmp_path)) == ["s4_0000", "s4_0001", "s4_0002"]


def test_a_painter_ends_with_the_process_that_wanted_it() -> None:
    samples = [made(i) for i in range(3)]
    assert len(list(while_alive(os.getppid(), samples))) == 3
    assert list(while_alive(os.getppid() + 1, samples)) == []


def test_a_speck_before_a_far_land_stays_finite() -> None:
    sample = made(0)
    far = np.where(sample.depth > 0, np.float32(6000), np.float32(0))
    far[10, :3] = 0.05
    kept = shards.arrays([replace(sample, depth=far)])["inverse"]
    assert np.isfinite(kept.astype(np.float32)).all()
    assert kept.max() == shards.LARGEST


SIZES = [(64, 48), (48, 64), (96, 64), (64, 64), (160, 96)]


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from([(96, 128), (128, 96), (100, 100), (90, 160)]),
    size=st.sampled_from(SIZES),
    seed=st.integers(0, 9999),
)
def test_a_crop_keeps_picture_depth_kind_and_focal_together(
    shape: tuple[int, int], size: tuple[int, int], seed: int
) -> None:
    """Each pixel of the source says where it is, in all three maps; so the crop says where it was taken from."""
    h, w = shape
    y, x = np.mgrid[:h, :w]
    rgb = np.stack([x, y, np.zeros_like(x)], -1).astype(np.uint8)
    inverse = (x / 256).astype(np.float16)
    what = y.astype(np.uint8)
    picture, depth, kind, focal = augment.crop(rgb, inverse, what, 0.9, size, np.random.default_rng(seed))
    width, height = size
    assert picture.shape == (height, width, 3)
    assert depth.shape == kind.shape == (height, width)
    xs, ys = picture[..., 0].astype(float), picture[..., 1].astype(float)
    pixel = abs(xs[0, -1] - xs[0, 0]) / (width - 1)  # of the source, in one of the crop
    assert np.abs(depth * 256 - xs).max() <= 1 + pixel  # the nearest pixel lies within one
    assert np.abs(kind - ys).max() <= 1 + pixel
    assert ys[-1, 0] - ys[0, 0] == pytest.approx(pixel * (height - 1), rel=0.1, abs=2)  # nothing is stretched
    assert focal * max(size) == pytest.approx(0.9 * max(shape) / pixel, rel=0.06)


def test_crops_are_mirrored_half_the_time_and_whole_at_times() -> None:
    x = np.tile(np.arange(128), (96, 1))
    rgb = np.repeat(x[..., None], 3, 2).astype(np.uint8)
    rng = np.random.default_rng(0)
    mirrored, focals = 0, []
    for _ in range(300):
        picture, *_, focal = augment.crop(rgb, x.astype(np.float16), x.astype(np.uint8), 1.0, (64, 48), rng)
        mirrored += bool(picture[0, 0, 0] > picture[0, -1, 0])
        focals.append(focal)
    assert 110 < mirrored < 190
    assert min(focals) == 1.0
    assert 1.5 < max(focals) <= 2.05


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 99999), grey=st.sampled_from([None, 0, 128, 255]))
def test_tones_stay_pictures_and_a_seed_is_one_result(seed: int, grey: int | None) -> None:
    picture = np.full((48, 64, 3), grey, np.uint8) if grey is not None else made(seed, (48, 64)).rgb
    others = np.stack([made(9, (40, 56)).rgb, np.zeros((40, 56, 3), np.uint8)])
    before = picture.copy()
    first = augment.photometric(picture, np.random.default_rng(seed), others)
    again = augment.photometric(picture, np.random.default_rng(seed), others)
    assert first.shape == picture.shape
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert first.min() >= 0
    assert first.max() <= 1
    assert (first == again).all()
    assert (picture == before).all()


def test_tones_differ_and_need_no_other_pictures() -> None:
    picture = made(1, (48, 64)).rgb
    results = [augment.photometric(picture, np.random.default_rng(seed), None) for seed in range(8)]
    assert len({r.tobytes() for r in results}) == 8


def test_views_into_panoramas() -> None:
    panoramas = np.random.default_rng(0).uniform(0, 2, (2, 32, 64, 3)).astype(np.float32)
    views = augment.manners(panoramas, np.random.default_rng(1), count=3, side=24)
    assert views.shape == (3, 24, 32, 3)
    assert views.dtype == np.uint8
    assert (views == augment.manners(panoramas, np.random.default_rng(1), count=3, side=24)).all()
    assert views.std() > 5


def test_every_scene_has_one_name_and_its_share() -> None:
    from importlib import import_module

    listed = [name for module in SHARES for name in import_module(f"training.worlds.scenes.{module}").SCENES]
    assert len(listed) == len(set(listed))
    table = scenes()
    assert set(table) == set(listed)
    assert all(share > 0 for _, share in table.values())
    assert sum(share for _, share in table.values()) == pytest.approx(1)
    assert sum(SHARES.values()) == pytest.approx(1)
    assert "flat_picture" in table  # `useful` knows it by name


def _with(depth: np.ndarray, rgb: np.ndarray | None = None, kind: str = "test") -> Sample:
    h, w = depth.shape
    some = np.random.default_rng(0).integers(0, 256, (h, w, 3), np.uint8) if rgb is None else rgb
    what = np.where(depth > 0, 0, BACKDROP).astype(np.uint8)
    return Sample(some, depth.astype(np.float32), np.zeros((h, w, 3), np.float32), what, 1.0, kind)


def test_what_teaches_nothing_is_left_out() -> None:
    ramp = np.linspace(1, 9, 32 * 24).reshape(24, 32)
    assert useful(_with(ramp))
    assert not useful(_with(ramp, np.full((24, 32, 3), 90, np.uint8)))  # all one colour
    assert not useful(_with(ramp, np.random.default_rng(0).integers(0, 20, (24, 32, 3), np.uint8)))  # night
    assert not useful(_with(np.zeros((24, 32))))  # nothing but sky
    assert not useful(_with(np.where(np.arange(24)[:, None] == 0, ramp, 0)))  # hardly more
    assert not useful(_with(np.full((24, 32), 2.0)))  # a wall
    assert useful(_with(np.full((24, 32), 2.0), kind="flat_picture"))  # but a picture on it must be seen as flat


def test_picture_sizes_are_usual_ones() -> None:
    rng = np.random.default_rng(0)
    sizes = {picture_size(rng, 320) for _ in range(200)}
    assert {(320, 240), (320, 208), (320, 176), (320, 320), (320, 256), (320, 160)} == sizes


@pytest.mark.parametrize(
    ("module", "arguments", "said"),
    [
        ("training.paint", ["{}/run", "--seed", "1", "--shared", "{}/nowhere"], "nowhere/textures/ambientcg_128.tar"),
        ("training.worlds.sheet", ["--shared", "{}/nowhere"], "nowhere/textures/ambientcg_128.tar"),
        ("training.worlds.sheet", ["no_such_scene"], "no scene is called no_such_scene"),
        ("training.worlds.sheet", ["--out", "{}/nowhere/sheet.png"], "nowhere does not exist"),
        ("benchmarks.depth", ["{}/none.onnx"], "none.onnx does not exist"),
        ("benchmarks.depth_worlds", ["{}/none.onnx"], "none.onnx does not exist"),
    ],
)
def test_what_is_missing_is_said_in_one_line(tmp_path: Path, module: str, arguments: list[str], said: str) -> None:
    command = [sys.executable, "-m", module, *(a.format(tmp_path) for a in arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
