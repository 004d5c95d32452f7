"""Known places as films of full size, their frames kept under the temporary folder: drawing them takes minutes.

    python benchmarks/scan_worlds.py [room street thing ...] [--plain] [--look FOLDER]

Each is a ``tests.scan_worlds.KnownFilm``: frames, exact poses, lens, depth and the surface that was seen. ``room`` and
``street`` come with noise, motion blur, a swinging exposure, a pumping focus and someone who walks ahead of the
camera; ``-plain`` after a name leaves all that out.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import scan_draw, scan_places, scan_worlds
from tests.scan_places import FULL, room, street, thing, troubled
from tests.scan_worlds import Array, KnownFilm

from unflat.types.arrays import U8
from unflat.types.image import Size


@dataclass(frozen=True)
class KeptFilm(KnownFilm):
    """A known film whose frames and surface are drawn once and read from then on."""

    @cached_property
    def folder(self) -> Path:
        """By what the frames look like and by the code that draws them."""
        code = [Path(str(m.__file__)).read_text(encoding="utf-8") for m in (scan_draw, scan_places, scan_worlds)]
        what = [self.name, self.lens, self.count, self.trouble, self.figure is None, self.seed, *code]
        key = hashlib.sha256(repr(what).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / "unflat-known-films" / f"{self.name}-{key}"

    def frame(self, i: int) -> U8:
        """(h, w, 3) sRGB."""
        path = self.folder / f"{i:06d}.png"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f"{i:06d}-{os.getpid()}.png")
            cv2.imwrite(str(beside), super().frame(i)[..., ::-1])
            beside.replace(path)
        return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), np.uint8)[..., ::-1].copy()

    def surface(self, spacing: float, step: int = 1, whose: tuple[int, ...] = (0, 1)) -> Array:
        """(n, 3) points of the surface that the frames saw, one in each cube of ``spacing`` metres."""
        path = self.folder / f"surface-{spacing:g}-{step}-{'-'.join(map(str, whose))}.npy"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f"{os.getpid()}.npy")
            np.save(beside, super().surface(spacing, step, whose))
            beside.replace(path)
        return np.load(path)


def known(name: str, size: Size = FULL, count: int = 200) -> KeptFilm:
    """room, street, thing, turntable; with ``-plain`` after it, by a perfect camera and without a walker."""
    base, _, plain = name.partition("-")
    makers = {"room": room, "street": street, "thing": thing, "turntable": lambda s, n: thing(s, n, alone=True)}
    film = makers[base](size, count)
    film = film if plain else troubled(film)
    film = replace(film, name=name)
    return KeptFilm(**{f.name: getattr(film, f.name) for f in film.__dataclass_fields__.values()})


def main() -> None:
    """Draw and keep them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["room", "street", "thing", "turntable"])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--plain", action="store_true", help="by a perfect camera, without a walker")
    parser.add_argument("--look", type=Path, help="write a sheet of each film here")
    given = parser.parse_args()
    for name in given.names:
        film = known(name + "-plain" * given.plain, count=given.count)
        frames = [film.frame(i) for i in range(film.count)]
        print(f"{film.name}: {film.count} frames under {film.folder}")
        if given.look is not None:
            given.look.mkdir(parents=True, exist_ok=True)
            some = [cv2.resize(f, (320, 240)) for f in frames[:: max(1, film.count // 12)][:12]]
            sheet = np.vstack([np.hstack(some[k : k + 4]) for k in range(0, len(some) - len(some) % 4, 4)])
            cv2.imwrite(str(given.look / f"{film.name}.png"), sheet[..., ::-1])


if __name__ == "__main__":
    main()
