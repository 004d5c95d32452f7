"""A panorama's page in a real browser: the visitor stands inside, turns around, and steps as far as is safe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import chromium
import numpy as np
import pytest
from chromium import apart, offset, seen
from PIL import Image as Picture

from panoramas import Room, whole
from unflat.formats import html
from unflat.pipelines.flat import from_keywords
from unflat.pipelines.photo import PhotoOptions, photo

pytestmark = pytest.mark.browser
LOOK = os.environ.get("UNFLAT_LOOK")
"""A folder for what was seen, to be looked at."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Page]:
    picture, distance = Room().seen(whole(512))
    told = from_keywords(PhotoOptions(), {"panorama": "yes", "depth_kind": "metric"})
    file = tmp_path_factory.mktemp("page") / "room.html"
    file.write_bytes(html.page_of_scene(photo(picture, told, handed=distance).scene))
    with chromium.wanted() as running:
        opened = chromium.Page(running, width=640, height=520)
        opened.open(file.as_uri())
        yield opened
        opened.close()


def _seen(page: chromium.Page, name: str) -> np.ndarray:
    drawn = seen(page)
    if LOOK:
        Picture.fromarray(drawn.astype(np.uint8)).save(Path(LOOK) / f"{name}.png")
    return drawn


def test_the_visitor_starts_in_the_middle_and_sees_no_gap(page: chromium.Page) -> None:
    assert page.state("state") == "ready" and page.console == []
    assert offset(page) == pytest.approx(0, abs=1e-3)
    assert _seen(page, "ahead").std() > 20


def test_a_turn_all_the_way_around_comes_back_to_the_first_view(page: chromium.Page) -> None:
    page.key("r")
    first, before = _seen(page, "before"), []
    turn = float(page.js("document.querySelector('#view').clientWidth"))
    for step in range(4):
        page.key("ArrowLeft", 4)
        before.append(_seen(page, f"turned-{step}"))
    assert all(apart(first, other) > 5 for other in before[:3])
    assert offset(page) == pytest.approx(0, abs=1e-3), "to look around is not to walk"
    assert turn > 0
    page.key("r")
    assert apart(first, seen(page)) < 1


def test_both_poles_are_closed(page: chromium.Page) -> None:
    room = page.js("getComputedStyle(document.body).backgroundColor")
    for key in ("ArrowUp", "ArrowDown"):
        page.key("r")
        page.key(key, 16)
        drawn = _seen(page, f"pole-{key}")[80:420, 60:580]
        assert drawn.std() > 5, room
        assert (drawn.min(axis=2) > 20).mean() > 0.999, "nothing dark shows through"


def test_steps_go_where_the_visitor_looks_and_end_at_the_safe_radius(page: chromium.Page) -> None:
    radius = float(page.state("radius"))
    page.key("r")
    ahead = seen(page)
    page.key("PageUp", 2)
    assert 0.2 * radius < offset(page) < radius
    assert apart(ahead, _seen(page, "stepped")) > 0.5
    page.key("PageUp", 30)
    assert offset(page) == pytest.approx(radius, rel=0.02)
    page.key("r")
    page.key("ArrowRight", 2, shift=True)
    assert offset(page) > 0.1 * radius
    page.key("r")


def test_depth_is_distance_all_around(page: chromium.Page) -> None:
    page.key("r")
    page.key("d")
    page.key("ArrowLeft", 8)
    behind = _seen(page, "depth-behind")
    assert behind[100:400].std() > 10
    page.key("d")
    page.key("r")
    assert page.console == []
