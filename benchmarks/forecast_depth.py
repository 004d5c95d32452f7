"""What the forecast does for depth: confidence on mirrors and glass, and panes made flat by --reflections surface.

    python benchmarks/forecast_depth.py --shared ../shared/data [--count 200] [--keep FOLDER]

Held-out worlds with exact depth, as in benchmarks/forecast.py. Errors are absolute logarithms of depth after one factor
a picture, taken over what is neither mirror nor glass. Means over the pictures that hold enough of them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.forecast import SETS, apart, pictures
from training.forecast.labels import GLASS_BIT, MIRROR_BIT
from training.worlds.sources import HELP, folder

from unflat.models.forecast import look_ahead
from unflat.stages.estimate_depth import DepthOptions, estimate_depth
from unflat.stages.flatten_panes import flatten_panes
from unflat.stages.forecast import doubtful
from unflat.types.arrays import F32, U8, Bool
from unflat.types.depth import DepthMap
from unflat.types.forecast import Marks
from unflat.types.image import Image

ENOUGH = 0.02
"""Share of the picture that mirrors and glass must fill."""


def error(depth: DepthMap, true: F32, elsewhere: Bool) -> F32:
    """(h, w) absolute logarithm of depth over truth, by one factor; not a number where the truth has no depth."""
    h, w = true.shape
    found = cv2.resize(1 / np.maximum(np.asarray(depth.values), 1e-9), (w, h), interpolation=cv2.INTER_LINEAR)
    known = true > 0
    logs = np.full((h, w), np.nan, np.float32)
    logs[known] = np.log(np.maximum(found[known], 1e-6) * true[known])
    return np.abs(logs - np.nanmedian(logs[elsewhere & known])).astype(np.float32)


def expected(confidence: F32, size: tuple[int, int]) -> F32:
    """The error that a confidence promises: chance of less than a quarter, of errors with a Laplace distribution."""
    large = cv2.resize(np.asarray(confidence), size, interpolation=cv2.INTER_LINEAR)
    return (-np.log(1.25) / np.log(np.clip(1 - large, 1e-6, 1 - 1e-6))).astype(np.float32)


def measured(rgb: U8, bits: U8, true: F32, exact: bool) -> tuple[float, ...] | None:
    """Errors of one picture, or None where it holds too little glass and mirror or too little else.

    exact: take the masks instead of what the network marks.
    """
    tricky = (bits & (MIRROR_BIT | GLASS_BIT)) > 0
    known = true > 0
    if (tricky & known).mean() < ENOUGH or (~tricky & known).mean() < 0.1:
        return None
    seen = estimate_depth(Image(rgb), "worlds", DepthOptions(threads=1)).depth
    marks = look_ahead(rgb, 1)
    if exact:
        marks = Marks(*(part.astype(np.float32) for part in apart(bits)))
    assert seen.confidence is not None
    size = (true.shape[1], true.shape[0])
    before, after = (expected(c, size) for c in (seen.confidence, doubtful(seen.confidence, marks)))
    flat, made, _ = flatten_panes(seen, marks)
    inside, surface = (error(depth, true, ~tricky) for depth in (seen, flat))
    mirror = ((bits & MIRROR_BIT) > 0) & known
    on, off = tricky & known, ~tricky & known
    return (
        float(inside[on].mean() / inside[off].mean()),
        float(before[on].mean() / before[off].mean()),
        float(after[on].mean() / after[off].mean()),
        *(float(e[mirror].mean()) if mirror.mean() > ENOUGH and made else np.nan for e in (inside, surface)),
        *(float(e[on].mean()) if made else np.nan for e in (inside, surface)),
        *(float(e[off].mean()) if made else np.nan for e in (inside, surface)),
    )


def main() -> None:
    """Print the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=folder, metavar="FOLDER", help=HELP)
    parser.add_argument("--count", type=int, default=200, help="pictures to look through (default: 200)")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS[1:], help="of worlds (default: rich in panes)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where worlds were kept")
    parser.add_argument("--choose", action="store_true", help="the validation worlds instead")
    parser.add_argument("--exact", action="store_true", help="exact masks instead of what the network marks")
    given = parser.parse_args()
    names = (
        "error on mirrors and glass over elsewhere", "expected before", "expected after", "mirrors made flat: inside",
        "surface", "all panes where any was made flat: inside", "surface", "elsewhere there: inside", "surface",
    )  # fmt: skip
    for kind in given.sets:
        rows = [
            row
            for rgb, bits, depth in pictures(kind, given)
            if (row := measured(rgb, bits, depth, given.exact)) is not None
        ]
        means, counts = np.nanmean(rows, 0), np.isfinite(rows).sum(0)
        for name, mean, count in zip(names, means, counts, strict=True):
            print(f"{kind} | {name}: {mean:.3f} ({count} pictures)")


if __name__ == "__main__":
    main()
