"""Bodies by formula, as a scanner would see them: tissues in HU, a table below, noise; and a head with a nose."""

from __future__ import annotations

import numpy as np

from unflat.types import Grid, Volume

SHAPE = (40, 120, 140)
SPACING = (3.0, 2.5, 2.5)
"""Millimetres of slices, rows and columns."""


def places(shape=SHAPE, spacing=SPACING):
    """Millimetres (x to the left, y to the back, z to the head) of all voxels, from the middle of the grid."""
    k, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
    d, h, w = shape
    return (i - (w - 1) / 2) * spacing[2], (j - (h - 1) / 2) * spacing[1], (k - (d - 1) / 2) * spacing[0]


def grid(shape=SHAPE, spacing=SPACING):
    """Axes along the patient's own, the middle at the origin."""
    affine = np.diag([spacing[2], spacing[1], spacing[0], 1000.0]) / 1000
    affine[:3, 3] = [-(n - 1) / 2 * s / 1000 for n, s in zip(shape[::-1], spacing[::-1], strict=True)]
    return Grid(shape, affine)


def tissues(shape=SHAPE, spacing=SPACING):
    """Where each tissue of the trunk is, bool each; later ones lie in earlier ones."""
    x, y, z = places(shape, spacing)
    every = np.ones(shape, bool)
    body = (x / 130) ** 2 + (y / 90) ** 2 < 1
    return {
        "skin": body & every,
        "muscle": ((x / 112) ** 2 + (y / 74) ** 2 < 1) & every,
        "lung": (((np.abs(x) - 60) / 36) ** 2 + (y / 50) ** 2 + (z / 50) ** 2 < 1) & every,
        "gas": (x**2 + (y + 45) ** 2 + (z / 1.5) ** 2 < 16**2) & every,
        "bone": (x**2 + (y - 50) ** 2 < 17**2) & every,
        "vessels": ((x - 12) ** 2 + (y - 8) ** 2 < 9**2) & every,
    }


HU = {"skin": -100, "muscle": 55, "lung": -820, "gas": -1000, "bone": 700, "vessels": 320}


def trunk(*, table=True, noise=8.0, seed=0):
    """A CT of a trunk on its table."""
    values = np.full(SHAPE, -1000.0, np.float32)
    for name, inside in tissues().items():
        values[inside] = HU[name]
    if table:
        x, y, _ = places()
        top = (np.abs(x) < 150) & (y > 100) & (y < 106)
        values[np.broadcast_to(top, SHAPE)] = 250
        values[np.broadcast_to((np.abs(x) < 60) & (y > 91) & (y <= 100), SHAPE) & ~tissues()["skin"]] = -900
        values[np.broadcast_to((np.abs(x) > 140) & top, SHAPE)] = 900
    values += np.random.default_rng(seed).normal(0, noise, SHAPE).astype(np.float32)
    return Volume(np.rint(values).astype(np.int16), grid(), "hu", "CT")


HEAD = (70, 90, 80)
HEAD_MM = (3.0, 3.0, 3.0)


def head(*, modality="CT", shoulders=False):
    """A head with a nose in front (towards -y), a brain and a skull; magnetic resonance is brighter at one side."""
    x, y, z = places(HEAD, HEAD_MM)
    egg = (x / 74) ** 2 + (y / 92) ** 2 + (z / 96) ** 2
    nose = (x / 13) ** 2 + ((y + 96) / 22) ** 2 + ((z + 20) / 20) ** 2 < 1
    skin = (egg < 1) | nose
    if shoulders:
        skin = skin | ((x / 118) ** 2 + (y / 70) ** 2 < 1) & (z < -75)
    skull = (egg < 0.86) & (egg > 0.72)
    every = np.ones(HEAD, bool)
    rng = np.random.default_rng(4)
    if modality == "CT":
        values = np.where(skin & every, 40.0, -1000.0)
        values[skull & every] = 900
        values += rng.normal(0, 6, HEAD)
        return Volume(np.rint(values).astype(np.int16), grid(HEAD, HEAD_MM), "hu", "CT")
    values = np.where(skin & every, 420.0, 12.0)
    values[skull & every] = 40
    values[np.broadcast_to(egg < 0.72, HEAD)] = 300
    values *= 1 + 0.5 * x / 100
    values = np.abs(values + rng.normal(0, 12, HEAD))
    return Volume(np.rint(values).astype(np.int16), grid(HEAD, HEAD_MM), "intensity", "MR")
