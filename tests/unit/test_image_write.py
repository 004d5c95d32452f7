"""Stills go out whole, readable, and without secrets."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageCms

import pictures
from unflat.errors import InputError, OutputError
from unflat.formats.image import encoded, read_image, write_image
from unflat.trust.privacy import ARTIST, COPYRIGHT, KEPT, NEVER, private_things
from unflat.types.image import Image
from unflat.types.provenance import Rights, Source

Q = pictures.quarters()
RIGHTS = Rights(creator="Zoë Ångström", copyright="© 2026 Zoë Ångström", licence="CC-BY-4.0")
IMAGE = Image(Q, source=Source("a.jpg", None, "array", RIGHTS))


def reopened(path: Path) -> Pil.Image:
    return Pil.open(io.BytesIO(path.read_bytes()))


SUFFIXES = [".png", ".jpg", ".webp", ".tif", ".avif"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(IMAGE, path, quality=95)
    back = read_image(path)
    assert np.abs(back.pixels.astype(int) - Q).mean() < 5
    assert (back.source.rights.creator, back.source.rights.copyright) == (RIGHTS.creator, RIGHTS.copyright)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_only_author_and_copyright_travel(tmp_path: Path, suffix: str) -> None:
    secret = pictures.exif(
        {0x010F: "Maker", ARTIST: "Ann", COPYRIGHT: "Ann 2026", 0x013C: "HOST-9"},
        {0xA431: "SERIAL-77", 0xA430: "OWNER-88", 0x927C: b"NOTE-99", 0x9286: b"ASCII\0\0\0COMMENT-5"},
        gps=True,
    )
    source = tmp_path / "in.jpg"
    source.write_bytes(pictures.encoded(Q, "JPEG", exif=secret))
    target = tmp_path / f"out{suffix}"
    write_image(read_image(source), target)
    data = target.read_bytes()
    for trace in (b"Maker", b"HOST-9", b"SERIAL-77", b"OWNER-88", b"NOTE-99", b"COMMENT-5"):
        assert trace not in data
    exif = reopened(target).getexif()
    structure = {256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 339, 282, 283, 296, 317}
    assert set(exif) - (structure if suffix == ".tif" else set()) == set(KEPT)
    assert private_things(exif) == () and not exif.get_ifd(0x8825)


def test_the_lists_agree() -> None:
    assert not set(KEPT) & set(NEVER)
    assert private_things([0x8825, 0x8825, 0xA431, 0x013B]) == ("GPS position", "camera serial number")


def test_an_unchanged_jpeg_is_not_encoded_again(tmp_path: Path) -> None:
    source = tmp_path / "in.jpg"
    source.write_bytes(pictures.encoded(pictures.smooth(), "JPEG", quality=70, exif=pictures.exif({ARTIST: "Ann"})))
    image = read_image(source)
    write_image(image, tmp_path / "out.jpg", text={"a": "b"})
    back = read_image(tmp_path / "out.jpg")
    assert np.array_equal(back.pixels, image.pixels) and back.jpeg == image.jpeg
    assert back.source.rights.creator == "Ann"


def test_png_text_carries_provenance(tmp_path: Path) -> None:
    write_image(IMAGE, tmp_path / "a.png", text={"unflat": "söurce", "model": "ramp"})
    info = reopened(tmp_path / "a.png").info
    assert info["unflat"] == "söurce" and info["model"] == "ramp"


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif", ".tif"])
def test_elsewhere_provenance_is_the_description(tmp_path: Path, suffix: str) -> None:
    write_image(IMAGE, tmp_path / f"a{suffix}", text={"model": "ramp"})
    assert reopened(tmp_path / f"a{suffix}").getexif()[0x010E] == '{"model": "ramp"}'


def test_alpha_stays_or_is_laid_on_white(tmp_path: Path) -> None:
    alpha = np.zeros((48, 64), np.uint8)
    alpha[:, 32:] = 255
    image = Image(Q, alpha)
    write_image(image, tmp_path / "a.webp", quality=100)
    write_image(image, tmp_path / "a.jpg")
    back = read_image(tmp_path / "a.webp")
    assert back.alpha is not None and np.array_equal(back.alpha, alpha)
    assert read_image(tmp_path / "a.jpg").pixels[:, :24].min() > 245


def test_refusals_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        write_image(IMAGE, tmp_path / "a.png")
    with pytest.raises(InputError, match="no still picture format"):
        write_image(IMAGE, tmp_path / "a.xyz")
    with pytest.raises(InputError, match="quality"):
        write_image(IMAGE, tmp_path / "b.jpg", quality=0)
    wide = Image(np.zeros((1, 70_000, 3), np.uint8))
    with pytest.raises(InputError, match="cannot be written as"):
        write_image(wide, tmp_path / "b.webp")
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"] and (tmp_path / "a.png").read_bytes() == b"mine"
    write_image(IMAGE, tmp_path / "a.png", force=True)
    assert Pil.open(io.BytesIO((tmp_path / "a.png").read_bytes())).size == (64, 48)


@pytest.mark.parametrize("row", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_only_a_dated_picture_says_when_it_was_taken(tmp_path: Path, row: str) -> None:
    image = Image(Q, source=Source("a.jpg", None, "array", RIGHTS, "2024:05:01 12:30:00 +02:00"))
    for dated in (True, False):
        data = encoded(image, row, dated=dated)
        assert (b"2024:05:01 12:30:00" in data) == dated
        path = tmp_path / f"{dated}.{row.lower()}"
        path.write_bytes(data)
        assert read_image(path).source.taken == (
            (image.source.taken[:19] if row == "TIFF" else image.source.taken) if dated else None
        )


@pytest.mark.parametrize("row", ["JPEG", "WEBP", "AVIF"])
def test_fine_pictures_keep_the_colour_of_every_column(row: str) -> None:
    columns = np.zeros((64, 64, 3), np.uint8)
    columns[:, ::2], columns[:, 1::2] = (200, 40, 40), (40, 120, 120)
    apart = {}
    for fine in (True, False):
        back = np.asarray(Pil.open(io.BytesIO(encoded(Image(columns), row, 85, fine=fine))).convert("RGB"))
        apart[fine] = np.abs(back.astype(int) - columns).mean()
    assert apart[True] < 6 and apart[False] > 2 * apart[True]


@pytest.mark.parametrize("row", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_a_profile_goes_along(row: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert Pil.open(io.BytesIO(encoded(IMAGE, row, profile=profile))).info["icc_profile"] == profile
    assert "icc_profile" not in Pil.open(io.BytesIO(encoded(IMAGE, row))).info
