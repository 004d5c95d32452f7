"""What the depth must say before a found thing is believed, and how sure it makes one; found is what a test says."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from unflat.models import familiar
from unflat.models.door import find_doors
from unflat.models.familiar import Familiar
from unflat.models.number_plate import FORMATS, holds_signs
from unflat.stages.familiar_size import Told, shape_error, told_by_familiar
from unflat.types import DepthKind, DepthMap, Image, Intrinsics, Size
from unflat.types.arrays import F32, U8

SIZE = Size(960, 720)
FOCAL = 900.0
CAMERA = Intrinsics.from_focal(FOCAL, SIZE, "given")
PICTURE = Image(np.full((SIZE.height, SIZE.width, 3), 128, np.uint8))
Z = 5.0
METRE = FOCAL / Z
"""Pixels, of what stands Z metres away."""
PLATE = Familiar("plate", 433, 515, 93.6, 20, 0.52, 0.07)
REST = 1.5


def told(
    monkeypatch: pytest.MonkeyPatch, inverse: F32, *things: Familiar, sure: F32 | None = None
) -> Told | str | None:
    monkeypatch.setattr(familiar, "find_familiar", lambda rgb: things)
    z = (1 / inverse).astype(np.float32)
    return told_by_familiar(DepthMap(z, DepthKind.SCALE, confidence=sure, intrinsics=CAMERA), CAMERA, PICTURE)


def before_ground(nearer: float, until: int = 612) -> F32:
    """A car 1.7 m wide before what is farther; below row ``until`` all is ``nearer`` times as near."""
    inverse = np.full(SIZE.shape, 0.1 / Z, np.float32)
    middle = 480
    inverse[400:until, middle - round(0.85 * METRE) : middle + round(0.85 * METRE)] = 1 / Z
    inverse[until:] = nearer / Z
    return inverse


@pytest.mark.parametrize(
    ("nearer", "good"),
    [(0.5, False), (1.0, False), (1.05, False), (1.1, False), (1.4, True), (2.1, True), (2.5, False)],
)
def test_the_ground_below_a_plate_is_one_that_eyes_look_down_on(
    monkeypatch: pytest.MonkeyPatch, nearer: float, good: bool
) -> None:
    """The strip is 1.05 m below the plate, so the eye is 0.6 / (nearer - 1) metres above the ground."""
    said = told(monkeypatch, before_ground(nearer), PLATE)
    assert isinstance(said, Told) is good
    if isinstance(said, Told):
        assert said.factor == pytest.approx(1, rel=0.01) and said.error == pytest.approx(0.07)
        assert said.things == "1 number plate of a car"


def test_a_plate_too_near_the_lower_rim_shows_no_ground(monkeypatch: pytest.MonkeyPatch) -> None:
    low = Familiar("plate", 433, 610, 93.6, 20, 0.52, 0.07)
    assert not isinstance(told(monkeypatch, before_ground(1.4, until=700), low), Told)


@pytest.mark.parametrize(("rows", "good"), [(20, True), (10, False)])
def test_a_door_must_show_the_floor_before_it(monkeypatch: pytest.MonkeyPatch, rows: int, good: bool) -> None:
    height = 2.05 * METRE
    door = Familiar("door", 400, SIZE.height - rows - height, 150, height, 2.05, 0.08)
    inverse = np.full(SIZE.shape, 1 / Z, np.float32)
    inverse[SIZE.height - rows :] = 1.3 / Z
    assert isinstance(told(monkeypatch, inverse, door), Told) is good


@pytest.mark.parametrize(("here", "elsewhere"), [(0.8, 0.8), (0.9, 0.5), (0.5, 0.9)])
def test_a_plate_is_as_sure_as_the_less_sure_of_here_and_all(
    monkeypatch: pytest.MonkeyPatch, here: float, elsewhere: float
) -> None:
    sure = np.full(SIZE.shape, elsewhere, np.float32)
    sure[500:550, 420:540] = here
    said = told(monkeypatch, before_ground(1.4), PLATE, sure=sure)
    assert isinstance(said, Told)
    assert said.error == pytest.approx(math.hypot(0.07, REST * shape_error(min(here, elsewhere))), rel=1e-3)


def heads() -> F32:
    inverse = np.full(SIZE.shape, 0.1 / Z, np.float32)
    for left in (200, 600):
        inverse[200:300, left : left + 90] = 1 / Z
    return inverse


def face(left: int, metres: float, spread: float) -> Familiar:
    return Familiar("face", left, 205, 90, 90, metres, spread)


def test_things_that_disagree_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = 0.5, 1.0  # twice as far apart as their spreads allow
    said = told(monkeypatch, heads(), face(200, one, 0.1), face(600, two, 0.1))
    assert said == "2 grown-up faces were found and disagree about the size"
    said = told(monkeypatch, heads(), face(200, one, 0.2), face(600, two, 0.2))
    assert isinstance(said, Told)
    assert said.factor == pytest.approx(math.sqrt(one * two) / 0.5, rel=0.01)
    assert said.error == pytest.approx(0.2 / math.sqrt(2))


@pytest.mark.parametrize(
    "thing",
    [
        Familiar("face", 400, 200, 90, 90, 0.5, 0.1),
        Familiar("person", 400, 100, 90, 306, 1.7, 0.1),
        Familiar("plate", 433, 200, 94, 20, 0.52, 0.07),
        Familiar("door", 400, 100, 150, 360, 2.0, 0.08),
    ],
    ids=lambda thing: thing.what,
)
def test_a_thing_that_the_depth_calls_sky_tells_nothing(monkeypatch: pytest.MonkeyPatch, thing: Familiar) -> None:
    monkeypatch.setattr(familiar, "find_familiar", lambda rgb: (thing,))
    for ground in (600, 719):
        sky = np.ones(SIZE.shape, bool)
        sky[ground:] = False
        z = np.where(sky, np.inf, Z).astype(np.float32)
        depth = DepthMap(z, DepthKind.SCALE, sky=sky, intrinsics=CAMERA)
        assert not isinstance(told_by_familiar(depth, CAMERA, PICTURE), Told)


def signs(dark: float, light: float) -> U8:
    size = FORMATS[0].patch
    patch = np.full((size.height, size.width), light, np.float32)
    for i in range(7):
        left = 20 + i * 40
        patch[14:52, left : left + 20] = dark
    return patch.astype(np.uint8)


@pytest.mark.parametrize(
    ("dark", "light", "good"), [(30, 230, True), (100, 130, True), (30, 42, False), (190, 230, False)]
)
def test_the_signs_of_a_plate_are_much_darker(dark: float, light: float, good: bool) -> None:
    assert holds_signs(signs(dark, light), FORMATS[0]) is good


@pytest.mark.parametrize(("share", "found"), [(1.0, 1), (0.25, 0)])
def test_a_door_has_two_sides(share: float, found: int) -> None:
    picture = np.full((600, 800, 3), 225, np.uint8)
    left, right, top, foot = 300, 470, 120, 540
    dark = (60, 45, 40)
    cv2.line(picture, (left, foot), (left, top), dark, 4)
    cv2.line(picture, (left, top), (right, top), dark, 4)
    cv2.line(picture, (right, top), (right, top + round(share * (foot - top))), dark, 4)
    cv2.circle(picture, (left + 18, foot - round(0.5 * (foot - top))), 6, (20, 20, 20), -1)
    assert len(find_doors(picture)) == found
