"""How well frames, mounts, pages and beds around pictures are found, and how often where there are none.

    python benchmarks/frames.py [--each 8] [--sheet OUT.png]

Framed: pictures (scikit-image's, and of ../shared/data/photos those without a frame) with surroundings drawn by formula
(tests/framed.py). Found means: the worst corner lies within 2 % of the long side. Unframed: all photographs and pairs
of ../shared/data, and scikit-image's pictures, as they are.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from unflat.formats.image import read_image
from unflat.stages.crop_frame import FrameOptions, crop_frame
from unflat.types.arrays import U8
from unflat.types.image import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from bundled import PAGES, PHOTOGRAPHS, bundled
from framed import KINDS, framed

SHARED = Path(os.environ.get("UNFLAT_SHARED", Path(__file__).parents[1] / ".." / "shared")) / "data"
SUFFIXES = (".jpg", ".jpeg", ".png")
BUNDLED = (*PHOTOGRAPHS, *PAGES)
NEAR = 0.02


def unframed() -> Iterator[tuple[str, Image]]:
    """(name, picture) of everything that has no frame, as far as anybody knows."""
    for name in BUNDLED:
        yield name, Image(bundled(name))
    folders = [SHARED / "photos", *(p.parent for p in sorted(SHARED.glob("depth/*/manifest.json"))), SHARED / "views"]
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and "depth" not in p.stem):
            yield str(path.relative_to(SHARED)), read_image(path)


def contents() -> list[U8]:
    """Pictures to be framed."""
    made = [
        picture.pixels for name, picture in unframed() if "/" not in name and name not in ("brick", "grass", "gravel")
    ]
    paths = sorted((SHARED / "photos").glob("*.jpg"))[::3]
    return made + [read_image(path).pixels for path in paths if path.name != "rembg_car-1.jpg"]


def framed_ones(each: int) -> list[U8]:
    """Print recall and corner errors by kind; returns cells to look at."""
    pictures, cells, everything = contents(), [], []
    for kind in KINDS:
        errors: list[float] = []
        for seed in range(each):
            made = framed(pictures[(seed * 5 + KINDS.index(kind)) % len(pictures)], kind, 1000 + seed)
            crop = crop_frame(Image(made.pixels), FrameOptions())
            long_side = np.ptp(made.corners, axis=0).max()
            off = np.inf if crop is None else np.linalg.norm(crop.way.corners - made.corners, axis=1).max() / long_side
            errors.append(float(off))
            cells.append(drawn(made.pixels, None if crop is None else crop.way.corners, off < NEAR))
        told(kind, errors)
        everything += errors
    told("all", everything)
    return cells


def told(kind: str, errors: list[float]) -> None:
    """One row."""
    found = [e for e in errors if e < NEAR]
    wrong = sum(NEAR <= e < np.inf for e in errors)
    middle = f"corner error median {np.median(found):.2%}, worst {max(found):.2%}" if found else ""
    print(f"{kind:10} recall {len(found)} of {len(errors)}, wrongly cropped {wrong}  {middle}", flush=True)


def drawn(pixels: U8, corners: np.ndarray | None, right: bool) -> U8:
    """A small picture with what was found."""
    small = pixels.copy()
    if corners is not None:
        colour = (0, 255, 0) if right else (255, 0, 0)
        cv2.polylines(small, [np.round(corners).astype(np.int32)], True, colour, 3)
    factor = 200 / max(small.shape[:2])
    cell = np.zeros((200, 200, 3), np.uint8)
    small = cv2.resize(small, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    cell[: small.shape[0], : small.shape[1]] = small[:200, :200]
    return cell


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=8, help="pictures of every kind")
    parser.add_argument("--sheet", type=Path, metavar="OUT.png", help="draw what was found")
    given = parser.parse_args()
    cells = framed_ones(given.each)
    count = alarms = 0
    begun = time.process_time()
    for name, picture in unframed():
        crop = crop_frame(picture, FrameOptions())
        count += 1
        if crop is not None:
            alarms += 1
            print(
                f"cropped: {name} {picture.size} -> {crop.picture.size}, {'in' if crop.reproduction else 'margins of'}",
                np.round(crop.way.corners).astype(int).tolist(),
                flush=True,
            )
            cells.append(drawn(picture.pixels, crop.way.corners, False))
    seconds = (time.process_time() - begun) / max(count, 1)
    print(f"{alarms} of {count} pictures without a frame were cropped; {seconds:.2f} s of CPU each, reading included")
    if given.sheet:
        cells += [np.zeros_like(cells[0])] * (-len(cells) % given.each)
        rows = [np.hstack(cells[i : i + given.each]) for i in range(0, len(cells), given.each)]
        cv2.imwrite(str(given.sheet), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
