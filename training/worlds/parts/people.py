"""People: articulated, clothed, of all ages and builds."""

from __future__ import annotations

from typing import Literal

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, place
from training.worlds.palette import Palette
from training.worlds.parts.clothes import belongings, creased, hand, neck, shoe, skirt, sleeve, strip, trouser, trunk
from training.worlds.parts.head import head
from training.worlds.parts.limbs import moved, on_ground
from training.worlds.parts.many import merge
from training.worlds.parts.poses import Build, Skeleton, pose

Detail = Literal["near", "far"]
TOPS = ("tee", "shirt", "sweater", "jacket", "suit", "coat", "dress", "tank", "bare")


def person(
    palette: Palette,
    *,
    height: float | None = None,
    pose: str = "any",
    detail: Detail = "near",
    seat: float = 0.45,
    gesture: str = "any",
) -> Thing:
    """A person of any age, build and dress who stands on y = 0 around the origin and looks along +z.

    Args:
        palette: Draws everything.
        height: Metres when upright; under 1.45 makes a child.
        pose: "stand", "walk", "run", "sit" (with the hips over the origin, feet forward), "crouch" or "any".
        detail: "near" has a face and fingers (about 6 thousand triangles), "far" is for crowds (about 700).
        seat: Height of what a sitting person sits on; their feet are on the floor where the legs reach it.
        gesture: What the arms do (`poses.ARMS`), or "any".
    """
    return _dressed(palette, _skeleton(palette, height, pose, gesture, seat), near=detail == "near")


def bust(palette: Palette, *, gesture: str = "any") -> Thing:
    """A standing person for portraits, with the point between the eyes at the origin; looks along +z."""
    body = _skeleton(
        palette, None if palette.chance(0.15) else float(palette.rng.normal(1.7, 0.08)), "stand", gesture, 0.45
    )
    eyes = body.head_at + body.head_turn @ np.array([0, 0.112, 0.08]) * body.build.head
    return place(_dressed(palette, body, near=True, grounded=False), at=-eyes)


def _skeleton(palette: Palette, height: float | None, stance: str, gesture: str, seat: float) -> Skeleton:
    return pose(palette, Build.drawn(palette, height), stance, gesture, seat)


def _dressed(palette: Palette, body: Skeleton, *, near: bool, grounded: bool = True) -> Thing:
    """Skin, clothes, head and things carried."""
    b, skin = body.build, palette.skin()
    parts: Thing = [neck(body, skin, near=near)]
    if near:
        parts.append(trunk(body, 0.9, 1.08, skin, near=False))
    parts += moved(head(palette, skin, age=b.age, female=b.female, near=near), body.head_turn, body.head_at, b.head)
    kind = _top(palette, body)
    cloth = palette.leather() if kind == "jacket" and palette.chance(0.3) else palette.fabric()
    parts += _upper(palette, body, kind, skin, cloth, near=near)
    if kind != "dress":
        parts += _lower(palette, body, kind, skin, cloth, near=near)
    leather = palette.leather() if palette.chance(0.6) else palette.fabric()
    sole = Material((0.6, 0.6, 0.58)) if palette.chance(0.4) else Material((0.03, 0.03, 0.03))
    for i in (0, 1):
        parts += hand(body, i, skin, palette, near=near) + shoe(body, i, leather, sole, near=near)
    if body.stance in ("stand", "walk") and palette.chance(0.25):
        parts += belongings(palette, body, near=near)
    if near:
        parts += _held(palette, body)
    parts = merge(parts)
    return on_ground(parts) if grounded else parts


def _top(palette: Palette, body: Skeleton) -> str:
    """The kind of garment above the waist."""
    weights = np.array(
        [
            0.24,
            0.18,
            0.16,
            0.14,
            0.08,
            0.1,
            0.14 if body.build.female else 0.0,
            0.06,
            0.0 if body.build.female else 0.04,
        ]
    )
    return str(palette.rng.choice(TOPS, p=weights / weights.sum()))


def _upper(palette: Palette, body: Skeleton, kind: str, skin: Material, cloth: Material, *, near: bool) -> Thing:
    """Shirt, sweater, jacket, suit, coat or dress with their sleeves, and bare arms below short ones."""
    b = body.build
    loose = {"tee": 0.012, "shirt": 0.014, "sweater": 0.022, "jacket": 0.032, "suit": 0.024, "coat": 0.036}.get(
        kind, 0.006
    )
    loose *= palette.between(0.7, 1.5)
    share = {
        "tee": palette.between(0.3, 0.5),
        "tank": 0.0,
        "bare": 0.0,
        "dress": float(palette.rng.choice([0.0, 0.35, 0.95])),
    }.get(kind, 0.96)
    if kind == "shirt" and palette.chance(0.3):
        share = palette.between(0.4, 0.75)
    stuff = skin if kind == "bare" else cloth
    low = -0.05 if kind in ("bare", "dress") else palette.between(-0.28, -0.02)
    high = {"tank": 0.95, "bare": 1.05, "sweater": 1.06, "coat": 1.07, "dress": palette.between(0.9, 1.03)}.get(
        kind, 1.03
    )
    shell = trunk(
        body, low, high, stuff, near=near, loose=loose, hem=0.0 if kind == "bare" else palette.between(0, 0.012)
    )
    crease = near and kind not in ("bare", "jacket", "suit", "coat")
    parts: Thing = [creased(shell, palette, b, 0.003 if kind in ("tank", "dress") else 0.006) if crease else shell]
    if kind in ("tank", "dress"):
        parts.append(trunk(body, high - 0.12, 1.04, skin, near=near))
    for i in (0, 1):
        if share > 0.1:
            arm = sleeve(body, i, stuff, near=near, share=share, loose=loose * 0.7 + 0.004)
            parts.append(creased(arm, palette, b, 0.004) if crease else arm)
        if share < 0.9:
            parts.append(sleeve(body, i, skin, near=near))
    if kind in ("jacket", "suit", "coat") and near:
        parts += _front(palette, body, kind, loose)
    if kind == "coat":
        parts.append(
            skirt(body, palette.between(0.3, 0.75), palette.between(0.02, 0.08), cloth, near=near, loose=loose + 0.004)
        )
    if kind == "dress":
        parts.append(skirt(body, palette.between(0.4, 0.97), palette.between(0.02, 0.22), cloth, near=near))
        parts += [trouser(body, i, skin, near=near) for i in (0, 1)]
    return parts


def _front(palette: Palette, body: Skeleton, kind: str, loose: float) -> Thing:
    """What shows between the halves of a jacket: a shirt, and a tie."""
    light = Material((0.75, 0.75, 0.77)) if kind == "suit" and palette.chance(0.7) else palette.fabric()
    ends = palette.between(0.3, 0.62) if kind == "suit" else palette.between(-0.1, 0.7)
    top = 0.45 if kind == "suit" else palette.between(0.15, 0.5)
    parts: Thing = [
        strip(body, (ends, 0.97, 1.03), (0.02 if kind == "suit" else top * 0.7, top, top * 1.6), light, loose + 0.006)
    ]
    if kind == "suit" and palette.chance(0.75):
        parts.append(strip(body, (ends, 0.97, 1.0, 1.02), (0.10, 0.07, 0.09, 0.16), palette.fabric(), loose + 0.012))
    return parts


def _lower(palette: Palette, body: Skeleton, kind: str, skin: Material, cloth: Material, *, near: bool) -> Thing:
    """Trousers, shorts or a skirt, and the legs below them."""
    b = body.build
    parts: Thing = []
    if b.female and kind not in ("suit", "bare") and palette.chance(0.22):
        stuff = palette.fabric()
        stocking = skin if palette.chance(0.6) else Material((0.02, 0.02, 0.025))
        parts.append(skirt(body, palette.between(0.32, 0.95), palette.between(0.0, 0.2), stuff, near=near))
        return parts + [trouser(body, i, stocking, near=near) for i in (0, 1)]
    jeans = palette.chance(0.45)
    stuff = (
        palette.fabric(palette.one_of((0.03, 0.05, 0.12), (0.02, 0.02, 0.025), (0.1, 0.14, 0.22), (0.25, 0.2, 0.13)))
        if jeans
        else palette.fabric()
    )  # type: ignore[arg-type]
    stuff = cloth if kind == "suit" else stuff
    short = kind in ("tee", "tank", "bare") and palette.chance(0.4)
    loose = palette.between(0.004, 0.025)
    parts.append(trunk(body, -0.24, 0.22, stuff, near=near, loose=0.008))
    for i in (0, 1):
        leg = trouser(body, i, stuff, near=near, share=palette.between(0.3, 0.55) if short else 0.985, loose=loose)
        parts.append(creased(leg, palette, b, 0.005) if near else leg)
        if short:
            parts.append(trouser(body, i, skin, near=near))
    return parts


def _held(palette: Palette, body: Skeleton) -> Thing:
    """A telephone, a cup, a parcel or a ball in the hands, where the arms are raised for it."""
    lead = 0 if body.lead > 0 else 1
    at = body.arms[lead][2] * 0.45 + body.arms[lead][3] * 0.55
    if body.gesture == "phone":
        return place(
            [box((0.075, 0.15, 0.009), Material((0.02, 0.02, 0.02), shine=0.3, gloss=0.9))],
            at=at + np.array([0, -0.03, 0.01]),
            pitch=-0.5,
        )
    if body.gesture == "carry" and palette.chance(0.6):
        size = palette.rng.uniform(0.15, 0.42, 3)
        middle = (body.arms[0][3] + body.arms[1][3]) / 2
        return place([box(size, palette.anything())], at=middle - [0, 0.4 * size[1], -0.3 * size[2]])
    return []
