"""Every kind of still picture comes in upright, in sRGB, and damage is told in one line."""

from __future__ import annotations

import io
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageCms

import pictures
from unflat.errors import InputError, MissingExtraError
from unflat.formats.image import read_image

Q = pictures.quarters()


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def assert_close(got: np.ndarray, want: np.ndarray, mean: float) -> None:
    assert got.shape == want.shape
    assert np.abs(got.astype(int) - want).mean() <= mean


@pytest.mark.parametrize(
    ("form", "suffix", "options", "mean"),
    [
        ("JPEG", ".jpg", {"quality": 95, "subsampling": 0}, 2),
        ("PNG", ".png", {}, 0),
        ("WEBP", ".webp", {"lossless": True}, 0),
        ("TIFF", ".tif", {}, 0),
        ("TIFF", ".tif", {"compression": "tiff_lzw"}, 0),
        ("AVIF", ".avif", {"quality": 95, "subsampling": "4:4:4"}, 2),
        ("BMP", ".bmp", {}, 0),
        ("PPM", ".ppm", {}, 0),
    ],
)
def test_formats(tmp_path: Path, form: str, suffix: str, options: dict[str, object], mean: float) -> None:
    image = read_image(put(tmp_path, "a" + suffix, pictures.encoded(Q, form, **options)))
    assert_close(image.pixels, Q, mean)
    assert image.alpha is None and image.notes == ()
    assert (image.source.name, len(image.source.sha256 or "")) == ("a" + suffix, 64)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("form", "options", "mean"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}, 2),
        ("PNG", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("AVIF", {"quality": 95, "subsampling": "4:4:4"}, 2),
    ],
)
def test_every_orientation_becomes_upright(
    tmp_path: Path, orientation: int, form: str, options: dict[str, object], mean: float
) -> None:
    stored = pictures.as_stored(Q, orientation)
    data = pictures.encoded(stored, form, exif=pictures.exif({0x0112: orientation}), **options)
    image = read_image(put(tmp_path, "a", data))
    assert_close(image.pixels, Q, mean)
    assert (image.jpeg is None) == (form != "JPEG" or orientation != 1)


@pytest.mark.parametrize("turns", range(4))
def test_heic_is_turned_once_whatever_its_exif_says(tmp_path: Path, turns: int) -> None:
    data = pictures.heic(quarter_turns=turns, exif_block=pictures.exif({0x0112: 6, 0x013B: "Ann"}, {0xA405: 26}))
    image = read_image(put(tmp_path, "a.heic", data))
    assert_close(image.pixels, np.rot90(Q, turns), 1)
    assert (image.source.format, image.source.rights.creator, image.lens.focal_35mm) == ("heic", "Ann", 26)


def test_heic_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(MissingExtraError, match="HEIC") as caught:
        read_image(put(tmp_path, "a.heic", pictures.heic()))
    assert "pi-heif" in caught.value.hint


def test_raw_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(MissingExtraError) as caught:
        read_image(put(tmp_path, "a.dng", pictures.encoded(Q, "TIFF")))
    assert caught.value.exit_code == 4 and "unflat[raw]" in caught.value.hint


def test_the_content_decides_and_a_wrong_name_is_noted(tmp_path: Path) -> None:
    image = read_image(put(tmp_path, "a.png", pictures.encoded(Q, "JPEG")))
    assert image.source.format == "jpeg" and image.notes == ("named .png, but is JPEG",)


# --- kinds of pixels ----------------------------------------------------------------------------------------------


def test_alpha_is_kept_straight_and_dropped_where_opaque(tmp_path: Path) -> None:
    alpha = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    image = read_image(put(tmp_path, "a.png", pictures.encoded(np.dstack([Q, alpha]), "PNG")))
    assert image.alpha is not None
    assert np.array_equal(image.alpha, alpha) and np.array_equal(image.pixels, Q)
    opaque = np.dstack([Q, np.full((48, 64), 255, np.uint8)])
    assert read_image(put(tmp_path, "b.png", pictures.encoded(opaque, "PNG"))).alpha is None


def test_grey_with_alpha(tmp_path: Path) -> None:
    plane = np.dstack([np.full((8, 8), 90, np.uint8), np.full((8, 8), 40, np.uint8)])
    image = read_image(put(tmp_path, "a.png", pictures.encoded(plane, "PNG")))
    assert image.alpha is not None and (image.pixels == 90).all() and (image.alpha == 40).all()


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_palette_with_transparency(tmp_path: Path, form: str) -> None:
    picture = Pil.new("P", (4, 2))
    picture.putpalette([250, 10, 10, 10, 250, 10])
    picture.putdata([0, 1, 0, 1, 1, 1, 1, 1])
    buffer = io.BytesIO()
    picture.save(buffer, form, transparency=0)
    image = read_image(put(tmp_path, "a", buffer.getvalue()))
    assert image.alpha is not None
    assert image.alpha[0].tolist() == [0, 255, 0, 255]
    assert image.pixels[1, 1].tolist() == [10, 250, 10]


def test_colour_key_transparency(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Pil.fromarray(Q).save(buffer, "PNG", transparency=pictures.RED)
    image = read_image(put(tmp_path, "a.png", buffer.getvalue()))
    assert image.alpha is not None and image.alpha[0, 0] == 0 and image.alpha[-1, -1] == 255


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path, form: str) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, axis=0)
    image = read_image(put(tmp_path, "a", pictures.encoded(ramp, form)))
    assert np.abs(image.pixels[0, :, 0].astype(float) - np.arange(256)).max() <= 1
    assert image.pixels[0, 0, 0] == 0 and image.pixels[0, -1, 2] == 255


def test_big_endian_sixteen_bit_tiff(tmp_path: Path) -> None:
    samples = np.array([[0, 0x8000, 0xFFFF, 0x4000]], ">u2").tobytes()
    tags = [(256, 4), (257, 1), (258, 16), (259, 1), (262, 1), (273, 0), (277, 1), (278, 1), (279, len(samples))]
    start = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack(">HHIHH", t, 3, 1, start if t == 273 else v, 0) for t, v in tags)
    data = b"MM\0*" + struct.pack(">IH", 8, len(tags)) + entries + b"\0" * 4 + samples
    image = read_image(put(tmp_path, "a.tif", data))
    assert np.abs(image.pixels[0, :, 1].astype(int) - [0, 128, 255, 64]).max() <= 1


def png16_rgb(pixels: np.ndarray) -> bytes:
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_sixteen_bit_colour(tmp_path: Path) -> None:
    image = read_image(put(tmp_path, "a.png", png16_rgb(Q.astype(np.uint16) * 257)))
    assert_close(image.pixels, Q, 1)


def test_one_bit(tmp_path: Path) -> None:
    board = (np.indices((6, 10)).sum(axis=0) % 2).astype(bool)
    image = read_image(put(tmp_path, "a.png", pictures.encoded(board, "PNG")))
    assert np.array_equal(image.pixels[..., 0], board * 255)


@pytest.mark.parametrize(("top", "noted"), [(1.0, False), (40.0, True)])
def test_floating_tiff(tmp_path: Path, top: float, noted: bool) -> None:
    ramp = np.linspace(0, top, 256, dtype=np.float32)[None].repeat(3, axis=0)
    image = read_image(put(tmp_path, "a.tif", pictures.encoded(ramp, "TIFF")))
    assert np.abs(image.pixels[0, :, 0].astype(int) - np.arange(256)).max() <= 1
    assert bool(image.notes) == noted


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_without_profile(tmp_path: Path, form: str) -> None:
    buffer = io.BytesIO()
    Pil.fromarray(Q).convert("CMYK").save(buffer, form, **({"quality": 95} if form == "JPEG" else {}))
    image = read_image(put(tmp_path, "a", buffer.getvalue()))
    assert_close(image.pixels, Q, 6)
    assert "CMYK" in image.notes[0] and image.jpeg is None


# --- colour profiles ----------------------------------------------------------------------------------------------


def profile(space: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_embedded_profile_is_applied(tmp_path: Path, form: str) -> None:
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(form, {})
    data = pictures.encoded(Q, form, icc_profile=pictures.swapped_profile(), **options)
    image = read_image(put(tmp_path, "a", data))
    assert_close(image.pixels, Q[..., ::-1], 6)
    assert image.jpeg is None


def test_an_srgb_profile_changes_nothing_and_keeps_the_stream(tmp_path: Path) -> None:
    image = read_image(put(tmp_path, "a.jpg", pictures.encoded(Q, "JPEG", icc_profile=profile("sRGB"))))
    assert image.jpeg is not None and b"ICC_PROFILE" not in image.jpeg


@pytest.mark.parametrize("broken", [b"nonsense", profile("sRGB")[:200], profile("LAB")])
def test_a_broken_profile_is_noted(tmp_path: Path, broken: bytes) -> None:
    image = read_image(put(tmp_path, "a.png", pictures.encoded(Q, "PNG", icc_profile=broken)))
    assert np.array_equal(image.pixels, Q) and "profile" in image.notes[0]


# --- several frames -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "MPO", "AVIF"])
def test_the_first_of_several_frames(tmp_path: Path, form: str) -> None:
    frames = [Pil.fromarray(np.full((20, 30, 3), shade, np.uint8)) for shade in (250, 20, 120)]
    buffer = io.BytesIO()
    frames[0].save(buffer, form, save_all=True, append_images=frames[1:])
    image = read_image(put(tmp_path, "a", buffer.getvalue()))
    assert image.size.width == 30 and int(image.pixels.min()) > 240
    assert image.notes and image.notes[0].startswith("first of 3 ")


# --- the kept JPEG stream -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 90},
        {"quality": 90, "subsampling": 0},
        {"quality": 60, "subsampling": 1, "progressive": True},
        {"quality": 80, "restart_marker_rows": 1},
        {"quality": 80, "comment": b"taken by a person at home"},
        {"quality": 80, "keep_rgb": True},
    ],
)
@pytest.mark.parametrize("grey", [False, True])
def test_the_kept_stream_decodes_identically(tmp_path: Path, options: dict[str, object], grey: bool) -> None:
    pixels = pictures.smooth(161, 119)
    pixels = pixels[..., 0] if grey else pixels
    secret = pictures.exif({0x010F: "Maker", 0x0112: 1}, {0xA431: "SERIAL-77", 0x927C: b"note"}, gps=True)
    data = pictures.encoded(pixels, "JPEG", exif=secret, icc_profile=profile("sRGB") if not grey else None, **options)
    extra = pictures.segment(0xED, b"Photoshop 3.0\0secret") + pictures.xmp_segment(pictures.xmp_packet())
    data = pictures.with_segments(data, extra) + b"TRAILING SECRET"
    image = read_image(put(tmp_path, "a.jpg", data))
    assert image.jpeg is not None
    by_pillow = np.asarray(Pil.open(io.BytesIO(data)).convert("RGB"))
    assert np.array_equal(image.pixels, by_pillow)
    assert np.array_equal(np.asarray(Pil.open(io.BytesIO(image.jpeg)).convert("RGB")), by_pillow)
    for trace in (b"Exif", b"http", b"Photoshop", b"ICC", b"secret", b"SECRET", b"SERIAL", b"person", b"Maker"):
        assert trace not in image.jpeg


def test_the_thumbnail_in_jfif_is_dropped(tmp_path: Path) -> None:
    data = pictures.encoded(Q, "JPEG")
    assert data[2:4] == b"\xff\xe0"
    fat = data[:2] + pictures.segment(0xE0, data[6:18] + b"\x02\x02" + b"THUMB" * 2 + b"xx") + data[20:]
    image = read_image(put(tmp_path, "a.jpg", fat))
    assert image.jpeg == data


# --- what is wrong is told in one line ----------------------------------------------------------------------------


def refused(path: Path, capfd: pytest.CaptureFixture[str] | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_image(path)
    assert "\n" not in str(caught.value) and caught.value.hint
    if capfd is not None:
        assert capfd.readouterr() == ("", "")
    return str(caught.value)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "GIF", "BMP"])
def test_truncated_files(tmp_path: Path, form: str, capfd: pytest.CaptureFixture[str]) -> None:
    data = pictures.encoded(pictures.smooth(), form)
    for keep in (len(data) // 2, 40):
        assert "a.bin" in refused(put(tmp_path, "a.bin", data[:keep]), capfd)


def test_truncated_heic(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = pictures.heic()
    for keep in (len(data) - 60, 200, 40):
        refused(put(tmp_path, "a.heic", data[:keep]), capfd)


@pytest.mark.parametrize("name", [b"hvc1", b"Exif", b"urn:mpeg"])
def test_heic_words_that_would_crash_the_library(tmp_path: Path, name: bytes) -> None:
    data = pictures.heic(depth=pictures.depth_sei(1), exif_block=pictures.exif({0x013B: "Ann"}))
    assert name in data
    refused(put(tmp_path, "a.heic", data.replace(name, b"Ex\xf1" + name[3:])))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"just some words, no picture", "not a picture"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"\x00\x00\x00\x18ftypisom" + b"\0" * 20, "a film"),
        (b"\xff\xd8\xff", "cannot be read"),
    ],
)
def test_garbage(tmp_path: Path, data: bytes, words: str) -> None:
    assert words in refused(put(tmp_path, "a.jpg", data))


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    idat = b"IDAT" + zlib.compress(b"\0" * 1000)
    data += struct.pack(">I", len(idat) - 4) + idat + struct.pack(">I", zlib.crc32(idat))
    assert "60000×60000" in refused(put(tmp_path, "a.png", data))


def test_the_limit_is_the_callers(tmp_path: Path) -> None:
    path = put(tmp_path, "a.png", pictures.encoded(Q, "PNG"))
    with pytest.raises(InputError, match="more than the"):
        read_image(path, max_pixels=64 * 48 - 1)
    assert read_image(path, max_pixels=64 * 48).size.pixels == 64 * 48


def test_no_pixels(tmp_path: Path) -> None:
    jpeg = bytearray(pictures.encoded(Q, "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = b"\0\0\0\0"
    refused(put(tmp_path, "a.jpg", bytes(jpeg)))


def test_one_pixel_is_read(tmp_path: Path) -> None:
    assert read_image(put(tmp_path, "a.png", pictures.encoded(Q[:1, :1], "PNG"))).size.pixels == 1


def test_places_that_are_no_files(tmp_path: Path) -> None:
    assert "folder" in refused(tmp_path)
    assert "does not exist" in refused(tmp_path / "none.jpg")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        assert "ordinary" in refused(tmp_path / "pipe.jpg")


def test_mutated_files_never_escape(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(11)
    noted = pictures.exif({0x013B: "Ann", 0x0112: 6}, {0xA405: 26}, gps=True)
    sources = [pictures.encoded(Q, form, exif=noted) for form in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")]
    sources += [pictures.encoded(Q, "TIFF", compression=name) for name in ("tiff_lzw", "jpeg")]
    sources += [pictures.heic(exif_block=noted), pictures.encoded(Q, "GIF"), pictures.encoded(Q, "BMP")]
    read = 0
    for source in sources:
        for _ in range(60):
            data = bytearray(source)
            for at in random.integers(0, len(data), random.integers(1, 6)):
                data[at] = random.integers(0, 256)
            try:
                read_image(put(tmp_path, "a.bin", bytes(data)), max_pixels=1_000_000)
                read += 1
            except InputError as error:
                assert "\n" not in str(error)
    assert 0 < read < 60 * len(sources)
    assert capfd.readouterr() == ("", "")
