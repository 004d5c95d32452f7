"""Splat PLY: the plain columns of 3D Gaussian splatting, x right, y down, z forward, as trained.

Columns, all float and in this order: x y z f_dc_0..2 opacity scale_0..2 rot_0..3, with the logarithm of the scale, the
logit of the opacity, colour = 0.5 + 0.2820948 f_dc, and the quaternion as w x y z. There are no normals (always zero in
the reference code, read by none of SuperSplat, Spark, gsplat), no higher harmonics and no further tables, which make
naive viewers fail. Viewers turn these axes upright themselves. Confidence has no column here and is not kept;
provenance stands in comments. Splats that were made up come last, and the comments say from which one on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.atomic import replacing
from unflat.formats.plain import is_object
from unflat.formats.ply_table import Table, header_bytes, read_tables
from unflat.formats.registry import ExportOptions
from unflat.formats.story import Story, comment_lines, name_in, scene_from, story_in_lines
from unflat.geometry.transform import Door, door_from_frame, quaternion_from_rotation, quaternion_product, turned
from unflat.types.arrays import F64, Bool
from unflat.types.scene import Node, Scene
from unflat.types.splats import Splats

SH_0 = 0.28209479177387814
"""The spherical harmonic of degree 0, 1 / (2 √π)."""
NEARLY = 1e-6
"""Opacities are kept this far from 0 and 1, where the logit has no end."""

_MARK = "invented_splats"
_XYZ = ("x", "y", "z")
_COLOR = ("f_dc_0", "f_dc_1", "f_dc_2")
_SCALE = ("scale_0", "scale_1", "scale_2")
_ROTATION = ("rot_0", "rot_1", "rot_2", "rot_3")
_COLUMNS = (*_XYZ, *_COLOR, "opacity", *_SCALE, *_ROTATION)


def write(scene: Scene, path: Path, options: ExportOptions) -> None:
    """Write all splats of a scene, the sky's too, as one plain splat PLY.

    Raises:
        InputError: The scene holds no splats.
        OutputError: The place cannot be written.
    """
    splats = turned_splats(door_from_frame(scene.frame, Door.SPLAT), merged_splats(scene))
    opacity = splats.opacities.astype(np.float64).clip(NEARLY, 1 - NEARLY)
    rows = np.concatenate(
        [
            splats.means,
            (splats.colors.astype(np.float64) - 0.5) / SH_0,
            np.log(opacity / (1 - opacity))[:, None],
            np.log(splats.scales.astype(np.float64)),
            splats.quaternions,
        ],
        axis=1,
    ).astype("<f4")
    comments = comment_lines(scene, "metre", "x right, y down, z forward", **invented_words(splats))
    with replacing(path, force=options.force) as (draft,), draft.open("wb") as file:
        file.write(header_bytes(comments, [("vertex", len(rows), [(name, "<f4") for name in _COLUMNS])]))
        file.write(rows.tobytes())


def read(path: Path) -> Scene:
    """Read a splat PLY of any program. Higher harmonics, which change the colour with the view, are left out.

    Raises:
        InputError: Not a PLY file, damaged, packed, or without the columns of splats.
    """
    header, tables = read_tables(path, ("vertex",))
    columns = tables.get("vertex", {})
    if not is_splats(columns):
        hint = "Unpack it with SuperSplat first." if "packed_position" in columns else None
        raise InputError(f"{path.name} does not hold the columns of splats", hint=hint)
    story = story_in_lines(header.comments)
    with np.errstate(over="ignore", invalid="ignore"):
        opacity = 1 / (1 + np.exp(-_stacked(columns, ("opacity",))[:, 0]))
        scales = np.exp(_stacked(columns, _SCALE))
    found = checked_splats(
        _stacked(columns, _XYZ),
        scales,
        _stacked(columns, _ROTATION),
        opacity,
        _stacked(columns, _COLOR) * SH_0 + 0.5,
        path.name,
    )
    invented, notes = invented_in(story, len(found.means))
    if "f_rest_0" in columns:
        notes = ("Colours that change with the view were left out.", *notes)
    scene = scene_from((), story, path, notes)
    frame_from_door = door_from_frame(scene.frame, Door.SPLAT).T
    found = dataclasses.replace(found, invented=invented)
    node = Node(name_in(story, "splats"), turned_splats(frame_from_door, found))
    return dataclasses.replace(scene, nodes=(node,))


def is_splats(columns: Iterable[str]) -> bool:
    """True if a vertex table with these columns holds plain splats."""
    return set(_COLUMNS) <= set(columns)


def merged_splats(scene: Scene) -> Splats:
    """All splats of a scene as one; those that were made up come last.

    Raises:
        InputError: There are none.
    """
    parts = [node.item for node in scene.nodes if isinstance(node.item, Splats) and len(node.item.means)]
    if not parts:
        raise InputError("the scene holds no splats", hint="Choose .glb or .ply for a surface.")
    marks = [np.zeros(len(part.means), np.bool_) if part.invented is None else part.invented for part in parts]
    made_up = np.concatenate(marks)
    order = np.argsort(made_up, kind="stable") if made_up.any() else slice(None)
    names = ("means", "scales", "quaternions", "opacities", "colors")
    columns = (np.concatenate([getattr(part, name) for part in parts])[order] for name in names)
    return Splats(*columns, invented=made_up[order] if made_up.any() else None)


def invented_words(splats: Splats) -> dict[str, Any]:
    """What a story says of splats whose made up ones come last: from which one on, and of how many."""
    if splats.invented is None or not splats.invented.any():
        return {}
    count = len(splats.means)
    return {_MARK: {"from": count - int(splats.invented.sum()), "of": count}}


def invented_in(story: Story | None, count: int) -> tuple[Bool | None, tuple[str, ...]]:
    """Which of ``count`` splats a story says are made up, and what the user should know of that.

    Raises:
        InputError: What it says makes no sense.
    """
    told = None if story is None else story.get(_MARK)
    if told is None:
        return None, ()
    first, of = (told.get("from"), told.get("of")) if is_object(told) else (None, None)
    if type(first) is not int or type(of) is not int or not 0 <= first <= of:
        raise InputError(f"the record inside the file is damaged: {_MARK} is {str(told)[:60]!r}")
    if of != count:
        return None, ("Splats were added or removed since; which of them are made up is no longer known.",)
    return np.arange(count) >= first, ()


def turned_splats(target_from_source: F64, splats: Splats) -> Splats:
    """The same splats in other axes; quaternions come out with w >= 0, which changes no rotation.

    Args:
        target_from_source: 3×3 rotation.
        splats: In the source's axes.
    """
    quaternions = quaternion_product(
        quaternion_from_rotation(target_from_source), splats.quaternions.astype(np.float64)
    )
    return dataclasses.replace(
        splats,
        means=turned(target_from_source, splats.means),
        quaternions=np.where(quaternions[:, :1] < 0, -quaternions, quaternions).astype(np.float32),
    )


def checked_splats(
    means: NDArray[Any],
    scales: NDArray[Any],
    quaternions: NDArray[Any],
    opacities: NDArray[Any],
    colors: NDArray[Any],
    name: str,
) -> Splats:
    """Splats from a file that nobody vouches for; quaternions are brought to length 1, colours into 0..1.

    Raises:
        InputError: A number is not finite, a size is zero, or a quaternion has no length.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        length = np.linalg.norm(quaternions, axis=1, keepdims=True)
    values = (means, scales, length, opacities, colors)
    largest = float(np.finfo(np.float32).max)
    if not all((np.abs(v) < largest).all() for v in values) or not (length > 0).all():
        raise InputError(f"{name} holds splats with impossible numbers")
    small = np.finfo(np.float32).tiny
    return Splats(
        means.astype(np.float32),
        np.maximum(scales, small).astype(np.float32),
        (quaternions / length).astype(np.float32),
        opacities.clip(0, 1).astype(np.float32),
        colors.clip(0, 1).astype(np.float32),
    )


def _stacked(columns: Table, names: tuple[str, ...]) -> F64:
    """(n, len(names)) float64 of scalar columns."""
    scalars = [column for name in names if isinstance(column := columns[name], np.ndarray)]
    if len(scalars) < len(names):
        raise InputError("the columns of splats must be numbers, not lists")
    with np.errstate(invalid="ignore"):  # a signalling NaN; checked_splats refuses it
        return np.stack([column.astype(np.float64) for column in scalars], axis=1)
