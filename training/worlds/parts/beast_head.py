"""Heads of four-legged animals: skull, muzzle, eyes, ears, horns, a trunk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, ellipsoid, tube
from training.worlds.palette import Palette
from training.worlds.parts.beasts import Beast
from training.worlds.parts.limbs import bump, frame, moved, ringed

# A head of length one from the nape (z = 0) to the nose, y = 0 on its axis: z, half-width, above, below
_SKULL = np.array([
    (-0.12, 0.12, 0.12, 0.12), (0.0, 0.25, 0.25, 0.24), (0.16, 0.33, 0.31, 0.28), (0.32, 0.34, 0.29, 0.27),
    (0.46, 0.29, 0.22, 0.25), (0.60, 0.21, 0.14, 0.23), (0.78, 0.175, 0.115, 0.20), (0.92, 0.15, 0.095, 0.17),
    (1.0, 0.085, 0.05, 0.10),
])  # fmt: skip


def beast_head(palette: Palette, plan: Beast, coat: Material, under: Material, *, near: bool) -> Thing:
    """Skull, muzzle, nose, eyes, ears and horns; unit is the length of the head, its nape at the origin."""
    z, wide, above, below = _SKULL.T
    fine = np.linspace(z[0], z[-1], 22) if near else z[[0, 2, 4, 6, 8]]
    w, a, b = (np.interp(fine, z, k) for k in (wide, above, below))
    front = np.clip((fine - 0.42) / 0.2, 0, 1)
    w = w * plan.skull * (1 - front) + w * plan.muzzle * front
    a, b = a * (plan.skull * (1 - front) + plan.muzzle * front), b * (plan.skull * (1 - front) + plan.muzzle * front)
    drawn = np.where(fine > 0.4, 0.4 + (fine - 0.4) * plan.snout, fine)
    drop = -0.08 * front * (2 - plan.snout)
    skull = ringed(
        np.stack([0 * fine, drop, drawn], 1), np.stack([w, a, b], 1), coat, sides=18 if near else 7, power=2.1
    )
    parts: Thing = []
    if near:
        v = np.array(skull.vertices)
        eye_z, side = 0.40, np.abs(v[:, 0])
        dent = bump(side, v[:, 2], (0.24 * plan.skull, eye_z), (0.1, 0.08)) * (v[:, 1] > 0)
        v[:, 0] -= np.sign(v[:, 0]) * 0.035 * dent
        skull = replace(skull, vertices=v)
    parts.append(skull)
    tip = 0.4 + 0.6 * plan.snout
    dark = Material((0.02, 0.016, 0.015) if palette.chance(0.75) else (0.25, 0.1, 0.08), shine=0.3, gloss=0.7)
    parts.append(
        ellipsoid(
            (0.085 * plan.muzzle, 0.06 * plan.muzzle, 0.06),
            dark,
            sides=8 if near else 5,
            at=(0, drop[-1] + 0.05 * plan.muzzle, tip - 0.01),
        )
    )
    if near:
        parts.append(
            ellipsoid(
                (0.13 * plan.muzzle, 0.09 * plan.muzzle, 0.17 * plan.snout),
                under,
                sides=10,
                at=(0, drop[-1] - 0.13 * plan.muzzle, 0.4 + 0.38 * plan.snout),
            )
        )
        iris = Material(
            palette.near(palette.one_of((0.03, 0.015, 0.008), (0.35, 0.25, 0.03), (0.15, 0.28, 0.08)))
            if plan.cat
            else (0.02, 0.01, 0.006),
            shine=0.4,
            gloss=0.95,
        )  # type: ignore[arg-type]
        pupil = Material((0.005, 0.005, 0.005), shine=0.1, gloss=0.95)
        for side in (-1, 1):
            at = np.array([side * (0.205 if plan.cat else 0.25) * plan.skull, 0.12, 0.42 if plan.cat else 0.38])
            ahead = np.array([side * (0.45 if plan.cat else 1.2), 0.1, 1.0]) / 1.3
            parts.append(ellipsoid(np.full(3, 0.066 * plan.eye), iris, sides=9, at=at))
            parts.append(ellipsoid(np.full(3, 0.04 * plan.eye), pupil, sides=7, at=at + ahead * 0.045 * plan.eye))
    parts += _ears(palette, plan, coat, near=near)
    return parts


def _ears(palette: Palette, plan: Beast, coat: Material, *, near: bool) -> Thing:
    """Ears of a kind, and horns or antlers or a trunk."""
    parts: Thing = []
    sides = 8 if near else 5
    inner = replace(coat, colour=(0.35, 0.2, 0.17), second=(0.2, 0.12, 0.1), pattern="plain")
    for side in (-1, 1):
        root = np.array([side * 0.21 * plan.skull, 0.22 * plan.skull, 0.08])
        aim = {
            "point": (0.35, 1.0, 0.1),
            "side": (1.0, 0.25, -0.1),
            "hang": (0.55, -1.0, 0.15),
            "round": (0.6, 1.0, 0.0),
            "fan": (1.0, -0.1, -0.45),
        }[plan.ears]
        aim = np.array(aim) * [side, 1, 1] + palette.rng.normal(0, 0.08, 3)
        turn = frame(aim, (0, 0, 1))
        shape = {"point": (1.0, 0.95, 0.6, 0.08), "round": (0.9, 1.2, 1.1, 0.4), "fan": (0.5, 1.3, 1.4, 0.5)}.get(
            plan.ears, (0.6, 1.0, 0.9, 0.2)
        )
        z = np.array([-0.1, 0.25, 0.7, 1.0]) * plan.ear
        half = 0.32 * plan.ear * np.array(shape)
        size = np.stack([half, 0.16 * half + 0.012, 0.3 * half], 1)
        parts += moved([ringed(np.stack([0 * z, 0 * z, z], 1), size, coat, sides=sides)], turn, root)
        if near and plan.ears == "point":
            parts += moved(
                [
                    ringed(
                        np.stack([0 * z, 0.012 + 0.17 * half, z * 0.9], 1),
                        size * [0.7, 0.2, 0.2] + [0, 0.004, 0.004],
                        inner,
                        sides=6,
                    )
                ],
                turn,
                root,
            )
        if plan.horns:
            parts += _horns(plan, side, palette)
    if plan.trunk:
        t = np.linspace(0, 1, 8)
        path = np.stack(
            [
                0.15 * np.sin(3 * t) * palette.rng.normal(),
                -1.75 * t + 0.1 * t**2,
                0.72 + 0.28 * np.sin(2.6 * t) + 0.25 * t**3,
            ],
            1,
        )
        parts.append(tube(path, np.interp(t, [0, 0.3, 1], [0.22, 0.15, 0.07]), coat, sides=10 if near else 6))
        ivory = Material((0.7, 0.65, 0.52), shine=0.2)
        parts += [
            tube(
                [(s * 0.2, -0.15, 0.6), (s * 0.26, -0.5, 0.95), (s * 0.24, -0.55, 1.3)],
                [0.06, 0.05, 0.02],
                ivory,
                sides=6,
            )
            for s in (-1, 1)
        ]
    return parts


def _horns(plan: Beast, side: int, palette: Palette) -> Thing:
    """One horn, or one side of antlers."""
    horn = Material((0.25, 0.2, 0.14), second=(0.1, 0.08, 0.06), pattern="grain", frequency=20)
    k = plan.horns
    if not plan.antlers:
        path = np.array([(0.14, 0.2, 0.0), (0.32, 0.38, -0.02), (0.5, 0.55, 0.05), (0.5, 0.85, 0.08)]) * [side, 1, 1]
        return [tube(path[0] + (path - path[0]) * k, [0.075, 0.06, 0.045, 0.012], horn, sides=6)]
    beam = np.array([(0.1, 0.22, 0.05), (0.4, 0.7, -0.25), (0.7, 1.2, -0.3), (0.6, 1.75, 0.0)]) * [side, 1, 1]
    beam = beam[0] + (beam - beam[0]) * k
    parts: Thing = [tube(beam, [0.05, 0.045, 0.04, 0.015], horn, sides=5)]
    for s in (0.15, 0.4, 0.65, 0.85):
        at = np.array([np.interp(s, [0, 0.33, 0.67, 1], beam[:, i]) for i in range(3)])
        parts.append(
            tube(
                [at, at + np.array([side * 0.05, 0.15, 0.2]) * k, at + np.array([0, 0.4, 0.3]) * k],
                [0.035, 0.03, 0.01],
                horn,
                sides=4,
            )
        )
    return parts
