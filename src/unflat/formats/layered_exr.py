"""A picture in layers as one multi-layer OpenEXR, for compositing and set extension.

Channels (layer.channel, the convention of Nuke, Blender and Natron):

    R G B A                        half   what is seen; linear (Rec. 709 primaries), multiplied by A
    Z                              float  metres along the view, +inf in the sky, NaN where nothing is known
    normal.X .Y .Z                 half   length 1 in camera axes: x right, y up, z towards the camera; 0: none
    confidence                     half   0..1
    beyond.A                       half   1 where colour and depth are made up beyond the picture's border
    hidden.R .G .B .A .Z           half, Z float   what goes on behind outlines; Z is +inf where A is 0
    hidden.invented                half   1 where it is made up
    deeper.*, deepest.*            as hidden: what goes on behind hidden things, if anything does
    sky.*                          as hidden: the sky that goes on behind things, if there is any; Z is +inf
    soft.R .G .B .A .Z             half, Z float   the half transparent seam of near things

The display window is the photograph; where it was continued, the data window is larger (overscan). Sources: the OpenEXR
documentation, "Technical Introduction" and "Standard Attributes".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats import depth_arrays, exr_child
from unflat.formats import depth_sidecar as sidecar
from unflat.formats.atomic import replacing
from unflat.formats.depth_codes import to_floats
from unflat.formats.exr_blocks import write_blocks
from unflat.formats.registry import ExportOptions
from unflat.formats.told_rights import exr_rows
from unflat.geometry.projection import pixel_centres, rays
from unflat.types.arrays import F32, U8
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthMap
from unflat.types.image import Size
from unflat.types.layers import Layer, Layers

Half = NDArray[np.float16]
Channels = dict[str, NDArray[Any]]
_REC709 = np.array((0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290), np.float32)
_HIDDEN = ("hidden", "deeper", "deepest", "sky", "soft")
_WORDS = (
    "World axes: x right, y up, z towards the camera, metres, origin in the camera. "
    "Z: metres along the view. Normals: the same axes. Colours: linear, premultiplied."
)


def write(layers: Layers, path: Path, options: ExportOptions) -> None:
    """Write all layers at the size of the picture, and the sidecar of their depth.

    Layers that are coarser than the picture are enlarged without mixing their pixels.

    Raises:
        InputError: The depth has no camera.
        OutputError: The place cannot be written.
    """
    path = Path(path)
    size = layers.picture.size
    depth = _enlarged(layers.depth, size)
    values, mark = to_floats(depth)
    words = sidecar.dump(depth, path.name, sky_mark=mark)
    others = ((name, getattr(layers, name)) for name in _HIDDEN)
    there = tuple(name for name, layer in others if layer is not None and (name == "hidden" or layer.on.any()))
    with replacing(path, sidecar.beside(path), force=options.force) as (draft, note):
        header = _header(depth, words)
        write_blocks(draft, size, header, lambda rows: _channels(layers, depth, values, there, rows))
        note.write_text(words, encoding="utf-8")


def layers_in(path: Path, *, max_pixels: int = 400_000_000) -> dict[str, dict[str, Any]]:
    """What stands in any EXR, for each layer: ``channels``, its ``share`` of the picture, ``invented_share`` of that.

    The nameless layer is what is seen. A share is None where the file does not say.

    Raises:
        InputError: Damaged, or too large.
    """
    words, _ = depth_arrays.ask_exr(path, max_pixels, "layers")
    return words["layers"]


def is_layered(rows: dict[str, dict[str, Any]]) -> bool:
    """Whether layers are those that :func:`write` writes."""
    return {"", "hidden", "beyond"} <= set(rows) and "invented" in rows["hidden"]["channels"]


def _header(depth: DepthMap, words: str) -> dict[str, Any]:
    """Windows, camera and the words of the depth's sidecar."""
    lens = depth.intrinsics
    if lens is None:
        raise InputError("layers without a camera are not written", hint="Calibrate the depth first.")
    left, top, right, bottom = depth.frame
    w, h = right - left, bottom - top
    own = lens.cropped(left, top, Size(w, h))
    corner, last = (-left, -top), (depth.size.width - left - 1, depth.size.height - top - 1)
    told = {name: getattr(own, name) for name in ("fx", "fy", "cx", "cy", "basis")} | {"width": w, "height": h}
    return {
        "displayWindow": np.array((0, 0, w - 1, h - 1), np.int32),
        "dataWindow": np.array((*corner, *last), np.int32),
        "pixelAspectRatio": float(own.fy / own.fx),
        # on the plane z = 1 of a camera whose x points left and whose y points up
        "screenWindowCenter": np.array([(own.cx - w / 2) / own.fx, (own.cy - h / 2) / own.fy], np.float32),
        "screenWindowWidth": float(w / own.fx),
        "chromaticities": _REC709,
        "worldToCamera": np.diag(np.array([1, 1, -1, 1], np.float32)),
        "worldToNDC": world_to_ndc(own),
        "comments": _WORDS,
        **exr_rows(depth.provenance),
        "unflat_camera": json.dumps(told),
        exr_child.TEXT: words,
    }


def world_to_ndc(lens: Intrinsics) -> F32:
    """(4, 4) for row vectors: points in x right, y up, z towards the camera -> 0..1 across and down the picture.

    The third coordinate becomes the inverse depth.
    """
    w, h = lens.size.width, lens.size.height
    rows = [
        [lens.fx / w, 0, 0, 0],
        [0, -lens.fy / h, 0, 0],
        [-lens.cx / w, -lens.cy / h, 0, -1],
        [0, 0, 1, 0],
    ]
    return np.array(rows, np.float32)


def _channels(layers: Layers, depth: DepthMap, values: F32, there: tuple[str, ...], rows: slice) -> Channels:
    """These rows of all channels.

    Args:
        layers: The picture in layers.
        depth: Of the seen one, as large as the picture.
        values: (h, w) what is written of it.
        there: The names of the other layers that are written.
        rows: Of the picture.
    """
    picture, size = layers.picture, layers.picture.size
    wide = (rows.stop - rows.start, size.width)
    alpha = np.ones(wide, np.float16) if picture.alpha is None else _share(picture.alpha[rows])
    out = _colours("", picture.pixels[rows], alpha)
    out["Z"] = values[rows]
    normals = _normals(depth, rows)
    out |= {f"normal.{name}": normals[..., k] for k, name in enumerate("XYZ")}
    if depth.confidence is not None:
        out["confidence"] = depth.confidence[rows].astype(np.float16)
    beyond = np.zeros(wide, np.bool_) if depth.invented is None else depth.invented[rows]
    out["beyond.A"] = beyond.astype(np.float16)
    for name in there:
        out |= _layer(name, getattr(layers, name), size, rows)
    if "sky" in there:
        out["sky.Z"] = np.full(wide, np.inf, np.float32)
    return out


def _layer(name: str, layer: Layer, size: Size, rows: slice) -> Channels:
    """Rows of one layer over the whole picture."""
    inverse = _nearest(layer.inverse, size, rows)
    on = inverse > 0
    share = (on if layer.alpha is None else _nearest(layer.alpha, size, rows)).astype(np.float16)
    out = _colours(f"{name}.", _nearest(layer.colour, size, rows), share)
    out[f"{name}.Z"] = np.where(on, 1 / np.where(on, inverse, np.float32(1)), np.float32(np.inf)).astype(np.float32)
    out[f"{name}.invented"] = _nearest(layer.invented, size, rows).astype(np.float16)
    return out


def _colours(prefix: str, pixels: U8, alpha: Half) -> Channels:
    """R, G, B and A of sRGB pixels: linear and multiplied by alpha."""
    out: Channels = {
        f"{prefix}{name}": (_LINEAR[pixels[..., k]] * alpha).astype(np.float16) for k, name in enumerate("RGB")
    }
    out[f"{prefix}A"] = alpha
    return out


def _linear() -> F32:
    """(256,) light of every sRGB byte (IEC 61966-2-1)."""
    code = np.arange(256, dtype=np.float64) / 255
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear()


def _share(alpha: U8) -> Half:
    return (alpha / np.float32(255)).astype(np.float16)


def _normals(depth: DepthMap, rows: slice) -> Half:
    """(rows, w, 3) normals of the surface, towards the camera: x right, y up, z to the camera; 0 without surface."""
    lens = depth.intrinsics
    assert lens is not None
    u, v = pixel_centres(depth.size)
    wide = slice(max(rows.start - 1, 0), rows.stop + 1)  # with the neighbours above and below
    on = np.asarray(depth.valid)[wide] if depth.sky is None else np.asarray(depth.valid)[wide] & ~depth.sky[wide]
    sight = rays(np.stack(np.meshgrid(u, v[wide]), axis=-1), lens)
    point = sight * np.where(on, depth.values[wide], np.float32(1))[..., None]
    across, down = _step(point, on, 1), _step(point, on, 0)
    normal = np.cross(down, across)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    normal = np.where((length > 0) & on[..., None], normal / np.maximum(length, 1e-30), 0)
    first = rows.start - wide.start
    return (normal * np.array([1, -1, -1])).astype(np.float16)[first : first + rows.stop - rows.start]


def _step(point: NDArray[Any], on: NDArray[np.bool_], axis: int) -> NDArray[Any]:
    """The shorter of the steps to the two neighbours along an axis: it stays on the surface; 0 where none is."""
    ahead = np.diff(point, axis=axis)
    both = on[1:] & on[:-1] if axis == 0 else on[:, 1:] & on[:, :-1]
    size = np.where(both, np.abs(ahead[..., 2]), np.inf)
    room = [(0, 0), (0, 0)]
    room[axis] = (0, 1)
    after, wide = np.pad(ahead, [*room, (0, 0)]), np.pad(size, room, constant_values=np.inf)
    before, back = np.roll(after, 1, axis), np.roll(wide, 1, axis)
    nearer = np.where((wide <= back)[..., None], after, before)
    return np.where(np.isfinite(np.minimum(wide, back))[..., None], nearer, 0)


def _enlarged(depth: DepthMap, size: Size) -> DepthMap:
    """The depth at the size of the picture, no pixels mixed."""
    if depth.size == size:
        return depth
    return depth.moved(lambda plane: _nearest(plane, size), depth.intrinsics and depth.intrinsics.resized(size))


def _nearest(array: NDArray[Any], size: Size, rows: slice | None = None) -> NDArray[Any]:
    """An (h, w) or (h, w, c) array, or rows of it, at another size, by the pixel under each middle."""
    h, w = array.shape[:2]
    if (h, w) == size.shape:
        return array if rows is None else array[rows]
    down = ((np.arange(size.height)[rows or slice(None)] + 0.5) * h / size.height).astype(np.int64)
    across = ((np.arange(size.width) + 0.5) * w / size.width).astype(np.int64)
    return np.ascontiguousarray(array[np.ix_(down, across)])
