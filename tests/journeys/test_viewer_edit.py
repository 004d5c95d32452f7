"""Depth is mended by hand in a real browser, saved, and taken back by the command: what was painted is what comes out.

The page is made by the command itself, from a photograph and a depth map drawn here: a slanted wall, a person before
it, sky above.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import chromium
import numpy as np
import pytest
from chromium import apart, seen
from PIL import Image as Picture
from skimage import data

from unflat.formats import depthmap
from unflat.formats.html import read
from unflat.types import DepthMap

pytestmark = pytest.mark.browser

SIDE = 256
WIDTH, HEIGHT = 700, 640
SKY_ROWS = 30
STEP = 1 / 65534 * 1.5
"""One step of the codes, as a share of the greatest nearness."""


def command(folder: Path, *words: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "unflat.cli.entry", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The picture, its depth, and the page of both."""
    place = tmp_path_factory.mktemp("edit")
    Picture.fromarray(data.astronaut()).resize((SIDE, SIDE), Picture.Resampling.BOX).save(place / "astronaut.png")
    y, x = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE
    depth = 1 / (0.2 + 0.1 * y + 0.05 * x)
    depth[((x - 0.42) / 0.35) ** 2 + ((y - 1) / 0.8) ** 2 < 1] = 1.4
    depth[:SKY_ROWS] = np.inf
    np.save(place / "d.npy", depth.astype(np.float32))
    command(place, "photo", "astronaut.png", "--depth", "d.npy", "--depth-kind", "scale", "-o", "page.html", "--quiet")
    return place


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.wanted() as running:
        yield running


@pytest.fixture
def page(browser: chromium.Browser, folder: Path, tmp_path: Path) -> Iterator[chromium.Page]:
    opened = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    browser.call(
        "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path), browserContextId=opened.context
    )
    opened.open((folder / "page.html").as_uri())
    yield opened
    opened.close()


def begin(page: chromium.Page) -> None:
    page.key("e")
    page.wait("!document.querySelector('#edit-bar').hidden")
    page.settle()


def click(page: chromium.Page, name: str) -> None:
    page.js(f"document.querySelector('#edit-{name}').click()")
    page.settle()


def at(page: chromium.Page, u: float, v: float) -> tuple[float, float]:
    """Where a point of the picture (0..1 from its top left corner) is in the window while it is edited."""
    high, top = page.js(
        "['edit-bar', 'top-bar'].map((id) => document.getElementById(id).getBoundingClientRect().height)"
    )
    free = HEIGHT - high - top
    scale = min(WIDTH, free)
    return WIDTH / 2 + (u - 0.5) * scale, top + free / 2 + (v - 0.5) * scale


def drag(page: chromium.Page, *places: tuple[float, float]) -> None:
    spots = [at(page, *place) for place in places]
    page.mouse("mouseMoved", *spots[0])
    page.mouse("mousePressed", *spots[0])
    for spot in spots[1:]:
        page.mouse("mouseMoved", *spot, held=True)
    page.mouse("mouseReleased", *spots[-1])
    page.settle()


def edited(page: chromium.Page) -> int:
    """How many pixels differ from what the page came with."""
    return int(page.state("edited"))


def saved(page: chromium.Page, folder: Path) -> Path:
    """Save the depth and wait for the file."""
    click(page, "save")
    file = folder / "astronaut-depth.png"
    until = time.monotonic() + 20
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert [each.name for each in folder.iterdir()] == [file.name]
    return file


def carried(folder: Path) -> DepthMap:
    depth = read(folder / "page.html").depth
    assert depth is not None
    return depth


def again(folder: Path, file: Path, out: Path) -> tuple[DepthMap, dict[str, object]]:
    """The depth of the scene that the command makes of a saved file, and its report."""
    told = command(
        folder,
        "photo",
        "astronaut.png",
        "--depth",
        str(file),
        "-o",
        str(out / "n.npy"),
        "-o",
        str(out / "n.html"),
        "--json",
    )
    return depthmap.read(out / "n.npy"), json.loads(told)


def test_what_is_painted_is_what_the_command_makes_of_it(
    page: chromium.Page, folder: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = carried(folder)
    begin(page)
    drag(page, (0.75, 0.6), (0.9, 0.6))
    click(page, "farther")
    drag(page, (0.4, 0.8))
    click(page, "sky")
    drag(page, (0.02, 0.05), (0.3, 0.05), (0.3, 0.2), (0.02, 0.2))
    click(page, "flat")
    drag(page, (0.6, 0.02), (0.95, 0.02), (0.95, 0.4), (0.6, 0.4))
    assert page.console == []
    file = saved(page, tmp_path)
    after = depthmap.read(file)
    count = edited(page)
    v, u = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE

    changed = (after.values != before.values) | (np.asarray(after.sky) != np.asarray(before.sky))
    assert np.count_nonzero(changed) == count > 2000
    nearer, farther = (int(0.6 * SIDE), int(0.82 * SIDE)), (int(0.8 * SIDE), int(0.4 * SIDE))
    assert before.values[nearer] / after.values[nearer] == pytest.approx(1.08, abs=0.002)
    assert after.values[farther] / before.values[farther] == pytest.approx(1.08, abs=0.002)
    sky = (u > 0.025) & (u < 0.295) & (v < 0.195)
    assert np.asarray(after.sky)[sky].all()
    flat = (u > 0.605) & (u < 0.945) & (v > 0.025) & (v < 0.395)
    assert not np.asarray(after.sky)[flat].any()
    plane = (0.2 + 0.1 * v + 0.05 * u)[flat]
    found = (1 / after.values[flat]) / plane
    assert np.abs(found / np.median(found) - 1).max() < 2e-3
    untouched = (v > 0.9) & (u < 0.2)
    assert not changed[untouched].any() and np.array_equal(after.values[untouched], before.values[untouched])

    made, report = again(folder, file, tmp_path_factory.mktemp("out"))
    seen_now = after.surface
    assert np.array_equal(made.surface, seen_now) and np.array_equal(np.asarray(made.sky), np.asarray(after.sky))
    nearness, wanted = 1 / made.values[seen_now], 1 / after.values[seen_now]
    assert np.abs(nearness - wanted).max() <= STEP * wanted.max()
    assert made.intrinsics is not None and before.intrinsics is not None
    assert made.intrinsics.fx == pytest.approx(before.intrinsics.fx) and made.scale == before.scale
    steps = report["provenance"]["steps"]  # pyright: ignore[reportIndexIssue, reportCallIssue, reportArgumentType]
    assert any("edited by hand" in str(step.get("model")) for step in steps)


def test_the_page_tells_how_to_go_on_in_words_a_shell_takes(page: chromium.Page, folder: Path, tmp_path: Path) -> None:
    begin(page)
    drag(page, (0.5, 0.5), (0.6, 0.6))
    file = saved(page, tmp_path)
    words = page.js("document.querySelector('#edit-note').innerText").split(": ", 1)[1]
    program, *rest = shlex.split(words)
    assert program == "unflat"
    (folder / file.name).write_bytes(file.read_bytes())
    command(folder, *rest, "-o", "again.html", "--force", "--quiet")
    now = read(folder / "again.html").depth
    assert now is not None and now.origin == "d.npy, edited by hand"


def test_an_edit_is_seen_taken_back_and_done_again(page: chromium.Page) -> None:
    photograph = seen(page)
    begin(page)
    start = seen(page)
    drag(page, (0.6, 0.5), (0.8, 0.7))
    painted, count = seen(page), edited(page)
    assert count > 1000 and apart(painted, start) > 0.1
    click(page, "undo")
    assert edited(page) == 0 and apart(seen(page), start) == 0
    assert page.js("document.querySelector('#edit-undo').disabled")
    click(page, "redo")
    assert edited(page) == count and apart(seen(page), painted) == 0
    for shift, wanted in ((False, 0), (True, count), (False, 0)):
        common = {"key": "z", "windowsVirtualKeyCode": 90, "modifiers": 10 if shift else 2}
        page.call("Input.dispatchKeyEvent", type="keyDown", **common)
        page.call("Input.dispatchKeyEvent", type="keyUp", **common)
        page.settle()
        assert edited(page) == wanted
    page.key("Escape")
    assert page.js("document.querySelector('#edit-bar').hidden")
    page.js("document.activeElement.blur()")  # the frame around what has the focus is no part of the picture
    assert apart(seen(page), photograph) == 0, "without an edit the scene is as it was"
    assert page.console == []


def test_the_front_moves_at_once_and_what_is_hidden_is_put_away(page: chromium.Page) -> None:
    begin(page)
    assert "put away" in page.js("document.querySelector('#edit-note').innerText")
    click(page, "depth")
    for _ in range(3):
        drag(page, (0.7, 0.6), (0.8, 0.6))
    click(page, "look")
    page.key("ArrowLeft", 3)
    moved = seen(page)
    for _ in range(3):
        click(page, "undo")
    unmoved = seen(page)
    x, y = (round(each) for each in at(page, 0.75, 0.6))
    place = (slice(y - 30, y + 30), slice(x - 40, x + 40))
    far = tuple(round(each) for each in at(page, 0.2, 0.9))
    elsewhere = (slice(far[1] - 12, far[1] + 12), slice(far[0] - 12, far[0] + 12))
    assert apart(moved[place], unmoved[place]) > 2 and apart(moved[elsewhere], unmoved[elsewhere]) < 0.5
    for _ in range(3):
        click(page, "redo")
    click(page, "done")
    assert edited(page) > 0 and page.js("document.querySelector('#wires').disabled")
    assert "Put away" in page.js("document.querySelector('#wires').title")
    page.key("r")
    page.key("ArrowLeft", 3)
    with_edit = seen(page)
    begin(page)
    for _ in range(3):
        click(page, "undo")
    click(page, "done")
    page.key("r")
    page.key("ArrowLeft", 3)
    assert apart(seen(page), with_edit) > 1, "the edit is drawn as long as there is one"
    assert not page.js("document.querySelector('#wires').disabled")
    assert page.js("document.querySelector('#wires').title") == "Triangles (W)"
    assert page.console == []


def test_the_pen_works_by_touch_and_two_fingers_do_not_paint(browser: chromium.Browser, folder: Path) -> None:
    page = chromium.Page(browser, width=390, height=780, phone=True)
    page.open((folder / "page.html").as_uri())
    page.js("document.querySelector('#edit').click()")
    page.wait("!document.querySelector('#edit-bar').hidden")
    page.settle()
    assert page.js("document.documentElement.scrollWidth") <= 390
    boxes = page.js(
        "[...document.querySelectorAll('#edit-bar button, #edit-bar input')].map((e) => e.getBoundingClientRect())"
        ".filter((b) => b.width > 0).map((b) => [b.left, b.right, b.height])"
    )
    assert all(left >= 0 and right <= 390 for left, right, _ in boxes) and len(boxes) >= 13

    def touch(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        page.call("Input.dispatchTouchEvent", type=kind, touchPoints=spots)

    touch("touchStart", (200, 330))
    touch("touchMove", (240, 350))
    touch("touchEnd")
    page.settle()
    count = edited(page)
    assert count > 500
    picture, zoom = seen(page), float(page.state("zoom"))
    touch("touchStart", (150, 330))
    touch("touchMove", (160, 330))
    assert apart(seen(page), picture) > 0
    touch("touchStart", (160, 330), (240, 330))
    touch("touchMove", (120, 330), (280, 330))
    touch("touchEnd")
    page.settle()
    assert edited(page) == count and float(page.state("zoom")) > zoom + 0.5
    page.js("document.querySelector('#edit-undo').click()")
    assert edited(page) == 0
    assert page.console == []
    page.close()


def test_the_brush_is_as_large_on_the_screen_at_every_zoom(page: chromium.Page) -> None:
    begin(page)
    drag(page, (0.75, 0.6))
    wide = edited(page)
    click(page, "undo")
    page.key("+", 4)
    drag(page, (0.75, 0.6))
    assert edited(page) == pytest.approx(wide / 1.25**8, rel=0.15)
    click(page, "undo")
    page.key("-", 4)
    page.key("[", 3)
    drag(page, (0.75, 0.6))
    assert edited(page) == pytest.approx(wide / 1.2**6, rel=0.15)


def test_a_page_without_depth_says_why_it_cannot_be_edited(
    browser: chromium.Browser, folder: Path, tmp_path: Path
) -> None:
    command(
        folder, "photo", "astronaut.png", "--depth", "d.npy", "--depth-kind", "scale", "--no-editable",
        "-o", str(tmp_path / "p.html"), "--quiet",
    )  # fmt: skip
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    page.open((tmp_path / "p.html").as_uri())
    assert page.js("document.querySelector('#edit').disabled")
    page.key("e")
    assert page.js("document.querySelector('#said').innerText") == "This page carries no depth that could be edited"
    assert page.console == []
    page.close()


def test_the_whole_journey_open_walk_brush_undo_save_reload(page: chromium.Page, folder: Path, tmp_path: Path) -> None:
    photograph = seen(page)
    page.key("l")
    page.key("PageUp", 6)
    page.key("ArrowRight", 2)
    page.mouse("mousePressed", 300, 300, button="right")
    page.mouse("mouseMoved", 340, 320, button="right", held=True)
    page.mouse("mouseReleased", 340, 320, button="right")
    page.settle()
    inside = seen(page)
    assert chromium.offset(page) > 0.1 and apart(inside, photograph) > 8
    begin(page)
    assert chromium.offset(page) == 0, "painting is done from where the photograph was taken"
    drag(page, (0.5, 0.6), (0.7, 0.6))
    drag(page, (0.6, 0.8), (0.8, 0.8))
    two = edited(page)
    click(page, "undo")
    one = edited(page)
    assert 0 < one < two
    after = depthmap.read(saved(page, tmp_path))
    assert np.count_nonzero(after.values != carried(folder).values) == one
    page.reload()
    assert page.js("!document.querySelector('#edited')")
    page.settle()
    assert apart(seen(page), photograph) < 0.5, "the page itself is never changed"
    assert page.console == []
