"""One frame after the other -> where the camera is now; at the end, all of its path (visual SLAM).

    frame ─ follow corners (track_corners) ─► pose among the landmarks (geometry.resection)
          ─ now and then a keyframe ─► new landmarks, local bundle adjustment (track_map)
    finish ─► everything brought into agreement once more ─► Reconstruction

What is kept of a frame is where its corners were, never its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from unflat.errors import InputError
from unflat.geometry.resection import Resection, resect
from unflat.geometry.seen_by import bearings, numbers_of
from unflat.geometry.turns import nearest_rotation
from unflat.stages.track_corners import Corners
from unflat.stages.track_finish import Seen, finished
from unflat.stages.track_map import Keyframe, Map
from unflat.stages.track_start import Begun, Start
from unflat.types.arrays import F32, F64, U8
from unflat.types.camera import Intrinsics, Pose
from unflat.types.image import Size
from unflat.types.views import Lens, Reconstruction, Still

State = Literal["starting", "tracking", "lost"]

ASSUMED_FOV_DEG = 63.0
"""Of a camera of which nothing is known: that of a phone's or webcam's film."""
_BLANK = 4.0
"""A frame whose grey values spread less (standard deviation, of 255) shows nothing."""
_LEAST = 15
"""With fewer landmarks that agree, a pose is not believed."""
_WRONG = 16.0
"""Squared pixels: a corner farther from its landmark is on something else."""
_REFINED_AT = (6, 10, 15, 20, 30)
"""Numbers of keyframes at which everything, and a lens that is not known, is brought into agreement."""


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
        error: One standard deviation of the position, in the unit of the pose, as the landmarks in view tell it; None
            unless tracking.
        keyframe: Whether the frame became a keyframe.
        part: Which uninterrupted part of the film it belongs to; poses of different parts share no frame.
        landmarks: How many landmarks agree with the pose.
        why: In words, where it is lost.
    """

    pose: Pose
    state: State
    error: float | None = None
    keyframe: bool = False
    part: int = 0
    landmarks: int = 0
    why: str = ""


class Tracker:
    """Follows one camera through a film or a live stream, frame by frame, on the processor.

    Args:
        lens: The camera's lens for frames as they are pushed. None: a field of view of 63 degrees is assumed at first,
            and measured as the camera moves.
        options: How.
    """

    def __init__(self, lens: Lens | None = None, options: TrackerOptions | None = None) -> None:
        self._given, self._options = lens, options or TrackerOptions()
        self._lens: Lens | None = None
        self._numbers = np.zeros(8)
        self._frames: list[Seen] = []
        self._parts: list[Map] = []
        self._corners = Corners()
        self._begin()

    def _begin(self) -> None:
        """A new part, of which nothing is known yet; tracks of another part are never taken for its own."""
        self._corners.forget()
        self._start = Start()
        self._map: Map | None = None
        self._pose = (np.eye(3), np.zeros(3))
        self._motion = (np.eye(3), np.zeros(3))
        self._state: State = "starting"

    def push(self, pixels: U8, seconds: float, still: Still | None = None) -> Tracking:
        """Track one frame more.

        Args:
            pixels: (h, w, 3) uint8 sRGB, all frames of one size.
            seconds: When it was taken; rising.
            still: What :meth:`finish` calls the frame, and how its pixels are read again.

        Raises:
            InputError: The frame has another size than the first one, or does not come after the last one.
        """
        small = self._taken(pixels, seconds)
        frame = Seen(len(self._frames), seconds, still, Size(pixels.shape[1], pixels.shape[0]))
        self._frames.append(frame)
        grey = _grey(small)
        if float(grey.std()) < _BLANK:
            return self._lost(frame, "nothing is to be seen: the frame is blank")
        before = self._corners.track
        self._corners.follow(grey, self._guess() if self._map is not None else None)
        if self._map is None:
            return self._starting(frame, small, len(before))
        return self._tracking(frame, small)

    def _taken(self, pixels: U8, seconds: float) -> U8:
        """The frame at the tracker's size."""
        import cv2

        size = Size(pixels.shape[1], pixels.shape[0])
        if self._lens is None:
            given = self._given or Lens(Intrinsics.from_fov(ASSUMED_FOV_DEG, size, "assumed"))
            if given.intrinsics.size != size:
                raise InputError(f"the lens is one for {given.intrinsics.size}, the frames are {size}")
            factor = min(1.0, self._options.longest / size.long_side)
            self._small = Size(round(size.width * factor), round(size.height * factor))
            self._lens = given.resized(self._small)
            self._full = given
            self._numbers = numbers_of(self._lens)
        elif size != self._full.intrinsics.size:
            raise InputError(f"a frame is {size}, those before it are {self._full.intrinsics.size}")
        if self._frames and seconds <= self._frames[-1].seconds:
            raise InputError(f"the frame at {seconds:g} s does not come after that at {self._frames[-1].seconds:g} s")
        if self._small == size:
            return pixels
        return np.asarray(
            cv2.resize(pixels, (self._small.width, self._small.height), interpolation=cv2.INTER_AREA), np.uint8
        )

    # -- starting ------------------------------------------------------------------------------------------------

    def _starting(self, frame: Seen, small: U8, before: int) -> Tracking:
        corners = self._corners
        begun = self._start.see(frame.number, corners.track, corners.at.astype(np.float64), self._numbers)
        frame.keep(corners.track, corners.at)
        if begun is not None and self._settled(begun, frame, small):
            return self._told(frame, "tracking", keyframe=True)
        if len(corners.at) < 0.7 * self._options.corners:
            corners.sow(self._options.corners)
            frame.keep(corners.track, corners.at)
        self._pose = (self._start.rotation, np.zeros(3))
        if len(corners.at) < _LEAST:
            return self._lost(frame, "nothing in the frame can be followed: too few corners (a blank wall?)")
        return self._told(frame, "starting")

    def _settled(self, begun: Begun, frame: Seen, small: U8) -> bool:
        """Make a map of two views and one between them; False if they do not agree after all."""
        views, made = begun.views, Map(self._numbers.copy())
        first = self._frames[begun.first]
        scale = 1 / float(np.median(views.xyz[views.kept, 2]))
        turned = self._start.first_rotation
        poses = [(turned, np.zeros(3)), (views.rotation @ turned, views.shift * scale)]
        chosen = begun.track[views.kept]
        for seen, (rotation, shift) in zip((first, frame), poses, strict=True):
            at = seen.at(chosen)
            made.add(Keyframe(seen.number, rotation, shift, chosen.copy(), at))
            if seen is first:
                made.place(chosen, views.xyz[views.kept, 2] * scale, 2.0)
        made.settle_all(rounds=20)
        if len(made.keyframes[1].track) < 0.8 * len(chosen):
            return False
        self._map = made
        self._parts.append(made)
        frame.part = len(self._parts) - 1
        newest = made.keyframes[1]
        self._pose = (newest.rotation, newest.shift)
        self._motion = (np.eye(3), np.zeros(3))
        self._grow(small)
        frame.keep(self._corners.track, self._corners.at)
        frame.pose = self._pose
        return True

    # -- tracking ------------------------------------------------------------------------------------------------

    def _guess(self) -> F32 | None:
        """Where the corners should be by now, if the camera moves on as it did."""
        assert self._map is not None
        rotation, shift = self._ahead()
        known = self._map.seen_from(rotation, shift, self._corners.track)
        return known.astype(np.float32)

    def _ahead(self) -> tuple[F64, F64]:
        turned, moved = self._motion
        return nearest_rotation(turned @ self._pose[0]), turned @ self._pose[1] + moved

    def _tracking(self, frame: Seen, small: U8) -> Tracking:
        assert self._map is not None
        corners, marks = self._corners, self._map.landmarks
        known = marks.known(corners.track)
        if known.sum() < _LEAST:
            return self._lost(frame, "too few of the corners could be found again: a cut, a blur, or a blank wall")
        track = corners.track[known]
        found = self._resected(track, corners.at[known].astype(np.float64))
        agree = found.squares < _WRONG
        if agree.sum() < max(_LEAST, 0.25 * len(track)):
            return self._lost(frame, "what is seen does not agree with the landmarks: a cut, or all of it moves")
        turned = found.rotation @ self._pose[0].T
        self._motion = (turned, found.shift - turned @ self._pose[1])
        self._pose = (found.rotation, found.shift)
        keep = np.ones(len(corners.track), bool)
        keep[np.flatnonzero(known)[~agree]] = False
        np.add.at(marks.wrong, track[~agree], 1)
        corners.keep(keep)
        frame.part = len(self._parts) - 1
        frame.pose = self._pose
        keyframe = self._wants_keyframe(frame)
        if keyframe:
            self._add_keyframe(frame, small)
        frame.keep(corners.track, corners.at)
        sigma = float(np.sqrt(max(np.median(found.squares[agree]), 0.05)))
        error = sigma * float(np.sqrt(np.trace(np.linalg.inv(found.information + 1e-9 * np.eye(6))[3:, 3:])))
        return self._told(frame, "tracking", keyframe=keyframe, error=error, landmarks=int(agree.sum()))

    def _resected(self, track: np.ndarray, at: F64) -> Resection:
        assert self._map is not None
        xyz, along = self._map.landmarks.xyz[track], self._map.along(track)
        tries = [resect(guess, xyz, at, self._map.lens, along) for guess in (self._ahead(), self._pose)]
        return max(tries, key=lambda r: int((r.squares < _WRONG).sum()))

    def _wants_keyframe(self, frame: Seen) -> bool:
        assert self._map is not None
        last = self._map.keyframes[-1]
        if frame.number - last.frame < 2:
            return False
        if len(self._corners.track) < 0.6 * self._options.corners:
            return True
        shared, now, then = np.intersect1d(self._corners.track, last.track, return_indices=True)
        if len(shared) < 0.6 * len(last.track):
            return True
        a = bearings(last.pixel[then], self._map.lens)
        b = bearings(self._corners.at[now].astype(np.float64), self._map.lens)
        turned = self._pose[0] @ last.rotation.T
        ray = np.concatenate([a, np.ones((len(a), 1))], 1) @ turned.T
        aside = np.linalg.norm(ray[:, :2] / ray[:, 2:] - b, axis=1) * self._map.lens[0]
        return bool(np.median(aside) > 12.0 * self._small.width / 640)

    def _add_keyframe(self, frame: Seen, small: U8) -> None:
        assert self._map is not None
        corners, made = self._corners, self._map
        made.add(Keyframe(frame.number, *self._pose, corners.track.copy(), corners.at.astype(np.float64)))
        made.settle_depths()
        n = len(made.keyframes)
        if n in _REFINED_AT:
            prior = (0.15, 0.05, 0.0) if self._full.intrinsics.guessed and n >= 6 else (0.0, 0.0, 0.0)
            made.settle_all(rounds=10, lens_prior=prior)
        else:
            made.settle_window()
        newest = made.keyframes[-1]
        self._pose = (newest.rotation, newest.shift)
        frame.pose = self._pose
        corners.keep(np.isin(corners.track, newest.track))
        self._grow(small)

    def _grow(self, small: U8) -> None:
        """Sow corners where there are few, and give them the depth of what is around them."""
        assert self._map is not None
        made, frame = self._map, self._map.keyframes[-1]
        new = self._corners.sow(self._options.corners)
        self._corners.hold()
        if not len(new):
            return
        at = self._corners.at[-len(new) :]
        depth = made.depth_around(at.astype(np.float64))
        frame.track = np.concatenate([frame.track, new])
        frame.pixel = np.concatenate([frame.pixel, at.astype(np.float64)])
        made.landmarks.reach(new)
        made.place(new, depth, 0.6, made.colors_at(small, at))

    # -- what is told --------------------------------------------------------------------------------------------

    def _lost(self, frame: Seen, why: str) -> Tracking:
        if self._map is not None:
            self._begin()
        self._state = "lost"
        frame.why = why
        return self._told(frame, "lost", why=why)

    def _told(
        self, frame: Seen, state: State, *, keyframe: bool = False, error: float | None = None, landmarks: int = 0,
        why: str = "",
    ) -> Tracking:  # fmt: skip
        self._state = state
        rotation, shift = self._pose
        world = np.eye(4)
        world[:3, :3] = nearest_rotation(rotation).T
        world[:3, 3] = -world[:3, :3] @ shift
        return Tracking(Pose(world), state, error, keyframe, max(len(self._parts) - 1, 0), landmarks, why)

    def finish(self) -> Reconstruction:
        """Bring everything into agreement once more.

        Returns:
            Views of all frames of the largest part, in order; what could not be placed is named in ``lost``.

        Raises:
            InputError: No part of the film shows a place from two sides.
        """
        if not self._parts or self._lens is None:
            raise InputError(
                "the camera's path could not be tracked: "
                + (self._frames[-1].why if self._frames and self._frames[-1].why else "it hardly moved aside"),
                hint="Film while walking or moving sideways; turning on the spot shows nothing from two sides.",
            )
        return finished(self._parts, self._frames, self._full, self._small)


def _grey(pixels: U8) -> U8:
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
