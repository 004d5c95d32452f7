"""Textures of known places: views that were left out, against vertex colours and against the mean of all pictures.

    python benchmarks/texture.py [room thing ...] [--size 320x240 --step 6] [--look FOLDER]

Films of known places with noise, motion blur, a swinging exposure, a pumping focus and (in the room) someone who walks
by; cameras and depth are exact. Every eighth picture is left out. The surface is fused from the others, painted, and
rendered where the left out ones were taken; what is compared with is what a perfect camera would have seen there, where
the surface is. The mean of all: every picture counts the same wherever it shows the surface.

Steps: how much colours differ, in levels of 255, a texel and a half apart on both sides of the edges of faces (large
ones cut up); the same where the picture changes that is painted from; and how much both sides of a cut of the texture
differ at the same place of the surface.
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
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scan_worlds import KeptFilm, known

from unflat.geometry import raster, settle
from unflat.geometry.bake import Canvas
from unflat.geometry.best_view import choose_views
from unflat.geometry.seen_faces import Sightings
from unflat.geometry.settle import settled
from unflat.stages import bake_texture as stage
from unflat.stages.bake_texture import TextureOptions, bake_texture
from unflat.stages.fuse_frames import fuse_frames
from unflat.stages.render_view import render_view
from unflat.types.arrays import F32, U8, U32, Bool
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
    canvas = raster.Canvas(*size.shape)
    number = canvas.draw(
        raster.placed(mesh.vertices, mesh.faces, np.zeros((len(mesh.vertices), 2), np.float32), camera)
    )
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


@dataclass
class Steps:
    """How much colours differ on either side of edges of faces, in levels of 255.

    Attributes:
        within: A texel and a half apart, where neither the piece of the texture nor the picture changes.
        cut: At the same place of the surface, as both sides of a cut of the texture show it.
        between: A texel and a half apart, where the picture changes within a piece.
    """

    within: float = 0.0
    cut: float = 0.0
    between: float = 0.0

    def measure(self, canvas: Canvas, pixels: U8, links: NDArray[np.int32], label: NDArray[np.int32]) -> None:
        """Look across all edges where two faces meet."""
        face, edge = np.nonzero(links > np.arange(len(links))[:, None])
        other = links[face, edge].astype(np.int64)
        back = (links[other] == face[:, None]).argmax(axis=1)
        ends = [_beside(canvas.corners, face, edge), _beside(canvas.corners, other, back)]
        at, apart = (
            np.abs(_sampled(pixels, one) - _sampled(pixels, two)).mean(axis=1) for one, two in zip(*ends, strict=True)
        )
        cut = np.linalg.norm(ends[0][0] - ends[1][0], axis=1) > 0.5
        known = (label[face] >= 0) & (label[other] >= 0)
        same = label[face] == label[other]
        kinds = (apart, known & same & ~cut), (at, known & cut), (apart, known & ~same & ~cut)
        self.within, self.cut, self.between = (float(d[k].mean()) if k.any() else 0.0 for d, k in kinds)

    def __str__(self) -> str:
        return f"steps {self.within:.2f}, borders of pictures {self.between:.2f}, cuts {self.cut:.2f}"


def _beside(corners: F32, face: NDArray[np.int64], edge: NDArray[np.int64]) -> tuple[F32, F32]:
    """The middles of edges on the texture, and places three quarters of a texel into the face from there."""
    a, b, c = (corners[face, (edge + k) % 3] for k in range(3))
    middle = (a + b) / 2
    along = (b - a) / np.maximum(np.linalg.norm(b - a, axis=1), 1e-6)[:, None]
    inward = np.stack([-along[:, 1], along[:, 0]], axis=1)
    inward *= np.sign(((c - middle) * inward).sum(axis=1))[:, None]
    return middle.astype(np.float32), (middle + 0.75 * inward).astype(np.float32)


def _sampled(pixels: U8, at: F32) -> F32:
    """(n, 3) the colours of places (n, 2) on a texture."""
    pad = -len(at) % 1024  # OpenCV takes pictures of less than 2^15 rows: the points are laid out as a narrow one
    x, y = (np.pad(line - np.float32(0.5), (0, pad)).reshape(-1, 1024) for line in at.T)
    return cv2.remap(pixels, x, y, cv2.INTER_LINEAR).reshape(-1, 3)[: len(at)].astype(np.float32)


def painted(mesh: Mesh, frames: Part, options: TextureOptions) -> Iterator[tuple[str, Mesh, str]]:
    """The texture of ours, and the mean of all pictures."""
    labels: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = []
    steps = Steps()

    def choosing(sightings: Sightings, links: NDArray[np.int32], lengths: F32, cost: F32) -> NDArray[np.int32]:
        entry = choose_views(sightings, links, lengths, cost)
        of = np.take_along_axis(sightings.view, np.maximum(entry, 0)[:, None], 1)[:, 0]
        labels.append((links, np.where(entry >= 0, of, -1).astype(np.int32)))
        return entry

    def settling(canvas: Canvas, faces: U32, fallback: F32, light: F32) -> tuple[U8, Bool]:
        pixels, unseen = settled(canvas, faces, fallback, light)
        steps.measure(canvas, pixels, *labels[-1])
        return pixels, unseen

    with patch.object(stage, "choose_views", choosing), patch.object(stage, "settled", settling):
        start = time.process_time()
        yield "texture", bake_texture(mesh, frames, options), f"{steps}, {time.process_time() - start:.1f} s of CPU"
        start = time.process_time()
        with (
            patch.object(stage, "COMPANY", 0.0),
            patch.object(settle, "disagreement", lambda c: np.zeros(c.owner.shape, np.float32)),
        ):
            out = bake_texture(mesh, frames, options)
        yield "mean of all", out, f"{steps}, {time.process_time() - start:.1f} s of CPU"


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
    for words, out, more in painted(mesh, frames, TextureOptions(2048)):
        seen = [render_view([Node("surface", out)], camera).colour for camera, _ in views]
        assert out.texture is not None
        rows[words] = seen, f"{out.texture.size}, {more}"
    for words, (seen, more) in rows.items():
        marks = np.mean([score(s, t, w) for s, (_, t), w in zip(seen, views, inside, strict=True)], axis=0)
        print(f"  {words:14} PSNR {marks[0]:.2f} dB  SSIM {marks[1]:.3f}  {more}")
        if look is not None:
            look.mkdir(parents=True, exist_ok=True)
            both = np.vstack(
                [np.hstack([t, np.clip(s, 0, 255).astype(np.uint8)]) for s, (_, t) in zip(seen, views, strict=True)]
            )
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
