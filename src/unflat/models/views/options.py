"""What structure from motion may be told."""

from __future__ import annotations

from dataclasses import dataclass

from unflat.errors import InputError


@dataclass(frozen=True, slots=True)
class ViewsOptions:
    """How pictures are compared and placed.

    Attributes:
        most_features: At most so many features of a picture are used, spread over it.
        longest: Pictures are looked at with their long side at most so many pixels.
        seed: Of all chance; the same seed, pictures and packages give the same cameras.
    """

    most_features: int = 4000
    longest: int = 1600
    seed: int = 0

    def __post_init__(self) -> None:
        if self.most_features < 100:
            raise InputError(
                f"{self.most_features} features a picture are too few to place it", hint="Give 100 or more."
            )
        if self.longest < 160:
            raise InputError(f"pictures of {self.longest} pixels are too small to be placed", hint="Give 160 or more.")
