"""What few pictures of a thing give: eight of dino's views held against all of them, and single cut-outs.

    python benchmarks/objects.py            dino: F-scores at 1 % and 2 % of the thing's size
    python benchmarks/objects.py --cutouts  the cut-outs of the photos: closed, triangles, seconds of the processor
    python benchmarks/objects.py --spoilt   every second view of dino, a quarter of one mask left out: the hull without
                                            and with asking the other outlines
    python benchmarks/objects.py --finish   the known thing on its table by true cameras and depth: what is lost between
                                            the fused surface and the finished thing
    python benchmarks/objects.py --turntable  a known jug that turns before a photograph that stands still (drawing it
                                              takes minutes, once): masks, cameras, outlines alone and carved by depth
    python benchmarks/objects.py --hull     the known jug by true cameras and masks: outlines, and with depth of our own

The reference is made of all views in the same way (hull, carved by depth), for dino has no scan of a laser here.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from skimage import data

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scan import finished, surface_score
from benchmarks.scan_measures import compared, path_error, similarity
from benchmarks.scan_worlds import KeptFilm, known

from unflat.formats.image import read_image
from unflat.formats.shop import joined_places
from unflat.geometry.closed_surface import Closed, is_closed
from unflat.pipelines.scan_object import image_of, object_from_images
from unflat.pipelines.scan_one import carved
from unflat.stages.agree_outlines import agree_outlines
from unflat.stages.cut_out import cut_out
from unflat.stages.fuse_frames import FuseOptions, fuse_frames
from unflat.stages.hull import hull
from unflat.stages.mask_backdrop import mask_backdrop
from unflat.stages.track_cameras import TrackOptions, track_cameras
from unflat.stages.undistort_views import undistort_views
from unflat.types.arrays import U8
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.mesh import Mesh
from unflat.types.sight import Sight
from unflat.types.views import Lens, Reconstruction, SparsePoints, Still, Stills, View

DATA = Path(os.environ.get("UNFLAT_SHARED", "shared")) / "data"
CELLS = 160


def dino() -> list[View]:
    """Views with the cameras of the manifest."""
    root = DATA / "views" / "dino_mvs"
    views: list[View] = []
    for row in json.loads((root / "manifest.json").read_text())["views"]:
        image = read_image(root / row["image"])
        k, camera_from_world = np.array(row["K"]), np.array(row["w2c"])
        left, _, right = np.linalg.svd(camera_from_world[:3, :3])
        camera_from_world[:3, :3] = left @ right
        lens = Lens(Intrinsics(k[0, 0], k[1, 1], k[0, 2], k[1, 2], image.size))
        still = Still(row["image"], image.size, lambda pixels=image.pixels: pixels)
        views.append(View(still, lens, Pose(np.linalg.inv(camera_from_world))))
    return views


def sampled(surface: Closed, count: int = 40_000, seed: int = 0) -> NDArray[np.float64]:
    """Points spread evenly over a surface."""
    rng = np.random.default_rng(seed)
    a, b, c = (surface.vertices[surface.faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    pick = rng.choice(len(area), count, p=area / area.sum())
    u, v = rng.random((2, count, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    return a[pick] + u * (b - a)[pick] + v * (c - a)[pick]


def f_score(one: Closed, other: Closed, within: float) -> float:
    """Harmonic mean of how much of each lies within a distance of the other."""
    p, q = sampled(one), sampled(other, seed=1)
    precise = float((KDTree(q).query(p)[0] < within).mean())
    complete = float((KDTree(p).query(q)[0] < within).mean())
    return 2 * precise * complete / max(precise + complete, 1e-9)


def compare(views: Sequence[View]) -> None:
    """Three choices of eight views against all."""
    whole = Reconstruction(tuple(views), SparsePoints.none())
    reference = carved(whole, CELLS)[0]
    size = float(np.ptp(reference.vertices, axis=0).max())
    for first in range(3):
        chosen = views[first::5][:8]
        placed = Reconstruction(tuple(chosen), SparsePoints.none())
        sights = [
            Sight(cut_out(image_of(view.still)).image, Camera(view.lens.intrinsics, view.pose)) for view in chosen
        ]
        start = time.process_time()
        bare, refined = hull(sights, CELLS), carved(placed, CELLS)[0]
        seconds = time.process_time() - start
        told = [f"{f_score(shape, reference, t * size):.3f}" for shape in (bare, refined) for t in (0.01, 0.02)]
        print(
            f"views {first}, {first + 5} …: hull F(1 %) {told[0]} F(2 %) {told[1]}, carved {told[2]} {told[3]}", end=""
        )
        print(f"  ({seconds:.0f} s of the processor)")


def spoilt() -> None:
    """One mask that leaves out the lowest quarter of the thing."""
    views = dino()[::2]
    sights = [Sight(cut_out(image_of(v.still)).image, Camera(v.lens.intrinsics, v.pose)) for v in views]
    whole, told = hull(sights, CELLS), agree_outlines(sights)
    size = float(np.ptp(whole.vertices, axis=0).max())
    print(f"masks as they are: {len(told.mended)} of {len(sights)} mended")
    for k in (3, 11):
        alpha = sights[k].alpha.copy()
        rows = np.flatnonzero((alpha >= 128).any(axis=1))
        alpha[rows[int(0.75 * len(rows))] :] = 0
        wrong = list(sights)
        wrong[k] = replace(sights[k], image=replace(sights[k].image, alpha=alpha))
        told = agree_outlines(wrong)
        found = [f"{f_score(hull(each, CELLS), whole, 0.01 * size):.3f}" for each in (wrong, told.sights)]
        print(f"mask {k}: F(1 %) {found[0]} of the hull, {found[1]} after asking; mended {told.mended}", flush=True)


def finish(every: int = 8, near: float = 0.8) -> None:
    """What the recipe itself loses; what is farther off than ``near`` metres is left out, for it takes long."""
    film = known("thing")
    seen = [film.view_depth(k) for k in range(0, film.count, every)]
    cut = [replace(f.depth, valid=np.asarray(f.depth.valid) & (np.asarray(f.depth.values) < near)) for f in seen]
    frames = [replace(frame, depth=depth) for frame, depth in zip(seen, cut, strict=True)]
    mesh = fuse_frames(frames, FuseOptions(voxel=0.0016))
    score, _ = surface_score(film, mesh, lambda xyz: np.asarray(xyz, np.float64))
    print(f"{len(frames)} views, fused: F {score.f:.3f}, {len(mesh.faces)} triangles", flush=True)
    placed = Reconstruction(tuple(frame.view for frame in frames), SparsePoints.none(), level=True)
    finished(film, placed, frames, mesh)


def cutouts() -> None:
    """Every single cut-out of the photos."""
    for path in sorted([*(DATA / "photos").glob("trellis2_*"), *(DATA / "photos").glob("triposr_*")]):
        start = time.process_time()
        scene = object_from_images([read_image(path)])
        (node,) = scene.nodes
        assert isinstance(node.item, Mesh)
        shut = is_closed(joined_places(node.item))
        seconds = time.process_time() - start
        print(f"{path.stem:22} closed {shut}  {len(node.item.faces)} triangles  {seconds:.1f} s of the processor")


def before_a_picture(film: KeptFilm, count: int) -> Stills:
    """The thing of a film before a still photograph of bricks, with noise and an exposure that swings by 5 %."""
    size = film.lens.intrinsics.size
    ground = cv2.resize(cv2.cvtColor(data.brick(), cv2.COLOR_GRAY2RGB), (size.width, size.height)).astype(np.float64)
    ground = (ground + cv2.resize(data.coffee(), (size.width, size.height))) / 2

    def taken(k: int) -> U8:
        whole = np.where(film.subject(k)[..., None], film.frame(k), ground) * (1 + 0.05 * np.sin(k))
        noise = np.random.default_rng(k).normal(0, 2, whole.shape)
        return np.clip(whole + noise, 0, 255).astype(np.uint8)

    return Stills(tuple(Still(f"{k:06d}", size, lambda k=k: taken(k)) for k in range(count)), True)


def turntable(count: int = 24) -> None:
    """One turn of the known jug: 15 degrees from picture to picture."""
    film = known("turntable-plain", count=2 * count)
    stills = before_a_picture(film, count)
    masked = mask_backdrop(stills)
    items: list[Still] = []
    overlap: list[float] = []
    for k, (still, mask) in enumerate(zip(stills.items, masked.masks, strict=True)):
        assert mask is not None
        true = film.subject(k)
        overlap.append(float((mask & true).sum() / (mask | true).sum()))
        pixels = np.where(mask[..., None], still.read(), np.uint8(0))
        items.append(replace(still, read=lambda pixels=pixels: pixels, mask=lambda mask=mask: mask))
    print(f"backdrop {masked.how}: masks overlap with the truth by {min(overlap):.3f} to {max(overlap):.3f}")
    made = track_cameras(Stills(tuple(items), True), TrackOptions(tracking="photos"))
    true_eyes = np.array([film.poses[int(view.still.name)].centre for view in made.views])
    eyes = np.array([view.pose.centre for view in made.views])
    off = 100 * path_error(eyes, true_eyes)
    print(f"{len(made.views)} of {count} placed, camera error {off:.3f} % of the path", flush=True)
    flat, fit = undistort_views(made, film.lens.intrinsics.size.width), similarity(eyes, true_eyes)
    truth = film.surface(0.002, 3, (1,))
    size = float((truth.max(0) - truth.min(0)).max())
    above = truth[:, 1].max() - 0.015 * size  # nobody saw the base
    sights = [Sight(image_of(view.still), view.camera) for view in flat.views]
    for name, make in (("hull", lambda: hull(sights, CELLS)), ("carved", lambda: carved(flat, CELLS)[0])):
        body = make()
        found = fit.points(sampled(body, 60_000))
        found = found[found[:, 1] < above]
        scores = [compared(found, truth[truth[:, 1] < above], t * size).f for t in (0.01, 0.02)]
        print(f"{name}: F(1 %) {scores[0]:.3f} F(2 %) {scores[1]:.3f}", flush=True)


def within_outlines() -> None:
    """The known jug from two heights: what depth of our own adds to its outlines."""
    film = known("turntable-plain", count=48)
    views: list[View] = []
    for k in range(0, film.count, 2):
        view, mask = film.view(k, cut_out=True), film.subject(k)
        pixels = np.where(mask[..., None], film.frame(k), np.uint8(0))
        views.append(replace(view, still=replace(view.still, read=lambda pixels=pixels: pixels)))
    made = carved(Reconstruction(tuple(views), SparsePoints.none(), level=True), 256)
    truth = film.surface(0.002, 3, (1,))
    size = float((truth.max(0) - truth.min(0)).max())
    above = truth[:, 1].max() - 0.015 * size  # nobody saw the base
    for name, body in (("outlines", hull(made.sights, 256)), ("with depth", made.body)):
        found = sampled(body, 60_000)
        near = [
            compared(found[found[:, 1] < above], truth[truth[:, 1] < above], t * size).f for t in (0.005, 0.01, 0.02)
        ]
        print(f"{name}: F(0.5 %) {near[0]:.3f} F(1 %) {near[1]:.3f} F(2 %) {near[2]:.3f}", flush=True)


if __name__ == "__main__":
    if "--hull" in sys.argv:
        within_outlines()
    elif "--turntable" in sys.argv:
        turntable()
    elif "--spoilt" in sys.argv:
        spoilt()
    elif "--finish" in sys.argv:
        finish()
    else:
        cutouts() if "--cutouts" in sys.argv else compare(dino())
