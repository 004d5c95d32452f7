"""Cascades of Haar features, as OpenCV's wheel brings them.

A cascade (Viola & Jones, "Rapid object detection using a boosted cascade of simple features", CVPR 2001) asks of every
window of a picture, stage after stage, whether it may still be what is looked for. The files are OpenCV's; how they
are gone through is in :mod:`unflat.models.faces.sweep`. It is not left to ``cv2.CascadeClassifier``, because that
says only which windows pass, not how near the others came, takes several times as long, and cannot run in two threads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.errors import WeightsError
from unflat.types.arrays import F32, F64

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
_BOXES = 3
"""A feature has at most so many boxes."""


class Trees(NamedTuple):
    """What a cascade asks, as kernels take it.

    Attributes:
        first: (stages + 1,) int32, the first tree of each stage; last, the number of trees.
        least: (stages,) float32, what the trees of a stage must sum up to.
        chain: (trees,) int32: 0, the tree has one node; -1, it goes on to its second where it is below the first
            one's split; 1, where it is not.
        split: (trees, 2) float32 of each node, times the spread of the window's grey values.
        leaf: (trees, 3) float32: of a tree with one node, what it says below its split, and above; of one with two,
            what the second says below, and above, and what the first says where it does not go on.
        box: (trees, 2, 3, 4) int32: left, top, right, bottom of each node's boxes in the window.
        weight: (trees, 2, 3) float32 of the boxes; 0 where there is none.
    """

    first: I32
    least: F32
    chain: I32
    split: F32
    leaf: F32
    box: I32
    weight: F32


class Corners(NamedTuple):
    """Where the four corners of all boxes are in sums whose even columns and odd ones lie apart.

    Attributes:
        odd: Whether a corner is in the odd columns; as all of them (trees × 2 × 3 × 4,) int32.
        row: Rows below the window's first.
        column: Columns to the right of its first, in either half.
    """

    odd: I32
    row: I32
    column: I32

    @staticmethod
    def of(boxes: I32) -> Corners:
        """Of (…, 4) left, top, right, bottom; their order is upper left, upper right, lower left, lower right."""
        x, y = boxes[..., [0, 2, 0, 2]].ravel(), boxes[..., [1, 1, 3, 3]].ravel()
        return Corners(x % 2, y, x // 2)

    def places(self, shape: tuple[int, ...]) -> I32:
        """The same in the flattened sums, (2, h, w), from where the window's first corner is."""
        _, height, half = shape
        return self.odd * np.int32(height * half) + self.row * np.int32(half) + self.column


@dataclass(frozen=True, slots=True, eq=False)
class Cascade:
    """A cascade that was read.

    Attributes:
        width: Of its windows, pixels.
        height: Of its windows.
        trees: What it asks.
        corners: Of the trees' boxes.
        frame: Of the window but for its outermost pixels.
    """

    width: int
    height: int
    trees: Trees
    corners: Corners
    frame: Corners

    @property
    def asked(self) -> tuple[I32, F32, I32, F32, F32, F32]:
        """The trees as the kernel takes them: all but the boxes, one-dimensional."""
        trees = self.trees
        return (trees.first, trees.least, trees.chain, trees.split.ravel(), trees.leaf.ravel(), trees.weight.ravel())

    @property
    def stages(self) -> int:
        """How many stages a window has to pass."""
        return len(self.trees.least)


def folder() -> Path:
    """Where the wheel keeps its cascades; a place without any in a wheel that has none."""
    import cv2

    return Path(getattr(getattr(cv2, "data", None), "haarcascades", "no-cascades"))


@lru_cache(maxsize=8)
def cascade(name: str, mirrored: bool = False) -> Cascade:
    """The cascade of OpenCV that is called so ("frontalface_alt2"), or its mirror image.

    The files are taken apart by their few words, not read as XML, which takes five times as long.

    Raises:
        WeightsError: There is none, or it is not of a kind that is known here.
    """
    if mirrored:
        return _mirrored(cascade(name))
    try:
        text = (folder() / f"haarcascade_{name}.xml").read_text(encoding="utf-8")
        return _taken_apart(text)
    except (OSError, ValueError, IndexError) as error:
        raise WeightsError(f"OpenCV's cascade {name} cannot be read: {error}") from error


def _mirrored(seen: Cascade) -> Cascade:
    """What sees in a picture what ``seen`` sees in its mirror image."""
    box = seen.trees.box.copy()
    box[..., 0], box[..., 2] = seen.width - seen.trees.box[..., 2], seen.width - seen.trees.box[..., 0]
    return Cascade(seen.width, seen.height, seen.trees._replace(box=box), Corners.of(box), seen.frame)


def _taken_apart(text: str) -> Cascade:
    """A cascade from what its file says; ValueError where that is of another kind."""
    kind, tilted = re.search(r"<featureType>HAAR</featureType>", text), re.search(r"<tilted>\s*1", text)
    if "opencv-cascade-classifier" not in text or not kind or tilted:
        raise ValueError("it is of another kind")
    boxes, weights = _features(text)
    sizes = [len(re.findall("<internalNodes>", stage)) for stage in text.split("<weakClassifiers>")[1:]]
    node, lengths = _rows("internalNodes", text, 8)
    if len(node) != sum(sizes) or not np.isin(lengths, (4, 8)).all():
        raise ValueError("its trees are of another kind")
    chained = lengths == 8
    leaf, lengths = _rows("leafValues", text, 3)
    leaf[:, 2] = np.where(lengths == 2, leaf[:, 1], leaf[:, 2])
    forward = np.where(node[:, 0] > 0, -1, 1)
    leaf = np.where(chained[:, None], _by_links(node, leaf, 4, forward), _by_links(node, leaf, 0, forward))
    which = node[:, [2, 6]].astype(np.int64)
    trees = Trees(
        np.cumsum([0, *sizes], dtype=np.int32),
        np.array([float(word) for word in re.findall(r"<stageThreshold>([^<]*)", text)], np.float32),
        np.where(chained, forward, 0).astype(np.int32),
        np.ascontiguousarray(node[:, [3, 7]], np.float32),
        np.ascontiguousarray(leaf, np.float32),
        np.ascontiguousarray(boxes[which]),
        np.ascontiguousarray(weights[which]),
    )
    if len(trees.least) != len(sizes):
        raise ValueError("its stages are of another kind")
    width, height = (int(re.findall(rf"<{side}>\s*(\d+)", text)[0]) for side in ("width", "height"))
    frame = np.array([1, 1, width - 1, height - 1], np.int32)
    return Cascade(width, height, trees, Corners.of(trees.box), Corners.of(frame))


def _rows(word: str, text: str, most: int) -> tuple[F64, I64]:
    """The numbers in every element that is called so, (n, most), zeros behind them; and how many each has, (n,)."""
    rows = re.findall(f"<{word}>([^<]*)", text)
    lengths = np.array([len(row.split()) for row in rows])
    return _parted(np.array(" ".join(rows).split(), np.float64), lengths, most), lengths


def _parted(numbers: NDArray[Any], lengths: I64, most: int) -> NDArray[Any]:
    """Numbers in rows of so many, (n, most, …), zeros behind them."""
    if lengths.sum() != len(numbers) or not len(lengths) or lengths.max() > most:
        raise ValueError("its rows are of another kind")
    rows = np.zeros((len(lengths), most, *numbers.shape[1:]), numbers.dtype)
    rows[np.arange(most) < lengths[:, None]] = numbers
    return rows


def _by_links(node: F64, leaf: F64, last: int, forward: I64) -> F64:
    """(trees, 3): what the last node says below its split and above, and what the first says where it ends."""
    rows = np.arange(len(node))
    ends = np.where(forward < 0, node[:, 1], node[:, 0])
    links = np.stack([node[:, last], node[:, last + 1], ends], 1)
    return leaf[rows[:, None], np.clip(-links, 0, 2).astype(np.int64)]


def _features(text: str) -> tuple[I32, F32]:
    """Corners of all features' boxes, and their weights."""
    rows = [one.partition("</rects>")[0] for one in text.split("<rects>")[1:]]
    words = " ".join(rows).replace("<_>", " ").replace("</_>", " ").split()
    numbers = np.array(words, np.float64).reshape(-1, 5)
    boxes = _parted(numbers, np.array([row.count("</_>") for row in rows]), _BOXES)
    boxes[..., 2:4] += boxes[..., :2]
    return boxes[..., :4].astype(np.int32), boxes[..., 4].astype(np.float32)
