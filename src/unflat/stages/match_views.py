"""Views matched with those around them: planes for every pixel, from the pictures first, then from each other's depth.

Every view is matched when it or a neighbour of it is first needed, and forgotten when nobody needs it any more.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.agreement import Verdict, verdict
from unflat.geometry.neighbours import Company, companies
from unflat.geometry.patch_match import WORST, improved
from unflat.geometry.rig import Planes, Rig
from unflat.geometry.sweep import swept
from unflat.types.arrays import F32, Bool
from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.views import Reconstruction

_SMALLEST, _SWEPT = 480, 400
"""Depth maps are half as large as the stills, but no smaller than this; and the sweep is made no larger than this."""
_KEPT = 16
"""So many views' pictures are held."""
_ROUNDS, _AGAIN = 3, 2
"""Rounds of each size, and rounds with the depth of the others at hand."""
_JUDGES = 2
"""So many times as many views judge a depth as were matched with it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """A view as it is matched: grey pictures from large to small, and where they may be used."""

    greys: list[F32]
    wanted: Bool


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

    def judged(self, number: int) -> tuple[Planes, Verdict]:
        """The planes of a view and what the others say of them."""
        judges = self._judges[number].sources
        own = self._again(number)
        told = self._held_against(number, own, judges, [self._again(s) for s in judges])
        return own, told

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
        """What the pictures tell, from small to large."""
        if number in self._first:
            return self._first[number]
        size, company = self.cameras[number].size, self._judges[number]
        nothing = np.zeros(size.shape, np.float32)
        planes = Planes(nothing, np.zeros((2, *size.shape), np.float32), nothing + WORST)
        limits = (1 / company.farthest, 1 / company.nearest) if company.sources else (0.0, 0.0)
        for level in range(self._levels - 1, -1, -1) if company.sources else ():
            rig = self._rig(number, level)
            small = level == self._levels - 1
            planes = _facing(swept(rig, limits)) if small else _enlarged(planes, rig.wanted)
            planes = improved(rig, planes, limits, _ROUNDS, prior=_calm(planes.inverse), salt=level)
        self._first[number] = planes
        return planes

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
            own = improved(rig, own, limits, _AGAIN, prior=prior, salt=self._levels)
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
        self._looks[number] = _Look(greys, wanted)
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
            found=None if found is None else _padded(found),
            back=None if found is None else np.array([self._way(s, number, level) for s in sources], np.float32),
        )


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


def _facing(inverse: F32) -> Planes:
    """Planes that face the camera."""
    return Planes(inverse, np.zeros((2, *inverse.shape), np.float32), np.full(inverse.shape, WORST))


def _enlarged(planes: Planes, wanted: Bool) -> Planes:
    """The planes of a picture twice as large."""
    h, w = wanted.shape
    maps = [planes.inverse, planes.gradient[0] / 2, planes.gradient[1] / 2, planes.cost]
    large = [cv2.resize(m, (w, h), interpolation=cv2.INTER_NEAREST) for m in maps]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    large[0] = large[0] + np.where(large[0] > 0, large[1] * (x % 2 - 0.5) + large[2] * (y % 2 - 0.5), 0)
    return Planes(large[0], np.stack(large[1:3]), large[3])
