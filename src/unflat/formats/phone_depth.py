"""The depth a phone put into its own picture.

Three places are known: the auxiliary depth image of a HEIC file, Google's GDepth XMP, and Dynamic Depth (a container of
items behind the picture). What the numbers mean, by place:

=================================  ==========================================  ===================================
place and representation           sample v in 0..1 to depth                   kind
=================================  ==========================================  ===================================
HEIC uniform inverse Z             1/z = v (1/near − 1/far) + 1/far            SCALE (the file has no unit)
HEIC uniform Z                     z = v (far − near) + near                   SCALE
HEIC uniform disparity             d = v (d_max − d_min) + d_min, near large   DISPARITY (the offset is not told)
HEIC non-uniform disparity         piecewise linear model, else refused        DISPARITY
GDepth, Dynamic Depth RangeInverse z = far near / (far − v (far − near))       METRIC where the unit is m, else SCALE
GDepth, Dynamic Depth RangeLinear  z = v (far − near) + near                   METRIC where the unit is m, else SCALE
=================================  ==========================================  ===================================

Without its range a representation keeps only its order: inverse Z and disparity become DISPARITY, Z becomes AFFINE.
Sources: ITU-T H.265 annex G.14 (depth representation information SEI), ISO/IEC 23008-12, Google's depth map metadata
and Dynamic Depth 1.0.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from unflat.errors import InputError
from unflat.formats import xmp
from unflat.formats.decode import check_size, foreign_faults, opened, turned
from unflat.formats.exif import exif_of, load_exif, read_facts
from unflat.formats.heic import heic_plane, open_heic
from unflat.formats.image import read_bytes
from unflat.formats.jpeg import JpegStream
from unflat.formats.sniff import kind_of
from unflat.geometry.lens import focal_px
from unflat.types.arrays import F64, Bool
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import LensRecord, Size

_MOST_PIXELS = 50_000_000
_DEPTHMAP_SPACES = (xmp.GDEPTH, "http://ns.google.com/photos/dd/1.0/depthmap/")
_UNITS_M = {"m": 1.0, "meters": 1.0, "metres": 1.0, "mm": 1e-3, "millimeters": 1e-3, "millimetres": 1e-3}
_ITEM_SPACES = ("http://ns.google.com/photos/dd/1.0/item/", "http://ns.google.com/photos/1.0/container/item/")


@dataclass(frozen=True, slots=True)
class Range:
    """How the samples of a Google depth map become z.

    Attributes:
        inverse: RangeInverse rather than RangeLinear.
        near: z of v = 0, in the file's unit.
        far: z of v = 1.
        unit_m: Metres in one unit; None where the file states none.
        along_ray: The numbers are lengths of rays, not z.
    """

    inverse: bool
    near: float
    far: float
    unit_m: float | None
    along_ray: bool


def read_phone_depth(path: Path) -> DepthMap | None:
    """The depth map inside a picture file, upright like the picture; None where there is none that can be trusted.

    Its size is its own, usually smaller than the picture's, with the same shape. It has no intrinsics.

    Args:
        path: A HEIC or JPEG file.

    Raises:
        InputError: The file is missing or empty, or its depth is there but damaged.
        MissingExtraError: pi-heif is not installed.
    """
    path = Path(path)
    data = read_bytes(path)
    kind = kind_of(data[:256], path.suffix.lower())
    if kind == "HEIC":
        return _from_heic(data, path.name)
    if kind == "JPEG":
        return _from_jpeg(data, path.name)
    return None


# --- HEIC ---------------------------------------------------------------------------------------------------------


def _from_heic(data: bytes, name: str) -> DepthMap | None:
    with foreign_faults(name):
        _, picture = open_heic(data)
        found: list[Any] = picture.info.get("depth_images") or []
        if not found:
            return None
        width, height = found[0].size
        check_size(f"the depth in {name}", width, height, _MOST_PIXELS)
        plane = heic_plane(found[0])
        samples = plane if plane.ndim == 2 else plane[..., 0]
        tall = picture.size[1] > picture.size[0]
        exif_turn = picture.info.get("original_orientation") or _exif_turn(picture.info.get("exif"))
        meta: dict[str, Any] = found[0].info.get("metadata") or {}
    if tall != (samples.shape[0] > samples.shape[1]) and exif_turn in (5, 6, 7, 8):
        samples = turned(np.ascontiguousarray(samples), exif_turn)
    return heic_depth(samples, meta, origin=f"depth in {name}")


def _exif_turn(block: bytes | None) -> int:
    value = load_exif(block or b"").get(0x0112)
    return value if isinstance(value, int) else 1


def heic_depth(samples: np.ndarray[Any, Any], metadata: Mapping[str, Any], *, origin: str) -> DepthMap | None:
    """Turn the samples of an auxiliary depth image into depth; see the table at the top.

    Args:
        samples: (h, w) uint8 or uint16.
        metadata: As pi-heif gives it: ``representation_type``, and where known ``z_near``, ``z_far``, ``d_min``,
            ``d_max``, ``nonlinear_representation_model``.
        origin: Where it comes from, for the report.

    Returns:
        None for a non-uniform disparity whose model is not given.
    """
    v: F64 = samples.astype(np.float64) / np.iinfo(samples.dtype).max
    kind = _representation(metadata.get("representation_type"))
    near, far = _finite(metadata.get("z_near")), _finite(metadata.get("z_far"))
    low, high = _finite(metadata.get("d_min")), _finite(metadata.get("d_max"))
    ranged = near is not None and far is not None and 0 < near < far
    if kind == 3:
        model = metadata.get("nonlinear_representation_model")
        if not isinstance(model, Sequence):
            return None
        curve = np.asarray(cast(Sequence[float], model), np.float64)
        if curve.ndim != 1 or len(curve) < 2:
            return None
        v = np.interp(v, np.linspace(0, 1, len(curve)), curve)
        return _depth(v, DepthKind.DISPARITY, origin)
    if kind == 1:
        if low is not None and high is not None and high != low:
            v = low + v * (high - low)
        return _depth(v, DepthKind.DISPARITY, origin)
    if not ranged or near is None or far is None:
        return _depth(v, DepthKind.AFFINE if kind == 2 else DepthKind.DISPARITY, origin)
    z = near + v * (far - near) if kind == 2 else 1 / (v * (1 / near - 1 / far) + 1 / far)
    return _depth(z, DepthKind.SCALE, origin)


def _representation(value: object) -> int:
    """0 inverse Z, 1 disparity, 2 Z, 3 non-uniform disparity; Apple writes 1, and so do files that say nothing."""
    try:
        number = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        return 1
    return number if number in (0, 1, 2, 3) else 1


def _finite(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _depth(values: F64, kind: DepthKind, origin: str, valid: Bool | None = None) -> DepthMap:
    return DepthMap(np.ascontiguousarray(values, dtype=np.float32), kind, valid=valid, origin=origin)


# --- JPEG ---------------------------------------------------------------------------------------------------------


def _from_jpeg(data: bytes, name: str) -> DepthMap | None:
    stream = JpegStream.parse(data)
    if stream is None:
        return None
    found: dict[str, str] = {}
    items: list[tuple[dict[str, str], bytes]] = []
    for packet in stream.xmp():
        if packet is None:
            continue
        try:
            root = xmp.parse(packet)
        except xmp.XmpError:
            continue
        for space in _DEPTHMAP_SPACES:
            found = {**xmp.properties(root, space), **found}
        items = items or _items(root, data, stream.end)
    if "Format" not in found:
        return None
    payload = _payload(found, items, "Data", "DepthURI", "depth")
    span = _range(found)
    if payload is None or span is None:
        return None
    lens, orientation, size = _camera(data, name)
    v = _plane(payload, f"the depth in {name}")
    depth = google_depth(v, span, focal=_focal_of(lens, orientation, size, v), origin=f"depth in {name}")
    if depth is None:
        return None
    sure = _payload(found, items, "Confidence", "ConfidenceURI", "confidence")
    confidence = None if sure is None else _plane(sure, f"the depth confidence in {name}").astype(np.float32)
    if confidence is not None and confidence.shape != depth.values.shape:
        confidence = None
    if orientation == 1:
        return DepthMap(depth.values, depth.kind, depth.valid, confidence=confidence, origin=depth.origin)
    return DepthMap(
        turned(np.array(depth.values), orientation),
        depth.kind,
        turned(np.array(depth.valid, dtype=np.uint8), orientation).astype(bool),
        confidence=None if confidence is None else turned(confidence, orientation),
        origin=depth.origin,
    )


def google_depth(v: F64, span: Range, *, focal: float | None, origin: str) -> DepthMap | None:
    """Turn samples 0..1 into z; see the table at the top.

    Args:
        v: (h, w).
        span: What the file says of them.
        focal: Focal length in pixels of ``v``; needed only where the numbers run along the rays.
        origin: Where it comes from, for the report.

    Returns:
        None where the numbers run along the rays and the focal length is unknown.
    """
    if span.inverse:
        z = span.far * span.near / np.maximum(span.far - v * (span.far - span.near), 1e-12)
    else:
        z = span.near + v * (span.far - span.near)
    if span.along_ray:
        if focal is None:
            return None
        h, w = v.shape
        x: F64 = (np.arange(w, dtype=np.float64) + 0.5 - w / 2) / focal
        y: F64 = (np.arange(h, dtype=np.float64) + 0.5 - h / 2) / focal
        z = z / np.sqrt(1 + x[None] ** 2 + y[:, None] ** 2)
    kind = DepthKind.SCALE if span.unit_m is None else DepthKind.METRIC
    return _depth(z * (span.unit_m or 1.0), kind, origin)


def _range(found: Mapping[str, str]) -> Range | None:
    form, near, far = found.get("Format", ""), _finite(found.get("Near")), _finite(found.get("Far"))
    if form not in ("RangeInverse", "RangeLinear") or near is None or far is None or not 0 < near < far:
        return None
    unit = _UNITS_M.get(found.get("Units", "").lower())
    return Range(form == "RangeInverse", near, far, unit, found.get("MeasureType") == "OpticRay")


def _camera(data: bytes, name: str) -> tuple[LensRecord, int, tuple[int, int]]:
    with foreign_faults(name):
        picture = opened(data, "JPEG")
        exif, _ = exif_of(picture)
        facts = read_facts(exif, None, {}, picture.size)
        return facts.lens, facts.orientation, picture.size


def _focal_of(lens: LensRecord, orientation: int, size: tuple[int, int], v: F64) -> float | None:
    """Focal length in pixels of the depth map, which lies like the picture as stored."""
    known = focal_px(lens, Size(*size))
    return None if known is None else known[0] * v.shape[1] / size[0]


def _payload(
    found: Mapping[str, str], items: Sequence[tuple[dict[str, str], bytes]], inline: str, uri: str, semantic: str
) -> bytes | None:
    """The bytes of a map: inside the XMP as base64, or one of the items behind the picture."""
    if inline in found:
        try:
            return base64.b64decode("".join(found[inline].split()), validate=True)
        except (binascii.Error, ValueError):
            return None
    for item, content in items:
        if (uri in found and item.get("DataURI") == found[uri]) or item.get("Semantic", "").lower() == semantic:
            return content
    return None


def _items(root: xmp.Element, data: bytes, end: int | None) -> list[tuple[dict[str, str], bytes]]:
    """The items of a container directory: they follow the primary picture, in order, each of its stated length."""
    listed: list[dict[str, str]] = []
    for element in root.walk():
        own = {xmp.local(k): v for k, v in element.attributes.items() if k.rsplit(" ", 1)[0] in _ITEM_SPACES}
        for child in element.children:
            if child.name.rsplit(" ", 1)[0] in _ITEM_SPACES:
                own.setdefault(xmp.local(child.name), child.text.strip())
        if "Semantic" in own or "DataURI" in own:
            listed.append(own)
    if not listed or end is None:
        return []
    lengths = [int(t) if (t := item.get("Length", "0")).isascii() and t.isdigit() else 0 for item in listed]
    padding = listed[0].get("Padding", "0")
    start = end + (int(padding) if padding.isascii() and padding.isdigit() and len(padding) < 13 else 0)
    cut: list[tuple[dict[str, str], bytes]] = []
    for item, length in list(zip(listed, lengths, strict=True))[1:]:
        if length and start + length <= len(data):
            cut.append((item, data[start : start + length]))
        start += length
    return cut


def _plane(payload: bytes, name: str) -> F64:
    """Decode one grey map to 0..1; of a coloured one the first channel counts."""
    kind = kind_of(payload[:256], "")
    if kind not in ("JPEG", "PNG", "WebP"):
        raise InputError(f"{name} is not a picture that can be read", hint="Give --depth with a map of your own.")
    with foreign_faults(name):
        picture = opened(payload, kind)
        check_size(name, picture.size[0], picture.size[1], _MOST_PIXELS)
        picture.load()
        if picture.mode == "P":
            picture = picture.convert("RGB")
        plane = np.asarray(picture)
    plane = plane if plane.ndim == 2 else plane[..., 0]
    if plane.dtype == np.bool_:
        return plane.astype(np.float64)
    top = 65535 if plane.dtype != np.uint8 else 255
    return plane.astype(np.float64) / top
