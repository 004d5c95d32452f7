"""Where cameras stand, found without pycolmap."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest

import corners
from unflat.models.views.match import Match
from unflat.models.views.sightings import sightings_of
from unflat.stages.track_cameras import TrackOptions, track_cameras
from unflat.types.views import Reconstruction, Stills

POSES = corners.walk(7)
TRUE = corners.lens(k1=-0.1)


@pytest.fixture(autouse=True, scope="module")
def missing() -> object:
    find = importlib.util.find_spec
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name: None if name == "pycolmap" else find(name))
        yield


@pytest.fixture(scope="module")
def photographs() -> Stills:
    return corners.stills(POSES, TRUE, corners.place())


@pytest.fixture(scope="module")
def found(photographs: Stills) -> Reconstruction:
    return track_cameras(photographs, TrackOptions())


def test_every_camera_stands_where_it_stood(found: Reconstruction) -> None:
    assert len(found.views) == 7 and not found.lost
    assert corners.path_error([v.pose.centre for v in found.views], [p.centre for p in POSES]) < 0.004
    lens = found.views[0].lens
    assert lens.intrinsics.fx == pytest.approx(300, rel=0.02)
    assert lens.intrinsics.basis == "views"
    assert lens.k1 == pytest.approx(-0.1, abs=0.03)
    assert np.median(found.points.error_px) < 0.5
    assert np.bincount(found.points.point).min() >= 2


def test_it_is_said_that_pycolmap_is_missing(found: Reconstruction) -> None:
    assert any("pycolmap is not installed" in note and "ARM" in note for note in found.notes)


def test_the_same_pictures_give_the_same_cameras(photographs: Stills, found: Reconstruction) -> None:
    again = track_cameras(photographs, TrackOptions())
    assert np.array_equal(again.points.xyz, found.points.xyz)


def test_cameras_of_different_lenses_are_placed(photographs: Stills) -> None:
    other = corners.stills(POSES[1::2], corners.lens(420.0), corners.place(), prefix="long")
    both = (*photographs.items[::2], *other.items)
    mixed = track_cameras(Stills(both, ordered=False), TrackOptions())
    assert len(mixed.views) == 7
    focal = {view.still.camera: view.lens.intrinsics.fx for view in mixed.views}
    assert focal["camera"] == pytest.approx(300, rel=0.05)
    assert focal["long"] == pytest.approx(420, rel=0.05)


def test_a_second_place_is_named(photographs: Stills) -> None:
    other = corners.stills(corners.walk(4), corners.lens(), corners.place(seed=5), prefix="other")
    mixed = track_cameras(Stills((*photographs.items, *other.items), ordered=False), TrackOptions())
    assert {view.still.name for view in mixed.views} == {still.name for still in photographs.items}
    assert all("another place" in lost.why for lost in mixed.lost)


def test_a_known_lens_that_nothing_measures_stays(photographs: Stills) -> None:
    items = tuple(replace(still, lens=TRUE) for still in photographs.items[1:5:3])
    pair = track_cameras(Stills(items, ordered=False), TrackOptions())
    assert pair.views[0].lens == TRUE


def match(first: int, second: int, rows: list[tuple[int, int]]) -> Match:
    return Match(first, second, np.array(rows, np.int32), np.eye(3))


def test_matches_are_joined_to_places() -> None:
    seen = sightings_of([3, 3, 3], [match(0, 1, [(0, 1), (1, 2)]), match(1, 2, [(1, 0)])])
    rows = list(zip(seen.place.tolist(), seen.picture.tolist(), seen.feature.tolist(), strict=True))
    assert seen.count == 2
    assert rows == [(0, 0, 0), (0, 1, 1), (0, 2, 0), (1, 0, 1), (1, 1, 2)]


def test_no_place_is_seen_twice_by_one_picture() -> None:
    draw = np.random.default_rng(2)
    pairs = [(i, j) for i in range(6) for j in range(i + 1, 6)]
    seen = sightings_of([20] * 6, [match(i, j, draw.integers(0, 20, (9, 2)).tolist()) for i, j in pairs])
    keys = list(zip(seen.place.tolist(), seen.picture.tolist(), strict=True))
    assert len(set(keys)) == len(keys)
    assert np.bincount(seen.place).min() >= 2
    assert (np.diff(seen.place) >= 0).all()
