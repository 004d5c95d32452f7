"""The page on other devices and with other scenes: phone, headset, no WebGL, motion, points, the local server."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import chromium
import numpy as np
import portrait
import pytest
from chromium import offset, seen
from skimage import data

import scenes
from unflat.formats import html
from unflat.types import SafeView
from unflat.view.server import Server

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 640, 520


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.wanted() as running:
        yield running


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "portrait.html"
    file.write_bytes(html.page_of_scene(portrait.portrait()))
    return file.as_uri()


def test_without_webgl_the_page_says_so(browser: chromium.Browser, address: str) -> None:
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    page.before_load("HTMLCanvasElement.prototype.getContext = () => null")
    page.open(address)
    assert page.state("state") == "failed"
    assert "WebGL" in page.js("document.querySelector('#trouble').innerText")
    page.js("document.querySelector('#about').click()")
    assert "NASA" in page.js("document.querySelector('dialog[open]').innerText")
    assert page.console == []
    page.close()


def test_a_headset_gets_a_button(browser: chromium.Browser, address: str) -> None:
    with_headset = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    with_headset.before_load(
        "Object.defineProperty(navigator, 'xr', {value: {isSessionSupported: async (m) => m === 'immersive-vr',"
        " requestSession: async () => { throw new Error('busy') }}})"
    )
    with_headset.open(address)
    with_headset.wait("!document.querySelector('#vr').hidden")
    with_headset.js("document.querySelector('#vr').click()")
    with_headset.wait("document.querySelector('#said').textContent === 'The headset did not start'")
    with_headset.close()


def test_motion_greets_follows_the_pointer_and_stops(browser: chromium.Browser, address: str) -> None:
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT, still=False)
    page.open(address)
    radius = float(page.state("radius"))
    page.wait("(({offset, radius}) => Number(offset) > 0.1 * Number(radius))(document.querySelector('#view').dataset)")
    page.mouse("mouseMoved", 600, 260)
    page.settle()
    aside = offset(page)
    assert 0.2 * radius < aside <= radius
    page.js("new Promise((r) => setTimeout(r, 300))")
    assert offset(page) == aside, "the greeting went on after the visitor had moved"
    page.mouse("mouseMoved", 320, 260)
    page.settle()
    assert offset(page) < 0.1 * radius
    page.close()


def test_a_phone_is_touched_and_tilted(browser: chromium.Browser, address: str) -> None:
    page = chromium.Page(browser, width=390, height=780, phone=True)
    page.open(address)
    assert page.js("document.documentElement.scrollWidth") <= 390

    def touch(kind: str, *points: tuple[float, float]) -> None:
        page.call(
            "Input.dispatchTouchEvent",
            type=kind,
            touchPoints=[{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)],
        )

    touch("touchStart", (200, 400))
    touch("touchMove", (240, 400))
    touch("touchEnd")
    page.settle()
    assert offset(page) > 0
    touch("touchStart", (180, 400), (220, 400))
    touch("touchMove", (140, 400), (260, 400))
    touch("touchEnd")
    page.settle()
    assert float(page.state("zoom")) > 2
    page.js("document.querySelector('#reset').click()")
    page.settle()
    assert page.console == []
    page.js("document.querySelector('#tilt').click()")
    for gamma in (0, 8):
        page.call("DeviceOrientation.setDeviceOrientationOverride", alpha=0, beta=40, gamma=gamma)
        page.js("new Promise((r) => setTimeout(r, 200))")
    page.wait("document.querySelector('#tilt').ariaPressed === 'true'")
    page.settle()
    assert 0 < offset(page) <= float(page.state("radius"))
    page.close()


def test_gaps_are_filled_marked_and_left_open_where_that_is_honest(browser: chromium.Browser, tmp_path: Path) -> None:
    scene = portrait.portrait()
    file = tmp_path / "person.html"
    file.write_bytes(html.page_of_scene(dataclasses.replace(scene, nodes=scene.nodes[:1])))
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    page.open(file.as_uri())
    wall = (slice(80, 120), slice(370, 400))
    blurred = seen(page)[wall].mean((0, 1))
    page.key("c")
    marked = seen(page)[wall]
    page.key("d")
    open_in_depth = seen(page)[wall].mean((0, 1))
    page.key("d")
    page.key("l")
    open_when_free = seen(page)[wall].mean((0, 1))
    page.close()
    photo = np.asarray(data.astronaut(), dtype=np.float64)
    truth = photo[26:78, 321:361].mean(
        (0, 1)
    )  # the same place: the picture is drawn 392 pixels wide, from (124, 60) on
    assert np.abs(blurred - truth).max() < 12
    assert (marked[..., 0] > marked[..., 1] + 50).all() and marked.std() > 30
    assert np.abs(open_in_depth - open_when_free).max() < 2
    assert np.abs(open_when_free - truth).max() > 12


def test_the_file_says_how_far_the_eye_may_go_and_the_rim_glows_there(
    browser: chromium.Browser, tmp_path: Path
) -> None:
    safe = SafeView(1.1, left=0.02, right=0.09, up=0.05, down=0.0, nearer=0.2, share=0.05)
    file = tmp_path / "safe.html"
    file.write_bytes(html.page_of_scene(dataclasses.replace(portrait.portrait(), safe_view=safe)))
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    page.open(file.as_uri())
    glow = "Number(getComputedStyle(document.querySelector('#edge')).opacity)"
    assert page.js(glow) == 0
    for key, end in (("ArrowLeft", 0.02), ("ArrowRight", 0.09), ("ArrowUp", 0.05), ("PageUp", 0.2)):
        page.key(key, 40)
        assert offset(page) == pytest.approx(end, rel=0.02), key
        assert page.js(glow) == 1
        page.key("r")
        assert page.js(glow) == 0
    page.key("ArrowDown", 40)
    assert 0 < offset(page) < 0.006, "where nothing is safe there is hardly a movement"
    assert "guessed" in page.js("document.querySelector('#said').innerText")
    page.key("r")
    page.mouse("mousePressed", 320, 260)
    page.mouse("mouseMoved", 2000, 260, held=True)
    page.settle()
    assert 0.02 * 1.05 < offset(page) <= 0.02 * 1.26, "it resists, and gives a little"
    page.mouse("mouseReleased", 2000, 260)
    page.settle()
    assert offset(page) == pytest.approx(0.02, rel=0.02)
    page.key("l")
    page.key("ArrowRight", 2)
    assert offset(page) > 0.2 and page.js(glow) == 1, "no prison, and the glow says where one is"
    assert page.console == []
    page.close()


@pytest.mark.parametrize("name", ["sky", "coloured", "masked", "cloud", "splats"])
def test_every_kind_of_scene_is_drawn(browser: chromium.Browser, tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.html"
    file.write_bytes(html.page_of_scene(scenes.SCENES[name]()))
    page = chromium.Page(browser, width=480, height=400)
    page.open(file.as_uri())
    assert page.state("state") == "ready", page.js("document.querySelector('#trouble').innerText")
    picture = seen(page)
    page.key("d")
    assert picture.std() > 25 and seen(page).std() > 15
    assert page.console == []
    page.close()


def test_the_server_shows_it_too(browser: chromium.Browser) -> None:
    with Server(html.page_of_scene(scenes.sky_scene())) as server:
        page = chromium.Page(browser, width=480, height=400)
        page.open(server.url)
        assert page.state("state") == "ready"
        assert seen(page).std() > 25
        assert page.console == []
        assert [url for url in page.requests if not url.startswith(("blob:", "data:"))] == [server.url]
        page.close()
