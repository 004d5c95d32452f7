"""From files to solids: phantoms written as scanners write them keep their volume, their lengths and their side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phantoms import Phantom, Written, affine, ball, box, left_hand, scanned, turned, write_dicom, write_multiframe
from unflat import volume
from unflat.formats.solid import check_solid
from unflat.types.arrays import F64

SHAPE = (44, 52, 48)
"""Slices, rows, columns."""
ROOMY = (64, 72, 68)
"""For a box of more than 25 voxels: sampling rounds edges, and of smaller ones that takes more than 0.5 %."""
GRIDS = {
    "even": affine((1, 1, 1)),
    "anisotropic": affine((0.7, 0.7, 1.6)),
    "oblique": affine((1, 1.1, 1.2), turn=turned(25, -40, 15)),
    "tilted gantry": affine((0.8, 0.8, 1.25), tilt_degrees=-18),
    "sagittal": affine((1, 1, 1.4), turn=np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]])),
}


def centred(matrix: F64, shape: tuple[int, int, int] = SHAPE) -> F64:
    """The same axes with the middle of the grid at the origin."""
    moved = matrix.copy()
    moved[:3, 3] = -matrix[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    return moved


def solid(folder: Path, **options: object):
    """The mesh of a folder at the middle between outside and inside, its vertices in millimetres."""
    result = volume(folder, threshold="0", **options)
    (row,) = result.report["tissues"]
    mesh = result.scene.nodes[0].item
    check_solid(mesh, "phantom")
    return np.float64(mesh.vertices) * 1000, row["volume_ml"], result


@pytest.mark.parametrize("name", GRIDS)
def test_a_ball(tmp_path: Path, name: str) -> None:
    matrix = centred(GRIDS[name])
    at, ml, _ = solid(write_dicom(tmp_path / "scan", scanned(SHAPE, matrix, ball((0.3, -0.4, 0.2), 15.5), finer=5)))
    assert ml == pytest.approx(4 / 3 * np.pi * 15.5**3 / 1000, rel=0.005)
    off = np.linalg.norm(at - (0.3, -0.4, 0.2), axis=1) - 15.5
    assert np.abs(off).max() < 0.25 * np.linalg.norm(matrix[:3, :3], axis=0).max()
    assert np.abs(off).mean() < 0.06


@pytest.mark.parametrize("name", GRIDS)
def test_a_turned_box(tmp_path: Path, name: str) -> None:
    matrix, way, sides = centred(GRIDS[name], ROOMY), turned(20, 30, -10), np.array([34.0, 26, 30])
    at, ml, _ = solid(write_dicom(tmp_path / "scan", scanned(ROOMY, matrix, box((0, 0, 0), sides, way), finer=4)))
    voxel = np.linalg.norm(matrix[:3, :3], axis=0).max()
    assert ml == pytest.approx(np.prod(sides) / 1000, rel=0.005)
    inner = at @ way
    for axis, side in enumerate(sides):
        others = [other for other in range(3) if other != axis]
        middle = (np.abs(inner[:, others]) < sides[others] / 2 - 2 * voxel).all(axis=1)
        for sign in (-1, 1):
            face = inner[middle & (inner[:, axis] * sign > 0), axis] * sign
            assert face.mean() == pytest.approx(side / 2, abs=0.1 * voxel)
            assert np.abs(face - side / 2).max() < 0.25 * voxel


@pytest.mark.parametrize("name", GRIDS)
def test_a_left_hand(tmp_path: Path, name: str) -> None:
    """The mesh is nearer to the left hand than to its mirror image, which no turn makes of it."""
    hand = left_hand(44)
    matrix = centred(GRIDS[name])
    at, _, _ = solid(write_dicom(tmp_path / "scan", scanned(SHAPE, matrix, hand)), smooth="none")
    voxel = np.linalg.norm(matrix[:3, :3], axis=0).max()
    assert np.abs(hand(at)).max() < 1.1 * voxel
    assert np.abs(hand(at * (-1, 1, 1))).max() > 3


@pytest.mark.parametrize("kind", ["gap", "duplicate", "reversed", "uneven", "multiframe"])
def test_odd_stacks(tmp_path: Path, kind: str) -> None:
    matrix = centred(GRIDS["even"])
    phantom = scanned(SHAPE, matrix, ball((0, 0, 0), 14), finer=5)
    every = list(range(SHAPE[0]))
    kept = {
        "gap": [k for k in every if k not in (20, 27)],
        "duplicate": [*every, 11, 30],
        "reversed": every[::-1],
        "uneven": [k for k in every if k < 24 or k % 2 == 0],
    }
    if kind == "multiframe":
        folder = write_multiframe(tmp_path / "scan.dcm", phantom)
    else:
        folder = write_dicom(tmp_path / "scan", phantom, Written(keep=kept[kind]))
    at, ml, result = solid(folder)
    assert ml == pytest.approx(4 / 3 * np.pi * 14**3 / 1000, rel=0.005)
    assert np.abs(np.linalg.norm(at, axis=1) - 14).max() < (0.5 if kind in ("gap", "uneven") else 0.25), "2 mm apart"
    said = " ".join(result.report["warnings"])
    assert bool(said.replace("Not for diagnosis.", "").strip()) == (kind in ("gap", "duplicate", "uneven"))


def test_the_phantom_itself() -> None:
    phantom: Phantom = scanned((9, 9, 9), affine((1, 1, 1), (-4, -4, -4)), ball((0, 0, 0), 3))
    assert phantom.values[4, 4, 4] == 1000
    assert phantom.values[0, 0, 0] == -1000
