"""The free material that makes the worlds richer: tileable colour maps and panoramas, both CC0, in one folder.

FOLDER/textures/ambientcg_128.tar holds CATEGORY/NAME.jpg, FOLDER/hdri/hdri.npz linear panoramas. Without them every
pattern and every sky is drawn by noise.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

from training.worlds.materials import Tiles
from training.worlds.sky import Panoramas
from training.worlds.trace import Materials

TILES = Path("textures", "ambientcg_128.tar")
PANORAMAS = Path("hdri", "hdri.npz")
HELP = f"folder with {TILES} and {PANORAMAS} (both CC0); without it, all is drawn by noise"


def folder(text: str) -> Path:
    """The argument of a command that names such a folder."""
    path = Path(text)
    for needed in (TILES, PANORAMAS):
        if not (path / needed).exists():
            raise ArgumentTypeError(f"{path / needed} does not exist")
    return path


def sources(shared: Path | None) -> tuple[Tiles, Materials]:
    """The tiles, and both made ready for the tracer; empty without a folder."""
    tiles = Tiles.read(shared / TILES) if shared else Tiles.none()
    panoramas = Panoramas.read(shared / PANORAMAS) if shared else Panoramas.none()
    return tiles, Materials.of(tiles, panoramas)
