"""A headset that other people emulate: iwer (MIT), Meta's emulator of WebXR, in real Chromium."""

from __future__ import annotations

import os
from pathlib import Path

import chromium
import numpy as np
import pytest
from chromium import seen

EMULATOR = Path(__file__).parents[1] / "tools" / "node_modules" / "iwer" / "build" / "iwer.min.js"
WIDTH, HEIGHT = 480, 400
START = """
window.headset = new IWER.XRDevice(IWER.metaQuest3, { stereoEnabled: true, ipd: 0.064 });
headset.installRuntime({ forceInstall: true });
"""


def beside(browser: chromium.Browser, file: Path) -> chromium.Page:
    """A page with a headset beside it."""
    if not EMULATOR.is_file():
        if os.environ.get("UNFLAT_CI") == "1":
            pytest.fail("UNFLAT_CI=1, and iwer is not in tests/tools/node_modules")
        pytest.skip("iwer is not here (cd tests/tools && npm ci --ignore-scripts)")
    opened = chromium.Page(browser, width=WIDTH, height=HEIGHT)
    opened.before_load(EMULATOR.read_text("utf-8") + START)
    opened.open(file.as_uri())
    opened.wait("!document.querySelector('#vr').hidden")
    return opened


def enter(page: chromium.Page) -> None:
    """Step in."""
    page.js("document.querySelector('#vr').click()")
    page.wait("document.querySelector('#vr').ariaPressed === 'true'")
    page.wait("document.querySelector('#view').dataset.walked !== undefined")


def leave(page: chromium.Page) -> None:
    """Step out."""
    page.js("document.querySelector('#vr').click()")
    page.wait("document.querySelector('#vr').ariaPressed === 'false'")


def walked(page: chromium.Page) -> np.ndarray:
    """Where the head is, in the photograph's space: right, up, backwards; metres."""
    return np.array([float(word) for word in page.state("walked").split()])


def frames(page: chromium.Page, count: int = 3) -> None:
    """Wait for some frames of the headset."""
    page.js(
        f"new Promise((done) => {{ let left = {count}; const session = headset.activeSession;"
        " const step = () => (left-- > 0 ? session.requestAnimationFrame(step) : done()); step(); })"
    )


def push(page: chromium.Page, hand: str, x: float, y: float, until: str) -> None:
    """Hold a stick until something is true, and let go."""
    page.js(f"headset.controllers.{hand}.updateAxes('thumbstick', {x}, {y})")
    page.wait(f"(([x, y, z]) => {until})(document.querySelector('#view').dataset.walked.split(' ').map(Number))")
    page.js(f"headset.controllers.{hand}.updateAxes('thumbstick', 0, 0)")
    frames(page)


def eyes(page: chromium.Page) -> tuple[np.ndarray, np.ndarray]:
    """What the left and the right eye see."""
    frames(page)
    both = seen(page)
    return both[:, : WIDTH // 2], both[:, WIDTH // 2 :]
