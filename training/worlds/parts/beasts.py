"""Measures of four-legged animals. Heights in metres; everything else relative to the height at the withers."""

from __future__ import annotations

from dataclasses import dataclass

Colours = tuple[tuple[float, float, float], ...]
_TABBY: Colours = (
    (0.3, 0.2, 0.1),
    (0.25, 0.23, 0.2),
    (0.02, 0.02, 0.02),
    (0.5, 0.25, 0.08),
    (0.65, 0.62, 0.58),
    (0.12, 0.1, 0.09),
)
_DOG: Colours = (
    (0.35, 0.2, 0.08),
    (0.03, 0.025, 0.02),
    (0.65, 0.6, 0.52),
    (0.45, 0.3, 0.14),
    (0.12, 0.07, 0.04),
    (0.25, 0.24, 0.22),
)


@dataclass(frozen=True, slots=True)
class Beast:
    """One body plan.

    withers: height of the shoulders, metres. length, deep, wide: of the trunk. neck, rise: length and angle
    of the neck, thick: its girth at the head. head: its length with a snout of one; hang: how far it points down.
    skull, muzzle, snout: width of the cranium, width and length of what is before the eyes. leg: radius at the shin.
    tuck, paunch, hump, slope: belly drawn up or hanging, hump over the shoulders, rump lower than the shoulders.
    crook: how far the hock stands back. tail: length; tail_up: how lively; tail_girth: radii along it.
    """

    withers: float
    length: float
    deep: float
    wide: float
    neck: float
    rise: float
    head: float
    colours: Colours
    thick: float = 1.0
    skull: float = 1.0
    muzzle: float = 1.0
    snout: float = 1.0
    hang: float = 0.15
    leg: float = 0.05
    ears: str = "point"
    ear: float = 0.4
    eye: float = 1.0
    tail: float = 0.6
    tail_up: float = 0.5
    tail_girth: tuple[float, float, float] = (0.035, 0.03, 0.02)
    tuck: float = 0.15
    paunch: float = 0.0
    hump: float = 0.0
    slope: float = 0.0
    crook: float = 0.16
    stretch: float = 1.0
    mane: float = 0.0
    horns: float = 0.0
    antlers: bool = False
    trunk: bool = False
    paws: bool = True
    cat: bool = False
    pale: bool = False
    pattern: str = ""
    grain: float = 8.0


BEASTS: dict[str, Beast] = {
    "cat": Beast(0.26, 1.15, 0.46, 0.36, 0.24, 0.5, 0.36, _TABBY, snout=0.42, muzzle=0.95, skull=1.12, ears="point",
        ear=0.42, eye=1.05, leg=0.062, tail=1.0, tail_up=1.0, tail_girth=(0.06, 0.058, 0.045), cat=True, pale=True,
        hang=0.1, thick=0.9),
    "kitten": Beast(0.15, 1.0, 0.5, 0.42, 0.2, 0.5, 0.48, _TABBY, snout=0.36, muzzle=0.9, skull=1.15, ear=0.46,
        eye=1.2, leg=0.085, tail=0.8, tail_up=1.0, tail_girth=(0.07, 0.06, 0.03), cat=True, pale=True, thick=0.9),
    "dog": Beast(0.56, 1.0, 0.46, 0.34, 0.34, 0.85, 0.40, _DOG, ears="hang", ear=0.42, leg=0.052, tail=0.6,
        tail_up=1.0, pale=True, snout=0.95, muzzle=1.05),
    "shepherd": Beast(0.63, 1.08, 0.46, 0.33, 0.36, 0.75, 0.40, _DOG, ear=0.42, leg=0.05, tail=0.7, tail_up=0.4,
        pale=True, slope=0.04, tail_girth=(0.05, 0.07, 0.03), snout=1.0, thick=1.1),
    "terrier": Beast(0.30, 1.05, 0.5, 0.42, 0.32, 0.9, 0.52, _DOG, ear=0.32, leg=0.07, tail=0.45, tail_up=1.0,
        snout=0.8, muzzle=1.15),
    "pug": Beast(0.29, 1.05, 0.56, 0.52, 0.22, 0.9, 0.44, _DOG, ears="hang", ear=0.32, leg=0.085, tail=0.3,
        tail_up=1.0, snout=0.3, muzzle=1.35, skull=1.2, eye=1.0, thick=1.3, paunch=0.1),
    "dachshund": Beast(0.22, 2.0, 0.62, 0.5, 0.5, 0.8, 0.75, _DOG, ears="hang", ear=0.45, leg=0.09, tail=0.9,
        tail_up=0.6, snout=1.1, tuck=0.05),
    "greyhound": Beast(0.70, 1.0, 0.42, 0.24, 0.42, 0.9, 0.38, _DOG, ears="hang", ear=0.25, leg=0.036, tail=0.7,
        tail_up=0.2, snout=1.25, muzzle=0.8, skull=0.85, tuck=0.45, thick=0.8),
    "husky": Beast(0.56, 1.05, 0.5, 0.42, 0.32, 0.8, 0.40, _DOG, ear=0.36, leg=0.06, tail=0.7, tail_up=1.0,
        tail_girth=(0.07, 0.1, 0.05), pale=True, thick=1.4, snout=0.85),
    "wolf": Beast(0.75, 1.1, 0.45, 0.32, 0.36, 0.45, 0.38, ((0.3, 0.28, 0.25), (0.4, 0.36, 0.3)), ear=0.33, leg=0.048,
        tail=0.65, tail_up=0.1, tail_girth=(0.05, 0.07, 0.03), thick=1.5, pale=True),
    "fox": Beast(0.38, 1.25, 0.42, 0.33, 0.34, 0.6, 0.42, ((0.45, 0.18, 0.05), (0.5, 0.22, 0.06)), ear=0.5, leg=0.045,
        tail=1.1, tail_up=0.3, tail_girth=(0.06, 0.13, 0.04), snout=0.9, muzzle=0.75, pale=True),
    "horse": Beast(1.55, 1.0, 0.44, 0.34, 0.50, 0.85, 0.37, ((0.2, 0.09, 0.035), (0.03, 0.02, 0.015), (0.6, 0.58,
        0.55), (0.3, 0.16, 0.07)), skull=0.72, muzzle=1.0, snout=1.25, hang=0.75, ear=0.26, leg=0.034, tail=0.55,
        tail_up=0.05, tail_girth=(0.03, 0.06, 0.04), mane=1.0, paws=False, tuck=0.12, thick=1.05, crook=0.12),
    "zebra": Beast(1.3, 1.0, 0.46, 0.36, 0.45, 0.75, 0.38, ((0.65, 0.63, 0.58),), skull=0.75, muzzle=1.0, snout=1.2,
        hang=0.65, ear=0.32, leg=0.036, tail=0.4, tail_up=0.05, mane=0.8, paws=False, tuck=0.05, pattern="stripes",
        grain=9, crook=0.12),
    "cow": Beast(1.4, 1.2, 0.52, 0.46, 0.34, 0.2, 0.37, ((0.6, 0.58, 0.55), (0.03, 0.025, 0.02), (0.3, 0.13, 0.05),
        (0.45, 0.3, 0.16)), skull=0.85, muzzle=1.35, snout=1.0, hang=0.55, ears="side", ear=0.4, leg=0.042, tail=0.65,
        tail_up=0.02, tail_girth=(0.02, 0.012, 0.03), paws=False, tuck=-0.03, paunch=0.1, horns=0.55,
        pattern="blotches", grain=2.2, thick=1.15),
    "buffalo": Beast(1.6, 1.15, 0.55, 0.48, 0.3, 0.0, 0.38, ((0.04, 0.03, 0.025), (0.12, 0.08, 0.05)), skull=0.9,
        muzzle=1.4, hang=0.6, ears="side", ear=0.4, leg=0.045, tail=0.5, tail_up=0.02, paws=False, horns=1.0,
        hump=0.07, thick=1.3, tail_girth=(0.02, 0.012, 0.03)),
    "sheep": Beast(0.72, 1.1, 0.62, 0.58, 0.3, 0.5, 0.37, ((0.6, 0.57, 0.5), (0.65, 0.62, 0.56), (0.2, 0.16, 0.12)),
        skull=0.75, muzzle=0.95, hang=0.5, ears="side", ear=0.4, leg=0.042, tail=0.25, tail_up=0.0, paws=False,
        tuck=0.0, thick=1.0),
    "goat": Beast(0.75, 1.1, 0.5, 0.4, 0.38, 0.75, 0.36, ((0.6, 0.57, 0.5), (0.2, 0.12, 0.07), (0.04, 0.03, 0.03)),
        skull=0.72, muzzle=0.85, hang=0.45, ears="side", ear=0.5, leg=0.04, tail=0.2, tail_up=1.0, paws=False,
        horns=0.5),
    "pig": Beast(0.75, 1.5, 0.66, 0.56, 0.2, 0.0, 0.48, ((0.6, 0.35, 0.28), (0.5, 0.3, 0.25)), skull=0.85, muzzle=1.1,
        snout=1.1, hang=0.25, ear=0.35, leg=0.05, tail=0.25, tail_up=1.0, paws=False, tuck=-0.05, pattern="skin",
        thick=1.5, eye=0.7),
    "deer": Beast(1.1, 1.0, 0.40, 0.3, 0.50, 0.95, 0.32, ((0.3, 0.16, 0.07), (0.25, 0.14, 0.07)), skull=0.8,
        muzzle=0.8, snout=1.05, hang=0.35, ears="side", ear=0.55, leg=0.030, tail=0.12, tail_up=0.5, paws=False,
        horns=0.9, antlers=True, thick=0.9, pale=True),
    "doe": Beast(0.9, 1.0, 0.40, 0.3, 0.50, 0.95, 0.34, ((0.35, 0.19, 0.08), (0.25, 0.15, 0.08)), skull=0.8,
        muzzle=0.75, hang=0.3, ears="side", ear=0.6, leg=0.030, tail=0.12, tail_up=0.5, paws=False, thick=0.75,
        pale=True),
    "lion": Beast(1.05, 1.35, 0.46, 0.36, 0.3, 0.25, 0.38, ((0.42, 0.27, 0.12), (0.5, 0.35, 0.18)), skull=0.95,
        muzzle=1.25, snout=0.8, ears="round", ear=0.28, leg=0.06, tail=0.85, tail_up=0.2, tail_girth=(0.03, 0.02,
        0.035), mane=1.0, cat=True, eye=0.6, thick=1.3, pale=True),
    "lioness": Beast(0.95, 1.35, 0.44, 0.34, 0.32, 0.25, 0.36, ((0.42, 0.27, 0.12), (0.5, 0.35, 0.18)), skull=0.95,
        muzzle=1.2, snout=0.8, ears="round", ear=0.28, leg=0.055, tail=0.85, tail_up=0.2, tail_girth=(0.03, 0.02,
        0.035), cat=True, eye=0.6, thick=1.2, pale=True),
    "tiger": Beast(0.95, 1.5, 0.47, 0.38, 0.3, 0.2, 0.40, ((0.5, 0.22, 0.04), (0.55, 0.28, 0.07)), skull=1.05,
        muzzle=1.2, snout=0.7, ears="round", ear=0.28, leg=0.062, tail=0.9, tail_up=0.2, tail_girth=(0.04, 0.035,
        0.03), cat=True, eye=0.6, thick=1.4, pattern="stripes", grain=7, pale=True),
    "leopard": Beast(0.65, 1.5, 0.45, 0.38, 0.3, 0.25, 0.38, ((0.5, 0.33, 0.13), (0.45, 0.3, 0.12)), skull=1.0,
        muzzle=1.15, snout=0.7, ears="round", ear=0.28, leg=0.058, tail=1.1, tail_up=0.3, cat=True, eye=0.7,
        thick=1.2, pattern="spots", grain=14, pale=True),
    "elephant": Beast(2.9, 1.15, 0.58, 0.56, 0.22, 0.35, 0.42, ((0.17, 0.15, 0.14), (0.25, 0.2, 0.17)), skull=1.15,
        muzzle=1.1, snout=0.55, hang=0.35, ears="fan", ear=0.95, eye=0.45, leg=0.085, tail=0.45, tail_up=0.0,
        tail_girth=(0.02, 0.012, 0.015), paws=False, trunk=True, tuck=0.0, paunch=0.06, crook=0.03, pattern="skin",
        thick=1.6),
    "bear": Beast(1.0, 1.45, 0.62, 0.52, 0.24, 0.1, 0.42, ((0.12, 0.06, 0.03), (0.02, 0.018, 0.016), (0.65, 0.62,
        0.55)), skull=1.05, muzzle=0.95, snout=0.8, ears="round", ear=0.26, leg=0.088, tail=0.08, tail_up=0.0,
        tuck=-0.05, hump=0.05, eye=0.5, thick=1.5, crook=0.1),
    "giraffe": Beast(2.9, 0.62, 0.36, 0.26, 0.75, 1.1, 0.21, ((0.45, 0.24, 0.08), (0.35, 0.18, 0.06)), skull=0.75,
        muzzle=0.85, snout=1.3, hang=0.4, ears="side", ear=0.4, leg=0.028, tail=0.35, tail_up=0.0, tail_girth=(0.012,
        0.008, 0.012), paws=False, slope=0.10, horns=0.2, pattern="blotches", grain=5, thick=0.75, crook=0.08),
    "camel": Beast(1.9, 0.85, 0.42, 0.36, 0.5, 0.5, 0.26, ((0.4, 0.26, 0.13), (0.5, 0.35, 0.18)), skull=0.75,
        muzzle=0.95, snout=1.2, hang=0.1, ears="round", ear=0.2, leg=0.034, tail=0.3, tail_up=0.0, paws=False,
        hump=0.16, thick=0.8),
    "rabbit": Beast(0.17, 1.3, 0.72, 0.62, 0.15, 0.6, 0.55, ((0.3, 0.2, 0.12), (0.65, 0.62, 0.58), (0.05, 0.04, 0.04),
        (0.3, 0.28, 0.26)), skull=0.95, muzzle=1.1, snout=0.55, ear=1.0, eye=1.3, leg=0.09, tail=0.15, tail_up=0.5,
        tail_girth=(0.09, 0.1, 0.06), tuck=-0.1, thick=1.0),
    "squirrel": Beast(0.12, 1.4, 0.62, 0.5, 0.2, 0.6, 0.5, ((0.3, 0.12, 0.05), (0.2, 0.17, 0.14)), skull=0.9,
        snout=0.6, ear=0.5, eye=1.3, leg=0.08, tail=1.7, tail_up=1.6, tail_girth=(0.1, 0.22, 0.12), thick=0.9),
}  # fmt: skip
