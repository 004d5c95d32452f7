"""Pictures inside other files: encoded with author and copyright and nothing else, decoded without trust.

A texture is a JPEG; only a picture with alpha becomes a PNG. A JPEG that came in unchanged goes out unchanged: no
generation is lost and nothing is spent.
"""

from __future__ import annotations

import hashlib
import struct
import zlib

import cv2
import numpy as np
from PIL import Image as PillowImage

from unflat.errors import InputError
from unflat.formats.decode import opened as open_as
from unflat.formats.exif import exif_block
from unflat.formats.jpeg import with_exif
from unflat.trust.privacy import travelling
from unflat.types.image import Image, Size
from unflat.types.provenance import Source

MAX_TEXTURE_PIXELS = 80_000_000
"""Largest texture that is decoded; about 9000×9000."""

_TROUBLE = (OSError, SyntaxError, ValueError, IndexError, struct.error, zlib.error, EOFError, OverflowError)
"""What Pillow's JPEG and PNG decoders raise on damaged files (UnidentifiedImageError is an OSError)."""


def encoded(image: Image, max_side: int, quality: int) -> tuple[bytes, str, Size]:
    """Encode a picture as a texture.

    Args:
        image: Any picture. Its own JPEG stream is used as it is when the size fits.
        max_side: Longest side in pixels.
        quality: JPEG quality, 1..100, for a picture that must be encoded anew. From 95 on with full colour
            resolution, below with halved, as cameras do.

    Returns:
        The bytes, "image/jpeg" or "image/png", and the size they hold. Author and copyright are in the JPEG where
        the picture states them, for a picture beside a model may travel alone; no other metadata is.
    """
    size = image.size.fitted(max_side)
    if image.alpha is None and image.jpeg is not None and size == image.size:
        return _signed(image.jpeg, image), "image/jpeg", size
    bgr = cv2.cvtColor(image.pixels, cv2.COLOR_RGB2BGR)
    if image.alpha is not None:
        return _png(bgr, image.alpha, size), "image/png", size
    if size != image.size:
        bgr = cv2.resize(bgr, (size.width, size.height), interpolation=cv2.INTER_AREA)
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if quality >= 95 else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    return _signed(cv2.imencode(".jpg", bgr, flags)[1].tobytes(), image), "image/jpeg", size


def _signed(stream: bytes, image: Image) -> bytes:
    """A bare JPEG with the rights that its picture states."""
    exif = exif_block(travelling(image.source.rights))
    return with_exif(stream, exif) if exif else stream


def _png(bgr: np.ndarray, alpha: np.ndarray, size: Size) -> bytes:
    """A PNG with alpha. Shrinking weighs colours by their alpha, so that what is hidden does not bleed in."""
    if size.shape != alpha.shape:
        target = (size.width, size.height)
        weight = alpha.astype(np.float32) / 255
        small = cv2.resize(weight, target, interpolation=cv2.INTER_AREA)
        mixed = cv2.resize(bgr * weight[..., None], target, interpolation=cv2.INTER_AREA)
        plain = cv2.resize(bgr, target, interpolation=cv2.INTER_AREA)
        seen = small[..., None] > 0
        bgr = np.where(seen, np.rint(mixed / np.where(seen, small[..., None], 1)), plain).clip(0, 255).astype(np.uint8)
        alpha = np.rint(small * 255).astype(np.uint8)
    return cv2.imencode(".png", np.dstack([bgr, alpha]), [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def decoded(data: bytes, name: str) -> Image:
    """Decode an embedded JPEG or PNG from a file that nobody vouches for.

    A JPEG without metadata is kept beside its pixels, so that writing it again changes nothing.

    Raises:
        InputError: Not a JPEG or PNG, damaged, or larger than MAX_TEXTURE_PIXELS.
    """
    try:
        opened = open_as(data, "PNG" if data[:4] == b"\x89PNG" else "JPEG")
        width, height = opened.size
        if width * height > MAX_TEXTURE_PIXELS:
            raise InputError(f"the picture inside {name} is too large: {width}×{height}")
        kind, mode = str(opened.format).lower(), opened.mode
        if mode.startswith("I"):  # 16-bit grey, which Pillow would clip
            grey = np.asarray(opened).astype(np.uint32) >> 8
            pixels, alpha = np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2), None
        elif opened.has_transparency_data:
            rgba = np.asarray(opened.convert("RGBA"))
            pixels, alpha = rgba[..., :3], rgba[..., 3]
        else:
            pixels, alpha = np.asarray(opened.convert("RGB")), None
    except (*_TROUBLE, PillowImage.DecompressionBombError) as error:
        raise InputError(f"the picture inside {name} cannot be decoded: {error}") from error
    if alpha is not None and alpha.min() == 255:
        alpha = None
    source = Source(name, hashlib.sha256(data).hexdigest(), kind)
    clean = kind == "jpeg" and mode == "RGB" and not _has_metadata(data)
    return Image(pixels, alpha, source, jpeg=data if clean else None)


def _has_metadata(jpeg: bytes) -> bool:
    """True if a JPEG carries more than what decoding needs (JFIF and Adobe's colour marker), or is not well formed."""
    at = 2
    while at + 4 <= len(jpeg):
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if jpeg[at] != 0xFF or length < 2:
            return True
        if marker == 0xDA:
            end = jpeg.rfind(b"\xff\xd9")
            return end < 0 or any(jpeg[end + 2 :])
        if marker == 0xFE or (0xE1 <= marker <= 0xEF and marker != 0xEE):
            return True
        at += 2 + length
    return True
