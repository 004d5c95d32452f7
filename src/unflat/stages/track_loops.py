"""A place seen again after a way round: what has added up on the way is spread over it, and the ends are tied together.

The way is bent (as Dubbelman and Browning do, "COP-SLAM", IEEE T-RO 2015): every keyframe on it takes its share, by its
doubt, of the turn and the change of scale that are missing at the end; the steps between keyframes are turned and
scaled with them, and what is then missing in place is shared likewise. Bundle adjustment does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.geometry.turns import axis_angle, turn
from unflat.stages.track_map import Map
from unflat.stages.track_places import Places, Recognised
from unflat.types.arrays import F64, U8

_SHARED = 10
"""Keyframes that have at least so many landmarks in common hang together already."""
_APART = 6
"""So many keyframes must lie between those that do and one that closes a loop."""
_KEPT = 0.6
"""Of the landmarks that tie the ends, so many must agree once everything is settled."""
_ALL = 150
"""With more keyframes only the last ones are adjusted after the way was bent."""
_CLOSED = 0.3
"""What is left of the doubt of a keyframe once a loop runs through it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Missing:
    """What has to happen to the newest keyframe: its turn in the world, its factor, and where it goes."""

    turned: F64
    factor: float
    centre: F64


def look_back(parts: list[Map], places: list[Places], part: int, grey: U8) -> tuple[int, Recognised] | None:
    """Close a loop, or join a part to an older one (the later is then taken off both lists).

    Args:
        parts: The maps.
        places: Their looks.
        part: The one whose newest keyframe looks.
        grey: (h, w) what it sees.

    Returns:
        The part that it belongs to now and what it saw again; None where it saw nothing again.
    """
    made = parts[part]
    before = loose_before(made)
    found = places[part].recognise(grey, made, before) if before else None
    if found is not None and closed(made, found):
        return part, found
    for number, old in enumerate(parts[:part]):
        found = places[number].recognise(grey, old)
        if found is not None:
            places[number].extend(places[part], joined(old, made, found))
            del parts[part], places[part]
            return number, found
    return None


def loose_before(made: Map) -> int:
    """The keyframes before this one have nothing to do with the newest."""
    anchors = np.sort(made.landmarks.anchor[made.keyframes[-1].track])
    anchors = anchors[anchors >= 0]
    return max(int(anchors[_SHARED - 1]) - _APART, 0) if len(anchors) >= _SHARED else 0


def closed(made: Map, found: Recognised) -> bool:
    """Bend the way so that its newest keyframe stands where it was recognised; False, nothing done, if that is wrong.

    Args:
        made: Its newest keyframe is the one that was recognised.
        found: Among landmarks of old keyframes.
    """
    held = [k for k, f in enumerate(made.keyframes[:-1]) if np.isin(found.track, f.track).sum() >= _SHARED]
    if not held:
        return False
    first, before = held[-1], _Kept(made)
    missing = _missing(made, found)
    way = made.keyframes[first:]
    doubt = np.cumsum([0.0, *(k.doubt**2 + 1e-12 for k in way[1:])])
    _bend(made, range(first, len(made.keyframes)), doubt / doubt[-1], missing)
    tie(made, found)
    tied = len(made.keyframes[-1].track)
    if len(made.keyframes) <= _ALL:
        made.settle_all(rounds=15)
    else:
        made.settle_window()
    agree = np.isin(found.track, made.keyframes[-1].track).sum()
    if agree < _KEPT * len(found.track) or len(made.keyframes[-1].track) < _KEPT * tied:
        before.restore(made)
        return False
    for keyframe in way[1:]:
        keyframe.doubt *= _CLOSED
    return True


def joined(old: Map, new: Map, found: Recognised) -> int:
    """Put a map into an older one in which its newest keyframe was recognised.

    Returns:
        The number that the first of its keyframes has there.
    """
    missing, count = _missing(new, found, old), len(old.keyframes)
    _bend(new, range(len(new.keyframes)), np.ones(len(new.keyframes)), missing)
    mine = np.flatnonzero(new.landmarks.anchor >= 0)
    old.landmarks.take(new.landmarks, mine, count)
    old.keyframes.extend(new.keyframes)
    tie(old, found)
    if len(old.keyframes) <= _ALL:
        old.settle_all(rounds=15)
    else:
        old.settle_window()
    return count


def tie(made: Map, found: Recognised) -> None:
    """The newest keyframe sees the old landmarks, too."""
    newest = made.keyframes[-1]
    fresh = ~np.isin(found.track, newest.track)
    track = np.concatenate([newest.track, found.track[fresh]])
    pixel = np.concatenate([newest.pixel, found.at[fresh].astype(np.float64)])
    order = np.argsort(track, kind="stable")
    newest.track, newest.pixel = track[order], pixel[order]


def _missing(made: Map, found: Recognised, old: Map | None = None) -> _Missing:
    newest, marks = made.keyframes[-1], (old or made).landmarks
    far = (marks.xyz[found.track] @ found.rotation.T + found.shift)[:, 2]
    near = made.depth_around(found.at.astype(np.float64))
    factor = float(np.exp(np.median(np.log(np.maximum(far, 1e-9) / near))))
    return _Missing(found.rotation.T @ newest.rotation, factor, -found.rotation.T @ found.shift)


def _bend(made: Map, numbers: range, share: F64, missing: _Missing) -> None:
    """Move keyframes, each by its share (0..1, rising, 1 for the last), and the landmarks first seen from them."""
    way = [made.keyframes[k] for k in numbers]
    about = axis_angle(missing.turned)
    turns, factors = [turn(s * about) for s in share], missing.factor**share
    centres = np.stack([k.centre for k in way])
    steps = [
        turn((share[k] + share[k + 1]) / 2 * about)
        @ (centres[k + 1] - centres[k])
        * np.sqrt(factors[k] * factors[k + 1])
        for k in range(len(way) - 1)
    ]
    if share[0] < 1:
        bent = centres[0] + np.cumsum([np.zeros(3), *steps], 0)
        bent += share[:, None] * (missing.centre - bent[-1])
    else:  # as one piece
        bent = missing.centre + (centres - centres[-1]) @ missing.turned.T * missing.factor
    marks = made.landmarks
    for k, number in enumerate(numbers):
        mine = np.flatnonzero(marks.anchor == number)
        marks.xyz[mine] = bent[k] + (marks.xyz[mine] - centres[k]) @ turns[k].T * factors[k]
        marks.prior[mine, 0] += np.log(factors[k])
        way[k].rotation = way[k].rotation @ turns[k].T
        way[k].shift = -way[k].rotation @ bent[k]


class _Kept:
    """A map as it was."""

    def __init__(self, made: Map) -> None:
        marks = made.landmarks
        self._frames = [(k.rotation, k.shift, k.track, k.pixel) for k in made.keyframes]
        self._marks = marks.xyz.copy(), marks.prior.copy(), marks.spread.copy()
        self._lens = made.lens

    def restore(self, made: Map) -> None:
        for keyframe, (rotation, shift, track, pixel) in zip(made.keyframes, self._frames, strict=True):
            keyframe.rotation, keyframe.shift, keyframe.track, keyframe.pixel = rotation, shift, track, pixel
        made.landmarks.xyz, made.landmarks.prior, made.landmarks.spread = self._marks
        made.lens = self._lens
