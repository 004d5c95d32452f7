"""Hands and eyes for the page of a model: what tests do with it and see in it."""

from __future__ import annotations

import json
from pathlib import Path

import chromium
import numpy as np
from chromium import Pixels, seen

import turned_models
from turned_models import CENTRE

WIDTH, HEIGHT = 1100, 620
Place = tuple[float, float, float]


def opened(browser: chromium.Browser, page: bytes, folder: Path, **more: object) -> chromium.Page:
    path = folder / "model.html"
    path.write_bytes(page)
    tab = chromium.Page(browser, **{"width": WIDTH, "height": HEIGHT, "dark": True, **more})  # type: ignore[arg-type]
    tab.open(path.as_uri())
    assert tab.state("state") == "ready"
    tab.settle()
    return tab


def press(page: chromium.Page, selector: str) -> None:
    page.js(f"document.querySelector({json.dumps(selector)}).click()")
    page.settle()


def slide(page: chromium.Page, selector: str, value: float | str) -> None:
    """Set an input or a select, as a hand does."""
    page.js(
        f"(() => {{ const it = document.querySelector({json.dumps(selector)}); it.value = {json.dumps(value)};"
        "it.dispatchEvent(new Event('input', { bubbles: true })); it.dispatchEvent(new Event('change')); })()"
    )
    page.settle()


def eye(page: chromium.Page, part: str) -> None:
    press(page, f'#tissues [data-part="{part}"] .eye')


def kinds(picture: Pixels) -> dict[str, np.ndarray]:
    """Which pixels show bone (green), fat (yellow) or metal (blue)."""
    red, green, blue = np.moveaxis(picture, -1, 0)
    return {
        "metal": blue > red + 40,
        "fat": (red > blue + 60) & (green > 0.81 * red),
        "bone": (green > red + 40) & (green > blue + 40),
    }


def dense(picture: Pixels, about: tuple[float, float]) -> np.ndarray:
    """What is bright on a dark ground near a place."""
    away = np.hypot(*(np.indices(picture.shape[:2])[::-1] - np.array(about)[:, None, None]))
    return (picture.max(-1) > 80) & (away < 48)


def middle(mask: np.ndarray) -> tuple[float, float]:
    """Of a mask, x and y; by its box, so that light and jitter do not move it."""
    assert mask.sum() > 60, "nothing of it is to be seen"
    ys, xs = np.nonzero(mask)
    low, high = np.percentile(xs, [1, 99]), np.percentile(ys, [1, 99])
    return float(low.mean()), float(high.mean())


def inner(page: chromium.Page) -> dict[str, np.ndarray]:
    """The parts inside the body, without it."""
    eye(page, "body")
    found = kinds(seen(page))
    eye(page, "body")
    return found


def rims(page: chromium.Page) -> str:
    return page.js("[...document.querySelectorAll('#sides span')].map((each) => each.textContent).join(' ')")


def point_at(page: chromium.Page, place: np.ndarray) -> None:
    """Show slices through a place, by their sliders."""
    for kind, coordinate in (("axial", place[2]), ("coronal", -place[1]), ("sagittal", place[0])):
        numbers = page.js(f"document.querySelector('[data-kind={kind}] input').max")
        best = min(range(int(numbers) + 1), key=lambda n: abs(coordinate - _height(page, kind, n)))
        slide(page, f"[data-kind={kind}] input", best)


def _height(page: chromium.Page, kind: str, number: int) -> float:
    """Where a slice is: linear in its number, so two are enough."""
    key = f"{id(page)} {kind}"
    if key not in _HEIGHTS:
        ends = []
        for n in (0, 1):
            slide(page, f"[data-kind={kind}] input", n)
            page.js("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
            ends.append(float(page.js(f"document.querySelector('[data-kind={kind}]').dataset.at")))
        _HEIGHTS[key] = (ends[0], ends[1] - ends[0])
    start, step = _HEIGHTS[key]
    return start + step * number


_HEIGHTS: dict[str, tuple[float, float]] = {}
AXES = {"axial": ((1, 0, 0), (0, -1, 0)), "coronal": ((1, 0, 0), (0, 0, 1)), "sagittal": ((0, 1, 0), (0, 0, 1))}


def pixel_of(page: chromium.Page, kind: str, place: np.ndarray | Place, ends: np.ndarray) -> tuple[float, float]:
    """Where a place is in a slice, by convention: the patient's right, or front, at the left; head, or front, up."""
    left, top, width, height = page.js(
        f"(({{ left, top, width, height }}) => [left, top, width, height])"
        f"(document.querySelector('[data-kind={kind}]').getBoundingClientRect())"
    )
    right, up = (np.array(axis) for axis in AXES[kind])
    spans = [np.ptp(ends @ right), np.ptp(ends @ up)]
    scale = max(spans[0] / width, spans[1] / height)
    x, y = ((np.array(place) @ a - ((ends @ a).max() + (ends @ a).min()) / 2) / scale for a in (right, up))
    return left + width / 2 + x, top + height / 2 - y


def value_at(page: chromium.Page, kind: str, place: np.ndarray | Place, ends: np.ndarray) -> float:
    page.mouse("mouseMoved", *pixel_of(page, kind, place, ends))
    return float(page.js(f"document.querySelector('[data-kind={kind}] output').dataset.value"))


def straight_ends() -> np.ndarray:
    grid = turned_models.straight()
    half = 0.5 * 0.002 * grid.shape[0]
    return np.array([np.array(CENTRE) - half, np.array(CENTRE) + half])


def whole(page: chromium.Page) -> chromium.Page:
    """The model from its front, uncut, all parts shown and together, nothing measured."""
    page.js(
        "document.querySelector('#rays').ariaPressed === 'true' && document.querySelector('#rays').click();"
        "document.querySelector('#cut-grey').checked && document.querySelector('#cut-grey').click();"
        "document.querySelector('#cut-off').click(); document.querySelector('#all-on').click();"
        "document.querySelector('#measure').ariaPressed === 'true' && document.querySelector('#measure').click();"
        "document.querySelectorAll('#lengths button').forEach((each) => each.click());"
    )
    slide(page, "#apart", 0)
    press(page, "#reset")
    return page
