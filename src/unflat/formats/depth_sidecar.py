"""The sidecar of a depth file: ``NAME.json`` beside ``NAME``, which says what the numbers mean.

The same text is inside PNG (text chunk) and EXR (attribute), so that a file that lost its sidecar still knows.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from unflat.errors import InputError, ShapeError
from unflat.formats.depth_codes import Coding
from unflat.formats.plain import is_list, is_object
from unflat.formats.provenance_text import from_plain, rights_line, scale_from_plain, scale_to_plain, to_plain
from unflat.formats.told_rights import all_rights
from unflat.types.arrays import F32, Bool
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.panorama import Panorama
from unflat.types.provenance import Provenance
from unflat.types.scale import Scale

KEY = "unflat-depth"
"""The word under which the text stands in PNG, and what ``format`` says."""
LARGEST = 1_000_000
_SHORTEST, _LONGEST = 0.01, 1e4
"""Of focal lengths, over the short and the long side; no axis lies farther aside than the longest, either."""
_REMOVE = "Remove it and say what the depth is with --depth-kind."
_BASES = ("given", "exif-35mm", "exif-sensor", "file", "model", "assumed")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a sidecar says.

    Attributes:
        kind: What the numbers mean.
        size: Of the map.
        coding: How codes become numbers; None for float files.
        sky_mark: The number of the sky in a float file, or None.
        sky_known: Somebody looked for sky.
        intrinsics: The camera, or None.
        panorama: The camera of a map of distances along rays, or None.
        model: Which model or file the depth comes from.
        licence: Of that model or file, or None.
        provenance: The whole story, or None.
        scale: How well its metres are known, or None.
    """

    kind: DepthKind
    size: Size
    coding: Coding | None
    sky_mark: float | None
    sky_known: bool
    intrinsics: Intrinsics | None
    panorama: Panorama | None
    model: str
    licence: str | None
    provenance: Provenance | None
    scale: Scale | None

    def told(self, values: F32, valid: Bool, sky: Bool) -> DepthMap:
        """The map of which this is said, from its (h, w) numbers."""
        if self.kind.is_depth:
            valid = valid & ((values > 0) | sky)
        return DepthMap(
            values,
            self.kind,
            valid,
            sky if self.sky_known else None,
            intrinsics=self.intrinsics,
            panorama=self.panorama,
            origin=self.model,
            licence=self.licence,
            provenance=self.provenance,
            scale=self.scale,
        )


def beside(path: Path) -> Path:
    """Where the sidecar of a depth file stands."""
    return path.with_name(path.name + ".json")


def dump(
    depth: DepthMap, name: str, coding: Coding | None = None, sky_mark: float | None = None, looks: str | None = None
) -> str:
    """The text of the sidecar of ``depth`` written as ``name``.

    Args:
        depth: What was written.
        name: Of the file, without its folder.
        coding: Of a PNG.
        sky_mark: Of a float file, where somebody looked for sky.
        looks: Of a coloured picture: which end is near, "white" or "black".
    """
    known = depth.values[depth.surface]
    camera = depth.intrinsics
    unit = "m" if depth.kind is DepthKind.METRIC else "relative"
    near = coding.near if coding is not None else looks
    words: dict[str, Any] = {
        "format": KEY,
        "version": 1,
        "file": name,
        "kind": depth.kind.value,
        "unit": unit,
        "polarity": f"near is {near}"
        if near
        else f"near is {'large' if depth.kind is DepthKind.DISPARITY else 'small'}",
        "range": [float(known.min()), float(known.max())] if known.size else None,
        "size": [depth.size.width, depth.size.height],
        "focal_px": [camera.fx, camera.fy] if camera else None,
        "focal_basis": camera.basis if camera else None,
        "principal_point_px": [camera.cx, camera.cy] if camera else None,
        "along": "axis" if depth.panorama is None else "ray",
        "model": depth.origin,
        "licence": depth.licence,
        "sky_known": depth.sky is not None,
    }
    if depth.scale is not None:
        words["scale"] = scale_to_plain(depth.scale)
    if depth.panorama is not None:
        words["panorama"] = _panorama_words(depth.panorama)
    if depth.provenance is not None:
        words["copyright"] = rights_line(all_rights(depth.provenance))
        words["provenance"] = to_plain(depth.provenance)
    if looks is not None:
        words["holds"] = "colours to look at, not depth to read back"
    elif coding is None:
        words["invalid"] = "nan"
        words["sky"] = None if sky_mark is None else ("+inf" if math.isinf(sky_mark) else sky_mark)
    else:
        words["codes"] = {
            "quantity": coding.quantity,
            "low": coding.low,
            "high": coding.high,
            "code_low": coding.code_low,
            "code_high": coding.code_high,
            "invalid": coding.invalid,
            "sky": coding.sky,
        }
        if coding.quantity == "z" and depth.kind is DepthKind.METRIC:
            words["codes"]["metres_per_code"] = coding.high / coding.code_high
    return json.dumps(words, indent=1, ensure_ascii=True) + "\n"


def _panorama_words(around: Panorama) -> dict[str, Any]:
    turn = around.scene_from_panorama.tolist()
    return {"projection": around.projection, "span_deg": list(around.span), "scene_from_panorama": turn}


def load(path: Path) -> Sidecar | None:
    """The sidecar beside a depth file; None if there is none, or if what is there is somebody else's JSON.

    Raises:
        InputError: It is ours but damaged, or cannot be read.
    """
    place = beside(path)
    if not place.is_file():
        return None
    try:
        if place.stat().st_size > LARGEST:
            return None
        return parse(place.read_bytes(), place.name)
    except OSError as error:
        raise InputError(f"{place} cannot be read: {error.strerror or error}") from error


def parse(text: str | bytes, name: str) -> Sidecar | None:
    """Read the text of a sidecar; None if it is not one of ours.

    Raises:
        InputError: It is ours but makes no sense.
    """
    try:
        words: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(words, dict):
        return None
    said = cast("dict[str, Any]", words)
    if said.get("format") != KEY:
        return None
    if said.get("version") != 1:
        hint = "Install a newer unflat, or remove the sidecar and say what the depth is with --depth-kind."
        raise InputError(f"{name} has version {said.get('version')!r}; this unflat reads version 1", hint=hint)
    try:
        size = Size(*_ints(said, "size"))
        return Sidecar(
            _kind(said),
            size,
            _coding(said["codes"]) if said.get("codes") is not None else None,
            _sky_mark(said.get("sky")),
            said["sky_known"] is True,
            _camera(said, size),
            _panorama(said, size),
            _word(said.get("model")) or "file",
            _word(said.get("licence")),
            from_plain(said["provenance"]) if "provenance" in said else None,
            _scale(said),
        )
    except KeyError as error:
        raise InputError(f"{name} does not say '{error.args[0]}'", hint=_REMOVE) from error
    except (InputError, ValueError) as error:
        raise InputError(f"{name} makes no sense: {error}", hint=_REMOVE) from error


def _kind(said: dict[str, Any]) -> DepthKind:
    known = [kind.value for kind in DepthKind]
    if said["kind"] not in known:
        raise ValueError(f"its 'kind' is {said['kind']!r:.40}, none of {' '.join(known)}")
    return DepthKind(said["kind"])


def _coding(codes: Any) -> Coding:
    if not isinstance(codes, dict):
        raise ValueError(f"its 'codes' are {codes!r:.40}")
    said = cast("dict[str, Any]", codes)
    if said["quantity"] not in ("z", "inverse-z", "disparity"):
        raise ValueError(f"unknown quantity {said['quantity']!r:.40}")
    low, high = (_finite(said[key], key) for key in ("low", "high"))
    whole = [_whole(said[key], key) for key in ("code_low", "code_high", "invalid", "sky")]
    return Coding(said["quantity"], low, high, *whole)


def _camera(said: dict[str, Any], size: Size) -> Intrinsics | None:
    if said.get("focal_px") is None:
        return None
    fx, fy = (_finite(value, "focal_px") for value in _pair(said, "focal_px"))
    cx, cy = (_finite(value, "principal_point_px") for value in _pair(said, "principal_point_px"))
    least, far = min(size.width, size.height) * _SHORTEST, max(size.width, size.height) * _LONGEST
    if not all(least <= f <= far for f in (fx, fy)) or max(abs(cx), abs(cy)) > far:
        raise ValueError(f"its camera of {fx:.4g} × {fy:.4g} pixels at {cx:.4g}, {cy:.4g} is impossible")
    basis = said.get("focal_basis")
    return Intrinsics(fx, fy, cx, cy, size, basis if basis in _BASES else "file")


def _scale(said: dict[str, Any]) -> Scale | None:
    if "scale" not in said:
        return None
    scale = scale_from_plain(said["scale"])
    kind = _kind(said)
    if not kind.is_depth or (scale.assumed and kind is DepthKind.METRIC):
        raise ValueError(f"its 'kind' is {said['kind']!r:.40} and its scale is {scale.basis!r}")
    return scale


def _panorama(words: dict[str, Any], size: Size) -> Panorama | None:
    """The camera of a map that looks around; distances along rays are nothing without it."""
    said = words.get("panorama")
    if (said is not None) != (words.get("along") == "ray"):
        raise ValueError("it holds distances along rays, and no panorama says which, or the other way round")
    if said is None:
        return None
    if not is_object(said):
        raise ValueError(f"its 'panorama' is {said!r:.40}")
    span, turn, projection = said["span_deg"], said["scene_from_panorama"], said["projection"]
    if projection not in ("equirectangular", "cylindrical"):
        raise ValueError(f"its panorama is {projection!r:.40}")
    if not is_list(span) or len(span) != 4 or not is_list(turn):
        raise ValueError("its panorama has no four angles or no rotation")
    angles = [_finite(value, "span_deg") for value in span]
    rows = [row for row in turn if is_list(row)]
    if len(turn) != 3 or [len(row) for row in rows] != [3, 3, 3]:
        raise ValueError("its panorama's rotation is not 3×3")
    numbers = [[_finite(value, "scene_from_panorama") for value in row] for row in rows]
    try:
        left, right, top, bottom = angles
        return Panorama(size, left, right, top, bottom, projection, np.array(numbers))
    except ShapeError as error:
        raise ValueError(str(error)) from error


def _sky_mark(value: Any) -> float | None:
    if value is None or value == "+inf":
        return None if value is None else math.inf
    return _finite(value, "sky")


def _word(value: Any) -> str | None:
    return str(value)[:500] if isinstance(value, str) and value else None


def _pair(said: dict[str, Any], key: str) -> list[Any]:
    values: Any = said[key]
    if not isinstance(values, list) or len(cast("list[Any]", values)) != 2:
        raise ValueError(f"its '{key}' is {values!r:.40}, not two numbers")
    return cast("list[Any]", values)


def _ints(said: dict[str, Any], key: str) -> tuple[int, int]:
    first, second = _pair(said, key)
    return _whole(first, key), _whole(second, key)


def _finite(value: Any, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:  # NaN, too
        raise ValueError(f"its '{key}' is {value!r:.40}, not a finite number")
    return float(value)


def _whole(value: Any, key: str) -> int:
    if type(value) is not int or abs(value) >= 1 << 63:
        raise ValueError(f"its '{key}' is {value!r:.40}, not a whole number")
    return value
