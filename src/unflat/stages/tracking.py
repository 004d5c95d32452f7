"""What the tracker is told, and what it tells of a frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from unflat.errors import InputError
from unflat.stages.track_depth import Sight
from unflat.types.camera import Pose
from unflat.types.depth import DepthMap

State = Literal["starting", "tracking", "lost"]


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """How a camera is tracked."""

    longest: int = 640
    """Long side in pixels at which frames are tracked; larger ones are made smaller."""
    corners: int = 400
    """Corners followed from frame to frame."""

    def __post_init__(self) -> None:
        if not 160 <= self.longest <= 4096:
            raise InputError(f"a tracking size of {self.longest} is out of range", hint="Give 160 to 4096 pixels.")
        if not 60 <= self.corners <= 5000:
            raise InputError(f"{self.corners} corners are out of range", hint="Give 60 to 5000.")


@dataclass(frozen=True, slots=True, eq=False)
class Tracking:
    """What is known after a frame.

    Attributes:
        pose: Where the camera is: world from camera, in the axes of the part's first frame (x right, y down, z
            forward) and in a unit of its own. While starting only its turn is known; while lost it is the last known.
        state: "starting": no parallax yet, only turns are known. "tracking". "lost": ``why`` says how.
        error: How far off the position may be, in the unit of the pose: one standard deviation of what the landmarks
            in view tell, and of what has added up on the way from the first frame. None unless tracking,
            and in the frame with which tracking begins.
        keyframe: Whether the frame became a keyframe.
        part: Which uninterrupted part of the film it belongs to; poses of different parts share no frame.
        landmarks: How many landmarks agree with the pose.
        why: In words, where it is lost.
        sight: What ``depth`` is made of; None unless tracking.
    """

    pose: Pose
    state: State
    error: float | None = None
    keyframe: bool = False
    part: int = 0
    landmarks: int = 0
    why: str = ""
    sight: Sight | None = field(default=None, repr=False)

    @property
    def depth(self) -> DepthMap | None:
        """What the frame sees, made when it is asked for (:meth:`unflat.stages.track_depth.Sight.depth`).

        Kind SCALE, in the unit of the pose; None unless tracking.
        """
        return None if self.sight is None else self.sight.depth()
