"""Plates and doors in known worlds: textured rectangles in space, ray by ray, with their exact depth up to a factor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unflat.geometry.projection import project, rays
from unflat.models.door import find_doors
from unflat.models.familiar import find_familiar
from unflat.models.number_plate import find_plates
from unflat.stages.scale_to_metres import ScaleOptions, scale_to_metres
from unflat.types import DepthKind, DepthMap, Image, Intrinsics, Scale, Size
from unflat.types.arrays import F64, U8

SIZE = Size(960, 720)
FOCAL = 900.0
CAMERA = Intrinsics.from_focal(FOCAL, SIZE, "given")
EYE = 1.4
"""Height of the camera above the floor."""
LOST = 5.3
FAR = 30.0


@dataclass(frozen=True)
class Board:
    """A textured rectangle in space: its middle (x, y, z), its size, its turn about the upright axis in degrees."""

    middle: tuple[float, float, float]
    width: float
    height: float
    texture: U8
    turn: float = 0.0

    def outline(self) -> tuple[slice, slice]:
        """Rows and columns of the rays that can meet it."""
        angle = math.radians(self.turn)
        along = np.array([math.cos(angle), 0, math.sin(angle)]) * self.width / 2
        corners = np.array([self.middle + a * along + [0, b * self.height / 2, 0] for a in (-1, 1) for b in (-1, 1)])
        xy = 2 * project(corners, CAMERA)
        ends = np.clip([xy.min(axis=0) - 2, xy.max(axis=0) + 2], 0, (2 * SIZE.width, 2 * SIZE.height)).astype(int)
        return slice(ends[0, 1], ends[1, 1]), slice(ends[0, 0], ends[1, 0])

    def hit(self, ray: F64) -> tuple[F64, F64]:
        """Depth of every ray (inf: it misses) and the colours there."""
        angle = math.radians(self.turn)
        across, normal = (
            np.array([math.cos(angle), 0, math.sin(angle)]),
            np.array([-math.sin(angle), 0, math.cos(angle)]),
        )
        centre = np.array(self.middle)
        with np.errstate(divide="ignore"):
            z = (centre @ normal) / (ray @ normal)
        xyz = ray * z[..., None] - centre
        u, v = xyz @ across / self.width + 0.5, xyz[..., 1] / self.height + 0.5
        on = (z > 0) & (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
        h, w = self.texture.shape[:2]
        colours = self.texture[(np.clip(v, 0, 0.999999) * h).astype(int), (np.clip(u, 0, 0.999999) * w).astype(int)]
        return np.where(on, z, np.inf), colours.astype(np.float64)


@lru_cache(maxsize=1)
def _stage() -> tuple[F64, F64, F64]:
    """Four rays per pixel, the depth of the floor along them, and the colours of floor and far wall."""
    x, y = np.meshgrid((np.arange(2 * SIZE.width) + 0.5) / 2, (np.arange(2 * SIZE.height) + 0.5) / 2)
    ray = rays(np.stack([x, y], axis=-1), CAMERA)
    with np.errstate(divide="ignore"):
        floor = np.where(ray[..., 1] > 0, EYE / ray[..., 1], np.inf)
    grain = np.random.default_rng(0).normal(0, 4, (*floor.shape, 1))
    rgb = np.where((floor < FAR)[..., None], np.array([120.0, 115, 108]), np.array([168.0, 176, 182])) + grain
    return ray, floor, rgb


def look(boards: Sequence[Board]) -> tuple[Image, DepthMap]:
    """A picture of boards over a floor that ends at a far grey wall; its depth divided by LOST."""
    ray, floor, bare = _stage()
    z, rgb = np.minimum(floor, FAR), bare.copy()
    for board in sorted(boards, key=lambda b: -b.middle[2]):
        part = board.outline()
        at, colours = board.hit(ray[part])
        nearer = at < z[part] + 1e-3
        z[part][nearer] = at[nearer]
        rgb[part][nearer] = colours[nearer]
    small = cv2.resize(np.clip(rgb, 0, 255).astype(np.uint8), (SIZE.width, SIZE.height), interpolation=cv2.INTER_AREA)
    depth = DepthMap((z[1::2, 1::2] / LOST).astype(np.float32), DepthKind.SCALE, intrinsics=CAMERA)
    return Image(np.asarray(small, dtype=np.uint8)), depth


def true_over_written(boards: Sequence[Board]) -> tuple[float, Scale]:
    """The factor that would make the written metres true, and the stated interval for it."""
    picture, depth = look(boards)
    metres, scale = scale_to_metres(depth, picture, ScaleOptions())
    return float(np.median(depth.z * LOST / metres.z)), scale


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (8, 8)) -> U8:
    return np.full((*size, 3), colour, np.uint8)


def lettered(words: str, width: int, height: int, tall: float, paper: tuple[int, int, int] = (240, 240, 235)) -> U8:
    """Dark narrow signs of one height, spread evenly over a light board with a dark rim."""
    board = plain(paper, (height, width))
    step, high = 0.9 * width / len(words), round(tall * height)
    wide = min(round(0.75 * step), round(0.6 * high))
    top = (height - high) // 2
    for i, letter in enumerate(words):
        (w, h), _ = cv2.getTextSize(letter, cv2.FONT_HERSHEY_SIMPLEX, 4, 10)
        glyph = plain(paper, (h + 10, w + 10))
        cv2.putText(glyph, letter, (5, h + 5), cv2.FONT_HERSHEY_SIMPLEX, 4, (20, 20, 20), 10, cv2.LINE_AA)
        left = round(0.05 * width + (i + 0.5) * step - wide / 2)
        board[top : top + high, left : left + wide] = cv2.resize(glyph, (wide, high), interpolation=cv2.INTER_AREA)
    cv2.rectangle(board, (0, 0), (width - 1, height - 1), (15, 15, 15), height // 28)
    return board


EUROPE = (0.52, 0.112, lettered("BAB1234", 1040, 224, 0.68))
AMERICA = (0.305, 0.152, lettered("7ABC123", 610, 304, 0.46))


def car(plate: tuple[float, float, U8], x: float, z: float, turn: float) -> list[Board]:
    """The back of a car as a board, its plate half a metre above the floor."""
    angle = math.radians(turn)
    ahead = (x + 0.01 * math.sin(angle), EYE - 0.5, z - 0.01 * math.cos(angle))
    width, height, texture = plate
    body = Board((x, EYE - 0.7, z), 1.7, 1.0, plain((120, 30, 35)), turn)
    return [body, Board(ahead, width, height, texture, turn)]


@pytest.mark.parametrize(
    ("plate", "x", "z", "turn"),
    [
        (EUROPE, 0, 5, 0),
        (EUROPE, 0.8, 4, 25),
        (EUROPE, -1.2, 6, -20),
        (EUROPE, 0.3, 4.5, 35),
        (AMERICA, 0, 5, 0),
        (AMERICA, 0.8, 4, 15),
        (AMERICA, -0.6, 4.5, -15),
    ],
)
def test_a_plate_on_a_car_tells_the_size(plate: tuple[float, float, U8], x: float, z: float, turn: float) -> None:
    error, scale = true_over_written(car(plate, x, z, turn))
    assert scale.basis == "familiar"
    assert "number plate" in scale.detail
    assert scale.low <= error <= scale.high
    assert error == pytest.approx(1, abs=0.1)
    assert 1.08 < scale.high < 1.2


@settings(max_examples=8, deadline=None)
@given(st.floats(-1.5, 1.5), st.floats(2.5, 6), st.floats(-30, 30))
def test_a_plate_anywhere_is_held_by_the_bar_or_not_used(x: float, z: float, turn: float) -> None:
    error, scale = true_over_written(car(EUROPE, x, z, turn))
    assert scale.assumed or scale.low <= error <= scale.high


def leaf(knob: float | None = 1.05) -> U8:
    """A door of 0.86 × 2.0 m, one pixel 5 mm, with a dark frame, two panels, and a knob so many metres up."""
    door = plain((205, 195, 180), (400, 172))
    cv2.rectangle(door, (0, 0), (171, 399), (70, 50, 40), 6)
    for top, bottom in ((30, 180), (230, 370)):
        cv2.rectangle(door, (35, top), (137, bottom), (190, 180, 165), 2)
    if knob is not None:
        cv2.circle(door, (158, round((2.0 - knob) / 0.005)), 6, (40, 35, 30), -1)
    return door


def in_wall(thing: U8, width: float, height: float, up: float, turn: float = 0.0, x: float = 0.0) -> list[Board]:
    """A thing in a wall 4.5 m away, its lower edge ``up`` metres above the floor."""
    angle = math.radians(turn)
    wall = Board((0, EYE - 1.5, 4.5), 7, 3.0, plain((228, 222, 210)), turn)
    middle = (x * math.cos(angle) + 0.01 * math.sin(angle), EYE - up - height / 2, 4.5 + x * math.sin(angle) - 0.01)
    return [wall, Board(middle, width, height, thing, turn)]


@pytest.mark.parametrize(("turn", "x"), [(0, 0), (25, -0.6), (-20, 0.9), (0, 1.3)])
def test_a_door_tells_the_size(turn: float, x: float) -> None:
    error, scale = true_over_written(in_wall(leaf(), 0.86, 2.0, 0, turn, x))
    assert scale.basis == "familiar"
    assert "a door" in scale.detail or "1 door" in scale.detail
    assert scale.low <= error <= scale.high
    assert 1.12 < scale.high < 1.25


def window() -> U8:
    thing = plain((90, 130, 180), (300, 120))
    cv2.rectangle(thing, (0, 0), (119, 299), (250, 250, 250), 8)
    cv2.line(thing, (60, 0), (60, 299), (250, 250, 250), 6)
    cv2.line(thing, (0, 150), (119, 150), (250, 250, 250), 6)
    return thing


def shelf() -> U8:
    rng = np.random.default_rng(3)
    thing = plain((120, 80, 50), (400, 160))
    for row in range(6):
        x = 8
        while x < 140:
            w = int(rng.integers(5, 14))
            top = int(row * 66 + 10 + rng.integers(0, 14))
            thing[top : row * 66 + 60, x : x + w] = rng.integers(20, 240, 3)
            x += w + 1
    return thing


def stripes() -> U8:
    thing = plain((225, 215, 200), (300, 1400))
    for x in range(0, 1400, 90):
        thing[:, x : x + 34] = (120, 90, 100)
    return thing


def frame() -> U8:
    thing = plain((60, 110, 70), (200, 80))
    thing[:100] = (150, 180, 220)
    cv2.rectangle(thing, (0, 0), (79, 199), (60, 40, 20), 6)
    return thing


NEGATIVES: dict[str, list[Board]] = {
    "window": in_wall(window(), 0.8, 2.0, 0.7),
    "french window": in_wall(window(), 0.8, 2.0, 0),
    "shelf": in_wall(shelf(), 0.8, 2.0, 0),
    "frame": in_wall(frame(), 0.6, 1.5, 0.8),
    "sign": in_wall(lettered("BAKERY", 1040, 224, 0.68), 1.4, 0.3, 1.6),
    "stripes": in_wall(stripes(), 14, 3.0, 0),
    "plain leaf": in_wall(leaf(None), 0.86, 2.0, 0),
    "knob too high": in_wall(leaf(1.6), 0.86, 2.0, 0),
    "painted door": in_wall(leaf(), 0.86, 2.0, 0.8),
    "plate in mid air": [Board((0, 0.4, 4), 0.52, 0.112, EUROPE[2])],
    "plate on a wall": in_wall(EUROPE[2], 0.52, 0.112, 2.2),
    "short words": in_wall(lettered("ABC", 1040, 224, 0.68), 0.52, 0.112, 0.5),
}


@pytest.mark.parametrize("name", NEGATIVES)
def test_what_only_looks_like_it_tells_nothing(name: str) -> None:
    picture, depth = look(NEGATIVES[name])
    _, scale = scale_to_metres(depth, picture, ScaleOptions())
    assert scale.assumed, scale.detail


def test_what_the_depth_refuses_is_said() -> None:
    picture, depth = look(NEGATIVES["plate on a wall"])
    assert find_plates(picture.pixels, picture.pixels)
    assert "may be a number plate" in scale_to_metres(depth, picture, ScaleOptions())[1].detail
    picture, depth = look(NEGATIVES["painted door"])
    assert find_doors(picture.pixels)
    assert "may be a door" in scale_to_metres(depth, picture, ScaleOptions())[1].detail


def test_where_they_are() -> None:
    picture, _ = look(car(EUROPE, 0, 4, 0))
    (plate,) = find_plates(picture.pixels, picture.pixels)
    middle = plate.corners.mean(axis=0)
    assert middle == pytest.approx([SIZE.width / 2, SIZE.height / 2 + FOCAL * 0.9 / 4], abs=1.5)
    assert plate.width == pytest.approx(FOCAL * 0.52 / 4, rel=0.05)
    picture, _ = look(in_wall(leaf(), 0.86, 2.0, 0))
    (door,) = find_doors(picture.pixels)
    assert door.height == pytest.approx(FOCAL * 2.0 / 4.5, rel=0.03)


def test_a_plate_is_found_in_a_larger_picture_too() -> None:
    picture, _ = look(car(EUROPE, 0, 4, 0))
    large = np.asarray(cv2.resize(picture.pixels, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    (plate,) = find_familiar(large)
    assert plate.what == "plate"
    assert plate.width == pytest.approx(3 * FOCAL * 0.52 / 4, rel=0.05)
