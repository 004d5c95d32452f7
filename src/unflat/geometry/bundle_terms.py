"""The loops of bundle adjustment: costs, normal equations, and the elimination of the points."""

# pyright: standard
# ruff: noqa: PLR0912, PLR0913

from __future__ import annotations

import numpy as np

from unflat.geometry.jit import kernel
from unflat.geometry.seen_by import NEAREST, slopes

BEHIND = 1e6
"""A point behind its camera costs as much as one whose squared error is this many times that of the loss."""


@kernel
def cost_of(rotation, shift, xyz, lens, first, camera, pixel, log_depth, depth_weight, loss, squares):
    """Sum of all losses; the squared pixel errors into ``squares`` (m,)."""
    at, by_point = np.zeros(2), np.zeros((2, 3))
    c2, cost = loss * loss, 0.0
    for p in range(len(xyz)):
        for i in range(first[p], first[p + 1]):
            c = camera[i]
            r = rotation[c]
            x = r[0, 0] * xyz[p, 0] + r[0, 1] * xyz[p, 1] + r[0, 2] * xyz[p, 2] + shift[c, 0]
            y = r[1, 0] * xyz[p, 0] + r[1, 1] * xyz[p, 1] + r[1, 2] * xyz[p, 2] + shift[c, 1]
            z = r[2, 0] * xyz[p, 0] + r[2, 1] * xyz[p, 1] + r[2, 2] * xyz[p, 2] + shift[c, 2]
            if z <= NEAREST:
                squares[i] = np.inf
                cost += c2 * np.log(1.0 + BEHIND)
                continue
            slopes(x, y, z, lens, at, by_point)
            r2 = (at[0] - pixel[i, 0]) ** 2 + (at[1] - pixel[i, 1]) ** 2
            squares[i] = r2
            cost += c2 * np.log(1.0 + r2 / c2)
            if depth_weight[i] > 0:
                off = depth_weight[i] * (np.log(z) - log_depth[i])
                cost += c2 * np.log(1.0 + off * off / c2)
    return cost


@kernel
def linearise(rotation, shift, xyz, lens, first, camera, pixel, log_depth, depth_weight, loss, number, on_lens,
              hessian, gradient, of_points, by_points, mixed, mixed_lens):  # fmt: skip
    """The weighted normal equations into zeroed arrays: hessian's upper triangle of cameras and lens, and the rest."""
    at, by_point = np.zeros(2), np.zeros((2, 3))
    c2, extra, rim = loss * loss, len(on_lens), len(gradient) - len(on_lens)
    jc, jp, jl, e = np.zeros((3, 6)), np.zeros((3, 3)), np.zeros((3, 3)), np.zeros(3)
    for p in range(len(xyz)):
        for i in range(first[p], first[p + 1]):
            c = camera[i]
            r, n = rotation[c], number[c]
            x = r[0, 0] * xyz[p, 0] + r[0, 1] * xyz[p, 1] + r[0, 2] * xyz[p, 2] + shift[c, 0]
            y = r[1, 0] * xyz[p, 0] + r[1, 1] * xyz[p, 1] + r[1, 2] * xyz[p, 2] + shift[c, 1]
            z = r[2, 0] * xyz[p, 0] + r[2, 1] * xyz[p, 1] + r[2, 2] * xyz[p, 2] + shift[c, 2]
            if z <= NEAREST:
                continue
            slopes(x, y, z, lens, at, by_point)
            e[0], e[1] = at[0] - pixel[i, 0], at[1] - pixel[i, 1]
            e[2] = depth_weight[i] * (np.log(z) - log_depth[i])
            w01 = 1.0 / (1.0 + (e[0] * e[0] + e[1] * e[1]) / c2)
            w2 = 1.0 / (1.0 + e[2] * e[2] / c2)
            rows = 3 if depth_weight[i] > 0 else 2
            for k in range(rows):
                bx, by = (by_point[k, 0], by_point[k, 1]) if k < 2 else (0.0, 0.0)
                bz = by_point[k, 2] if k < 2 else depth_weight[i] / z
                jc[k, 0], jc[k, 1], jc[k, 2] = y * bz - z * by, z * bx - x * bz, x * by - y * bx
                jc[k, 3], jc[k, 4], jc[k, 5] = bx, by, bz
                for a in range(3):
                    jp[k, a] = bx * r[0, a] + by * r[1, a] + bz * r[2, a]
            a0, b0 = x / z, y / z
            r2 = a0 * a0 + b0 * b0
            for q in range(extra):
                if on_lens[q] == 0:
                    jl[0, q], jl[1, q] = at[0] - lens[2], at[1] - lens[3]
                else:
                    power = r2 if on_lens[q] == 1 else r2 * r2
                    jl[0, q], jl[1, q] = lens[0] * a0 * power, lens[1] * b0 * power
                jl[2, q] = 0.0
            for k in range(rows):
                w = w01 if k < 2 else w2
                for a in range(3):
                    by_points[p, a] += w * jp[k, a] * e[k]
                    for b in range(3):
                        of_points[p, a, b] += w * jp[k, a] * jp[k, b]
                for q in range(extra):
                    gradient[rim + q] += w * jl[k, q] * e[k]
                    for s in range(q, extra):
                        hessian[rim + q, rim + s] += w * jl[k, q] * jl[k, s]
                    for a in range(3):
                        mixed_lens[p, q, a] += w * jl[k, q] * jp[k, a]
                if n < 0:
                    continue
                for a in range(6):
                    gradient[6 * n + a] += w * jc[k, a] * e[k]
                    for b in range(a, 6):
                        hessian[6 * n + a, 6 * n + b] += w * jc[k, a] * jc[k, b]
                    for b in range(3):
                        mixed[i, a, b] += w * jc[k, a] * jp[k, b]
                    for q in range(extra):
                        hessian[6 * n + a, rim + q] += w * jc[k, a] * jl[k, q]


@kernel
def reduce(of_points, by_points, mixed, mixed_lens, first, camera, number, damping, inverse, system, right):
    """Eliminate the points: their damped inverses into ``inverse``, what they tell others into ``system``, ``right``.

    Only the upper triangle of ``system`` is changed.
    """
    extra = mixed_lens.shape[1]
    rim = len(right) - extra
    y = np.zeros((6, 3))
    for p in range(len(of_points)):
        v = of_points[p]
        a, d, f = (v[0, 0] * (1 + damping) + 1e-12, v[1, 1] * (1 + damping) + 1e-12, v[2, 2] * (1 + damping) + 1e-12)
        b, c, e = v[0, 1], v[0, 2], v[1, 2]
        m00, m01, m02 = d * f - e * e, c * e - b * f, b * e - c * d
        det = a * m00 + b * m01 + c * m02
        if det <= 1e-30:
            continue
        i = inverse[p]
        i[0, 0], i[0, 1], i[0, 2] = m00 / det, m01 / det, m02 / det
        i[1, 0], i[1, 1], i[1, 2] = i[0, 1], (a * f - c * c) / det, (b * c - a * e) / det
        i[2, 0], i[2, 1], i[2, 2] = i[0, 2], i[1, 2], (a * d - b * b) / det
        for s in range(first[p], first[p + 1]):
            n = number[camera[s]]
            if n < 0:
                continue
            w = mixed[s]
            for r in range(6):
                for k in range(3):
                    y[r, k] = w[r, 0] * i[0, k] + w[r, 1] * i[1, k] + w[r, 2] * i[2, k]
                right[6 * n + r] += y[r, 0] * by_points[p, 0] + y[r, 1] * by_points[p, 1] + y[r, 2] * by_points[p, 2]
            for t in range(first[p], first[p + 1]):
                o = number[camera[t]]
                if o < n:
                    continue
                u = mixed[t]
                for r in range(6):
                    for q in range(6):
                        system[6 * n + r, 6 * o + q] -= y[r, 0] * u[q, 0] + y[r, 1] * u[q, 1] + y[r, 2] * u[q, 2]
            for q in range(extra):
                u = mixed_lens[p, q]
                for r in range(6):
                    system[6 * n + r, rim + q] -= y[r, 0] * u[0] + y[r, 1] * u[1] + y[r, 2] * u[2]
        for q in range(extra):
            w = mixed_lens[p, q]
            for k in range(3):
                y[0, k] = w[0] * i[0, k] + w[1] * i[1, k] + w[2] * i[2, k]
            right[rim + q] += y[0, 0] * by_points[p, 0] + y[0, 1] * by_points[p, 1] + y[0, 2] * by_points[p, 2]
            for s in range(q, extra):
                u = mixed_lens[p, s]
                system[rim + q, rim + s] -= y[0, 0] * u[0] + y[0, 1] * u[1] + y[0, 2] * u[2]


@kernel
def back_substitute(by_points, mixed, mixed_lens, first, camera, number, inverse, by, points):
    """How far the points go once cameras and lens have gone ``by``, into ``points`` (n, 3)."""
    extra = mixed_lens.shape[1]
    rim = len(by) - extra
    left = np.zeros(3)
    for p in range(len(points)):
        for k in range(3):
            left[k] = -by_points[p, k]
        for s in range(first[p], first[p + 1]):
            n = number[camera[s]]
            if n < 0:
                continue
            for k in range(3):
                for r in range(6):
                    left[k] -= mixed[s, r, k] * by[6 * n + r]
        for q in range(extra):
            for k in range(3):
                left[k] -= mixed_lens[p, q, k] * by[rim + q]
        for k in range(3):
            points[p, k] = inverse[p, k, 0] * left[0] + inverse[p, k, 1] * left[1] + inverse[p, k, 2] * left[2]
