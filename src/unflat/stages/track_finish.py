"""What was tracked -> a reconstruction: one last agreement of all keyframes, and a pose for every frame."""

from __future__ import annotations

from collections.abc import Sequence

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
    poses = {k.frame: (k.rotation, k.shift) for k in made.keyframes}
    placed: list[tuple[Seen, tuple[F64, F64], float | None]] = []
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
    numbers = {f.number: i for i, (f, _, _) in enumerate(placed)}
    return Reconstruction(views, _points(made, numbers, full.intrinsics.size, small), tuple(lost))


def _pose(camera_from_world: tuple[F64, F64]) -> Pose:
    from unflat.geometry.turns import nearest_rotation

    world = np.eye(4)
    world[:3, :3] = nearest_rotation(camera_from_world[0]).T
    world[:3, 3] = -world[:3, :3] @ camera_from_world[1]
    return Pose(world)


def _points(made: Map, view_of_frame: dict[int, int], size: Size, small: Size) -> SparsePoints:
    """Landmarks whose depth is known, and which keyframes saw them."""
    frames = [k for k in made.keyframes if k.frame in view_of_frame]
    if not frames:
        return SparsePoints.none()
    marks = made.landmarks
    track = np.concatenate([k.track for k in frames])
    keyframe = np.repeat(np.arange(len(frames)), [len(k.track) for k in frames])
    pixel = np.concatenate([k.pixel for k in frames])
    seen = np.bincount(track, minlength=len(marks.xyz))
    good = marks.known(track) & (seen[track] >= 2) & (marks.spread[track] < 0.2)
    track, keyframe, pixel = track[good], keyframe[good], pixel[good]
    points, point = np.unique(track, return_inverse=True)
    rotation, shift = np.stack([k.rotation for k in frames]), np.stack([k.shift for k in frames])
    xyz = np.einsum("mij,mj->mi", rotation[keyframe], marks.xyz[track]) + shift[keyframe]
    off = np.linalg.norm(pixels_of(xyz, made.lens) - pixel, axis=1)
    factor = np.array([size.width / small.width, size.height / small.height])
    errors = np.bincount(point, np.nan_to_num(off), len(points)) / np.maximum(
        np.bincount(point, minlength=len(points)), 1
    )
    views = np.array([view_of_frame[k.frame] for k in frames])
    return SparsePoints(
        marks.xyz[points],
        marks.color[points],
        (errors * factor[0]).astype(np.float32),
        views[keyframe].astype(np.int32),
        point.astype(np.int32),
        (pixel * factor).astype(np.float32),
    )
