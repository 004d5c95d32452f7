"""Whether the layers of photographs hold together: cracks, stretched triangles, time and memory.

    python benchmarks/layers.py FOLDER [--sheet DIR] [--width 480]

For every picture of the folder the layered scene is built and seen from eight places at the full reach. Counted are
open pixels that do not touch the border of the frame (cracks), as a share of all (pictures with alpha are cut out and
have openings by right); and triangles that stretch from one surface to another: from the picture's own place they cover
no more than two pixels of depth, from the full reach more than STRETCH times as many. --sheet writes five views.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from unflat.pipelines.photo import photo
from unflat.pipelines.result import PhotoResult
from unflat.stages.render_view import Painter, View, render_view
from unflat.types.arrays import U8
from unflat.types.camera import Camera, Pose
from unflat.types.mesh import Mesh

AROUND = [(np.cos(t), np.sin(t)) for t in np.arange(8) * np.pi / 4]
STRETCH = 4
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".heic", ".avif")


def seen_from(result: PhotoResult, x: float, y: float, width: int, painter: Painter) -> View:
    """The scene from a place at (x, y) reaches aside; the middle of the scene stays where it is."""
    lens = result.camera.intrinsics.resized(result.picture.size.fitted(width))
    pose, reach = np.eye(4), result.layers.reach
    pose[:2, 3] = x * reach, y * reach
    middle = float(np.median(1 / result.depth.z[result.depth.surface]))
    lens = replace(lens, cx=lens.cx + lens.fx * pose[0, 3] * middle, cy=lens.cy + lens.fy * pose[1, 3] * middle)
    return render_view(result.scene.nodes, Camera(lens, Pose(pose), "aside"), painter)


def cracks(view: View) -> float:
    """Share of the pixels that are open and not connected to the border by open ones."""
    _, found = cv2.connectedComponents(view.open.astype(np.uint8), connectivity=8)
    label = np.asarray(found)
    border = np.unique(np.concatenate([label[0], label[-1], label[:, 0], label[:, -1]]))
    return float((view.open & ~np.isin(label, border)).mean())


def stretched(result: PhotoResult) -> tuple[int, int]:
    """How many triangles stretch from one surface to another, and how many there are."""
    bad = total = 0
    lens = result.camera.intrinsics.resized(result.depth.size)
    for node in result.scene.nodes:
        if node.role == "sky" or not isinstance(node.item, Mesh):
            continue
        corners = node.item.vertices[node.item.faces]
        z = corners[..., 2]
        x, y = lens.fx * corners[..., 0] / z, lens.fy * corners[..., 1] / z
        span = np.maximum(np.maximum(np.ptp(x, axis=1), np.ptp(y, axis=1)), 0.5)
        aside = lens.fx * result.layers.reach * np.ptp(1 / z, axis=1)
        bad += int(((span <= 2) & (aside > STRETCH * span)).sum())
        total += len(z)
    return bad, total


def five(result: PhotoResult, width: int, painter: Painter) -> U8:
    """The picture, and it seen from the left, the right, above and below."""
    small = cv2.resize(result.picture.pixels, (width, round(width / result.picture.size.aspect)))
    rows = [np.asarray(small, np.uint8)]
    for x, y in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        view = seen_from(result, x, y, width, painter)
        colour = np.where(view.open[..., None], np.float32((255, 0, 255)), view.colour).astype(np.uint8)
        rows.append(np.asarray(cv2.resize(colour, (rows[0].shape[1], rows[0].shape[0])), np.uint8))
    return np.hstack(rows)


def main() -> None:
    """Print a row for every picture and the worst of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sheet", type=Path, help="folder for five views of every picture")
    parser.add_argument("--width", type=int, default=480, help="of the views, in pixels")
    given = parser.parse_args()
    worst = bad_of_all = 0.0
    for path in sorted(p for p in given.folder.iterdir() if p.suffix.lower() in SUFFIXES):
        begun = time.perf_counter()
        result, painter = photo(path), Painter()
        nodes = len(result.scene.nodes)
        took = time.perf_counter() - begun
        open_ = max(cracks(seen_from(result, x, y, given.width, painter)) for x, y in AROUND)
        bad, total = stretched(result)
        worst, bad_of_all = max(worst, open_), max(bad_of_all, bad / total)
        hidden = float(result.layers.hidden.on.mean())
        print(
            f"{path.name[:34]:34} {took:5.1f} s  {nodes} nodes  hidden {hidden:6.1%}  cracks {open_:.4%}"
            f"  stretched {bad} of {total}",
            flush=True,
        )
        if given.sheet:
            given.sheet.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(given.sheet / f"{path.stem}.jpg"), five(result, given.width, painter)[..., ::-1])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"worst: cracks {worst:.4%}, stretched {bad_of_all:.4%}; peak {memory:.0f} MB")


if __name__ == "__main__":
    main()
