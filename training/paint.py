"""Fill a folder with shards of rendered pictures until stopped.

    python -m training.paint FOLDER --seed 1 --shared ../shared/data

Each process needs a seed of its own. One that is started again goes on where its seed stopped.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path

from training import gallery, shards
from training.worlds.sample import Sample, scenes, stream
from training.worlds.sources import HELP, folder, sources
from training.worlds.trace import render


def while_alive(parent: int, samples: Iterable[Sample]) -> Iterator[Sample]:
    """The samples for as long as this process is the child of `parent`."""
    return takewhile(lambda _: os.getppid() == parent, samples)


def main() -> None:
    """Paint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the shards go; made if it is not there")
    parser.add_argument("--seed", type=int, required=True, help="which pictures")
    parser.add_argument("--shared", type=folder, metavar="FOLDER", help=HELP)
    parser.add_argument("--ring", type=int, default=120, help="shards kept, then the oldest is replaced (default: 120)")
    parser.add_argument(
        "--count", type=int, default=shards.COUNT, help=f"pictures in a shard (default: {shards.COUNT})"
    )
    parser.add_argument(
        "--long-side", type=int, default=320, help="long side of a picture, pixels; a multiple of 16 (default: 320)"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        choices=sorted(scenes()),
        metavar="SCENE",
        help="scenes to paint (default: all)",
    )
    parser.add_argument("--panes", action="store_true", help="worlds rich in mirrors and glass, for the forecast")
    parser.add_argument("--gpu", action="store_true", help="trace on a CUDA GPU")
    parser.add_argument("--parent", type=int, metavar="PID", help="stop when this process is gone")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    tiles, materials = sources(given.shared)
    materials = gallery.hung(tiles, materials)
    draw = render
    if given.gpu:
        from training.worlds.trace_gpu import Gpu

        draw = Gpu(materials)
    _, first = shards.painted(given.folder, given.seed)
    if given.panes:
        from training.forecast.worlds import stream as panes

        samples = panes(given.seed, tiles, materials, given.long_side, draw, first)
    else:
        samples = stream(given.seed, tiles, materials, given.long_side, tuple(given.only), draw, first)
    if given.parent is not None:
        samples = while_alive(given.parent, samples)
    shards.paint(given.folder, samples, given.seed, given.ring, given.count)


if __name__ == "__main__":
    main()
