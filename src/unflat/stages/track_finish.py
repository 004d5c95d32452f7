"""What was tracked -> a reconstruction: one last agreement of all keyframes, and a pose for every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unflat.errors import InputError
from unflat.geometry.resection import resect
from unflat.geometry.seen_by import lens_of, pixels_of
from unflat.stages.track_map import Map
from unflat.types.arrays import F32, F64, U8
from unflat.types.camera import Pose
from unflat.types.image import Size
from unflat.types.views import Dropped, Lens, Reconstruction, SparsePoints, Still, View

_FEW = 12
"""A frame that sees fewer landmarks is not placed."""
_AGREE = 16.0
"""Squared pixels."""


class Seen:
    """What is kept of a frame.

    Attributes:
        number: Among all frames.
        seconds: When it was taken.
        still: The caller's name for it, or None.
        size: As it was pushed.
        part: Of which part it is; -1 while that is not known.
        pose: (3, 3) and (3,) camera from world, as tracked; None where it was not.
        why: Why it was not.
        track: (k,) int32, rising.
        pixel: (k, 2) float32.
    """

    __slots__ = ("number", "part", "pixel", "pose", "seconds", "size", "still", "track", "why")

    def __init__(self, number: int, seconds: float, still: Still | None, size: Size) -> None:
        self.number, self.seconds, self.still, self.size = number, seconds, still, size
        self.part, self.why = -1, ""
        self.pose: tuple[F64, F64] | None = None
        self.track, self.pixel = np.zeros(0, np.int32), np.zeros((0, 2), np.float32)

    def keep(self, track: np.ndarray, at: F32) -> None:
        """Remember where its corners are."""
        order = np.argsort(track, kind="stable")
        self.track, self.pixel = track[order].astype(np.int32), at[order].astype(np.float32)

    def at(self, track: np.ndarray) -> F64:
        """(n, 2) where these tracks are, which it sees."""
        return self.pixel[np.searchsorted(self.track, track)].astype(np.float64)

    def named(self) -> Still:
        """The caller's still, or one whose pixels are gone."""
        return self.still or Still(f"{self.number:06d}", self.size, _gone, seconds=self.seconds)


Placed = tuple[Seen, tuple[F64, F64], float]
"""A frame, its camera from world (rotation and shift), and its error in pixels."""


def _gone() -> U8:
    raise InputError(
        "the pixels of a frame that was pushed are not kept", hint="Give push a still that reads them again."
    )


def finished(parts: Sequence[Map], frames: Sequence[Seen], full: Lens, small: Size) -> Reconstruction:
    """Settle the largest part and place its frames.

    Args:
        parts: What was tracked without a break.
        frames: All frames.
        full: The lens as it was given or assumed, for the frames' size.
        small: The size that was tracked at.
    """
    counts = np.bincount([f.part for f in frames if f.part >= 0], minlength=len(parts))
    best = int(counts.argmax())
    made = parts[best]
    prior = (0.15, 0.1, 0.05) if full.intrinsics.guessed else (0.0, 0.0, 0.0)
    for _ in range(2):
        made.settle_all(rounds=15, lens_prior=prior)
    lens = lens_of(made.lens, full.resized(small)).resized(full.intrinsics.size)
    if full.intrinsics.guessed:
        lens = replace(lens, intrinsics=replace(lens.intrinsics, basis="views"))
    poses = {k.frame: (k.rotation, k.shift) for k in made.keyframes}
    placed: list[Placed] = []
    lost: list[Dropped] = []
    last = (made.keyframes[0].rotation, made.keyframes[0].shift)
    for frame in frames:
        if frame.part not in (best, -1):
            lost.append(Dropped(frame.named().name, "belongs to another part of the film, after a break"))
            continue
        known = made.landmarks.known(frame.track.astype(np.int64)) if frame.part == best or not frame.why else []
        if np.sum(known) < _FEW:
            lost.append(Dropped(frame.named().name, frame.why or "sees too little of what was tracked"))
            continue
        track, at = frame.track[known], frame.pixel[known].astype(np.float64)
        pose = poses.get(frame.number)
        found = resect(pose or last, made.landmarks.xyz[track], at, made.lens, made.along(track))
        if (found.squares < _AGREE).sum() < _FEW:
            lost.append(Dropped(frame.named().name, "does not agree with the rest"))
            continue
        last = pose or (found.rotation, found.shift)
        off = np.sqrt(np.mean(found.squares[found.squares < _AGREE])) * full.intrinsics.size.width / small.width
        placed.append((frame, last, float(off)))
    views = tuple(View(f.named(), lens, _pose(pose), error) for f, pose, error in placed)
    return Reconstruction(views, _points(made, placed, full.intrinsics.size, small), tuple(lost))


def _pose(camera_from_world: tuple[F64, F64]) -> Pose:
    from unflat.geometry.turns import nearest_rotation

    world = np.eye(4)
    world[:3, :3] = nearest_rotation(camera_from_world[0]).T
    world[:3, 3] = -world[:3, :3] @ camera_from_world[1]
    return Pose(world)


def _points(made: Map, placed: Sequence[Placed], size: Size, small: Size) -> SparsePoints:
    """Landmarks whose depth is known, and which frames saw them where they are."""
    marks, keyframes = made.landmarks, {k.frame: k for k in made.keyframes}
    seen = [keyframes.get(frame.number, frame) for frame, _, _ in placed]
    if not seen:
        return SparsePoints.none()
    track = np.concatenate([one.track for one in seen]).astype(np.int64)
    view = np.repeat(np.arange(len(seen)), [len(one.track) for one in seen])
    pixel = np.concatenate([one.pixel for one in seen])
    marks.reach(track)
    rotation, shift = np.stack([pose[0] for _, pose, _ in placed]), np.stack([pose[1] for _, pose, _ in placed])
    xyz = np.einsum("mij,mj->mi", rotation[view], marks.xyz[track]) + shift[view]
    off = np.nan_to_num(np.linalg.norm(pixels_of(xyz, made.lens) - pixel, axis=1), nan=np.inf)
    good = marks.known(track) & (marks.spread[track] < 0.2) & (off**2 < _AGREE)
    good &= np.bincount(track[good], minlength=len(marks.xyz))[track] >= 2
    track, view, pixel, off = track[good], view[good], pixel[good], off[good]
    points, point = np.unique(track, return_inverse=True)
    factor = np.array([size.width / small.width, size.height / small.height])
    errors = np.bincount(point, off, len(points)) / np.maximum(np.bincount(point, minlength=len(points)), 1)
    return SparsePoints(
        marks.xyz[points],
        marks.color[points],
        (errors * factor[0]).astype(np.float32),
        view.astype(np.int32),
        point.astype(np.int32),
        (pixel * factor).astype(np.float32),
    )
