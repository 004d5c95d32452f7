"""How bright and how sharp pictures are against each other, how lenses darken corners, and what stands in the way."""

# pyright: standard

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import kernel
from unflat.geometry.seen_faces import Sightings
from unflat.types.arrays import F32, F64

_SAMPLES = 60_000
"""Faces that exposures are measured on."""
_SCALES = (1.0, 0.5, 0.25, 0.15, 0.15)
"""Differences of the logarithms beyond these count little, round by round (Cauchy)."""
_AT_ONCE = 50_000
_DARK, _BRIGHT = 10.0, 245.0
"""Colours outside tell nothing about the exposure."""
FOOT = 0.055 * 255
"""sRGB is a power of the light less so much."""
GAMMA = 2.4
"""The light is this power of what that leaves."""
_FAINT_FALL = 0.02
_LEVELS = 6.0
"""Colours that differ from the middle one by fewer levels belong to the same thing."""

Ints = NDArray[np.int32]


def linear_of(srgb: F32 | F64) -> F64:
    """Colour 0..255 sRGB -> light 0..1."""
    c = np.asarray(srgb, np.float64) / 255
    return np.where(c <= 0.04045, c / 12.92, ((np.maximum(c, 0.04045) + 0.055) / 1.055) ** 2.4)


def srgb_of(light: F64) -> F64:
    """Light 0..1 -> colour 0..255 sRGB; beyond 1 it goes on growing."""
    c = np.asarray(light, np.float64)
    return 255 * np.where(c <= 0.0031308, 12.92 * c, 1.055 * np.maximum(c, 0.0031308) ** (1 / 2.4) - 0.055)


def curves(gains: F64) -> F32:
    """(v, 3, 256) float32: the colour that each level of each channel becomes under gains (v, 3) of the light."""
    light = linear_of(np.arange(256, dtype=np.float64))
    return srgb_of(np.exp(gains)[..., None] * light).astype(np.float32)


def levelled(sightings: Sightings, gains: F64) -> F32:
    """(m, k, 3) colours after the gains (v, 3)."""
    table = np.concatenate([curves(gains), np.zeros((1, 3, 256), np.float32)])
    out, channel = np.empty_like(sightings.colour), np.arange(3)
    for start in range(0, len(out), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        low = np.clip(sightings.colour[some].astype(np.int64), 0, 254)
        part, view = sightings.colour[some] - low, sightings.view[some, :, None].astype(np.int64)
        out[some] = table[view, channel, low] * (1 - part) + table[view, channel, low + 1] * part
    return out


@kernel
def _pairs(view, value, weight, offset, scale, matrix, right):
    """Enter what faces say of the differences between pictures into normal equations."""
    for f in range(len(view)):
        for i in range(view.shape[1]):
            a = view[f, i]
            if a < 0 or weight[f, i] <= 0:
                continue
            for j in range(i + 1, view.shape[1]):
                b = view[f, j]
                if b < 0 or weight[f, j] <= 0:
                    continue
                differs = value[f, i] - value[f, j]
                left = (differs + offset[a] - offset[b]) / scale
                w = weight[f, i] * weight[f, j] / (1 + left * left)
                matrix[a, a] += w
                matrix[b, b] += w
                matrix[a, b] -= w
                matrix[b, a] -= w
                right[a] -= w * differs
                right[b] += w * differs


def _offsets(view: NDArray[np.int16], value: F64, weight: F64, count: int) -> F64:
    """(count,) what is added to the values of each picture so that they agree; their middle stays where it is."""
    offset = np.zeros(count)
    for scale in _SCALES:
        matrix, right = np.zeros((count, count)), np.zeros(count)
        _pairs(view, value, weight, offset, scale, matrix, right)
        told = np.diag(matrix) > 0
        if not told.any():
            return offset
        hold = 1e-4 * float(np.diag(matrix)[told].mean())
        offset = np.asarray(np.linalg.solve(matrix + hold * np.eye(count), right), np.float64)
        offset[told] -= np.median(offset[told])
        offset[~told] = 0
    return offset


def _sample(sightings: Sightings) -> tuple[Sightings, F64]:
    """Some faces that several pictures show, and how much each entry counts."""
    several = np.flatnonzero((sightings.view >= 0).sum(axis=1) > 1)
    some = several[:: max(1, len(several) // _SAMPLES)]
    s = sightings
    picked = Sightings(s.view[some], s.worth[some], s.colour[some], s.detail[some], s.rim[some])
    best = np.maximum(picked.worth.max(axis=1, keepdims=True), 1e-12)
    return picked, np.sqrt(picked.worth / best).astype(np.float64)


def gains_of(sightings: Sightings, count: int) -> F64:
    """(count, 3) logarithms of what the light of each picture is multiplied by so that all agree.

    Brown and Lowe, "Automatic panoramic image stitching using invariant features" (2007), with differences of
    logarithms and outliers that count little.
    """
    picked, weight = _sample(sightings)
    inside = (picked.colour > _DARK) & (picked.colour < _BRIGHT)
    value = np.log(np.maximum(linear_of(picked.colour), 1e-6))
    both = [_offsets(picked.view, value[..., k], weight * inside.all(axis=2), count) for k in range(3)]
    return np.clip(np.stack(both, axis=1), -2, 2)


def sharpness_of(sightings: Sightings, count: int) -> F64:
    """(count,) how sharp each picture is against the others: the detail that it shows over what they show there."""
    picked, weight = _sample(sightings)
    weight = weight * (picked.detail > 0) * (picked.detail.max(axis=1, keepdims=True) > 3)
    return np.exp(-_offsets(picked.view, np.log(np.maximum(picked.detail, 0.1)).astype(np.float64), weight, count))


@kernel
def _shades(view, value, weight, rim, state, matrix, right):
    """Enter what faces say of the fall of light towards the corners, beside the differences between pictures."""
    offset, fall, scale, count = state
    row = np.empty(4)
    place = np.empty(4, np.int64)
    for f in range(len(view)):
        for i in range(view.shape[1]):
            a = view[f, i]
            if a < 0 or weight[f, i] <= 0:
                continue
            for j in range(i + 1, view.shape[1]):
                b = view[f, j]
                if b < 0 or weight[f, j] <= 0:
                    continue
                once = rim[f, i] - rim[f, j]
                twice = rim[f, i] * rim[f, i] - rim[f, j] * rim[f, j]
                differs = value[f, i] - value[f, j]
                left = (differs + offset[a] - offset[b] - fall[0] * once - fall[1] * twice) / scale
                w = weight[f, i] * weight[f, j] / (1 + left * left)
                row[0], row[1], row[2], row[3] = 1, -1, -once, -twice
                place[0], place[1], place[2], place[3] = a, b, count, count + 1
                for p in range(4):
                    right[place[p]] -= w * row[p] * differs
                    for q in range(4):
                        matrix[place[p], place[q]] += w * row[p] * row[q]


def falloff_of(sightings: Sightings, count: int) -> F64:
    """(2,) a and b: in a picture the light is exp(a r² + b r⁴) of what it is in the middle, r = 1 in the corners.

    Goldman and Chen, "Vignette and exposure calibration and compensation" (2005): the same place in the middle of one
    picture and in the corner of another. All pictures have the same fall; nothing where it would be less than
    ``_FAINT_FALL`` in the corners, or where corners would be brighter.
    """
    picked, weight = _sample(sightings)
    weight = weight * ((picked.colour > _DARK) & (picked.colour < _BRIGHT)).all(axis=2)
    value = np.log(np.maximum(linear_of(picked.colour), 1e-6)).mean(axis=2)
    offset, fall = np.zeros(count), np.zeros(2)
    for scale in _SCALES:
        matrix, right = np.zeros((count + 2, count + 2)), np.zeros(count + 2)
        _shades(picked.view, value, weight, picked.rim, (offset, fall, scale, count), matrix, right)
        hold = 1e-4 * float(np.diag(matrix)[:count].mean())
        if hold <= 0:
            return np.zeros(2)
        matrix[:count, :count] += hold * np.eye(count)
        matrix[count:, count:] += 10 * hold * np.eye(2)
        found = np.asarray(np.linalg.solve(matrix, right), np.float64)
        offset, fall = found[:count], found[count:]
    return fall if -2 < fall.sum() < -_FAINT_FALL else np.zeros(2)


def unshaded(colour: F32, rim: F32, fall: F64) -> F32:
    """Colours 0..255 sRGB (…, 3) without the fall of light (…) towards the corners; see `falloff_of`.

    Where sRGB is a power of the light; the few levels below it are close to one, too.
    """
    return brightened(colour, -(fall[0] * rim + fall[1] * rim * rim)[..., None]) if fall.any() else colour


def brightened(colour: F32, light: F32 | F64) -> F32:
    """Colours 0..255 sRGB (…, 3) whose light is multiplied by exp(``light``); black does not stay quite black."""
    more = np.exp(light / GAMMA).astype(np.float32)
    return ((colour + np.float32(FOOT)) * more - np.float32(FOOT)).astype(np.float32)


@kernel
def _odd(view, colour, detail, odd):
    """How far each entry is from the middle one of its face, in units of what is usual there."""
    kept = view.shape[1]
    row = np.empty(kept, np.float64)
    for f in range(len(view)):
        count = 0
        for k in range(kept):
            odd[f, k] = 0
            count += view[f, k] >= 0
        if count < 3:
            continue
        for c in range(3):
            n = 0
            for k in range(kept):
                if view[f, k] >= 0:
                    row[n] = colour[f, k, c]
                    n += 1
            ordered = np.sort(row[:n])
            middle = ordered[n // 2] if n % 2 else 0.5 * (ordered[n // 2 - 1] + ordered[n // 2])
            for k in range(kept):
                if view[f, k] >= 0:
                    odd[f, k] = max(odd[f, k], abs(colour[f, k, c] - middle))
        n = 0
        for k in range(kept):
            if view[f, k] >= 0:
                row[n] = odd[f, k]
                n += 1
        usual = np.sort(row[:n])[(n - 1) // 2]
        for k in range(kept):
            odd[f, k] /= _LEVELS + 2 * usual + detail[f, k]


@kernel
def _smooth(view, links, odd, out):
    """The mean of each entry and those of the same picture at the neighbours."""
    kept = view.shape[1]
    for f in range(len(view)):
        for k in range(kept):
            total, count = 2 * odd[f, k], 2.0
            for e in range(3):
                g = links[f, e]
                if g < 0 or view[f, k] < 0:
                    continue
                for j in range(kept):
                    if view[g, j] == view[f, k]:
                        total += odd[g, j]
                        count += 1
            out[f, k] = total / count


@kernel
def _widen(view, links, sure, out):
    """The largest of each entry and those of the same picture at the neighbours."""
    for f in range(len(view)):
        for k in range(view.shape[1]):
            most = sure[f, k]
            for e in range(3):
                g = links[f, e]
                if g < 0 or view[f, k] < 0:
                    continue
                for j in range(view.shape[1]):
                    if view[g, j] == view[f, k]:
                        most = max(most, sure[g, j])
            out[f, k] = most


def suspects(sightings: Sightings, colour: F32, links: Ints, rounds: int = 4, rings: int = 3) -> F32:
    """(m, k) 0..1: how sure it is that an entry shows something else than the surface (somebody who walked by).

    Args:
        sightings: Of all faces.
        colour: (m, k, 3), their colours after the gains.
        links: (m, 3) faces across the edges.
        rounds: So often every entry is averaged with its neighbours; what stands before a surface hides many faces.
        rings: By so many faces its outline is widened, where it moved and is blurred.
    """
    odd = np.zeros(sightings.view.shape, np.float32)
    _odd(sightings.view, colour, sightings.detail, odd)
    for _ in range(rounds):
        out = np.empty_like(odd)
        _smooth(sightings.view, links, odd, out)
        odd = out
    sure = np.clip((odd - 1) / 0.5, 0, 1).astype(np.float32)
    for _ in range(rings):
        out = np.empty_like(sure)
        _widen(sightings.view, links, sure, out)
        sure = out
    return sure * sure * (3 - 2 * sure)
