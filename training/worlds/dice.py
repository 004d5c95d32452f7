"""Chance, from one generator: numbers, choices, and colours (linear RGB)."""

from __future__ import annotations

from math import exp
from typing import TypeVar

import numpy as np

from training.worlds.materials import Colour

Choice = TypeVar("Choice")


class Dice:
    """What a scene leaves to chance; `rng` is all there is, so one seed makes one scene."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def between(self, low: float, high: float) -> float:
        """A number between, all equally likely."""
        return float(self.rng.uniform(low, high))

    def spread(self, middle: float, ratio: float = 1.3) -> float:
        """A positive number around `middle`; two thirds lie within a factor of `ratio`."""
        return float(middle * exp(self.rng.normal() * np.log(ratio)))

    def chance(self, probability: float) -> bool:
        """True as often as said."""
        return bool(self.rng.random() < probability)

    def seed(self) -> int:
        """A seed for a pattern."""
        return int(self.rng.integers(1, 1 << 15))

    def one_of(self, *choices: Choice) -> Choice:
        """One of the arguments, all equally likely."""
        return choices[int(self.rng.integers(len(choices)))]

    def hue(self, saturation: float = 0.6, value: float | None = None) -> tuple[float, float, float]:
        """Any colour; value is drawn between dark and light unless given."""
        h, v = self.between(0, 6), self.between(0.05, 0.85) if value is None else value
        ramp = np.clip(np.abs((h + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1, 0, 1)
        return tuple(float(x) for x in v * (1 - saturation * (1 - ramp)))  # type: ignore[return-value]

    def near(self, colour: Colour, ratio: float = 1.25, tint: float = 0.08) -> tuple[float, float, float]:
        """A colour like the given one, lighter or darker and a little off in hue."""
        shade = self.spread(1.0, ratio) * np.exp(tint * self.rng.normal(size=3))
        return tuple(float(x) for x in np.clip(np.asarray(colour) * shade, 0.005, 0.95))  # type: ignore[return-value]
