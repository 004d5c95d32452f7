"""Fill a folder with rendered shards until stopped: `python -m training.paint FOLDER --seed 1 --shared ../shared/data`."""

from __future__ import annotations

import argparse
from pathlib import Path

from training import shards
from training.worlds.sample import stream
from training.worlds.sheet import sources


def main() -> None:
    """Paint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--shared", type=Path, help="folder with CC0 textures/ and hdri/")
    parser.add_argument("--ring", type=int, default=120, help="shards kept")
    parser.add_argument("--count", type=int, default=shards.COUNT, help="pictures in a shard")
    parser.add_argument("--long-side", type=int, default=320)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    tiles, materials = sources(given.shared)
    shards.paint(
        given.folder, stream(given.seed, tiles, materials, given.long_side), given.seed, given.ring, given.count
    )


if __name__ == "__main__":
    main()
