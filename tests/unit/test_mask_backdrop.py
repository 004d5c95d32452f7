"""A thing that turns before a still picture is found by what moves; before an even one by colour; else not at all."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import painted
from unflat.stages.mask_backdrop import mask_backdrop
from unflat.types.arrays import U8, Bool
from unflat.types.camera import Camera, Intrinsics
from unflat.types.image import Size
from unflat.types.views import Still, Stills

SIZE = Size(200, 150)


@cache
def turned() -> tuple[tuple[U8, Bool], ...]:
    """A box that turns, seen from above, and where it is."""
    block = painted.box(half=0.5, side=192)
    lens = Intrinsics.from_fov(40, SIZE)
    found = []
    for n in range(12):
        a = 2 * np.pi * n / 12
        pose = painted.looking((2.8 * np.sin(a), -1.2, -2.8 * np.cos(a)), (0, 0, 0))
        shot = painted.take([block], Camera(lens, pose), 1)
        found.append((shot.pixels, shot.depth > 0))
    return tuple(found)


def before(backdrop: U8, swing: float = 0.04) -> Stills:
    """The box before a backdrop, with noise and an exposure that swings."""
    rng = np.random.default_rng(3)
    items = []
    for n, (pixels, there) in enumerate(turned()):
        whole = np.where(there[..., None], pixels, backdrop) * (1 + swing * np.sin(n))
        shot = np.clip(whole + rng.normal(0, 1.5, whole.shape), 0, 255).astype(np.uint8)
        items.append(Still(f"{n:02d}.png", SIZE, lambda shot=shot: shot))
    return Stills(tuple(items), True)


def overlap(one: Bool, other: Bool) -> float:
    return float((one & other).sum() / (one | other).sum())


def pattern() -> U8:
    return painted.photograph(240)[:150, :200]


@pytest.mark.parametrize("backdrop", ["pattern", "even"])
def test_a_thing_that_turns_is_found_before_what_stands_still(backdrop: str) -> None:
    ground = pattern() if backdrop == "pattern" else np.full((150, 200, 3), (20, 110, 60), np.uint8)
    masked = mask_backdrop(before(ground))
    assert masked.how == ("still" if backdrop == "pattern" else "even")
    for mask, (_, there) in zip(masked.masks, turned(), strict=True):
        assert mask is not None
        assert overlap(mask, there) > 0.88
        assert (mask & there).sum() > 0.97 * there.sum()  # a hull forgives what is too much, not what is too little


def test_a_camera_that_goes_around_masks_nothing() -> None:
    ground = painted.photograph(480)
    items = []
    for n, (pixels, there) in enumerate(turned()):
        behind = ground[40:190, 15 * n : 15 * n + 200]
        shot = np.where(there[..., None], pixels, behind)
        items.append(Still(f"{n}.png", SIZE, lambda shot=shot: shot))
    masked = mask_backdrop(Stills(tuple(items), True))
    assert masked.how == "none" and masked.masks == ()
