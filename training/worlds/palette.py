"""Materials at random, but believable ones; colours are linear RGB, sizes metres."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.worlds.dice import Dice
from training.worlds.materials import Colour, Material, Pattern, Tiles


class Palette(Dice):
    """Hands out materials, and with them all that a scene leaves to chance."""

    def __init__(self, rng: np.random.Generator, tiles: Tiles | None = None) -> None:
        super().__init__(rng)
        self.tiles = tiles if tiles is not None else Tiles.none()

    def tiled(self, material: Material, *categories: str, size: float, tinted: float | None = None) -> Material:
        """The material drawn with a map of one of the categories, where such maps are at hand (most of the time)."""
        have = [self.tiles.categories[c] for c in categories if c in self.tiles.categories]
        if not have or self.chance(0.15):
            return material
        tile = int(self.rng.choice(np.concatenate(have)))
        tint = float(self.rng.choice([0.0, 0.0, self.between(0, 1)])) if tinted is None else tinted
        return replace(material, tile=tile, tile_size=self.spread(size), tinted=tint)

    def paint(self, colour: Colour | None = None, shine: float | None = None) -> Material:
        """A painted or plastic surface, plain."""
        c = self.hue(self.between(0, 0.8)) if colour is None else self.near(colour, 1.1, 0.03)
        return Material(
            c,
            self.near(c),
            shine=self.between(0.02, 0.3) if shine is None else shine,
            gloss=self.between(0.2, 0.8),
            seed=self.seed(),
        )

    def wall(self) -> Material:
        """Plaster, wallpaper or paint of a room's wall, mostly light."""
        c = self.hue(self.between(0, 0.3), self.between(0.35, 0.85))
        if self.chance(0.55):
            return Material(c, self.near(c, 1.05), "clouds", self.spread(1.5), shine=0.02, seed=self.seed())
        if self.chance(0.4):
            return Material(
                c,
                self.near(c, 1.2),
                self.one_of("stripes", "dots", "checks", "leaves"),
                self.spread(6),
                seed=self.seed(),
            )
        return self.tiled(
            Material(c, self.near(c), seed=self.seed()),
            "Plaster",
            "Wallpaper",
            "Paint",
            "Concrete",
            "Bricks",
            "Clay",
            "WoodSiding",
            "Tiles",
            size=1.2,
        )

    def wood(self, colour: Colour | None = None) -> Material:
        """A board of wood, from pale pine to dark walnut; the grain runs along v."""
        c = self.near(
            colour or self.one_of((0.45, 0.28, 0.14), (0.2, 0.1, 0.05), (0.62, 0.45, 0.27), (0.08, 0.045, 0.03))
        )
        base = Material(
            c,
            self.near(tuple(0.6 * x for x in c), 1.1),
            "grain",
            self.spread(30),
            shine=self.between(0, 0.3),
            gloss=self.between(0.3, 0.8),
            seed=self.seed(),
        )
        return self.tiled(base, "Wood", "Planks", "Bamboo", "Chipboard", size=0.7) if self.chance(0.6) else base

    def parquet(self) -> Material:
        """A floor indoors: boards, tiles, stone, carpet."""
        c = self.near(self.one_of((0.4, 0.25, 0.13), (0.5, 0.45, 0.4), (0.3, 0.28, 0.26), (0.6, 0.55, 0.5)))
        kind: Pattern = self.one_of("planks", "planks", "tiles", "checks", "speckle", "clouds")
        base = Material(
            c,
            self.near(c, 1.5),
            kind,
            {"planks": 7.0, "tiles": 3.0, "checks": 3.0}.get(kind, self.spread(12)),
            shine=self.between(0, 0.35),
            gloss=self.between(0.3, 0.9),
            seed=self.seed(),
        )
        return self.tiled(
            base,
            "WoodFloor",
            "Planks",
            "Tiles",
            "Carpet",
            "Marble",
            "Terrazzo",
            "Tatami",
            "Granite",
            "Concrete",
            size=1.2,
        )

    def fabric(self, colour: Colour | None = None) -> Material:
        """Cloth: clothes, upholstery, curtains."""
        c = self.hue(self.between(0, 0.75)) if colour is None else self.near(colour)
        kind: Pattern = (
            "clouds" if self.chance(0.55) else self.one_of("stripes", "checks", "dots", "plain", "leaves", "print")
        )
        second = self.near(c, 1.1) if kind == "clouds" else self.hue(self.between(0, 0.6))
        base = Material(
            c, second, kind, self.spread(25, 1.8), shine=0.02, bump=self.between(0, 0.002), seed=self.seed()
        )
        return self.tiled(base, "Fabric", "Carpet", size=0.3, tinted=self.between(0, 1)) if self.chance(0.4) else base

    def leather(self) -> Material:
        """Leather or a shoe."""
        c = self.near(self.one_of((0.05, 0.03, 0.02), (0.2, 0.1, 0.05), (0.02, 0.02, 0.02), (0.5, 0.4, 0.3)))
        return Material(c, self.near(c), "clouds", 40, shine=self.between(0.05, 0.3), gloss=0.5, seed=self.seed())

    def metal(self, colour: Colour | None = None) -> Material:
        """Steel, brass, aluminium."""
        c = self.near(colour or self.one_of((0.6, 0.6, 0.62), (0.35, 0.35, 0.36), (0.65, 0.5, 0.25), (0.1, 0.1, 0.1)))
        return Material(
            c,
            self.near(c),
            "clouds",
            self.spread(10),
            shine=self.between(0.4, 0.9),
            gloss=self.between(0.4, 0.95),
            metal=True,
            seed=self.seed(),
        )

    def ceramic(self) -> Material:
        """Glazed ware: cups, plates, vases, bathrooms."""
        c = self.hue(self.between(0, 0.7)) if self.chance(0.5) else self.near((0.75, 0.73, 0.7), 1.1, 0.02)
        kind: Pattern = "plain" if self.chance(0.6) else self.one_of("dots", "stripes", "clouds", "leaves", "speckle")
        return Material(
            c,
            self.hue(),
            kind,
            self.spread(40),
            shine=self.between(0.2, 0.5),
            gloss=self.between(0.7, 0.98),
            seed=self.seed(),
        )

    def skin(self) -> Material:
        """Skin, of all complexions."""
        tone = self.between(0, 1)
        c = np.array([0.72, 0.44, 0.32]) * (1 - tone) + np.array([0.09, 0.042, 0.025]) * tone
        return Material(
            self.near(tuple(c), 1.08, 0.04),
            self.near(tuple(c * 0.9), 1.08, 0.04),
            "clouds",
            14,
            shine=0.06,
            gloss=0.35,
            seed=self.seed(),
        )

    def hair(self) -> Material:
        """Hair, black to white; also fur when coloured so."""
        c = self.near(
            self.one_of(
                (0.012, 0.01, 0.009), (0.05, 0.025, 0.012), (0.2, 0.1, 0.04), (0.45, 0.3, 0.13), (0.5, 0.5, 0.5)
            )
        )
        return Material(
            c, self.near(tuple(0.45 * x for x in c)), "strands", 60, shine=0.12, gloss=0.4, bump=0.002, seed=self.seed()
        )

    def fur(self, colour: Colour | None = None) -> Material:
        """An animal's coat: plain, spotted, striped."""
        c = self.near(
            colour
            or self.one_of(
                (0.3, 0.17, 0.07), (0.03, 0.025, 0.02), (0.55, 0.45, 0.33), (0.6, 0.58, 0.55), (0.42, 0.2, 0.06)
            )
        )
        kind: Pattern = self.one_of("strands", "strands", "strands", "clouds", "stripes", "dots", "marble")
        second = self.near(self.one_of((0.02, 0.02, 0.02), tuple(0.5 * x for x in c), (0.6, 0.58, 0.54)), 1.2)
        return Material(
            c, second, kind, self.spread(60 if kind == "strands" else 9, 1.6), shine=0.03, bump=0.003, seed=self.seed()
        )

    def leaf(self) -> Material:
        """Foliage as a surface with holes: put it on loose blobs or cards."""
        c = (
            np.array([0.09, 0.2, 0.04])
            * self.spread(1, 1.5)
            * np.array([self.between(0.6, 2.2), 1, self.between(0.5, 1.4)])
        )
        return Material(
            tuple(np.clip(c, 0.01, 0.8)),
            tuple(np.clip(c * 0.35, 0.004, 0.5)),
            "leaves",
            self.spread(14, 1.5),
            shine=0.05,
            gloss=0.4,
            holes=self.between(0.3, 0.6),
            bump=0.02,
            seed=self.seed(),
        )

    def bark(self) -> Material:
        """A trunk."""
        c = self.near((0.16, 0.11, 0.075), 1.5)
        return self.tiled(
            Material(c, self.near(tuple(0.4 * x for x in c)), "grain", 14, bump=0.01, seed=self.seed()),
            "Bark",
            size=0.6,
        )

    def grass(self) -> Material:
        """A meadow, a lawn, dry steppe."""
        c = self.near(self.one_of((0.12, 0.2, 0.04), (0.08, 0.16, 0.03), (0.35, 0.3, 0.12)), 1.3)
        base = Material(
            c, self.near(tuple(0.5 * x for x in c)), "clouds", self.spread(6, 1.8), bump=0.02, seed=self.seed()
        )
        return self.tiled(base, "Grass", "Ground", "Moss", "ScatteredLeaves", size=1.5, tinted=self.between(0, 0.5))

    def soil(self) -> Material:
        """Earth, sand, gravel, snow, rock underfoot."""
        c = self.near(self.one_of((0.25, 0.17, 0.1), (0.5, 0.42, 0.3), (0.3, 0.29, 0.27), (0.75, 0.77, 0.8)), 1.2)
        base = Material(c, self.near(c, 1.4), "clouds", self.spread(3, 2), bump=0.02, seed=self.seed())
        return self.tiled(base, "Ground", "Gravel", "Rocks", "Snow", "ScatteredLeaves", "PineNeedles", size=1.5)

    def rock(self) -> Material:
        """Cliffs and boulders."""
        c = self.near(self.one_of((0.3, 0.28, 0.26), (0.4, 0.3, 0.2), (0.15, 0.15, 0.16)), 1.3)
        return self.tiled(
            Material(c, self.near(c, 1.6), "clouds", self.spread(2, 2), bump=0.03, seed=self.seed()),
            "Rock",
            "Rocks",
            size=2,
        )

    def asphalt(self) -> Material:
        """A road."""
        c = self.near(self.one_of((0.06, 0.06, 0.065), (0.16, 0.155, 0.15), (0.3, 0.29, 0.27)), 1.2, 0.03)
        return self.tiled(
            Material(
                c,
                self.near(c, 1.2, 0.02),
                "clouds",
                self.spread(3, 2),
                shine=self.between(0, 0.15),
                gloss=0.4,
                seed=self.seed(),
            ),
            "Asphalt",
            "Road",
            "Concrete",
            size=3,
        )

    def paving(self) -> Material:
        """Pavements, squares, yards."""
        c = self.near((0.35, 0.33, 0.3), 1.3)
        return self.tiled(
            Material(c, self.near(c, 1.4), self.one_of("tiles", "bricks"), self.spread(2.5), seed=self.seed()),
            "PavingStones",
            "Concrete",
            "Tiles",
            "Gravel",
            size=2,
        )

    def masonry(self) -> Material:
        """The wall of a house from outside: brick, plaster, stone, boards."""
        c = self.near(
            self.one_of((0.35, 0.13, 0.08), (0.6, 0.55, 0.45), (0.4, 0.38, 0.36), (0.7, 0.68, 0.65), (0.5, 0.35, 0.2))
        )
        kind: Pattern = self.one_of("bricks", "clouds", "plain", "tiles", "planks")
        base = Material(
            c, self.near(c, 1.4), kind, {"bricks": 6.0, "planks": 6.0}.get(kind, self.spread(1.5)), seed=self.seed()
        )
        return self.tiled(
            base,
            "Bricks",
            "Concrete",
            "Plaster",
            "WoodSiding",
            "Rock",
            "Marble",
            "Travertine",
            "CorrugatedSteel",
            size=2,
        )

    def roofing(self) -> Material:
        """Roof tiles, slate, thatch, sheet."""
        c = self.near(self.one_of((0.3, 0.1, 0.06), (0.1, 0.1, 0.12), (0.2, 0.15, 0.1)))
        return self.tiled(
            Material(c, self.near(tuple(0.5 * x for x in c)), "bricks", 4, seed=self.seed()),
            "RoofingTiles",
            "ThatchedRoof",
            "CorrugatedSteel",
            size=1.5,
        )

    def printed(self) -> Material:
        """Paper, packaging, labels, signs: marks on a ground."""
        light = self.near((0.75, 0.73, 0.68), 1.1) if self.chance(0.6) else self.hue(0.7)
        return Material(
            light,
            self.hue(0.5, self.between(0.01, 0.3)),
            "print",
            self.spread(60, 1.6),
            shine=self.between(0, 0.3),
            gloss=0.6,
            seed=self.seed(),
        )

    def picture(self) -> Material:
        """A made-up picture (painting, poster, screen, cover); the part's uv must run from 0 to 1."""
        return Material(
            self.hue(0.7), self.hue(0.7), "picture", 1.0, shine=self.between(0, 0.2), gloss=0.8, seed=self.seed()
        )

    def food(self) -> Material:
        """Fruit, bread, sauce, cheese."""
        c = self.near(
            self.one_of(
                (0.5, 0.05, 0.03),
                (0.55, 0.3, 0.04),
                (0.2, 0.35, 0.05),
                (0.45, 0.25, 0.1),
                (0.7, 0.55, 0.25),
                (0.2, 0.08, 0.04),
                (0.75, 0.7, 0.6),
            )
        )
        return Material(
            c,
            self.near(c, 1.5, 0.15),
            self.one_of("clouds", "clouds", "speckle", "marble"),
            self.spread(40, 1.7),
            shine=self.between(0.02, 0.35),
            gloss=self.between(0.3, 0.8),
            bump=0.001,
            seed=self.seed(),
        )

    def anything(self) -> Material:
        """Any of the above that suits an object."""
        makers = (
            self.paint,
            self.paint,
            self.wood,
            self.fabric,
            self.metal,
            self.ceramic,
            self.printed,
            self.leather,
            self.food,
        )
        return makers[int(self.rng.integers(len(makers)))]()

    @staticmethod
    def glass(tint: Colour = (0.9, 0.95, 0.95)) -> Material:
        """Clear glass: one sees through it, a little of the surroundings lies on it."""
        return Material(tint, tint, shine=0.2, gloss=0.98, kind="glass")

    @staticmethod
    def mirror() -> Material:
        """A mirror."""
        return Material((0.9, 0.9, 0.9), (0.9, 0.9, 0.9), shine=1.0, gloss=1.0, metal=True, kind="mirror")

    @staticmethod
    def light(colour: Colour = (1.0, 0.9, 0.75), glow: float = 6.0) -> Material:
        """A lamp's shade, a tube, a screen at night."""
        return Material(colour, colour, glow=glow, kind="light")
