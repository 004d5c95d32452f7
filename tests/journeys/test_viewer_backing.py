"""What the page shows through gaps lies where it belongs, in a picture that goes on beyond its border, too."""

from __future__ import annotations

from pathlib import Path

import chromium
import numpy as np
import pytest

from unflat.pipelines.photo import PhotoOptions, photo
from unflat.stages.build_surface import SurfaceOptions
from unflat.stages.extend_picture import ExtendOptions
from unflat.types import DepthKind, DepthMap, Image, Intrinsics, Size

pytestmark = pytest.mark.browser


def test_what_shows_through_a_gap_is_what_is_around_it_in_an_extended_picture_too(tmp_path: Path) -> None:
    """A red wall with a green stripe, and a hole in the stripe: the page's blurred backing shows green there."""
    pixels = np.full((90, 120, 3), [220, 30, 20], np.uint8)
    pixels[:, 78:102] = [20, 190, 30]
    valid = np.ones((90, 120), np.bool_)
    valid[25:65, 82:98] = False
    wall, lens = np.full((90, 120), 2, np.float32), Intrinsics.from_fov(50, Size(120, 90))
    depth = DepthMap(wall, DepthKind.METRIC, valid, None, None, lens)
    cut = PhotoOptions(beyond=ExtendOptions(0.3), surface=SurfaceOptions(layers="none"))
    file = tmp_path / "x.html"
    photo(Image(pixels), cut, handed=depth).save(file)
    with chromium.wanted() as browser:
        page = chromium.Page(browser, width=480, height=420)
        page.open(file.as_uri())
        found = chromium.seen(page)
        page.close()
    green = found[..., 1] > found[..., 0] + 10
    across = np.flatnonzero(green[140])  # a row above the hole
    assert 60 < np.ptp(across) < 90
    assert green[210, across.min() : across.max() + 1].mean() > 0.9
