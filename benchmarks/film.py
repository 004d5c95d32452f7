"""Films for two eyes: how well the stations overlap, how memory grows, whether sound keeps time, what a kill costs.

    python benchmarks/film.py line [--frames 120]      the whole over the slowest station, and over its CPU seconds
    python benchmarks/film.py memory [--minutes 1 4]   peak memory of a short and of a long clip
    python benchmarks/film.py sync [--minutes 10]      flashes and beeps of a long clip, in the film that is made of it
    python benchmarks/film.py kill [--kills 10]        killed at random moments and run again, against one quiet run

All clips are made here: a camera goes over a photograph of scikit-image.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tests.film_files import FilmRecipe, make_film

from unflat.geometry.bands import cores, side_by_side
from unflat.pipelines.stereo_film import Film, FilmOptions
from unflat.pipelines.two_eyes import TwoEyes
from unflat.stages.stabilise_depth import stabilise_depth

_COMMAND = [sys.executable, "-m", "unflat.cli.entry", "stereo"]


def panned(width: int, height: int, flash: Callable[[int], bool] = lambda _: False) -> Callable[[int], np.ndarray]:
    """What the frames of a clip show: a window that goes to and fro over a photograph; white where it flashes."""
    import skimage.data

    source = np.asarray(skimage.data.stereo_motorcycle()[0])
    whole = cv2.resize(source, (width * 3 // 2, height * 3 // 2), interpolation=cv2.INTER_CUBIC)

    def paint(number: int) -> np.ndarray:
        if flash(number):
            return np.full((height, width, 3), 250, np.uint8)
        swing = 0.5 - 0.5 * np.cos(number / 40)
        left, top = round(swing * (whole.shape[1] - width)), round(0.3 * swing * (whole.shape[0] - height))
        return np.ascontiguousarray(whole[top : top + height, left : left + width])

    return paint


def clip(folder: Path, name: str, size: tuple[int, int], seconds: float, fps: int, **more: Any) -> Path:
    """A clip of that length."""
    paint = more.pop("paint", None) or panned(*size)
    encoding = {"crf": "20", "preset": "ultrafast"}
    recipe = FilmRecipe(size=size, count=round(seconds * fps), fps=Fraction(fps), paint=paint, options=encoding, **more)
    return make_film(folder / name, recipe)


def cpu_seconds() -> float:
    """Of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def timed(items: Iterable[Any]) -> tuple[float, list[Any]]:
    """Seconds to go through all items, and the items."""
    begun = time.perf_counter()
    kept = list(items)
    return time.perf_counter() - begun, kept


def line(folder: Path, frames: int) -> None:
    """Every station alone, then the whole; the slowest station and the CPU seconds bound what is possible."""
    source = clip(folder, "hd.mp4", (1920, 1080), frames / 25, 25)
    film = Film(source, FilmOptions())
    run = film._line()
    list(map(run.look, list(film.clip.frames(Fraction(0), Fraction(2, 25)))))  # kernels are compiled once
    alone: dict[str, float] = {}
    alone["decode"], decoded = timed(film.clip.frames())
    alone["look"], seen = timed(side_by_side(run.look, decoded))
    alone["steady"], settled = timed(stabilise_depth(iter(seen)))
    from unflat.pipelines.film_kinds import film_kinds

    kind = film_kinds([folder / "alone_LRF_Full_SBS.mp4"], film)[0]
    eyes = TwoEyes([kind.look], FilmOptions().eyes)
    eyes.paint(settled[0])
    painter = TwoEyes([kind.look], FilmOptions().eyes)
    alone["paint"], painted = timed((frame.frame.time, painter.paint(frame)[0]) for frame in settled)

    def encode(pictures: list[Any]) -> Iterator[None]:
        with kind.opened(folder / "alone.mp4") as writer:
            for at, picture in pictures:
                writer.write(picture, at)
                yield

    alone["encode"], _ = timed(encode(painted))
    del decoded, seen, settled, painted
    whole = Film(source, FilmOptions())
    used = cpu_seconds()
    whole.save(folder / "whole_LRF_Full_SBS.mp4")
    used, took = cpu_seconds() - used, whole.clock.seconds["film"]
    bound = max(*alone.values(), used / cores())
    for name, seconds in alone.items():
        print(f"{name:8} alone {1000 * seconds / frames:6.1f} ms a frame")
    print(f"whole    {1000 * took / frames:6.1f} ms a frame, {frames / took:.1f} frames a second")
    print(f"CPU      {1000 * used / frames:6.1f} ms a frame over {cores()} cores")
    print(f"whole over max(slowest station, CPU / cores): {took / bound:.2f}")


def memory(folder: Path, minutes: list[int]) -> None:
    """Peak memory of the command and of the processes that it starts."""
    peaks = []
    for length in minutes:
        source = clip(folder, f"{length}.mp4", (320, 180), 60 * length, 8)
        run = subprocess.Popen([*_COMMAND, str(source), "-q", "-o", str(folder / f"{length}_LR.mp4")])
        _, status, used = os.wait4(run.pid, 0)
        if status:
            raise SystemExit("the run failed")
        peaks.append(used.ru_maxrss / 1e3)
        print(f"{length} min: peak {peaks[-1]:.0f} MB")
    print(f"ratio {peaks[-1] / peaks[0]:.3f}")


def sync(folder: Path, minutes: int) -> None:
    """Where flashes and beeps are in the film that was made."""
    import av

    fps, every = 10, 20
    marks = [float(at) for at in range(5, 60 * minutes, every)]
    source = clip(
        folder,
        "long.mp4",
        (128, 96),
        60 * minutes,
        fps,
        paint=panned(128, 96, lambda number: number / fps in marks),
        sound=60.0 * minutes,
        beeps=marks,
    )
    target = folder / "long_LR.mp4"
    subprocess.run([*_COMMAND, str(source), "-q", "--depth", "ramp", "-o", str(target)], check=True)
    with av.open(str(target)) as film:
        light = [(f.time, float(f.to_ndarray(format="gray").mean())) for f in film.decode(video=0)]
    flashes = [at for at, level in light if level > 225]
    beeps: list[float] = []
    with av.open(str(target)) as film:
        for frame in film.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()).max(axis=0) > 0.2)
            if len(loud) and frame.time is not None:
                at = frame.time + loud[0] / frame.sample_rate
                if not beeps or at - beeps[-1] > 1:
                    beeps.append(at)
    apart = np.array(beeps) - np.array(flashes)
    print(f"{len(marks)} marks, {len(flashes)} flashes, {len(beeps)} beeps in {minutes} minutes")
    print(
        f"sound after picture: {1000 * apart.min():.1f} to {1000 * apart.max():.1f} ms; a frame is {1000 / fps:.0f} ms"
    )


def kill(folder: Path, kills: int) -> None:
    """Whether the packets of a film that was killed again and again are those of one that was not."""
    import av

    source = clip(folder, "clip.mp4", (320, 180), 20, 25)
    words = [str(source), "-q", "--segment-seconds", "1"]
    begun = time.perf_counter()
    subprocess.run([*_COMMAND, *words, "-o", str(folder / "quiet_LR.mp4")], check=True)
    quiet = time.perf_counter() - begun
    rng, spent, done = random.Random(), 0.0, 0
    target = folder / "killed_LR.mp4"
    while done < kills:
        run = subprocess.Popen([*_COMMAND, *words, "-o", str(target)])
        wait = rng.uniform(0.1, 0.3) * quiet
        begun = time.perf_counter()
        try:
            run.wait(wait)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            run.wait()
            done += 1
        spent += time.perf_counter() - begun
        if target.exists():
            check(target, folder / "quiet_LR.mp4", av)
            target.unlink()
    begun = time.perf_counter()
    subprocess.run([*_COMMAND, *words, "-o", str(target)], check=True)
    check(target, folder / "quiet_LR.mp4", av)
    left = [path.name for path in folder.iterdir() if path.suffix == ".parts"]
    print(f"{kills} kills: the same bytes of video each time; left behind: {left or 'nothing'}")
    print(f"quiet run {quiet:.0f} s; killed runs {spent:.0f} s and the last {time.perf_counter() - begun:.0f} s")


def check(one: Path, two: Path, av: Any) -> None:
    """Stop if two films differ in a packet of video."""

    def packets(path: Path) -> list[tuple[Any, bytes]]:
        with av.open(str(path)) as film:
            return [(p.pts, bytes(p)) for p in film.demux(film.streams.video[0]) if p.size]

    if packets(one) != packets(two):
        raise SystemExit("the films differ")


def main() -> None:
    """Run one of the four."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("line", "memory", "sync", "kill"))
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--minutes", type=int, nargs="+")
    parser.add_argument("--kills", type=int, default=10)
    given = parser.parse_args()
    print(json.dumps({"load": round(os.getloadavg()[0], 1), "cores": cores()}))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.what == "line":
            line(folder, given.frames)
        elif given.what == "memory":
            memory(folder, given.minutes or [1, 4])
        elif given.what == "sync":
            sync(folder, (given.minutes or [10])[0])
        else:
            kill(folder, given.kills)


if __name__ == "__main__":
    main()
