"""Panoramas of known worlds: how true the sphere is, how well its windows agree, and whether it closes.

    python -m benchmarks.panorama [--shared FOLDER] [--width 1024] [--scenes NAME ...] [--out FOLDER]

Each world is drawn all around from where its own first camera stands, with the exact distance in every direction. Of
each, with what ships:

    pasted    the windows side by side, as large as the network gives them: share of all directions within 25 %
    shifted   the same, each window moved as a whole, by the mean of its field
    sphere    what is shipped: brought together by fields, refined, on the sides of a cube
    windows   each window for itself, scaled by the truth (an advantage that nobody has): the network's own error
    apart     median disagreement of windows that see the same, moved as wholes -> by fields
    seam      step of distance across ±180° beyond those of the columns beside it (%, 99 of 100 rows are below), and by
              how much more its step of colour differs from the panorama's own than theirs do (grey levels, mean)
    height    true height of the eye over that of the assumed 1.6 m, where the scene is scaled by it

and, over the panoramas and photographs of a folder, how many are taken for what they are.
"""

from __future__ import annotations

import argparse
from math import cos, pi, sin
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray
from training.worlds import film as darkroom
from training.worlds.palette import Palette
from training.worlds.sample import scenes
from training.worlds.sources import HELP, folder, sources
from training.worlds.trace import FILM, STACK, assemble, shade

from unflat.formats.image import read_image, write_image
from unflat.geometry.cube import read_side
from unflat.geometry.panorama import (
    Window,
    in_window,
    looked_up,
    panorama_rays,
    turn_deg,
    window_picture,
    window_rays,
)
from unflat.pipelines.flat import from_keywords
from unflat.pipelines.panorama import PanoramaResult
from unflat.pipelines.photo import PhotoOptions, photo
from unflat.stages.estimate_depth import DepthOptions, estimate_depth
from unflat.stages.look_around import Looked, bring_together, looked, settle_sky, tangent_windows
from unflat.stages.recognise_panorama import EYE_HEIGHT_M, goes_around
from unflat.stages.render_view import render_view
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.image import Image, Size
from unflat.types.panorama import Panorama

SCENES = ("bedroom", "hall", "living_room", "office", "park", "square", "village")
FARTHEST_M = 200.0
Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy", fastmath=True)
def _around(world, film, eye, samples):
    stack = np.empty(STACK, np.int32)
    h, w = film.shape[:2]
    for y in range(h):
        for x in range(w):
            for s in range(samples):
                jx = 0.5 if s == 0 else ((s * 7919 + x * 31 + y * 17) % 97) / 97.0
                jy = 0.5 if s == 0 else ((s * 104729 + x * 13 + y * 57) % 89) / 89.0
                a, b = (x + jx) / w * 2 * pi - pi, pi / 2 - (y + jy) / h * pi
                dx, dy, dz = cos(b) * sin(a), sin(b), -cos(b) * cos(a)
                shade(world, stack, film[y, x], x, y, eye[0], eye[1], eye[2], dx, dy, dz, 2 * pi / w, 77 * s, s == 0,
                      (x + 2 * y + s) % 4 == 0)  # fmt: skip
            for c in range(12):
                if c < 6 or c > 8:
                    film[y, x, c] /= samples
                elif film[y, x, 17] > 0:
                    film[y, x, c] /= film[y, x, 17]


def drawn(name: str, seed: int, width: int, shared: Path | None) -> tuple[Image, Floats, float]:
    """A world all around: its picture, the distance of each pixel (inf: sky), and how high the eye stands."""
    tiles, materials = sources(shared)
    stage = scenes()[name][0](Palette(np.random.default_rng([seed, 0]), tiles))
    world = assemble(stage, materials)
    film = np.zeros((width // 2, width, FILM), np.float32)
    eye = stage.cameras[0].eye
    _around(world, film, np.asarray(eye, np.float32), 2)
    beyond = 64  # the darkroom smooths: it must see what goes on around
    film = np.concatenate([film[:, -beyond:], film, film[:, :beyond]], axis=1)
    light, film = darkroom.compose(film, world.sky)[:, beyond:-beyond], film[:, beyond:-beyond]
    grey = light.mean(2)
    key = 0.6 * float(np.exp(np.log(np.maximum(grey, 1e-4)).mean())) + 0.4 * float(np.quantile(grey, 0.8))
    shown = light * (0.26 / max(key, 1e-5))
    shown = shown * (1 + 0.06 * shown) / (1 + 0.4 * shown)
    code = np.where(shown < 0.0031308, 12.92 * shown, 1.055 * np.maximum(shown, 1e-6) ** (1 / 2.4) - 0.055)
    distance = np.where(film[..., 12] > 0, film[..., 12], np.inf).astype(np.float64)
    return Image((np.clip(code, 0, 1) * 255 + 0.5).astype(np.uint8)), distance, float(eye[1])


def within(log: Floats, truth: Floats, weight: Floats) -> tuple[float, float]:
    """The share within 25 % once the medians are alike, and the mean relative error; weighed."""
    ok = np.isfinite(log) & (truth < FARTHEST_M)
    off, weight = log[ok] - np.log(truth[ok]), weight[ok]
    order = np.argsort(off)
    total = np.cumsum(weight[order])
    off = off - off[order][np.searchsorted(total, total[-1] / 2)]
    near = abs(off) < np.log(1.25)
    return float((weight * near).sum() / weight.sum()), float((weight * abs(np.expm1(off))).sum() / weight.sum())


def pasted(looks: list[Looked], moved: Floats, rays: NDArray[np.float32]) -> Floats:
    """Each direction from the window in whose middle it is nearest, each window moved by its own number."""
    best, out = np.full(rays.shape[:2], -1.0), np.full(rays.shape[:2], np.nan)
    for look, shift in zip(looks, moved, strict=True):
        ahead = (rays @ look.window.scene_from_window[:, 2].astype(np.float32)).astype(np.float64)
        x, y, along = in_window(look.window, rays)
        size = look.window.camera.size
        use = (along > 0) & (x > 0) & (x < size.width) & (y > 0) & (y < size.height) & (ahead > best)
        out[use] = (read_side(look.window, look.log, rays) + shift)[use]
        best[use] = ahead[use]
    return out


def seam(result: PanoramaResult) -> tuple[float, float]:
    """The step of distance across ±180° beyond those of the columns beside it (share), and that of colour (levels)."""
    deep = np.log(np.where(result.depth.surface, result.depth.values, np.nan)).astype(np.float64)
    around = np.concatenate([deep[:, -3:], deep[:, :3]], axis=1)
    steps = abs(np.diff(around, axis=1))
    beyond = steps[:, 2] - steps[:, [0, 1, 3, 4]].max(axis=1)
    pose = np.eye(4)
    pose[:3, :3] = turn_deg(180)
    window = Window("back", Intrinsics.from_fov(90, Size(512, 512)), pose[:3, :3])
    view = render_view(result.scene.nodes, Camera(window.camera, Pose(pose)))
    own = window_picture(result.picture.pixels, Panorama(result.picture.size), window)
    step = [np.diff(seen[:, 252:260].astype(np.float64), axis=1) for seen in (view.colour, own)]
    off = abs(step[0] - step[1]).mean(axis=(0, 2))
    return float(np.nanquantile(beyond, 0.99)), float(off[3] - np.delete(off, 3).mean())


def measured(name: str, picture: Image, truth: Floats, eye: float) -> tuple[float, ...]:
    """One line of the table."""
    panorama = Panorama(picture.size)
    looks, pictures, own = [], [], []
    for window in tangent_windows(panorama):
        pictures.append(window_picture(picture.pixels, panorama, window))
        seen = looked(window, estimate_depth(Image(pictures[-1]), "worlds", DepthOptions()))
        looks.append(seen)
        true = looked_up(truth.astype(np.float32), panorama, window_rays(seen.window), nearest=True).astype(np.float64)
        if (true < FARTHEST_M).mean() > 0.05:
            own.append(within(seen.log.astype(np.float64), true, np.ones(true.shape))[0])
    looks = settle_sky(looks, pictures)
    moved, (before, after) = bring_together(looks, panorama)
    rays = panorama_rays(panorama)
    area = np.repeat(np.cos(np.arcsin(np.clip(rays[:, :1, 1], -1, 1))).astype(np.float64), rays.shape[1], axis=1)
    nothing = pasted(looks, np.zeros(len(looks)), rays)
    alone = pasted(looks, moved.mean(axis=(1, 2)), rays)
    result = photo(picture, from_keywords(PhotoOptions(), {"panorama": "yes"}))
    assert isinstance(result, PanoramaResult)
    log = np.log(np.where(result.depth.surface, result.depth.values, np.nan)).astype(np.float64)
    step, colour = seam(result)
    sphere = within(log, truth, area)
    flat = within(nothing, truth, area)[0], within(alone, truth, area)[0]
    return *flat, sphere[0], float(np.mean(own)), sphere[1], before, after, step, colour, eye / EYE_HEIGHT_M


def recognised(shared: Path) -> None:
    """How many panoramas are known, and how many pieces of photographs are taken for some."""
    stored = np.load(shared / "hdri" / "hdri.npz")
    known = 0
    for name in stored.files:
        light = stored[name].astype(np.float32)
        shown = light * (0.25 / np.exp(np.log(np.maximum(light.mean(2), 1e-4)).mean()))
        code = np.clip(1.4 * shown / (1 + shown), 0, 1) ** (1 / 2.2)
        known += goes_around(Image((code * 255).astype(np.uint8)))
    print(f"panoramas known: {known} of {len(stored.files)}")
    pieces = wrong = 0
    for path in sorted((shared / "photos").glob("*.*g")):
        picture = read_image(path)
        width, height = picture.size.width, picture.size.height
        half = min(width // 2, height)
        if "Panoram" in path.name:
            continue
        for top in sorted({0, (height - half) // 2, height - half}):
            pieces += 1
            wrong += goes_around(Image(np.ascontiguousarray(picture.pixels[top : top + half, : 2 * half])))
    print(f"pieces of photographs, cut to 2:1, taken for panoramas: {wrong} of {pieces}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=folder, help=HELP)
    parser.add_argument("--width", type=int, default=1024, help="of the panoramas, in pixels (default: 1024)")
    parser.add_argument("--scenes", nargs="+", default=SCENES, metavar="NAME", help=f"default: {' '.join(SCENES)}")
    parser.add_argument("--out", type=Path, help="where the panoramas are written to be looked at")
    told = parser.parse_args()
    print("world         pasted shifted sphere windows  error   apart        seam: %  grey  height")
    rows = []
    for name in told.scenes:
        picture, truth, eye = drawn(name, 1, told.width, told.shared)
        if told.out:
            write_image(picture, told.out / f"{name}.png", force=True)
        rows.append(measured(name, picture, truth, eye))
        print(_line(name, rows[-1]), flush=True)
    print(_line("mean", tuple(np.mean(rows, axis=0))))
    if told.shared:
        recognised(told.shared)


def _line(name: str, row: tuple[float, ...]) -> str:
    pasted_, shifted, sphere, own, error, before, after, step, colour, height = row
    shares = f"{pasted_:7.3f} {shifted:7.3f} {sphere:6.3f} {own:7.3f} {error:6.3f}"
    return f"{name:12} {shares}  {before:.3f} -> {after:.3f} {100 * step:6.2f} {colour:5.2f} {height:6.2f}"


if __name__ == "__main__":
    main()
