"""Whether the layers of photographs hold together: cracks, stretched triangles, time and memory.

    python benchmarks/layers.py FOLDER [--sheet DIR] [--width 480]

For every picture of the folder the layered scene is built and seen from eight places at the full reach; a panorama from
the same places, in all six directions. Cracks are open pixels at which something ought to be seen, as a share of all:
their ray goes behind a thing straight from before another, farther one, and meets nothing until it comes to where that
one would go on. A ray that on its way passes where the picture shows nothing, beyond its border or where it is
transparent, is open by right ("beyond"). Stretched are triangles that reach from one surface to another: from the
picture's own place they cover no more than two pixels of depth, from the full reach more than STRETCH times as many.
--sheet writes five views of every picture.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from unflat.pipelines.panorama import PanoramaResult
from unflat.pipelines.photo import photo
from unflat.pipelines.result import PhotoResult
from unflat.stages.render_view import Painter, View, render_view
from unflat.types.arrays import F32, U8, Bool
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.depth import DepthMap
from unflat.types.image import Size
from unflat.types.mesh import Mesh

AROUND = [(np.cos(t), np.sin(t)) for t in np.arange(8) * np.pi / 4]
STRETCH = 4
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".heic", ".avif")
OPEN = np.array([255, 0, 255], np.float32)
STEP = 0.5
"""How far a ray is followed at once, in pixels of the depth map."""
CLOSE = 0.995
"""A ray is behind a surface from this share of its inverse depth on."""


class Measured(NamedTuple):
    """What is counted of one picture.

    Attributes:
        cracks: Share of the pixels at which something ought to be seen and is not, at the worst place.
        beyond: Share of the pixels that are open by right, at the same place.
        stretched: Triangles that stretch from one surface to another.
        total: All triangles but the sky's.
    """

    cracks: float
    beyond: float
    stretched: int
    total: int


def aside(result: PhotoResult, x: float, y: float, width: int) -> Camera:
    """A camera at (x, y) reaches aside; the middle of the scene stays where it is in its picture."""
    lens = result.camera.intrinsics.resized(result.picture.size.fitted(width))
    pose, reach = np.eye(4), result.layers.reach
    pose[:2, 3] = x * reach, y * reach
    middle = float(np.median(1 / result.depth.z[result.depth.surface]))
    lens = replace(lens, cx=lens.cx + lens.fx * pose[0, 3] * middle, cy=lens.cy + lens.fy * pose[1, 3] * middle)
    return Camera(lens, Pose(pose), "aside")


def around(result: PanoramaResult, x: float, y: float, width: int) -> Iterator[Camera]:
    """Cameras at (x, y) reaches aside that together look everywhere."""
    lens = Intrinsics.from_fov(90, Size(width // 2, width // 2), "given")
    for side in result.sphere.sides:
        pose = np.eye(4)
        pose[:3, :3] = side.scene_from_side
        pose[[0, 2], 3] = np.array([x, y]) * result.sphere.shared.reach
        yield Camera(lens, Pose(pose), "aside")


def told_apart(open_: Bool, camera: Camera, depth: DepthMap) -> Bool:
    """Which open pixels of a view are cracks: see the top of this page.

    Args:
        open_: (h, w), the open pixels.
        camera: The view's; it looks straight ahead from beside the picture's own place.
        depth: Of the picture, with its camera.
    """
    inverse = np.where(depth.surface & np.isfinite(depth.z), 1 / np.where(depth.surface, depth.z, 1), 0)
    shows = (np.asarray(depth.valid) & depth.surface) | (False if depth.sky is None else np.asarray(depth.sky))
    shows = np.asarray(cv2.erode(np.pad(shows, 1).astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1]) > 0
    own, lens, moved = depth.intrinsics, camera.intrinsics, camera.pose.centre[:2]
    assert own is not None
    v, u = np.nonzero(open_)
    across = own.fx * (u + 0.5 - lens.cx) / lens.fx + own.cx
    down = own.fy * (v + 0.5 - lens.cy) / lens.fy + own.cy
    nearest = float(inverse.max()) * 1.01
    steps = int(np.ceil(own.fx * float(np.linalg.norm(moved)) * nearest / STEP)) + 1
    h, w = inverse.shape
    crack, before, wanted = np.zeros(len(u), np.bool_), np.full(len(u), np.nan), np.full(len(u), np.nan)
    for q in np.linspace(nearest, 0, steps):
        x = np.floor(across + own.fx * moved[0] * q).astype(np.int64)
        y = np.floor(down + own.fy * moved[1] * q).astype(np.int64)
        framed = (x >= 0) & (x < w) & (y >= 0) & (y < h)
        x, y = np.clip(x, 0, w - 1), np.clip(y, 0, h - 1)
        something, here = framed & shows[y, x], inverse[y, x]
        crack |= q <= wanted
        ahead = something & (q > CLOSE * here)
        wanted = np.where(something & ~ahead & ~np.isnan(before), before, np.where(something, wanted, np.nan))
        before = np.where(ahead, here, np.nan)
    crack |= (wanted <= 0) | (before <= 0)
    told = np.zeros(open_.shape, np.bool_)
    told[v, u] = crack
    return told


def opened(result: PhotoResult, width: int, painter: Painter) -> tuple[float, float]:
    """Share of cracks from the worst place, and of what is open by right from there."""
    found: list[tuple[float, float]] = []
    for x, y in AROUND:
        if isinstance(result, PanoramaResult):
            views = [render_view(result.scene.nodes, each, painter).open for each in around(result, x, y, width)]
            found.append((float(np.mean([view.mean() for view in views])), 0.0))
            continue
        camera = aside(result, x, y, width)
        open_ = render_view(result.scene.nodes, camera, painter).open
        cracks = told_apart(open_, camera, result.depth)
        found.append((float(cracks.mean()), float((open_ & ~cracks).mean())))
    return max(found)


def stretched(result: PhotoResult) -> tuple[int, int]:
    """How many triangles stretch from one surface to another, and how many there are."""
    bad = total = 0
    for node in result.scene.nodes:
        if node.role == "sky" or not isinstance(node.item, Mesh):
            continue
        corners = node.item.vertices[node.item.faces]
        span, aside = (
            _around_the_eye(result, corners) if isinstance(result, PanoramaResult) else _ahead(result, corners)
        )
        bad += int(((span <= 2) & (aside > STRETCH * np.maximum(span, 0.5))).sum())
        total += len(corners)
    return bad, total


def _ahead(result: PhotoResult, corners: F32) -> tuple[F32, F32]:
    """Pixels of depth that triangles (n, 3, 3) cover from the picture's place, and by which they part at the reach."""
    lens = result.camera.intrinsics.resized(result.depth.size)
    z = corners[..., 2]
    x, y = lens.fx * corners[..., 0] / z, lens.fy * corners[..., 1] / z
    return np.maximum(np.ptp(x, axis=1), np.ptp(y, axis=1)), lens.fx * result.layers.reach * np.ptp(1 / z, axis=1)


def _around_the_eye(result: PhotoResult, corners: F32) -> tuple[F32, F32]:
    """As :func:`_ahead`, for a panorama: by the angles between the corners."""
    assert isinstance(result, PanoramaResult)
    pixels = result.sphere.sides[0].camera.fx
    distance = np.linalg.norm(corners, axis=2)
    rays = corners / distance[..., None]
    chord = np.linalg.norm(rays - rays[:, [1, 2, 0]], axis=2).max(axis=1)
    return pixels * chord, pixels * result.sphere.shared.reach * np.ptp(1 / distance, axis=1)


def five(result: PhotoResult, width: int, painter: Painter) -> U8:
    """The picture, and it seen from the left, the right, above and below; a panorama ahead, right, behind and left."""
    small = cv2.resize(result.picture.pixels, (width, round(width / result.picture.size.aspect)))
    rows = [np.asarray(small, np.uint8)]
    if result.picture.alpha is not None:
        clear = np.asarray(cv2.resize(result.picture.alpha, (width, len(small)))) < 128
        rows[0] = np.where(clear[..., None], OPEN, rows[0]).astype(np.uint8)
    if isinstance(result, PanoramaResult):
        cameras = list(around(result, 0.7, 0.7, 2 * rows[0].shape[0]))[:4]
    else:
        cameras = [aside(result, x, y, width) for x, y in ((-1, 0), (1, 0), (0, -1), (0, 1))]
    for camera in cameras:
        view = _coloured(render_view(result.scene.nodes, camera, painter))
        rows.append(np.asarray(cv2.resize(view, rows[0].shape[1::-1]), np.uint8))
    return np.hstack(rows)


def _coloured(view: View) -> U8:
    return np.where(view.open[..., None], OPEN, view.colour).astype(np.uint8)


def measured(result: PhotoResult, width: int, painter: Painter) -> Measured:
    """All that is counted of one picture."""
    return Measured(*opened(result, width, painter), *stretched(result))


def main() -> None:
    """Print a row for every picture, the worst and the median of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sheet", type=Path, help="folder for five views of every picture, PNG")
    parser.add_argument("--width", type=int, default=480, help="of the views, in pixels")
    given = parser.parse_args()
    rows: list[Measured] = []
    for path in sorted(p for p in given.folder.iterdir() if p.suffix.lower() in SUFFIXES):
        begun = time.process_time()
        result, painter = photo(path), Painter()
        nodes = len(result.scene.nodes)
        took = time.process_time() - begun
        row = measured(result, given.width, painter)
        rows.append(row)
        print(
            f"{path.name[:34]:34} {took:5.1f} s  {nodes} nodes  cracks {row.cracks:.4%}  beyond {row.beyond:6.2%}"
            f"  stretched {row.stretched / row.total:.3%} of {row.total}",
            flush=True,
        )
        if given.sheet:
            given.sheet.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(given.sheet / f"{path.stem}.png"), five(result, given.width, painter)[..., ::-1])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    for name, of in (("cracks", [r.cracks for r in rows]), ("stretched", [r.stretched / r.total for r in rows])):
        print(f"{name}: worst {max(of):.4%}, median {np.median(of):.4%}")
    print(f"{len(rows)} pictures, peak {memory:.0f} MB")


if __name__ == "__main__":
    main()
