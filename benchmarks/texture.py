"""Textures of known places: views that were left out, against vertex colours and against the mean of all pictures.

    python benchmarks/texture.py [room thing ...] [--size 320x240 --step 6] [--look FOLDER]

Films of known places with noise, motion blur, a swinging exposure, a pumping focus and (in the room) someone who walks
by; cameras and depth are exact. Every eighth picture is left out. The surface is fused from the others, painted, and
rendered where the left out ones were taken; what is compared with is what a perfect camera would have seen there, where
the surface is. The mean of all: every picture counts the same wherever it shows the surface.

Cuts: how much colours differ, in levels of 255, on both sides of the edges along which the texture is cut.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
from skimage.metrics import structural_similarity

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scan_worlds import KeptFilm, known

from unflat.geometry import settle
from unflat.geometry.raster import Canvas, placed
from unflat.stages import bake_texture as stage
from unflat.stages.bake_texture import TextureOptions, bake_texture
from unflat.stages.fuse_frames import fuse_frames
from unflat.stages.render_view import render_view
from unflat.types.arrays import F32, U8, Bool
from unflat.types.camera import Camera
from unflat.types.image import Size
from unflat.types.mesh import Mesh
from unflat.types.scene import Node
from unflat.types.views import ViewDepth


@dataclass(frozen=True)
class Part(Sequence[ViewDepth]):
    """Some frames of a film, drawn or read when they are asked for."""

    film: KeptFilm
    numbers: list[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, at: int) -> ViewDepth:  # type: ignore[override]
        return self.film.view_depth(self.numbers[at])


def with_vertex_colours(mesh: Mesh, camera: Camera) -> tuple[F32, Bool]:
    """A mesh as its vertex colours show it, and where it is."""
    size = camera.intrinsics.size
    canvas = Canvas(*size.shape)
    number = canvas.draw(placed(mesh.vertices, mesh.faces, np.zeros((len(mesh.vertices), 2), np.float32), camera))
    out = np.zeros((*size.shape, 3), np.float32)
    assert mesh.colors is not None
    for k in range(3):
        plane = np.zeros(size.shape, np.float32)
        canvas.values(number, mesh.colors[:, k].astype(np.float32), plane)
        out[..., k] = plane
    return out, canvas.inverse > 0


def score(seen: F32, truth: U8, where: Bool) -> tuple[float, float]:
    """PSNR in dB and SSIM of the pixels that show the surface."""
    level = np.clip(np.rint(seen), 0, 255).astype(np.uint8)
    error = float(((level.astype(np.float64) - truth)[where] ** 2).mean())
    alike = structural_similarity(level, truth, channel_axis=2, data_range=255, full=True)[1].mean(axis=2)
    return float(10 * np.log10(255**2 / max(error, 1e-9))), float(alike[where].mean())


def across_cuts(mesh: Mesh) -> float:
    """Mean difference of the texture at the middles of edges that were cut, seen from either side."""
    assert mesh.uv is not None and mesh.texture is not None
    _, place = np.unique(mesh.vertices, axis=0, return_inverse=True)
    a, b = mesh.faces.ravel().astype(np.int64), np.roll(mesh.faces, -1, axis=1).ravel().astype(np.int64)
    low, high = np.minimum(place[a], place[b]), np.maximum(place[a], place[b])
    key = low * (int(place.max()) + 1) + high
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order[:-1]] == key[order[1:]])
    one, two = order[same], order[same + 1]
    cut = np.minimum(a[one], b[one]) != np.minimum(a[two], b[two])
    size = mesh.texture.size
    found = []
    for edge in (one[cut], two[cut]):
        at = (mesh.uv[a[edge]] + mesh.uv[b[edge]]) / 2 * [size.width, size.height] - 0.5
        column = at.astype(np.float32).T
        # OpenCV takes pictures of less than 2^15 rows: the points are laid out as a narrow one.
        pad = -len(at) % 1024
        x, y = (np.pad(line, (0, pad)).reshape(-1, 1024) for line in column)
        found.append(cv2.remap(mesh.texture.pixels, x, y, cv2.INTER_LINEAR).reshape(-1, 3)[: len(at)].astype(float))
    return float(np.abs(found[0] - found[1]).mean()) if cut.any() else 0.0


def painted(mesh: Mesh, frames: Part, options: TextureOptions) -> Iterator[tuple[str, Mesh, float]]:
    """The texture of ours, and the mean of all pictures."""
    start = time.process_time()
    yield "texture", bake_texture(mesh, frames, options), time.process_time() - start
    start = time.process_time()
    with (
        patch.object(stage, "COMPANY", 0.0),
        patch.object(settle, "disagreement", lambda c: np.zeros(c.owner.shape, np.float32)),
    ):
        yield "mean of all", bake_texture(mesh, frames, options), time.process_time() - start


def measure(name: str, size: Size, step: int, look: Path | None) -> None:
    """Print the figures of one place."""
    film, plain = known(name, size), known(f"{name}-plain", size)
    numbers = list(range(0, film.count, step))
    left_out = [plain.view_depth(n) for n in numbers[3::8]]
    frames = Part(film, [n for k, n in enumerate(numbers) if k % 8 != 3])
    mesh = fuse_frames(frames)
    print(f"{name}: {len(frames)} pictures of {size}, {len(left_out)} left out, {len(mesh.faces)} triangles")
    views = [(f.view.camera, f.view.still.read()) for f in left_out]
    bare = [with_vertex_colours(mesh, camera) for camera, _ in views]
    inside = [cv2.erode(there.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0 for _, there in bare]
    rows = {"vertex colours": ([seen for seen, _ in bare], "")}
    for words, out, seconds in painted(mesh, frames, TextureOptions(2048)):
        seen = [render_view([Node("surface", out)], camera).colour for camera, _ in views]
        assert out.texture is not None
        rows[words] = seen, f"cuts {across_cuts(out):.2f}, {out.texture.size}, {seconds:.1f} s of CPU"
    for words, (seen, more) in rows.items():
        marks = np.mean([score(s, t, w) for s, (_, t), w in zip(seen, views, inside, strict=True)], axis=0)
        print(f"  {words:14} PSNR {marks[0]:.2f} dB  SSIM {marks[1]:.3f}  {more}")
        if look is not None:
            look.mkdir(parents=True, exist_ok=True)
            both = np.vstack([np.hstack([t, np.clip(s, 0, 255)]) for s, (_, t) in zip(seen, views, strict=True)])
            cv2.imwrite(str(look / f"{name}-{words.replace(' ', '-')}.png"), both[..., ::-1])


def main() -> None:
    """Measure the places that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["room"])
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--step", type=int, default=6, help="every so many frames of 200")
    parser.add_argument("--look", type=Path, help="write what was seen beside the truth here")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    for name in given.names:
        measure(name, Size(width, height), given.step, given.look)


if __name__ == "__main__":
    main()
