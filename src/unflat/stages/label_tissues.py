"""Label map -> tissues: one for each label, on the voxels of its own box."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from unflat.errors import InputError
from unflat.geometry.bits import packed
from unflat.geometry.label_boxes import LabelBox, label_boxes
from unflat.stages.crop_volume import part_of
from unflat.stages.tissues import SHEER, Tissue, color_of
from unflat.types.arrays import F64
from unflat.types.scene import Finish
from unflat.types.volume import Grid, Label, LabelMap

_COVERS = ("skin", "body", "body trunc", "external", "outer contour")
"""Labels of the whole body."""


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """Which labels become tissues."""

    only: str | None = None
    """Of a label map only these, by name or number, with commas: liver,spleen,5."""
    least_voxels: int = 8
    """Labels of fewer voxels are left out, and named."""

    def __post_init__(self) -> None:
        if self.least_voxels < 1:
            raise InputError("--least-voxels is 1 or more")


def label_tissues(labels: LabelMap, options: LabelOptions | None = None) -> tuple[tuple[Tissue, ...], tuple[str, ...]]:
    """Make a tissue of every label.

    Args:
        labels: The map.
        options: Which of them.

    Returns:
        The tissues in the order of their numbers, and notes for the user.

    Raises:
        InputError: A label that was asked for does not occur, or none is left.
    """
    options = options or LabelOptions()
    boxes = label_boxes(labels.numbers)
    known = {label.number: label for label in labels.labels}
    named = [(box, known.get(box.number) or Label(box.number, f"label {box.number}")) for box in boxes]
    if options.only is not None:
        named = _wanted(named, options.only)
    kept = [(box, label) for box, label in named if box.voxels >= options.least_voxels]
    if not kept:
        raise InputError("there is no label of any size in this map", hint="0 stands for nothing in a label map.")
    few = [label.name for box, label in named if box.voxels < options.least_voxels]
    notes = (f"left out for having fewer than {options.least_voxels} voxels: {', '.join(few)}",) if few else ()
    own = not _gaudy([label for _, label in kept])
    made = [_tissue(labels, box, label if own else replace(label, color=None)) for box, label in kept]
    return tuple(_sheer(one) if len(made) > 1 and _plain(one.name) in _COVERS else one for one in made), notes


def _sheer(tissue: Tissue) -> Tissue:
    """What covers all others, so that they are seen."""
    return tissue._replace(finish=Finish(tissue.finish.color, SHEER))


def beside(tissues: Sequence[Tissue], grid: Grid) -> tuple[str, ...]:
    """What of a label map does not lie on the scan that it is of, in words for the user.

    Args:
        tissues: Those of the map.
        grid: The scan's.

    Raises:
        InputError: Nothing of it does.
    """
    low, high = _box(grid)
    off: list[str] = []
    for tissue in tissues:
        least, most = _box(tissue.grid)
        if (most < low).any() or (least > high).any():
            off.append(tissue.name)
    if len(off) == len(tissues):
        raise InputError("the labels do not lie on the scan, but beside it", hint="Give the label map of this scan.")
    return (f"not on the scan, but beside it: {', '.join(off)}",) if off else ()


def _box(grid: Grid) -> tuple[F64, F64]:
    """The least and the greatest LPS of the centres of a grid's corner voxels, metres."""
    corners = np.array(list(itertools.product(*((0, side - 1) for side in grid.shape[::-1]))), np.float64)
    at = grid.lps(corners)
    return at.min(axis=0), at.max(axis=0)


def _gaudy(labels: Sequence[Label]) -> bool:
    """Whether a program only numbered its labels with pure colours, several the same."""
    colors = [label.color for label in labels if label.color is not None]
    return len(set(colors)) < len(colors) and all(c in (0, 255) for color in colors for c in color)


def _wanted(named: Sequence[tuple[LabelBox, Label]], words: str) -> list[tuple[LabelBox, Label]]:
    """The labels that a user names."""
    chosen: list[tuple[LabelBox, Label]] = []
    for word in filter(None, (part.strip() for part in words.split(","))):
        found = [one for one in named if _plain(one[1].name) == _plain(word) or str(one[0].number) == word]
        if not found:
            names = ", ".join(label.name for _, label in named[:12])
            raise InputError(f"there is no label '{word}' in this map", hint=f"There are {len(named)}: {names} …")
        chosen += [one for one in found if one not in chosen]
    return chosen


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name.lower()).strip()


def _tissue(labels: LabelMap, box: LabelBox, label: Label) -> Tissue:
    part = labels.numbers[
        box.low[2] : box.high[2],
        box.low[1] : box.high[1],
        box.low[0] : box.high[0],
    ]
    bits = packed((part.shape[0], part.shape[1], part.shape[2]), lambda k: part[k] == box.number)
    grid = part_of(labels.grid, box.low, part.shape)
    return Tissue(label.name, bits, part, grid, None, Finish(label.color or color_of(box.number, label.name)))
