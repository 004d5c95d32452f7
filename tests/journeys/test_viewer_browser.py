"""The page in a real browser: it draws, asks no network for anything, obeys keys and hands, and keeps its limit.

Golden pictures are under tests/golden/viewer. They may differ from what is drawn by at most 2.0 of 255 on average
(another browser rounds and smooths a little differently); UNFLAT_GOLDEN=write draws them anew, to be looked at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import chromium
import numpy as np
import portrait
import pytest
from chromium import apart, offset, seen
from PIL import Image as Picture
from skimage import data

from unflat.formats import html

pytestmark = pytest.mark.browser

GOLDEN = Path(__file__).parents[1] / "golden" / "viewer"
WRITE_GOLDEN = os.environ.get("UNFLAT_GOLDEN") == "write"
TOLERANCE = 2.0
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


@pytest.fixture(scope="module")
def _opened(browser: chromium.Browser, address: str) -> Iterator[chromium.Page]:
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    page.open(address)
    yield page
    page.close()


@pytest.fixture
def page(_opened: chromium.Page) -> chromium.Page:
    """The portrait at the photograph's viewpoint, as it is when it is opened."""
    for name, value, key in (("mode", "picture", None), ("limited", "true", "l")):
        if _opened.state(name) != value:
            _opened.key(key or _opened.state(name)[0])
    if _opened.js("document.querySelector('#wires').ariaPressed") == "true":
        _opened.key("w")
    _opened.key("r")
    return _opened


def test_it_opens_from_a_disk_without_a_word_or_a_request(page: chromium.Page, address: str) -> None:
    assert page.state("state") == "ready"
    assert page.js("location.protocol") == "file:"
    assert page.js("document.querySelector('#vr').hidden"), "there is no headset here"
    assert seen(page).std() > 25
    assert page.console == []
    assert page.requests[0] == address
    assert all(url.startswith(("blob:", "data:")) for url in page.requests[1:]), page.requests


def test_the_first_frame_is_the_photograph(browser: chromium.Browser, page: chromium.Page, address: str) -> None:
    bars = page.js("['.top', '.bottom'].map((q) => document.querySelector(q).getBoundingClientRect().height)")
    photo = np.asarray(data.astronaut(), dtype=np.float64)
    exact = chromium.Page(browser, width=600, height=512 + round(sum(bars)))
    exact.open(address)
    top = round(bars[0])
    drawn = seen(exact)[top : top + 512, 44 : 44 + 512]
    exact.close()
    assert apart(drawn, photo) < 2.5
    assert apart(drawn[:-1], photo[1:]) > 2 * apart(drawn, photo), "half a pixel off would not be noticed"


POSITIONS = {
    "front": [],
    "left": [("ArrowLeft", 8)],
    "right": [("ArrowRight", 8)],
    "above": [("ArrowUp", 8)],
    "zoomed": [("+", 4)],
    "depth": [("d", 1), ("ArrowLeft", 8)],
    "confidence": [("c", 1), ("ArrowLeft", 8)],
    "free": [("l", 1), ("ArrowRight", 3)],
}


@pytest.mark.parametrize("name", POSITIONS)
def test_every_position_draws_its_golden_picture(page: chromium.Page, name: str) -> None:
    for key, times in POSITIONS[name]:
        page.key(key, times)
    drawn = seen(page)
    file = GOLDEN / f"{name}.jpg"
    if WRITE_GOLDEN:
        GOLDEN.mkdir(parents=True, exist_ok=True)
        Picture.fromarray(drawn.astype(np.uint8)).save(file, quality=92)
    golden = np.asarray(Picture.open(file).convert("RGB"), dtype=np.float64)
    assert drawn.shape == golden.shape == (HEIGHT, WIDTH, 3)
    assert drawn.std() > 25
    assert apart(drawn, golden) <= TOLERANCE
    assert page.console == []


def test_the_golden_pictures_differ_from_each_other() -> None:
    pictures = [np.asarray(Picture.open(GOLDEN / f"{n}.jpg").convert("RGB"), dtype=np.float64) for n in POSITIONS]
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            assert apart(one, other) > 2 * TOLERANCE


@pytest.mark.parametrize(("key", "button"), [("d", "depth"), ("c", "confidence"), ("w", "wires")])
def test_a_key_switches_the_picture_and_switches_it_back(page: chromium.Page, key: str, button: str) -> None:
    before = seen(page)
    page.key(key)
    assert page.js(f"document.querySelector('#{button}').ariaPressed") == "true"
    assert apart(seen(page), before) > 8
    page.key(key)
    assert page.js(f"document.querySelector('#{button}').ariaPressed") == "false"
    assert apart(seen(page), before) < 0.5


def test_the_near_is_drawn_lighter_than_the_far(page: chromium.Page) -> None:
    page.key("d")
    light = seen(page).mean(-1)
    belly, collar, wall = light[380, 300], light[230, 300], light[120, 500]
    assert belly > collar + 20 > wall + 50
    words = page.js("document.querySelector('#legend').innerText")
    assert "1.1 m" in words and "2.6 m" in words and "assumed" in words


def test_the_scales_grow_evenly_lighter(page: chromium.Page) -> None:
    for key, rising in (("d", False), ("c", True)):
        page.key(key)
        colours = page.js(
            "getComputedStyle(document.querySelector('#legend-scale')).backgroundImage.match(/rgb\\([^)]*\\)/g)"
            ".map((c) => c.match(/[\\d.]+/g).map(Number))"
        )
        linear = (np.array(colours) / 255) ** 2.2
        steps = np.diff(np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) * (1 if rising else -1))
        assert len(colours) == 17 and (steps > 0).all() and steps.max() < 3 * steps.min()


def test_keys_and_wheel_never_leave_the_safe_radius(page: chromium.Page) -> None:
    radius = float(page.state("radius"))
    # 5 % of 512 pixels uncovered: 0.05 · 512 / (focal · (1 / 1.1 − 1 / 2.6)), within the bins of the depths.
    assert radius == pytest.approx(0.05 * 512 / (549 * (1 / 1.1 - 1 / 2.6)), rel=0.05)
    for key, times in (("ArrowLeft", 5), ("ArrowLeft", 30), ("ArrowUp", 30), ("PageUp", 40), ("PageDown", 80)):
        page.key(key, times)
        assert 0.5 * radius < offset(page) <= radius * 1.001
    page.mouse("mouseWheel", 300, 250, deltaX=0, deltaY=-3000, modifiers=8)
    page.settle()
    assert offset(page) == pytest.approx(radius, rel=0.01)
    page.key("r")
    assert offset(page) == 0


def test_a_pull_beyond_the_limit_springs_back(page: chromium.Page) -> None:
    radius = float(page.state("radius"))
    page.mouse("mousePressed", 320, 260)
    for x in (250, 100, -400, -2000):
        page.mouse("mouseMoved", x, 260, held=True)
    page.settle()
    assert radius * 1.05 < offset(page) <= radius * 1.25 + 1e-6
    page.mouse("mouseReleased", -2000, 260)
    page.settle()
    assert offset(page) <= radius * 1.001


def test_free_view_goes_beyond_and_safe_view_comes_back(page: chromium.Page) -> None:
    radius = float(page.state("radius"))
    page.key("l")
    page.key("ArrowLeft", 4)
    assert offset(page) > 2 * radius
    assert page.js("document.querySelector('#limit').ariaPressed") == "false"
    page.key("l")
    page.settle()
    assert offset(page) <= radius * 1.001


def test_panning_and_zooming_do_not_move_the_viewpoint(page: chromium.Page) -> None:
    before = seen(page)
    page.key("+", 3)
    page.key("ArrowLeft", 2, shift=True)
    page.mouse("mousePressed", 300, 300, button="right")
    page.mouse("mouseMoved", 340, 320, button="right", held=True)
    page.mouse("mouseReleased", 340, 320, button="right")
    page.settle()
    assert offset(page) == 0
    assert float(page.state("zoom")) == pytest.approx(1.25**3, abs=0.01)
    assert apart(seen(page), before) > 10
    page.key("-", 9)
    assert apart(seen(page), before) < 0.5


def test_every_control_has_a_name_and_shows_its_focus(page: chromium.Page) -> None:
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    buttons = [n for n in nodes if n.get("role", {}).get("value") == "button" and not n["ignored"]]
    assert len(buttons) >= 11
    assert all(n["name"]["value"].strip() for n in buttons)
    canvas = [n for n in nodes if n.get("role", {}).get("value") == "application"]
    assert "astronaut.png" in canvas[0]["name"]["value"]
    page.js("document.activeElement.blur()")
    reached = []
    for _ in range(14):
        page.key("Tab")
        if page.js("document.activeElement === document.body"):
            continue  # between the last control and the first
        reached.append(page.js("document.activeElement.id"))
        assert page.js("getComputedStyle(document.activeElement).outlineStyle") == "solid", reached
    assert {"view", "screenshot", "theme", "about", "depth", "limit", "reset"} <= set(reached)


def test_the_sheets_open_and_close(page: chromium.Page) -> None:
    page.js("document.querySelector('#about').click()")
    text = page.js("document.querySelector('dialog[open]').innerText")
    for words in ("generated by a computer", "NASA", "public domain", "assumed", "drawn by hand", "invented"):
        assert words in text
    page.js("document.querySelector('dialog[open] button').click()")
    page.key("?")
    assert "Keys and gestures" in page.js("document.querySelector('dialog[open]').innerText")
    page.js("document.querySelector('dialog[open]').close()")


def test_the_theme_follows_the_device_and_the_button(page: chromium.Page) -> None:
    ground = "getComputedStyle(document.documentElement).getPropertyValue('--ground')"
    light = page.js(ground)
    page.js("document.querySelector('#theme').click()")
    assert page.js(ground) != light
    page.js("document.querySelector('#theme').click(), document.querySelector('#theme').click()")
    assert page.js(ground) == light


def test_a_saved_picture_is_the_view_with_its_label(page: chromium.Page, tmp_path: Path) -> None:
    page.key("d")
    page.browser.call(
        "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path), browserContextId=page.context
    )
    page.key("s")
    page.wait("document.querySelector('#said').textContent === 'Picture saved'")
    saved = tmp_path / "astronaut-view.png"
    until = time.monotonic() + 20
    while not saved.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert [file.name for file in tmp_path.iterdir()] == [saved.name]
    drawn = np.asarray(Picture.open(saved).convert("RGB"), dtype=np.float64)
    assert drawn.shape[1] == WIDTH and drawn.shape[0] > HEIGHT + 20
    assert drawn[:HEIGHT].std() > 25 and drawn[HEIGHT:].std() > 10


def test_a_lost_graphics_card_is_said_and_comes_back(page: chromium.Page) -> None:
    before = seen(page)
    page.js("window.card = document.querySelector('#view').getContext('webgl2').getExtension('WEBGL_lose_context')")
    page.js("card.loseContext()")
    page.wait("document.querySelector('#view').dataset.state === 'lost'")
    assert "graphics card" in page.js("document.querySelector('#trouble').innerText")
    page.js("card.restoreContext()")
    page.wait("document.querySelector('#view').dataset.state === 'ready'")
    assert page.js("document.querySelector('#trouble').hidden")
    assert apart(seen(page), before) < 0.5


def test_full_screen_gives_the_picture_all_of_the_window(page: chromium.Page) -> None:
    before = seen(page)
    page.key("f")
    page.wait("document.fullscreenElement !== null && document.querySelector('#fullscreen').ariaPressed === 'true'")
    page.settle()
    inside = seen(page)
    page.key("f")
    page.wait("document.fullscreenElement === null")
    assert inside.shape == before.shape and apart(inside, before) > 8
    assert apart(seen(page), before) < 0.5
