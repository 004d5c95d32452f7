"""How badly a plane explains what a pixel's window shows in other views; windows grow where there is little to see.

A hypothesis of a pixel is a plane, written as inverse depth w and its gradient (gx, gy) for each pixel: inverse depth
of a plane is affine in the picture, so a neighbour's plane is carried over by ``w + gx dx + gy dy``. A window of the
reference is compared with where its plane lies in each source (Bleyer, Rhemann & Rother, "PatchMatch stereo", BMVC
2011) by a weighted normalised correlation (Schönberger et al., "Pixelwise view selection for unstructured multi-view
stereo", ECCV 2016). Where the finest window holds little but noise a larger one of a smaller, and so less noisy,
picture is taken: 25 samples each, so that a blank wall costs no more than a carpet.
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import loose_inner, loose_kernel
from unflat.geometry.rig import Rig
from unflat.types.arrays import F32, U8

SCALES = 4
"""Windows of 9, 10, 20 and 40 pixels, samples of 1, 2 × 2, 4 × 4 and 8 × 8."""
SIDE = 5
SAMPLES = SIDE * SIDE
WORST = np.float32(2)
"""The cost of what a source does not show; 0 is a perfect match, 1 an unrelated one."""
FARTHEST = np.float32(2)
"""Pixels from which on it does not matter how far a point strays."""
_SIGNAL = 4.0
"""A window is large enough if its variance is so many times that of the noise."""
_QUIET = 0.4
"""Pictures have at least this much noise, in grey values, at every size: they are rounded and packed."""
_SMALLEST = 12
"""No smaller pictures than this, in pixels."""


class Pyramid(NamedTuple):
    """Pictures from large to small, each half as large as the one before.

    Attributes:
        grey: Of the reference, (h, w) float32.
        sources: Of the sources, (n, H, W) float32.
        noise: (SCALES,) variance of the noise of each.
        most: The last that is large enough to be used.
    """

    grey: tuple[F32, ...]
    sources: tuple[F32, ...]
    noise: F32
    most: int


def pyramid(rig: Rig) -> Pyramid:
    """The pictures of a rig at all sizes."""
    grey, sources = [np.ascontiguousarray(rig.grey, np.float32)], [np.ascontiguousarray(rig.sources, np.float32)]
    smallest = min(*rig.grey.shape, *rig.ways[:, 12:14].astype(int).ravel())
    for _ in range(SCALES - 1):
        grey.append(_halved(grey[-1]))
        sources.append(np.stack([_halved(source) for source in sources[-1]]))
    noise = np.array([max(rig.noise / 2**k, _QUIET) ** 2 for k in range(SCALES)], np.float32)
    most = max(0, min(SCALES - 1, int(np.log2(max(smallest, 1) / _SMALLEST))))
    return Pyramid(tuple(grey), tuple(sources), noise, most)


def _halved(picture: F32) -> F32:
    """Means of 2 × 2 pixels; an odd row or column at the end is left out."""
    h, w = (max(1, side // 2) for side in picture.shape)
    whole = np.ascontiguousarray(picture[: 2 * h, : 2 * w])
    return np.asarray(cv2.resize(whole, (w, h), interpolation=cv2.INTER_AREA), np.float32)


@loose_inner
def take_patch(grey, scale, x, y, numbers, patch):
    """Fill ``patch`` with offsets in pixels, weights (sum 1) and weighted, centred values; returns mean and variance.

    grey: the pictures of all sizes; scale: which is looked at. numbers: the exponent of the weights by value first.
    """
    picture = grey[scale]
    h, w = picture.shape
    size = np.float32(1 << scale)
    spacing = np.float32(2) if scale == 0 else np.float32(1)
    at_x, at_y = (np.float32(x) + np.float32(0.5)) / size, (np.float32(y) + np.float32(0.5)) / size
    right, low = np.float32(w) - np.float32(1.001), np.float32(h) - np.float32(1.001)
    for n in range(SAMPLES):
        px = min(max(at_x + spacing * np.float32(n % SIDE - SIDE // 2) - np.float32(0.5), np.float32(0)), right)
        py = min(max(at_y + spacing * np.float32(n // SIDE - SIDE // 2) - np.float32(0.5), np.float32(0)), low)
        i, j = np.int32(px), np.int32(py)
        fx, fy = px - np.float32(i), py - np.float32(j)
        top = picture[j, i] + fx * (picture[j, i + 1] - picture[j, i])
        bottom = picture[j + 1, i] + fx * (picture[j + 1, i + 1] - picture[j + 1, i])
        patch[3, n] = top + fy * (bottom - top)
        patch[0, n] = (px + np.float32(0.5) - at_x) * size
        patch[1, n] = (py + np.float32(0.5) - at_y) * size
    middle = patch[3, SAMPLES // 2]
    steepness = numbers[0] * np.float32(1 << max(scale - 1, 0))
    total, mean = np.float32(0), np.float32(0)
    for n in range(SAMPLES):
        off = patch[3, n] - middle
        i, j = np.float32(n % SIDE - SIDE // 2), np.float32(n // SIDE - SIDE // 2)
        weight = np.exp(off * off * steepness - (i * i + j * j) * np.float32(0.125))
        patch[2, n] = weight
        total += weight
        mean += weight * patch[3, n]
    mean /= total
    spread = np.float32(0)
    for n in range(SAMPLES):
        weight, value = patch[2, n] / total, patch[3, n] - mean
        patch[2, n], patch[3, n] = weight, weight * value
        spread += weight * value * value
    return mean, spread


@loose_inner
def match(sources, ways, s, spot, patch, scale):
    """1 - correlation of a patch with source ``s``; spot: x, y (pixel centre), w, gx, gy, mean, variance, noise²."""
    x, y, w, gx, gy = spot[0], spot[1], spot[2], spot[3], spot[4]
    z = ways[s, 6] * x + ways[s, 7] * y + ways[s, 8] + ways[s, 11] * w
    if z <= np.float32(1e-3):
        return WORST
    over = np.float32(1) / z
    u = (ways[s, 0] * x + ways[s, 1] * y + ways[s, 2] + ways[s, 9] * w) * over
    v = (ways[s, 3] * x + ways[s, 4] * y + ways[s, 5] + ways[s, 10] * w) * over
    zx, zy = ways[s, 6] + ways[s, 11] * gx, ways[s, 7] + ways[s, 11] * gy
    ux, uy = (ways[s, 0] + ways[s, 9] * gx - u * zx) * over, (ways[s, 1] + ways[s, 9] * gy - u * zy) * over
    vx, vy = (ways[s, 3] + ways[s, 10] * gx - v * zx) * over, (ways[s, 4] + ways[s, 10] * gy - v * zy) * over
    area = ux * vy - uy * vx
    if area < np.float32(0.1) or area > np.float32(8):
        return WORST
    picture = sources[scale]
    share = np.float32(1) / np.float32(1 << scale)
    reach = np.float32(4) if scale == 0 else np.float32(1 << scale)  # of a larger window, half may lie outside
    out_x, out_y = reach * (abs(ux) + abs(uy)), reach * (abs(vx) + abs(vy))
    if u < out_x or v < out_y or u + out_x >= ways[s, 12] or v + out_y >= ways[s, 13]:
        return WORST
    right = np.floor(ways[s, 12] * share) - np.float32(1.001)
    low = np.floor(ways[s, 13] * share) - np.float32(1.001)
    u, v = u * share - np.float32(0.5), v * share - np.float32(0.5)
    ux, uy, vx, vy = ux * share, uy * share, vx * share, vy * share
    mean = spot[5]
    one, two, both = np.float32(0), np.float32(0), np.float32(0)
    for n in range(SAMPLES):
        px = min(max(u + ux * patch[0, n] + uy * patch[1, n], np.float32(0)), right)
        py = min(max(v + vx * patch[0, n] + vy * patch[1, n], np.float32(0)), low)
        i, j = np.int32(px), np.int32(py)
        fx, fy = px - np.float32(i), py - np.float32(j)
        p, q = np.uint32(i), np.uint32(j)
        top = picture[s, q, p] + fx * (picture[s, q, p + np.uint32(1)] - picture[s, q, p])
        q += np.uint32(1)
        bottom = picture[s, q, p] + fx * (picture[s, q, p + np.uint32(1)] - picture[s, q, p])
        value = top + fy * (bottom - top) - mean
        one += patch[2, n] * value
        two += patch[2, n] * value * value
        both += patch[3, n] * value
    spread = max(two - one * one, np.float32(0))
    return np.float32(1) - both / np.sqrt((spot[6] + spot[7]) * (spread + spot[7]))


@loose_inner
def steep(spot, numbers):
    """Whether the plane is seen so obliquely, or lies so far out of range, that it is not to be believed."""
    x, y, w, gx, gy = spot[0], spot[1], spot[2], spot[3], spot[4]
    if w < numbers[8] or w > numbers[9]:
        return True
    cx, cy = (x - numbers[6]) / numbers[4], (y - numbers[7]) / numbers[5]
    nx, ny = numbers[4] * gx, numbers[5] * gy
    nz = w - gx * (x - numbers[6]) - gy * (y - numbers[7])
    return w * w < numbers[10] * (nx * nx + ny * ny + nz * nz) * (cx * cx + cy * cy + np.float32(1))


@loose_inner
def drawn_to(prior, x, y, w, numbers):
    """What a hypothesis costs for lying off the prior: the more the farther, up to three pixels."""
    if prior[y, x] <= 0:
        return np.float32(0)
    off = min(abs(w - prior[y, x]) * numbers[12], np.float32(3))
    return numbers[11] * off * off


@loose_inner
def strays(rig, s, spot):
    """How many pixels off a point comes back from the depth that was found in source ``s``, at most FARTHEST."""
    ways, found, back = rig[1], rig[2], rig[3]
    x, y, w = spot[0], spot[1], spot[2]
    z = ways[s, 6] * x + ways[s, 7] * y + ways[s, 8] + ways[s, 11] * w
    if z <= np.float32(1e-3):
        return FARTHEST
    u = (ways[s, 0] * x + ways[s, 1] * y + ways[s, 2] + ways[s, 9] * w) / z
    v = (ways[s, 3] * x + ways[s, 4] * y + ways[s, 5] + ways[s, 10] * w) / z
    if u < 0 or v < 0 or u >= ways[s, 12] or v >= ways[s, 13]:
        return FARTHEST
    i, j = np.int32(u), np.int32(v)
    seen = found[s, j, i, 0]
    if seen <= 0:
        return FARTHEST
    seen += found[s, j, i, 1] * (u - i - np.float32(0.5)) + found[s, j, i, 2] * (v - j - np.float32(0.5))
    z = back[s, 6] * u + back[s, 7] * v + back[s, 8] + back[s, 11] * seen
    if z <= np.float32(1e-3):
        return FARTHEST
    dx = (back[s, 0] * u + back[s, 1] * v + back[s, 2] + back[s, 9] * seen) / z - x
    dy = (back[s, 3] * u + back[s, 4] * v + back[s, 5] + back[s, 10] * seen) / z - y
    return min(np.sqrt(dx * dx + dy * dy), FARTHEST)


@loose_kernel
def _choose_scales(grey, numbers, noise, most, scales, start, stop):
    patch = np.zeros((4, SAMPLES), np.float32)
    for y in range(start, stop):
        for x in range(scales.shape[1]):
            scale = 0
            while scale < most and take_patch(grey, scale, x, y, numbers, patch)[1] < _SIGNAL * noise[scale]:
                scale += 1
            scales[y, x] = scale


def scales_of(pictures: Pyramid, numbers: F32) -> U8:
    """(h, w) the smallest window of each pixel that holds more than noise; the largest where none does."""
    scales = np.zeros(pictures.grey[0].shape, np.uint8)

    def work(start: int, stop: int) -> None:
        _choose_scales(pictures.grey, numbers, pictures.noise, pictures.most, scales, start, stop)

    in_bands(work, len(scales), 16)
    return scales


def numbers_of(rig: Rig, limits: tuple[float, float], step_px: float, pull: float, threshold: float) -> F32:
    """What the kernels need to know, as one row of numbers.

    0: exponent of the weights by value; 2, 3: what counts as good and as bad; 4..7: the camera; 8, 9: least and largest
    inverse depth; 10: squared cosine of the steepest plane; 11, 12: strength of the prior, and pixels that a match
    moves per inverse depth; 14: the first trial step of inverse depth; 15: of its gradient, as a share of that.
    """
    per = max(rig.pixels_per_inverse, 1e-9)
    camera = rig.camera
    return np.array(
        [
            -1 / (2 * 12.0**2), 0, threshold, 1.2,
            camera.fx, camera.fy, camera.cx, camera.cy, *limits, np.cos(np.radians(84)) ** 2,
            pull, per, 0, step_px / per, 0.5,
        ],
        np.float32,
    )  # fmt: skip
