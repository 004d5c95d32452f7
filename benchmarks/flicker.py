"""How steady depth is over time, and what that costs in truth, sharpness and time.

    python benchmarks/flicker.py [--shared ../shared/data] [--worlds 3] [--frames 24] [--strips FOLDER]

Clips: held-out worlds of the generator in training/, seen by a camera that stands still (with noise), pans, trucks or
goes forward, whose depth is exact; and of ../shared/data/sequences the kitchen (measured depth in every tenth frame),
the roller coaster and the running person. Columns, each before -> after stabilising:

    flicker    median |inverse depth - that of the frame before, followed by optical flow|, % of the shot's range
    worst      the largest such value of a pair of frames
    off        mean |log(found / true)| with one factor for the whole clip, %
    each       the same with a factor for every frame, %
    edges      the same within two pixels of depth edges, %
    CPU        milliseconds of this stage for a frame, beside those of the network
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from training.worlds.palette import Palette
from training.worlds.sample import photograph, scenes
from training.worlds.sources import HELP, folder, sources
from training.worlds.stage import Camera
from training.worlds.trace import Materials, assemble

from unflat.geometry.moments import Moment, flicker, planes_of, reach
from unflat.stages.estimate_depth import DepthOptions, estimate_depth
from unflat.stages.stabilise_depth import RawDepth, SteadyState, as_inverse, stabilise_depth
from unflat.types.arrays import F32, U8
from unflat.types.clip import DepthFrame, TimedFrame
from unflat.types.image import Image

HELD_OUT = 987_654_321
WORLDS = ("living_room", "street", "kitchen", "still_life", "bedroom", "park")
MOVES = ("still", "pan", "truck", "forward")
SIZE = (448, 320)
NOISE = 3.0


@dataclass
class Film:
    """Pictures, and the inverse depth (0: unknown) of some of them."""

    name: str
    pictures: list[U8]
    truth: dict[int, F32]


def moved(camera: Camera, move: str, share: float) -> Camera:
    """The camera on its way, 0 to 1."""
    eye, target = np.array(camera.eye), np.array(camera.target)
    ahead = target - eye
    aside = np.cross(ahead, (0, 1, 0))
    if move == "pan":
        target = target + aside * 0.35 * (share - 0.5)
    elif move == "truck":
        eye, target = (p + aside * 0.12 * (share - 0.5) for p in (eye, target))
    elif move == "forward":
        eye = eye + ahead * 0.15 * share
    return replace(camera, eye=tuple(eye.tolist()), target=tuple(target.tolist()))


def world_films(count: int, frames: int, materials: Materials) -> Iterator[Film]:
    """Held-out worlds, each seen by every move."""
    known = scenes()
    names = [n for n in WORLDS if n in known] or sorted(known)[:: max(1, len(known) // count)]
    for k, name in enumerate(names[:count]):
        rng = np.random.default_rng([HELD_OUT, k])
        stage = known[name][0](Palette(rng))
        world, camera = assemble(stage, materials), replace(stage.cameras[0], portrait=False, aperture=0.0)
        for move in MOVES:
            pictures, truth = [], {}
            for t in range(frames):
                if move == "still" and t:
                    pictures.append(pictures[0])
                    truth[t] = truth[0]
                    continue
                sample = photograph(world, moved(camera, move, t / max(frames - 1, 1)), materials, name, SIZE, k)
                pictures.append(sample.rgb)
                truth[t] = np.where(sample.depth > 0, 1 / np.maximum(sample.depth, 1e-3), 0).astype(np.float32)
            grain = [np.clip(p + rng.normal(0, NOISE, p.shape), 0, 255).astype(np.uint8) for p in pictures]
            yield Film(f"{name}, {move}", grain, truth)


def real_films(shared: Path) -> Iterator[Film]:
    """Those of the measuring data."""
    import av

    base = shared / "sequences"
    for name, path in (
        ("kitchen", base / "kitchen_7scenes/kitchen.mp4"),
        ("roller coaster", base / "videos_vda/rollercoaster.mp4"),
        ("running person", base / "video_monst3r/lady-running.mp4"),
    ):
        with av.open(str(path)) as container:
            pictures = [
                small(f.to_ndarray(format="rgb24")) for _, f in zip(range(100), container.decode(video=0), strict=False)
            ]
        truth = {}
        if name == "kitchen":
            listed = json.loads((path.parent / "manifest.json").read_text())["frames"]
            for k, one in enumerate(listed[: len(pictures)]):
                if "depth" in one:
                    mm = cv2.imread(str(path.parent / one["depth"]), cv2.IMREAD_UNCHANGED).astype(np.float32)
                    truth[k] = np.where(mm > 0, 1000 / np.maximum(mm, 1), 0).astype(np.float32)
        yield Film(name, pictures, truth)


def small(picture: U8, side: int = 640) -> U8:
    """At most that large."""
    factor = min(1.0, side / max(picture.shape[:2]))
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def looked(film: Film) -> tuple[list[tuple[TimedFrame, RawDepth]], float]:
    """What the network sees in each frame, and its milliseconds for one."""
    begun = time.process_time()
    seen = []
    for number, picture in enumerate(film.pictures):
        raw = as_inverse(estimate_depth(Image(picture), "worlds", DepthOptions(threads=1)))
        seen.append((TimedFrame(picture, Fraction(number, 24), number), raw))
    return seen, 1000 * (time.process_time() - begun) / len(seen)


def flickers(inverses: list[F32], seen: list[tuple[TimedFrame, RawDepth]]) -> tuple[float, float]:
    """(mean, largest) over the pairs of frames."""
    found, before = [], None
    spans = [reach(i, (i > 0) & np.isfinite(i)) for i in inverses]
    near, far = (float(np.median(v)) for v in zip(*spans, strict=True))
    for k, (frame, raw) in enumerate(seen):
        moment = Moment.of(frame.pixels, planes_of(raw.inverse, raw.sky, raw.confidence), before)
        if before is not None:
            found.append(flicker(inverses[k - 1], inverses[k], moment.back, (near, far)))
        before = moment
    return 100 * float(np.mean(found)), 100 * float(np.max(found))


def errors(inverses: list[F32], truth: dict[int, F32]) -> tuple[float, float, float]:
    """(off, each, edges): see the head of this file."""
    logs, rims = [], []
    for k, true in truth.items():
        h, w = inverses[k].shape
        t = np.asarray(cv2.resize(true, (w, h), interpolation=cv2.INTER_NEAREST), np.float32)
        known = (t > 0) & (inverses[k] > 1e-6)
        logs.append(np.where(known, np.log(np.maximum(inverses[k], 1e-6) / np.maximum(t, 1e-6)), np.nan))
        high, low = (
            cv2.dilate(t, np.ones((3, 3))),
            cv2.erode(np.where(t > 0, t, 1e9).astype(np.float32), np.ones((3, 3))),
        )
        rims.append(cv2.dilate(((high > 1.15 * low) & known).astype(np.uint8), np.ones((3, 3))) > 0)
    middle = float(np.nanmedian(np.concatenate([x.ravel() for x in logs])))
    own = [x - np.nanmedian(x) for x in logs]
    edge = np.concatenate([np.abs(x[r]) for x, r in zip(own, rims, strict=True)])
    means = (
        np.nanmean([np.nanmean(np.abs(x - middle)) for x in logs]),
        np.nanmean([np.nanmean(np.abs(x)) for x in own]),
    )
    return 100 * float(means[0]), 100 * float(means[1]), 100 * float(np.nanmean(edge)) if edge.size else float("nan")


def strips(film: Film, seen: list[tuple[TimedFrame, RawDepth]], made: list[DepthFrame], target: Path) -> None:
    """A row of pixels over time: the picture, what was seen, what was made of it."""
    h, w = made[0].inverse.shape
    row = h // 2
    tall = [cv2.resize(p, (w, h), interpolation=cv2.INTER_AREA)[row, :, ::-1] for p in film.pictures]
    near = float(np.median([m.near for m in made]))
    raws = [np.where(np.isfinite(r.inverse), r.inverse, 0)[row] for _, r in seen]
    rows = [np.stack(tall)]
    for lines in (raws, [m.inverse[row] for m in made]):
        grey = (np.clip(np.stack(lines) / max(near, 1e-9), 0, 1) * 255).astype(np.uint8)
        rows.append(cv2.applyColorMap(grey, cv2.COLORMAP_TURBO))
    cv2.imwrite(str(target), cv2.resize(np.hstack(rows), None, fx=2, fy=4, interpolation=cv2.INTER_NEAREST))


def row(film: Film, folder_of_strips: Path | None) -> str:
    """One line of the table."""
    seen, network = looked(film)
    list(stabilise_depth(seen[:3]))  # kernels are compiled
    state, begun = SteadyState(), time.process_time()
    made = list(stabilise_depth(seen, state=state))
    stage = 1000 * (time.process_time() - begun) / len(made)
    # the sky is no part of either
    raws = [np.where(m.inverse > 0, r.inverse, 0).astype(np.float32) for (_, r), m in zip(seen, made, strict=True)]
    outs = [m.inverse for m in made]
    cells = [film.name]
    for before, after in zip(flickers(raws, seen), flickers(outs, seen), strict=True):
        cells.append(f"{before:.2f} -> {after:.2f}")
    if film.truth:
        for before, after in zip(errors(raws, film.truth), errors(outs, film.truth), strict=True):
            cells.append(f"{before:.2f} -> {after:.2f}")
    else:
        cells += ["", "", ""]
    if folder_of_strips:
        folder_of_strips.mkdir(parents=True, exist_ok=True)
        strips(film, seen, made, folder_of_strips / f"{film.name.replace(', ', '_').replace(' ', '_')}.png")
    return "| " + " | ".join([*cells, f"{stage:.0f} ({network:.0f})", str(len(state.shots))]) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=folder, metavar="FOLDER", help=HELP + "; real clips are read from it, too")
    parser.add_argument("--worlds", type=int, default=3, help="held-out worlds (default: 3)")
    parser.add_argument("--frames", type=int, default=24, help="frames of each move (default: 24)")
    parser.add_argument("--strips", type=Path, metavar="FOLDER", help="draw a row of pixels over time of each clip")
    given = parser.parse_args()
    print("| clip | flicker % | worst % | off % | each % | edges % | CPU ms (network) | shots |")
    print("|---|---|---|---|---|---|---|---|")
    if given.worlds:
        for film in world_films(given.worlds, given.frames, sources(given.shared)[1]):
            print(row(film, given.strips), flush=True)
    if given.shared:
        for film in real_films(given.shared):
            print(row(film, given.strips), flush=True)


if __name__ == "__main__":
    main()
