"""Photographs cropped to 70 % and extended again, beside edges repeated and mirrored: SSIM and PSNR outside the crop.

    python benchmarks/extend.py FOLDER [--long-side 640] [--sheet DIR]

Depth is looked for in the crop alone. Pictures with alpha are cut-outs, which have no border, and are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from skimage.metrics import structural_similarity

from unflat.formats.image import read_image
from unflat.pipelines.photo import photo
from unflat.stages.extend_picture import ExtendOptions, extend_picture
from unflat.types.arrays import U8

KEPT = 0.7
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".heic", ".avif")


def score(truth: U8, made: U8, left: int, top: int) -> tuple[float, float]:
    """SSIM and PSNR (dB) of the pixels outside the crop."""
    h, w = truth.shape[:2]
    outside = np.ones((h, w), np.bool_)
    outside[top : h - top, left : w - left] = False
    found: tuple[Any, ...] = structural_similarity(truth, made, channel_axis=2, full=True, data_range=255)
    similar = np.asarray(found[1])
    error = float(np.mean((truth[outside].astype(np.float64) - made[outside]) ** 2))
    return float(similar.mean(axis=2)[outside].mean()), float(10 * np.log10(255**2 / max(error, 1e-9)))


def tried(truth: U8) -> tuple[dict[str, U8], int, int]:
    """The cropped picture extended again in three ways, and how much was cropped left and above."""
    h, w = truth.shape[:2]
    left, top = round((1 - KEPT) / 2 * w), round((1 - KEPT) / 2 * h)
    crop = np.ascontiguousarray(truth[top : h - top, left : w - left])
    result = photo(crop)
    wide, _ = extend_picture(result.picture, result.depth, ExtendOptions(1.15 * (1 / KEPT - 1) / 2))
    x, y = (wide.size.width - w) // 2, (wide.size.height - h) // 2
    room = top, top, left, left
    made = {
        "ours": np.ascontiguousarray(wide.pixels[y : y + h, x : x + w]),
        "edge": np.asarray(cv2.copyMakeBorder(crop, *room, cv2.BORDER_REPLICATE), np.uint8),
        "mirror": np.asarray(cv2.copyMakeBorder(crop, *room, cv2.BORDER_REFLECT), np.uint8),
    }
    assert all(np.array_equal(one[top : h - top, left : w - left], crop) for one in made.values())
    return made, left, top


def main() -> None:
    """Print a row for every picture, and the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--long-side", type=int, default=640, help="of the pictures, in pixels")
    parser.add_argument("--sheet", type=Path, help="folder for the picture beside what was made of it")
    given = parser.parse_args()
    rows: list[list[tuple[float, float]]] = []
    for path in sorted(p for p in given.folder.iterdir() if p.suffix.lower() in SUFFIXES):
        picture = read_image(path)
        if picture.alpha is not None:
            continue
        size = picture.size.fitted(given.long_side)
        truth = np.asarray(
            cv2.resize(picture.pixels, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8
        )
        made, left, top = tried(truth)
        scores = [score(truth, one, left, top) for one in made.values()]
        rows.append(scores)
        told = "   ".join(f"{name} {s:.3f} {d:4.1f} dB" for name, (s, d) in zip(made, scores, strict=True))
        print(f"{path.name[:30]:30} {told}", flush=True)
        if given.sheet:
            given.sheet.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(given.sheet / f"{path.stem}.png"), np.hstack([truth, *made.values()])[..., ::-1])
    table = np.array(rows)
    means = table.mean(axis=0)
    wins = (table[:, :1, 0] > table[:, 1:, 0]).sum(axis=0)
    for name, (similar, db) in zip(("ours", "edge", "mirror"), means, strict=True):
        print(f"mean {name:7} SSIM {similar:.4f}  {db:.2f} dB")
    print(f"of {len(table)} pictures ours has the higher SSIM than edge in {wins[0]}, than mirror in {wins[1]}")


if __name__ == "__main__":
    main()
