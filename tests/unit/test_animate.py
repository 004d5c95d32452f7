"""A camera move through a picture: the frames show the scene, no border, the same every time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.worlds import World, camera, pole

from unflat.pipelines.animate import AnimateOptions, Animation, LensOptions
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


def test_a_picture_with_alpha_moves_too(world: World) -> None:
    alpha = np.full((120, 160), 255, np.uint8)
    alpha[:, :30] = 0
    options = PhotoOptions(camera=CameraOptions(fov=60))
    result = photo(Image(stripes(), alpha), options, handed=replace(world.depth, intrinsics=None))
    frames = list(Animation(result, AnimateOptions(options, MotionOptions(seconds=0.1))).frames(Size(160, 120)))
    assert len(frames) == 3
