"""How many faces are found, and what else is taken for one: ../shared/data/photos, marked by hand.

    python benchmarks/people.py [FILM …]

With films it tells of each who was followed through it, and CPU seconds a frame. Without any it

prints recall by kind of face, every miss, what was found where nobody was marked, and CPU seconds for each picture, and
for one of 12 megapixels that holds a dozen of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from unflat.formats.film_read import open_clip
from unflat.formats.image import read_image
from unflat.models.faces.finder import absent, find_people
from unflat.stages.follow_people import follow_people
from unflat.types.arrays import U8
from unflat.types.people import Sighting

ROOT = Path(__file__).parents[1]
PHOTOS = Path(os.environ.get("UNFLAT_SHARED", ROOT / ".." / "shared")) / "data" / "photos"
MARKED = ROOT / "tests" / "data" / "faces_by_hand.json"
Box = tuple[float, float, float, float]


def finds(seen: Sighting, box: Box) -> bool:
    """Whether what was seen is the face in the box: its middle is in it, and it covers half of it."""
    left, top, width, height = box
    inside = 0 <= seen.left + seen.width / 2 - left <= width and 0 <= seen.top + seen.height / 2 - top <= height
    wide = min(seen.left + seen.width, left + width) - max(seen.left, left)
    high = min(seen.top + seen.height, top + height) - max(seen.top, top)
    return (
        inside and wide > 0 and high > 0 and wide * high > 0.5 * width * height and seen.width < 3 * max(width, height)
    )


def montage(pictures: dict[str, U8]) -> U8:
    """12 megapixels of pictures side by side, people first."""
    canvas, x, y, row = np.zeros((3000, 4000, 3), np.uint8), 0, 0, 0
    for picture in [*pictures.values()] * 3:
        height, width = picture.shape[:2]
        if x >= canvas.shape[1]:
            x, y, row = 0, y + row, 0
        part = picture[: max(canvas.shape[0] - y, 0), : canvas.shape[1] - x]
        canvas[y : y + part.shape[0], x : x + part.shape[1]] = part
        x, row = x + width, max(row, height)
    return canvas


def followed(film: Path) -> None:
    """Who was followed through a film."""
    start = time.process_time()
    traces = follow_people(open_clip(film))
    seconds = (time.process_time() - start) / traces.frames
    print(f"{film.name}: {traces.frames} frames, {seconds:.3f} s CPU each, at most {len(traces.most.seen)} at once")
    for trace in traces.traces:
        last, box = trace.first + len(trace.boxes) - 1, trace.boxes[len(trace.boxes) // 2]
        print(f"  {trace.part} in frames {trace.first} to {last}, in the middle one at {np.round(box).tolist()}")


def main(photos: Path) -> None:
    """Measure and print."""
    if (reason := absent()) is not None:
        raise SystemExit(reason)
    told = defaultdict[str, list[bool]](list)
    shown, seconds, wrong, misses = dict[str, U8](), list[float](), list[str](), list[str]()
    for name, marked in json.loads(MARKED.read_text(encoding="utf-8"))["pictures"].items():
        if hashlib.sha256((photos / name).read_bytes()).hexdigest() != marked["sha256"]:
            raise SystemExit(f"{name} is not the picture that was marked")
        pixels = read_image(photos / name).pixels
        find_people(pixels[:64, :64])
        start = time.process_time()
        people = find_people(pixels)
        seconds.append(time.process_time() - start)
        boxes: list[Box] = [tuple(face["box"]) for face in marked["faces"]]
        for face, box in zip(marked["faces"], boxes, strict=True):
            told[face["kind"]].append(any(finds(seen, box) for seen in people.faces))
            if not told[face["kind"]][-1]:
                misses.append(f"{face['kind']:8} {name} {face['box']} {face.get('note', '')}")
        alarms = [seen for seen in people.faces if not any(finds(seen, box) for box in boxes)]
        bodies = sum(seen.part == "body" for seen in people.seen)
        if alarms or bodies:
            where = [(round(s.left), round(s.top), round(s.width), round(s.score, 2)) for s in alarms]
            wrong.append(f"{name}: {len(alarms)} faces that were not marked {where}, {bodies} bodies")
        if any(face["kind"] in ("frontal", "turned") for face in marked["faces"]) or not boxes:
            shown[name] = pixels
    for kind, found in told.items():
        print(f"{kind:8} {sum(found)} of {len(found)}: recall {sum(found) / len(found):.2f}")
    print("missed:", *misses, sep="\n  ")
    print("found beside:", *wrong, sep="\n  ")
    print(f"CPU seconds a picture: median {np.median(seconds):.2f}, most {max(seconds):.2f}")
    large = montage(shown)
    start, wall = time.process_time(), time.perf_counter()
    find_people(large)
    print(f"12 megapixels: {time.process_time() - start:.2f} s CPU, {time.perf_counter() - wall:.2f} s wall")


if __name__ == "__main__":
    for path in sys.argv[1:]:
        followed(Path(path))
    if len(sys.argv) == 1:
        main(PHOTOS)
