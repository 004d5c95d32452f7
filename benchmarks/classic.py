"""Old films: how steady depth is, and how much like that of the film when it was new, with and without a clean copy.

    python benchmarks/classic.py [--shared ../shared/data] [--worlds 1] [--frames 24] [--show FOLDER]

Clips: the kitchen, the roller coaster and the running person of ../shared/data/sequences, and held-out worlds that
are panned over and driven past, each aged by tests/aged_films.py: every fault by itself, and all of them. Columns, each
"as it is -> on the copy of stages/restore_film":

    own      temporal error as stabilise_depth reports it (SteadyState.after), % of the range
    true     the same, but followed by the flow of the clean film, on its pixels: what is unsteady cannot hide
    x clean  "true" as a multiple of that of the clean film as it is: at most 1.5 is asked
    off      mean |depth - that of the clean film|, % of its range, one factor for the clip

and the CPU milliseconds of the copy for a frame. The row "clean" shows what the copy does to a film that needs none.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.aged_films import FAULTS, Aged, aged, of_indices

from unflat.geometry.moments import Moment, flicker, reach
from unflat.geometry.steady import Step
from unflat.stages.estimate_depth import DepthOptions, estimate_depth
from unflat.stages.restore_film import Restored, placed, restore_film
from unflat.stages.stabilise_depth import RawDepth, SteadyState, as_inverse, stabilise_depth
from unflat.types.arrays import F32, U8
from unflat.types.clip import TimedFrame
from unflat.types.image import Image

SIDE = 640
SHARED = Path(os.environ.get("UNFLAT_SHARED", Path(__file__).parents[1] / ".." / "shared")) / "data"
ROWS: dict[str, tuple[str, ...]] = {"clean": (), **{fault: (fault,) for fault in FAULTS}, "all": FAULTS}


@dataclass
class Made:
    """The depth of a clip: on the pixels of its frames, and how steady it says it is."""

    inverse: list[F32]
    after: float
    milliseconds: float = 0.0
    copies: list[Restored] | None = None


def real_films(shared: Path, frames: int) -> Iterator[tuple[str, list[U8]]]:
    """Those of the measuring data."""
    import av

    for name, path in (
        ("kitchen", "kitchen_7scenes/kitchen.mp4"),
        ("roller coaster", "videos_vda/rollercoaster.mp4"),
        ("running person", "video_monst3r/lady-running.mp4"),
    ):
        with av.open(str(shared / "sequences" / path)) as film:
            pictures = [f.to_ndarray(format="rgb24") for _, f in zip(range(frames), film.decode(video=0), strict=False)]
        factor = SIDE / max(pictures[0].shape[:2])
        small = (cv2.resize(p, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for p in pictures)
        yield name, [np.asarray(p, np.uint8) for p in small]


def world_clips(shared: Path, count: int, frames: int) -> Iterator[tuple[str, list[U8]]]:
    """Held-out worlds of benchmarks/flicker.py, with the noise of a good camera: a pan and a truck through each."""
    if not count:
        return
    from flicker import world_films
    from training.worlds.sources import sources

    for film in world_films(count, frames, sources(shared)[1]):
        if film.name.endswith(("pan", "truck")):
            yield film.name, film.pictures


def seen(picture: U8) -> RawDepth:
    """What the shipped network sees."""
    return as_inverse(estimate_depth(Image(picture), "worlds", DepthOptions(threads=1)))


def timed(pictures: list[U8]) -> list[TimedFrame]:
    """24 frames a second."""
    return [TimedFrame(picture, Fraction(k, 24), k) for k, picture in enumerate(pictures)]


def plain(pictures: list[U8]) -> Made:
    """Without a copy."""
    state = SteadyState()
    made = list(stabilise_depth(((f, seen(f.pixels)) for f in timed(pictures)), state=state))
    return Made([m.inverse for m in made], state.after)


def on_copies(pictures: list[U8]) -> Made:
    """On the clean copies, brought back to the frames."""
    begun = time.process_time()
    copies = list(restore_film(timed(pictures)))
    spent = 1000 * (time.process_time() - begun) / len(pictures)
    state = SteadyState()
    looked = ((TimedFrame(c.copy, c.frame.time, c.frame.number), seen(c.copy)) for c in copies)
    made = [placed(m, c) for m, c in zip(stabilise_depth(looked, state=state), copies, strict=True)]
    return Made([m.inverse for m in made], state.after, spent, copies)


def steps_of(pictures: list[U8], size: tuple[int, int]) -> list[Step]:
    """The way from every frame but the first to the one before, by the flow of a clean film."""
    before, steps = None, list[Step]()
    for picture in pictures:
        moment = Moment.of(picture, np.ones((*size, 4), np.float32), before)
        steps.append(moment.back)
        before = moment
    return steps[1:]


def on_clean(inverse: F32, moved: F32, width: int) -> F32:
    """Depth of an aged frame on the pixels of the clean one."""
    h, w = inverse.shape
    small = np.column_stack([moved[:, :2], moved[:, 2] * w / width]).astype(np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(inverse, of_indices(small), (w, h), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def true_error(inverse: list[F32], steps: list[Step]) -> float:
    """Mean over the pairs of frames of what is not where the clean film's flow leads, as a share of the range."""
    spans = [reach(i, i > 0) for i in inverse]
    near, far = (float(np.median(v)) for v in zip(*spans, strict=True))
    return float(
        np.mean([flicker(a, b, s, (near, far)) for a, b, s in zip(inverse[:-1], inverse[1:], steps, strict=True)])
    )


def off(found: list[F32], true: list[F32]) -> float:
    """Mean difference with one factor for the clip, as a share of the true range."""
    a, b = np.stack(found), np.stack(true)
    known = (a > 0) & (b > 0)
    near, far = (float(np.median(v)) for v in zip(*[reach(t, t > 0) for t in true], strict=True))
    factor = float(np.median(b[known] / a[known]))
    return float(np.abs(factor * a - b)[known].mean()) / (near - far)


def row(name: str, made: list[Made], film: Aged, clean: Made, steps: list[Step]) -> str:
    """One line of the table."""
    width = film.pictures[0].shape[1]
    back = [[on_clean(i, m, width) for i, m in zip(one.inverse, film.moved, strict=True)] for one in made]
    best = true_error(clean.inverse, steps)
    errors = [true_error(inverse, steps) for inverse in back]
    cells = [
        " -> ".join(f"{100 * one.after:.2f}" for one in made),
        " -> ".join(f"{100 * e:.2f}" for e in errors),
        " -> ".join(f"{e / best:.2f}" for e in errors),
        " -> ".join(f"{100 * off(inverse, clean.inverse):.2f}" for inverse in back),
        f"{made[-1].milliseconds:.0f}",
    ]
    return "| " + " | ".join([name, *cells]) + " |"


def show(folder: Path, name: str, film: Aged, made: list[Made]) -> None:
    """A frame, its copy and their depths; and a column of pixels over time."""
    folder.mkdir(parents=True, exist_ok=True)
    copies = made[-1].copies or []
    k = len(film.pictures) // 2
    h, w = film.pictures[k].shape[:2]
    near = float(np.median([i.max() for i in made[0].inverse]))

    def coloured(inverse: F32) -> U8:
        grey = np.clip(inverse / near * 255, 0, 255).astype(np.uint8)
        return np.asarray(cv2.applyColorMap(cv2.resize(grey, (w, h)), cv2.COLORMAP_TURBO), np.uint8)

    copy = cv2.resize(copies[k].copy, (w, h), interpolation=cv2.INTER_CUBIC)
    rows = [np.hstack([film.pictures[k][..., ::-1], copy[..., ::-1]])]
    rows.append(np.hstack([coloured(one.inverse[k]) for one in made]))
    cv2.imwrite(str(folder / f"{name}.png"), np.vstack(rows))
    strips = [np.stack([i[i.shape[0] // 2] for i in one.inverse]) for one in made]
    cv2.imwrite(str(folder / f"{name}_strip.png"), np.hstack([coloured(s) for s in strips]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED, metavar="FOLDER", help="the measuring data")
    parser.add_argument("--worlds", type=int, default=1, help="held-out worlds (default: 1)")
    parser.add_argument("--frames", type=int, default=24, help="frames of each clip (default: 24)")
    parser.add_argument("--only", nargs="*", default=list(ROWS), choices=list(ROWS), help="these faults")
    parser.add_argument("--clips", nargs="*", default=[], help="only clips whose name holds one of these words")
    parser.add_argument("--show", type=Path, metavar="FOLDER", help="write pictures of copies and depth there")
    given = parser.parse_args()
    clips = real_films(given.shared, given.frames)
    print("| clip, fault | own % | true % | x clean | off % | CPU ms |")
    print("|---|---|---|---|---|---|")
    for clip, pictures in chain(clips, world_clips(given.shared, given.worlds, given.frames)):
        if given.clips and not any(word in clip for word in given.clips):
            continue
        clean = plain(pictures)
        steps = steps_of(pictures, clean.inverse[0].shape)
        for fault in given.only:
            film = aged(pictures, ROWS[fault])
            made = [plain(film.pictures) if ROWS[fault] else clean, on_copies(film.pictures)]
            print(row(f"{clip}, {fault}", made, film, clean, steps), flush=True)
            if given.show:
                show(given.show, f"{clip}_{fault}".replace(" ", "_"), film, made)


if __name__ == "__main__":
    main()
