"""Several familiar things at once: agreement narrows, disagreement is refused. The finder is replaced."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unflat.models import familiar
from unflat.models.familiar import Familiar
from unflat.stages.familiar_size import shape_error
from unflat.stages.scale_to_metres import ScaleOptions, scale_to_metres
from unflat.types import DepthKind, DepthMap, Image, Intrinsics, Scale, Size

SIZE = Size(400, 300)
PICTURE = Image(np.zeros((*SIZE.shape, 3), np.uint8))
FOCAL = 500.0


def run(
    monkeypatch: pytest.MonkeyPatch, faces: dict[int, float], *, width: float = 20, confidence: float | None = None
) -> tuple[DepthMap, Scale]:
    """Faces at the given columns, each in front of a far wall at its own distance in scene units."""
    z = np.full(SIZE.shape, 9.0, np.float32)
    things = []
    for column, distance in faces.items():
        z[140:160, column : column + 20] = distance
        things.append(Familiar("face", column, 140, width, width, 0.154, 0.15))
    monkeypatch.setattr(familiar, "find_familiar", lambda rgb: tuple(things))
    sure = None if confidence is None else np.full(SIZE.shape, confidence, np.float32)
    depth = DepthMap(z, DepthKind.SCALE, confidence=sure, intrinsics=Intrinsics.from_focal(FOCAL, SIZE))
    return scale_to_metres(depth, PICTURE, ScaleOptions())


def test_one_face(monkeypatch: pytest.MonkeyPatch) -> None:
    metres, scale = run(monkeypatch, {100: 2.0})
    assert metres.z[150, 110] == pytest.approx(FOCAL * 0.154 / 20, rel=1e-3)
    assert scale.high == pytest.approx(math.exp(1.645 * math.hypot(0.15, 0.005)), rel=1e-3)


def test_several_that_agree_are_surer_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _, one = run(monkeypatch, {100: 2.0})
    metres, three = run(monkeypatch, {40: 2.0, 160: 2.1, 300: 1.9})
    assert three.high < one.high
    assert "3 grown-up face" in three.detail
    assert metres.z[150, 170] == pytest.approx(FOCAL * 0.154 / 20 * 1.05, rel=0.02)


def test_many_faces_are_no_surer_than_the_depth_they_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of an estimated depth against the whole is the same for all heads of a row."""
    _, one = run(monkeypatch, {100: 2.0}, confidence=0.9)
    _, ten = run(monkeypatch, {x: 2.0 for x in range(20, 380, 36)}, confidence=0.9)
    shared = shape_error(0.9)
    assert math.exp(1.645 * shared) < ten.high < one.high
    assert math.log(ten.high) / 1.645 == pytest.approx(math.hypot(shared, 0.15 / 10**0.5), rel=0.01)


def test_those_that_disagree_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _, scale = run(monkeypatch, {40: 1.0, 160: 4.0})
    assert scale.assumed
    assert "disagree" in scale.detail


@pytest.mark.parametrize("width", [0.5, 2000.0])
def test_a_face_at_an_impossible_distance_is_refused(monkeypatch: pytest.MonkeyPatch, width: float) -> None:
    _, scale = run(monkeypatch, {100: 2.0}, width=width)
    assert scale.assumed


def test_a_face_where_no_depth_is_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(familiar, "find_familiar", lambda rgb: (Familiar("face", 100, 140, 20, 20, 0.154, 0.15),))
    z = np.full(SIZE.shape, 9.0, np.float32)
    z[130:170, 90:130] = np.nan
    depth = DepthMap(z, DepthKind.SCALE, intrinsics=Intrinsics.from_focal(FOCAL, SIZE))
    assert scale_to_metres(depth, PICTURE, ScaleOptions())[1].assumed


def test_a_person_goes_by_the_height(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(familiar, "find_familiar", lambda rgb: (Familiar("person", 150, 40, 100, 200, 1.9, 0.2),))
    z = np.full(SIZE.shape, 9.0, np.float32)
    z[60:230, 170:230] = 3.0
    depth = DepthMap(z, DepthKind.SCALE, intrinsics=Intrinsics.from_focal(FOCAL, SIZE))
    metres, scale = scale_to_metres(depth, PICTURE, ScaleOptions())
    assert metres.z[140, 200] == pytest.approx(FOCAL * 1.9 / 200, rel=1e-3)
    assert "standing person" in scale.detail
