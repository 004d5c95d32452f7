"""The network that continues colours behind outlines. Ours, shipped, run by onnxruntime.

It is shown a smooth continuation and says what to add to it: lines that run into the outline go on behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from unflat.models.sessions import open_session, thrifty
from unflat.models.weights import CARDS, weights_path
from unflat.types.arrays import F32, Bool

if TYPE_CHECKING:
    import onnxruntime

_TILE, _MARGIN, _MULTIPLE = 512, 48, 16
"""Pixels of a side that are asked for at once, of what is shown around them, and what sides are multiples of."""
_MOST_APART = 3.0
"""Logarithm of inverse depths beyond which the network is told no more."""
_FAINT = 1e-3
"""Share of the near inverse depths below which things are equally far."""


@lru_cache(maxsize=2)
def _session(threads: int) -> onnxruntime.InferenceSession:
    return open_session(weights_path(CARDS["behind"]), threads, "cpu")


def shown(colour: F32, known: Bool, wanted: Bool, guide: F32) -> F32:
    """What the network is shown of a picture or of a part of one.

    Args:
        colour: (h, w, 3) sRGB 0..1, as seen where known, continued smoothly where wanted.
        known: (h, w), what is seen.
        wanted: (h, w), what is to be bettered; some of it.
        guide: (h, w) inverse depth over that of near things.

    Returns:
        (h, w, 6): colour, known, wanted, logarithm of inverse depth over the middle one of what is wanted.
    """
    there = known | wanted
    middle = float(np.median(guide[wanted]))
    ratio = np.log((guide + np.float32(_FAINT)) / np.float32(middle + _FAINT))
    rest = known, wanted, np.where(there, np.clip(ratio, -_MOST_APART, _MOST_APART), 0)
    return np.concatenate([colour * there[..., None], np.stack(rest, axis=2)], axis=2).astype(np.float32)


def bettered(colour: F32, known: Bool, wanted: Bool, guide: F32, threads: int = 0) -> F32:
    """Continue what is seen over the wanted pixels, better than smoothly.

    Args:
        colour: As for :func:`shown`.
        known: As for :func:`shown`.
        wanted: As for :func:`shown`.
        guide: As for :func:`shown`.
        threads: Threads of onnxruntime; 0 lets it take all cores.

    Returns:
        (h, w, 3) sRGB 0..1; other than ``colour`` only where wanted.

    Raises:
        WeightsError: The weights are missing or damaged.
    """
    out, tiles = colour.copy(), list(_tiles(wanted))
    for number, (asked, around) in enumerate(tiles, 1):
        fed = shown(colour[around], known[around], wanted[around], guide[around])
        h, w = fed.shape[:2]
        fed = np.pad(fed, ((0, -h % _MULTIPLE), (0, -w % _MULTIPLE), (0, 0)))
        feed = {"shown": np.ascontiguousarray(fed.transpose(2, 0, 1))[None]}
        (added,) = _session(threads).run(None, feed, thrifty() if number == len(tiles) else None)
        both = np.asarray(added, np.float32)[0].transpose(1, 2, 0)[:h, :w] + colour[around]
        y, x = (inner.start - outer.start for inner, outer in zip(asked, around, strict=True))
        part = out[asked]
        new = both[y : y + part.shape[0], x : x + part.shape[1]]
        part[...] = np.where(wanted[asked][..., None], np.clip(new, 0, 1), part)
    return out


def _tiles(wanted: Bool) -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Tiles in which something is wanted, each with what is shown around it."""
    h, w = wanted.shape
    for y in range(0, h, _TILE):
        for x in range(0, w, _TILE):
            part = wanted[y : y + _TILE, x : x + _TILE]
            rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
            if len(rows):
                asked = slice(y + rows[0], y + rows[-1] + 1), slice(x + columns[0], x + columns[-1] + 1)
                down, across = (
                    slice(max(a.start - _MARGIN, 0), min(a.stop + _MARGIN, n))
                    for a, n in zip(asked, (h, w), strict=True)
                )
                yield asked, (down, across)
