"""A model in a real browser: the sides are where they are, cuts are filled, the scan is where its surfaces are, labels
point and parts come apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import chromium
import numpy as np
import pytest
from chromium import apart, seen
from model_page import HEIGHT, WIDTH, dense, eye, inner, kinds, middle, opened, press, rims, slide, whole

import scenes
import turned_models
from unflat.formats import glb, html
from unflat.formats.registry import ExportOptions
from unflat.types import Finish, Frame, Node, Pin, Scale, Scene

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.wanted() as running:
        yield running


@pytest.fixture(scope="module")
def _page(browser: chromium.Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Page]:
    page = opened(browser, html.page_of_scene(turned_models.head()), tmp_path_factory.mktemp("model"))
    yield page
    assert page.console == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in page.requests)
    page.close()


@pytest.fixture
def page(_page: chromium.Page) -> chromium.Page:
    """The phantom from its front, whole."""
    return whole(_page)


def test_left_is_left_from_every_side(page: chromium.Page) -> None:
    """Bone is to the patient's left, fat in front, metal above."""
    box = page.js("(({ left, width, top, height }) => [left, width, top, height])(view.getBoundingClientRect())")
    centre, level = box[0] + box[1] / 2, box[2] + box[3] / 2
    front = inner(page)
    assert rims(page) == "R L S I"
    assert middle(front["bone"])[0] > centre + 40
    assert middle(front["metal"])[1] < level - 40
    page.key("2")
    back = inner(page)
    assert rims(page) == "L R S I"
    assert middle(back["bone"])[0] < centre - 40
    page.key("3")
    left = inner(page)
    assert rims(page) == "A P S I"
    assert middle(left["fat"])[0] < centre - 40, "from the left, the front is at the left of the picture"
    page.key("6")
    below = inner(page)
    assert rims(page) == "R L A P"
    assert middle(below["fat"])[1] < level - 40
    assert middle(below["bone"])[0] > centre + 40
    page.key("5")
    assert rims(page) == "R L P A"


def test_parts_are_toggled_coloured_and_made_half_transparent(page: chromium.Page) -> None:
    whole = seen(page)
    assert kinds(whole)["fat"].sum() == 0, "inside the body"
    slide(page, '#tissues [data-part="body"] input[type=range]', "0.2")
    glassy = seen(page)
    assert apart(whole, glassy) > 2
    assert kinds(glassy)["bone"].sum() > 60, "seen through the body"
    slide(page, '#tissues [data-part="body"] input[type=range]', "1")
    assert apart(whole, seen(page)) < 0.01
    press(page, "#all-off")
    assert apart(whole, seen(page)) > 5
    press(page, "#all-on")
    slide(page, '#tissues [data-part="body"] input[type=color]', "#3030ff")
    assert kinds(seen(page))["metal"].sum() > 10_000
    slide(page, '#tissues [data-part="body"] input[type=color]', "#e0ac96")
    page.key("ArrowRight", 6)
    assert float(page.state("round")) > 0.3


def test_a_cut_is_filled_with_what_it_cuts(page: chromium.Page) -> None:
    eye(page, "body")
    outlines = kinds(seen(page))
    eye(page, "body")
    press(page, "#cut-front")
    picture = seen(page)
    for part, color in (("bone", (80, 220, 90)), ("metal", (90, 130, 230))):
        x, y = (round(v) for v in middle(outlines[part]))
        assert np.abs(picture[y, x] - color).max() < 4, f"the cut shows {part}"
    box = page.js(
        "(({ left, width, top, height }) => [left + width / 2, top + height / 2])(view.getBoundingClientRect())"
    )
    assert np.abs(picture[round(box[1]) + 40, round(box[0]) - 60] - (224, 172, 150)).max() < 4
    press(page, "#cut-grey")
    grey = seen(page)
    x, y = (round(v) for v in middle(outlines["bone"]))
    assert grey[y, x].min() > 200, "bone is white in a window of soft tissue"
    press(page, "#cut-side")
    page.key("3")
    assert kinds(seen(page))["bone"].sum() < 60, "the half with the bone is taken away"
    press(page, "#cut-flip")
    page.key("4")
    assert page.js("document.querySelector('#cut').ariaPressed") == "true"


def test_the_cut_is_moved_and_turned_by_its_handle(page: chromium.Page) -> None:
    press(page, "#cut-above")
    before = seen(page)
    spot = page.js(
        "(() => { const b = document.querySelector('#marks .handle circle').getBoundingClientRect();"
        "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
    )
    page.mouse("mouseMoved", *spot)
    page.mouse("mousePressed", *spot)
    page.mouse("mouseMoved", spot[0], spot[1] - 60, held=True)
    page.mouse("mouseReleased", spot[0], spot[1] - 60)
    page.settle()
    assert float(page.js("document.querySelector('#cut-place').value")) < -0.1
    assert apart(before, seen(page)) > 0.5
    tip = page.js(
        "(() => { const b = document.querySelector('#marks .tip').getBoundingClientRect();"
        "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
    )
    page.mouse("mouseMoved", *tip)
    page.mouse("mousePressed", *tip)
    page.mouse("mouseMoved", tip[0] + 50, tip[1], held=True)
    page.mouse("mouseReleased", tip[0] + 50, tip[1])
    page.settle()
    assert page.js("document.querySelector('#cut-above').ariaPressed") == "false", "a free cut"


def test_the_scan_is_where_its_surfaces_are(page: chromium.Page) -> None:
    surfaces = inner(page)
    shown = seen(page)
    press(page, "#rays")
    slide(page, "#look", "Bone")
    looked = seen(page)
    for part in ("bone", "metal"):
        there = middle(surfaces[part])
        assert np.hypot(*np.subtract(middle(dense(looked, there)), there)) < 2.5
    eye(page, "body")
    assert apart(shown, seen(page)) < 0.3, "what is solid hides the scan behind it"
    eye(page, "body")
    press(page, "#cut-side")
    assert not dense(seen(page), middle(surfaces["bone"])).any(), "the cut goes through the scan, too"
    press(page, "#cut-off")
    pictures = [seen(page)]
    for look in ("Skin", "Brightest (MIP)"):
        slide(page, "#look", look)
        pictures.append(seen(page))
        assert apart(pictures[-1], pictures[-2]) > 0.5


def pins(page: chromium.Page) -> dict[str, tuple[bool, float, float, float, float]]:
    """By text: whether it is hidden behind something, and its box."""
    told = page.js(
        "[...document.querySelectorAll('.pin')].map((e) => { const b = e.getBoundingClientRect();"
        "return [e.textContent, e.classList.contains('behind'), b.left, b.top, b.right, b.bottom]; })"
    )
    return {text: tuple(more) for text, *more in told}


def test_labels_point_are_dimmed_behind_and_open(page: chromium.Page) -> None:
    front = pins(page)
    assert {text: box[0] for text, box in front.items()} == {"Bone": True, "Front": False, "Back": True}
    boxes = [box[1:] for box in front.values()]
    for n, (left, top, right, bottom) in enumerate(boxes):
        assert all(right <= x[0] or left >= x[2] or bottom <= x[1] or top >= x[3] for x in boxes[n + 1 :]), (
            "labels keep clear"
        )
    page.key("2")
    back = pins(page)
    assert {text: box[0] for text, box in back.items()} == {"Bone": True, "Front": True, "Back": False}
    page.js("[...document.querySelectorAll('.pin')][0].click()")
    assert page.js("document.querySelector('#pin-sheet').open")
    assert page.js("document.querySelector('#pin-detail').textContent") == "A ball of bone to the left"
    page.js("document.querySelector('#pin-sheet').close()")
    page.key("l")
    assert page.js("[...document.querySelectorAll('.pin')].every((e) => e.hidden)")
    page.key("l")


def test_parts_come_apart_with_their_labels(page: chromium.Page) -> None:
    def spot() -> list[float]:
        return page.js("(({ points }) => [points[2].x, points[2].y])(document.querySelector('#marks polyline'))")

    eye(page, "body")
    together = kinds(seen(page))
    eye(page, "body")
    assert kinds(seen(page))["bone"].sum() < 60
    was = spot()
    slide(page, "#apart", 1)
    moved = kinds(seen(page))
    assert moved["bone"].sum() > 100
    assert moved["metal"].sum() > 60, "all parts are out"
    assert np.hypot(*np.subtract(middle(moved["bone"]), middle(together["bone"]))) > 20
    now = spot()
    assert np.hypot(*np.subtract(now, was)) > 20, "the label went with it"
    assert pins(page)["Bone"][0] is False


def drawing() -> Scene:
    """A drawn cell: no scan, no patient."""
    nodes = (
        Node("membrane", turned_models.ball((0, 0, 1), 0.1), finish=Finish((140, 200, 160), 0.4)),
        Node("nucleus", turned_models.ball((0.03, 0, 1), 0.03), finish=Finish((120, 90, 200))),
    )
    scale = Scale("assumed", 0.5, 2, detail="assumed")
    return Scene(
        nodes, (), Frame.CAMERA_RDF, scale, scenes.provenance(), pins=(Pin("Nucleus", (0.03, 0, 0.97), "nucleus"),)
    )


def test_a_model_without_a_scan_has_its_own_page(browser: chromium.Browser, tmp_path: Path) -> None:
    data = glb.glb_bytes(drawing(), ExportOptions())
    page = opened(browser, html.page_of_glb(data, "cell.glb"), tmp_path)
    assert page.js("document.querySelector('#note').offsetHeight") == 0
    assert page.js("['rays', 'slices-on', 'slices', 'cut-grey-line'].every((id) => document.getElementById(id).hidden)")
    assert rims(page) == "L R T U"
    before = seen(page)
    slide(page, "#apart", 1)
    assert apart(before, seen(page)) > 1
    page.key("m")
    box = page.js(
        "(({ left, width, top, height }) => [left + width / 2, top + height / 2])(view.getBoundingClientRect())"
    )
    page.click(*box)
    page.click(box[0] + 9, box[1])
    assert "size assumed" in page.js("document.querySelector('#lengths').textContent")
    assert page.console == []
    page.close()


def test_without_webgl_the_page_says_so(browser: chromium.Browser, tmp_path: Path) -> None:
    path = tmp_path / "model.html"
    path.write_bytes(html.page_of_scene(drawing()))
    page = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    page.before_load("HTMLCanvasElement.prototype.getContext = () => null;")
    page.open(path.as_uri())
    assert page.state("state") == "failed"
    assert "WebGL 2" in page.js("document.querySelector('#trouble').textContent")
    page.close()
