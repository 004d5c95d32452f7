"""Depth of many views, against exact depth and against a plain plane sweep.

    python benchmarks/dense.py                    known places, drawn here (tests/view_worlds)
    python benchmarks/dense.py --shared FOLDER    also the kitchen: cameras tracked by us, depth measured by a Kinect

Columns: share of the pixels that got depth; of these, how many are right within 0.2, 1 and 2 %; share of all pixels
that got depth right within 1 %; depth where there is nothing; seconds of processor time a view. The sweep is the best
of planes that face the camera, by itself, of the same size, kept where the same test of agreement confirms it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.view_worlds import boxes, room, statue

from unflat.geometry.patch_cost import WORST
from unflat.geometry.rig import Planes
from unflat.geometry.sweep import swept
from unflat.stages.dense_depth import dense_depth
from unflat.stages.match_views import Matching
from unflat.types.arrays import F32, F64
from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.views import Lens, Reconstruction, Similarity, Still, Stills

Found = Iterator[tuple[F32, np.ndarray]]
"""Depth and where it is valid, view by view."""


class Sweep(Matching):
    """The plain way: the best of the planes that face the camera."""

    def _again(self, number: int) -> Planes:
        if number not in self._second:
            company = self.company(number)
            inverse = swept(self._rig(number, 0), (1 / company.farthest, 1 / company.nearest), smooth=False)
            nothing = np.zeros((2, *inverse.shape), np.float32)
            self._second[number] = Planes(inverse, nothing, np.full(inverse.shape, WORST))
        return self._second[number]


def by_sweep(reconstruction: Reconstruction) -> Found:
    """A plane sweep, confirmed by two sources."""
    matching = Sweep(reconstruction, 800, 4)
    for number in range(len(reconstruction.views)):
        _, told = matching.judged(number)
        matching.forget(number)
        valid = (told.agree >= 2) & (told.agree >= told.against) & matching.wanted(number)
        yield np.where(valid, 1 / np.maximum(told.inverse, 1e-9), 0).astype(np.float32), valid


def by_us(reconstruction: Reconstruction) -> Found:
    """What the project does."""
    for found in dense_depth(reconstruction):
        yield found.depth.values, np.asarray(found.depth.valid)


def row(name: str, way: str, found: Found, exact: list[F64], each: int = 1) -> None:
    """Print one line of the table; every ``each``-th view has exact depth."""
    scores, began = [], time.process_time()
    seen = list(found)
    seconds = (time.process_time() - began) / len(seen)
    for (depth, valid), truth in zip(seen[::each], exact[::each], strict=True):
        there = np.where(np.isfinite(truth), truth, 0).astype(np.float32)
        there = cv2.resize(there, depth.shape[::-1], interpolation=cv2.INTER_NEAREST)
        has = there > 0
        off = np.abs(depth / np.where(has, there, 1) - 1)[valid & has]
        right = [(off < limit).mean() for limit in (0.002, 0.01, 0.02)]
        scores.append([(valid & has).sum() / has.sum(), *right, (off < 0.01).sum() / has.sum(), (valid & ~has).mean()])
    mean = np.mean(scores, axis=0) * 100
    print(f"| {name} | {way} | " + " | ".join(f"{share:.1f}" for share in mean) + f" | {seconds:.1f} |", flush=True)


def kitchen(shared: Path) -> tuple[Reconstruction, list[F64]]:
    """Every tenth frame, as our tracking places them, brought to the size of the reference path; measured depth."""
    from unflat.stages.track_cameras import TrackOptions, track_cameras
    from unflat.stages.undistort_views import undistort_views

    folder = shared / "data/sequences/kitchen_7scenes"
    story = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    path = np.loadtxt(folder / story["trajectory"])
    lens = Lens(Intrinsics(*story["intrinsics"], Size(*story["size"])))

    def reader(name: str) -> Callable[[], np.ndarray]:
        return lambda: np.ascontiguousarray(np.asarray(cv2.imread(str(folder / name)))[..., ::-1])

    frames = story["frames"]
    chosen = [i for i in range(len(frames)) if i % 5 == 0]
    stills = [Still(f"{i:06d}", lens.intrinsics.size, reader(frames[i]["image"]), lens=lens) for i in chosen]
    made = track_cameras(Stills(tuple(stills), True), TrackOptions())
    numbers = [int(view.still.name) for view in made.views]
    ours, theirs = np.array([v.pose.centre for v in made.views]), path[numbers, 1:4]
    factor = float(np.linalg.norm(theirs - theirs.mean(0)) / np.linalg.norm(ours - ours.mean(0)))
    made = undistort_views(made.moved(Similarity(factor, np.eye(3), np.zeros(3))), 1600)
    depths = [cv2.imread(str(folder / f"depth/{300 + 2 * (n - n % 10):06d}.png"), -1) for n in numbers]
    return made, [np.asarray(d, np.float64) / 1000 for d in depths]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, help="the folder with data/ in it")
    given = parser.parse_args()
    print("| place | way | depth | 0.2 % | 1 % | 2 % | of all right | nothing there | s |")
    print("|---" * 9 + "|")
    places = {
        "boxes": boxes(),
        "room, faint walls": room(),
        "room, blank walls": room(walls=0.0, count=5),
        "statue": statue(count=16),
    }
    for name, place in places.items():
        row(name, "sweep", by_sweep(place.reconstruction), place.depths)
        row(name, "ours", by_us(place.reconstruction), place.depths)
    if given.shared is not None:
        made, measured = kitchen(given.shared)
        row("kitchen", "sweep", by_sweep(made), measured, 2)
        row("kitchen", "ours", by_us(made), measured, 2)


if __name__ == "__main__":
    main()
