"""Scans made in code: bodies whose places, values and distances are known.

The head is no head: a large ball of muscle with a ball of bone inside it to the patient's left, a ball of fat in front,
and a long box of metal above; every direction looks different, so that a mirrored view is seen at once.
"""

from __future__ import annotations

import math

import numpy as np
from skimage.measure import marching_cubes

import scenes
from unflat.types import Finish, Frame, Grid, Mesh, Node, Pin, Scale, Scene, Volume
from unflat.types.arrays import F64

AIR, FAT, MUSCLE, BONE, METAL = -1000, -100, 50, 1000, 2500
BODY_M = 0.050
"""Radius of the body; its centre is :data:`CENTRE`."""
CENTRE = (0.010, -0.020, 0.300)
BALL_M = 0.012
BONE_AT = (CENTRE[0] + 0.025, CENTRE[1], CENTRE[2])
"""To the patient's left."""
FAT_AT = (CENTRE[0], CENTRE[1] - 0.030, CENTRE[2] + 0.005)
"""In front."""
METAL_AT = (CENTRE[0], CENTRE[1], CENTRE[2] + 0.032)
"""Above; 6 × 12 × 4 mm half sides."""
METAL_HALF = (0.006, 0.012, 0.004)


def oblique(shape: tuple[int, int, int], middle: tuple[float, float, float] = CENTRE, mm: float = 2.5) -> Grid:
    """A grid about ``middle`` with unequal, turned, mirrored and sheared axes, as a tilted gantry makes them."""
    turn = math.radians(20)
    turned = np.array([[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]])
    axes = turned @ np.array([[-1.0, 0, 0], [0, 1.1, 0.25], [0, 0, 1.3]]) * mm / 1000
    affine = np.eye(4)
    affine[:3, :3] = axes
    affine[:3, 3] = np.array(middle) - axes @ ((np.array(shape[::-1]) - 1) / 2)
    return Grid(shape, affine)


def straight(side: int = 56, mm: float = 2.0) -> Grid:
    """A grid along the patient's axes about the body's middle, slices from foot to head."""
    affine = np.diag([mm / 1000, mm / 1000, mm / 1000, 1.0])
    affine[:3, 3] = np.array(CENTRE) - mm / 1000 * (side - 1) / 2
    return Grid((side, side, side), affine)


def field(lps: F64) -> F64:
    """HU at (n, 3) places."""

    def within(middle: tuple[float, float, float], radius: float) -> np.ndarray:
        return np.linalg.norm(lps - middle, axis=1) < radius

    values = np.full(len(lps), float(AIR))
    values[within(CENTRE, BODY_M)] = MUSCLE
    values[within(FAT_AT, BALL_M)] = FAT
    values[within(BONE_AT, BALL_M)] = BONE
    values[(abs(lps - METAL_AT) < METAL_HALF).all(axis=1)] = METAL
    return values


def scanned(grid: Grid) -> Volume:
    """The scan of the phantom on a grid."""
    k, j, i = (a.ravel() for a in np.indices(grid.shape))
    values = field(grid.lps(np.stack([i, j, k], -1).astype(np.float64)))
    return Volume(values.reshape(grid.shape).astype(np.int16), grid, "hu", "CT")


def ball(middle: tuple[float, float, float], radius: float, steps: int = 40) -> Mesh:
    """A sphere with its poles at head and foot, corners exactly on it."""
    rows, columns = steps // 2, steps
    latitude = np.linspace(-math.pi / 2, math.pi / 2, rows + 1)[1:-1]
    longitude = np.arange(columns) * (2 * math.pi / columns)
    ring = np.stack(
        [
            np.outer(np.cos(latitude), np.cos(longitude)),
            np.outer(np.cos(latitude), np.sin(longitude)),
            np.outer(np.sin(latitude), np.ones(columns)),
        ],
        -1,
    ).reshape(-1, 3)
    points = np.concatenate([ring, [[0, 0, -1], [0, 0, 1]]])
    a = np.arange(len(ring)).reshape(rows - 1, columns)
    right = np.roll(a, -1, axis=1)
    south, north = len(ring), len(ring) + 1
    faces = np.concatenate(
        [
            np.stack([a[:-1], right[:-1], right[1:]], -1).reshape(-1, 3),
            np.stack([a[:-1], right[1:], a[1:]], -1).reshape(-1, 3),
            np.stack([right[0], a[0], np.full(columns, south)], -1),
            np.stack([a[-1], right[-1], np.full(columns, north)], -1),
        ]
    )
    return Mesh(
        (points * radius + middle).astype(np.float32), faces.astype(np.uint32), normals=points.astype(np.float32)
    )


def box(middle: tuple[float, float, float], half: tuple[float, float, float]) -> Mesh:
    """A box, by marching cubes of one cell, cut to size: closed, with corners exactly on it."""
    cube = np.zeros((4, 4, 4))
    cube[1:3, 1:3, 1:3] = 1
    points, faces, *_ = marching_cubes(cube, 0.5)
    signs = np.clip((points - 1.5) / 0.5, -1, 1)
    vertices = (signs * half + middle).astype(np.float32)
    a, b, c = (vertices[faces[:, n]] for n in range(3))
    outward = np.einsum("ij,ij->i", np.cross(b - a, c - a), a + b + c - 3 * np.array(middle))
    if outward.sum() < 0:
        faces = faces[:, ::-1]
    return Mesh(vertices, np.ascontiguousarray(faces).astype(np.uint32))


def head(grid: Grid | None = None) -> Scene:
    """The phantom with its surfaces, its scan and two pins."""
    nodes = (
        Node("body", ball(CENTRE, BODY_M), finish=Finish((224, 172, 150))),
        Node("bone", ball(BONE_AT, BALL_M), finish=Finish((80, 220, 90))),
        Node("fat", ball(FAT_AT, BALL_M), finish=Finish((250, 210, 60))),
        Node("metal", box(METAL_AT, METAL_HALF), finish=Finish((90, 130, 230))),
    )
    pins = (
        Pin("Bone", (BONE_AT[0], BONE_AT[1] - BALL_M, BONE_AT[2]), "bone", "A ball of bone to the left"),
        Pin("Front", (CENTRE[0], CENTRE[1] - BODY_M, CENTRE[2]), None),
        Pin("Back", (CENTRE[0], CENTRE[1] + BODY_M, CENTRE[2]), "body"),
    )
    scale = Scale("metric-source", 1.0, 1.0, detail="the scanner's own millimetres")
    return Scene(
        nodes, (), Frame.PATIENT_LPS, scale, scenes.provenance(), pins=pins, volume=scanned(grid or straight())
    )
