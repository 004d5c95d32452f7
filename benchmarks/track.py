"""How right the streaming tracker is, how honest its error bar, and what a frame costs.

    python benchmarks/track.py films [kitchen room room-plain street street-plain] [--count 200] [--told]

films   the kitchen of the shared data and known places as films: how many frames are tracked; the error of the path
        as the poses were told, frame by frame, and after ``finish`` (root mean square distance from the true camera
        centres after the best similarity, in percent of the path); how often the truth lies within one and two of the
        error bars that were told, seen from the first tracked frame; processor time of ``push`` a frame (all cores
        together, decoding left out)
depth   what ``Tracking.depth`` says of every tenth frame, without a network and with it: how much of the picture it
        covers, how much of that is right within 25 % and 10 % (the unit by the whole path), how likely it says that
        25 % are; processor time of one map
turn    a walk, a turn of 110 degrees on the spot and another walk, without a network and with one that is off by a
        factor of up to 2 in each picture and by 12 % from place to place: how much larger the unit is after the turn
long    a film that goes forth and back ``--times`` times: what a frame costs and how much memory is taken as it grows

The tracker is not told the lens unless ``--told``. A film of several parts is judged by its largest one.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scan_measures import path_error, similarity
from benchmarks.scan_worlds import known
from tests import walks

from unflat.errors import InputError
from unflat.pipelines.scan_look import network_guess
from unflat.stages.estimate_depth import DepthOptions
from unflat.stages.track_depth import Guess
from unflat.stages.track_stream import Tracker
from unflat.stages.tracking import Tracking
from unflat.trust.lineage import Lineage
from unflat.types.arrays import F64, U8
from unflat.types.camera import Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.views import Lens, Reconstruction

KITCHEN = "kitchen"
FILMS = (KITCHEN, "room-plain", "room", "street-plain", "street")


@dataclass(frozen=True)
class Filmed:
    """A film whose camera is known: frames, true poses world from camera (n, 4, 4), its lens where that is exact."""

    name: str
    count: int
    frame: Callable[[int], U8]
    fps: float
    poses: F64
    lens: Lens | None
    depth: Callable[[int], F64]

    @property
    def centres(self) -> F64:
        """(n, 3)."""
        return self.poses[:, :3, 3]


def filmed(name: str, given: argparse.Namespace) -> Filmed:
    """One of the films by its name."""
    if name != KITCHEN:
        film = known(name, count=given.count)
        poses = np.stack([pose.world_from_camera for pose in film.poses])
        return Filmed(name, film.count, film.frame, film.fps, poses, film.lens, lambda i: film.seen(i)[0])
    root = given.shared / "sequences" / "kitchen_7scenes"
    rows = json.loads((root / "manifest.json").read_text(encoding="utf-8"))["frames"]

    def frame(i: int) -> U8:
        picture: Any = cv2.imread(str(root / rows[i]["image"]), cv2.IMREAD_COLOR)
        return np.asarray(picture, np.uint8)[..., ::-1].copy()

    def depth(i: int) -> F64:
        if rows[i].get("depth") is None:
            return np.full((480, 640), np.nan)
        z = np.asarray(cv2.imread(str(root / rows[i]["depth"]), cv2.IMREAD_UNCHANGED), np.float64) / 1000
        return np.where(z > 0, z, np.nan)

    return Filmed(name, len(rows), frame, 15.0, _poses(np.loadtxt(root / "trajectory.txt")), None, depth)


def _poses(rows: F64) -> F64:
    """(n, 4, 4) of lines of a TUM trajectory."""
    out = np.tile(np.eye(4), (len(rows), 1, 1))
    x, y, z, w = (rows[:, 4:] / np.linalg.norm(rows[:, 4:], axis=1, keepdims=True)).T
    turned = [[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
              [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
              [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]]  # fmt: skip
    out[:, :3, :3] = np.moveaxis(np.array(turned), 2, 0)
    out[:, :3, 3] = rows[:, 1:4]
    return out


@dataclass(frozen=True)
class Run:
    """What the tracker said of each frame and at the end; seconds of processor time a frame, and of the clock."""

    told: tuple[Tracking, ...]
    made: Reconstruction | None
    a_frame: float
    by_clock: float
    at_the_end: float


def run(film: Filmed, tracker: Tracker, number: Sequence[int] | None = None) -> Run:
    """Push all frames, or those of these numbers."""
    told: list[Tracking] = []
    spent = by_clock = 0.0
    numbers = range(film.count) if number is None else number
    for k, i in enumerate(numbers):
        pixels = film.frame(i)
        began, begun = time.perf_counter(), time.process_time()
        told.append(tracker.push(pixels, k / film.fps))
        spent += time.process_time() - begun
        by_clock += time.perf_counter() - began
    begun = time.process_time()
    try:
        made = tracker.finish()
    except InputError as error:
        print(f"  {error}")
        made = None
    return Run(tuple(told), made, spent / len(told), by_clock / len(told), time.process_time() - begun)


def largest(told: Sequence[Tracking]) -> list[int]:
    """The numbers of the tracked frames of the part that has most of them."""
    on = [i for i, one in enumerate(told) if one.state == "tracking"]
    if not on:
        return []
    part = int(np.bincount([told[i].part for i in on]).argmax())
    return [i for i in on if told[i].part == part]


def held(told: Sequence[Tracking], on: Sequence[int], poses: F64) -> tuple[float, float]:
    """How often the truth lies within one and within two of the bars, seen from the first tracked frame."""
    found = np.stack([told[i].pose.world_from_camera for i in on])
    turned = poses[0, :3, :3] @ found[0, :3, :3].T
    a, b = (found[:, :3, 3] - found[0, :3, 3]) @ turned.T, poses[:, :3, 3] - poses[0, :3, 3]
    factor = float((a * b).sum() / (a * a).sum())
    off = np.linalg.norm(a - b / factor, axis=1)
    bar = np.array([np.nan if told[i].error is None else told[i].error for i in on], np.float64)
    ratio = (off / bar)[np.isfinite(bar)]
    return float((ratio < 1).mean()), float((ratio < 2).mean())


def films(given: argparse.Namespace) -> None:
    """The table."""
    print(
        "| film | frames | tracked | error % as told | at the end % (frames) | within 1, 2 bars % | CPU ms a frame"
        " (frames/s by the clock) |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in given.names or FILMS:
        film = filmed(name, given)
        warm = Tracker()
        for i in range(min(20, film.count)):
            warm.push(film.frame(i), float(i))
        done = run(film, Tracker(film.lens if given.told else None))
        print(f"| {name} | {row(film, done)} |")


def row(film: Filmed, done: Run) -> str:
    """The cells of a film."""
    on = largest(done.told)
    if len(on) < 3:
        return f"{film.count} | {len(on)} | | | | {_spent(done)}"
    true = film.centres[on]
    found = np.stack([done.told[i].pose.centre for i in on])
    one, two = held(done.told, on, film.poses[on])
    end = ""
    if done.made is not None:
        kept = [int(view.still.name) for view in done.made.views]
        last = path_error(np.stack([view.pose.centre for view in done.made.views]), film.centres[kept])
        end = f"{100 * last:.2f} ({len(kept)})"
    return (
        f"{film.count} | {len(on)} | {100 * path_error(found, true):.2f} | {end} "
        f"| {100 * one:.0f}, {100 * two:.0f} | {_spent(done)}"
    )


def _spent(done: Run) -> str:
    return f"{1000 * done.a_frame:.1f} ({1 / done.by_clock:.1f})"


def depth(given: argparse.Namespace) -> None:
    """How right depth is."""
    print("| film | by | covers % | of it right within 25 % | 10 % | as likely as it says | CPU ms |")
    print("|---|---|---|---|---|---|---|")
    network = None if given.triangulated else network_guess("auto", DepthOptions(), Lineage())
    for name in given.names or (KITCHEN, "room-plain"):
        film = filmed(name, given)
        for guess in (None, network)[: 1 if network is None else 2]:
            print(f"| {name} | {'landmarks' if guess is None else 'and network'} | {depth_row(film, guess)} |")


def depth_row(film: Filmed, guess: Guess | None) -> str:
    """The cells of a film."""
    tracker = Tracker(film.lens)
    told = [tracker.push(film.frame(i), i / film.fps) for i in range(film.count)]
    on = largest(told)
    factor = similarity(np.stack([told[i].pose.centre for i in on]), film.centres[on]).factor
    rows: list[tuple[float, ...]] = []
    for i in [i for i in on if i % 10 == 0]:
        sight = told[i].sight
        true = film.depth(i)
        if sight is None or not np.isfinite(true).any():
            continue
        begun = time.process_time()
        seen = replace(sight, guess=guess).depth()
        spent = time.process_time() - begun
        if seen is None or seen.confidence is None:
            continue
        at = cv2.resize(true, (seen.size.width, seen.size.height), interpolation=cv2.INTER_NEAREST)
        known = np.isfinite(at)
        mine = known & seen.surface
        off = np.abs(np.log(seen.values[mine] * factor / at[mine]))
        right = [float((off < np.log(1 + share)).mean()) for share in (0.25, 0.1)]
        rows.append((mine.sum() / known.sum(), *right, float(seen.confidence[mine].mean()), 10 * spent))
    return " | ".join(f"{100 * value:.0f}" for value in np.mean(rows, 0)) if rows else "nothing"


def turn(given: argparse.Namespace) -> None:
    """Whether the unit survives a turn on the spot."""
    lens = walks.lens(320, 240)
    room, coarse, now = walks.Room(lens, 1), walks.Room(walks.lens(80, 60), 1), [0]
    poses = [_turning(k) for k in range(90)]

    def network(pixels: U8) -> DepthMap:
        rng = np.random.default_rng(now[0])
        off = cv2.resize(rng.normal(0, 0.12, (4, 5)), (80, 60), interpolation=cv2.INTER_CUBIC)
        z = coarse.frame(poses[now[0]]).depth * np.exp(off) * rng.uniform(0.5, 2)
        return DepthMap(z.astype(np.float32), DepthKind.SCALE)

    print("| network | tracked | error % as told | unit after the turn / before |")
    print("|---|---|---|---|")
    true = np.stack([pose.centre for pose in poses])
    for guess in (None, network):
        tracker, told, rng = Tracker(Lens(lens), guess=guess), [], np.random.default_rng(1)
        for k, pose in enumerate(poses):
            now[0] = k
            told.append(tracker.push(walks.noisy(room.frame(pose).pixels, rng, noise=3), k / 15))
        on = largest(told)
        found = {k: told[k].pose.centre for k in on}
        before, after = ([k for k in on if k < 30], [k for k in on if k > 62])
        units = [np.linalg.norm(found[a[-1]] - found[a[0]]) / np.linalg.norm(true[a[-1]] - true[a[0]])
                 for a in (before, after)]  # fmt: skip
        error = 100 * path_error(np.stack(list(found.values())), true[on])
        print(f"| {'no' if guess is None else 'yes'} | {len(on)} of 90 | {error:.2f} | {units[1] / units[0]:.3f} |")


def _turning(k: int) -> Pose:
    """Thirty frames to the right, thirty while turning on the spot, thirty back."""
    at, yaw = min(k, 30), 8 * np.sin(min(k, 30) / 15) + max(min(k, 60) - 30, 0) * 110 / 30
    bob = 0.05 * np.sin((k if k < 30 or k > 60 else 30) / 7)
    return walks.looking(-1.5 + 0.03 * at, bob, -2 + 0.01 * at - 0.03 * max(k - 60, 0), yaw, 3 * np.sin(k / 9))


def long(given: argparse.Namespace) -> None:
    """What grows with a film."""
    film = filmed((given.names or ["room-plain"])[0], given)
    once = [*range(film.count), *range(film.count - 2, 0, -1)]
    numbers = (once * given.times)[: given.times * len(once)]
    tracker, told = Tracker(film.lens), []
    print("| frames | keyframes so far | CPU ms a frame | slowest frame ms | memory MB |")
    print("|---|---|---|---|---|")
    for first in range(0, len(numbers), 200):
        spent: list[float] = []
        for k in range(first, min(first + 200, len(numbers))):
            pixels = film.frame(numbers[k])
            begun = time.process_time()
            told.append(replace(tracker.push(pixels, k / film.fps), sight=None))
            spent.append(1000 * (time.process_time() - begun))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        keyframes = sum(one.keyframe for one in told)
        print(f"| {len(told)} | {keyframes} | {np.mean(spent):.1f} | {max(spent):.0f} | {memory:.0f} |")
    begun = time.process_time()
    made = tracker.finish()
    true = film.centres[[numbers[int(view.still.name)] for view in made.views]]
    error = 100 * path_error(np.stack([view.pose.centre for view in made.views]), true)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    spent_here = time.process_time() - begun
    print(f"finish: {len(made.views)} frames, error {error:.3f} % of the path, {spent_here:.1f} s CPU, {memory:.0f} MB")


def main() -> None:
    """Read the words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words: dict[str, Callable[[argparse.Namespace], None]] = {
        "depth": depth,
        "films": films,
        "long": long,
        "turn": turn,
    }
    parser.add_argument("word", choices=sorted(words))
    parser.add_argument("names", nargs="*")
    parser.add_argument("--shared", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--count", type=int, default=200, help="frames of a known film")
    parser.add_argument("--times", type=int, default=4, help="a long film goes forth and back so often")
    parser.add_argument("--triangulated", action="store_true", help="do not ask the network")
    parser.add_argument("--told", action="store_true", help="the tracker is told the lens")
    given = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # minutes pass between lines
    words[given.word](given)


if __name__ == "__main__":
    main()
