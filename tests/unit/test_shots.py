"""Where shots begin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.films import scene

from unflat.geometry.moments import Moment, planes_of
from unflat.geometry.shots import LOOK_AHEAD, LOOK_BACK, Look, alike, begins_shot, remembered

Frames = list[NDArray[np.float32]]
PLANES = planes_of(np.ones((48, 64), np.float32), None, None)


def shot(seed: int, frames: int = 24, speed: float = 0.8, walk: float = 2.0) -> Frames:
    return [scene(seed, speed * t, thing=40 + walk * t)[0].astype(np.float32) for t in range(frames)]


def begins(frames: Frames) -> list[int]:
    """The frames that begin shots, as the stage asks for them."""
    moments: list[Moment] = []
    for frame in frames:
        pixels = np.clip(frame, 0, 255).astype(np.uint8)
        moments.append(Moment.of(pixels, PLANES, moments[-1] if moments else None))
    coming = [m.look for m in moments]
    before: list[Look] = []
    found = []
    for k, look in enumerate(coming):
        if begins_shot(before, coming[k : k + 1 + LOOK_AHEAD]):
            found.append(k)
            before = []
        before = remembered(before, look)
    return found


def dissolved(a: Frames, b: Frames, length: int) -> Frames:
    shares = (np.arange(length) + 1) / (length + 1)
    return a[:-length] + [x * (1 - s) + y * s for x, y, s in zip(a[-length:], b, shares, strict=False)] + b[length:]


def faded(a: Frames, b: Frames, black: int) -> Frames:
    down, up = ([x * s for x, s in zip(v, np.linspace(0.9, 0.1, 6), strict=True)] for v in (a[-6:], b[5::-1]))
    return a[:-6] + down + [np.zeros_like(a[0])] * black + up[::-1] + b[6:]


def test_one_shot_is_one_shot() -> None:
    assert begins(shot(1)) == []


@pytest.mark.parametrize("first", [1, 2, 9, 20])
def test_a_cut_is_found_to_the_frame(first: int) -> None:
    assert begins(shot(1)[:first] + shot(30)) == [first]


def test_shots_of_one_frame_are_shots() -> None:
    assert begins(shot(1)[:6] + shot(30)[:1] + shot(60)[:6]) == [6, 7]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_flash_is_no_cut(length: int) -> None:
    frames = shot(1)
    for k in range(10, 10 + length):
        frames[k] = frames[k] * 0.2 + 200
    assert begins(frames) == []


@pytest.mark.parametrize("length", [7, 12])
def test_a_dissolve_is_cut_in_its_middle(length: int) -> None:
    found = begins(dissolved(shot(1, speed=0.1, walk=0.2), shot(30, speed=0.1, walk=0.2), length))
    assert len(found) == 1
    assert abs(found[0] - (24 - length / 2)) <= 2


@pytest.mark.parametrize("black", [1, 5, 30])
def test_what_comes_out_of_the_black_is_a_new_shot(black: int) -> None:
    found = begins(faded(shot(1), shot(30), black))
    assert len(found) == 1
    assert 24 + black <= found[0] <= 24 + black + 3


def test_the_same_place_after_a_blink_is_the_same_shot() -> None:
    frames = shot(1)
    frames[10:13] = [np.zeros_like(frames[0])] * 3
    assert begins(frames) == []


def test_what_comes_first_out_of_the_black_is_a_shot() -> None:
    assert begins([np.zeros_like(shot(1)[0])] * 4 + shot(1)) == [4]


@pytest.mark.parametrize("change", [lambda x: x * 0.4, lambda x: 255 - (255 - x) * 0.5])
def test_a_light_that_is_switched_is_no_cut(change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
    frames = shot(1)
    assert begins(frames[:12] + [change(x) for x in frames[12:]]) == []


def test_a_fast_pan_is_no_cut() -> None:
    assert begins(shot(1, speed=9.0)) == []


def test_looks_remember_a_stretch_of_black_as_one_frame() -> None:
    black, seen = (Look.of(np.full((24, 32, 3), v, np.uint8), 1.0) for v in (0, 1))
    full = Look.of(shot(1)[0].astype(np.uint8), 1.0)
    looks: list[Look] = []
    for look in [full, black, seen, black, full]:
        looks = remembered(looks, look)
    assert [x.empty for x in looks] == [False, True, False]
    for _ in range(LOOK_BACK + 5):
        looks = remembered(looks, full)
    assert len(looks) == LOOK_BACK


def test_alike_is_symmetric_and_whole_for_the_same() -> None:
    a, b = (Look.of(f.astype(np.uint8), 1.0) for f in (shot(1)[0], shot(30)[0]))
    assert alike(a, a) > 0.97
    assert alike(a, b) == pytest.approx(alike(b, a))
    assert alike(a, b) < 0.5
