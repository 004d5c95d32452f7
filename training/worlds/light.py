"""Light that reaches a point: the sun and the lamps through shadow rays, and what comes along a second ray."""

from __future__ import annotations

from math import cos, pi, sin, sqrt

from numba import njit

from training.worlds.bvh import blocked, nearest
from training.worlds.sky import FILL, SUN, SUN_COLOUR, radiance
from training.worlds.surface import GLASS, GLOW, KIND, LIGHT, albedo, normal

FAR = 1e6
EPSILON = 1e-4


@njit(cache=True, error_model="numpy", fastmath=True)
def hemisphere(nx, ny, nz, r1, r2, narrow):
    """A direction around the normal, cosine-weighted (narrow 0) or pulled towards it (narrow 1: the normal itself)."""
    phi = 2 * pi * r1
    s = sqrt(r2) * (1 - narrow)
    x, y = s * cos(phi), s * sin(phi)
    z = sqrt(max(1 - s * s, 0.0))
    # an orthonormal basis without branches on the axis (Duff et al., 2017)
    sign = 1.0 if nz >= 0 else -1.0
    a = -1.0 / (sign + nz)
    b = nx * ny * a
    return (
        x * (1 + sign * nx * nx * a) + y * b + z * nx,
        x * sign * b + y * (sign + ny * ny * a) + z * ny,
        -x * sign * nx - y * ny + z * nz,
    )


@njit(cache=True, error_model="numpy", fastmath=True)
def sun(world, stack, x, y, z, nx, ny, nz, r1, r2):
    """Irradiance that the sun casts, with a soft edge."""
    s = world.sky
    c = nx * s[SUN] + ny * s[SUN + 1] + nz * s[SUN + 2]
    if c <= 0 or s[SUN_COLOUR] + s[SUN_COLOUR + 1] + s[SUN_COLOUR + 2] < 0.01:
        return 0.0, 0.0, 0.0
    dx, dy, dz = hemisphere(s[SUN], s[SUN + 1], s[SUN + 2], r1, r2, 0.985)
    if blocked(
        world.bounds, world.links, world.corners, world.uv, world.holes, world.clear, stack, x, y, z, dx, dy, dz, FAR
    ):
        return 0.0, 0.0, 0.0
    return s[SUN_COLOUR] * c, s[SUN_COLOUR + 1] * c, s[SUN_COLOUR + 2] * c


@njit(cache=True, error_model="numpy", fastmath=True)
def _strength(lamps, i, x, y, z, nx, ny, nz):
    """What lamp i gives a surface that sees all of it."""
    dx, dy, dz = lamps[i, 0] - x, lamps[i, 1] - y, lamps[i, 2] - z
    d2 = max(dx * dx + dy * dy + dz * dz, 0.01)
    c = (nx * dx + ny * dy + nz * dz) / sqrt(d2) + 0.5 * lamps[i, 3] / sqrt(d2)
    return max(c, 0.0) * (lamps[i, 4] + lamps[i, 5] + lamps[i, 6]) / d2


@njit(cache=True, error_model="numpy", fastmath=True)
def lamp(world, stack, x, y, z, nx, ny, nz, r0, r1, r2):
    """Irradiance of the lamps, by one shadow ray to one of them."""
    count = world.lamps.shape[0]
    if count == 0:
        return 0.0, 0.0, 0.0
    total = 0.0
    for i in range(count):  # choose a lamp by what it would give without shadows
        total += _strength(world.lamps, i, x, y, z, nx, ny, nz)
    if total <= 0:
        return 0.0, 0.0, 0.0
    left, chosen, share = r0 * total, 0, 0.0
    for i in range(count):
        w = _strength(world.lamps, i, x, y, z, nx, ny, nz)
        if w > 0:
            chosen, share = i, w
            left -= w
            if left <= 0:
                break
    one = world.lamps[chosen]
    ax, ay, az = hemisphere(0.0, 1.0, 0.0, r1, r2, 0.0)
    side = 1.0 if r0 * 4096.0 % 1 > 0.5 else -1.0
    dx, dy, dz = one[0] + one[3] * ax - x, one[1] + one[3] * ay * side - y, one[2] + one[3] * az - z
    d2 = max(dx * dx + dy * dy + dz * dz, 0.01)
    d = sqrt(d2)
    dx, dy, dz = dx / d, dy / d, dz / d
    c = nx * dx + ny * dy + nz * dz
    if c <= 0:
        return 0.0, 0.0, 0.0
    if blocked(
        world.bounds,
        world.links,
        world.corners,
        world.uv,
        world.holes,
        world.clear,
        stack,
        x,
        y,
        z,
        dx,
        dy,
        dz,
        d - one[3],
    ):
        return 0.0, 0.0, 0.0
    k = c / d2 * total / share
    return one[4] * k, one[5] * k, one[6] * k


@njit(cache=True, error_model="numpy", fastmath=True)
def seen(world, stack, ox, oy, oz, dx, dy, dz, spread, r0, r1, r2):
    """Light that comes back along a secondary ray: the sky, or a surface lit by sun, one lamp and the fill."""
    t, i, b1, b2 = nearest(
        world.bounds, world.links, world.corners, world.uv, world.holes, stack, ox, oy, oz, dx, dy, dz, FAR
    )
    if i < 0:
        return radiance(world.sky, world.panoramas, dx, dy, dz)
    x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
    nx, ny, nz = normal(world, i, b1, b2, dx, dy, dz)
    b0, uv, owner = 1 - b1 - b2, world.uv, world.owner[i]
    m = world.materials[owner]
    u, v = b0 * uv[i, 0] + b1 * uv[i, 2] + b2 * uv[i, 4], b0 * uv[i, 1] + b1 * uv[i, 3] + b2 * uv[i, 5]
    red, green, blue = albedo(world, owner, u, v, x, y, z, t * spread)
    if int(m[KIND]) == LIGHT:
        g = min(m[GLOW], 6.0)
        return red * g, green * g, blue * g
    if int(m[KIND]) == GLASS:
        return radiance(world.sky, world.panoramas, dx, dy, dz)
    x, y, z = x + nx * EPSILON * (1 + t), y + ny * EPSILON * (1 + t), z + nz * EPSILON * (1 + t)
    sr, sg, sb = sun(world, stack, x, y, z, nx, ny, nz, r1, r2)
    lr, lg, lb = lamp(world, stack, x, y, z, nx, ny, nz, r0, r2, r1)
    f = world.sky
    return red * (sr + lr + f[FILL]), green * (sg + lg + f[FILL + 1]), blue * (sb + lb + f[FILL + 2])
