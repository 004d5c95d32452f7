"""How long two views of a 1080p frame take, beside a bare z-buffer splat of the same frame.

    python benchmarks/stereo_speed.py [--rounds 20] [--size 1920x1080]

The frame is scikit-image's `motorcycle`, its disparity that of the pair, shrunk to 3 % of the width and to a network's
224 columns. All is timed in turn in one run, the best of the rounds counts: wall clock and processor time in
milliseconds, both as multiples of the splat's. On a machine that does other work, too, processor time divided by the
cores says more than the clock. The splat is one numba thread that rounds every pixel to where it goes, the nearest
wins; its buffers are made anew each time, as the views' are.

Shown are one view, a moved frame with its gaps filled and outlines softened, and all of `make_stereo`: small depth
enlarged, then both views.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.novel_view import motorcycle
from benchmarks.stereo_truth import completed

import unflat
from unflat.geometry.bands import cores
from unflat.geometry.enlarge import enlarged
from unflat.geometry.warp import seen_by
from unflat.stages.make_stereo import make_stereo
from unflat.types.stereo import Rig


@numba.njit
def splat(pixels, disparity, share):
    """Every pixel where it goes, the nearest wins."""
    h, w = disparity.shape
    out = np.zeros_like(pixels)
    near = np.full((h, w), np.float32(-1e9))
    for y in range(h):
        for x in range(w):
            d = disparity[y, x]
            u = round(x + share * d)
            if 0 <= u < w and d > near[y, u]:
                near[y, u] = d
                for k in range(3):
                    out[y, u, k] = pixels[y, x, k]
    return out


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--size", default="1920x1080")
    given = parser.parse_args()
    width, height = (int(n) for n in given.size.split("x"))
    _, left, _, measured = motorcycle()
    pixels = np.asarray(cv2.resize(left, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    inverse = np.asarray(cv2.resize(completed(left, measured), (224, 126), interpolation=cv2.INTER_AREA), np.float32)
    inverse -= inverse.min()
    rig = Rig(0.03 * width / float(inverse.max()), 0.01 * width, width)
    disparity = enlarged(inverse, pixels) * np.float32(rig.gain_px) - np.float32(rig.shift_px)
    half = np.float32(-0.5)
    work: dict[str, Callable[[], object]] = {
        "splat of one view, one thread": lambda: splat(pixels, disparity, half),
        "one view": lambda: seen_by(pixels, disparity, -0.5),
        "small depth enlarged": lambda: enlarged(inverse, pixels),
        "make_stereo, both views": lambda: make_stereo(pixels, inverse, rig),
    }
    best = {name: (np.inf, np.inf) for name in work}
    for turn in range(given.rounds + 1):
        for name, one in work.items():
            wall, busy = time.perf_counter(), time.process_time()
            one()
            wall, busy = time.perf_counter() - wall, time.process_time() - busy
            if turn:
                best[name] = min(best[name][0], 1e3 * wall), min(best[name][1], 1e3 * busy)
    made = float(seen_by(pixels, disparity, -0.5)[1].mean())
    print(f"unflat {unflat.__version__}, {given.size}, {cores()} cores; {made:.1%} of a view is made up")
    base = best["splat of one view, one thread"]
    for name, (wall, busy) in best.items():
        times = f"× {wall / base[0]:.1f}   processor {busy:7.1f} ms × {busy / base[1]:.1f}"
        print(f"{name:32} {wall:7.1f} ms {times}")


if __name__ == "__main__":
    main()
