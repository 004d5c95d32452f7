"""A camera move through a picture: the frames show the scene, no border, the same every time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.worlds import World, camera, pole

from unflat.errors import InputError, UnflatError
from unflat.formats.registry import read_scene
from unflat.geometry import bands
from unflat.pipelines.animate import AnimateOptions, Animation, LensOptions, animate
from unflat.pipelines.photo import PhotoOptions, photo
from unflat.stages.calibrate import CameraOptions
from unflat.stages.move_camera import MotionOptions
from unflat.types.image import Image, Size


@pytest.fixture(scope="module")
def world() -> World:
    return pole(camera(160, 120, 60), 24)


def film(world: World, picture: np.ndarray, **given: object) -> Animation:
    motion = MotionOptions(
        **{"seconds": 0.4, "fps": 20, **{k: v for k, v in given.items() if k in ("motion", "amount")}}
    )  # type: ignore[arg-type]
    lens = LensOptions(**{k: v for k, v in given.items() if k not in ("motion", "amount")})  # type: ignore[arg-type]
    options = PhotoOptions(camera=CameraOptions(fov=60))
    result = photo(picture, options, handed=replace(world.depth, intrinsics=None))
    return Animation(result, AnimateOptions(options, motion, lens))


def stripes() -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.repeat(rng.integers(40, 215, (120, 1, 3), np.uint8), 160, axis=1)


def test_frames_are_as_many_and_as_large_as_asked_and_always_the_same(world: World) -> None:
    once, again = (list(film(world, stripes()).frames(Size(128, 96))) for _ in range(2))
    assert len(once) == 8 and all(f.shape == (96, 128, 3) and f.dtype == np.uint8 for f in once)
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert max(int(np.abs(a.astype(int) - once[0]).max()) for a in once) > 20


@pytest.mark.parametrize("motion", ["orbit", "swing", "dolly", "zoom"])
def test_no_frame_looks_past_the_picture(world: World, motion: str) -> None:
    from unflat.pipelines.animate import _narrowed
    from unflat.stages.render_view import sees_past

    moving = film(world, stripes(), motion=motion)
    size = Size(160, 120)
    assert max(sees_past(moving.result.scene.nodes, _narrowed(c, moving.zoom())) for c in moving.cameras(size)) < 0.01
    whole = film(world, stripes(), motion=motion, crop=False)
    assert whole.zoom() == 1


def test_without_a_crop_the_border_is_filled_with_what_is_beside_it(world: World) -> None:
    grey = np.full((120, 160, 3), 90, np.uint8)
    for frame in film(world, grey, crop=False, amount=2.0).frames(Size(160, 120)):
        assert np.abs(frame.astype(int) - 90).max() <= 2


def test_a_pulled_focus_moves_the_sharpness(world: World) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    z = world.depth.z[world.depth.surface]
    near, middle = float(z.min()), float(1 / np.median(1 / z))
    moving = film(world, noise, aperture=6.0, focus=near / middle, focus_to=1.0, amount=0.05, crop=False)
    first, *_, last = moving.frames(Size(160, 120))

    def detail(frame: np.ndarray, columns: slice) -> float:
        return float(np.abs(np.diff(frame[20:100, columns].astype(int), axis=1)).mean())

    on_pole, on_wall = slice(76, 84), slice(20, 50)
    assert detail(first, on_pole) > 2 * detail(last, on_pole)
    assert detail(last, on_wall) > 2 * detail(first, on_wall)


def test_the_film_and_its_story_are_saved(world: World, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    moving = film(world, stripes()).save(tmp_path / "a.mp4", tmp_path / "a.gif")
    assert {p.name for p in tmp_path.iterdir()} == {"a.mp4", "a.gif"}
    assert [Path(p).name for p in moving.result.report["outputs"]] == ["a.mp4", "a.gif"]
    with av.open(str(tmp_path / "a.mp4")) as written:
        told = written.metadata["comment"]
        assert '"render film"' in told and '"invented": true' in told
        assert sum(1 for _ in written.decode(video=0)) == 8


@pytest.mark.parametrize("motion", ["orbit", "zoom"])
@pytest.mark.parametrize("suffix", [".glb", ".gltf"])
def test_the_scene_keeps_the_move_of_the_film(world: World, tmp_path: Path, motion: str, suffix: str) -> None:
    moving = film(world, stripes(), motion=motion).save(tmp_path / f"a{suffix}")
    scene = read_scene(tmp_path / f"a{suffix}")
    still, (track,) = moving.result.scene, scene.tracks
    assert [camera.name for camera in scene.cameras] == ["photograph"]
    assert [node.role for node in scene.nodes] == [node.role for node in still.nodes]
    assert track.name == motion and track.zooms == (motion == "zoom")
    frames = moving.cameras(Size(160, 120))
    assert track.times == pytest.approx([i / 20 for i in range(9)])
    for number, frame in enumerate([*frames, frames[0]]):  # it comes back to where it began
        kept = track.camera(number)
        assert np.allclose(kept.pose.world_from_camera, frame.pose.world_from_camera, atol=1e-6)
        assert kept.intrinsics.fx == pytest.approx(frame.intrinsics.fx * moving.zoom(), rel=1e-6)
    assert scene.provenance.steps[-1].name == "move camera"
    assert moving.result.report["outputs"] == [str(tmp_path / f"a{suffix}")]


def test_a_flight_is_kept_with_its_own_times(world: World, tmp_path: Path) -> None:
    stations = [{"time": 1, "position": [0, 0, 0]}, {"time": 1.5, "position": [0.02, 0, 0], "fov": 40}]
    (tmp_path / "k.json").write_text(json.dumps({"keyframes": stations}))
    film(world, stripes(), keyframes=tmp_path / "k.json", crop=False).save(tmp_path / "a.glb")
    (track,) = read_scene(tmp_path / "a.glb").tracks
    assert track.name == "flight" and track.seconds == pytest.approx(0.5) and len(track.times) == 11
    assert track.camera(10).intrinsics.fov_x_deg == pytest.approx(40, abs=1e-4)
    assert np.allclose(track.camera(10).pose.centre, (0.02, 0, 0), atol=1e-6)


def test_what_a_scene_cannot_keep_is_said(world: World, tmp_path: Path) -> None:
    sharp = film(world, stripes()).save(tmp_path / "a.glb")
    blurred = film(world, stripes(), aperture=3.0).save(tmp_path / "b.glb")
    assert not any("depth of field" in note for note in sharp.result.report["warnings"])
    assert any("depth of field" in note for note in blurred.result.report["warnings"])


@pytest.mark.parametrize("motion", ["orbit", "swing", "dolly", "zoom"])
def test_a_move_beyond_the_safe_range_is_said_with_an_amount_that_is_not(world: World, motion: str) -> None:
    unsure = replace(world.depth, confidence=np.full(world.depth.size.shape, 0.2, np.float32))
    world = replace(world, depth=unsure)
    far = film(world, stripes(), motion=motion, amount=4.0)
    (note,) = [note for note in far.result.report["warnings"] if "as far as is safe" in note]
    amount = float(note.split("--amount ")[1].split(" ")[0])
    assert 0.02 < amount < 4
    near = film(world, stripes(), motion=motion, amount=amount)
    assert not any("as far as is safe" in note for note in near.result.report["warnings"])
    beyond = film(world, stripes(), motion=motion, amount=min(4.0, 1.2 * amount))
    assert any("as far as is safe" in note for note in beyond.result.report["warnings"])


@pytest.mark.parametrize("motion", ["orbit", "dolly"])
def test_a_move_of_no_given_amount_stays_within_the_safe_range_and_says_so(world: World, motion: str) -> None:
    told = "as far as is safe", "of the usual way"
    easy = film(world, stripes(), motion=motion)
    near = film(world, stripes(), motion=motion, amount=0.1)
    assert near.motion.amount == 0.1
    assert not any(words in note for words in told for note in near.result.report["warnings"])
    unsure = replace(world, depth=replace(world.depth, confidence=np.full(world.depth.size.shape, 0.2, np.float32)))
    moving = film(unsure, stripes(), motion=motion)
    (note,) = [note for note in moving.result.report["warnings"] if told[1] in note]
    amount = moving.motion.amount
    assert amount is not None and 0.02 < amount < easy.motion.share and f"goes {amount:g} of" in note
    asked = film(unsure, stripes(), motion=motion, amount=amount)
    assert not any(words in note for words in told for note in asked.result.report["warnings"])
    size = Size(160, 120)
    same = zip(moving.cameras(size), asked.cameras(size), strict=True)
    assert all(np.array_equal(a.pose.world_from_camera, b.pose.world_from_camera) for a, b in same)


def test_nothing_is_written_where_one_output_is_refused(world: World, tmp_path: Path) -> None:
    moving = film(world, stripes())
    (tmp_path / "old.gif").write_bytes(b"mine")
    for other in (tmp_path / "b.xyz", tmp_path / "old.gif", tmp_path / "a.gif", tmp_path / "no" / "b.gif"):
        with pytest.raises(UnflatError):
            moving.save(tmp_path / "a.gif", other)
    assert [p.name for p in tmp_path.iterdir()] == ["old.gif"]
    assert moving.result.report["outputs"] == []


def test_a_picture_with_alpha_moves_too(world: World) -> None:
    alpha = np.full((120, 160), 255, np.uint8)
    alpha[:, :30] = 0
    options = PhotoOptions(camera=CameraOptions(fov=60))
    result = photo(Image(stripes(), alpha), options, handed=replace(world.depth, intrinsics=None))
    frames = list(Animation(result, AnimateOptions(options, MotionOptions(seconds=0.1))).frames(Size(160, 120)))
    assert len(frames) == 3


def test_the_story_of_a_film_says_which_move_it_shows(world: World) -> None:
    moving = film(world, stripes(), motion="swing", amount=0.5)
    step = moving.result.film_story(moving._told()).steps[-1]
    assert step.name == "render film"
    assert dict(step.options) == {"move": "swing", "amount": 0.5, "seconds": 0.4}
    assert dict(moving.scene().provenance.steps[-1].options).items() >= dict(step.options).items()


def test_keyframes_take_no_amount(tmp_path: Path) -> None:
    options = AnimateOptions(PhotoOptions(), MotionOptions(amount=1), LensOptions(keyframes=tmp_path / "none.json"))
    with pytest.raises(InputError, match="no --amount"):
        animate(stripes(), options)


def test_frames_too_large_for_the_memory_are_painted_one_by_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    moving, size, at_once = film(world, stripes()), Size(96, 72), list[int]()
    many, asked = list(moving.frames(size)), bands.side_by_side

    def listened(work: Callable[[int], object], items: range, most: int) -> Iterator[object]:
        at_once.append(most)
        return asked(work, items, most)

    monkeypatch.setattr("unflat.pipelines.animate._MEMORY", 1)
    monkeypatch.setattr(bands, "side_by_side", listened)
    assert all(np.array_equal(a, b) for a, b in zip(many, moving.frames(size), strict=True))
    assert at_once == [1]
