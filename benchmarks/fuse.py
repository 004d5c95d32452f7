"""How fast depth of many views becomes a surface, how much memory that takes, and how true it is.

    python benchmarks/fuse.py                 accuracy on two known places, at two strengths of noise
    python benchmarks/fuse.py --speed         60 views of 800×600 pixels into one volume, and what it takes
    python benchmarks/fuse.py --dense         the same small volume by plain numpy and skimage, in the same run

Known places are made here: a room with furniture (5 m) and a thing of a ball, a box and a bar (1.6 m); depth is exact,
then noisy as triangulated depth is (with the square of the distance) and wrong in patches of 3×3 pixels. Precision:
share of the surface within a distance of the true one; recall: share of all true points that any view saw within that
distance of the surface; F: their harmonic mean. Seconds are CPU seconds of the process, all threads together.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import overload

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import fused_worlds as fw
from unflat.geometry.blocks import SIDE, Blocks
from unflat.geometry.isosurface import extract
from unflat.geometry.lift import lift
from unflat.geometry.pieces import areas
from unflat.geometry.sightings import Sighting
from unflat.geometry.tsdf import FREE, Volume
from unflat.stages.fuse_frames import FuseOptions, fuse_frames
from unflat.stages.survey_frames import look_over, sighting_of
from unflat.types.arrays import F32, F64
from unflat.types.camera import Intrinsics, Pose
from unflat.types.mesh import Mesh
from unflat.types.views import ViewDepth


def thing() -> fw.Field:
    """A ball on a flat box, with a bar through it."""
    parts = (
        fw.ball((0, -0.2, 0), 0.5),
        fw.box((0, 0.45, 0), (0.7, 0.12, 0.5)),
        fw.box((0.35, -0.3, 0), (0.5, 0.05, 0.05)),
    )
    return lambda xyz: np.minimum.reduce([part(xyz) for part in parts])


def sampled(mesh: Mesh, count: int = 600_000) -> F64:
    """Points evenly over a surface: (count, 3)."""
    rng = np.random.default_rng(0)
    area = areas(mesh.vertices, mesh.faces)
    a, b, c = mesh.vertices[mesh.faces[rng.choice(len(area), count, p=area / area.sum())]].astype(float).swapaxes(0, 1)
    u, v = rng.random((2, count, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    return a + u * (b - a) + v * (c - a)


def seen_points(frames: Sequence[ViewDepth]) -> F64:
    """Every third true point that any view saw: (n, 3)."""
    found = []
    for frame in frames:
        points = lift(frame.depth)
        pose = frame.view.pose.world_from_camera
        found.append(points.xyz_in_camera[points.valid][::3] @ pose[:3, :3].T + pose[:3, 3])
    return np.concatenate(found)


def accuracy() -> None:
    """Precision, recall and F on known places."""
    from scipy.spatial import cKDTree

    places = (
        ("room", fw.room(), fw.walk(24), fw.lens_of(160, 120, 80), 5.0),
        ("thing", thing(), fw.around(16, 2.2), fw.lens_of(160, 120, 50), 1.6),
    )
    print("place   noise   wrong   at 1 % of size: P     R     F      at 0.5 %: F   rms mm  triangles")
    for name, field, poses, lens, size in places:
        truth = seen_points(fw.frames_of(field, poses, lens))
        for noise, wrong in ((0.0, 0.0), (0.002, 0.01), (0.004, 0.03), (0.003, 0.15)):
            mesh = fuse_frames(fw.frames_of(field, poses, lens, noise, wrong))
            points = sampled(mesh)
            off, missed = np.abs(field(points)), cKDTree(points).query(truth)[0]
            scores = []
            for share in (0.01, 0.005):
                p, r = float((off < share * size).mean()), float((missed < share * size).mean())
                scores.append((p, r, 2 * p * r / (p + r)))
            (p, r, f), (_, _, finer) = scores
            rms = 1000 * np.sqrt(np.mean(np.minimum(off, 0.2) ** 2))
            print(
                f"{name:6}{noise:7.3f}{wrong:8.0%}{p:23.3f} {r:.3f} {f:.3f}{finer:16.3f}{rms:9.1f}{len(mesh.faces):11d}"
            )


def ball_in_a_box(lens: Intrinsics, pose: Pose) -> F64:
    """Depth of a room of 4 × 2.6 × 5 m with a ball in it, worked out rather than traced: (h, w)."""
    h, w = lens.size.shape
    x, y = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    ray = np.stack([(x - lens.cx) / lens.fx, (y - lens.cy) / lens.fy, np.ones_like(x)], axis=-1)
    way, eye = ray @ pose.world_from_camera[:3, :3].T, pose.centre
    walls = ((np.sign(way) * [2.0, 1.3, 2.5] - eye) / way).min(axis=-1)
    away = eye - [0.3, 0.9, -0.8]
    a, b, c = (way**2).sum(axis=-1), way @ away, away @ away - 0.4**2
    root = b * b - a * c
    ball = np.where((root > 0) & (b < 0), (-b - np.sqrt(np.maximum(root, 0))) / a, np.inf)
    return np.minimum(walls, ball)


class Shelf(Sequence[ViewDepth]):
    """Frames made when they are asked for, as a shelf on the disk reads them; only their depth is remembered."""

    def __init__(self, count: int, width: int, height: int) -> None:
        """See the room from so many places."""
        self.lens, self.poses = fw.lens_of(width, height, 75), fw.walk(count)
        rng = np.random.default_rng(1)
        self.depth = []
        for pose in self.poses:
            z = ball_in_a_box(self.lens, pose).astype(np.float32)
            self.depth.append(z + 0.001 * z**2 * rng.normal(size=z.shape).astype(np.float32))

    def __len__(self) -> int:
        return len(self.poses)

    @overload
    def __getitem__(self, index: int) -> ViewDepth: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ViewDepth]: ...
    def __getitem__(self, index: int | slice) -> ViewDepth | Sequence[ViewDepth]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return fw.frame_of(f"{index:06d}", self.depth[index], self.lens, self.poses[index])


def clocked(work: Callable[[], object]) -> tuple[object, float, float]:
    """The result, CPU seconds and seconds on the wall."""
    begun, wall = time.process_time(), time.perf_counter()
    made = work()
    return made, time.process_time() - begun, time.perf_counter() - wall


def peak_mb() -> float:
    """Most memory that the process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def speed(count: int, width: int, height: int, voxel: float | None) -> None:
    """Time and memory for many views."""
    fuse_frames(Shelf(2, 80, 60))  # kernels are compiled here
    shelf = Shelf(count, width, height)
    before = peak_mb()
    told: list[str] = []
    mesh, cpu, wall = clocked(lambda: fuse_frames(shelf, FuseOptions(voxel), told.append))
    print(f"{count} views of {width}×{height}: {mesh}; {' '.join(told)}")
    print(f"{cpu:.1f} CPU s, {wall:.1f} s, {cpu / count:.2f} CPU s a view; {peak_mb():.0f} MB, {before:.0f} before")


def dense_fusion(volume: Volume, sightings: Sequence[Sighting]) -> tuple[F32, F32]:
    """The same weighted mean over a dense grid around all blocks, by numpy: (z, y, x) distances and weights."""
    places = volume.blocks.places[: volume.blocks.count]
    low, high = places.min(axis=0) * SIDE, (places.max(axis=0) + 1) * SIDE
    axes = [np.arange(a, b) * volume.voxel for a, b in zip(low, high, strict=True)]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    mean, total = np.zeros(x.shape, np.float32), np.zeros(x.shape, np.float32)
    for planes, weights, _, camera in sightings:
        p, q, r = (
            camera[4 + 4 * k] * x + camera[5 + 4 * k] * y + camera[6 + 4 * k] * z + camera[7 + 4 * k] for k in range(3)
        )
        with np.errstate(all="ignore"):
            u, v = camera[0] * p / r + camera[2], camera[1] * q / r + camera[3]
        inside = (r > 0) & (u >= 0) & (v >= 0) & (u < weights.shape[1]) & (v < weights.shape[0])
        column, row = np.where(inside, u, 0).astype(int), np.where(inside, v, 0).astype(int)
        plane, count = planes[row, column], np.where(inside, weights[row, column], 0)
        d = (1 - r * (plane[..., 0] + plane[..., 1] * (u - column - 0.5) + plane[..., 2] * (v - row - 0.5))) * plane[
            ..., 3
        ]
        far = volume.reach[0]
        share = np.where(d > far, FREE, np.where(d < -volume.voxel, (d + far) / (far - volume.voxel), 1))
        w = np.where((d >= -far) & (count > 0), count * share, 0).astype(np.float32)
        total += w
        mean += np.divide(w, total, out=np.zeros_like(w), where=total > 0) * (np.clip(d, -far, far) - mean)
    return mean, total


def against_dense() -> None:
    """Kernels over blocks against plain numpy and skimage over a dense grid."""
    from skimage.measure import marching_cubes

    frames = fw.frames_of(fw.ball(), fw.around(8, 3.0), fw.lens_of(240, 180, 45))
    survey = look_over(frames)
    sightings = [sighting_of(frame, survey.typical) for frame in frames]
    voxel = 0.012

    def ours() -> Volume:
        volume = Volume(voxel, (2.5 * voxel, 0.0), Blocks())
        for sighting in sightings:
            volume.add(sighting)
        return volume

    ours()
    volume, sparse, _ = clocked(ours)
    assert isinstance(volume, Volume)
    extract(volume, 0.5)
    _, mine, _ = clocked(lambda: extract(volume, 0.5))
    dense, slow, _ = clocked(lambda: dense_fusion(volume, sightings))
    assert isinstance(dense, tuple)
    mean, total = dense
    _, theirs, _ = clocked(lambda: marching_cubes(mean, 0.0, mask=total > 0.5))
    print(
        f"{len(sightings)} views, {mean.size / 1e6:.1f} million voxels, {volume.blocks.count * 512 / 1e6:.1f} in blocks"
    )
    print(f"fusion: {sparse:.2f} CPU s, dense numpy {slow:.2f}: {slow / sparse:.0f} times")
    print(f"surface: {mine:.2f} CPU s, skimage on the dense grid {theirs:.2f}: {theirs / mine:.1f} times")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--dense", action="store_true")
    parser.add_argument("--views", type=int, default=60)
    parser.add_argument("--size", type=int, nargs=2, default=(800, 600))
    parser.add_argument("--voxel", type=float)
    given = parser.parse_args()
    if given.speed:
        speed(given.views, *given.size, given.voxel)
    if given.dense:
        against_dense()
    if not (given.speed or given.dense):
        accuracy()


if __name__ == "__main__":
    main()
