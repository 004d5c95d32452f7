"""The scan beside a model in a real browser: slices tell the values that were measured, lengths are true, oblique
voxels are where they were, and small windows hold it all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import chromium
import numpy as np
import pytest
from chromium import seen
from model_page import (
    AXES,
    dense,
    inner,
    kinds,
    middle,
    opened,
    pixel_of,
    point_at,
    press,
    slide,
    straight_ends,
    value_at,
    whole,
)

import turned_models
from turned_models import BODY_M, BONE_AT, CENTRE, FAT_AT, METAL_AT
from unflat.formats import html

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


def test_an_oblique_scan_lies_where_it_was_measured(browser: chromium.Browser, tmp_path: Path) -> None:
    """Turned, mirrored and sheared voxels: the rays go through them, not through a box that was made straight."""
    scene = turned_models.head(turned_models.oblique((34, 44, 48)))
    page = opened(browser, html.page_of_scene(scene), tmp_path)
    surfaces = inner(page)
    press(page, "#rays")
    looked = seen(page)
    for part in ("bone", "metal"):
        there = middle(surfaces[part])
        assert np.hypot(*np.subtract(middle(dense(looked, there)), there)) < 4
    press(page, "#rays")
    assert scene.volume is not None
    grid = scene.volume.grid
    lps = np.array([BONE_AT, FAT_AT, CENTRE])
    voxels = np.rint(np.linalg.solve(grid.lps_from_voxel[:3, :3], (lps - grid.lps_from_voxel[:3, 3]).T).T).astype(int)
    corners = np.array(
        [[(0, grid.shape[2])[n & 1], (0, grid.shape[1])[n >> 1 & 1], (0, grid.shape[0])[n >> 2]] for n in range(8)]
    )
    ends = grid.lps(corners - 0.5)
    for place, (i, j, k) in zip(lps, voxels, strict=True):
        point_at(page, place)
        assert value_at(page, "axial", place, ends) == scene.volume.values[k, j, i]
    page.key("m")
    for place in (BONE_AT, CENTRE):
        page.click(*pixel_of(page, "axial", place, ends))
    assert lengths(page) == [pytest.approx(25, abs=0.5)], "lengths are the body's, not the voxels'"
    assert page.console == []
    page.close()


def test_slices_tell_what_was_measured(page: chromium.Page) -> None:
    ends = straight_ends()
    letters = page.js(
        "[...document.querySelectorAll('.slice')].map((s) =>"
        "['left', 'right', 'top', 'bottom'].map((c) => s.querySelector(`.letter.${c}`).textContent).join(''))"
    )
    assert letters == ["RLAP", "RLSI", "APSI"]
    for place, value in ((BONE_AT, 1000), (FAT_AT, -100), (METAL_AT, 2500), (CENTRE, 50)):
        point_at(page, np.array(place))
        for kind in AXES:
            assert value_at(page, kind, place, ends) == value
    point_at(page, np.array(CENTRE))
    x, y = pixel_of(page, "axial", BONE_AT, ends)
    page.click(x, y)
    assert float(page.js("document.querySelector('[data-kind=sagittal]').dataset.at")) == pytest.approx(
        BONE_AT[0], abs=0.0015
    )
    number = int(page.js("document.querySelector('[data-kind=axial]').dataset.number"))
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-100)
    page.js("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
    assert int(page.js("document.querySelector('[data-kind=axial]').dataset.number")) == number + 1
    words = page.js("document.querySelector('#window-told').textContent")
    slide(page, "#window", "Bone")
    page.js("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
    assert page.js("document.querySelector('#window-told').textContent") != words
    slide(page, "#window", "Soft tissue")


def lengths(page: chromium.Page) -> list[float]:
    return [float(v) for v in page.js("[...document.querySelectorAll('#lengths li')].map((e) => e.dataset.mm)")]


def test_lengths_are_true(page: chromium.Page) -> None:
    ends = straight_ends()
    page.key("m")
    point_at(page, np.array(CENTRE))
    page.click(*pixel_of(page, "axial", BONE_AT, ends))
    page.click(*pixel_of(page, "axial", CENTRE, ends))
    assert lengths(page) == [pytest.approx(25, abs=0.5)]
    press(page, "#cut-front")
    caps = kinds(seen(page))
    for part in ("bone", "metal"):
        page.click(*middle(caps[part]))
    true = 1000 * float(np.linalg.norm(np.subtract(BONE_AT, METAL_AT)))
    assert lengths(page)[1:] == [pytest.approx(true, abs=0.5)], "both on the cut, through the middle of all"
    press(page, "#cut-off")
    left, width, top, height = page.js(
        "(({ left, width, top, height }) => [left, width, top, height])(view.getBoundingClientRect())"
    )
    page.click(left + width / 2, top + height / 2)
    page.key("2")
    page.click(left + width / 2, top + height / 2)
    assert lengths(page)[2:] == [pytest.approx(2000 * BODY_M, abs=0.5)], "from the front through to the back"
    page.key("Backspace")
    press(page, "#lengths li button")
    assert len(lengths(page)) == 1
    page.key("m")


def test_a_phone_shows_model_and_slices(browser: chromium.Browser, tmp_path: Path) -> None:
    page = opened(browser, html.page_of_scene(turned_models.head()), tmp_path, width=390, height=780, phone=True)
    assert page.js("document.querySelector('#slices').hidden")
    wide = page.js("document.documentElement.scrollWidth")
    assert wide <= 390
    press(page, "#slices-on")
    assert page.js("[...document.querySelectorAll('.slice')].every((e) => e.clientWidth > 80 && e.clientHeight > 80)")
    assert page.js("document.querySelector('#note').offsetHeight") > 10
    for kind, x in (("touchStart", 120), ("touchMove", 220), ("touchEnd", None)):
        points = [] if x is None else [{"x": x, "y": 250}]
        page.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    page.settle()
    assert abs(float(page.state("round"))) > 0.3
    page.close()


def test_few_voxels_and_fewer_surfaces_do(browser: chromium.Browser, tmp_path: Path) -> None:
    """One slice, and one part."""
    scene = turned_models.head(turned_models.oblique((1, 24, 24)))
    page = opened(browser, html.page_of_scene(dataclasses.replace(scene, nodes=scene.nodes[:1], pins=())), tmp_path)
    press(page, "#rays")
    assert page.console == []
    page.close()
