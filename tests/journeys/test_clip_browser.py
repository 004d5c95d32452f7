"""A clip in a real browser: it plays, waits, goes to any frame, and picture and depth are always of the same one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import chromium
import numpy as np
import pytest
from chromium import Pixels, apart, seen

import clips
from unflat.view.server import Server, page_of_file

pytestmark = pytest.mark.browser

Run = Callable[..., CompletedProcess[str]]
WIDTH, HEIGHT = 800, 560
COUNT, CUT = 50, 30
FOCAL = clips.SIZE.width / 2 / np.tan(np.radians(30))


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.wanted() as running:
        yield running


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return clips.counted_page(tmp_path_factory.mktemp("clip"), COUNT, CUT, sound=True).as_uri()


@pytest.fixture(scope="module")
def _opened(browser: chromium.Browser, address: str) -> Iterator[chromium.Page]:
    opened = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    opened.open(address)
    yield opened
    opened.close()


@pytest.fixture
def page(_opened: chromium.Page) -> chromium.Page:
    """The clip at its first frame, as the camera saw it."""
    if pressed(_opened, "play"):
        _opened.key(" ")
    for name, value, key in (("mode", "picture", None), ("limited", "true", "l")):
        if _opened.state(name) != value:
            _opened.key(key or _opened.state(name)[0])
    _opened.key("r")
    go_to(_opened, 0)
    return _opened


def pressed(page: chromium.Page, button: str) -> bool:
    return page.js(f"document.querySelector('#{button}').ariaPressed === 'true'")


def go_to(page: chromium.Page, number: int, within: float = 0.005) -> None:
    """Pull the slider to a frame, and wait until it is drawn."""
    page.js(
        f"(() => {{ const s = document.querySelector('#seek'); s.value = {number / clips.FPS};"
        "for (const n of ['input', 'change']) s.dispatchEvent(new Event(n)); })()"
    )
    page.wait(f"Math.abs(Number(document.querySelector('#view').dataset.time) - {number / clips.FPS}) < {within}")
    page.settle()


def spot(page: chromium.Page) -> tuple[float, float, float]:
    """Where the clip is drawn when it is seen from its camera: left, top, and pixels of the window for one of it."""
    top, bottom = page.js(
        "[document.querySelector('#top-bar').getBoundingClientRect().height,"
        " innerHeight - document.querySelector('#view-bar').getBoundingClientRect().top]"
    )
    scale = min(WIDTH / clips.SIZE.width, (HEIGHT - top - bottom) / clips.SIZE.height)
    middle = (top + HEIGHT - bottom) / 2
    return (WIDTH - scale * clips.SIZE.width) / 2, middle - scale * clips.SIZE.height / 2, scale


def cells(page: chromium.Page, drawn: Pixels, row: float) -> Pixels:
    """The colours in the middles of the counter's cells, ``row`` thirds of the picture from its top; (bits, 3)."""
    left, top, scale = spot(page)
    y = round(top + scale * clips.SIZE.height * row / 3)
    xs = [round(left + scale * clips.SIZE.width * (bit + 0.5) / clips.BITS) for bit in range(clips.BITS)]
    return np.stack([drawn[y - 4 : y + 5, x - 4 : x + 5].mean((0, 1)) for x in xs])


def number_of(bits: Pixels) -> int:
    return sum(1 << at for at, bit in enumerate(bits) if bit)


def numbers(page: chromium.Page) -> tuple[int, int]:
    """The counters of picture and depth, out of one drawing of the depth, which is shaded by the picture.

    Both rows are of one colour but for what is read: light in the one, near (yellow) or far (indigo) in the other.
    """
    drawn = seen(page)
    light = cells(page, drawn, 0.5).sum(-1)
    red = cells(page, drawn, 1.5)[:, 0]
    assert (np.abs(light - 215) > 20).all() and (np.abs(red - 120) > 40).all(), (light, red)
    return number_of(light > 215), number_of(red > 120)


def test_it_opens_from_a_disk_without_a_word_or_a_request(page: chromium.Page, address: str) -> None:
    assert page.js("location.protocol") == "file:" and page.state("state") == "ready"
    assert page.js("document.querySelector('#vr').hidden"), "there is no headset here"
    assert not page.js("document.querySelector('#sound').hidden")
    assert page.console == []
    assert page.requests[0] == address
    assert all(url.startswith(("blob:", "data:")) for url in page.requests[1:]), page.requests


def test_the_first_view_is_the_frame_itself(page: chromium.Page) -> None:
    left, top, scale = spot(page)
    drawn = seen(page)
    truth = clips.counted(0)[0].astype(float)
    ys, xs = np.mgrid[4:176:8, 4:316:8]
    shown = drawn[np.rint(top + scale * (ys + 0.5)).astype(int), np.rint(left + scale * (xs + 0.5)).astype(int)]
    assert np.median(np.abs(shown - truth[ys, xs])) < 3
    assert (np.abs(shown - truth[ys, xs]).max(-1) > 40).mean() < 0.02, "but for a pixel at some outlines"


def test_any_frame_is_found_and_its_depth_is_its_own(page: chromium.Page) -> None:
    page.key("d")
    rng = np.random.default_rng(7)
    for number in [0, COUNT - 1, CUT - 1, CUT, *rng.permutation(COUNT)[:20].tolist()]:
        go_to(page, number)
        assert numbers(page) == (number, number)
    assert page.console == []


def test_while_it_plays_picture_and_depth_are_of_one_frame(page: chromium.Page) -> None:
    page.key("d")
    page.js("document.querySelector('#play').click()")
    page.wait("document.querySelector('#play').ariaPressed === 'true'")
    shots = [numbers(page) for _ in range(12)]
    page.js("document.querySelector('#play').click()")
    assert all(picture == depth for picture, depth in shots), shots
    assert len({picture for picture, _ in shots}) > 3, "it moved on"
    assert page.console == []


def test_a_key_plays_waits_steps_mutes_and_ends_the_loop(page: chromium.Page) -> None:
    page.key("d")
    go_to(page, 10)
    for key, number in ((".", 11), (".", 12), (",", 11)):
        page.key(key)
        page.wait(f"Math.abs(Number(document.querySelector('#view').dataset.time) - {number / clips.FPS}) < 0.005")
        assert numbers(page) == (number, number)
    page.key(" ")
    page.wait("document.querySelector('#play').ariaPressed === 'true'")
    page.wait("Number(document.querySelector('#view').dataset.time) > 0.6")
    assert not pressed(page, "sound") and pressed(page, "loop")
    page.key("m")
    page.wait("document.querySelector('#sound').ariaPressed === 'true'")
    page.key("m")
    page.key("o")
    assert not pressed(page, "loop")
    page.wait("document.querySelector('#play').ariaPressed === 'false'")
    page.wait(f"Number(document.querySelector('#view').dataset.time) > {(COUNT - 1) / clips.FPS - 0.005}")
    page.key(" ")
    page.wait("document.querySelector('#play').ariaPressed === 'true'")
    page.wait("Number(document.querySelector('#view').dataset.time) < 1")
    page.key(" ")
    page.wait("document.querySelector('#play').ariaPressed === 'false'")
    page.key("o")
    go_to(page, COUNT - 1)
    page.js("document.querySelector('#seek').focus()")
    page.key("ArrowLeft")
    page.wait(f"Math.abs(Number(document.querySelector('#view').dataset.time) - {(COUNT - 2) / clips.FPS}) < 0.005")
    assert chromium.offset(page) == 0, "arrows on the slider move the film and not the viewpoint"
    page.js("document.querySelector('#seek').blur()")


def gap(page: chromium.Page) -> float:
    """How far right of its place before the wall the panel is seen, in pixels of the film."""
    drawn = seen(page)
    _, top, scale = spot(page)
    row = drawn[round(top + scale * 160) - 3 : round(top + scale * 160) + 4].mean(0)
    panel = np.nonzero(row[:, 0] - row[:, 2] > 60)[0]
    wall = np.nonzero(row[:, 2] - row[:, 0] > 60)[0]
    return float((panel.min() + panel.max()) / 2 - (wall.min() + wall.max()) / 2) / scale


def expected_gap(turn: float) -> float:
    """The same by geometry, where the viewpoint has turned about the pivot by so many radians to the right."""
    pivot = 2 / (clips.NEAR + clips.FAR)

    def middle(inverse: float, left: float, right: float) -> float:
        places = []
        for pixel in (left, right):
            x, z = (pixel - clips.SIZE.width / 2) / FOCAL / inverse, 1 / inverse - pivot
            across, along = x * np.cos(turn) + z * np.sin(turn), z * np.cos(turn) - x * np.sin(turn)
            places.append(FOCAL * across / (along + pivot))
        return sum(places) / 2

    return middle(clips.NEAR, 130, 190) - middle(clips.FAR, 0, clips.SIZE.width)


@pytest.mark.parametrize(("key", "way"), [("ArrowLeft", -1), ("ArrowRight", 1)])
def test_near_things_move_against_far_ones_as_far_as_they_should(page: chromium.Page, key: str, way: int) -> None:
    assert gap(page) == pytest.approx(expected_gap(0), abs=0.6)
    page.key(key, 6)
    aside = chromium.offset(page)
    assert aside == pytest.approx(float(page.state("radius")), rel=0.02), "as far as is safe"
    turn = way * 2 * np.arcsin(aside * (clips.NEAR + clips.FAR) / 4)
    assert abs(expected_gap(turn)) > 15
    assert -way * expected_gap(turn) > 0, "the viewpoint goes left: what is near goes right"
    assert gap(page) == pytest.approx(expected_gap(turn), abs=1.5)
    page.key("r")
    assert gap(page) == pytest.approx(expected_gap(0), abs=0.6)


def test_behind_an_outline_there_is_ground_and_the_page_marks_it_as_guessed(page: chromium.Page) -> None:
    page.key("ArrowLeft", 6)
    left, top, scale = spot(page)
    lower = (slice(round(top + scale * 150), round(top + scale * 170)), slice(round(left + scale * 60), WIDTH - 120))
    ground = seen(page)[lower]
    wallpaper = np.abs(ground - [40, 60, 200]).max(-1) < 40
    panel = np.abs(ground - [220, 50, 40]).max(-1) < 60
    assert (wallpaper | panel).mean() > 0.97, "no gap, and nothing stretched between both"
    page.key("c")
    violet = (seen(page)[lower] @ [1, -1.8, 1] > 60).mean()
    page.key("r")
    assert violet > 0.02 > (seen(page)[lower] @ [1, -1.8, 1] > 60).mean()


def test_a_cut_changes_the_range_with_the_very_frame(page: chromium.Page) -> None:
    page.key("d")
    go_to(page, CUT - 1)
    before, near = float(page.state("radius")), page.js("document.querySelector('#legend-ticks').innerText")
    shown = cells(page, seen(page), 1.5)
    go_to(page, CUT)
    after, far = float(page.state("radius")), page.js("document.querySelector('#legend-ticks').innerText")
    assert after == pytest.approx(10 * before, rel=1e-3)
    assert "1.0 m" in near and "10 m" in far
    again = cells(page, seen(page), 1.5)
    # Near is near and far is far on both sides; only the counter's digits differ.
    for bit, (old, new) in enumerate(zip(shown, again, strict=True)):
        same = clips.bits_of(CUT - 1)[bit] == clips.bits_of(CUT)[bit]
        assert (np.abs(old - new).max() < 12) == same


def test_a_lost_graphics_card_comes_back_with_the_same_frame(page: chromium.Page) -> None:
    go_to(page, 20)
    before = seen(page)
    page.js("window.card = document.querySelector('#view').getContext('webgl2').getExtension('WEBGL_lose_context')")
    page.js("card.loseContext()")
    page.wait("document.querySelector('#view').dataset.state === 'lost'")
    page.js("card.restoreContext()")
    page.wait("document.querySelector('#view').dataset.state === 'ready'")
    assert apart(seen(page), before) < 0.5


def test_a_visitor_who_wants_motion_gets_a_film_that_plays(browser: chromium.Browser, address: str) -> None:
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT, still=False)
    page.open(address)
    page.wait("Number(document.querySelector('#view').dataset.time) > 0.2")
    assert pressed(page, "play") and not pressed(page, "sound"), "without sound, until it is asked for"
    assert page.console == []
    page.close()


def test_a_phone_has_room_for_all_of_it(browser: chromium.Browser, address: str) -> None:
    for width, height in ((360, 740), (740, 360)):
        page = chromium.Page(browser, width=width, height=height, phone=True)
        page.open(address)
        assert page.js("document.documentElement.scrollWidth") <= width
        boxes = page.js(
            "[...document.querySelectorAll('button, #seek')].filter((e) => e.offsetParent && !e.closest('dialog'))"
            ".map((e) => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"
        )
        for at, (left, top, right, bottom) in enumerate(boxes):
            assert left >= 0 and top >= 0 and right <= width and bottom <= height
            for other in boxes[:at]:
                assert right <= other[0] + 1 or left >= other[2] - 1 or bottom <= other[1] + 1 or top >= other[3] - 1
        assert page.console == []
        page.close()


def test_a_browser_that_does_not_tell_of_frames_keeps_them_together_too(
    browser: chromium.Browser, address: str
) -> None:
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    page.before_load("delete HTMLVideoElement.prototype.requestVideoFrameCallback")
    page.open(address)
    page.key("d")
    for number in (41, 3, CUT, CUT - 1):
        go_to(page, number, within=0.6 / clips.FPS)
        assert numbers(page) == (number, number)
    page.key(" ")
    shots = [numbers(page) for _ in range(5)]
    assert all(picture == depth for picture, depth in shots) and len(set(shots)) > 2, shots
    assert page.console == []
    page.close()


def test_the_server_of_unflat_view_shows_it_too(browser: chromium.Browser, address: str) -> None:
    with Server(page_of_file(Path(address.removeprefix("file://")))) as server:
        page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
        page.open(server.url)
        assert page.state("state") == "ready" and seen(page).std() > 25
        assert page.console == []
        page.close()


def test_the_command_makes_such_a_page_of_a_film(unflat: Run, browser: chromium.Browser, tmp_path: Path) -> None:
    clips.encoded((clips.counted(at)[0] for at in range(COUNT)), tmp_path / "film.mp4", sound=True)
    done = unflat("stereo", "film.mp4", "--depth", "ramp", "-o", "clip.html")
    assert done.returncode == 0, done.stderr
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    page.open((tmp_path / "clip.html").as_uri())
    assert page.state("state") == "ready" and page.js("document.title") == "film.mp4"
    assert not page.js("document.querySelector('#sound').hidden")
    for number in (0, 33, COUNT - 1, 7):
        go_to(page, number)
        assert number_of(cells(page, seen(page), 0.5).mean(-1) > 128) == number
    straight = seen(page)
    page.key("ArrowLeft", 6)
    assert apart(seen(page), straight) > 2 and chromium.offset(page) > 0
    assert page.console == []
    page.close()


def test_what_cannot_be_shown_is_said(browser: chromium.Browser, address: str, tmp_path: Path) -> None:
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    page.before_load("HTMLCanvasElement.prototype.getContext = () => null")
    page.open(address)
    assert page.state("state") == "failed" and "WebGL" in page.js("document.querySelector('#trouble').innerText")
    page.close()
    broken = tmp_path / "broken.html"
    good = clips.counted_page(tmp_path, 5, 5).read_text("utf-8")
    at = good.index('class="film">') + 13
    broken.write_text(good[:at] + "A" * 400 + good[at + 400 :], "utf-8")
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    page.open(broken.as_uri())
    assert page.state("state") == "failed"
    assert "cannot be shown" in page.js("document.querySelector('#trouble').innerText")
    page.close()
