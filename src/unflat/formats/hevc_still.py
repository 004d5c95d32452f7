"""One picture coded as an HEVC still image, for HEIF files.

x265 codes it, through the PyAV of the extra ``video``: profile Main, 8 bits, 4:2:0, full range (what it calls Main
Still Picture asks for more buffers than that profile allows). Its parameter sets go into the decoder record (``hvcC``).

Source: ITU-T H.265, 7.3.1.1 (unit header), 7.3.2.2 and 7.3.3 (sequence parameters), B.2 (byte stream);
ISO/IEC 14496-15, 8.3.3.1 (decoder record).
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from unflat.errors import InputError, MissingExtraError
from unflat.formats.video import library
from unflat.types.arrays import U8
from unflat.types.image import Size

_VPS, _SPS, _PPS = 32, 33, 34
_START = re.compile(rb"\x00\x00\x00?\x01")
_SMALLEST, _LONGEST = 16, 16_384
_MOST_PIXELS = 35_651_584
"""Of one picture in the highest level (6.2), H.265 table A.8."""
_MATRIX = 6
"""How RGB becomes luma and two colours (ITU-T H.273): as in JPEG."""
_ITU601, _FULL_RANGE = 5, 2
"""The same and the range, as FFmpeg's scaler numbers them."""


@dataclass(frozen=True, slots=True)
class CodedStill:
    """A coded picture.

    Attributes:
        record: The decoder record: the content of an ``hvcC`` box.
        stream: The picture's units, each with its length before it in four bytes.
        size: As coded: with even sides, and never smaller than 16; what was asked for is its upper left part.
    """

    record: bytes
    stream: bytes
    size: Size


def coded_size(size: Size) -> Size:
    """The size that a picture is coded in: with even sides, and at least 16×16.

    Raises:
        InputError: No level of HEVC holds so large a picture.
    """
    coded = Size(*(max(_SMALLEST, side + side % 2) for side in (size.width, size.height)))
    if coded.pixels > _MOST_PIXELS or coded.long_side > _LONGEST:
        raise InputError(
            f"{size} is larger than an HEVC picture can be ({_MOST_PIXELS / 1e6:.1f} million pixels)",
            hint="Make the picture smaller, or write a JPEG or an MPO.",
        )
    return coded


def coded_still(pixels: U8, quality: int, *, srgb: bool = True) -> CodedStill:
    """Code a picture.

    Args:
        pixels: (h, w, 3) uint8.
        quality: 1..100, roughly as good as a JPEG of that quality.
        srgb: The colours are sRGB, which the stream then says.

    Raises:
        InputError: The quality is none, or the picture too large.
        MissingExtraError: There is no PyAV, or it cannot code HEVC.
    """
    if not 1 <= quality <= 100:
        raise InputError(f"the quality must be between 1 and 100, not {quality}")
    height, width = pixels.shape[:2]
    size = coded_size(Size(width, height))
    whole = np.pad(pixels, ((0, size.height - height), (0, size.width - width), (0, 0)), mode="edge")
    units = [unit for unit in _START.split(_byte_stream(whole, size, quality, srgb=srgb)) if unit]
    sets = [next(u for u in units if _kind(u) == kind) for kind in (_VPS, _SPS, _PPS)]
    shown = [u for u in units if _kind(u) < _VPS]
    stream = b"".join(struct.pack(">I", len(unit)) + unit for unit in shown)
    return CodedStill(_record(sets), stream, size)


def new_coder() -> Any:
    """x265, not yet opened.

    Raises:
        MissingExtraError: There is no PyAV, or it has no x265.
    """
    try:
        return library("writing HEIC pictures").CodecContext.create("libx265", "w")
    except ValueError as error:  # what PyAV's error for an unknown codec is
        missing = MissingExtraError("writing HEIC pictures", "video")
        missing.hint = "This PyAV cannot code HEVC; install the one of PyPI: pip install --force-reinstall av"
        raise missing from error


def _byte_stream(pixels: U8, size: Size, quality: int, *, srgb: bool) -> bytes:
    """What x265 makes of a picture: parameter sets and one picture, with start codes between them."""
    av, coder = library(), new_coder()
    coder.width, coder.height = size.width, size.height
    coder.pix_fmt, coder.time_base = "yuv420p", Fraction(1, 1)
    said = f"range=full:colormatrix=smpte170m{':colorprim=bt709:transfer=iec61966-2-1' if srgb else ''}"
    coder.options = {
        "preset": "medium",
        "crf": f"{_rate_factor(quality):g}",
        "x265-params": f"info=0:log-level=none:{said}",
    }
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    frame = frame.reformat(format="yuv420p", dst_colorspace=_ITU601, dst_color_range=_FULL_RANGE)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*coder.encode(frame), *coder.encode(None)])


def _rate_factor(quality: int) -> float:
    """x265's measure for a quality: what comes as close to a photograph as a JPEG of that quality, by measurement.

    Beyond 90 it stays behind, for colours have half their height and width here.
    """
    return 7 + 4.4 * math.sqrt(100 - quality)


def _kind(unit: bytes) -> int:
    return unit[0] >> 1 & 0x3F


def _record(sets: list[bytes]) -> bytes:
    """The decoder record of a stream with these video, sequence and picture parameters."""
    plain = sets[1].replace(b"\0\0\3", b"\0\0")
    nested, profile_tier_level = plain[2] & 1, plain[3:15]
    lead = b"\1" + profile_tier_level + struct.pack(">HBBBB", 0xF000, 0xFC, 0xFC | 1, 0xF8, 0xF8)
    lead += struct.pack(">HBB", 0, 1 << 3 | nested << 2 | 3, len(sets))
    return lead + b"".join(struct.pack(">BHH", 0x80 | _kind(unit), 1, len(unit)) + unit for unit in sets)
