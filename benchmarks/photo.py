"""12-megapixel JPEG -> GLB: wall time over the floor, and peak memory; also a 100-megapixel picture, import and help.

    python benchmarks/photo.py [--runs 5] [--big]

The floor is what nobody can do without, measured in the same process: decode the JPEG, one bare run of the network,
encode one JPEG texture, write the buffers of the model. The network's time is taken off both sides.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np


def photograph(width: int, height: int, path: Path) -> None:
    """A real photograph (scikit-image's coffee) enlarged, with grain, so that the JPEG is as heavy as a camera's."""
    import cv2
    import skimage.data

    rng = np.random.default_rng(1)
    large = cv2.resize(skimage.data.coffee(), (width, height), interpolation=cv2.INTER_CUBIC)
    for top in range(0, height, 512):
        rows = large[top : top + 512]
        rows[:] = np.clip(rows + rng.normal(0, 4, rows.shape).astype(np.float32), 0, 255).astype(np.uint8)
    cv2.imwrite(str(path), large[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])


def best(work: Callable[[], object], runs: int) -> float:
    """The median of some runs, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def floor(source: Path, buffers: bytes, target: Path, runs: int) -> float:
    """Decode, encode one texture, write: without the network, which is taken off both sides."""
    from PIL import Image

    def work() -> None:
        with Image.open(source) as opened:
            pixels = opened.convert("RGB")
        texture = io.BytesIO()
        pixels.save(texture, "JPEG", quality=90)
        target.write_bytes(texture.getvalue() + buffers)

    return best(work, runs)


def fresh(code: str) -> float:
    """The fastest of five fresh interpreters, in seconds, less an empty one."""

    def spend(text: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", text], check=True, capture_output=True)
        return time.perf_counter() - start

    return min(spend(code) for _ in range(5)) - min(spend("pass") for _ in range(5))


def journey(source: Path, target: Path) -> dict[str, float]:
    """One conversion as a user would do it; seconds by stage."""
    import unflat

    result = unflat.photo(source).save(target, options=unflat.ExportOptions(force=True))
    return result.report["seconds"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--big", action="store_true", help="also the 100-megapixel picture, in a process of its own")
    parser.add_argument("--first", action="store_true", help="also the first picture ever, with nothing compiled yet")
    parser.add_argument("--only-big", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.only_big:
            big = Path(folder) / "big.jpg"
            subprocess.run(
                [sys.executable, "-c", _MAKE, str(Path(__file__).parent), str(big), "11600", "8700"], check=True
            )
            journey(big, Path(folder) / "big.glb")
            print(f"100 MP: peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
            return
        table(Path(folder), given.runs)
    if given.first:
        with tempfile.TemporaryDirectory() as cache:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            code = "import skimage.data, unflat; unflat.photo(skimage.data.astronaut()).scene"
            environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
            subprocess.run([sys.executable, "-c", code], check=True, env=environment)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            print(f"the first picture: {after.ru_utime - before.ru_utime:.1f} CPU seconds")
    if given.big:
        subprocess.run([sys.executable, __file__, "--only-big"], check=True)


_MAKE = (
    "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import photo;"
    "photo.photograph(int(sys.argv[3]), int(sys.argv[4]), pathlib.Path(sys.argv[2]))"
)
_HELP = "from unflat.cli.main import run; run(['--help'])"


def table(folder: Path, runs: int) -> None:
    """The 12-megapixel figures."""
    source, target = folder / "a.jpg", folder / "a.glb"
    subprocess.run([sys.executable, "-c", _MAKE, str(Path(__file__).parent), str(source), "4000", "3000"], check=True)
    stages = [journey(source, target) for _ in range(runs + 1)][1:]
    totals = [sum(s.values()) - s["depth"] for s in stages]
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    for name in stages[0]:
        print(f"  {name:8} {1000 * statistics.median(s[name] for s in stages):7.1f} ms")
    least = floor(source, b"\0" * 6_000_000, folder / "floor.bin", runs)
    ours = statistics.median(totals)
    print(f"journey without the network {1000 * ours:.0f} ms, floor {1000 * least:.0f} ms: {ours / least:.2f}×")
    print(f"import unflat {fresh('import unflat'):.3f} s")
    print(f"unflat --help {fresh(_HELP):.3f} s")


if __name__ == "__main__":
    main()
