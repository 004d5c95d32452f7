"""A profile loses names, and no colour."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageCms

import pictures
import planted
from leaks import found_in
from unflat.formats.icc import impersonal


def through(profile: bytes) -> np.ndarray:
    """What a profile makes of all corners and edges of the cube of colours, in sRGB."""
    grid = np.stack(np.meshgrid(*[np.linspace(0, 255, 9).astype(np.uint8)] * 3), -1).reshape(27, 27, 3)
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return np.asarray(ImageCms.profileToProfile(Pil.fromarray(grid), source, ImageCms.createProfile("sRGB")))


def test_names_go_and_colours_stay() -> None:
    before = planted.profile()
    assert found_in(before, [planted.MARK])
    after = impersonal(before)
    assert after is not None and found_in(after, [planted.MARK]) == []
    np.testing.assert_array_equal(through(after), through(before))
    read = ImageCms.ImageCmsProfile(io.BytesIO(after))
    assert ImageCms.getProfileDescription(read).strip() == "the colours of the source"
    assert ImageCms.getProfileCopyright(read) == ImageCms.getProfileCopyright(
        ImageCms.ImageCmsProfile(io.BytesIO(before))
    )
    assert impersonal(after) == after


def test_both_versions_of_texts() -> None:
    old = bytearray(pictures.swapped_profile())
    old[8] = 2
    after = impersonal(bytes(old))
    assert after is not None
    described = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(after)))
    assert described.strip() == "the colours of the source"


@pytest.mark.parametrize("cut", [0, 40, 130, 150, 400])
def test_a_damaged_profile_is_none(cut: int) -> None:
    assert impersonal(planted.profile()[:cut]) is None


def test_a_table_that_never_ends() -> None:
    data = bytearray(planted.profile())
    data[128:132] = b"\xff" * 4
    assert impersonal(bytes(data)) is None
