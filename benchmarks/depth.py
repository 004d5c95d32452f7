"""How well the shipped network sees: real pairs, its confidence, speed, and pictures to look at.

    python benchmarks/depth.py [WEIGHTS.onnx ...] [--long-side 320] [--sheet OUT.png] [--speed]

Real pictures of ../shared/data/depth by the protocol of ../shared/data/score.py (UNFLAT_SHARED names another folder
than ../shared): per set and mean over sets, beside a constant and a vertical ramp. "chosen" are three sets, half of the
pairs, by which weights are chosen; "told" are the other sets, which only report. Several weights are compared side by
side, and each is held against the first by the rule for shipping; none means the shipped ones.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from unflat.models.depth.worlds import LONG_SIDE, look
from unflat.models.sessions import open_session
from unflat.models.weights import CARDS, weights_path
from unflat.types.arrays import F32, U8, Bool

SHARED = Path(os.environ.get("UNFLAT_SHARED", Path(__file__).parents[1] / ".." / "shared")) / "data"
CHOSEN = {"apc_shelf", "kitchen_7scenes", "open3d_rgbd"}
"""Whole sets, for the pictures of one set are often neighbours in one film: 19 of the 38 pairs."""
RISE, FALL = 0.005, 0.03
"""New weights ship when the mean rises by so much and no set falls by more than so much."""
DROPPED = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True)
class Seen:
    """What an eye says of a picture, at the picture's size: inverse depth and how sure it is (higher is surer)."""

    inverse: F32
    sure: F32


Eye = Callable[[U8], Seen]


def constant(rgb: U8) -> Seen:
    """An eye that sees one wall."""
    flat = np.ones(rgb.shape[:2], np.float32)
    return Seen(flat, flat)


def ramp(rgb: U8) -> Seen:
    """An eye that believes below is near."""
    rows = np.linspace(0, 1, rgb.shape[0], dtype=np.float32)[:, None]
    return Seen(np.repeat(rows, rgb.shape[1], 1), np.ones(rgb.shape[:2], np.float32))


class Network:
    """An exported `worlds`, as `unflat.models.depth.worlds` runs it."""

    def __init__(self, path: Path, long_side: int, threads: int = 2) -> None:
        self.session = open_session(path, threads, "cpu")
        self.long_side = long_side

    def __call__(self, rgb: U8) -> Seen:
        """Look as the shipped model does."""
        inverse, _, log_error, _ = look(self.session, rgb, self.long_side)
        full = (rgb.shape[1], rgb.shape[0])
        return Seen(cv2.resize(inverse, full), -cv2.resize(log_error, full))


def pairs() -> Iterator[tuple[str, bool, U8, F32, Bool]]:
    """(set, chosen, rgb, metres, measured) of every real pair."""
    from pairs import pairs as read  # pyright: ignore[reportMissingImports]

    for rgb, depth, valid, meta in read():
        name = str(meta.get("set") or meta.get("folder"))
        yield name, name in CHOSEN, rgb, depth, valid


def judged(eye: Eye) -> list[tuple[str, bool, float, float, float]]:
    """(set, chosen, AbsRel, delta1 after scale and shift, delta1 after scale) of every pair."""
    from score import score  # pyright: ignore[reportMissingImports]

    rows = []
    for name, chosen, rgb, depth, valid in pairs():
        inverse = eye(rgb).inverse
        absrel, delta = score(inverse, depth, valid)
        rows.append((name, chosen, absrel, delta, score(inverse, depth, valid, align="scale")[1]))
    return rows


def mean_over_sets(rows: list[tuple[str, bool, float, float, float]]) -> dict[str, tuple[float, ...]]:
    """Per set, and "mean" over them: AbsRel, delta1, delta1 by scale alone."""
    sets: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for name, _, *figures in rows:
        sets[name].append(tuple(figures))
    table = {k: tuple(np.mean(v, 0)) for k, v in sets.items()}
    return {**table, "mean": tuple(np.mean(list(table.values()), 0))}


def trusted(eye: Eye) -> list[float]:
    """AbsRel (mean over sets) when the least sure shares `DROPPED` are left out; aligned once, on all pixels."""
    sets: dict[str, list[list[float]]] = defaultdict(list)
    for name, _, rgb, depth, valid in pairs():
        seen = eye(rgb)
        keep = valid & (depth > 0)
        d, p, sure = depth[keep].astype(float), seen.inverse[keep].astype(float), seen.sure[keep]
        a = np.stack([p, np.ones_like(p)], 1)
        x = np.linalg.lstsq(a, 1 / d, rcond=None)[0]
        residual = np.abs(a @ x - 1 / d)
        inside = residual <= np.quantile(residual, 0.9)
        x = np.linalg.lstsq(a[inside], 1 / d[inside], rcond=None)[0]
        if x[0] < 0:
            x = np.array([0, (1 / d).mean()])
        error = np.abs(1 / np.maximum(a @ x, 1 / d.max()) - d) / d
        order = np.argsort(-sure, kind="stable")
        sets[name].append([float(error[order[: max(1, int(len(d) * (1 - s)))]].mean()) for s in DROPPED])
    return list(np.mean([np.mean(v, 0) for v in sets.values()], 0))


def speed(path: Path) -> str:
    """Milliseconds at 512×384 with two threads; the median of many."""
    network = Network(path, 512)
    picture = np.random.default_rng(0).integers(0, 255, (1, 384, 512, 3), np.uint8)
    times = []
    for _ in range(15):
        begun = time.perf_counter()
        network.session.run(None, {"rgb": picture})
        times.append(time.perf_counter() - begun)
    return f"{1000 * float(np.median(times)):.0f} ms at 512×384, two threads ({os.getloadavg()[0]:.1f} load)"


def sheet(eye: Eye, out: Path) -> None:
    """Write every photograph of ../shared/data/photos beside its inverse depth."""
    cells = []
    for path in sorted((SHARED / "photos").rglob("*")):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.suffix.lower() in {".jpg", ".jpeg", ".png"} else None
        if picture is None:
            continue
        inverse = eye(np.ascontiguousarray(picture[..., ::-1])).inverse
        grey = np.clip(inverse / np.quantile(inverse, 0.99), 0, 1) * 255
        both = [
            cv2.resize(x, (200, 150), interpolation=cv2.INTER_AREA)
            for x in (picture, cv2.applyColorMap(grey.astype(np.uint8), cv2.COLORMAP_INFERNO))
        ]
        cells.append(np.concatenate(both, 1))
    cells += [np.zeros_like(cells[0])] * (-len(cells) % 4)
    rows = [np.concatenate(cells[i : i + 4], 1) for i in range(0, len(cells), 4)]
    if not cv2.imwrite(str(out), np.concatenate(rows)):
        raise SystemExit(f"{out} could not be written")


def shown(name: str, rows: list[tuple[str, bool, float, float, float]]) -> None:
    """Print the table of an eye."""
    print(f"\n{name}")
    chosen, told = [r for r in rows if r[1]], [r for r in rows if not r[1]]
    for part, some in (("all", rows), ("chosen", chosen), ("told", told)):
        table = mean_over_sets(some)
        listed = table.items() if part == "all" else [("mean", table["mean"])]
        for where, (absrel, delta, alone) in listed:
            print(f"  {part:7} {where:18} AbsRel {absrel:.3f}  d1 {delta:.3f}  d1 by scale alone {alone:.3f}")


def verdict(
    before: list[tuple[str, bool, float, float, float]], after: list[tuple[str, bool, float, float, float]]
) -> str:
    """Whether weights may take the place of others, in words."""
    old, new = (mean_over_sets(rows) for rows in (before, after))
    rise = new["mean"][1] - old["mean"][1]
    worst, fall = min(((k, new[k][1] - old[k][1]) for k in old if k != "mean"), key=lambda change: change[1])
    may = "ships" if rise >= RISE and fall >= -FALL else "does not ship"
    return f"{may}: mean d1 {rise:+.3f} (needs {RISE:+.3f}), least {worst} {fall:+.3f} (may be {-FALL:+.3f})"


def given_weights(parser: argparse.ArgumentParser, weights: list[Path]) -> list[Path]:
    """The weights to judge: those named, which must exist, or the shipped ones."""
    for path in weights:
        if not path.is_file():
            parser.error(f"{path} does not exist")
    return weights or [Path(str(weights_path(CARDS["worlds"])))]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="*", type=Path, metavar="WEIGHTS", help="default: the shipped ones")
    parser.add_argument(
        "--long-side", type=int, default=LONG_SIDE, help=f"of the picture the network sees (default: {LONG_SIDE})"
    )
    parser.add_argument(
        "--sheet", type=Path, metavar="OUT.png", help="draw what the last weights see in ../shared/data/photos"
    )
    parser.add_argument("--speed", action="store_true", help="also measure the time of a picture")
    given = parser.parse_args()
    files = given_weights(parser, given.weights)
    if not (SHARED / "pairs.py").is_file():
        parser.error(f"{SHARED / 'pairs.py'} does not exist; UNFLAT_SHARED names the folder above data/")
    sys.path.insert(0, str(SHARED))
    eyes: dict[str, Any] = {"constant": constant, "ramp": ramp}
    eyes |= {str(path): Network(path, given.long_side) for path in files}
    results = {name: judged(eye) for name, eye in eyes.items()}
    for name, rows in results.items():
        shown(name, rows)
    for path in files[1:]:
        print(f"\n{path} in the place of {files[0]} {verdict(results[str(files[0])], results[str(path)])}")
    for path in files:
        eye = eyes[str(path)]
        errors = trusted(eye)
        print(
            f"\n{path}: AbsRel without the least sure",
            *(f"{s:.0%} {e:.3f} ({e / errors[0] - 1:+.0%})" for s, e in zip(DROPPED, errors, strict=True)),
        )
        if given.speed:
            print(f"{path}: {speed(path)}")
    if given.sheet:
        sheet(eyes[str(files[-1])], given.sheet)


if __name__ == "__main__":
    main()
