"""Views matched with those around them: planes for every pixel, from the pictures first, then from each other's depth.

Every view is matched when it or a neighbour of it is first needed, and forgotten when nobody needs it any more.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.agreement import Verdict, verdict
from unflat.geometry.grain import noise_of
from unflat.geometry.neighbours import Company, companies
from unflat.geometry.patch_cost import WORST
from unflat.geometry.patch_match import improved
from unflat.geometry.rig import Planes, Rig
from unflat.geometry.settle_planes import settled
from unflat.geometry.sweep import swept_planes
from unflat.types.arrays import F32, F64, Bool
from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.views import Reconstruction

_SMALLEST, _SWEPT = 480, 240
"""Depth maps are half as large as the stills, but no smaller than this; and the sweep is made no larger than this."""
_NOISE = 1.0, 8.0
"""Least and most noise of a picture that is believed, standard deviation in grey values."""
_EVEN = 0.04
"""What was swept slopes evenly where it changes from pixel to pixel by about the same share."""
_CLEAR = 0.5
"""What matched at less than this cost is free up to there."""
_MADE_UP = 0.05
"""What is made up may stand before what is measured by this share of its depth."""
_HELD = 0.9
"""Cameras are held upright if their mean down is at least so long."""
_HIDDEN = 1.2
"""So much more noise than its finest detail tells is in a picture: packing takes that first."""
_KEPT = 64
"""So many views' pictures are held."""
_ROUNDS, _AGAIN = 3, 1
"""Rounds of each size but the largest, and those of that with the depth of the others at hand."""
_JUDGES = 2
"""So many times as many views judge a depth as were matched with it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """A view as it is matched: grey pictures from large to small, where they may be used, and their noise."""

    greys: list[F32]
    wanted: Bool
    noise: float


class Matching:
    """What is known of all views so far."""

    def __init__(self, reconstruction: Reconstruction, longest: int, sources: int) -> None:
        """Choose who is matched with whom.

        Args:
            reconstruction: Pinhole views.
            longest: Longest side of what is matched, in pixels; half the still's if that is less.
            sources: How many others each view is matched with.
        """
        self._views = reconstruction.views
        self.cameras = [self._camera(view.lens.intrinsics, longest) for view in self._views]
        self.down = _down(reconstruction)
        self._judges = companies(reconstruction, _JUDGES * sources)
        self._sources = [company.sources[:sources] for company in self._judges]
        largest = max((camera.size.long_side for camera in self.cameras), default=1)
        self._levels = 1 + max(0, int(np.ceil(np.log2(largest / _SWEPT))))
        self._looks: OrderedDict[int, _Look] = OrderedDict()
        self._first: dict[int, Planes] = {}
        self._second: dict[int, Planes] = {}

    @staticmethod
    def _camera(still: Intrinsics, longest: int) -> Intrinsics:
        half = max(still.size.long_side // 2, min(_SMALLEST, still.size.long_side))
        return still.resized(still.size.fitted(min(half, longest)))

    def company(self, number: int) -> Company:
        """The views that judge a view's depth, and the range of it."""
        return self._judges[number]

    def wanted(self, number: int) -> Bool:
        """(h, w) bool, where a view may be used."""
        return self._look(number).wanted

    @property
    def count(self) -> int:
        """How many views there are."""
        return len(self._views)

    @property
    def smallest(self) -> int:
        """How often the smallest pictures are halved."""
        return self._levels - 1

    def camera(self, number: int, level: int) -> Intrinsics:
        """Of a view whose picture is halved so many times."""
        return self.cameras[number].resized(_halved(self.cameras[number].size, level))

    def pose(self, number: int) -> F64:
        """(4, 4) world_from_camera of a view."""
        return self._views[number].pose.world_from_camera

    def seen(self, number: int) -> Planes:
        """What was found in a view, before others are asked."""
        return self._again(number)

    def rig(self, number: int, level: int, most: int) -> Rig:
        """A view halved so many times, and the best ``most`` of its sources."""
        rig = self._rig(number, level)
        return replace(rig, sources=rig.sources[:most], ways=rig.ways[:most])

    def judged(self, number: int) -> tuple[Planes, Verdict]:
        """The planes of a view and what the others say of them."""
        judges = self._judges[number].sources
        own = self._again(number)
        told = self._held_against(number, own, judges, [self._again(s) for s in judges])
        return own, told

    def contradicted(self, number: int, inverse: F32) -> Bool:
        """Where more of the others look well through made up depth than find it: (h, w) bool.

        Args:
            number: Of the view.
            inverse: (h, w) inverse depth; 0 where none is made up.
        """
        judges = self._judges[number].sources
        theirs = [self._again(s) for s in judges]
        clear = [Planes(np.where(t.cost < _CLEAR, t.inverse, np.float32(0)), t.gradient, t.cost) for t in theirs]
        nothing = np.zeros((2, *inverse.shape), np.float32)
        here, behind = (
            self._held_against(number, Planes(inverse * share, nothing, inverse), judges, clear)
            for share in (np.float32(1), np.float32(1 - _MADE_UP))
        )
        return behind.against > here.agree

    def forget(self, number: int) -> None:
        """Views up to this one will not be asked for again."""
        open_ = range(number + 1, len(self._views))
        second = {s for n in open_ for s in (n, *self._judges[n].sources)}
        first = {s for n in second - self._second.keys() for s in (n, *self._judges[n].sources)}
        self._second = {n: planes for n, planes in self._second.items() if n in second}
        self._first = {n: planes for n, planes in self._first.items() if n in first}

    def pixels_per_inverse(self, number: int) -> float:
        """How far a match moves in pixels where inverse depth changes by 1; 0 without sources."""
        return self._rig(number, 0).pixels_per_inverse if self._sources[number] else 0.0

    def _held_against(self, number: int, own: Planes, judges: tuple[int, ...], theirs: list[Planes]) -> Verdict:
        there = np.array([self._way(number, s, 0) for s in judges], np.float32).reshape(-1, 14)
        back = np.array([self._way(s, number, 0) for s in judges], np.float32).reshape(-1, 14)
        return verdict(_stacked(own), _padded([_stacked(planes) for planes in theirs]), there, back)

    def _alone(self, number: int) -> Planes:
        """What the pictures tell, from small to half as large as what is asked for (unless that is small)."""
        if number in self._first:
            wanted, found = self._look(number).wanted, self._first[number]
            return found if found.inverse.shape == wanted.shape else _enlarged(found, wanted)
        size, company = self.cameras[number].size, self._judges[number]
        nothing = np.zeros(size.shape, np.float32)
        planes = Planes(nothing, np.zeros((2, *size.shape), np.float32), nothing + WORST)
        limits = (1 / company.farthest, 1 / company.nearest) if company.sources else (0.0, 0.0)
        finest = min(1, self._levels - 1)
        for level in range(self._levels - 1, finest - 1, -1) if company.sources else ():
            rig = self._rig(number, level)
            small = level == self._levels - 1
            planes = settled(rig, _sloping(*swept_planes(rig, limits)))[0] if small else _enlarged(planes, rig.wanted)
            prior = _calm(planes.inverse)
            planes = improved(rig, planes, limits, _ROUNDS, prior=prior, salt=level, fresh=small)
            planes = settled(rig, planes)[0]
        self._first[number] = planes
        return self._alone(number)

    def _again(self, number: int) -> Planes:
        """The same with what was found in the sources at hand."""
        if number in self._second:
            return self._second[number]
        own, company, sources = self._alone(number), self._judges[number], self._sources[number]
        if sources:
            judges = company.sources
            theirs = [self._alone(s) for s in judges]
            told = self._held_against(number, own, judges, theirs)
            rig = self._rig(number, 0, [_stacked(planes) for planes in theirs[: len(sources)]])
            prior = _calm(np.where(told.agree >= min(2, len(judges)), told.inverse, own.inverse))
            limits = (1 / company.farthest, 1 / company.nearest)
            own = improved(rig, own, limits, _AGAIN, prior=prior, salt=self._levels, fresh=False)
            own = settled(rig, own)[0]
        self._second[number] = own
        return own

    def _way(self, reference: int, source: int, level: int) -> F32:
        """See ``patch_match.Rig``."""
        near, far = (self.cameras[n].resized(_halved(self.cameras[n].size, level)) for n in (reference, source))
        poses = [self._views[n].pose.world_from_camera for n in (reference, source)]
        motion = np.linalg.inv(poses[1]) @ poses[0]
        turned = far.matrix @ motion[:3, :3] @ np.linalg.inv(near.matrix)
        numbers = [turned.ravel(), far.matrix @ motion[:3, 3], (far.size.width, far.size.height)]
        return np.concatenate(numbers).astype(np.float32)

    def _look(self, number: int) -> _Look:
        """The pictures of a view, read once while they are in use."""
        if number in self._looks:
            self._looks.move_to_end(number)
            return self._looks[number]
        still, size = self._views[number].still, self.cameras[number].size
        grey = resized(cv2.cvtColor(still.read(), cv2.COLOR_RGB2GRAY).astype(np.float32), size)
        greys = [resized(grey, _halved(size, level)) for level in range(self._levels)]
        wanted = np.ones(size.shape, bool)
        if still.mask is not None:
            wanted = resized(still.mask().astype(np.float32), size) > 0.5
        noise = float(np.clip(_HIDDEN * noise_of(np.rint(grey).astype(np.uint8)), *_NOISE))
        self._looks[number] = _Look(greys, wanted, noise)
        if len(self._looks) > _KEPT:
            self._looks.popitem(last=False)
        return self._looks[number]

    def _rig(self, number: int, level: int, found: list[F32] | None = None) -> Rig:
        look, sources = self._look(number), self._sources[number]
        size = _halved(self.cameras[number].size, level)
        pictures = [self._look(s).greys[level][None] for s in sources]
        return Rig(
            look.greys[level],
            resized(look.wanted.astype(np.float32), size) > 0,
            _padded(pictures)[:, 0],
            np.array([self._way(number, s, level) for s in sources], np.float32),
            self.cameras[number].resized(size),
            look.noise / 2**level,
            found=None if found is None else _padded(found),
            back=None if found is None else np.array([self._way(s, number, level) for s in sources], np.float32),
            down=None if self.down is None else self.pose(number)[:3, :3].T @ self.down,
        )


def _down(reconstruction: Reconstruction) -> F64 | None:
    """Along gravity, (3,) in the world's axes: as it stands, or as cameras are held; None where they do not agree."""
    if reconstruction.level:
        return np.array([0.0, 1.0, 0.0])
    held = np.array([view.pose.world_from_camera[:3, 1] for view in reconstruction.views]).reshape(-1, 3).sum(0)
    length = float(np.linalg.norm(held))
    return held / length if length > _HELD * len(reconstruction.views) > 0 else None


def resized(picture: NDArray[Any], size: Size) -> NDArray[Any]:
    """A picture made smaller."""
    if picture.shape[:2] == size.shape:
        return picture
    return np.asarray(cv2.resize(picture, (size.width, size.height), interpolation=cv2.INTER_AREA))


def _halved(size: Size, times: int) -> Size:
    return Size(max(1, size.width >> times), max(1, size.height >> times))


def _stacked(planes: Planes) -> F32:
    return np.concatenate([planes.inverse[None], planes.gradient])


def _padded(arrays: list[F32]) -> F32:
    """(n, k, H, W) of arrays (k, h, w), zeros beside the smaller ones."""
    tall, wide = (max((a.shape[axis] for a in arrays), default=1) for axis in (1, 2))
    out = np.zeros((len(arrays), arrays[0].shape[0] if arrays else 3, tall, wide), np.float32)
    for number, array in enumerate(arrays):
        out[number, :, : array.shape[1], : array.shape[2]] = array
    return out


def _calm(inverse: F32) -> F32:
    """Without what stands alone."""
    return np.asarray(cv2.medianBlur(inverse, 5), np.float32)


def _sloping(inverse: F32, known: F32) -> Planes:
    """Planes that slope as what was swept does; they face the camera where that has a step.

    Args:
        inverse: (h, w) inverse depth.
        known: (2, h, w) its gradient where it is known, else NaN.
    """
    calm = _calm(inverse)
    gradient = np.zeros((2, *inverse.shape), np.float32)
    for axis in (0, 1):
        step = np.diff(calm, axis=1 - axis, n=1)
        padded = np.pad(step, [(2, 2) if k == 1 - axis else (0, 0) for k in (0, 1)], mode="edge")
        steps = np.lib.stride_tricks.sliding_window_view(padded, 4, axis=1 - axis)
        even = np.abs(np.ptp(steps, axis=-1)) < _EVEN * np.abs(calm)
        gradient[axis] = np.where(even, steps.mean(-1), 0)
    gradient = np.where(np.isfinite(known), known, gradient)
    return Planes(inverse, gradient, np.full(inverse.shape, WORST))


def _enlarged(planes: Planes, wanted: Bool) -> Planes:
    """The planes of a picture twice as large."""
    h, w = wanted.shape
    maps = [planes.inverse, planes.gradient[0] / 2, planes.gradient[1] / 2, planes.cost]
    large = [cv2.resize(m, (w, h), interpolation=cv2.INTER_NEAREST) for m in maps]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    large[0] = large[0] + np.where(large[0] > 0, large[1] * (x % 2 - 0.5) + large[2] * (y % 2 - 0.5), 0)
    return Planes(large[0], np.stack(large[1:3]), large[3])
