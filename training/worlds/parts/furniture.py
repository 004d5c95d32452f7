"""All furniture by its purpose: lists of makers to choose from (see seats, tables, cabinets, kitchen, decor)."""

from __future__ import annotations

from training.worlds.parts.cabinets import bookshelf, drawers, shop_rack, sideboard, wardrobe
from training.worlds.parts.decor import bicycle, coat_rack, radiator, rug
from training.worlds.parts.lamps import floor_lamp, table_lamp
from training.worlds.parts.pots import plant
from training.worlds.parts.seats import armchair, bench, chair, office_chair, pouf, sofa, stool
from training.worlds.parts.shapes import Maker
from training.worlds.parts.tables import bed, coffee_table, desk, dining_table, round_table, side_table

SEATS: tuple[Maker, ...] = (chair, armchair, stool, office_chair, bench, pouf)
TABLES: tuple[Maker, ...] = (dining_table, round_table, coffee_table, side_table, desk)
STORAGE: tuple[Maker, ...] = (bookshelf, drawers, sideboard, wardrobe)
AT_WALL: tuple[Maker, ...] = (bookshelf, bookshelf, drawers, sideboard, wardrobe, desk, bench, plant, floor_lamp)
ANYWHERE: tuple[Maker, ...] = (*SEATS, *TABLES, plant, floor_lamp)

__all__ = [
    "ANYWHERE",
    "AT_WALL",
    "SEATS",
    "STORAGE",
    "TABLES",
    "armchair",
    "bed",
    "bench",
    "bicycle",
    "bookshelf",
    "chair",
    "coat_rack",
    "coffee_table",
    "desk",
    "dining_table",
    "drawers",
    "floor_lamp",
    "office_chair",
    "plant",
    "pouf",
    "radiator",
    "round_table",
    "rug",
    "shop_rack",
    "side_table",
    "sideboard",
    "sofa",
    "stool",
    "table_lamp",
    "wardrobe",
]
