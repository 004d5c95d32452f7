"""Whoever moves the pixels of a depth map moves all of its planes, and forgets nothing else that it knows."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from unflat.formats.layered_exr import _enlarged
from unflat.geometry.refine import RefineOptions, refine_depth
from unflat.geometry.straighten import Straightening
from unflat.stages.crop_frame import Crop, crop_depth
from unflat.stages.extend_picture import ExtendOptions, extend_picture
from unflat.types import DepthKind, DepthMap, Image, Intrinsics, Provenance, Scale, Size
from unflat.types.depth import PLANES

SIZE = Size(48, 36)
KNOWN = ("kind", "origin", "licence", "provenance", "scale")
"""What belongs to a map as a whole; its camera moves with the pixels, a panorama's map is not moved."""


def full(*, invented: bool = True) -> DepthMap:
    """A map of which nothing is None but the panorama's camera, and no two planes are alike."""
    dice = np.random.default_rng(5)
    made = np.zeros(SIZE.shape, np.bool_)
    made[:, :9] = made[:, 40:] = made[:5] = made[30:] = True
    sky = np.zeros(SIZE.shape, np.bool_)
    sky[5:11, 9:40] = True
    valid = dice.random(SIZE.shape) > 0.1
    values = np.where(sky, np.inf, dice.uniform(1, 3, SIZE.shape)).astype(np.float32)
    return DepthMap(
        values,
        DepthKind.SCALE,
        valid | sky,
        sky,
        dice.random(SIZE.shape, np.float32),
        Intrinsics.from_fov(60, SIZE, "file"),
        "somewhere",
        "CC0-1.0",
        Provenance((), (), "0", True),
        Scale("known-length", 0.9, 1.1, 0.9, "a door"),
        None,
        made if invented else None,
    )


def cropped(depth: DepthMap) -> DepthMap:
    corners = np.array([[3, 2], [45, 2], [45, 34], [3, 34]], float)
    way = Straightening(corners, SIZE, Size(42, 32))
    blank = Image(np.zeros((*SIZE.shape, 3), np.uint8))
    return crop_depth(depth, Crop(blank, way, False, blank))


def refined(depth: DepthMap) -> DepthMap:
    grey = np.full((*SIZE.shape, 3), 90, np.uint8)
    return refine_depth(depth, grey, Size(96, 72), options=RefineOptions(reach=0))


def extended(depth: DepthMap) -> DepthMap:
    return extend_picture(Image(np.full((*SIZE.shape, 3), 90, np.uint8)), depth, ExtendOptions(0.25))[1]


WAYS: dict[str, Any] = {
    "cropped": cropped,
    "refined": refined,
    "enlarged": lambda depth: _enlarged(depth, Size(96, 72)),
    "extended": extended,
    "flipped": lambda depth: depth.moved(lambda plane: plane[:, ::-1], depth.intrinsics),
}


def test_no_plane_is_missing_in_the_list() -> None:
    arrays = {one.name for one in fields(DepthMap) if str(one.type).split(" ")[0] in ("F32", "Bool", "U8", "F64")}
    assert arrays == set(PLANES)
    assert {one.name for one in fields(DepthMap)} == {*PLANES, *KNOWN, "intrinsics", "panorama"}
    assert all(getattr(full(), name) is not None for name in (*PLANES, *KNOWN, "intrinsics"))


@pytest.mark.parametrize("name", WAYS)
def test_all_that_a_map_holds_goes_along(name: str) -> None:
    before, after = full(), WAYS[name](full())
    for plane in PLANES:
        assert getattr(after, plane) is not None, plane
        assert getattr(after, plane).shape == after.size.shape
        assert getattr(after, plane).any() and getattr(after, plane).dtype == getattr(before, plane).dtype
    assert all(getattr(after, one) == getattr(before, one) for one in KNOWN)
    assert after.intrinsics is not None and after.intrinsics.basis == "file"


@pytest.mark.parametrize("name", WAYS)
def test_what_a_map_does_not_know_stays_unknown(name: str) -> None:
    after = WAYS[name](DepthMap(full().values.clip(1, 3), DepthKind.SCALE, intrinsics=full().intrinsics))
    assert after.sky is None and after.confidence is None and after.provenance is None and after.scale is None
    assert (after.invented is None) == (name != "extended")


def test_a_crop_cuts_every_plane_alike_and_a_flip_done_twice_is_nothing() -> None:
    before, after = full(), cropped(full())
    twice = WAYS["flipped"](WAYS["flipped"](before))
    for plane in PLANES:
        np.testing.assert_array_equal(getattr(after, plane), getattr(before, plane)[2:34, 3:45])
        np.testing.assert_array_equal(getattr(twice, plane), getattr(before, plane))
        assert not np.array_equal(getattr(WAYS["flipped"](before), plane), getattr(before, plane))
