"""camera + pivot -> the cameras of a move, one a frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from unflat.errors import InputError
from unflat.types.arrays import F64
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.keyframes import Keyframe
from unflat.types.track import Track

Motion = Literal["orbit", "swing", "dolly", "zoom"]
Easing = Literal["smooth", "linear"]

FLATTER = 0.4
"""An orbit is this much lower than it is wide: heads move aside more than up and down."""
INTO = 0.35
"""How far a dolly goes into the picture at an amount of 1, as a share of the middle distance ..."""
WIDENED = 0.15
"""... a zoom, which looks past the picture's border sooner, this far ..."""
BEFORE = 0.6
"""... and at most this share of the distance to what is near."""


@dataclass(frozen=True, slots=True)
class MotionOptions:
    """How the camera moves."""

    motion: Motion = "orbit"
    """The move: orbit (a small circle around the middle), swing (from side to side), dolly (into the picture), zoom
    (into the picture while the lens widens, so that the middle keeps its size)."""
    seconds: float = 4.0
    """How long it takes."""
    fps: float = 30.0
    """Frames a second."""
    amount: float | None = None
    """How far it goes; 1 is the usual way: aside as far as surfaces were continued behind outlines, forwards a share of
    the middle distance (default: 1, or as much of it as is safe)."""
    easing: Easing = "smooth"
    """How it starts and ends, where it does not loop: smooth or linear."""
    loop: bool = True
    """End where it began, so that it can be played in a circle."""

    def __post_init__(self) -> None:
        if self.motion not in get_args(Motion):
            raise InputError(f"there is no motion '{self.motion}'", hint=f"Known: {' '.join(get_args(Motion))}.")
        if self.easing not in get_args(Easing):
            raise InputError(f"there is no easing '{self.easing}'", hint=f"Known: {' '.join(get_args(Easing))}.")
        if not 0 < self.seconds <= 3600:
            raise InputError(f"--seconds {self.seconds:g} is out of range", hint="Give more than 0, at most 3600.")
        if not 1 <= self.fps <= 240:
            raise InputError(f"--fps {self.fps:g} is out of range", hint="Give 1 to 240.")
        if self.amount is not None and not 0 < self.amount <= 4:
            raise InputError(f"--amount {self.amount:g} is out of range", hint="Give more than 0, at most 4.")

    @property
    def share(self) -> float:
        """How far it goes, as a number: 1 unless another amount is given."""
        return 1.0 if self.amount is None else self.amount

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return max(1, round(self.seconds * self.fps))


@dataclass(frozen=True, slots=True)
class Stand:
    """What a move turns about and how much room it has, in metres of the scene.

    Attributes:
        pivot: Depth of the middle of the scene.
        near: Depth that little of the scene is nearer than.
        reach: How far aside the eye may move.
    """

    pivot: float
    near: float
    reach: float


def _eased(t: float, easing: Easing) -> float:
    """0..1 -> 0..1, slow at both ends if smooth (the quintic of Perlin, 2002)."""
    return t * t * t * (t * (6 * t - 15) + 10) if easing == "smooth" else t


def _there_and_back(t: float, options: MotionOptions) -> float:
    """How far along a move into the picture is at a time 0..1."""
    return (1 - math.cos(2 * math.pi * t)) / 2 if options.loop else _eased(t, options.easing)


def looking_at(eye: F64, target: F64) -> Pose:
    """A camera at ``eye`` that looks at ``target``, upright unless it looks straight up or down."""
    ahead = target - eye
    ahead = ahead / np.linalg.norm(ahead)
    right = np.cross([0.0, 1.0, 0.0], ahead)
    length = float(np.linalg.norm(right))
    right = right / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(ahead, right), ahead], axis=1)
    pose[:3, 3] = eye
    return Pose(pose)


def _orbit(t: float, options: MotionOptions, stand: Stand) -> tuple[F64, bool]:
    turn, r = 2 * math.pi * t, options.share * stand.reach
    return np.array([r * math.sin(turn), -FLATTER * r * math.cos(turn), 0.0]), True


def _swing(t: float, options: MotionOptions, stand: Stand) -> tuple[F64, bool]:
    aside = math.sin(2 * math.pi * t) if options.loop else 2 * _eased(t, options.easing) - 1
    return np.array([options.share * stand.reach * aside, 0.0, 0.0]), True


def _into(t: float, options: MotionOptions, stand: Stand) -> tuple[F64, bool]:
    into = INTO if options.motion == "dolly" else WIDENED
    most = min(options.share * into * stand.pivot, BEFORE * stand.near)
    return np.array([0.0, 0.0, most * _there_and_back(t, options)]), False


_MOVES: dict[Motion, Callable[[float, MotionOptions, Stand], tuple[F64, bool]]] = {
    "orbit": _orbit,
    "swing": _swing,
    "dolly": _into,
    "zoom": _into,
}
"""Where the eye is at a time 0..1, and whether it looks at the pivot."""


def moved(camera: Intrinsics, options: MotionOptions, stand: Stand) -> Iterator[Camera]:
    """The cameras of a move, in axes of the picture's own camera (x right, y down, z forward).

    Args:
        camera: The lens, for the size of the frames.
        options: Which move.
        stand: What it turns about.
    """
    middle = np.array(
        [(camera.size.width / 2 - camera.cx) / camera.fx, (camera.size.height / 2 - camera.cy) / camera.fy, 1.0]
    )
    count = options.frames
    for i in range(count):
        t = i / count if options.loop else i / max(count - 1, 1)
        eye, looks = _MOVES[options.motion](t, options, stand)
        pose = looking_at(eye, stand.pivot * middle) if looks else _straight(eye)
        lens = camera
        if looks:
            lens = replace(camera, cx=camera.size.width / 2, cy=camera.size.height / 2)
        elif options.motion == "zoom":
            factor = (stand.pivot - eye[2]) / stand.pivot
            lens = replace(camera, fx=camera.fx * factor, fy=camera.fy * factor)
        yield Camera(lens, pose, f"frame {i}")


def tracked(cameras: Sequence[Camera], options: MotionOptions, seconds: float | None = None) -> Track:
    """The cameras of a move with the times at which a film shows them; a loop comes back to its first pose.

    Args:
        cameras: As :func:`moved` or :func:`flown` gives them.
        options: Which move.
        seconds: How long a flight takes; None for a motion.
    """
    if seconds is not None:
        return Track.of(cameras, [seconds * i / (len(cameras) - 1) for i in range(len(cameras))], "flight")
    around = [*cameras, cameras[0]] if options.loop else cameras
    return Track.of(around, [i / options.fps for i in range(len(around))], options.motion)


def _straight(eye: F64) -> Pose:
    pose = np.eye(4)
    pose[:3, 3] = eye
    return Pose(pose)


def flown(
    camera: Intrinsics, keyframes: tuple[Keyframe, ...], options: MotionOptions, stand: Stand
) -> Iterator[Camera]:
    """The cameras along a user's keyframes, by a cubic through them (Catmull and Rom, 1974, for uneven times).

    Args:
        camera: The lens, for the size of the frames.
        keyframes: At least two, at rising times; see :class:`unflat.types.keyframes.Keyframe`.
        options: ``fps`` is heeded; the times of the keyframes say how long the flight takes.
        stand: A keyframe without a target looks at its pivot.
    """
    times = np.array([k.time for k in keyframes])
    pivot = (0.0, 0.0, stand.pivot)
    eyes = np.array([k.position for k in keyframes], np.float64)
    targets = np.array([k.target or pivot for k in keyframes], np.float64)
    zooms = np.array([1.0 if k.fov_deg is None else _focal_of(k.fov_deg, camera) for k in keyframes])
    count = max(2, round((times[-1] - times[0]) * options.fps) + 1)
    for i in range(count):
        t = float(times[0] + (times[-1] - times[0]) * i / (count - 1))
        eye, target = _between(times, eyes, t), _between(times, targets, t)
        zoom = float(_between(times, zooms[:, None], t)[0])
        lens = Intrinsics(
            camera.fx * zoom, camera.fy * zoom, camera.size.width / 2, camera.size.height / 2, camera.size, camera.basis
        )
        if float(np.linalg.norm(target - eye)) < 1e-9:
            raise InputError(
                f"at {t:.2f} s the camera stands on what it looks at", hint="Move the target or the camera."
            )
        yield Camera(lens, looking_at(eye, target), f"frame {i}")


def _focal_of(fov_deg: float, camera: Intrinsics) -> float:
    """By how much the lens of a field of view across the width is longer than the camera's own."""
    return camera.size.width / (2 * math.tan(math.radians(fov_deg) / 2)) / camera.fx


def _between(times: F64, values: F64, t: float) -> F64:
    """The cubic through (times, values) at t; its slopes are those of the parabolas through three neighbours."""
    i = int(np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2))
    span = times[i + 1] - times[i]
    s = (t - times[i]) / span
    here, there = _slope(times, values, i), _slope(times, values, i + 1)
    return (
        (1 + 2 * s) * (1 - s) ** 2 * values[i]
        + s * (1 - s) ** 2 * span * here
        + s * s * (3 - 2 * s) * values[i + 1]
        + s * s * (s - 1) * span * there
    )


def _slope(times: F64, values: F64, i: int) -> F64:
    before = (values[i] - values[i - 1]) / (times[i] - times[i - 1]) if i > 0 else None
    after = (values[i + 1] - values[i]) / (times[i + 1] - times[i]) if i + 1 < len(times) else None
    if before is None or after is None:
        return after if before is None and after is not None else np.asarray(before)
    share = (times[i] - times[i - 1]) / (times[i + 1] - times[i - 1])
    return (1 - share) * before + share * after
