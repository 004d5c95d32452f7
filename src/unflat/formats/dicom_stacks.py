"""DICOM frames sorted into volumes: by series, size and orientation, then along their normal, never by name.

Sources: PS3.3 C.7.6.2.1.1 (from pixel to patient), C.7.6.16 (multi-frame). The direction from slice to slice is that of
their places, so that a tilted gantry becomes a sheared affine; the tag that tells the tilt is not needed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from unflat.formats.dicom_frames import Frame
from unflat.types.arrays import F64

_SAME_MM, _SAME_SHARE = 0.005, 0.02
"""Slices nearer than this, in millimetres or in usual distances, are at one place."""
_SAME_TURN, _MOST_TURNS = 1e-3, 1000
_EVEN = 0.05
"""Places may be off an even grid by this share of a distance: their texts are rounded."""
_LONG_GAP = 4.5
"""A longer gap, in usual distances, parts two volumes."""
_MOST_MORE = 8


@dataclass(frozen=True, slots=True, eq=False)
class SliceStack:
    """Slices of one volume.

    Attributes:
        frames: From the lowest place along the normal to the highest.
        along: (n,) millimetres of each along the normal.
        count: How many slices the volume has: more than frames where distances are unequal.
        step: Millimetres along the normal from slice to slice of the volume.
        mm_from_voxel: (4, 4) float64 to millimetres of LPS.
        notes: What was odd, in words.
    """

    frames: tuple[Frame, ...]
    along: F64
    count: int
    step: float
    mm_from_voxel: F64
    notes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns)."""
        return self.count, self.frames[0].pixels.rows, self.frames[0].pixels.columns


def stacks_of(frames: Iterable[Frame]) -> list[SliceStack]:
    """The volumes that frames make; those of one slice too, for whoever lists them to refuse.

    All frames must have a place, axes and a spacing.
    """
    groups = _parted(
        list(frames), lambda f: (f.series, f.pixels.rows, f.pixels.columns, _rounded(f.spacing or (), 1e-3))
    )
    found: list[SliceStack] = []
    for group in groups:
        for turned in _by_turn(group):
            found += [stack for part in _single(turned) for stack in _laid(*part)]
    return found


def _rounded(numbers: tuple[float, ...], to: float) -> tuple[int, ...]:
    return tuple(round(number / to) for number in numbers)


def _parted(frames: list[Frame], key: Callable[[Frame], Hashable]) -> list[list[Frame]]:
    groups: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[key(frame)].append(frame)
    return list(groups.values())


def _by_turn(frames: list[Frame]) -> list[list[Frame]]:
    """Frames whose axes are the same, but for rounding; of more turns than any scan has, each is left alone."""
    axes = np.array([frame.axes for frame in frames], np.float64)
    free = np.ones(len(frames), np.bool_)
    groups: list[list[Frame]] = []
    while free.any() and len(groups) < _MOST_TURNS:
        same = free & (np.abs(axes - axes[np.argmax(free)]) <= _SAME_TURN).all(axis=1)
        groups.append([frames[i] for i in np.flatnonzero(same)])
        free &= ~same
    return groups + [[frames[i]] for i in np.flatnonzero(free)]


def normal_of(frame: Frame) -> tuple[F64, F64, F64]:
    """Unit directions of rows (to the next column), of columns (to the next row), and across both."""
    axes = np.array(frame.axes, np.float64).reshape(2, 3)
    row = axes[0] / np.linalg.norm(axes[0])
    column = axes[1] - row * (row @ axes[1])
    column: F64 = column / np.linalg.norm(column)
    (a, b, c), (d, e, f) = row, column
    return row, column, np.array([b * f - c * e, c * d - a * f, a * e - b * d])


def _places(frames: list[Frame]) -> F64:
    """(n,) millimetres along the normal of the first."""
    return np.array([frame.place for frame in frames], np.float64) @ normal_of(frames[0])[2]


def _usual(along: F64) -> float:
    """The median distance between places that differ."""
    apart = np.diff(np.sort(along))
    apart = apart[apart > _SAME_MM]
    return float(np.median(apart)) if len(apart) else 0.0


def _rank(along: F64) -> F64:
    """(n,) which place each is at: 0, 1, … from the lowest; frames at one place share a number."""
    order = np.argsort(along, kind="stable")
    limit = max(_SAME_MM, _SAME_SHARE * _usual(along))
    steps = np.concatenate([[0], np.cumsum(np.diff(along[order]) > limit)])
    ranks = np.empty(len(along))
    ranks[order] = steps
    return ranks


def _single(frames: list[Frame]) -> list[tuple[list[Frame], list[str]]]:
    """Parts with one frame at each place: parted by what tells them apart, else the first of doubles is kept."""
    ranks = _rank(_places(frames))
    if len(set(ranks.tolist())) == len(frames):
        return [(frames, [])]
    names = ("image type", *(name for name in frames[0].apart))
    for name in names:
        parts = _parted(frames, lambda f, name=name: f.kind if name == "image type" else f.apart.get(name))
        if len(parts) > 1 and len(frames) >= 2 * len(parts):
            return [one for part in parts for one in _single(part)]
    often = np.bincount(ranks.astype(int))
    ordered = sorted(zip(ranks, [f.number for f in frames], range(len(frames)), strict=True))
    if len(set(often.tolist())) == 1 and _differ(frames):
        turns = [[frames[i] for _, _, i in ordered[turn :: int(often[0])]] for turn in range(int(often[0]))]
        return [(part, []) for part in turns]
    kept = [frames[i] for j, (rank, _, i) in enumerate(ordered) if j == 0 or ordered[j - 1][0] != rank]
    more = len(frames) - len(kept)
    return [(kept, [f"{more} slice{'s' * (more > 1)} came twice at the same place: one of each was taken"])]


def _differ(frames: list[Frame]) -> bool:
    """Whether frames at one place are pictures of their own, by their numbers, and not copies of each other."""
    numbers = [frame.number for frame in frames]
    return len(set(numbers)) == len(numbers)


def _laid(frames: list[Frame], notes: list[str]) -> list[SliceStack]:
    """A volume of frames at different places, or several where long gaps part them."""
    along = _places(frames)
    order = np.argsort(along, kind="stable")
    sorted_: list[Frame] = [frames[int(i)] for i in order]
    along, frames = along[order], sorted_
    if len(frames) < 2:
        return [SliceStack(tuple(frames), along, 1, 0.0, _matrix(frames, along, 0.0), tuple(notes))]
    apart = np.diff(along)
    breaks = np.flatnonzero(apart > _LONG_GAP * np.median(apart)) + 1
    if len(breaks) and len(frames) >= 4:
        pieces = np.split(np.arange(len(frames)), breaks)
        told = [*notes, "a long gap parts its slices into several volumes"]
        return [_even([frames[i] for i in piece], along[piece], told) for piece in pieces]
    return [_even(frames, along, notes)]


def _even(frames: list[Frame], along: F64, notes: list[str]) -> SliceStack:
    """A volume of slices at even distances: those of the frames, or the smallest of theirs."""
    count = len(frames)
    if count < 2:
        return SliceStack(tuple(frames), along, 1, 0.0, _matrix(frames, along, 0.0), tuple(notes))
    notes = list(notes)
    length = float(along[-1] - along[0])
    step = length / (count - 1)
    if np.abs(along - along[0] - step * np.arange(count)).max() > _EVEN * step:
        apart = np.diff(along)
        small = max(float(apart.min()), length / (_MOST_MORE * count))
        grid = _regular(apart, small)
        step = grid if grid is not None else small
        total = round(length / step) if grid is not None else int(np.ceil(length / step - 1e-6))
        notes.append(_told(apart, step, grid is not None))
        count = total + 1
    stack = SliceStack(tuple(frames), along, count, step, _matrix(frames, along, step), tuple(notes))
    return replace(stack, notes=(*stack.notes, *_tilt(stack)))


def _regular(apart: F64, small: float) -> float | None:
    """The distance of which all are multiples, or None: then slices are missing, and the rest lies even."""
    times = np.rint(apart / small)
    step = float(apart.sum() / times.sum())
    return step if np.abs(apart - times * step).max() <= _EVEN * step else None


def _told(apart: F64, step: float, regular: bool) -> str:
    if regular:
        missing = int((np.rint(apart / step) - 1).sum())
        first = int(np.argmax(apart > 1.5 * step)) + 1
        if missing < len(apart):
            return (
                f"{missing} slice{'s are' if missing > 1 else ' is'} missing, the first after slice {first}: "
                "filled between the neighbours"
            )
    return f"its slices lie {apart.min():.3g} to {apart.max():.3g} mm apart: interpolated to {step:.3g} mm everywhere"


def _matrix(frames: list[Frame], along: F64, step: float) -> F64:
    """From voxels to millimetres; the third axis goes from place to place."""
    row, column, normal = normal_of(frames[0])
    spacing = frames[0].spacing or (1.0, 1.0)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1] = row * spacing[1], column * spacing[0]
    places = np.array([frame.place for frame in frames], np.float64)
    if len(frames) > 1:
        slope = (places[-1] - places[0]) / (along[-1] - along[0])
        matrix[:3, 2], matrix[:3, 3] = slope * step, places[0]
    else:
        matrix[:3, 2], matrix[:3, 3] = normal, places[0]
    return matrix


def _tilt(stack: SliceStack) -> list[str]:
    """What the gantry's tilt is, where there is one; and that places do not lie on a line, where they do not."""
    matrix = stack.mm_from_voxel
    normal = normal_of(stack.frames[0])[2]
    across = matrix[:3, 2] / np.linalg.norm(matrix[:3, 2])
    degrees = float(np.degrees(np.arccos(np.clip(across @ normal, -1, 1))))
    notes: list[str] = []
    if degrees > 0.05:
        notes.append(f"its slices are shifted against each other as by a gantry tilted by {degrees:.1f}°: kept exactly")
    places = np.array([frame.place for frame in stack.frames], np.float64)
    line = places[0] + np.outer((stack.along - stack.along[0]) / stack.step, matrix[:3, 2])
    off = float(np.linalg.norm(places - line, axis=1).max())
    if off > 0.25 * min(np.linalg.norm(matrix[:3, :2], axis=0)):
        notes.append(f"the places of its slices do not lie on one line: up to {off:.2g} mm beside it")
    return notes
