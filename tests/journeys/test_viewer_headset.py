"""The page in VR, with an emulated headset in real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import chromium
import headset
import numpy as np
import portrait
import pytest
from chromium import apart, seen
from headset import enter, eyes, frames, leave, push, walked

from panoramas import Room, whole
from unflat.formats import html
from unflat.pipelines.flat import from_keywords
from unflat.pipelines.photo import PhotoOptions, photo
from unflat.types.scene import Scene

pytestmark = [pytest.mark.browser, pytest.mark.node]


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.wanted() as running:
        yield running


def with_headset(browser: chromium.Browser, scene: Scene, file: Path) -> chromium.Page:
    """A scene's page with a headset beside it."""
    file.write_bytes(html.page_of_scene(scene))
    return headset.beside(browser, file)


@pytest.fixture
def page(browser: chromium.Browser, tmp_path: Path) -> Iterator[chromium.Page]:
    """The portrait."""
    opened = with_headset(browser, portrait.portrait(), tmp_path / "portrait.html")
    yield opened
    opened.close()


@pytest.fixture
def room(browser: chromium.Browser, tmp_path: Path) -> Iterator[chromium.Page]:
    """A panorama of a room."""
    picture, distance = Room().seen(whole(512))
    told = from_keywords(PhotoOptions(), {"panorama": "yes", "depth_kind": "metric"})
    opened = with_headset(browser, photo(picture, told, handed=distance).scene, tmp_path / "room.html")
    yield opened
    opened.close()


def test_two_eyes_see_two_pictures_and_leaving_leaves_nothing_behind(page: chromium.Page) -> None:
    before = seen(page)
    for _ in range(2):
        enter(page)
        assert np.abs(walked(page)).max() < 1e-6, "the head begins where the photograph was taken"
        left, right = eyes(page)
        assert left.std() > 25 and right.std() > 25
        assert apart(left, right) > 1.5
        leave(page)
        assert apart(seen(page), before) == 0
        assert chromium.offset(page) == 0
    assert page.console == []


def test_near_things_stand_farther_apart_in_the_two_eyes_than_far_ones(page: chromium.Page) -> None:
    page.key("d")
    enter(page)
    both = eyes(page)
    # In the middle of the belly (yellow, 1.05 m away), and where the dark wall ends on the right (2.6 m away).
    near = [np.nonzero(eye[225, :, 0] - eye[225, :, 2] > 60)[0].mean() for eye in both]
    far = [np.nonzero(eye[120].mean(-1) < 100)[0].max() for eye in both]
    # Parallax counts in inverse depth; 480 x 400 pixels for two eyes are coarse.
    assert (near[0] - near[1]) / (far[0] - far[1]) == pytest.approx(2.6 / 1.05, rel=0.25)
    leave(page)


def test_sticks_walk_where_the_head_looks_and_turn_about_it(page: chromium.Page) -> None:
    enter(page)
    start = eyes(page)[0]
    push(page, "left", 0, -1, "z < -0.2")
    place = walked(page)
    assert place[2] < -0.2 and np.abs(place[:2]).max() < 1e-6, "straight on"
    assert apart(eyes(page)[0], start) > 3
    push(page, "left", 1, 0, "x > 0.2")
    assert walked(page)[0] > 0.2 and walked(page)[2] == pytest.approx(place[2], abs=1e-6)

    # The emulated head begins 1.6 m above the floor.
    page.js("headset.position.set(0.3, 1.7, -0.2)")
    frames(page)
    before = walked(page)
    assert before[1] == pytest.approx(0.1, abs=2e-3), "heads move freely"
    straight = eyes(page)[0]
    page.js("headset.controllers.right.updateAxes('thumbstick', 1, 0)")
    frames(page, 4)
    page.js("headset.controllers.right.updateAxes('thumbstick', 0, 0)")
    frames(page)
    assert walked(page) == pytest.approx(before, abs=2e-3), "a turn is about the head"
    assert apart(eyes(page)[0], straight) > 5
    push(page, "right", 0, -1, f"Math.hypot(x - {before[0]}, z - {before[2]}) > 0.2")
    step = walked(page) - before
    assert np.degrees(np.arctan2(step[0], -step[2])) == pytest.approx(30, abs=1), "one step of the stick is 30 degrees"

    page.js("headset.position.set(0, 1.6, 0)")
    page.js("headset.controllers.right.updateButtonValue('squeeze', 1)")
    frames(page)
    assert np.abs(walked(page)).max() < 1e-6, "the grip goes back to the photograph"
    assert apart(eyes(page)[0], start) < 0.5
    leave(page)
    assert page.console == []


def test_a_headset_that_ends_the_session_itself_is_left_cleanly(page: chromium.Page) -> None:
    before = seen(page)
    enter(page)
    push(page, "left", 0, -1, "z < -0.1")
    page.js("headset.activeSession.end()")
    page.wait("document.querySelector('#vr').ariaPressed === 'false'")
    assert apart(seen(page), before) == 0
    page.key("ArrowLeft", 2)
    assert chromium.offset(page) > 0, "the page goes on as before"
    page.key("r")
    enter(page)
    assert np.abs(walked(page)).max() < 1e-6, "and a new session begins at the photograph"
    leave(page)
    assert page.console == []


def test_depths_stay_those_of_the_photograph_while_walking(page: chromium.Page) -> None:
    page.key("d")
    enter(page)
    colour = eyes(page)[0][225, 90:130].mean(0)
    push(page, "left", 0, -1, "z < -0.25")
    nearer = eyes(page)[0][225, 90:130].mean(0)
    assert np.abs(nearer - colour).max() < 20, "the colour is that of the photograph's depth, not of the head's"
    leave(page)


def test_inside_a_panorama_the_head_turns_all_around_and_walks(room: chromium.Page) -> None:
    enter(room)
    assert np.abs(walked(room)).max() < 1e-6, "the head begins where the panorama was taken"
    views = []
    for half in np.radians([0, 45, 90, 135]):
        room.js(f"headset.quaternion.set(0, {np.sin(half)}, 0, {np.cos(half)})")
        left, right = eyes(room)
        assert min(left.std(), right.std()) > 15
        assert apart(left, right) > 0.5, "it is no picture on a ball: the eyes see two"
        views.append(left)
    assert min(apart(one, other) for one, other in combinations(views, 2)) > 5
    room.js("headset.quaternion.set(0, 1, 0, 0)")
    push(room, "left", 0, -1, "z > 0.3")
    assert np.abs(walked(room)[:2]).max() < 1e-6, "straight on, where the head looks: back"
    assert apart(eyes(room)[0], views[2]) > 2
    leave(room)
    assert room.console == []
