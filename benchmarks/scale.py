"""Does the stated interval of the scale hold the truth as often as it claims?

Every real metric pair of ../shared/data/depth loses its scale, is scaled again from each clue, and the true factor is
looked for in the stated interval: once with the measured depth itself, once with the depth of the network, for which
the true factor is the median of measured over written depth. "held" should be 0.90; "left out" is the same with the
interval's width refitted on the other sets only.

    python benchmarks/scale.py [--seed 0] [--lengths 40]
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from unflat.errors import InputError
from unflat.geometry.projection import rays
from unflat.models.registry import depth_model
from unflat.stages.scale_to_metres import KnownLength, ScaleOptions, scale_to_metres
from unflat.types import DepthKind, DepthMap, Image, Intrinsics, LensRecord, Scale, Size
from unflat.types.arrays import F32, U8, Bool

LOST = 7.3
"""The factor by which measured depth is divided before its scale is looked for."""
NOMINAL = 0.9


@dataclass(frozen=True)
class Pair:
    """One real picture with its measured depth; ``camera`` is the true one."""

    where: str
    picture: Image
    metres: F32
    measured: Bool
    camera: Intrinsics
    seen: DepthMap
    seen_by: Intrinsics


@dataclass(frozen=True)
class Row:
    """Signed log of true over written scale, and the log half-widths of the stated interval on that side."""

    where: str
    error: float
    half: float
    factor: float

    @staticmethod
    def of(where: str, written: DepthMap, scale: Scale, pair: Pair) -> Row:
        """Look for the true factor of ``written``, the median of measured over written depth."""
        on = pair.measured & written.surface
        error = math.log(float(np.median(pair.metres[on].astype(np.float64) / written.z[on])))
        half = math.log(scale.high) if error > 0 else -math.log(scale.low)
        return Row(where, error, half, math.sqrt(scale.high / scale.low))


def real_pairs(shared: Path) -> Iterator[Pair]:
    """All pairs, with the network's depth at the picture's own size."""
    sys.path.insert(0, str(shared / "data"))
    from pairs import pairs

    model = depth_model("auto")
    for rgb, metres, valid, meta in pairs():
        size = Size(rgb.shape[1], rgb.shape[0])
        given = meta["intrinsics"]
        camera = Intrinsics(*given, size) if given else Intrinsics.from_fov(62, size)
        guess = model.predict(rgb)
        inverse = _enlarged(guess.values, size)
        sky = None if guess.sky is None else _enlarged(guess.sky, size) > 0.5
        sure = None if guess.confidence is None else _enlarged(guess.confidence, size)
        z = np.where(sky, np.inf, 1 / np.maximum(inverse, 1e-3)).astype(np.float32)
        seen = DepthMap(z, DepthKind.SCALE, sky=sky, confidence=sure, intrinsics=camera, origin="network")
        focal = guess.focal_over_long_side
        seen_by = camera if focal is None else Intrinsics.from_focal(focal * size.long_side, size, "model")
        yield Pair(meta["set"], Image(rgb), metres.astype(np.float32), valid, camera, seen, seen_by)


def _enlarged(values: F32, size: Size) -> F32:
    return np.asarray(cv2.resize(values, (size.width, size.height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def true_depth(pair: Pair) -> DepthMap:
    """The measured depth without its scale. Nobody looked for the sky in it; the network's is taken."""
    z = np.where(pair.measured, pair.metres / np.float32(LOST), 1)
    sky = None if pair.seen.sky is None else pair.seen.sky & ~pair.measured
    valid = pair.measured if sky is None else pair.measured | sky
    return DepthMap(z.astype(np.float32), DepthKind.SCALE, valid=valid, sky=sky, intrinsics=pair.camera)


def known_lengths(pair: Pair, count: int, rng: np.random.Generator) -> Iterator[KnownLength]:
    """Random lines between measured pixels, truly measured, then marked with an error of up to one pixel."""
    size = pair.picture.size
    rows, columns = np.nonzero(pair.measured)
    made = 0
    while made < count:
        i, j = rng.integers(0, len(rows), 2)
        ends = np.array([[columns[i], rows[i]], [columns[j], rows[j]]]) + 0.5
        if np.linalg.norm(ends[0] - ends[1]) < 0.1 * size.long_side:
            continue
        z = pair.metres[rows[[i, j]], columns[[i, j]]]
        a, b = rays(ends, pair.camera) * z[:, None]
        marked = np.clip(ends + rng.uniform(-1, 1, (2, 2)), 0, (size.width, size.height))
        made += 1
        yield KnownLength(*marked.ravel().tolist(), metres=float(np.linalg.norm(a - b)))


def focused(pair: Pair, rng: np.random.Generator) -> Image:
    """The picture as if the camera had focused on a random measured pixel of its middle ninth."""
    h, w = pair.metres.shape
    middle = (slice(h // 3, 2 * h // 3), slice(w // 3, 2 * w // 3))
    z = pair.metres[middle][pair.measured[middle]]
    return replace(pair.picture, lens=LensRecord(subject_distance_m=float(rng.choice(z)))) if len(z) else pair.picture


def measure(pair: Pair, lengths: int, rng: np.random.Generator) -> Iterator[tuple[str, Row]]:
    """Every clue, with measured depth and with the network's."""
    guessed = replace(pair.seen, intrinsics=pair.seen_by)
    maps = {"measured depth": true_depth(pair), "network depth": pair.seen, "network depth and focal": guessed}
    known = list(known_lengths(pair, lengths, rng))
    for name, depth in maps.items():
        for length in known:
            try:
                written, scale = scale_to_metres(depth, pair.picture, ScaleOptions(known_length=length))
            except InputError:
                continue
            yield f"known-length, {name}", Row.of(pair.where, written, scale, pair)
        written, scale = scale_to_metres(depth, pair.picture, ScaleOptions())
        yield f"{scale.basis}, {name}", Row.of(pair.where, written, scale, pair)
        for _ in range(lengths // 4):
            written, scale = scale_to_metres(depth, focused(pair, rng), ScaleOptions(familiar=False))
            if scale.basis == "subject-distance":
                yield f"subject-distance, {name}", Row.of(pair.where, written, scale, pair)


def left_out(rows: list[Row], where: str) -> float | None:
    """How often the truth is held in one set when the width is refitted on the other sets."""
    others = defaultdict(list)
    for row in rows:
        if row.where != where:
            others[row.where].append(abs(row.error) / row.half)
    if not others:
        return None
    wider = float(np.mean([np.quantile(values, NOMINAL) for values in others.values()]))
    return float(np.mean([abs(r.error) <= wider * r.half for r in rows if r.where == where]))


def report(title: str, rows: list[Row]) -> None:
    """One table: per set, then the mean over sets."""
    print(f"\n{title}")
    print("  set                  n   held  left out  median width ×÷  median |error| ×÷   bias ×")
    table = []
    for where in sorted({r.where for r in rows}):
        mine = [r for r in rows if r.where == where]
        held = float(np.mean([abs(r.error) <= r.half for r in mine]))
        again = left_out(rows, where)
        width = float(np.median([r.factor for r in mine]))
        error = math.exp(float(np.median([abs(r.error) for r in mine])))
        bias = math.exp(float(np.median([r.error for r in mine])))
        table.append((held, again))
        shown = "-" if again is None else f"{again:.2f}"
        print(f"  {where:16} {len(mine):5d} {held:6.2f} {shown:>9} {width:16.3f} {error:18.3f} {bias:8.3f}")
    again = [a for _, a in table if a is not None]
    print(f"  {'mean over sets':22} {np.mean([h for h, _ in table]):6.2f} {np.mean(again) if again else math.nan:9.2f}")


def faces(shared: Path) -> None:
    """What the finders see in the photographs; who is in them is known only by looking."""
    from unflat.models.familiar import find_familiar

    print("\nfaces and people found in ../shared/data/photos")
    for path in sorted((shared / "data" / "photos").glob("*.*")):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            continue
        rgb: U8 = np.ascontiguousarray(picture[..., ::-1])
        for thing in find_familiar(rgb):
            where = f"at {thing.left:.0f},{thing.top:.0f}"
            print(f"  {path.name:28} {thing.what:7} {thing.width:5.0f}×{thing.height:.0f} {where}")


def main() -> None:
    """Print all tables."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--lengths", type=int, default=40, help="known lengths per picture")
    options = words.parse_args()
    shared = Path(os.environ.get("UNFLAT_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    rng = np.random.default_rng(options.seed)
    rows: dict[str, list[Row]] = defaultdict(list)
    for pair in real_pairs(shared):
        for title, row in measure(pair, options.lengths, rng):
            rows[title].append(row)
    for title in sorted(rows):
        report(title, rows[title])
    faces(shared)


if __name__ == "__main__":
    main()
