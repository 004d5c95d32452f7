"""The visible mark in a real browser: in the window of every kind of page, legible, and not below anything."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import chromium
import numpy as np
import portrait
import pytest
from PIL import Image as Picture

import clips
import rooms
import turned_models
from unflat.formats import clip_page, html
from unflat.trust.label import AI_LABEL, COMPUTED_LABEL
from unflat.trust.mark import mark_in, with_mark
from unflat.types import Scene

pytestmark = pytest.mark.browser

WINDOWS = {"desk": (1100, 700), "upright": (390, 780), "lying": (780, 390)}
OTHERS = ".bar .group, h1, #map, #pad, #cube, #note, #panel, #legend, #caption"


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.wanted() as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path, str]]:
    """Of every kind a page with the mark, one without, and the words."""
    folder, made = tmp_path_factory.mktemp("pages"), {}
    scenes: dict[str, Scene] = {"picture": portrait.portrait(), "place": rooms.scene(), "model": turned_models.head()}
    for kind, scene in scenes.items():
        assert scene.provenance is not None
        story, files = with_mark(scene.provenance), (folder / f"{kind}.html", folder / f"{kind}-plain.html")
        files[0].write_bytes(html.page_of_scene(replace(scene, provenance=story)))
        files[1].write_bytes(html.page_of_scene(scene))
        made[kind] = (*files, str(mark_in(story)))
    plain = clips.counted_page(folder, 10, 6)
    about = clip_page.read_about(plain)
    assert about is not None
    story = with_mark(about.provenance)
    clip_page.write_page(folder / "film.mp4", folder / "marked.html", replace(about, provenance=story))
    made["clip"] = (folder / "marked.html", plain, str(mark_in(story)))
    return made


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("kind", ["picture", "place", "model", "clip"])
def test_a_page_shows_its_mark(
    browser: chromium.Browser, pages: dict[str, tuple[Path, Path, str]], kind: str, window: str
) -> None:
    marked, _, words = pages[kind]
    width, height = WINDOWS[window]
    page = chromium.Page(browser, width=width, height=height, phone=window != "desk")
    page.open(marked.as_uri())
    page.settle()
    assert words in (AI_LABEL, COMPUTED_LABEL)
    assert page.js("document.querySelector('#mark').textContent") == words
    left, top, right, bottom = page.js(
        "(({ left, top, right, bottom }) => [left, top, right, bottom])"
        "(document.querySelector('#mark').getBoundingClientRect())"
    )
    assert 0 <= left < right <= width and 0 <= top < bottom <= height and bottom - top >= 20
    near = f"a.width && a.left < {right} && a.right > {left} && a.top < {bottom} && a.bottom > {top}"
    below = page.js(
        f"[...document.querySelectorAll('{OTHERS}')].filter((e) => e.checkVisibility() && "
        f"((a) => {near})(e.getBoundingClientRect())).map((e) => e.id || e.className)"
    )
    assert below == []
    shot = np.asarray(Picture.open(io.BytesIO(page.picture())).convert("L"))
    shown = shot[round(top) : round(bottom), round(left) : round(right)]
    assert (shown > 230).mean() > 0.03 and np.median(shown) < 110
    assert page.console == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in page.requests)
    page.close()


@pytest.mark.parametrize("kind", ["picture", "place", "model", "clip"])
def test_a_page_has_none_unless_asked_for(
    browser: chromium.Browser, pages: dict[str, tuple[Path, Path, str]], kind: str
) -> None:
    page = chromium.Page(browser, width=640, height=480)
    page.open(pages[kind][1].as_uri())
    assert page.js("document.querySelector('#mark')") is None
    page.close()


def test_a_picture_saved_from_a_page_says_it_too(
    browser: chromium.Browser, pages: dict[str, tuple[Path, Path, str]]
) -> None:
    """The line below a saved picture begins with the words of the mark."""
    lines = []
    for file in pages["picture"][:2]:
        page = chromium.Page(browser, width=640, height=480)
        page.before_load(
            "HTMLAnchorElement.prototype.click = () => {};"
            "const own = CanvasRenderingContext2D.prototype.fillText;"
            "CanvasRenderingContext2D.prototype.fillText = function (text, ...rest)"
            " { window.said_text = text; return own.call(this, text, ...rest); };"
        )
        page.open(file.as_uri())
        page.key("s")
        page.wait("window.said_text")
        lines.append(page.js("window.said_text"))
        page.close()
    words = pages["picture"][2]
    assert lines[0] == f"{words} · {lines[1]}"
