"""Pictures that are not sRGB keep their own numbers and their profile; all others need not."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageCms

import pictures
from unflat.formats import spatial_heic
from unflat.formats.colour import recoloured
from unflat.formats.icc import impersonal
from unflat.formats.image import read_image
from unflat.formats.own_colours import own_colours
from unflat.types.stereo import StereoPair

Q = pictures.quarters()
WIDE = impersonal(pictures.swapped_profile()) or b""


@pytest.mark.parametrize(("suffix", "row"), [(".png", "PNG"), (".tif", "TIFF"), (".webp", "WEBP"), (".jpg", "JPEG")])
def test_a_wide_picture_keeps_its_numbers(tmp_path: Path, suffix: str, row: str) -> None:
    path = tmp_path / f"a{suffix}"
    options = {"lossless": True} if row == "WEBP" else {}
    Pil.fromarray(Q).save(path, row, icc_profile=WIDE, **options)
    found = own_colours(path)
    assert found is not None and found[1] == WIDE
    np.testing.assert_array_equal(found[0], np.asarray(Pil.open(path).convert("RGB")))
    np.testing.assert_array_equal(recoloured(*found)[0], read_image(path).pixels)
    assert (read_image(path).pixels != found[0]).any()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_upright_like_the_picture(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "a.png"
    Pil.fromarray(Q).save(path, icc_profile=WIDE, exif=pictures.exif({0x0112: orientation}))
    found = own_colours(path)
    assert found is not None
    np.testing.assert_array_equal(recoloured(*found)[0], read_image(path).pixels)


def test_alpha_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Pil.fromarray(np.dstack([Q, Q[..., 0]])).save(path, icc_profile=WIDE)
    found = own_colours(path)
    assert found is not None
    np.testing.assert_array_equal(found[0], Q)


def plain(**more: object) -> bytes:
    buffer = io.BytesIO()
    Pil.fromarray(Q).convert(str(more.pop("mode", "RGB"))).save(buffer, "PNG", **more)
    return buffer.getvalue()


def test_what_is_srgb_or_not_understood_has_no_colours_of_its_own(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for number, data in enumerate(
        (plain(), plain(icc_profile=srgb), plain(icc_profile=b"no profile"), plain(icc_profile=WIDE, mode="L"))
    ):
        path = tmp_path / f"{number}.png"
        path.write_bytes(data)
        assert own_colours(path) is None
    path = tmp_path / "a.bmp"
    Pil.fromarray(Q).save(path)
    assert own_colours(path) is None


def test_a_wide_heic_as_phones_write_it(tmp_path: Path) -> None:
    pytest.importorskip("av")
    data = spatial_heic.encoded(StereoPair(Q, Q, profile=WIDE))
    path = tmp_path / "a.heic"
    path.write_bytes(data)
    found = own_colours(path)
    assert found is not None and found[1] == WIDE
    assert np.abs(found[0].astype(int) - Q).mean() < 4
    np.testing.assert_array_equal(recoloured(*found)[0], read_image(path).pixels)
