"""How many 1080p frames a second a camera move takes, and how much memory, over the encoder alone.

    python benchmarks/animate_speed.py [PICTURE] [--frames 60]

The figure is frames a second of the whole (rendered and encoded as H.264) on this machine, and how many times as long
as encoding the same frames alone it takes, turn by turn in one run.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from unflat.formats.video import write_film
from unflat.pipelines.animate import AnimateOptions, Animation, animate
from unflat.stages.move_camera import MotionOptions
from unflat.types.image import Size

HD = Size(1920, 1080)


def timed(film: Animation, folder: Path, fps: float) -> tuple[float, float]:
    """Seconds for the whole, and for encoding alone."""
    begun = time.perf_counter()
    write_film(film.frames(HD), folder / "a.mp4", fps, {}, force=True)
    whole = time.perf_counter() - begun
    kept = list(film.frames(HD))
    begun = time.perf_counter()
    write_film(kept, folder / "b.mp4", fps, {}, force=True)
    return whole, time.perf_counter() - begun


def main() -> None:
    """Print frames a second and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path, nargs="?")
    parser.add_argument("--frames", type=int, default=60)
    given = parser.parse_args()
    if given.picture is None:
        import skimage.data

        source: Path | np.ndarray = np.asarray(skimage.data.stereo_motorcycle()[0])
    else:
        source = given.picture
    film = animate(source, AnimateOptions(motion=MotionOptions(seconds=given.frames / 30)))
    next(film.frames(HD))
    with tempfile.TemporaryDirectory() as folder:
        rounds = [timed(film, Path(folder), 30) for _ in range(3)]
    whole, alone = np.median(np.array(rounds), axis=0)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"load {os.getloadavg()[0]:.1f}, {HD}, {given.frames} frames, {film.result.scene.triangles} triangles")
    print(
        f"{given.frames / whole:.1f} frames a second, {whole / alone:.1f} times the encoder alone; peak {memory:.0f} MB"
    )


if __name__ == "__main__":
    main()
