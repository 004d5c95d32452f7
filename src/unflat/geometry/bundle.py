"""Cameras, points and the lens that agree best with where the points were seen: bundle adjustment.

Levenberg and Marquardt's method; the points are eliminated first (Schur's complement; Triggs and others, "Bundle
adjustment: a modern synthesis", 2000), so what is solved has six unknowns a camera, and those of the lens. A wrong
observation is outweighed by Cauchy's loss. An observation may also know a point's depth, so that points which no
camera has seen from two sides stay where something else (a network, a guess) puts them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unflat.geometry.bundle_terms import BEHIND, back_substitute, cost_of, linearise, reduce
from unflat.geometry.turns import turn
from unflat.types.arrays import F64, Bool, settle

_LEAST, _MOST = 1e-9, 1e7
"""Damping is kept between these."""


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Cameras of one lens, points, and who saw what.

    Attributes:
        rotation: (c, 3, 3) camera from world.
        shift: (c, 3) camera from world.
        free: (c,) bool, which cameras may move.
        xyz: (n, 3) points in the world.
        camera: (m,) int32, for each observation its camera.
        point: (m,) int32, for each observation its point; in rising order.
        pixel: (m, 2) where it was seen, distorted, as the still has it.
        lens: (8,), see :mod:`unflat.geometry.seen_by`.
        log_depth: (m,) logarithm of the depth (z) that the observation gives its point.
        depth_weight: (m,) one over how uncertain (standard deviation) that logarithm is, in the measure in which
            pixels are uncertain by 1; 0 where nothing is known of the depth.
        lens_prior: (3,) as how uncertain the logarithm of the focal length, k1 and k2 are at first (standard
            deviations); 0 for what is fixed. Both focal lengths grow and shrink alike.
    """

    rotation: F64
    shift: F64
    free: Bool
    xyz: F64
    camera: np.ndarray
    point: np.ndarray
    pixel: F64
    lens: F64
    log_depth: F64
    depth_weight: F64
    lens_prior: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        cameras, seen = len(self.rotation), len(self.camera)
        settle(self, "rotation", "float64", (None, 3, 3))
        settle(self, "shift", "float64", (cameras, 3))
        settle(self, "free", "bool", (cameras,))
        settle(self, "xyz", "float64", (None, 3))
        settle(self, "camera", "int32", (None,))
        settle(self, "point", "int32", (seen,))
        settle(self, "pixel", "float64", (seen, 2))
        settle(self, "lens", "float64", (8,))
        settle(self, "log_depth", "float64", (seen,))
        settle(self, "depth_weight", "float64", (seen,))


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """What came out.

    Attributes:
        bundle: With moved cameras, points and lens.
        squares: (m,) squared error of each observation in pixels; ``inf`` for a point behind its camera.
        cost: Sum of the losses before and after.
    """

    bundle: Bundle
    squares: F64
    cost: tuple[float, float]


class _State:
    """The unknowns at one place, and how they step."""

    def __init__(self, rotation: F64, shift: F64, xyz: F64, lens: F64) -> None:
        self.rotation, self.shift, self.xyz, self.lens = rotation, shift, xyz, lens

    def stepped(self, by: F64, points: F64, number: np.ndarray, on_lens: np.ndarray) -> _State:
        rotation, shift, lens = self.rotation.copy(), self.shift.copy(), self.lens.copy()
        for camera in np.flatnonzero(number >= 0):
            step = by[6 * number[camera] : 6 * number[camera] + 6]
            about = turn(step[:3])
            rotation[camera], shift[camera] = about @ rotation[camera], about @ shift[camera] + step[3:]
        for step, what in zip(by[len(by) - len(on_lens) :], on_lens, strict=True):
            if what == 0:
                lens[:2] *= np.exp(np.clip(step, -0.2, 0.2))
            else:
                lens[3 + what] += step
        return _State(rotation, shift, self.xyz + points, lens)


def adjust(bundle: Bundle, *, rounds: int = 10, loss_px: float = 1.5, enough: float = 1e-4) -> Adjusted:
    """Move free cameras, all points and what of the lens is free to where the loss is least.

    The loss of an observation whose squared error is r² is c² log(1 + r²/c²), c = ``loss_px``; that of a known depth
    likewise, its error in standard deviations. What nothing holds in place (the whole scene, if no camera is fixed)
    is held by the damping alone.

    Args:
        bundle: Where to begin.
        rounds: Steps tried at most.
        loss_px: Errors beyond this count less and less.
        enough: It ends when a step lowers the cost by less than this share.
    """
    first = np.searchsorted(bundle.point, np.arange(len(bundle.xyz) + 1)).astype(np.int32)
    number = np.where(bundle.free, np.cumsum(bundle.free) - 1, -1).astype(np.int32)
    on_lens = np.flatnonzero(np.asarray(bundle.lens_prior) > 0).astype(np.int32)
    held = np.array([1 / bundle.lens_prior[what] ** 2 for what in on_lens])
    started = bundle.lens.copy()
    size = 6 * int(bundle.free.sum()) + len(on_lens)
    seen = (first, bundle.camera, bundle.pixel, bundle.log_depth, bundle.depth_weight, loss_px)
    here = _State(*(a.copy() for a in (bundle.rotation, bundle.shift, bundle.xyz, bundle.lens)))

    def off_lens(state: _State) -> F64:
        moved = [np.log(state.lens[0] / started[0]) if w == 0 else state.lens[3 + w] - started[3 + w] for w in on_lens]
        return np.array(moved)

    def cost_at(state: _State) -> tuple[float, F64]:
        squares = np.zeros(len(bundle.camera))
        cost = cost_of(state.rotation, state.shift, state.xyz, state.lens, *seen, squares)
        return float(cost) + float(held @ off_lens(state) ** 2), squares

    cost, squares = cost_at(here)
    begun, damping, grew = cost, 1e-4, 4.0
    terms = None
    for _ in range(rounds):
        if terms is None:
            terms = _Terms(size, len(bundle.xyz), len(bundle.camera), len(on_lens))
            linearise(here.rotation, here.shift, here.xyz, here.lens, *seen, number, on_lens, *terms.all)
            rim = np.arange(size - len(on_lens), size)
            terms.hessian[rim, rim] += held
            terms.gradient[rim] += held * off_lens(here)
        by, points = _solved(terms, number, bundle.camera, first, len(on_lens), damping)
        there = here.stepped(by, points, number, on_lens)
        new_cost, new_squares = cost_at(there)
        if new_cost <= cost:
            gained, here, cost, squares = cost - new_cost, there, new_cost, new_squares
            damping, grew, terms = max(damping * 0.2, _LEAST), 4.0, None
            if gained <= enough * (cost + 1e-12):
                break
        else:
            damping, grew = damping * grew, grew * 2
            if damping > _MOST:
                break
    moved = replace(bundle, rotation=here.rotation, shift=here.shift, xyz=here.xyz, lens=here.lens)
    return Adjusted(moved, squares, (begun, cost))


class _Terms:
    """The normal equations at one place: of cameras and lens, of points, and between both."""

    def __init__(self, size: int, points: int, seen: int, on_lens: int) -> None:
        self.hessian = np.zeros((size, size))
        self.gradient = np.zeros(size)
        self.of_points = np.zeros((points, 3, 3))
        self.by_points = np.zeros((points, 3))
        self.mixed = np.zeros((seen, 6, 3))
        self.mixed_lens = np.zeros((points, on_lens, 3))

    @property
    def all(self) -> tuple[F64, ...]:
        return self.hessian, self.gradient, self.of_points, self.by_points, self.mixed, self.mixed_lens


def _solved(
    terms: _Terms, number: np.ndarray, camera: np.ndarray, first: np.ndarray, on_lens: int, damping: float
) -> tuple[F64, F64]:
    """The damped step of cameras and lens (size,) and of the points (n, 3)."""
    system, right = terms.hessian.copy(), -terms.gradient
    diagonal = np.arange(len(system))
    system[diagonal, diagonal] += damping * system[diagonal, diagonal] + 1e-9
    inverse = np.zeros_like(terms.of_points)
    reduce(terms.of_points, terms.by_points, terms.mixed, terms.mixed_lens, first, camera, number, damping, inverse,
           system, right)  # fmt: skip
    system = np.triu(system) + np.triu(system, 1).T
    by = np.asarray(np.linalg.solve(system, right), np.float64)
    points = np.zeros_like(terms.by_points)
    back_substitute(terms.by_points, terms.mixed, terms.mixed_lens, first, camera, number, inverse, by, points)
    return by, points


def gradient_of(bundle: Bundle, loss_px: float = 1.5) -> tuple[F64, F64]:
    """Half the slope of the cost: by (turn, shift) of the free cameras and what is free of the lens, and by the points.

    Returns:
        (6 · free cameras + free of the lens,) and (n, 3).
    """
    first = np.searchsorted(bundle.point, np.arange(len(bundle.xyz) + 1)).astype(np.int32)
    number = np.where(bundle.free, np.cumsum(bundle.free) - 1, -1).astype(np.int32)
    on_lens = np.flatnonzero(np.asarray(bundle.lens_prior) > 0).astype(np.int32)
    terms = _Terms(6 * int(bundle.free.sum()) + len(on_lens), len(bundle.xyz), len(bundle.camera), len(on_lens))
    linearise(bundle.rotation, bundle.shift, bundle.xyz, bundle.lens, first, bundle.camera, bundle.pixel,
              bundle.log_depth, bundle.depth_weight, loss_px, number, on_lens, *terms.all)  # fmt: skip
    return terms.gradient, terms.by_points


__all__ = ["BEHIND", "Adjusted", "Bundle", "adjust", "gradient_of"]
