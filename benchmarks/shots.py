"""How well cuts are found, and what is wrongly taken for one.

    python benchmarks/shots.py [--shared ../shared/data] [--each 24] [--seed 0]

Films of two shots are put together from pictures (scikit-image's, and those of ../shared/data/photos) that a camera
pans over or zooms into, joined by a cut, a dissolve, a fade through black, or by a cut in a flickering, grainy film;
and films of one shot with a flash, a whip pan, a light that is switched, somebody who walks by close to the camera.
Found means: a shot begins at the very frame of a cut, within the frames of a dissolve or a fade.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bundled import PHOTOGRAPHS, bundled
from unflat.formats.image import read_image
from unflat.geometry.moments import Moment, planes_of
from unflat.geometry.shots import LOOK_AHEAD, begins_shot, remembered
from unflat.types.arrays import F32, U8

WIDTH, HEIGHT = 320, 192
Shot = list[F32]
Film = tuple[list[F32], tuple[int, int] | None]
"""Frames 0..255, and the first and last frame at which the second shot may begin; None: there is one shot only."""


def shot(picture: U8, frames: int, rng: np.random.Generator, speed: float = 0.006) -> Shot:
    """A camera that pans over a picture, drifts and zooms; speed: widths of the frame in each frame."""
    h, w = picture.shape[:2]
    base = min(w / WIDTH, h / HEIGHT) * 0.75
    angle = rng.uniform(0, 2 * np.pi)
    step = speed * rng.uniform(0.3, 1) * WIDTH * base * np.array([np.cos(angle), np.sin(angle) * 0.5])
    zoom = 1 + rng.uniform(-0.004, 0.004)
    start = np.array([w, h]) / 2 - step * frames / 2
    made = []
    for t in range(frames):
        x, y = start + step * t
        scale = base * zoom**t
        way = np.array([[scale, 0, x - scale * WIDTH / 2], [0, scale, y - scale * HEIGHT / 2]], np.float32)
        flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(picture, way, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REFLECT)
        made.append(seen.astype(np.float32))
    return made


def shrunk(picture: U8) -> U8:
    """At most 640 pixels."""
    factor = min(1.0, 640 / max(picture.shape[:2]))
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def hard(a: Shot, b: Shot, rng: np.random.Generator) -> Film:
    """One shot after the other."""
    return a + b, (len(a), len(a))


def jump(a: Shot, b: Shot, rng: np.random.Generator) -> Film:
    """To another part of the same picture, from nearer."""
    close = [cv2.resize(f[HEIGHT // 8 :, WIDTH // 3 :], (WIDTH, HEIGHT)) for f in a]
    left = [cv2.resize(f[: HEIGHT * 3 // 4, : WIDTH // 2], (WIDTH, HEIGHT)) for f in a]
    return close + left, (len(a), len(a))


def old(a: Shot, b: Shot, rng: np.random.Generator) -> Film:
    """The same, in grey, with grain and a light that flickers."""
    made = []
    for frame in a + b:
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) * rng.uniform(0.85, 1.15) + rng.normal(0, 12, frame.shape[:2])
        made.append(np.repeat(grey[..., None], 3, 2).astype(np.float32))
    return made, (len(a), len(a))


def dissolve(length: int) -> Callable[[Shot, Shot, np.random.Generator], Film]:
    """One shot becomes the other."""

    def way(a: Shot, b: Shot, rng: np.random.Generator) -> Film:
        mixed = [
            x * (1 - s) + y * s
            for x, y, s in zip(a[-length:], b[:length], (np.arange(length) + 1) / (length + 1), strict=True)
        ]
        return a[:-length] + mixed + b[length:], (len(a) - length, len(a))

    return way


def fade(a: Shot, b: Shot, rng: np.random.Generator) -> Film:
    """Through black."""
    down = [x * (1 - (k + 1) / 9) for k, x in enumerate(a[-8:])]
    up = [x * ((k + 1) / 9) for k, x in enumerate(b[:8])]
    black = [np.zeros_like(a[0])] * int(rng.integers(1, 12))
    return a[:-8] + down + black + up + b[8:], (len(a) - 8, len(a) + len(black) + 8)


def flash(a: Shot, b: Shot, rng: np.random.Generator) -> Film:
    """One to three frames are far too bright."""
    at, made = len(a) // 2, list(a)
    for k in range(int(rng.integers(1, 4))):
        made[at + k] = made[at + k] * 0.3 + rng.uniform(150, 255)
    return made, None


def switched(a: Shot, b: Shot, rng: np.random.Generator) -> Film:
    """The light goes down at once."""
    at = len(a) // 2
    return a[:at] + [x * 0.45 for x in a[at:]], None


def passing(a: Shot, b: Shot, rng: np.random.Generator) -> Film:
    """Something large and near goes through the picture."""
    made = []
    for t, frame in enumerate(a):
        left = int((t / len(a) * 2 - 0.8) * WIDTH)
        x = np.arange(WIDTH)[None, :, None]
        inside = (x >= left) & (x < left + int(0.6 * WIDTH))
        made.append(np.where(inside, np.roll(b[0], left, 1) * 0.5, frame).astype(np.float32))
    return made, None


def plain(a: Shot, b: Shot, rng: np.random.Generator) -> Film:
    """Nothing happens."""
    return a, None


KINDS: dict[str, tuple[Callable[[Shot, Shot, np.random.Generator], Film], float]] = {
    "cut": (hard, 0.006), "cut, fast pans": (hard, 0.04), "jump cut": (jump, 0.006), "cut, old film": (old, 0.006),
    "dissolve of 8": (dissolve(8), 0.006), "dissolve of 20": (dissolve(20), 0.006), "fade through black": (fade, 0.006),
    "one shot": (plain, 0.006), "whip pan": (plain, 0.12), "flash": (flash, 0.006), "light switched": (switched, 0.006),
    "passing by": (passing, 0.006),
}  # fmt: skip


def begins(frames: list[F32], rng: np.random.Generator) -> list[int]:
    """The frames at which shots begin, but for the first."""
    blank = planes_of(np.ones((HEIGHT // 2, WIDTH // 2), np.float32), None, None)
    moments: list[Moment] = []
    for frame in frames:
        grain = np.clip(frame + rng.normal(0, 3, frame.shape), 0, 255).astype(np.uint8)
        moments.append(Moment.of(grain, blank, moments[-1] if moments else None))
    coming, before, found = [m.look for m in moments], [], []
    for k, look in enumerate(coming):
        if begins_shot(before, coming[k : k + 1 + LOOK_AHEAD]):
            found.append(k)
            before = []
        before = remembered(before, look)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--shared", type=Path, metavar="FOLDER", help="folder with photos/; without it, only bundled ones"
    )
    parser.add_argument("--each", type=int, default=24, help="films of every kind (default: 24)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="kinds whose name holds this")
    given = parser.parse_args()
    pictures = [bundled(name) for name in PHOTOGRAPHS]
    if given.shared:
        pictures += [read_image(p).pixels for p in sorted((given.shared / "photos").glob("*.jpg"))]
    pictures = [shrunk(p) for p in pictures]
    print("| film | found | too many | films |\n|---|---|---|---|")
    for kind, (make, speed) in KINDS.items():
        if given.only and given.only not in kind:
            continue
        rng = np.random.default_rng([given.seed, len(kind)])
        found = wrong = wanted = 0
        for k in range(given.each):
            one, two = rng.choice(len(pictures), 2, replace=False)
            frames, where = make(shot(pictures[one], 36, rng, speed), shot(pictures[two], 36, rng, speed), rng)
            starts = begins(frames, rng)
            right = [s for s in starts if where and where[0] <= s <= where[1]]
            found, wanted, wrong = found + bool(right), wanted + (where is not None), wrong + len(starts) - bool(right)
            if (where and not right) or len(starts) > bool(right):
                print(f"  {kind} {k}: pictures {one} {two}, begins {starts}, wanted {where}", file=sys.stderr)
        print(f"| {kind} | {f'{found} of {wanted}' if wanted else ''} | {wrong} | {given.each} |", flush=True)


if __name__ == "__main__":
    main()
