"""How far away is what one pixel shows? Its surroundings are looked for in other views, depth after depth.

A plane sweep (Collins, 1996) for one pixel: a small patch of a plane through its ray is held at many distances and
slants; at the right ones the other views show there what the first one shows (normalised correlation).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from unflat.geometry.distort import pixels_of, rays_through
from unflat.types.arrays import F32, F64, Bool
from unflat.types.views import Lens

_REACH = 7
"""The patch is this many pixels of the first view to either side."""
_MOST_STEPS = 250
_GOOD = 0.7
"""Correlation of a patch that was found again."""
_PLAIN = 2.0
"""Standard deviation of grey in a patch that holds nothing to be found."""
_MATCH_PX = 0.4
"""However well they agree, matches may be off together by this much."""
_SEE_IT = 0.4
"""So many of the other views, two at least, are expected to see it."""
_SLANTS = (math.radians(30.0), math.radians(55.0))
_ALIKE, _APART = 0.04, 4
"""Two places that are more than so many steps apart and correlate nearly as well are not told apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A grey picture (h, w) float32 with its camera: the lens for its size, and (4, 4) world_from_camera."""

    grey: F32
    lens: Lens
    world_from_camera: F64


def inverse_depth_at(
    look: Look, at: F64, others: Sequence[Look], low: float, high: float
) -> tuple[float, float] | None:
    """Inverse z of what a pixel of one view shows.

    Args:
        look: The view.
        at: (2,) the pixel.
        others: Views that may show the same, from elsewhere.
        low: Smallest inverse z that is tried, greater than 0.
        high: Largest.

    Returns:
        Inverse z and its standard error; None where nothing like it is found.
    """
    du, dv = np.meshgrid(*2 * [np.arange(-_REACH, _REACH + 1.0)])
    pixels = np.asarray(at) + np.stack([du.ravel(), dv.ravel()], 1)
    weight = np.exp(-(du.ravel() ** 2 + dv.ravel() ** 2) / (0.7 * _REACH) ** 2)
    patch = _sampled(look.grey, pixels)
    mean = float((weight * patch).sum() / weight.sum())
    if math.sqrt(float((weight * (patch - mean) ** 2).sum() / weight.sum())) < _PLAIN or not others:
        return None
    rays = rays_through(pixels, look.lens)
    ray = rays_through(np.asarray(at, np.float64), look.lens)
    ends = [_moved(ray / np.array([[low], [high]]), look, other) for other in others]
    length = max((float(np.linalg.norm(end[1] - end[0])) for end in ends if np.isfinite(end).all()), default=100.0)
    steps = int(np.clip(1.25 * length, 16, _MOST_STEPS))
    tried = np.linspace(low, high, steps)
    scores: list[F64] = []
    slants = _normals(ray)
    for slant in slants:
        held = _held(rays, ray, slant, tried)
        found = np.sort(np.stack([_correlation(patch, weight, held, look, other) for other in others]), axis=0)
        scores.append(found[-max(2, math.ceil(_SEE_IT * len(others))) :].mean(0))
    joint = np.stack(scores)
    which, top = (int(k) for k in np.unravel_index(np.argmax(joint), joint.shape))
    normal, best, score = slants[which], float(tried[top]), float(joint[which, top])
    elsewhere = np.abs(np.arange(steps) - top) > _APART
    if score < _GOOD or joint[:, elsewhere].max(initial=-1.0) > score - _ALIKE:
        return None
    step = (high - low) / (steps - 1)
    fine = best + np.linspace(-2, 2, 33) * step
    fine = fine[fine > 0]
    held = _held(rays, ray, normal, fine)
    curves = np.stack([_correlation(patch, weight, held, look, other) for other in others])
    return _agreed(fine, curves, [length / (high - low)] * len(others))


def _agreed(tried: F64, curves: F64, slopes: Sequence[float]) -> tuple[float, float] | None:
    """The mean of where each view finds the patch best, and how well they agree."""
    tops = curves.argmax(1)
    sure = (curves.max(1) > _GOOD) & (tops > 0) & (tops < len(tried) - 1)
    if not sure.any():
        return None
    peaks: list[float] = []
    for curve, top in zip(curves[sure], tops[sure], strict=True):
        a, b, c = curve[top - 1 : top + 2]
        bend = a - 2 * b + c
        peaks.append(float(tried[top] + (0.5 * (a - c) / bend if bend < 0 else 0.0) * (tried[1] - tried[0])))
    middle = float(np.median(peaks))
    spread = 1.4826 * float(np.median(np.abs(np.array(peaks) - middle))) / math.sqrt(len(peaks))
    return middle, math.hypot(spread, _MATCH_PX / max(slopes))


def _normals(ray: F64) -> list[F64]:
    """The plane that faces the eye, and rings of slanted ones; normals scaled so that normal · ray = 1."""
    towards = ray / np.linalg.norm(ray)
    side = np.cross(towards, [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    up = np.cross(side, towards)
    normals = [towards]
    for slant in _SLANTS:
        for angle in np.arange(8) * math.pi / 4:
            aside = math.cos(angle) * side + math.sin(angle) * up
            normals.append(math.cos(slant) * towards + math.sin(slant) * aside)
    return [n / (n @ ray) for n in normals]


def _held(rays: F64, ray: F64, normal: F64, inverse: F64) -> F64:
    """(m, p, 3) points of the patch in camera axes: on the plane of the normal that meets ``ray`` at each 1/inverse."""
    on_plane = rays / np.maximum(rays @ normal, 0.2)[:, None]  # where the plane meets each ray if z is 1 on ``ray``
    return on_plane[None] / inverse[:, None, None]


def _moved(xyz: F64, look: Look, other: Look) -> F64:
    """Pixels of the other view that show points in the first camera's axes."""
    there = np.linalg.inv(other.world_from_camera) @ look.world_from_camera
    return pixels_of(xyz @ there[:3, :3].T + there[:3, 3], other.lens)


def _sampled(grey: F32, pixels: F64) -> F64:
    """Grey values at (…, 2) pixels, straight between centres; not a number outside."""
    flat = pixels.reshape(-1, 2).astype(np.float32) - np.float32(0.5)
    flat = np.where(np.isfinite(flat), flat, np.float32(-100)).reshape(pixels.shape[0], -1, 2)
    nowhere = (float("nan"),) * 4
    got = cv2.remap(
        grey, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=nowhere
    )
    return np.asarray(got, np.float64).reshape(pixels.shape[:-1])


def _correlation(patch: F64, weight: F64, held: F64, look: Look, other: Look) -> F64:
    """(m,) weighted normalised correlation of the patch with what another view shows at the points; −1 outside."""
    seen = _sampled(other.grey, _moved(held, look, other))
    inside: Bool = np.asarray(np.isfinite(seen).all(axis=1))
    seen = np.where(inside[:, None], seen, 0.0)
    w = weight / weight.sum()
    a, b = patch - (w * patch).sum(), seen - (seen * w).sum(1, keepdims=True)
    spread = (w * b * b).sum(1)
    value = (w * a * b).sum(1) / np.sqrt((w * a * a).sum() * np.maximum(spread, 1e-12))
    return np.where(inside & (spread > (_PLAIN / 2) ** 2), value, -1.0)
