"""SPZ, Niantic's packed splats: a tenth of a PLY. Written as version 3 without harmonics, read in versions 1 to 3.

The file is one gzip stream: a header of 16 bytes (magic, version, count, degree of harmonics, fractional bits, flags,
reserved), then column after column: positions (24-bit fixed point), alphas, colours, scales (logarithmic), rotations;
at the end the extensions that a flag announces, each with its type and length. One is written: how far a viewer may
orbit (SPZ_ADOBE_safe_orbit_camera: elevation in radians about the pivot, smallest distance from it in metres).
The axes are x right, y up, z backward (three.js), so viewers show it upright as it is. After the format's own
description, github.com/nianticlabs/spz, README.

What is lost: positions are rounded to 2^-bits metres (at most 1/65536 of the median distance, see
``_fractional_bits``), scales to steps of 6 % between 0.045 mm and 379 m, opacities and colours to a byte (colours in
steps of 0.0074), rotations to about 0.1 degrees. There is no room for provenance or confidence: provenance stands in
NAME.spz.json, which also says from which splat on they are made up.
"""

from __future__ import annotations

import dataclasses
import gzip
import io
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.atomic import replacing
from unflat.formats.registry import ExportOptions
from unflat.formats.splats import SH_0, checked_splats, invented_in, invented_words, merged_splats, turned_splats
from unflat.formats.story import bytes_of, name_in, scene_from, sidecar_of, story_beside, story_text
from unflat.geometry.transform import Door, door_from_frame
from unflat.types.arrays import F32, F64, U8
from unflat.types.safe_view import SafeView
from unflat.types.scene import Node, Scene
from unflat.types.splats import Splats

_HEADER = struct.Struct("<4sIIBBBB")
_MAGIC = b"NGSP"
_VERSION = 3
_COLOR_SCALE = 0.15
_LARGEST_FIXED = (1 << 23) - 1
_MOST_BITS = 24
_CUSTOMARY_BITS = 12
_HAS_EXTENSIONS = 2
_SAFE_ORBIT = struct.Struct("<IIfff")
_SAFE_ORBIT_TYPE = 0xADBE0002
_FINENESS = 16
_MOST_FILE = 1 << 31
_MOST_RATIO = 1040
_ROW = {1: 6 + 1 + 3 + 3 + 3, 2: 9 + 1 + 3 + 3 + 3, 3: 9 + 1 + 3 + 3 + 4}


def write(scene: Scene, path: Path, options: ExportOptions) -> None:
    """Write all splats of a scene, the sky's too, and the story of the scene beside it.

    The same scene gives the same bytes: the gzip header carries no time and no name.

    Raises:
        InputError: The scene holds no splats, or one farther away than 24 bits of metres.
        OutputError: The place cannot be written.
    """
    splats = merged_splats(scene)
    data = _packed(turned_splats(door_from_frame(scene.frame, Door.GL), splats), _extensions(scene.safe_view))
    with replacing(sidecar_of(path), path, force=options.force) as (sidecar, draft):
        sidecar.write_text(story_text(scene, "metre", **invented_words(splats)), encoding="ascii")
        with draft.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
            packed.write(data)


def read(path: Path) -> Scene:
    """Read the splats of an SPZ file. Higher harmonics, which change the colour with the view, are left out.

    Raises:
        InputError: Not an SPZ file, damaged, or of a version above 3.
    """
    story = story_beside(path)
    version, degree, bits, columns = _unzipped(path)
    splats = _unpacked(columns, version, bits, path.name)
    invented, notes = invented_in(story, len(splats.means))
    if degree:
        notes = ("Colours that change with the view were left out.", *notes)
    scene = scene_from((), story, path, notes)
    splats = dataclasses.replace(splats, invented=invented)
    node = Node(name_in(story, "splats"), turned_splats(door_from_frame(scene.frame, Door.GL).T, splats))
    return dataclasses.replace(scene, nodes=(node,))


def _extensions(safe: SafeView | None) -> bytes:
    """How far a viewer may orbit, as a record of its own; nothing where nobody looked."""
    if safe is None:
        return b""
    low, high = (math.radians(end) for end in safe.pitch_deg)
    nearest = max(0.0, safe.pivot - safe.nearer)
    return _SAFE_ORBIT.pack(_SAFE_ORBIT_TYPE, _SAFE_ORBIT.size - 8, low, high, nearest)


def _packed(splats: Splats, extensions: bytes) -> bytes:
    """The stream before compression."""
    bits = _fractional_bits(splats.means)
    fixed = np.rint(splats.means.astype(np.float64) * 2.0**bits).astype("<i4")
    colors = (splats.colors.astype(np.float64) - 0.5) / SH_0 * _COLOR_SCALE + 0.5
    out = io.BytesIO()
    out.write(_HEADER.pack(_MAGIC, _VERSION, len(fixed), 0, bits, _HAS_EXTENSIONS if extensions else 0, 0))
    out.write(fixed.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
    out.write(_byte(splats.opacities.astype(np.float64) * 255).tobytes())
    out.write(_byte(colors * 255).tobytes())
    out.write(_byte((np.log(splats.scales.astype(np.float64)) + 10) * 16).tobytes())
    out.write(_smallest_three(splats.quaternions.astype(np.float64)).tobytes())
    out.write(extensions)
    return out.getvalue()


def _fractional_bits(means: F32) -> int:
    """How many of the 24 bits of a coordinate stand behind the point.

    As many as make the step 1/65536 of the median distance, at least the customary 12 (0.24 mm), but never so many
    that the farthest point would wrap around.
    """
    largest = float(np.abs(means).max())
    fitting = int(np.floor(np.log2(_LARGEST_FIXED / max(largest, 0.01)) - 1e-9))
    if fitting < 0:
        raise InputError(f"a splat is {largest:.3g} m away; SPZ ends at {_LARGEST_FIXED} m", hint="Choose .splat.ply.")
    median = float(np.median(np.abs(means).max(axis=1)))
    wanted = _FINENESS - int(np.floor(np.log2(max(median, 1e-6))))
    return min(fitting, _MOST_BITS, max(_CUSTOMARY_BITS, wanted))


def _byte(values: F64) -> U8:
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _smallest_three(wxyz: F64) -> NDArray[np.uint32]:
    """Unit quaternions in 32 bits: which of x y z w is largest, then sign and 9 bits of each of the others.

    Fiedler, "Snapshot compression" (gafferongames.com), with sign and magnitude.
    """
    length: F64 = np.linalg.norm(wxyz, axis=1, keepdims=True)
    xyzw: F64 = wxyz[:, [1, 2, 3, 0]] / length
    largest = np.abs(xyzw).argmax(axis=1)
    flip = np.take_along_axis(xyzw, largest[:, None], axis=1) < 0
    xyzw = np.where(flip, -xyzw, xyzw)
    others = np.array([[i for i in range(4) if i != index] for index in range(4)])[largest]
    small = np.take_along_axis(xyzw, others, axis=1)
    magnitude = np.floor(511 * np.abs(small) * np.sqrt(2) + 0.5).clip(0, 511).astype(np.uint32)
    coded = (np.signbit(small).astype(np.uint32) << 9) | magnitude
    return ((largest.astype(np.uint32) << 30) | (coded[:, 0] << 20) | (coded[:, 1] << 10) | coded[:, 2]).astype("<u4")


def _from_smallest_three(packed: NDArray[np.uint32]) -> F64:
    """The inverse of :func:`_smallest_three`, (n, 4) as w x y z."""
    largest = (packed >> 30).astype(np.intp)
    coded = np.stack([packed >> 20, packed >> 10, packed], axis=1) & 1023
    small = (coded & 511) / 511 / np.sqrt(2) * np.where(coded & 512, -1.0, 1.0)
    others = np.array([[i for i in range(4) if i != index] for index in range(4)])[largest]
    xyzw = np.zeros((len(packed), 4))
    np.put_along_axis(xyzw, others, small, axis=1)
    rest = np.sqrt(np.maximum(0, 1 - (small**2).sum(axis=1)))
    np.put_along_axis(xyzw, largest[:, None], rest[:, None], axis=1)
    return xyzw[:, [3, 0, 1, 2]]


def _unzipped(path: Path) -> tuple[int, int, int, U8]:
    """Version, degree of harmonics, fractional bits, and the bytes of all columns up to the rotations."""
    data = bytes_of(path, _MOST_FILE)
    if data[:4] == _MAGIC:
        raise InputError(f"{path.name} is SPZ version 4 or newer", hint="Save it as version 3, or as a splat PLY.")
    unzip = zlib.decompressobj(wbits=31)
    try:
        head = unzip.decompress(data, _HEADER.size)
        if len(head) < _HEADER.size or head[:4] != _MAGIC:
            raise InputError(f"{path.name} is not an SPZ file, or damaged")
        _, version, count, degree, bits, _, _ = _HEADER.unpack(head)
        if version not in _ROW or bits > 30 or not count:
            raise InputError(f"{path.name} has an impossible SPZ header (version {version}, {count} splats)")
        length = count * _ROW[version]
        if length > len(data) * _MOST_RATIO:
            raise InputError(f"{path.name} is shorter than its header promises")
        body = unzip.decompress(unzip.unconsumed_tail, length)
    except zlib.error as error:
        raise InputError(f"{path.name} is not an SPZ file, or damaged: {error}") from error
    if len(body) < length:
        raise InputError(f"{path.name} is shorter than its header promises")
    return version, degree, bits, np.frombuffer(body, np.uint8)


def _unpacked(columns: U8, version: int, bits: int, name: str) -> Splats:
    """Splats in the file's axes."""
    count = len(columns) // _ROW[version]
    widths = [_ROW[version] - 7 - (4 if version == 3 else 3), 1, 3, 3, 4 if version == 3 else 3]
    positions, alphas, colors, scales, rotations = np.split(columns, np.cumsum(widths)[:-1] * count)
    if version == 1:
        means = positions.view("<f2").astype(np.float64)
    else:
        wide = np.zeros((count * 3, 4), np.uint8)
        wide[:, 1:] = positions.reshape(-1, 3)
        means = (wide.view("<i4").reshape(-1) >> 8) / 2.0**bits
    if version == 3:
        quaternions = _from_smallest_three(rotations.view("<u4").astype(np.uint32))
    else:
        xyz = rotations.reshape(-1, 3) / 127.5 - 1
        w = np.sqrt(np.maximum(0, 1 - (xyz**2).sum(axis=1, keepdims=True)))
        quaternions = np.concatenate([w, xyz], axis=1)
    return checked_splats(
        means.reshape(-1, 3),
        np.exp(scales.reshape(-1, 3) / 16 - 10),
        quaternions,
        alphas / 255,
        (colors.reshape(-1, 3) / 255 - 0.5) / _COLOR_SCALE * SH_0 + 0.5,
        name,
    )
