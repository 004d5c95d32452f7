"""What structure from motion works on and what it gives: plain numbers, whoever does the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from unflat.models.views.features import Features
from unflat.models.views.match import Match
from unflat.types.arrays import F32, F64, settle
from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.views import Lens, Still

UNKNOWN_FOCAL = 1.2
"""Focal length over the long side where nothing is known: 45 degrees."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A picture as far as its place depends on it.

    Attributes:
        camera: Pictures with the same word here and the same size share their lens.
        size: Of the picture.
        lens: What it tells of its lens, or what was measured before; None where nothing is known.
        xy: (n, 2) float32, its features in pixels.
    """

    camera: str
    size: Size
    lens: Lens | None
    xy: F32

    @property
    def group(self) -> tuple[str, int, int]:
        """The lens that it shares with others."""
        return self.camera, self.size.width, self.size.height


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a reconstruction is made of.

    Attributes:
        taken: The pictures.
        matches: Between them.
        seed: Of all chance.
        focal: To begin with where a picture tells nothing of its lens, in its long sides, by the word for the camera.
        largest_only: Whether further models beside one of more than half of the pictures need not be looked for.
    """

    taken: Sequence[Taken]
    matches: Sequence[Match]
    seed: int
    focal: Mapping[str, float] = field(default_factory=dict[str, float])
    largest_only: bool = False

    @staticmethod
    def of(
        stills: Sequence[Still],
        features: Sequence[Features],
        matches: Sequence[Match],
        seed: int,
        focal: Mapping[str, float],
    ) -> Material:
        """From pictures with their features, and the overlaps between them."""
        taken = [Taken(s.camera, s.size, s.lens, f.xy) for s, f in zip(stills, features, strict=True)]
        return Material(taken, matches, seed, focal)

    def first_lens(self, number: int) -> Lens:
        """The lens that a picture begins with; it says so where it is assumed."""
        one = self.taken[number]
        if one.lens is not None:
            return one.lens
        voice = self.focal.get(one.camera)
        focal = (voice or UNKNOWN_FOCAL) * one.size.long_side
        return Lens(Intrinsics.from_focal(focal, one.size, "assumed" if voice is None else "views"))


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Pictures that fit together, in a frame and unit of their own.

    Attributes:
        pictures: Their numbers, ascending.
        lenses: Of each, as measured.
        camera_from_world: (v, 3, 4) float64.
        xyz: (n, 3) float64 points.
        view: (m,) int64, for each observation the row of its picture here; ascending.
        point: (m,) int64, the row of its point.
        feature: (m,) int64, the number of the picture's feature; ascending within a view.
    """

    pictures: tuple[int, ...]
    lenses: tuple[Lens, ...]
    camera_from_world: F64
    xyz: F64
    view: np.ndarray
    point: np.ndarray
    feature: np.ndarray

    def __post_init__(self) -> None:
        settle(self, "camera_from_world", "float64", (len(self.pictures), 3, 4))
        settle(self, "xyz", "float64", (None, 3))
        settle(self, "view", "int64", (None,))
        settle(self, "point", "int64", (len(self.view),))
        settle(self, "feature", "int64", (len(self.view),))


def largest_first(models: Sequence[Placed]) -> list[Placed]:
    """Those of most pictures first; of as many, those of most points."""
    return sorted(models, key=lambda model: (-len(model.pictures), -len(model.xyz)))
