"""How well mirrors, glass and blank walls are forecast, on worlds with exact masks that no training has seen.

    python benchmarks/forecast.py --shared ../shared/data [--count 600] [--weights forecast.onnx]
    python benchmarks/forecast.py --choose …                  the thresholds, on worlds of another seed
    python benchmarks/forecast.py --photos FOLDER --sheet DIR  findings in real pictures, to look at

Two sets: worlds as they come (as many mirrors as the generator has), and worlds rich in panes and in what looks like
them (training/forecast/worlds). By pixels: share of the true pixels that are marked, share of the marked that are true.
By pictures: a class is there where it covers at least `THERE` of the picture, and told where there is a finding of it;
a picture with less of it, but some, is asked neither way. Truth is defined in training/forecast/labels.py.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from training.forecast.labels import BLANK_BIT, CLASSES, GLASS_BIT, MIRROR_BIT, label
from training.forecast.worlds import stream as panes
from training.gallery import hung
from training.worlds.materials import Tiles
from training.worlds.sample import Sample, stream
from training.worlds.sources import HELP, folder, sources
from training.worlds.trace import Materials

from unflat.models.forecast import CARD, LONG_SIDE, marked
from unflat.models.sessions import open_session
from unflat.models.weights import weights_path
from unflat.stages.forecast import cleared, findings
from unflat.types.arrays import F32, U8
from unflat.types.forecast import Marks

HELD_OUT, VALIDATION = 987_654_321, 424_242_424
"""Seeds that no painter uses; the second chooses thresholds."""
BITS = (MIRROR_BIT, GLASS_BIT, BLANK_BIT)
THERE = (0.01, 0.01, 0.06)
"""Share of the picture from which a class is there."""
SETS = ("as they come", "rich in panes")
LEVELS = np.linspace(0.05, 0.95, 19)
SIDE = 320


def worlds(kind: str, seed: int, tiles: Tiles, materials: Materials) -> Iterator[Sample]:
    """Pictures of one of the two sets."""
    return stream(seed, tiles, materials, SIDE) if kind == "as they come" else panes(seed, tiles, materials, SIDE)


def pictures(kind: str, given: argparse.Namespace) -> Iterator[tuple[U8, U8, F32]]:
    """(rgb, bits of the label, depth) of a set's pictures; drawn now, or as they were kept."""
    seed = VALIDATION if given.choose else HELD_OUT
    folder = given.keep and given.keep / f"{kind.replace(' ', '_')}_{seed}"
    kept = [] if folder is None else [folder / f"{n:04d}.npz" for n in range(given.count)]
    if kept and all(path.exists() for path in kept):
        for path in kept:
            with np.load(path) as one:
                yield one["rgb"], one["bits"], one["depth"].astype(np.float32)
        return
    tiles, materials = sources(given.shared)
    for n, sample in enumerate(islice(worlds(kind, seed, tiles, hung(tiles, materials)), given.count)):
        inverse = np.where(sample.depth > 0, 1 / np.maximum(sample.depth, 1e-3), 0)
        bits = label(sample.rgb, inverse, sample.what)
        if kept:
            kept[n].parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(kept[n], rgb=sample.rgb, bits=bits, depth=sample.depth)
        yield sample.rgb, bits, sample.depth


def apart(bits: U8) -> U8:
    """(3, h, w): 1 where a pixel is of a class."""
    return np.stack([(bits & bit) > 0 for bit in BITS]).astype(np.uint8)


class Tally:
    """True and marked pixels and pictures, summed over a set; (3,) each, pixels for each of `LEVELS` as well."""

    def __init__(self) -> None:
        self.both, self.marked = np.zeros((3, len(LEVELS))), np.zeros((3, len(LEVELS)))
        self.true = np.zeros(3)
        self.told = np.zeros((3, 2, 2), int)  # class, truly there, told

    def add(self, marks: Marks, true: U8) -> None:
        """Count one picture."""
        h, w = true.shape[1:]
        told = {one.trouble for one in findings(marks, None)}
        for k, (name, map_) in enumerate(zip(CLASSES, (marks.mirror, marks.glass, marks.blank), strict=True)):
            guess = cv2.resize(np.asarray(map_), (w, h), interpolation=cv2.INTER_LINEAR)
            self.true[k] += true[k].sum()
            for level, limit in enumerate(LEVELS):
                above = guess >= limit
                self.marked[k, level] += above.sum()
                self.both[k, level] += (above & (true[k] > 0)).sum()
            share = float(true[k].mean())
            if share == 0 or share >= THERE[k]:
                self.told[k, int(share > 0), int(name in told)] += 1

    def rows(self) -> dict[str, dict[str, float]]:
        """Recall and precision by pixels and by pictures, of each class."""
        level = int(np.argmin(np.abs(LEVELS - 0.5)))
        found = {}
        for k, name in enumerate(CLASSES):
            (_, false), (missed, right) = self.told[k]
            found[name] = {
                "pixel recall": self.both[k, level] / max(self.true[k], 1),
                "pixel precision": self.both[k, level] / max(self.marked[k, level], 1),
                "picture recall": right / max(right + missed, 1),
                "picture precision": right / max(right + false, 1),
                "pictures with it": right + missed,
                "pictures without": int(self.told[k, 0].sum()),
            }
        return found

    def chosen(self) -> dict[str, dict[str, float]]:
        """Of each class the level with the best F1 by pixels, and what it gives."""
        recall = self.both / np.maximum(self.true[:, None], 1)
        precision = self.both / np.maximum(self.marked, 1)
        best = (2 * recall * precision / np.maximum(recall + precision, 1e-9)).argmax(1)
        return {
            name: {"threshold": LEVELS[b], "recall": recall[k, b], "precision": precision[k, b]}
            for k, (name, b) in enumerate(zip(CLASSES, best, strict=True))
        }


def drawn(rgb: U8, marks: Marks, words: list[str]) -> U8:
    """The picture beside itself with what is marked coloured: mirrors red, glass green, blank walls blue."""
    scale = 360 / max(rgb.shape[:2])
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    size = (small.shape[1], small.shape[0])
    over: F32 = small.astype(np.float32) * 0.6
    colours = ((marks.mirror, (255, 0, 0)), (marks.glass, (0, 220, 0)), (marks.blank, (0, 80, 255)))
    for map_, colour in colours:
        sure = cv2.resize(np.asarray(map_), size, interpolation=cv2.INTER_LINEAR) >= 0.5
        over[sure] += np.array(colour) * 0.4
    tile = np.full((390, 720, 3), 20, np.uint8)
    tile[: size[1], : size[0]] = small
    tile[: size[1], 360 : 360 + size[0]] = np.clip(over, 0, 255).astype(np.uint8)
    cv2.putText(tile, "; ".join(words)[:110], (4, 382), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 160), 1)
    return tile


def photographs(pictures: Path, session: object, sheet: Path | None) -> None:
    """Print the findings in every picture of a folder; draw them."""
    from unflat.formats.image import read_image
    from unflat.models.depth.worlds import Worlds
    from unflat.stages.estimate_depth import DepthOptions, estimate_depth, over_grey

    tiles = []
    for path in sorted(p for p in pictures.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")):
        image = read_image(path)
        rgb = over_grey(image)
        seen = estimate_depth(image, Worlds.card.name, DepthOptions())
        marks = cleared(marked(session, rgb), seen.sky_probability, image.alpha)  # type: ignore[arg-type]
        found = findings(marks, seen.depth)
        print(path.name)
        for one in found:
            print(f"   {'!' if one.strong else ' '} {one.trouble} {one.confidence:.2f}: {one.text}")
        tiles.append(drawn(rgb, marks, [path.name, *(f"{f.trouble} {f.share:.0%}" for f in found)]))
    for n, start in enumerate(range(0, len(tiles) if sheet else 0, 16)):
        part = tiles[start : start + 16]
        part += [np.zeros_like(part[0])] * (-len(part) % 2)
        rows = [np.concatenate(part[i : i + 2], 1) for i in range(0, len(part), 2)]
        assert sheet is not None
        cv2.imwrite(str(sheet / f"forecast{n}.png"), np.concatenate(rows)[..., ::-1])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, metavar="ONNX", help="default: the shipped ones")
    parser.add_argument("--shared", type=folder, metavar="FOLDER", help=HELP)
    parser.add_argument("--count", type=int, default=600, help="pictures of each set (default: 600)")
    parser.add_argument("--choose", action="store_true", help="choose thresholds on the validation worlds")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, help="of worlds (default: both)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the worlds there, and find them there again")
    parser.add_argument("--long-side", type=int, default=LONG_SIDE, help=f"that the network sees ({LONG_SIDE})")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="findings in real pictures instead")
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help="where contact sheets of these go")
    given = parser.parse_args()
    session = open_session(given.weights or weights_path(CARD), 1, "cpu")
    if given.photos:
        photographs(given.photos, session, given.sheet)
        return
    for kind in given.sets:
        tally = Tally()
        for rgb, bits, _ in pictures(kind, given):
            tally.add(marked(session, rgb, given.long_side), apart(bits))
        for name, row in (tally.chosen() if given.choose else tally.rows()).items():
            print(kind, "|", name, json.dumps({k: round(float(v), 3) for k, v in row.items()}))


if __name__ == "__main__":
    main()
