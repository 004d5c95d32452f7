"""A clip with an emulated headset in real Chromium: two eyes, and a trigger that plays."""

from __future__ import annotations

from pathlib import Path

import chromium
import headset
import numpy as np
import pytest
from chromium import apart, seen
from headset import enter, eyes, frames, leave, walked

import clips

pytestmark = [pytest.mark.browser, pytest.mark.node]


def test_two_eyes_see_the_clip_and_the_trigger_plays_it(tmp_path: Path) -> None:
    with chromium.wanted() as browser:
        page = headset.beside(browser, clips.counted_page(tmp_path))
        before = seen(page)
        enter(page)
        assert np.abs(walked(page)).max() < 1e-6, "the head begins where the camera was"
        left, right = eyes(page)
        assert left.std() > 25 and right.std() > 25
        panels = [np.nonzero((eye[:, :, 0] - eye[:, :, 2] > 60).any(0))[0].mean() for eye in (left, right)]
        walls = [np.nonzero((eye[:, :, 2] - eye[:, :, 0] > 60).any(0))[0].mean() for eye in (left, right)]
        assert panels[0] - panels[1] > walls[0] - walls[1] + 2, "what is near is farther right for the left eye"
        page.js("headset.controllers.right.updateButtonValue('trigger', 1)")
        frames(page)
        page.js("headset.controllers.right.updateButtonValue('trigger', 0)")
        page.wait("document.querySelector('#play').ariaPressed === 'true'")
        page.wait("Number(document.querySelector('#view').dataset.time) > 0.3")
        assert apart(eyes(page)[0], left) > 1
        leave(page)
        page.js("document.querySelector('#play').click()")
        page.wait("document.querySelector('#play').ariaPressed === 'false'")
        page.key(",", 60)
        page.wait("Number(document.querySelector('#view').dataset.time) < 0.001")
        assert apart(seen(page), before) < 0.5
        assert page.console == []
        page.close()
