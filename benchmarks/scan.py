"""How right scans are, and what they cost.

    python benchmarks/scan.py worlds [room thing street room-plain ...] [--every 3] [--count 200]
    python benchmarks/scan.py heldout [ngp_fox dino_mvs kitchen_7scenes] [--shared ../shared/data] [--look FOLDER]
    python benchmarks/scan.py length [room-plain] [--times 20]
    python benchmarks/scan.py occupancy [room-plain] [--every 8] [--perfect]
    python benchmarks/scan.py time [--pictures 60 | FILM FOLDER ...] [--longest 1600]
    python benchmarks/scan.py film [125 250 500] [--size 640x480] [--most-views 30] [--depth-size 160]

worlds    known places as films: camera error in percent of the path, surface against the truth at 1 % of the place's
          longest side (for the thing: of the thing's), metres from a known length; --true-cameras: the surface
          alone; --perfect: what fusion alone loses
heldout   every eighth picture is left out of depth, fusion and painting (its camera is tracked with the others) and
          compared with the painted scene seen from there, and with the scene in the colours of its vertices
length    the error of the size, and how often its error bar holds the truth, from lengths marked within a pixel
occupancy the map of what is free, from true cameras with exact depth (--perfect: that alone) and with our own
time      photographs of the known room, or what is named: seconds and memory of the recipe, step by step
film      the same of films of the known room by their length: what grows with it
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scan_cost import films, followed, photographs
from benchmarks.scan_floor import floors
from benchmarks.scan_heldout import SETS, HeldOut
from benchmarks.scan_measures import Surface, compared, path_error, sampled, similarity
from benchmarks.scan_worlds import KeptFilm, known
from tests.scan_worlds import projected

from unflat.errors import InputError
from unflat.pipelines.scan import ScanOptions, ScanWork
from unflat.pipelines.scan_look import Guess, network_guess
from unflat.pipelines.scan_one import object_from_scan
from unflat.stages.choose_views import ViewOptions
from unflat.stages.dense_depth import DenseOptions, dense_depth
from unflat.stages.estimate_depth import DepthOptions
from unflat.stages.fuse_frames import FuseOptions, fuse_frames
from unflat.stages.marked_length import MarkedLength
from unflat.stages.place_scene import Hints, PlaceOptions, place_scene
from unflat.stages.track_cameras import TrackOptions, track_cameras
from unflat.stages.undistort_views import undistort_views
from unflat.types.arrays import F64
from unflat.types.image import Size
from unflat.types.mesh import Mesh
from unflat.types.views import Reconstruction, View, ViewDepth

T = TypeVar("T")
SHARED = Path(os.environ.get("UNFLAT_SHARED", Path(__file__).parents[2] / "shared")) / "data"
ENDS = {"room": [(-1.2, -1.1, -1.97), (0.2, -1.1, -1.97)], "thing": [(-0.6, -0.75, 0.45), (0.6, -0.75, 0.45)]}
"""Two corners in each place that a user would measure between: of a picture on the wall, of the table's edge."""


@dataclass
class Clock:
    """Seconds by step: on the clock, and of all cores."""

    seconds: dict[str, tuple[float, float]] = field(default_factory=dict)

    def run(self, name: str, what: Callable[[], T]) -> T:
        """Do a step."""
        wall, cpu = time.perf_counter(), time.process_time()
        done = what()
        self.seconds[name] = time.perf_counter() - wall, time.process_time() - cpu
        return done

    def __str__(self) -> str:
        parts = [f"{name} {wall:.0f} s ({cpu:.0f} CPU)" for name, (wall, cpu) in self.seconds.items()]
        return f"{', '.join(parts)}; peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB"


def network(given: argparse.Namespace) -> Guess | None:
    """What stands in where nothing can be triangulated, as in ``unflat scan``."""
    return None if given.triangulated else network_guess("auto", DepthOptions(), lambda: None)


def surfaced(cameras: Reconstruction, clock: Clock, longest: int, guess: Guess | None) -> tuple[list[ViewDepth], Mesh]:
    """Depth of the views and their surface."""
    flat = undistort_views(cameras, longest)
    frames = clock.run("dense", lambda: list(dense_depth(flat, DenseOptions(), guess)))
    return frames, clock.run("fuse", lambda: fuse_frames(frames, FuseOptions()))


def number(view: View) -> int:
    """Of the frame of a known film."""
    return int(view.still.name)


def marked(film: KeptFilm, placed: Reconstruction, rng: np.random.Generator | None) -> tuple[str, float] | None:
    """A known length of the place as a user marks it in the picture that shows it largest; and its true metres."""
    base = film.name.partition("-")[0]
    if base not in ENDS:
        return None
    ends, best = np.array(ENDS[base]), (0.0, "")
    for view in placed.views:
        i = number(view)
        pixels, z = projected(ends, film.lens, film.poses[i])
        size = film.lens.intrinsics.size
        margin = [20, 20]
        inside = (
            (z > 0).all() and (pixels > margin).all() and (pixels < np.array([size.width, size.height]) - margin).all()
        )
        long = float(np.linalg.norm(pixels[1] - pixels[0]))
        if inside and long > best[0]:
            shown = film.seen(i)[0]
            at = pixels.astype(int)
            if (np.abs(shown[at[:, 1], at[:, 0]] / z - 1) < 0.02).all():
                off = 0 if rng is None else rng.uniform(-1, 1, (2, 2))
                best = long, view.still.name + ":" + ",".join(f"{v:.2f}" for v in (pixels + off).ravel())
    metres = float(np.linalg.norm(ends[1] - ends[0]))
    return (f"{best[1]}={metres}", metres) if best[1] else None


def surface_score(
    film: KeptFilm, mesh: Mesh, frame_to_truth: Callable[[F64], F64], *, seen_only: bool = True
) -> tuple[Surface, float]:
    """The surface against what the frames saw of the truth, at 1 % of the longest side; and that side."""
    subject = film.name.startswith(("thing", "turntable"))
    true = film.surface(0.002 if subject else 0.02, 3, (1,) if subject else (0, 1))
    low, high = (true.min(0), true.max(0)) if subject else np.percentile(true, [0.5, 99.5], axis=0)
    size = float((high - low).max())
    spacing = (0.003 if subject else 0.02) / frame_to_truth_scale(frame_to_truth)
    found = frame_to_truth(sampled(mesh, spacing, seen_only))
    if subject:  # what stands on the table, without the table
        slack, top = 0.05 * size, -0.75 - 0.015 * size
        near = ((found > low - slack) & (found < high + slack)).all(1) & (found[:, 1] < top)
        found, true = found[near], true[true[:, 1] < top]
    return compared(found, true, 0.01 * size), size


def frame_to_truth_scale(frame_to_truth: Callable[[F64], F64]) -> float:
    """How much larger a frame becomes."""
    ends = frame_to_truth(np.array([[0.0, 0, 0], [1.0, 0, 0]]))
    return float(np.linalg.norm(ends[1] - ends[0]))


def worlds(given: argparse.Namespace) -> None:
    """Known places."""
    for name in given.names or ["room", "thing", "street"]:
        world(name, given)


def world(name: str, given: argparse.Namespace) -> None:
    """One of them."""
    film, clock = known(name, count=given.count), Clock()
    if given.true_cameras:
        placed, to_truth = film.reconstruction(given.every, 6000, noise_px=0.5), np.asarray
        print(f"\n{name}: {len(placed.views)} true cameras")
    else:
        placed, to_truth = found_cameras(film, clock, given)
    frames, mesh = surfaced(placed, clock, 1600, network(given))
    score, size = surface_score(film, mesh, to_truth)
    print(f"  F {score.f:.3f} at {100 * size * 0.01:.1f} cm: accuracy {score.accuracy:.3f}, completeness"
          f" {score.completeness:.3f}, {len(mesh.faces)} triangles")  # fmt: skip
    if name.startswith("thing"):
        finished(film, placed, frames, mesh)
    perfect = [film.view_depth(number(f.view)) for f in frames] if given.perfect else []
    if perfect:
        best, _ = surface_score(film, fuse_frames(perfect, FuseOptions()), lambda xyz: np.asarray(xyz, np.float64))
        print(f"  with perfect cameras and depth, fused the same way: F {best.f:.3f}")
    print(f"  {clock}")


def found_cameras(
    film: KeptFilm, clock: Clock, given: argparse.Namespace
) -> tuple[Reconstruction, Callable[[F64], F64]]:
    """Cameras as the recipe finds and places them, and the way from there to the truth."""
    stills = film.stills(given.every, cut_out=False)
    tracked = clock.run("track", lambda: track_cameras(stills, TrackOptions()))
    true = np.stack([film.poses[number(view)].centre for view in tracked.views])
    found = np.stack([view.pose.centre for view in tracked.views])
    off = 100 * path_error(found, true)
    print(f"\n{film.name}: {len(tracked.views)} of {len(stills.items)} placed, camera error {off:.3f} % of the path")
    placed = clock.run("place", lambda: place_scene(tracked, Hints(), PlaceOptions())[0])
    told = marked(film, placed, None)
    if told is not None:
        length = MarkedLength.parse(told[0])
        placed = clock.run("length", lambda: place_scene(tracked, Hints(), PlaceOptions(length))[0])
    found = np.stack([view.pose.centre for view in placed.views])
    fit = similarity(found, true)
    up = float(np.degrees(np.arccos(np.clip(fit.rotation[1, 1], -1, 1))))
    scale = placed.scale
    assert scale is not None
    held = "holds" if scale.low <= fit.factor <= scale.high else "does not hold"
    wrong = 100 * (1 / fit.factor - 1)
    print(f"  up {up:.2f} degrees off; size {wrong:+.2f} % by {scale.basis}, whose bar {held} the truth")
    return placed, fit.points


def finished(film: KeptFilm, placed: Reconstruction, frames: list[ViewDepth], mesh: Mesh) -> None:
    """The thing as a shop gets it: off its table, closed, with no more triangles than asked for."""
    scene = object_from_scan(placed, frames, mesh)
    (node,) = scene.nodes
    assert isinstance(node.item, Mesh)
    eyes = np.stack([camera.pose.centre for camera in scene.cameras])
    fit = similarity(eyes, np.stack([film.poses[number(frame.view)].centre for frame in frames]))
    for what, seen_only in (("what was seen", True), ("all of it, closed", False)):
        score, _ = surface_score(film, node.item, fit.points, seen_only=seen_only)
        print(f"  finished, {what}: F {score.f:.3f}, accuracy {score.accuracy:.3f}, completeness"
              f" {score.completeness:.3f}, {len(node.item.faces)} triangles")  # fmt: skip


def heldout(given: argparse.Namespace) -> None:
    """Pictures that were left out."""
    way = HeldOut(given.shared, given.longest, given.depth_size, not given.triangulated, given.keep, given.look)
    for name in given.names or SETS:
        way.measure(name)


def length(given: argparse.Namespace) -> None:
    """The size from a marked length, again and again."""
    name = (given.names or ["room-plain"])[0]
    film = known(name, count=given.count)
    points = film.reconstruction(given.every, 3000, noise_px=0.5)
    errors: list[float] = []
    held: list[bool] = []
    for seed in range(given.times):
        told = marked(film, points, np.random.default_rng(seed))
        assert told is not None
        try:
            scale_of = place_scene(points, Hints(), PlaceOptions(MarkedLength.parse(told[0])))[0]
        except InputError as error:
            print(f"  {seed}: {error}")
            continue
        found, true = (np.stack([view.pose.centre for view in r.views]) for r in (scale_of, points))
        factor = similarity(found, true).factor
        assert scale_of.scale is not None
        errors.append(abs(factor - 1))
        held.append(scale_of.scale.low <= factor <= scale_of.scale.high)
    middle, most = (100 * float(np.quantile(errors, q)) for q in (0.5, 0.9))
    kept = f"the bar held {sum(held)} of {len(held)} times"
    print(f"{name}: median error {middle:.2f} %, 9 in 10 below {most:.2f} %; {kept}")


def cost(given: argparse.Namespace) -> None:
    """Seconds and memory of a set of photographs."""
    with tempfile.TemporaryDirectory() as folder:
        target, options = Path(folder) / "scan.glb", recipe(given)
        if given.names:
            followed([Path(name) for name in given.names], options, target)
        else:
            photographs(given.pictures, given.longest, options, target)


def film(given: argparse.Namespace) -> None:
    """Memory by the length of a film."""
    width, height = map(int, given.size.split("x"))
    films([int(name) for name in given.names or (125, 250, 500)], Size(width, height), recipe(given))


def recipe(given: argparse.Namespace) -> ScanOptions:
    """What the recipe is told."""
    return ScanOptions(
        ScanWork(given.longest, learned=not given.triangulated),
        views=ViewOptions(given.most_views),
        dense=DenseOptions(given.depth_size),
    )


def main() -> None:
    """Read the words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words: dict[str, Callable[[Any], None]] = {
        "worlds": worlds,
        "heldout": heldout,
        "length": length,
        "time": cost,
        "film": film,
        "occupancy": floors,
    }
    parser.add_argument("word", choices=sorted(words))
    parser.add_argument("names", nargs="*")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--every", type=int, default=3, help="take every so many frames of a known film")
    parser.add_argument("--count", type=int, default=200, help="frames of a known film")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--longest", type=int, default=1600)
    parser.add_argument("--size", default="640x480", help="of the frames of a film")
    parser.add_argument("--depth-size", type=int, default=DenseOptions().depth_size)
    parser.add_argument("--most-views", type=int, default=ViewOptions().most_views)
    parser.add_argument("--keep", type=Path, help="leave cameras and depth here, and take what lies there already")
    parser.add_argument("--look", type=Path, help="write what was held out above what is shown there to this folder")
    parser.add_argument("--triangulated", action="store_true", help="do not ask the network for what has no texture")
    parser.add_argument("--true-cameras", action="store_true", help="worlds: depth and surface alone are measured")
    parser.add_argument("--perfect", action="store_true", help="also fuse the true depth at the true cameras")
    given = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # minutes pass between lines
    words[given.word](given)


if __name__ == "__main__":
    main()
