"""Whether bringing back faded colours helps the shipped network to see.

    python benchmarks/aged.py [--px 640]

The real pairs of ../shared/data/depth, as they are and aged by formula: less contrast, a veil, yellowed, with grain;
sepia; black and white; pale and of little grain. Each is looked at as it is and as `shown_to_the_eye` shows it; AbsRel
and delta1 after scale and shift, mean over sets, by the protocol of benchmarks/depth.py. "shown otherwise" counts the
pictures that were changed.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from depth import LONG_SIDE, SHARED, Network, pairs

from unflat.models.weights import CARDS, weights_path
from unflat.stages.see_as_art import ArtOptions, shown_to_the_eye
from unflat.types.arrays import F32, U8
from unflat.types.image import Image, Size

GREY = np.float32([0.3, 0.59, 0.11])


def grained(picture: F32, sigma: float) -> U8:
    """Grain of about a pixel and a half."""
    dice = np.random.default_rng(int(picture.sum()))
    noise = cv2.GaussianBlur(dice.normal(0, 1, picture.shape[:2]).astype(np.float32), (0, 0), 0.7)
    return np.clip(picture + (noise / noise.std() * sigma)[..., None], 0, 255).round().astype(np.uint8)


AGES: dict[str, Callable[[F32], U8]] = {
    "as it is": lambda rgb: rgb.astype(np.uint8),
    "faded": lambda rgb: grained(rgb * 0.38 + np.float32([120, 112, 95]), 3),
    "much faded": lambda rgb: grained(rgb * 0.22 + np.float32([165, 155, 130]), 3),
    "sepia": lambda rgb: grained(((rgb @ GREY) * 0.55 + 70)[..., None] * np.float32([1.05, 0.95, 0.72]), 6),
    "black and white": lambda rgb: grained(np.repeat(((rgb @ GREY) * 0.4 + 95)[..., None], 3, 2), 10),
    "the same, less grain": lambda rgb: grained(np.repeat(((rgb @ GREY) * 0.4 + 95)[..., None], 3, 2), 5),
    "pale sepia": lambda rgb: grained(((rgb @ GREY) * 0.4 + 85)[..., None] * np.float32([1.05, 0.95, 0.72]), 2),
}


def main() -> None:
    """Print a row for every age."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--px", type=int, default=640, help="long side of the aged pictures")
    given = parser.parse_args()
    sys.path.insert(0, str(SHARED))
    from score import score  # pyright: ignore[reportMissingImports]

    eye = Network(Path(str(weights_path(CARDS["worlds"]))), LONG_SIDE)
    rows: dict[tuple[str, str], dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    changed: dict[str, int] = defaultdict(int)
    for name, _, rgb, depth, valid in pairs():
        size = Size(rgb.shape[1], rgb.shape[0]).fitted(given.px)
        small = cv2.resize(rgb, (size.width, size.height), interpolation=cv2.INTER_AREA).astype(np.float32)
        for age, make in AGES.items():
            aged = Image(make(small))
            shown, note = shown_to_the_eye(aged, ArtOptions(style="photo"))
            changed[age] += note is not None
            for way, picture in {"itself": aged, "shown": shown}.items():
                if way == "shown" and note is None:
                    rows[age, way][name].append(rows[age, "itself"][name][-1])
                    continue
                inverse = cv2.resize(eye(picture.pixels).inverse, (rgb.shape[1], rgb.shape[0]))
                rows[age, way][name].append(score(inverse, depth, valid))
    for (age, way), sets in rows.items():
        absrel, delta = np.mean([np.mean(values, 0) for values in sets.values()], 0)
        told = f"shown otherwise: {changed[age]}" if way == "shown" else ""
        print(f"{age:20} {way:7} AbsRel {absrel:.3f}  d1 {delta:.3f}  {told}")


if __name__ == "__main__":
    main()
