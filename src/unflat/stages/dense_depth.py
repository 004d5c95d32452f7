"""Depth of every view of a reconstruction, from what the views around it show.

    views around (geometry.neighbours) ─ plane sweep, small (sweep) ─► planes, larger and larger (patch_match)
      ─ held against the depth of the sources (agreement) ─► what is agreed on ─ holes by the network ─► ViewDepth

Every view is matched once, when it or a neighbour of it is first needed, and forgotten when nobody needs it any more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.agreement import Verdict, normals_of, verdict, without_specks
from unflat.geometry.align import assume_scale, fit_scale_shift, merge_depths
from unflat.geometry.neighbours import Company, companies
from unflat.geometry.patch_match import WORST, Planes, Rig, improved
from unflat.geometry.sweep import swept
from unflat.types.arrays import F32, U8, Bool
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.views import Reconstruction, ViewDepth

Guess = Callable[[U8], DepthMap]
"""What the network sees in one picture, (h, w, 3) uint8 sRGB."""
_SMALLEST, _SWEPT = 480, 400
"""Depth maps are half as large as the stills, but no smaller than this; and the sweep is made no larger than this."""
_KEPT = 16
"""So many views' pictures are held."""
_ROUNDS = 3
_LEARNED = 0.1
"""How much less sure the network's depth is than it says of itself, for it speaks of 25 % and we of 1 %."""
_CONTRADICTS = 0.2
"""A network that errs by more than this where something was measured is not believed elsewhere."""
_SPECK = 1 / 2000
"""Islands of a smaller share of the picture are left out."""


@dataclass(frozen=True, slots=True)
class DenseOptions:
    """How depth is found from several views."""

    depth_size: int = 800
    """Longest side of the depth maps in pixels; they are half as large as the pictures if that is less."""
    sources: int = 4
    """How many other views each view is compared with."""

    def __post_init__(self) -> None:
        if not 64 <= self.depth_size <= 4096:
            raise InputError(f"--depth-size {self.depth_size} is out of range", hint="Give 64 to 4096 pixels.")
        if not 1 <= self.sources <= 16:
            raise InputError(f"--sources {self.sources} is out of range", hint="Give 1 to 16 views.")


_DEFAULT = DenseOptions()


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """A view as it is matched: grey pictures from large to small, and where they may be used."""

    greys: list[F32]
    wanted: Bool | None


def dense_depth(
    reconstruction: Reconstruction, options: DenseOptions = _DEFAULT, guess: Guess | None = None
) -> Generator[ViewDepth]:
    """Find the depth of each view.

    Confidence is the probability that the depth is right within 1 %, as measured on known places: it grows with the
    number of sources that agree and with how well the pictures match. What fewer than two sources confirm (one, where
    there is only one) is not valid.

    Args:
        reconstruction: Pinhole views (see ``stages.undistort_views``); its points guide the choice of sources and the
            range of depth.
        options: How.
        guess: The network, asked where nothing could be matched; None leaves such places empty.

    Yields:
        One for every view, in their order; all invalid where no other view helps.

    Raises:
        InputError: A view is still distorted.
    """
    for view in reconstruction.views:
        if not view.lens.pinhole:
            raise InputError(f"the lens of {view.still.name} bends lines", hint="Call undistort_views first.")
    room = _Room(reconstruction, options, guess)
    for number in range(len(reconstruction.views)):
        yield room.depth(number)


class _Room:
    """What is known of all views so far."""

    def __init__(self, reconstruction: Reconstruction, options: DenseOptions, guess: Guess | None) -> None:
        self._reconstruction = reconstruction
        self._guess = guess
        self._views = reconstruction.views
        self._metric = reconstruction.scale is not None and not reconstruction.scale.assumed
        self._options = options
        self._companies = companies(reconstruction, options.sources)
        self._looks: OrderedDict[int, _Look] = OrderedDict()
        self._found: dict[int, Planes] = {}
        self._last_use = {s: n for n, c in enumerate(self._companies) for s in (*c.sources, n)}

    def depth(self, number: int) -> ViewDepth:
        """The depth of one view; numbers must not fall from call to call."""
        view, company, camera = self._views[number], self._companies[number], self._camera(number)
        own = self._planes(number)
        others = [self._planes(s) for s in company.sources]
        judged = verdict(
            _stacked(own),
            _padded([_stacked(o) for o in others]),
            np.array([self._way(number, s) for s in company.sources], np.float32).reshape(-1, 14),
            np.array([self._way(s, number) for s in company.sources], np.float32).reshape(-1, 14),
        )
        for done in [n for n in self._found if self._last_use[n] <= number]:
            del self._found[done]
        wanted = self._look(number).wanted
        needed = max(1, min(2, len(company.sources)))
        sure = (judged.agree >= needed) & (judged.agree >= judged.against)
        if wanted is not None:
            sure &= wanted
        inverse = np.where(sure, judged.inverse, np.float32(0))
        kept = without_specks(inverse, camera.size.long_side / 4 * company.nearest, int(_SPECK * inverse.size))
        inverse[~kept] = 0
        with np.errstate(divide="ignore"):
            z = np.where(kept, 1 / inverse, np.float32(0))
        confidence = np.where(kept, _confidence(judged, own.cost), np.float32(0))
        kind = DepthKind.METRIC if self._metric else DepthKind.SCALE
        depth = DepthMap(z, kind, kept, confidence=confidence, intrinsics=camera, origin="views")
        normals = normals_of(inverse, own.gradient, camera.matrix)
        if self._guess is None:
            return ViewDepth(view, depth, normals)
        filled, learned = self._filled(number, depth, self._guess)
        return ViewDepth(view, filled, normals, learned)

    def _filled(self, number: int, depth: DepthMap, guess: Guess) -> tuple[DepthMap, Bool]:
        """The depth with what the network says fitted into its holes, and where that is."""
        look, known = self._look(number), np.asarray(depth.valid)
        seen = guess(_resized(self._views[number].still.read(), depth.size))
        points = self._points(number, depth)
        measured = np.where(known, depth.values, points).astype(np.float32)
        sensor = DepthMap(measured, depth.kind, measured > 0, confidence=np.ones_like(measured))
        if not _fits(sensor, seen):
            return depth, np.zeros_like(known)
        merged = merge_depths(sensor, seen)
        learned = merged.surface & ~sensor.surface
        if look.wanted is not None:
            learned &= look.wanted
        assert depth.confidence is not None and merged.confidence is not None
        values = np.where(learned, merged.values, depth.values)
        confidence = np.where(learned, _LEARNED * merged.confidence, depth.confidence)
        origin = f"{depth.origin} + {seen.origin}"
        return replace(depth, values=values, valid=known | learned, confidence=confidence, origin=origin), learned

    def _points(self, number: int, depth: DepthMap) -> F32:
        """(h, w) depth of the triangulated points that a view saw; 0 where there is none."""
        view, points = self._views[number], self._reconstruction.points
        mine = points.view == number
        out = np.zeros(depth.size.shape, np.float32)
        factor = depth.size.width / view.still.size.width
        x, y = np.clip((points.pixel[mine] * factor).astype(int), 0, np.array(out.shape)[::-1] - 1).T
        pose = view.pose.world_from_camera
        out[y, x] = np.maximum((points.xyz[points.point[mine]] - pose[:3, 3]) @ pose[:3, 2], 0)
        return out

    def _camera(self, number: int) -> Intrinsics:
        still = self._views[number].still
        half = max(still.size.long_side // 2, min(_SMALLEST, still.size.long_side))
        return self._views[number].lens.intrinsics.resized(still.size.fitted(min(half, self._options.depth_size)))

    def _way(self, reference: int, source: int, level: int = 0) -> F32:
        """See ``patch_match.Rig``."""
        matrices, pose = [], []
        for number in (reference, source):
            camera = self._camera(number)
            matrices.append(camera.resized(_halved(camera.size, level)).matrix)
            pose.append(self._views[number].pose.world_from_camera)
        motion = np.linalg.inv(pose[1]) @ pose[0]
        turned = matrices[1] @ motion[:3, :3] @ np.linalg.inv(matrices[0])
        size = _halved(self._camera(source).size, level)
        return np.concatenate([turned.ravel(), matrices[1] @ motion[:3, 3], (size.width, size.height)]).astype(
            np.float32
        )

    def _look(self, number: int) -> _Look:
        """The pictures of a view, read once while they are in use."""
        if number in self._looks:
            self._looks.move_to_end(number)
            return self._looks[number]
        still, size = self._views[number].still, self._camera(number).size
        grey = cv2.cvtColor(still.read(), cv2.COLOR_RGB2GRAY).astype(np.float32)
        greys = [_resized(grey, size)]
        while max(greys[-1].shape) > _SWEPT:
            greys.append(_resized(greys[0], _halved(size, len(greys))))
        wanted = None
        if still.mask is not None:
            wanted = _resized(still.mask().astype(np.float32), size) > 0.5
        self._looks[number] = _Look(greys, wanted)
        if len(self._looks) > _KEPT:
            self._looks.popitem(last=False)
        return self._looks[number]

    def _planes(self, number: int) -> Planes:
        """What matching finds in a view."""
        if number not in self._found:
            self._found[number] = self._matched(number, self._companies[number])
        return self._found[number]

    def _matched(self, number: int, company: Company) -> Planes:
        look = self._look(number)
        if not company.sources:
            nothing = np.zeros(look.greys[0].shape, np.float32)
            return Planes(nothing, np.zeros((2, *nothing.shape), np.float32), nothing + WORST)
        limits = (1 / company.farthest, 1 / company.nearest)
        planes: Planes | None = None
        for level in range(len(look.greys) - 1, -1, -1):
            rig = self._rig(number, level)
            planes = _facing(swept(rig, limits)) if planes is None else _enlarged(planes, rig.wanted)
            planes = improved(rig, planes, limits, _ROUNDS, prior=planes.inverse, salt=level)
        assert planes is not None
        return planes

    def _rig(self, number: int, level: int) -> Rig:
        company, look = self._companies[number], self._look(number)
        camera = self._camera(number)
        grey = look.greys[level]
        wanted = np.ones(grey.shape, bool)
        if look.wanted is not None:
            wanted = _resized(look.wanted.astype(np.float32), Size(grey.shape[1], grey.shape[0])) > 0
        sources = [self._look(s) for s in company.sources]
        pictures = [s.greys[min(level, len(s.greys) - 1)] for s in sources]
        ways = np.array([self._way(number, s, level) for s in company.sources], np.float32)
        camera = camera.resized(Size(grey.shape[1], grey.shape[0]))
        return Rig(grey, wanted, _padded([p[None] for p in pictures])[:, 0], ways, camera)


def _halved(size: Size, times: int) -> Size:
    return Size(max(1, size.width >> times), max(1, size.height >> times))


def _resized(picture: NDArray[Any], size: Size) -> NDArray[Any]:
    if picture.shape[:2] == size.shape:
        return picture
    return np.asarray(cv2.resize(picture, (size.width, size.height), interpolation=cv2.INTER_AREA))


def _fits(sensor: DepthMap, seen: DepthMap) -> bool:
    """Whether the network sees about what was measured; if not, nothing can be told from it."""
    guess = assume_scale(seen)
    both = sensor.surface & guess.surface & (guess.values > 0)
    measured, seen_there = (np.reciprocal(depth.values[both]) for depth in (sensor, guess))
    try:
        return fit_scale_shift(measured, seen_there).error < _CONTRADICTS
    except InputError:  # nothing in common, or one is the other upside down
        return False


def _stacked(planes: Planes) -> F32:
    return np.concatenate([planes.inverse[None], planes.gradient])


def _padded(arrays: list[F32]) -> F32:
    """(n, k, H, W) of arrays (k, h, w), zeros beside the smaller ones."""
    tall, wide = (max((a.shape[axis] for a in arrays), default=1) for axis in (1, 2))
    out = np.zeros((len(arrays), arrays[0].shape[0] if arrays else 3, tall, wide), np.float32)
    for number, array in enumerate(arrays):
        out[number, :, : array.shape[1], : array.shape[2]] = array
    return out


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


def _confidence(judged: Verdict, cost: F32) -> F32:
    """See :func:`dense_depth`."""
    alone = 0.5 ** judged.agree.astype(np.float32)
    return ((1 - alone) * np.exp(-np.clip(cost, 0, 2))).astype(np.float32)
