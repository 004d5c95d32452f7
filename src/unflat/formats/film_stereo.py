"""How a film for two eyes is packed, from all that it says of itself and from its name.

What stands in the file outranks the name; where both are silent, a film has one eye. Whether packed views are of full
or half size is said by names and by the size that Matroska shows a view at; else the shape of the frame decides: two
full views beside each other are wider than any film. The frame packing message should stand with halves alone, but does
not in films of others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unflat.formats.film_boxes import FilmRecord
from unflat.formats.stereo_facts import StereoFacts
from unflat.formats.stereo_names import NameSigns, signs_in
from unflat.types.image import Size
from unflat.types.stereo import Layout

_WIDE, _TALL = 2.5, 1.25
"""Width by height: wider frames side by side hold full views, and narrower ones above each other do."""
_STRETCHED = 1.4
"""By how much a view is shown wider (or higher) than it is stored, at least, to be one of half size."""
_PACKED: dict[str, tuple[Layout, Layout]] = {
    "beside each other": (Layout.FULL_SBS, Layout.HALF_SBS),
    "above each other": (Layout.FULL_TB, Layout.HALF_TB),
    "crossed": (Layout.CROSS, Layout.CROSS),
    "anaglyph": (Layout.ANAGLYPH, Layout.ANAGLYPH),
}
_ST3D = {"left-right": "beside each other", "top-bottom": "above each other", "right-left": "crossed"}
_VEXU = {"side by side": "beside each other", "over and under": "above each other"}
_SEI = {"side by side": "beside each other", "top and bottom": "above each other"}
_MATROSKA = {
    "side by side, left first": "beside each other",
    "side by side, right first": "crossed",
    "top and bottom, left first": "above each other",
    "anaglyph, cyan and red": "anaglyph",
    "anaglyph, green and magenta": "anaglyph",
}
_V1 = {"left-right": "beside each other", "top-bottom": "above each other"}


def stereo_of(path: Path, film: FilmRecord) -> StereoFacts | None:
    """What a film says of two eyes; None where it has one.

    Args:
        path: Its name counts.
        film: What stands in it.
    """
    signs = signs_in(path)
    marks = film.marks
    degrees = _degrees(marks) or (signs.degrees if signs else None)
    notes: list[str] = []
    layout = _layout(film, signs, degrees, notes)
    if layout is None:
        return None
    vexu: dict[str, Any] = marks.get("vexu", {})
    return StereoFacts(
        path.suffix.lower().lstrip("."),
        True,
        layout,
        film.codec,
        _eye(film.size, layout),
        signs.words if signs else (),
        marks,
        degrees,
        vexu.get("baseline_m"),
        marks.get("hfov"),
        tuple(notes),
    )


def _layout(film: FilmRecord, signs: NameSigns | None, degrees: int | None, notes: list[str]) -> Layout | None:
    named = signs.layout if signs else None
    if "lhvC" in film.marks:
        return Layout.SPATIAL
    ways = _ways(film.marks)
    if len(set(ways.values())) > 1:
        said = ", ".join(f"{mark} says {way}" for mark, way in ways.items())
        notes.append(f"its marks contradict each other: {said}")
    if film.marks.get("st3d") == "custom" and not ways:
        notes.append("how its views are packed stands in meshes, which are not read")
        return Layout.VR180
    if not ways:
        return named
    way = next(iter(ways.values()))
    if named is not None and named not in (*_PACKED[way], Layout.VR180):
        notes.append(f"its name says {named.value}, the file itself says that the views are {way}")
    if way == "beside each other" and degrees == 180:
        return Layout.VR180
    return named if named in _PACKED[way] else _by_shape(film, way)


def _by_shape(film: FilmRecord, way: str) -> Layout:
    """Full or half views, from the shape that a view is shown in, or else that of the frame."""
    full, half = _PACKED[way]
    if film.size is None:
        return half
    across = way in ("beside each other", "crossed")
    if film.view_shown is not None and "stereo_mode" in film.marks:
        shown, eye = film.view_shown, _eye(film.size, half) or film.size
        stretch = shown.width * eye.height / (shown.height * eye.width)
        return half if (stretch > _STRETCHED if across else stretch < 1 / _STRETCHED) else full
    shape = film.size.width / film.size.height
    return full if (shape >= _WIDE if across else shape <= _TALL) else half


def _ways(marks: dict[str, Any]) -> dict[str, str]:
    """Which way the views are packed, by each mark that says so; the first counts most."""
    vexu: dict[str, Any] = marks.get("vexu", {})
    sei: dict[str, Any] = marks.get("sei", {})
    packed = "crossed" if vexu.get("reversed") and vexu.get("packing") == "side by side" else None
    beside = "crossed" if sei.get("first") == "right" and sei.get("packing") == "side by side" else None
    ways = {
        "st3d": _ST3D.get(marks.get("st3d", "")),
        "StereoMode": _MATROSKA.get(marks.get("stereo_mode", "")),
        "vexu": packed or _VEXU.get(vexu.get("packing", "")),
        "V1": _V1.get(marks.get("v1", {}).get("stereo", "")),
        "the frame packing message": beside or _SEI.get(sei.get("packing", "")),
    }
    return {mark: way for mark, way in ways.items() if way is not None}


def _degrees(marks: dict[str, Any]) -> int | None:
    """180 or 360 of the sphere that the views are on."""
    for mark in ("sv3d", "projection", "v1"):
        told: dict[str, Any] = marks.get(mark, {})
        across = told.get("across_deg")
        if across is not None:
            return 180 if across <= 270 else 360
        if told.get("projection") == "mesh":
            return 180
        if told.get("projection") in ("equirectangular", "cubemap"):
            return 360
    kind = marks.get("vexu", {}).get("projection")
    return {"half-equirectangular": 180, "equirectangular": 360}.get(kind)


def _eye(size: Size | None, layout: Layout) -> Size | None:
    """Size of one view as stored."""
    if size is None:
        return None
    if layout in (Layout.FULL_SBS, Layout.HALF_SBS, Layout.CROSS, Layout.VR180, Layout.RGBD):
        return Size(max(1, size.width // 2), size.height)
    if layout in (Layout.FULL_TB, Layout.HALF_TB):
        return Size(size.width, max(1, size.height // 2))
    return size
