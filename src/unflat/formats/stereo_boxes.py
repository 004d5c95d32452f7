"""Boxes by which a film in MP4 or QuickTime says that it is for two eyes.

- ``st3d`` and ``sv3d``: Google's Spherical Video V2 RFC. YouTube and headset players read them. Half a sphere is an
  ``equi`` projection with a quarter cropped on the left and on the right; the mesh that VR180 cameras write (``mshp``)
  is for fisheye lenses and is not written.
- ``uuid`` with XML: the V1 RFC, which some players read alone. Its cropped area counts the pixels of one eye.
- ``vexu`` and ``hfov``: Apple, "ISO Base Media File Format and Apple HEVC Stereo Video" (0.9) and its later edition on
  spatial and immersive media, whose ``pack`` says how views are packed in one frame. The layouts were checked against
  FFmpeg's reader; the words of the specifications could only be read in part, and no device was at hand.

All numbers are big-endian.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.formats.boxes import Box, full, picture_entries, picture_tracks
from unflat.formats.xmp import XmpError, parse, properties
from unflat.types.stereo import Layout

ST3D_MODES = {
    Layout.FULL_TB: 1,
    Layout.HALF_TB: 1,
    Layout.FULL_SBS: 2,
    Layout.HALF_SBS: 2,
    Layout.VR180: 2,
    Layout.CROSS: 4,
}
ST3D_WORDS = {0: "mono", 1: "top-bottom", 2: "left-right", 3: "custom", 4: "right-left"}
PROJECTIONS = {b"rect": "rectilinear", b"equi": "equirectangular", b"hequ": "half-equirectangular", b"fish": "fisheye"}
PACKINGS = {b"side": "side by side", b"over": "over and under"}
V1_UUID = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
LEFT_EYE, RIGHT_EYE, REVERSED = 1, 2, 8
"""Flags of ``stri``; 4 is for further views."""
MICROMETRES, MILLIDEGREES, DISPARITY_UNITS = 1_000_000, 1000, 10_000
_OURS = (b"st3d", b"sv3d", b"vexu", b"hfov")
_CONFIGURATION = (
    *(b"avcC", b"hvcC", b"lhvC", b"av1C", b"vpcC", b"esds", b"vvcC", b"dvcC", b"dvvC", b"dvwC"),
    *(b"d263", b"glbl", b"SMDm", b"CoLL", b"m4ds", b"svcC", b"mvcC"),
)
_QUARTER = 0x40000000
_V1_SPACE = "http://ns.google.com/videos/1.0/spherical/"
_V1 = (
    '<?xml version="1.0"?><rdf:SphericalVideo xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns:GSpherical="http://ns.google.com/videos/1.0/spherical/">{0}</rdf:SphericalVideo>'
)


@dataclass(frozen=True, slots=True)
class StereoMarks:
    """What a film is to say of itself.

    Attributes:
        layout: How its views are packed.
        degrees: Of the sphere that they are on, 180 or 360; None for flat ones.
        baseline_m: Between the eyes.
        fov_x_deg: Horizontal angle of view of each.
        disparity: By which share of a view's width the views are to be shifted apart, as Apple's players do, -1 to 1.
        hero: The eye that is shown where only one can be, "left" or "right".
    """

    layout: Layout
    degrees: int | None = None
    baseline_m: float | None = None
    fov_x_deg: float | None = None
    disparity: float | None = None
    hero: str | None = None

    def __post_init__(self) -> None:
        if self.degrees not in (None, 180, 360):
            raise InputError(f"films are on spheres of 180 or 360 degrees, not {self.degrees}")
        if self.baseline_m is not None and not 0 <= self.baseline_m * MICROMETRES <= 0xFFFFFFFF:
            raise InputError(f"eyes are not {self.baseline_m:g} m apart")
        if self.fov_x_deg is not None and not 0 < self.fov_x_deg <= 360:
            raise InputError(f"no eye has a view of {self.fov_x_deg:g} degrees")
        if self.disparity is not None and not -1 <= self.disparity <= 1:
            raise InputError(f"views are shifted by a share of their width from -1 to 1, not {self.disparity:g}")
        if self.hero not in (None, "left", "right"):
            raise InputError(f"the eye to be shown alone is left or right, not {self.hero}")


def write_marks(index: Box, path: Path, marks: StereoMarks) -> None:
    """Put what a film says of itself into its index, in place of what it said before.

    Args:
        index: ``moov``, with its entries open.
        path: The film, for messages.
        marks: What to say.

    Raises:
        InputError: The film holds no pictures, or ``SPATIAL`` is said of one that has no second layer.
    """
    track = next((t for t in picture_tracks(index) if picture_entries(t)), None)
    if track is None:
        raise InputError(f"{path.name} holds no pictures")
    track.inner = [b for b in track.inner or () if not (b.kind == b"uuid" and b.lead[:16] == V1_UUID)]
    for entry in picture_entries(track):
        kept = [box for box in entry.inner or () if box.kind not in _OURS]
        if marks.layout is Layout.SPATIAL and not any(box.kind == b"lhvC" for box in kept):
            raise InputError(f"{path.name} is no MV-HEVC film: it has no second layer (lhvC)")
        at = max((i + 1 for i, box in enumerate(kept) if box.kind in _CONFIGURATION), default=0)
        entry.inner = kept[:at] + boxes_for(marks) + kept[at:]
    if marks.degrees is not None:
        width, height = struct.unpack_from(">HH", picture_entries(track)[0].lead, 24)
        track.inner.append(Box(b"uuid", V1_UUID + v1_words(marks, width, height)))


def boxes_for(marks: StereoMarks) -> list[Box]:
    """The boxes for the description of the pictures; none for layouts that are ordinary pictures (anaglyph …)."""
    mode = ST3D_MODES.get(marks.layout)
    if mode is None and marks.layout is not Layout.SPATIAL:
        return []
    boxes = [] if mode is None else [full(b"st3d", bytes([mode]))]
    if marks.degrees is not None:
        boxes.append(_sv3d(marks.degrees))
    boxes.append(_vexu(marks))
    if marks.fov_x_deg is not None:
        boxes.append(Box(b"hfov", struct.pack(">I", round(marks.fov_x_deg * MILLIDEGREES))))
    return boxes


def _sv3d(degrees: int) -> Box:
    side = _QUARTER if degrees == 180 else 0
    projection = [full(b"prhd", struct.pack(">iii", 0, 0, 0)), full(b"equi", struct.pack(">IIII", 0, 0, side, side))]
    return Box(b"sv3d", inner=[full(b"svhd", b"unflat\0"), Box(b"proj", inner=projection)])


def _vexu(marks: StereoMarks) -> Box:
    reversed_eyes = REVERSED if marks.layout is Layout.CROSS else 0
    eyes = [full(b"stri", bytes([LEFT_EYE | RIGHT_EYE | reversed_eyes]))]
    if marks.hero is not None:
        eyes.append(full(b"hero", bytes([1 if marks.hero == "left" else 2])))
    if marks.baseline_m is not None:
        baseline = full(b"blin", struct.pack(">I", round(marks.baseline_m * MICROMETRES)))
        eyes.append(Box(b"cams", inner=[baseline]))
    if marks.disparity is not None:
        shift = full(b"dadj", struct.pack(">i", round(marks.disparity * DISPARITY_UNITS)))
        eyes.append(Box(b"cmfy", inner=[shift]))
    parts = [Box(b"eyes", inner=eyes)]
    kind = {None: b"rect", 180: b"hequ", 360: b"equi"}[marks.degrees]
    parts.append(Box(b"proj", inner=[full(b"prji", kind)]))
    if marks.layout is not Layout.SPATIAL:
        above = ST3D_MODES[marks.layout] == 1
        parts.append(Box(b"pack", inner=[full(b"pkin", b"over" if above else b"side")]))
    return Box(b"vexu", inner=parts)


def v1_words(marks: StereoMarks, width: int, height: int) -> bytes:
    """The XML of the first RFC for frames of this size in pixels."""
    mode = ST3D_MODES.get(marks.layout)
    across, down = (width // 2, height) if mode in (2, 4) else (width, height // 2) if mode == 1 else (width, height)
    words = {
        "Spherical": "true",
        "Stitched": "true",
        "StitchingSoftware": "unflat",
        "ProjectionType": "equirectangular",
    }
    if mode in (1, 2):
        words["StereoMode"] = "top-bottom" if mode == 1 else "left-right"
    if marks.degrees == 180:
        words |= {
            "CroppedAreaImageWidthPixels": str(across),
            "CroppedAreaImageHeightPixels": str(down),
            "FullPanoWidthPixels": str(2 * across),
            "FullPanoHeightPixels": str(down),
            "CroppedAreaLeftPixels": str(math.ceil(across / 2)),
            "CroppedAreaTopPixels": "0",
        }
    inside = "".join(f"<GSpherical:{name}>{value}</GSpherical:{name}>" for name, value in words.items())
    return _V1.format(inside).encode()


def read_marks(index: Box) -> dict[str, Any]:
    """What the first track with pictures says of two eyes, by the names of its boxes, in plain values.

    Args:
        index: ``moov``, with its entries open.

    Raises:
        struct.error: A box is too short.
    """
    track = next((t for t in picture_tracks(index) if picture_entries(t)), None)
    if track is None:
        return {}
    entry = picture_entries(track)[0]
    marks: dict[str, Any] = {}
    for box in entry.inner or ():
        if box.kind == b"st3d":
            marks["st3d"] = ST3D_WORDS.get(struct.unpack_from(">B", box.lead, 4)[0], "unknown")
        elif box.kind == b"sv3d":
            marks["sv3d"] = _read_sphere(box)
        elif box.kind == b"vexu":
            marks["vexu"] = _read_vexu(box)
        elif box.kind == b"hfov":
            marks["hfov"] = struct.unpack_from(">I", box.lead)[0] / MILLIDEGREES
        elif box.kind == b"lhvC":
            marks["lhvC"] = True
    for box in track.all(b"uuid"):
        if box.lead[:16] == V1_UUID:
            marks["v1"] = _read_v1(box.lead[16:])
    return marks


def read_equi(content: bytes) -> dict[str, Any]:
    """An equirectangular projection from the content of ``equi``, which Matroska holds too.

    Raises:
        struct.error: It is too short.
    """
    cropped = [edge / (1 << 32) for edge in struct.unpack_from(">IIII", content, 4)]
    top, bottom, left, right = cropped
    across, down = 360 * max(0.0, 1 - left - right), 180 * max(0.0, 1 - top - bottom)
    return {"projection": "equirectangular", "across_deg": round(across, 3), "down_deg": round(down, 3)}


def _read_sphere(box: Box) -> dict[str, Any]:
    around = box.first(b"proj", b"equi")
    if around is not None:
        return read_equi(around.lead)
    kinds = {b"cbmp": "cubemap", b"mshp": "mesh"}
    return {"projection": next((word for kind, word in kinds.items() if box.first(b"proj", kind)), "unknown")}


def _read_vexu(box: Box) -> dict[str, Any]:
    flags = struct.unpack_from(">B", box.words(b"eyes", b"stri") or bytes(5), 4)[0]
    eyes = [eye for eye, flag in (("left", LEFT_EYE), ("right", RIGHT_EYE)) if flags & flag]
    told: dict[str, Any] = {"eyes": eyes, "reversed": bool(flags & REVERSED)}
    hero, baseline = box.words(b"eyes", b"hero"), box.words(b"eyes", b"cams", b"blin")
    shift, projection = box.words(b"eyes", b"cmfy", b"dadj"), box.words(b"proj", b"prji")
    packing = box.words(b"pack", b"pkin")
    if hero:
        told["hero"] = {1: "left", 2: "right"}.get(struct.unpack_from(">B", hero, 4)[0])
    if baseline:
        told["baseline_m"] = struct.unpack_from(">I", baseline, 4)[0] / MICROMETRES
    if shift:
        told["disparity"] = struct.unpack_from(">i", shift, 4)[0] / DISPARITY_UNITS
    if projection:
        told["projection"] = PROJECTIONS.get(projection[4:8], projection[4:8].decode("latin-1"))
    if packing:
        told["packing"] = PACKINGS.get(packing[4:8], packing[4:8].decode("latin-1"))
    return told


def _read_v1(content: bytes) -> dict[str, Any]:
    """The words of the first RFC; only what is wanted of them, and nothing of damaged ones."""
    try:
        words = properties(parse(content), _V1_SPACE)
    except XmpError:
        return {"damaged": True}
    told: dict[str, Any] = {"projection": words.get("ProjectionType", "unknown")[:40]}
    if "StereoMode" in words:
        told["stereo"] = words["StereoMode"][:40]
    numbers = (words.get("CroppedAreaImageWidthPixels", ""), words.get("FullPanoWidthPixels", ""))
    if all(number.isascii() and number.isdigit() and len(number) < 8 for number in numbers) and int(numbers[1]):
        told["across_deg"] = round(360 * int(numbers[0]) / int(numbers[1]), 3)
    return told
