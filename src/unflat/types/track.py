"""A camera that moves: poses at times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import F64, settle
from unflat.types.camera import Camera, Intrinsics, Pose


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Timed poses of one camera; between them it moves evenly.

    Attributes:
        name: What the move is called.
        lens: The camera's intrinsics; ``zoom`` multiplies its focal lengths.
        times: (n,) float64 seconds, rising.
        world_from_camera: (n, 4, 4) float64, rotations of determinant +1 and translations in metres.
        zoom: (n,) float64 > 0, the focal length as a multiple of the lens's own.
    """

    name: str
    lens: Intrinsics
    times: F64
    world_from_camera: F64
    zoom: F64

    def __post_init__(self) -> None:
        settle(self, "times", "float64", (None,))
        n = len(self.times)
        settle(self, "world_from_camera", "float64", (n, 4, 4))
        settle(self, "zoom", "float64", (n,))
        if not n or not np.isfinite(self.times).all() or (np.diff(self.times) <= 0).any():
            raise ShapeError("the times of a track must be finite and rise")
        if not (np.isfinite(self.zoom).all() and (self.zoom > 0).all()):
            raise ShapeError("the zoom of a track must be positive")
        for pose in self.world_from_camera:
            Pose(pose)

    @staticmethod
    def of(cameras: Sequence[Camera], times: Sequence[float], name: str) -> Track:
        """The track of cameras that differ in pose and focal length only.

        Args:
            cameras: At least one; the first one's lens is the track's.
            times: When each of them is taken, in seconds.
            name: What the move is called.
        """
        lens = cameras[0].intrinsics
        zoom = [camera.intrinsics.fx / lens.fx for camera in cameras]
        poses = np.stack([camera.pose.world_from_camera for camera in cameras])
        return Track(name, lens, np.asarray(times, np.float64), poses, np.asarray(zoom))

    def camera(self, number: int) -> Camera:
        """The camera at the time of that number."""
        lens, zoom = self.lens, float(self.zoom[number])
        lens = replace(lens, fx=lens.fx * zoom, fy=lens.fy * zoom)
        return Camera(lens, Pose(self.world_from_camera[number]), self.name)

    @property
    def seconds(self) -> float:
        """From the first to the last pose."""
        return float(self.times[-1] - self.times[0])

    @property
    def zooms(self) -> bool:
        """True if the focal length changes."""
        return bool(np.ptp(self.zoom) > 1e-9)

    def __repr__(self) -> str:
        return f"Track({self.name}, {len(self.times)} poses in {self.seconds:g} s)"
