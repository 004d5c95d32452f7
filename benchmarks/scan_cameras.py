"""Where the cameras of real sets stand: ours against pycolmap's default pipeline, on the same pictures in one run.

    python benchmarks/scan_cameras.py [dino_mvs kitchen_7scenes …] [--every 5] [--shared ../shared/data] [--aged]

pycolmap: SIFT, all pairs (neighbours for more than 100 ordered frames), incremental mapping, one camera, everything
else as it comes. pycolmap, patient: the same with fainter features (peak_threshold 0.002), pictures placed by 15
points, pairs to begin with of 50 points and 8 degrees, and tracks of two views kept: of the settings tried, those that
place most pictures. Ours: ``track_cameras`` as it comes; ours without pycolmap: where that is not installed. Neither
is told the lens; pictures lie decoded on the disk for neither. Counted is all from reading the pictures to the cameras.
ATE is the root mean square distance from the true camera centres after the best similarity, in percent of the true
path (of the way from picture to picture in the order of the list); where the reference has no cameras there is none.
CPU seconds are those of all threads and child processes; on a busy machine they tell more than seconds do. Kernels are
compiled before (one small set is placed).

``--aged`` makes every other picture an old one first: black and white, faded, grainy, cropped, its lens its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np

from unflat.errors import UnflatError
from unflat.stages.track_cameras import TrackOptions, track_cameras
from unflat.types.arrays import F64, U8
from unflat.types.image import Size
from unflat.types.views import Still, Stills

VIEWS = ("sceaux_castle", "ngp_fox", "dino_mvs")
KITCHEN = "kitchen_7scenes"
_MANY = 100


@dataclass(frozen=True)
class Photographs:
    """A set: its files, whether they follow upon each other, and the true centres by name where they are known."""

    files: tuple[Path, ...]
    ordered: bool
    centres: dict[str, F64]


@dataclass(frozen=True)
class Placed:
    """What a method found: camera centres by file name, how long it took, what lens it saw."""

    centres: dict[str, F64]
    seconds: float
    cpu: float
    focal: float


def photographs(name: str, shared: Path, every: int) -> Photographs:
    """A set of the shared data."""
    if name == KITCHEN:
        root = shared / "sequences" / name
        rows = json.loads((root / "manifest.json").read_text(encoding="utf-8"))["frames"][::every]
        path = np.loadtxt(root / "trajectory.txt")[::every, 1:4]
        files = tuple(root / row["image"] for row in rows)
        return Photographs(files, True, {file.name: at for file, at in zip(files, path, strict=True)})
    root = shared / "views" / name
    rows = json.loads((root / "manifest.json").read_text(encoding="utf-8"))["views"]
    centres = {}
    for row in rows:
        if row["w2c"] is not None:
            turned = np.array(row["w2c"])
            centres[Path(row["image"]).name] = -turned[:3, :3].T @ turned[:3, 3]
    return Photographs(tuple(root / row["image"] for row in rows), False, centres)


def aged(files: tuple[Path, ...], folder: Path) -> tuple[Path, ...]:
    """Every other picture as an old print: grey, faded, grainy, soft, 15 % cropped away, its corners dark."""
    made: list[Path] = []
    for number, file in enumerate(files):
        picture: Any = cv2.imread(str(file))
        if number % 2:
            draw = np.random.default_rng(number)
            height, width = picture.shape[:2]
            left, top = (int(draw.uniform(0, 0.15) * side) for side in (width, height))
            cut = picture[top : top + int(0.85 * height), left : left + int(0.85 * width)]
            grey = cv2.GaussianBlur(cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY), (0, 0), 1.0).astype(np.float32)
            grey = 90 + 0.45 * grey + draw.normal(scale=7, size=grey.shape)
            picture = cv2.cvtColor(np.clip(grey, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
        made.append(folder / file.with_suffix(".png").name)
        cv2.imwrite(str(made[-1]), picture)
    return tuple(made)


def ours(found: Photographs, *, apart: bool) -> Placed:
    """``track_cameras``."""

    def read(file: Path) -> U8:
        return np.asarray(cv2.cvtColor(np.asarray(cv2.imread(str(file))), cv2.COLOR_BGR2RGB), np.uint8)

    items: list[Still] = []
    for number, file in enumerate(found.files):
        shape = np.asarray(cv2.imread(str(file))).shape
        still = Still(file.name, Size(shape[1], shape[0]), lambda file=file: read(file))
        items.append(replace(still, camera=f"old {number}") if apart and number % 2 else still)
    whole = track_cameras(Stills(tuple(items), found.ordered), TrackOptions())
    return Placed({view.still.name: view.pose.centre for view in whole.views}, 0, 0, whole.views[0].lens.intrinsics.fx)


def without(found: Photographs, *, apart: bool) -> Placed:
    """``track_cameras`` where pycolmap is not installed."""
    find = importlib.util.find_spec
    with mock.patch("importlib.util.find_spec", lambda name: None if name == "pycolmap" else find(name)):
        return ours(found, apart=apart)


def pycolmaps(found: Photographs, *, apart: bool, patient: bool = False) -> Placed:
    """The incremental pipeline of pycolmap, as it comes or patient."""
    import pycolmap

    extraction, mapping = pycolmap.FeatureExtractionOptions(), pycolmap.IncrementalPipelineOptions()
    if patient:
        extraction.sift.peak_threshold = 0.002
        mapping.mapper.abs_pose_min_num_inliers = 15
        mapping.mapper.init_min_num_inliers, mapping.mapper.init_min_tri_angle = 50, 8.0
        mapping.triangulation.ignore_two_view_tracks = False
    pycolmap.logging.minloglevel = 2
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "images"
        folder.mkdir()
        for file in found.files:
            (folder / file.name).symlink_to(file.resolve())
        database = Path(place) / "database.db"
        mode = pycolmap.CameraMode.PER_IMAGE if apart else pycolmap.CameraMode.SINGLE
        pycolmap.extract_features(database, folder, camera_mode=mode, extraction_options=extraction)
        if found.ordered and len(found.files) > _MANY:
            pycolmap.match_sequential(database)
        else:
            pycolmap.match_exhaustive(database)
        models = pycolmap.incremental_mapping(database, folder, Path(place), mapping)
    if not models:
        return Placed({}, 0, 0, float("nan"))
    model = max(models.values(), key=lambda m: m.num_reg_images())
    images = [model.image(number) for number in model.reg_image_ids()]
    focal = float(images[0].camera.mean_focal_length())
    return Placed({image.name: image.projection_center() for image in images}, 0, 0, focal)


def timed(method: Callable[[], Placed]) -> Placed:
    """What a method found, and how long it took."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    try:
        placed = method()
    except UnflatError as error:
        print(f"    {error}")
        placed = Placed({}, 0, 0, float("nan"))
    return replace(placed, seconds=time.perf_counter() - wall, cpu=cpu_seconds() - cpu)


def cpu_seconds() -> float:
    """Of this process, its threads, and its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def error_percent(found: dict[str, F64], true: dict[str, F64]) -> float:
    """ATE in percent of the path (Umeyama 1991); not a number with fewer than three cameras."""
    names = [name for name in true if name in found]
    if len(names) < 3:
        return float("nan")
    a, b = (np.array([centres[name] for name in names]) for centres in (found, true))
    length = np.linalg.norm(np.diff(b, axis=0), axis=1).sum()
    a, b = a - a.mean(0), b - b.mean(0)
    u, spread, vt = np.linalg.svd(b.T @ a)
    flip = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    left = b - np.trace(np.diag(spread) @ flip) / (a**2).sum() * a @ (u @ flip @ vt).T
    return float(100 * np.sqrt((left**2).sum(1).mean()) / length)


def warm(shared: Path) -> None:
    """Place the castle once, so that what is compiled when first used is not counted."""
    found = photographs("sceaux_castle", shared, 1)
    few = Photographs(found.files[:4], found.ordered, {})
    for method in (ours, without):
        timed(partial(method, few, apart=False))


def main() -> None:
    """Run both on every set and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=[*VIEWS, KITCHEN])
    parser.add_argument("--every", type=int, default=5, help="of the kitchen's frames")
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--aged", action="store_true")
    methods: dict[str, Callable[..., Placed]] = {
        "pycolmap": pycolmaps,
        "pycolmap, patient": partial(pycolmaps, patient=True),
        "ours": ours,
        "ours without pycolmap": without,
    }
    parser.add_argument("--only", nargs="+", choices=list(methods), default=["pycolmap", "ours"])
    told = parser.parse_args()
    warm(told.shared)
    print("| set | method | registered | ATE % | focal px | seconds | CPU s | of pycolmap's seconds, CPU |")
    print("|---|---|---|---|---|---|---|---|")
    for name in told.sets:
        found = photographs(name, told.shared, told.every)
        if len(found.files) < 2:
            sys.exit(f"{name}: no pictures")
        with tempfile.TemporaryDirectory() as place:
            if told.aged:
                files = aged(found.files, Path(place))
                true = {Path(key).with_suffix(".png").name: at for key, at in found.centres.items()}
                found = Photographs(files, found.ordered, true)
            first: Placed | None = None
            for method in told.only:
                placed = timed(lambda run=methods[method], found=found: run(found, apart=told.aged))
                first = first or placed
                parts = f"{placed.seconds / first.seconds:.2f}, {placed.cpu / first.cpu:.2f}"
                error = error_percent(placed.centres, found.centres)
                registered = f"{len(placed.centres)} of {len(found.files)}"
                print(
                    f"| {name} | {method} | {registered} | {error:.3f} | {placed.focal:.1f} "
                    f"| {placed.seconds:.1f} | {placed.cpu:.1f} | {parts} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
