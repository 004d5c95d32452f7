"""Every shared photograph is read; skipped where they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image as Pil

from unflat.formats.image import read_image


def shared() -> Path:
    return Path(os.environ.get("UNFLAT_SHARED", Path(__file__).parents[3] / "shared")) / "data" / "photos"


@pytest.mark.skipif(not shared().is_dir(), reason="the shared photographs are not here")
def test_every_shared_photograph_is_read() -> None:
    paths = [p for p in sorted(shared().iterdir()) if p.suffix in (".jpg", ".png")]
    assert len(paths) >= 40
    for path in paths:
        image = read_image(path)
        with Pil.open(path) as by_pillow:
            assert (image.size.width, image.size.height) == by_pillow.size
        assert image.notes == (), path.name
        assert (image.alpha is not None) == (path.suffix == ".png")
