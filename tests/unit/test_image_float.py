"""TIFF with floating-point colours."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from unflat.errors import InputError
from unflat.formats.image import read_image
from unflat.formats.tiff import srgb_of_light

RANDOM = np.random.default_rng(5)
LIGHT = RANDOM.random((30, 44, 3)).astype(np.float32)


def slow_srgb(light: float) -> int:
    """IEC 61966-2-1, word for word."""
    value = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return int(value * 255 + 0.5)


def tiff(colours: np.ndarray, bits: int = 32, planar: int = 1, order: str = "<", profile: bytes = b"") -> bytes:
    """An uncompressed TIFF of one strip (a strip a plane, if ``planar`` is 2), (h, w, c) floating point."""
    height, width, count = colours.shape
    body = (colours if planar == 1 else colours.transpose(2, 0, 1)).astype(f"{order}f{bits // 8}").tobytes()
    strips = 1 if planar == 1 else count
    rows: list[tuple[int, int, list[int] | bytes]] = [
        (256, 4, [width]), (257, 4, [height]), (258, 3, [bits] * count), (259, 3, [1]), (262, 3, [2]),
        (273, 4, [0] * strips), (277, 3, [count]), (278, 4, [height]), (279, 4, [len(body) // strips] * strips),
        (284, 3, [planar]), *([(338, 3, [2])] if count == 4 else []), (339, 3, [3] * count),
        *([(34675, 7, profile)] if profile else []),
    ]  # fmt: skip
    start = 8 + 2 + 12 * len(rows) + 4
    for _ in range(2):  # the second time the place of the strips is known
        entries, heap = b"", b""
        for tag, kind, values in rows:
            raw = (
                values
                if isinstance(values, bytes)
                else struct.pack(order + {3: "H", 4: "I"}[kind] * len(values), *values)
            )
            inline = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(order + "I", start + len(heap))
            heap += raw if len(raw) > 4 else b""
            entries += struct.pack(order + "HHI", tag, kind, len(values)) + inline
        first, step = start + len(heap), len(body) // strips
        rows = [(t, k, [first + i * step for i in range(strips)] if t == 273 else v) for t, k, v in rows]
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(rows))
    return head + entries + b"\0" * 4 + heap + body


def put(folder: Path, data: bytes) -> Path:
    path = folder / "a.tif"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_linear_light_becomes_srgb_and_is_said_so(tmp_path: Path, bits: int, order: str) -> None:
    image = read_image(put(tmp_path, tiff(LIGHT, bits, order=order)))
    wanted = np.vectorize(slow_srgb)(LIGHT.astype(np.float64))
    assert np.abs(image.pixels.astype(int) - wanted).max() <= 1
    assert (image.pixels == wanted).mean() > 0.999
    assert any("linear light" in note for note in image.notes) and len(image.notes) == 1


@pytest.mark.parametrize("compression", [5, 8])
def test_compressed_with_the_floating_predictor(tmp_path: Path, compression: int) -> None:
    data = cv2.imencode(".tif", LIGHT[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, compression])[1].tobytes()
    assert np.array_equal(read_image(put(tmp_path, data)).pixels, srgb_of_light(LIGHT))


def test_what_is_brighter_than_white_and_what_is_no_number(tmp_path: Path) -> None:
    light = LIGHT.copy()
    light[0, 0], light[0, 1], light[0, 2], light[0, 3] = 7, np.nan, np.inf, -3
    image = read_image(put(tmp_path, tiff(light)))
    assert image.pixels[0, :4, 0].tolist() == [255, 0, 255, 0]
    assert any("brighter than 1.0" in note for note in image.notes)


def test_alpha_is_kept(tmp_path: Path) -> None:
    alpha = np.linspace(0, 1, 30 * 44, dtype=np.float32).reshape(30, 44, 1)
    image = read_image(put(tmp_path, tiff(np.concatenate([LIGHT, alpha], axis=2))))
    assert image.alpha is not None and image.alpha[0, 0] == 0 and image.alpha[-1, -1] == 255
    assert np.array_equal(image.pixels, srgb_of_light(LIGHT))


def test_a_profile_of_display_values_is_followed(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = read_image(put(tmp_path, tiff(LIGHT, profile=profile)))
    assert np.abs(image.pixels.astype(int) - LIGHT * 255).max() <= 1.01
    assert any("colour profile" in note for note in image.notes)


def test_a_linear_profile_of_other_primaries_is_followed(tmp_path: Path) -> None:
    """sRGB's own profile with gamma 1 and red and green swapped: the colours come out swapped."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for at in range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12):
        name = bytes(profile[at : at + 4])
        where = int.from_bytes(profile[at + 4 : at + 8], "big")
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            profile[where : where + 16] = b"para" + bytes(4) + b"\0\0\0\0" + b"\0\1\0\0"
        if name in (b"rXYZ", b"gXYZ"):
            profile[at : at + 4] = b"gXYZ" if name == b"rXYZ" else b"rXYZ"
    image = read_image(put(tmp_path, tiff(LIGHT, profile=bytes(profile))))
    wanted = srgb_of_light(LIGHT[..., [1, 0, 2]])
    assert np.abs(image.pixels.astype(int) - wanted).max() <= 1
    assert any("by its colour profile" in note for note in image.notes)


def test_a_damaged_profile_is_ignored_and_said_so(tmp_path: Path) -> None:
    image = read_image(put(tmp_path, tiff(LIGHT, profile=b"no profile at all")))
    assert np.array_equal(image.pixels, srgb_of_light(LIGHT))
    assert any("damaged" in note for note in image.notes)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (tiff(LIGHT, 16), "of 16 bits"),
        (tiff(LIGHT, planar=2), "separate planes"),
        (tiff(np.concatenate([LIGHT, LIGHT], axis=2)), "6 floating-point samples"),
    ],
)
def test_other_layouts_are_refused_by_their_true_reason(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_image(put(tmp_path, data))
    assert "32 bits" in caught.value.hint and "damaged" not in str(caught.value)


def test_cut_short_and_too_large(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = tiff(LIGHT)
    with pytest.raises(InputError, match="cannot be read"):
        read_image(put(tmp_path, data[:-6000]))
    with pytest.raises(InputError, match="more than the"):
        read_image(put(tmp_path, data), max_pixels=100)
    assert capfd.readouterr() == ("", "")


def test_grey_floats_are_still_pillows(tmp_path: Path) -> None:
    path = tmp_path / "g.tif"
    Image.fromarray(LIGHT[..., 0]).save(path)
    assert np.abs(read_image(path).pixels[..., 0] - LIGHT[..., 0] * 255).max() <= 0.51
