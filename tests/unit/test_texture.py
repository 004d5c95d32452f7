"""Textures: untouched where they can be, without metadata always, decoded without trust."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

import scenes
from unflat.errors import InputError
from unflat.formats.texture import decoded, encoded
from unflat.types import Image, Rights, Size, Source


def jpeg_of(image: Image, **more: object) -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(image.pixels).save(file, "JPEG", quality=90, **more)
    return file.getvalue()


def test_untouched_jpeg_passes_through_both_ways() -> None:
    stream = jpeg_of(scenes.picture())
    image = decoded(stream, "a.jpg")
    assert image.jpeg == stream and image.source.format == "jpeg"
    assert encoded(image, 4096, 10) == (stream, "image/jpeg", image.size)


def test_jpeg_with_metadata_is_not_passed_on() -> None:
    exif = PillowImage.Exif()
    exif[0x010E] = "a secret place"
    for stream in (
        jpeg_of(scenes.picture(), exif=exif),
        jpeg_of(scenes.picture(), comment=b"a secret place"),
        jpeg_of(scenes.picture()) + b"a secret place",
    ):
        assert b"secret" in stream
        image = decoded(stream, "a.jpg")
        assert image.jpeg is None and b"secret" not in encoded(image, 4096, 90)[0]


@pytest.mark.parametrize("quality", [80, 90, 95])
def test_encoding_anew_stays_close(quality: int) -> None:
    image = scenes.picture(Size(320, 200))
    data, mime, size = encoded(image, 4096, quality)
    assert (mime, size) == ("image/jpeg", image.size)
    difference = np.abs(decoded(data, "a.jpg").pixels.astype(int) - image.pixels)
    assert difference.mean() < 1.5 and np.percentile(difference, 99) < 12


def test_high_quality_keeps_colour_at_full_resolution() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2, 0] = stripes[:, 1::2, 2] = 255
    image = Image(stripes)
    error = [np.abs(decoded(encoded(image, 64, q)[0], "a").pixels.astype(int) - stripes).mean() for q in (94, 95)]
    assert error[1] < 5 < error[0]


def test_shrinking_keeps_shape_and_mean() -> None:
    image = scenes.picture(Size(400, 300))
    data, _, size = encoded(image, 100, 95)
    assert size == Size(100, 75)
    np.testing.assert_allclose(decoded(data, "a").pixels.mean((0, 1)), image.pixels.mean((0, 1)), atol=1.5)


@pytest.mark.parametrize("alpha", ["mask", "soft"])
def test_alpha_is_kept_exactly(alpha: str) -> None:
    image = scenes.picture(alpha=alpha)
    data, mime, _ = encoded(image, 4096, 90)
    read = decoded(data, "a.png")
    assert mime == "image/png" and read.alpha is not None and image.alpha is not None
    np.testing.assert_array_equal(read.alpha, image.alpha)
    np.testing.assert_array_equal(read.pixels, image.pixels)


def test_hidden_colours_do_not_bleed_when_shrunk() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :33] = 200
    pixels[:, 33:] = (0, 255, 0)
    alpha = np.zeros((64, 64), np.uint8)
    alpha[:, :33] = 255
    read = decoded(encoded(Image(pixels, alpha), 16, 90)[0], "a.png")
    assert read.alpha is not None
    seen = read.alpha > 0
    np.testing.assert_array_equal(read.pixels[seen], np.full((seen.sum(), 3), 200))
    assert read.alpha[0, 8] == round(255 / 4)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"a\.jpg"):
        decoded(data, "a.jpg")


def test_truncated_pictures_are_refused() -> None:
    image = scenes.picture(alpha="soft")
    png = encoded(image, 4096, 90)[0]
    for stream in (png, jpeg_of(image)):
        with pytest.raises(InputError):
            decoded(stream[: len(stream) // 2], "a")


def test_grey_palette_and_deep_pictures_become_srgb_bytes() -> None:
    grey = scenes.picture().pixels[..., 0]
    for array in (grey, grey.astype(np.uint16) * 257):
        stream = cv2.imencode(".png", array)[1].tobytes()
        read = decoded(stream, "a").pixels
        assert read.shape == (64, 96, 3) and np.abs(read[..., 0].astype(int) - grey).max() <= 1


def test_author_and_copyright_travel_with_a_picture_and_nothing_else() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    source = Source("a.jpg", None, "jpeg", Rights(creator="Ada", copyright="(c) Ada", usage_terms="none"))
    data, mime, _ = encoded(Image(pixels, source=source), 4096, 90)
    assert mime == "image/jpeg"
    with PillowImage.open(io.BytesIO(data)) as opened:
        assert dict(opened.getexif()) == {0x013B: "Ada", 0x8298: "(c) Ada"}
    bare, _, _ = encoded(Image(pixels), 4096, 90)
    assert b"Exif" not in bare
