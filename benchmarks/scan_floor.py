"""How right the map of what is free is: the known room by exact depth and by our own (``benchmarks/scan.py``)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scan_measures import overlap
from benchmarks.scan_worlds import KeptFilm, known
from tests.scan_draw import MOVER

from unflat.stages.dense_depth import DenseOptions, dense_depth
from unflat.stages.occupancy import OccupancyOptions, occupancy
from unflat.types.arrays import Bool
from unflat.types.occupancy import FREE, OCCUPIED, UNKNOWN, Occupancy
from unflat.types.views import ViewDepth


def true_cells(film: KeptFilm, like: Occupancy) -> tuple[Bool, Bool]:
    """(h, w) each: cells that can be gone to from the camera's path, and those that hold a surface within the band."""
    solid = film.solid
    low, high = like.band
    occupied = np.zeros(like.cells.shape, bool)
    for corners in solid.corners[solid.whose != MOVER]:
        sides = np.linalg.norm(corners - np.roll(corners, 1, 0), axis=1)
        n = max(2, int(np.ceil(3 * sides.max() / like.cell)))
        u, v = np.meshgrid(np.linspace(0, 1, n + 1), np.linspace(0, 1, n + 1))
        inside = u + v <= 1 + 1e-9
        points = corners[0] + u[inside, None] * (corners[1] - corners[0]) + v[inside, None] * (corners[2] - corners[0])
        points = points[(-points[:, 1] > low) & (-points[:, 1] < high)]
        i = np.floor((points[:, 2] - like.z) / like.cell + 1e-6).astype(int)
        j = np.floor((points[:, 0] - like.x) / like.cell + 1e-6).astype(int)
        there = (i >= 0) & (j >= 0) & (i < occupied.shape[0]) & (j < occupied.shape[1])
        occupied[i[there], j[there]] = True
    parts = cv2.connectedComponents((~occupied).astype(np.uint8), connectivity=4)[1]
    eyes = np.stack([pose.centre for pose in film.poses])
    here = parts[((eyes[:, 2] - like.z) / like.cell).astype(int), ((eyes[:, 0] - like.x) / like.cell).astype(int)]
    return np.isin(parts, here[here > 0]), occupied


def floor_row(film: KeptFilm, frames: list[ViewDepth], cell: float) -> str:
    """What a map made of these is worth."""
    found = occupancy(frames, OccupancyOptions(cell=cell))
    free, occupied = true_cells(film, found)
    told = found.cells != UNKNOWN
    both = told & (free | occupied)
    wrong = float(((found.cells == FREE) & ~free).sum() / max(int((found.cells == FREE).sum()), 1))
    unseen = ~cv2.dilate((free | occupied).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    kept = float((found.cells[unseen] == UNKNOWN).mean())
    return (
        f"{overlap(found.cells == FREE, free):.3f} | {overlap((found.cells == OCCUPIED) & both, occupied & told):.3f} "
        f"| {overlap(found.cells == OCCUPIED, occupied):.3f} | {100 * wrong:.1f} | {100 * kept:.1f}"
    )


def floors(given: argparse.Namespace) -> None:
    """The table."""
    print("| place | depth | cell m | IoU of free | of occupied, where told | of occupied | told free, but is not % "
          "| kept unknown of what cannot be seen % |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for name in given.names or ["room-plain"]:
        film = known(name, count=given.count)
        numbers = range(0, film.count, given.every)
        exact = [film.view_depth(i) for i in numbers]
        ways = {"exact": exact}
        if not given.perfect:
            ways["ours"] = list(
                dense_depth(film.reconstruction(given.every, 3000, noise_px=0.5), DenseOptions(given.depth_size))
            )
        for way, frames in ways.items():
            for cell in (0.05, 0.1):
                print(f"| {name} | {way} | {cell:g} | {floor_row(film, frames, cell)} |", flush=True)
