"""What is free, as ROS's map_server has it: a grey picture (PGM) and its words (YAML) beside it.

http://wiki.ros.org/map_server: x goes right in the picture and y up, with z up the axes of REP 103; so x is the scene's
z (where its first camera looks) and y is its −x. Occupied cells are black (0), free ones white (254), and grey (205)
is unknown, which thresholds of 0.65 and 0.196 keep so.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from unflat.errors import InputError
from unflat.formats.atomic import replacing
from unflat.formats.registry import ExportOptions
from unflat.formats.story import provenance_lines
from unflat.types.occupancy import FREE, OCCUPIED, UNKNOWN, Occupancy

_GREYS = {OCCUPIED: 0, FREE: 254, UNKNOWN: 205}
_OCCUPIED_FROM, _FREE_BELOW = 0.65, 0.196
_LARGEST = 1 << 28
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
"""Names that are a word in YAML as they stand."""
_REMARK = re.compile(r"(?:^|\s)#")


def write(occupancy: Occupancy, path: Path, options: ExportOptions) -> None:
    """Write both files; ``path`` names either.

    Raises:
        OutputError: The place cannot be written.
    """
    picture, words = path.with_suffix(".pgm"), path.with_suffix(".yaml")
    here = occupancy.cells.T  # rows: y of the map, from above, which is −x of the scene; columns: x, which is z
    greys = np.select([here == what for what in _GREYS], list(_GREYS.values())).astype(np.uint8)
    height, width = greys.shape
    top = -occupancy.x
    story = [
        f"# free, occupied, unknown from {occupancy.band[0]:g} to {occupancy.band[1]:g} m above the floor",
        "# x forward, y left, z up (REP 103), metres",
    ]
    if occupancy.scale is not None:
        told = occupancy.scale
        story.append(f"# size: {told.basis}; true metres are {told.low:.4g} to {told.high:.4g} times as many")
    story += [f"# {line}" for line in provenance_lines(occupancy.provenance)]
    lines = [
        *story,
        f"image: {_quoted(picture.name)}",
        "mode: trinary",
        f"resolution: {occupancy.cell!r}",
        f"origin: [{occupancy.z!r}, {top - height * occupancy.cell!r}, 0.0]",
        "negate: 0",
        f"occupied_thresh: {_OCCUPIED_FROM}",
        f"free_thresh: {_FREE_BELOW}",
    ]
    ordered = (picture, words) if path == picture else (words, picture)
    with replacing(*ordered, force=options.force) as drafts:
        draft = dict(zip(ordered, drafts, strict=True))
        draft[picture].write_bytes(b"P5\n%d %d\n255\n" % (width, height) + greys.tobytes())
        draft[words].write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def read(path: Path) -> Occupancy:
    """Read a map of any program by its YAML (the PGM that it names lies beside it), or by our PGM.

    Raises:
        InputError: Damaged, turned, or not such a map.
    """
    told = _words(path.with_suffix(".yaml") if path.suffix.lower() == ".pgm" else path)
    try:
        picture = path.parent / Path(told["image"]).name
        cell, negate = float(told["resolution"]), int(told.get("negate", "0"))
        x, y, yaw = (float(part) for part in told["origin"].strip("[]").split(","))
        high, low = float(told["occupied_thresh"]), float(told["free_thresh"])
    except (KeyError, ValueError) as error:
        raise InputError(f"{path.name} is no map of map_server: {error}") from error
    if yaw:
        raise InputError(f"{path.name} is a map that was turned; only straight ones are read")
    greys = _picture(picture).astype(np.float64)
    share = (greys if negate else 255 - greys) / 255
    cells = np.where(share > high, OCCUPIED, np.where(share < low, FREE, UNKNOWN)).astype(np.int8)
    return Occupancy(cells.T, cell, -(y + cells.shape[0] * cell), x)


def _words(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} cannot be read: {error}") from error
    pairs = (line.partition(":") for line in lines if not line.lstrip().startswith("#"))
    try:
        return {key.strip(): _plain(value.strip()) for key, colon, value in pairs if colon}
    except ValueError as error:
        raise InputError(f"{path.name} is no map of map_server: {error}") from error


def _quoted(name: str) -> str:
    """A name as YAML takes it for a word, whatever is in it."""
    return name if _WORD.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _plain(value: str) -> str:
    """A value of one line without its quotes and what is remarked behind it."""
    if value.startswith('"'):
        return str(json.JSONDecoder().raw_decode(value)[0])
    if value.startswith("'"):
        return value[1:].partition("'")[0]
    return _REMARK.split(value)[0].strip()


def _picture(path: Path) -> np.ndarray:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error}") from error
    fields: list[bytes] = []
    at = 0
    while len(fields) < 4 and at < min(len(data), 4096):
        end = data.find(b"\n", at) if data[at : at + 1] == b"#" else at + 1
        if data[at : at + 1] not in (b"#", b" ", b"\t", b"\n", b"\r"):
            while end < len(data) and data[end : end + 1] not in (b" ", b"\t", b"\n", b"\r"):
                end += 1
            fields.append(data[at:end])
        at = max(end, at + 1)
    try:
        kind, (width, height, most) = fields[0], (int(field) for field in fields[1:4])
    except (IndexError, ValueError) as error:
        raise InputError(f"{path.name} is no PGM picture") from error
    if kind != b"P5" or most != 255 or not 0 < width * height <= _LARGEST or len(data) < at + 1 + width * height:
        raise InputError(f"{path.name} is no PGM picture of 8 bits, or damaged")
    return np.frombuffer(data, np.uint8, width * height, at + 1).reshape(height, width)
