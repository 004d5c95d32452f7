"""One frame after the other -> where the camera is now; at the end, all of its path (visual SLAM).

    frame ─ follow corners (track_corners) ─► pose among the landmarks (geometry.resection)
          ─ now and then a keyframe ─► new landmarks, local bundle adjustment (track_map)
    finish ─► everything brought into agreement once more ─► Reconstruction

What is kept of a frame is where its corners were, never its pixels.
"""

from __future__ import annotations

import math

import numpy as np

from unflat.errors import InputError
from unflat.geometry.resection import Resection, resect
from unflat.geometry.seen_by import bearings, lens_of, numbers_of
from unflat.geometry.turns import nearest_rotation
from unflat.stages.track_corners import Corners
from unflat.stages.track_depth import Guess, Sight, guessed_around
from unflat.stages.track_finish import Seen, finished
from unflat.stages.track_frame import blank, fitted, grey_of
from unflat.stages.track_loops import look_back
from unflat.stages.track_map import GUESSED, GUESSED_BY_NETWORK, Keyframe, Map
from unflat.stages.track_places import Places, Recognised
from unflat.stages.track_start import Begun, Start
from unflat.stages.tracking import State, TrackerOptions, Tracking
from unflat.types.arrays import F32, F64, U8, Bool
from unflat.types.camera import Intrinsics, Pose
from unflat.types.image import Size
from unflat.types.views import Lens, Reconstruction, Still

ASSUMED_FOV_DEG = 63.0
"""Of a camera of which nothing is known: that of a phone's or webcam's film."""
_LEAST = 15
"""With fewer landmarks that agree, a pose is not believed."""
_WRONG = 16.0
"""Squared pixels: a corner farther from its landmark is on something else."""
_REFINED_AT = (6, 10, 15, 20, 30)
"""Numbers of keyframes at which everything, and a lens that is not known, is brought into agreement."""
_HERE = 2.0
"""How much larger errors are than the landmarks in view tell."""
_LOOK_BACK_EVERY = 3
"""Keyframes from one look for a loop to the next."""
_UNSURE = 0.4
"""The network is asked where more of a keyframe's landmarks than this share have no depth of their own."""


class Tracker:
    """Follows one camera through a film or a live stream, frame by frame, on the processor.

    Args:
        lens: The camera's lens for frames as they are pushed. None: a field of view of 63 degrees is assumed at first,
            and measured as the camera moves.
        options: How.
        guess: A network that gives depth up to a factor. It is asked where the camera turns without moving aside, so
            that nothing can be triangulated and its unit would be lost, and by ``Tracking.depth``. None: there is none.
    """

    def __init__(
        self, lens: Lens | None = None, options: TrackerOptions | None = None, guess: Guess | None = None
    ) -> None:
        self._given, self._options, self._network = lens, options or TrackerOptions(), guess
        self._lens: Lens | None = None
        self._numbers = np.zeros(8)
        self._frames: list[Seen] = []
        self._parts: list[Map] = []
        self._places: list[Places] = []
        self._corners = Corners()
        self._begin()

    def _begin(self) -> None:
        """A new part, of which nothing is known yet; tracks of another part are never taken for its own."""
        self._corners.forget()
        self._start = Start()
        self._map: Map | None = None
        self._part = len(self._parts)
        self._tied = 0
        self._pose = (np.eye(3), np.zeros(3))
        self._motion = (np.eye(3), np.zeros(3))
        self._state: State = "starting"
        self._why = ""

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
        grey = grey_of(small)
        if blank(grey):
            return self._lost(frame, "nothing is to be seen: the frame is blank")
        self._corners.follow(grey, self._guess() if self._map is not None else None)
        told = self._tracking(frame, small) if self._map is not None else None
        if told is None and self._known_again():
            told = self._tracking(frame, small)
        if told is None and self._map is None:
            return self._starting(frame, small)
        return told or self._lost(frame, self._why)

    def _taken(self, pixels: U8, seconds: float) -> U8:
        """The frame at the tracker's size; nothing is remembered of one that is refused."""
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
            raise InputError(f"a frame is (h, w, 3) uint8 sRGB, not {pixels.shape} {pixels.dtype}")
        if not math.isfinite(seconds):
            raise InputError(f"the time of a frame is a number of seconds, not {seconds}")
        if self._frames and seconds <= self._frames[-1].seconds:
            raise InputError(f"the frame at {seconds:g} s does not come after that at {self._frames[-1].seconds:g} s")
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
        return fitted(pixels, self._small)

    # -- starting ------------------------------------------------------------------------------------------------

    def _starting(self, frame: Seen, small: U8) -> Tracking:
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
            made.add(Keyframe(seen.number, rotation, shift, chosen.copy(), at, made.doubted(chosen[:0])))
            if seen is first:
                made.place(chosen, views.xyz[views.kept, 2] * scale, 2.0)
        made.settle_all(rounds=20)
        if len(made.keyframes[1].track) < 0.8 * len(chosen):
            return False
        self._map = made
        self._parts.append(made)
        self._places.append(Places())
        frame.part = self._part
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

    def _tracking(self, frame: Seen, small: U8) -> Tracking | None:
        """What the landmarks tell of the frame; None where they do not."""
        assert self._map is not None
        corners, marks = self._corners, self._map.landmarks
        known = marks.known(corners.track)
        if known.sum() < _LEAST:
            self._why = "too few of the corners could be found again: a cut, a blur, or a blank wall"
            return None
        track, at = corners.track[known], corners.at[known].astype(np.float64)
        found = self._resected(track, at)
        agree = found.squares < _WRONG
        if agree.sum() < max(_LEAST, 0.25 * len(track)):
            self._why = "what is seen does not agree with the landmarks: a cut, or all of it moves"
            return None
        turned = found.rotation @ self._pose[0].T
        self._motion = (turned, found.shift - turned @ self._pose[1])
        self._pose = (found.rotation, found.shift)
        keep = np.ones(len(corners.track), bool)
        keep[np.flatnonzero(known)[~agree]] = False
        np.add.at(marks.wrong, track[~agree], 1)
        corners.keep(keep)
        frame.part = self._part
        frame.pose = self._pose
        here = _uncertain(found, agree)
        error = float(np.hypot(_HERE * here, self._map.drift_at(-found.rotation.T @ found.shift)))
        keyframe = self._wants_keyframe(frame)
        if keyframe:
            self._add_keyframe(frame, small)
        frame.keep(corners.track, corners.at)
        sight = self._sight(track[agree], found, small, at[agree])
        return self._told(frame, "tracking", keyframe=keyframe, error=error, sight=sight)

    def _resected(self, track: np.ndarray, at: F64) -> Resection:
        assert self._map is not None
        xyz, along = self._map.landmarks.xyz[track], self._map.along(track)
        tries = [resect(guess, xyz, at, self._map.lens, along) for guess in (self._ahead(), self._pose)]
        return max(tries, key=lambda r: int((r.squares < _WRONG).sum()))

    def _sight(self, track: np.ndarray, found: Resection, small: U8, at: F64) -> Sight:
        assert self._map is not None
        marks = self._map.landmarks
        z = marks.xyz[track] @ found.rotation[2] + found.shift[2]
        lens = lens_of(self._map.lens, self._full.resized(self._small))
        return Sight(at, z, marks.spread[track].copy(), lens.intrinsics, small, self._network)

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
        track, at = corners.track.copy(), corners.at.astype(np.float64)
        made.add(Keyframe(frame.number, *self._pose, track, at, made.doubted(track)))
        made.settle_depths()
        n = len(made.keyframes)
        if n in _REFINED_AT:
            prior = (0.15, 0.05, 0.0) if self._full.intrinsics.guessed and n >= 6 else (0.0, 0.0, 0.0)
            made.settle_all(rounds=10, lens_prior=prior)
        else:
            made.settle_window()
        self._look_back()
        newest = self._map.keyframes[-1]
        self._pose = (newest.rotation, newest.shift)
        frame.part, frame.pose = self._part, self._pose
        corners.keep(np.isin(corners.track, newest.track))
        self._grow(small)

    def _look_back(self) -> None:
        """Close a loop, or join an older part, if the newest keyframe shows what was seen long ago."""
        assert self._map is not None and self._corners.grey is not None
        count = len(self._map.keyframes)
        if count % _LOOK_BACK_EVERY or count == self._tied:
            return
        now = self._part
        back = look_back(self._parts, self._places, now, self._corners.grey)
        if back is None:
            return
        self._part, found = back
        self._map = self._parts[self._part]
        if self._part != now:
            for seen in self._frames:
                seen.part = self._part if seen.part == now else seen.part
        self._tie(found)

    def _tie(self, found: Recognised) -> None:
        """Follow the landmarks that were known again; corners beside them were new ones for the same."""
        assert self._map is not None
        self._tied = len(self._map.keyframes)
        self._motion = (np.eye(3), np.zeros(3))
        corners = self._corners
        kept = np.isin(found.track, self._map.keyframes[-1].track) & ~np.isin(found.track, corners.track)
        at = found.at[kept]
        away = ((corners.at[:, None] - at[None]) ** 2).sum(-1).min(1, initial=np.inf)
        corners.keep(away > 9.0)
        corners.add(at, found.track[kept])

    def _known_again(self) -> bool:
        """Whether the frame shows a place of some part: then tracking goes on there."""
        grey = self._corners.grey
        for part in reversed(range(len(self._parts))):
            found = None if grey is None else self._places[part].recognise(grey, self._parts[part])
            if found is not None:
                self._map, self._part = self._parts[part], part
                self._corners.forget()
                self._corners.grey = grey
                self._corners.add(found.at, found.track)
                self._pose, self._motion = (found.rotation, found.shift), (np.eye(3), np.zeros(3))
                return True
        return False

    def _grow(self, small: U8) -> None:
        """Sow corners where there are few, and give them the depth of what is around them."""
        assert self._map is not None
        made, frame = self._map, self._map.keyframes[-1]
        new = self._corners.sow(self._options.corners)
        self._corners.hold()
        self._place_new(new, small)
        if self._corners.grey is not None:
            number = len(made.keyframes) - 1
            self._places[self._part].remember(number, self._corners.grey, frame.track, frame.pixel)

    def _place_new(self, new: np.ndarray, small: U8) -> None:
        """Give the corners that were just sown a depth."""
        assert self._map is not None
        made, frame = self._map, self._map.keyframes[-1]
        if not len(new):
            return
        at = self._corners.at[-len(new) :]
        depth, spread = self._depth_at(at.astype(np.float64), small)
        frame.track = np.concatenate([frame.track, new])
        frame.pixel = np.concatenate([frame.pixel, at.astype(np.float64)])
        made.landmarks.reach(new)
        made.place(new, depth, spread, made.colors_at(small, at))

    def _depth_at(self, at: F64, small: U8) -> tuple[F64, float]:
        """Depth of new corners in the newest keyframe, and how badly it is known: as around them, or as guessed."""
        assert self._map is not None
        made, frame = self._map, self._map.keyframes[-1]
        known = made.landmarks.known(frame.track)
        sure = known & (made.landmarks.spread[frame.track] < GUESSED)
        if self._network is not None and sure.sum() < (1 - _UNSURE) * (len(known) + len(at)):
            z = (made.landmarks.xyz[frame.track[known]] @ frame.rotation.T + frame.shift)[:, 2]
            spread = made.landmarks.spread[frame.track[known]]
            guessed = guessed_around(self._network(small), frame.pixel[known], z, spread, at, self._small)
            if guessed is not None:
                return guessed, GUESSED_BY_NETWORK
        return made.depth_around(at), GUESSED

    # -- what is told --------------------------------------------------------------------------------------------

    def _lost(self, frame: Seen, why: str) -> Tracking:
        if self._map is not None:
            self._begin()
        self._state = "lost"
        frame.why = why
        return self._told(frame, "lost", why=why)

    def _told(
        self, frame: Seen, state: State, *, keyframe: bool = False, error: float | None = None,
        sight: Sight | None = None, why: str = "",
    ) -> Tracking:  # fmt: skip
        self._state = state
        rotation, shift = self._pose
        world = np.eye(4)
        world[:3, :3] = nearest_rotation(rotation).T
        world[:3, 3] = -world[:3, :3] @ shift
        landmarks = 0 if sight is None else len(sight.z)
        return Tracking(Pose(world), state, error, keyframe, self._part, landmarks, why, sight)

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


def _uncertain(found: Resection, agree: Bool) -> float:
    """One standard deviation of the position, as far as the landmarks in view tell."""
    sigma = float(np.sqrt(max(np.median(found.squares[agree]), 0.05)))
    return sigma * float(np.sqrt(np.trace(np.linalg.inv(found.information + 1e-9 * np.eye(6))[3:, 3:])))
