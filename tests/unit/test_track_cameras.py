"""Where cameras stand: a made corner of a room, walked through by cameras that are known exactly."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import corners
from unflat.errors import InputError
from unflat.geometry.distort import pixels_of
from unflat.stages.track_cameras import TrackOptions, track_cameras
from unflat.types.image import Size
from unflat.types.views import Reconstruction, Still, Stills

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pycolmap") is None, reason="needs pycolmap")
TRUE = corners.lens(k1=-0.1)
POSES = corners.walk(7)


@pytest.fixture(scope="module")
def photographs() -> Stills:
    return corners.stills(POSES, TRUE, corners.place())


@pytest.fixture(scope="module")
def found(photographs: Stills) -> Reconstruction:
    return track_cameras(photographs, TrackOptions())


def test_every_camera_stands_where_it_stood(found: Reconstruction) -> None:
    assert [view.still.name for view in found.views] == [f"{k:02d}.png" for k in range(7)]
    assert not found.lost and not found.notes and found.scale is None
    assert corners.path_error([v.pose.centre for v in found.views], [p.centre for p in POSES]) < 0.003
    for view, pose in zip(found.views, POSES, strict=True):
        turned = POSES[0].world_from_camera[:3, :3].T @ pose.world_from_camera[:3, :3]
        assert np.allclose(view.pose.world_from_camera[:3, :3], turned, atol=0.01)


def test_the_lens_is_measured(found: Reconstruction) -> None:
    lens = found.views[3].lens
    assert lens.intrinsics.fx == pytest.approx(300, rel=0.01)
    assert lens.k1 == pytest.approx(-0.1, abs=0.01)
    assert not lens.intrinsics.guessed


def test_points_are_seen_where_they_were_observed(found: Reconstruction) -> None:
    points = found.points
    assert np.bincount(points.point).min() >= 2
    errors: list[float] = []
    for number, view in enumerate(found.views):
        of_view = points.view == number
        pose = view.pose.world_from_camera
        local = (points.xyz[points.point[of_view]] - pose[:3, 3]) @ pose[:3, :3]
        assert (local[:, 2] > 0).all()
        off = np.linalg.norm(pixels_of(local, view.lens) - points.pixel[of_view], axis=1)
        assert np.sqrt((off**2).mean()) == pytest.approx(view.error_px, rel=1e-3)
        assert view.sure > 0.7
        errors.append(float(np.median(off)))
    assert max(errors) < 0.5


def test_points_have_the_colours_of_the_pictures(found: Reconstruction, photographs: Stills) -> None:
    points, first = found.points, found.points.view == 0
    column, row = (points.pixel[first] - 0.5).round().astype(int).T
    off = photographs.items[0].read()[row, column].astype(float) - points.colors[points.point[first]]
    assert np.median(np.abs(off)) < 12


def test_the_first_view_is_the_world(found: Reconstruction) -> None:
    assert np.allclose(found.views[0].pose.world_from_camera, np.eye(4), atol=1e-9)


def test_the_same_seed_gives_the_same_cameras(photographs: Stills, found: Reconstruction) -> None:
    again = track_cameras(photographs, TrackOptions())
    assert np.array_equal(again.points.xyz, found.points.xyz)
    for one, other in zip(again.views, found.views, strict=True):
        assert np.array_equal(one.pose.world_from_camera, other.pose.world_from_camera)


def test_masks_are_heeded(photographs: Stills) -> None:
    left = np.arange(320)[None, :] < np.full((240, 1), 200)
    items = tuple(replace(still, mask=lambda: left) for still in photographs.items)
    masked = track_cameras(replace(photographs, items=items), TrackOptions())
    assert len(masked.views) >= 6
    assert masked.points.pixel[:, 0].max() < 200


def test_a_second_place_is_named(photographs: Stills) -> None:
    other = corners.stills(corners.walk(4), corners.lens(), corners.place(seed=5), prefix="other")
    mixed = track_cameras(Stills((*photographs.items, *other.items), ordered=False), TrackOptions())
    assert {view.still.name for view in mixed.views} == {still.name for still in photographs.items}
    assert {lost.name for lost in mixed.lost} == {still.name for still in other.items}
    assert any("another place" in lost.why for lost in mixed.lost)
    assert any("more than one place" in note and "scan them by themselves" in note for note in mixed.notes)


def blank(name: str) -> Still:
    return Still(name, Size(160, 120), lambda: np.full((120, 160, 3), 90, np.uint8))


def test_a_blank_picture_is_lost_with_its_reason(photographs: Stills) -> None:
    items = (*photographs.items[:3], blank("wall.png"))
    kept = track_cameras(Stills(items, ordered=False), TrackOptions())
    assert [(lost.name, "blank" in lost.why) for lost in kept.lost] == [("wall.png", True)]
    assert kept.notes == ("3 of 4 pictures found their place",)


@pytest.mark.parametrize(
    ("case", "words", "hint"),
    [
        ("none", "no picture", "at least two"),
        ("one", "one picture alone", "at least two"),
        ("blank", "blank or blurred", "texture"),
        ("unrelated", "no two", "share"),
        ("turning", "no parallax", "sideways"),
    ],
)
def test_what_cannot_be_placed_says_what_to_shoot_again(photographs: Stills, case: str, words: str, hint: str) -> None:
    elsewhere = corners.stills(POSES[:1], TRUE, corners.place(seed=7), prefix="other").items
    turned = [corners.looking((0, 0, 2), (x, 0.5, 5)) for x in (-0.8, -0.4, 0, 0.4, 0.8)]
    items = {
        "none": (),
        "one": photographs.items[:1],
        "blank": (blank("a"), blank("b"), blank("c")),
        "unrelated": (photographs.items[0], *elsewhere),
        "turning": corners.stills(turned, corners.lens(), corners.place()).items,
    }[case]
    with pytest.raises(InputError, match=words) as caught:
        track_cameras(Stills(items, ordered=False), TrackOptions())
    assert hint in caught.value.hint


def test_progress_is_told(photographs: Stills) -> None:
    told: list[str] = []
    track_cameras(replace(photographs, items=photographs.items[:3]), TrackOptions(), told.append)
    assert "placing cameras: 3 of 3" in told


def test_two_pictures_of_a_known_lens_are_enough(photographs: Stills) -> None:
    items = tuple(replace(still, lens=TRUE) for still in photographs.items[1:5:3])
    pair = track_cameras(Stills(items, ordered=False), TrackOptions())
    found, true = (poses[1].centre - poses[0].centre for poses in ([v.pose for v in pair.views], POSES[1:5:3]))
    true = POSES[1].world_from_camera[:3, :3].T @ true
    assert found @ true > 0.999 * np.linalg.norm(found) * np.linalg.norm(true)
    assert pair.views[0].lens.intrinsics.fx == TRUE.intrinsics.fx


def test_two_pictures_of_an_unknown_lens_say_that_it_is_assumed(photographs: Stills) -> None:
    pair = track_cameras(Stills(photographs.items[1:5:3], ordered=False), TrackOptions())
    assert pair.views[0].lens.intrinsics.guessed


def test_a_lens_that_many_pictures_share_is_measured_in_full(capfd: pytest.CaptureFixture[str]) -> None:
    bent = replace(TRUE, p1=0.004, p2=-0.003)
    many = track_cameras(corners.stills(corners.walk(9), bent, corners.place()), TrackOptions())
    lens = many.views[0].lens
    assert lens.p1 == pytest.approx(0.004, abs=0.0015)
    assert lens.p2 == pytest.approx(-0.003, abs=0.0015)
    assert lens.intrinsics.fy == pytest.approx(300, rel=0.01)
    assert corners.path_error([v.pose.centre for v in many.views], [p.centre for p in corners.walk(9)]) < 0.002
    assert capfd.readouterr() == ("", "")  # pycolmap says nothing to the user's terminal


def test_a_fault_of_pycolmap_is_survived_and_told(photographs: Stills, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = "import os; os.write(2, b'F2026 x.cc:1] Check failed: it is broken'); os.abort()"
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda _command, **rest: popen([sys.executable, "-c", faulty], **rest))
    whole = track_cameras(photographs, TrackOptions())
    assert len(whole.views) == 7
    assert any("Check failed: it is broken" in note and "without it" in note for note in whole.notes)


@pytest.mark.parametrize("options", [{"features": 50}, {"track_size": 50}])
def test_options_out_of_range_are_refused(photographs: Stills, options: dict[str, int]) -> None:
    with pytest.raises(InputError):
        track_cameras(photographs, TrackOptions(**options))
