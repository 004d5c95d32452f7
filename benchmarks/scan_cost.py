"""What a scan costs: the recipe that ``unflat scan`` follows, step by step, its processor seconds and memory."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scan_worlds import KeptFilm, known

from unflat.formats.film_write import SegmentWriter
from unflat.pipelines.scan import Scan, ScanOptions
from unflat.pipelines.scan_result import ScanResult
from unflat.types.image import Size

T = TypeVar("T")
_STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def highest() -> float:
    """The most memory held since `forget`, in GB; since the beginning where the system does not tell (not Linux)."""
    if _STATUS.exists():
        rows = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="ascii").splitlines())
        return int(rows["VmHWM"].split()[0]) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def forget() -> None:
    """Begin to look for the most memory anew, where the system can."""
    if FORGET.exists():
        FORGET.write_text("5", encoding="ascii")


@dataclass
class Meter:
    """Steps with their seconds on the clock and of all cores (children's too), and the most memory held meanwhile."""

    rows: list[tuple[str, float, float, float]] = field(default_factory=list)

    def run(self, name: str, what: Callable[[], T]) -> T:
        """Do a step, and say what it cost."""
        forget()
        wall, cpu = time.perf_counter(), _cpu()
        done = what()
        self.rows.append((name, time.perf_counter() - wall, _cpu() - cpu, highest()))
        name, wall, cpu, memory = self.rows[-1]
        print(f"  {name:9} {wall:7.0f} s, {cpu:7.1f} CPU s, {memory:5.2f} GB")
        return done

    def __str__(self) -> str:
        wall, cpu = sum(row[1] for row in self.rows), sum(row[2] for row in self.rows)
        peak = max(row[3] for row in self.rows)
        return f"in all {wall:.0f} s, {cpu:.0f} CPU s ({cpu / 120:.1f} minutes of two cores), {peak:.2f} GB"


def _cpu() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def followed(paths: Sequence[Path], options: ScanOptions, target: Path) -> tuple[ScanResult, Meter]:
    """A scan of films and pictures, written to ``target``, each step measured."""
    meter, run = Meter(), Scan(paths, options)
    result = ScanResult(run)
    steps: list[tuple[str, Callable[[], object]]] = [
        ("frames", lambda: run.stills),
        ("track", lambda: run.tracked),
        ("place", lambda: run.cameras),
        ("dense", lambda: run.depths),
        ("fuse", lambda: run.mesh),
        ("paint", lambda: result.scene),
        ("write", lambda: result.save(target, force=True)),
    ]
    for name, step in steps:
        meter.run(name, step)
    views, taken = len(result.cameras.views), len(run.stills.items)
    print(f"  {views} of {taken} placed, depth of {len(run.pinholes.views)}, {result.scene.triangles} triangles,"
          f" {target.stat().st_size / 1e6:.1f} MB\n  {meter}")  # fmt: skip
    return result, meter


def drawn(film: KeptFilm) -> list[Path]:
    """The frames of a known film as files."""
    for i in range(film.count):
        film.frame(i)
    return [film.folder / f"{i:06d}.png" for i in range(film.count)]


def photographs(count: int, longest: int, options: ScanOptions, target: Path) -> None:
    """A set of photographs of the known room."""
    size = Size(longest, longest * 3 // 4)
    print(f"{count} pictures of {size}")
    followed(drawn(known("room-plain", size, count)), options, target)


def films(counts: Sequence[int], size: Size, options: ScanOptions) -> None:
    """Films of a walk through the known room, and back, and again; the longer ones go on where the shorter ones end."""
    walk = known("room-plain", size)
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "film.mp4"
            _film(walk, count, path)
            print(f"a film of {count} frames of {size}")
            followed([path], options, Path(folder) / "film.glb")


def _film(film: KeptFilm, count: int, path: Path) -> None:
    """The first frames of a known film as a file; there and back where it is shorter."""
    there_and_back = [*range(film.count), *range(film.count - 2, 0, -1)]
    fps = Fraction(film.fps).limit_denominator(1000)
    with SegmentWriter(path, film.lens.intrinsics.size, 1 / (1000 * fps), fps=fps) as writer:
        for i in range(count):
            writer.write(film.frame(there_and_back[i % len(there_and_back)]), i / fps)
