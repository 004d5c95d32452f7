"""Depth in and out: 16-bit PNG, EXR, NPY, PFM, and a coloured JPEG to look at.

``depth_codes`` says how depth becomes numbers, ``depth_arrays`` how numbers become bytes, ``depth_sidecar`` how a file
says what its numbers mean. A file that does not say is never guessed.
"""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image as Pil

from unflat.errors import InputError
from unflat.formats import depth_arrays as arrays
from unflat.formats import depth_sidecar as sidecar
from unflat.formats.atomic import replacing
from unflat.formats.colourmap import depth_colours
from unflat.formats.decode import DECODE_FAULTS
from unflat.formats.depth_codes import coding_for, from_floats, to_floats
from unflat.formats.exif import exif_block
from unflat.formats.registry import ExportOptions
from unflat.formats.told_rights import all_rights, exr_rows, packet
from unflat.trust.privacy import travelling
from unflat.types.arrays import U8
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.provenance import Rights, Source

DEPTH_KINDS = ("metric", "scale", "affine", "disparity", "disparity-px")
"""What a user can say of a depth file with --depth-kind."""
_SAY = "Say what it holds: --depth-kind metric|scale|affine|disparity|disparity-px."
_MM = 1000.0
_OUTLIERS = (1.0, 99.0)
_GREY = 119
_HEAD = 1 << 16
_SAMPLES = 1_000_000


def read(path: Path, *, kind: str | None = None, max_pixels: int = 400_000_000) -> DepthMap:
    """Read a depth file.

    Its sidecar (or the same text inside PNG and EXR) decides what the numbers mean. Without one ``kind`` must say it:

    * ``metric``: metres; in a PNG millimetres, 0 is invalid.
    * ``scale``: z up to a factor; in a PNG 0 is invalid.
    * ``affine``, ``disparity``: as the kinds of :class:`DepthKind`.
    * ``disparity-px``: stereo disparity in pixels of the picture, as stored; becomes SCALE with z = 1/d.

    NaN is invalid, +inf is sky where the numbers are z; z <= 0 and d <= 0 are invalid. A PNG of 8 bits is taken, and
    the map's ``origin`` says so.

    Args:
        path: PNG, EXR, NPY or PFM; the content decides.
        kind: One of :data:`DEPTH_KINDS`, or None.
        max_pixels: More is refused before it is decoded.

    Raises:
        InputError: Damaged, too large, nothing valid in it, nobody says what it is, or ``kind`` contradicts the file.
    """
    path = Path(path)
    if kind is not None and kind not in DEPTH_KINDS:
        raise InputError(f"there is no depth kind '{kind}'", hint=f"Known: {' '.join(DEPTH_KINDS)}.")
    plane = arrays.read_plane(path, max_pixels)
    said = _said_of(path, plane)
    if said is not None:
        depth = _told(plane, said, path.name, kind)
    elif kind is not None:
        depth = _plain(plane, kind, path.name)
    else:
        raise InputError(f"{path.name} does not say what its numbers mean", hint=_SAY)
    if not np.asarray(depth.valid).any():
        raise InputError(f"{path.name} holds no valid depth", hint="Every pixel is NaN, zero or negative.")
    if plane.confidence is not None:
        depth = replace(depth, confidence=np.clip(np.nan_to_num(plane.confidence), 0, 1))
    return depth


def _said_of(path: Path, plane: arrays.Plane) -> sidecar.Sidecar | None:
    """What the sidecar says, else the text inside; None if neither is there."""
    beside = sidecar.load(path)
    inside = sidecar.parse(plane.text, f"the text in {path.name}") if plane.text else None
    if beside is None or inside is None:
        return beside or inside
    if beside.coding != inside.coding:
        raise InputError(
            f"{path.name} and its sidecar do not agree on what its greys mean",
            hint=f"Remove {sidecar.beside(path).name}: it was written with another file of that name.",
        )
    return beside


def _told(plane: arrays.Plane, said: sidecar.Sidecar, name: str, kind: str | None) -> DepthMap:
    height, width = plane.numbers.shape
    if (width, height) != (said.size.width, said.size.height):
        raise InputError(
            f"{name} has {width}×{height} pixels, but says of itself that it has {said.size}",
            hint="Remove its sidecar, or the text inside it, and say what it holds with --depth-kind.",
        )
    if kind is not None and kind != said.kind.value:
        raise InputError(
            f"{name} says that it is '{said.kind.value}', not '{kind}'",
            hint="Leave out --depth-kind, or remove the sidecar if it is wrong.",
        )
    if plane.codes != (said.coding is not None):
        raise InputError(f"the sidecar of {name} is for another kind of file", hint="Remove the sidecar.")
    if said.coding is not None:
        values, valid, sky = said.coding.decode(plane.numbers.astype(np.uint16))
    else:
        values, valid, sky = from_floats(plane.numbers, said.sky_mark)
    return said.told(values, valid, sky)


def _plain(plane: arrays.Plane, kind: str, name: str) -> DepthMap:
    """A file without a sidecar, of the kind that the user says."""
    values, valid, _ = from_floats(plane.numbers, None)
    origin = name if not (plane.codes and plane.numbers.dtype == np.uint8) else f"{name} (8 bits: only 256 steps)"
    if kind == "disparity-px":
        valid &= values > 0
        with np.errstate(over="ignore"):
            values = 1 / np.where(valid, values, np.float32(1))
        valid &= np.isfinite(values)
        return DepthMap(np.where(valid, values, np.float32(np.nan)), DepthKind.SCALE, valid, origin=origin)
    meaning = DepthKind(kind)
    if meaning is DepthKind.DISPARITY:
        return DepthMap(values, meaning, valid, origin=origin)
    sky = values == np.inf
    if meaning is DepthKind.METRIC and plane.codes:
        values = values / np.float32(_MM)
    if meaning.is_depth:
        valid &= values > 0
    return DepthMap(values, meaning, valid | sky, sky if sky.any() else None, origin=origin)


def write(depth: DepthMap, path: Path, options: ExportOptions) -> None:
    """Write a depth map and its sidecar, both or none; the suffix of ``path`` chooses the format.

    Raises:
        InputError: Nothing in it is valid, or the suffix is unknown.
        OutputError: The place cannot be written.
    """
    path = Path(path)
    if not np.asarray(depth.valid).any():
        raise InputError("the depth map holds no valid depth", hint="Every pixel is NaN or invalid.")
    suffix = path.suffix.lower()
    text = partial(sidecar.dump, depth, path.name)
    said = None if depth.provenance is None else packet(depth.provenance)
    with replacing(path, sidecar.beside(path), force=options.force) as (draft, note):
        if suffix == ".png":
            coding = coding_for(depth, options.near)
            words = text(coding)
            arrays.write_png(draft, coding.encode(depth), words, said)
        elif suffix in (".jpg", ".jpeg"):
            near = options.near or "white"
            words = text(looks=near)
            _write_coloured(draft, depth, near, said)
        elif suffix in (".exr", ".npy", ".pfm"):
            values, mark = to_floats(depth)
            words = text(sky_mark=mark)
            if suffix == ".exr":
                arrays.write_exr(draft, values, words, depth.confidence, exr_rows(depth.provenance))
            else:
                (arrays.write_npy if suffix == ".npy" else arrays.write_pfm)(draft, values, words)
        else:
            raise InputError(f"no depth format for {path.name}", hint="Known: .png .exr .npy .pfm .jpg")
        note.write_text(words, encoding="utf-8")


def tells(path: Path) -> bool:
    """Whether a PNG says of itself that it holds depth, in its sidecar or in its own text.

    Raises:
        InputError: What it says makes no sense.
    """
    if sidecar.load(path) is not None:
        return True
    try:
        with path.open("rb") as file:
            return b"tEXt" + sidecar.KEY.encode() in file.read(_HEAD)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def source_of(path: Path) -> Source:
    """Where a depth file stands in a story: its name and the digest of its bytes.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return Source(path.name, hashlib.file_digest(file, "sha256").hexdigest(), "depth")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def coloured(depth: DepthMap, near: str = "white") -> U8:
    """A picture of the depth to look at: (h, w, 3) uint8 sRGB, light is near (dark, if ``near`` is "black").

    Inverse depth (z for AFFINE) between its 1st and 99th percentile; the sky is the far end, invalid is grey.
    """
    surface = depth.surface
    nearness = -depth.values if depth.kind is DepthKind.AFFINE else depth.values
    if depth.kind.is_depth:
        nearness = 1 / np.where(surface, depth.values, np.float32(1))
    known = nearness[surface]
    low, high = np.percentile(known[:: len(known) // _SAMPLES + 1], _OUTLIERS) if known.size else (0.0, 1.0)
    step = np.float32(255 / (high - low or 1.0))
    level = np.clip((np.where(surface, nearness, np.float32(low)) - np.float32(low)) * step, 0, 255)
    table = depth_colours() if near == "white" else depth_colours()[::-1]
    picture = np.take(table, (level + np.float32(0.5)).astype(np.uint8), axis=0)
    picture[~np.asarray(depth.valid)] = _GREY
    return picture


def thumbnail(depth: DepthMap, long_side: int = 480) -> str:
    """The coloured depth as a small PNG in a ``data:`` address, for notebooks."""
    size = depth.size.fitted(long_side)
    buffer = io.BytesIO()
    Pil.fromarray(coloured(depth)).resize((size.width, size.height), Pil.Resampling.BOX).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _write_coloured(draft: Path, depth: DepthMap, near: str, said: str | None) -> None:
    exif = exif_block(travelling(Rights() if depth.provenance is None else all_rights(depth.provenance)))
    spare = {name: part for name, part in (("exif", exif), ("xmp", (said or "").encode())) if part}
    try:
        Pil.fromarray(coloured(depth, near)).save(draft, "JPEG", quality=92, subsampling=0, **spare)
    except OSError:
        raise
    except DECODE_FAULTS as error:
        size: Size = depth.size
        raise InputError(f"a map of {size} cannot be written as JPEG: {error}", hint="Write a PNG.") from error
