"""From a stage to light on a film: rays, shadows, one bounce, glass, mirrors; and what each pixel is, exactly.

Each pixel's function is plain scalar code without allocation, compiled once by numba for the CPU; `trace_gpu` wraps the
same functions in a CUDA kernel. One path a sample: sun and one lamp are asked for by shadow rays, the rest of the light
by one ray over the hemisphere whose end is lit in turn (Kajiya, "The rendering equation", 1986, cut after one bounce).
"""

from __future__ import annotations

from math import sqrt, tan
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from training.worlds.bvh import DEPTH, build, nearest
from training.worlds.light import EPSILON, FAR, hemisphere, lamp, seen, sun
from training.worlds.materials import Material, Tiles
from training.worlds.mesh import rotation
from training.worlds.noise import cell
from training.worlds.sky import FILL, Panoramas, radiance, sky_row
from training.worlds.stage import Camera, Stage
from training.worlds.surface import (
    BUMP,
    FREQUENCY,
    GLASS,
    GLOSS,
    GLOW,
    HOLES,
    KIND,
    LIGHT,
    METAL,
    MIRROR,
    SEED,
    SHINE,
    albedo,
    bumped,
    normal,
    pyramids,
)  # fmt: skip

STACK = 2 * DEPTH + 8
ROUGH = 0.55


class Materials(NamedTuple):
    """What is the same for every stage: tiles as pyramids, panoramas, and pictures (p, h, w, 3) for walls and pages."""

    tiles: NDArray[np.uint8]
    tile_means: NDArray[np.float32]
    tile_side: int
    panoramas: Panoramas
    gallery: NDArray[np.uint8]

    @classmethod
    def of(cls, tiles: Tiles, panoramas: Panoramas) -> Materials:
        """The tiles made ready, the panoramas as they are, and an empty gallery (see training.gallery)."""
        levels, means = pyramids(tiles.maps)
        return cls(levels, means, tiles.maps.shape[1], panoramas, np.zeros((0, 1, 1, 3), np.uint8))


class World(NamedTuple):
    """A stage as arrays: n triangles in the order of the tree, k materials, l lamps."""

    bounds: NDArray[np.float32]
    links: NDArray[np.int32]
    corners: NDArray[np.float32]  # (n, 9): a corner and two edges
    normals: NDArray[np.float32]  # (n, 9)
    uv: NDArray[np.float32]  # (n, 6)
    owner: NDArray[np.int32]  # (n,)
    holes: NDArray[np.float32]  # (n, 3)
    clear: NDArray[np.bool_]  # (n,): throws no shadow
    materials: NDArray[np.float32]  # (k, 19)
    lamps: NDArray[np.float32]  # (l, 7)
    sky: NDArray[np.float32]
    panoramas: NDArray[np.float32]
    tiles: NDArray[np.uint8]
    tile_means: NDArray[np.float32]
    tile_side: int
    gallery: NDArray[np.uint8]


def _vertex_normals(vertices: NDArray[np.float32], faces: NDArray[np.int32], smooth: bool) -> NDArray[np.float32]:
    """(m, 9): the normals at the corners of each face."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    if not smooth:
        return np.tile(flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-20), 3)
    # seams of a skin are points twice: they share one normal
    keys = np.unique(np.round(vertices, 4), axis=0, return_inverse=True)[1].ravel()
    total = np.zeros((keys.max() + 1, 3))
    for k in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(keys[faces[:, k]], flat[:, axis], len(total))
    total /= np.linalg.norm(total, axis=1, keepdims=True) + 1e-20
    return total[keys[faces]].reshape(-1, 9).astype(np.float32)


def assemble(stage: Stage, materials: Materials) -> World:
    """The stage as arrays, its tree built."""
    palette: dict[Material, int] = {}
    triangles, normals, uv, owner = [], [], [], []
    for part in stage.things:
        if not len(part.faces):
            continue
        index = palette.setdefault(part.material, len(palette))
        triangles.append(part.vertices[part.faces])
        normals.append(_vertex_normals(part.vertices, part.faces, part.smooth))
        uv.append(part.uv[part.faces].reshape(-1, 6))
        owner.append(np.full(len(part.faces), index, np.int32))
    corners = np.concatenate(triangles).astype(np.float32)
    tree = build(corners)
    corners, o = corners[tree.order], np.concatenate(owner)[tree.order]
    edges = np.concatenate([corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], 1)
    rows = np.stack([m.row() for m in palette])
    panoramas = materials.panoramas
    lamps = np.array([[*lamp.at, lamp.radius, *lamp.colour] for lamp in stage.lamps], np.float32).reshape(-1, 7)
    holes = np.stack([rows[:, HOLES], rows[:, FREQUENCY], rows[:, SEED]], 1).astype(np.float32)
    return World(
        tree.bounds, tree.links, np.ascontiguousarray(edges), np.concatenate(normals)[tree.order].astype(np.float32),
        np.concatenate(uv)[tree.order], o, holes[o], np.isin(rows[:, KIND], (GLASS, LIGHT))[o], rows, lamps,
        sky_row(stage.sky, stage.fill, panoramas),
        panoramas.radiance if len(panoramas.radiance) else np.zeros((1, 2, 2, 3), np.float32),
        materials.tiles, materials.tile_means, materials.tile_side, materials.gallery,
    )  # fmt: skip


@njit(cache=True, error_model="numpy", fastmath=True)
def _matte(world, stack, out, hit, ray, through, owner, draws, spread, soft):
    """Add the light that leaves an opaque surface to `out` (see FILM).

    hit: place, normal, colour there (9); ray: its direction and how far it has come (4); through: what glass and
    mirrors on the way left of each colour; draws: four random numbers; soft: also ask for lamps and light from all
    around.
    """
    x, y, z, nx, ny, nz, red, green, blue = hit
    dx, dy, dz, travelled = ray
    tr, tg, tb = through
    r0, r1, r2, r3 = draws
    m, f = world.materials[owner], world.sky
    facing = -(nx * dx + ny * dy + nz * dz)
    fresnel = m[SHINE] + (1 - m[SHINE]) * max(1 - facing, 0.0) ** 5 * m[GLOSS] ** 3
    if m[BUMP] > 0:
        pixel = travelled * spread / max(abs(facing), 0.25)
        nx, ny, nz = bumped(m, x, y, z, nx, ny, nz, pixel)
    e = EPSILON * (1 + travelled)
    ox, oy, oz = x + nx * e, y + ny * e, z + nz * e
    diffuse, dull = 1 - fresnel, 0.0
    if m[METAL] > 0:
        diffuse = 0.15
    if m[GLOSS] < ROUGH:  # a reflection so wide that it is light from all around
        fresnel, dull = 0.0, fresnel * 0.7
    out[3] += tr * (red * diffuse + dull)
    out[4] += tg * (green * diffuse + dull)
    out[5] += tb * (blue * diffuse + dull)
    sr, sg, sb = sun(world, stack, ox, oy, oz, nx, ny, nz, r0, r1)
    out[0] += tr * red * diffuse * sr
    out[1] += tg * green * diffuse * sg
    out[2] += tb * blue * diffuse * sb
    if soft:
        lr, lg, lb = lamp(world, stack, ox, oy, oz, nx, ny, nz, r2, r3, r1)
        hx, hy, hz = hemisphere(nx, ny, nz, r2, r3, 0.0)
        ir, ig, ib = seen(world, stack, ox, oy, oz, hx, hy, hz, 1.0, r1, r2, r0)  # wide as the hemisphere
        out[6] += lr + ir + f[FILL] * 0.5
        out[7] += lg + ig + f[FILL + 1] * 0.5
        out[8] += lb + ib + f[FILL + 2] * 0.5
        out[17] += 1.0
    if fresnel > 0.08:
        gx, gy, gz = hemisphere(nx, ny, nz, r1, r3, 0.0)
        rough = (1 - m[GLOSS]) * 0.3
        ex, ey, ez = dx + 2 * facing * nx, dy + 2 * facing * ny, dz + 2 * facing * nz
        ex, ey, ez = ex + rough * (gx - ex), ey + rough * (gy - ey), ez + rough * (gz - ez)
        k = 1.0 / sqrt(ex * ex + ey * ey + ez * ez)
        gr, gg, gb = seen(world, stack, ox, oy, oz, ex * k, ey * k, ez * k, spread * 4, r0, r2, r1)
        if m[METAL] > 0:
            gr, gg, gb = gr * red, gg * green, gb * blue
        out[9] += tr * fresnel * gr
        out[10] += tg * fresnel * gg
        out[11] += tb * fresnel * gb


@njit(cache=True, error_model="numpy", fastmath=True)
def shade(world, stack, out, px, py, ox, oy, oz, dx, dy, dz, spread, seed, guide, soft):
    """Follow one camera ray and add what it finds to `out` (see FILM); `guide`: also note what the pixel is.

    spread: angle of a pixel in radians. soft: also ask for lamps and the light that comes from all around.
    """
    tr, tg, tb, travelled = 1.0, 1.0, 1.0, 0.0
    for bounce in range(6):
        t, i, b1, b2 = nearest(
            world.bounds, world.links, world.corners, world.uv, world.holes, stack, ox, oy, oz, dx, dy, dz, FAR
        )
        if i < 0:
            red, green, blue = radiance(world.sky, world.panoramas, dx, dy, dz)
            out[9] += tr * red
            out[10] += tg * green
            out[11] += tb * blue
            return
        travelled += t
        x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
        nx, ny, nz = normal(world, i, b1, b2, dx, dy, dz)
        owner = world.owner[i]
        kind = int(world.materials[owner, KIND])
        if bounce == 0 and guide:
            out[12], out[13], out[14], out[15], out[16] = t, nx, ny, nz, kind
        b0, uv = 1 - b1 - b2, world.uv
        u, v = b0 * uv[i, 0] + b1 * uv[i, 2] + b2 * uv[i, 4], b0 * uv[i, 1] + b1 * uv[i, 3] + b2 * uv[i, 5]
        facing = -(nx * dx + ny * dy + nz * dz)
        red, green, blue = albedo(world, owner, u, v, x, y, z, travelled * spread / max(abs(facing), 0.25))
        h, e = 16 * bounce, EPSILON * (1 + travelled)
        draws = (cell(px, py, h, seed), cell(px, py, h + 1, seed), cell(px, py, h + 2, seed), cell(px, py, h + 3, seed))
        if kind == GLASS:
            ex, ey, ez = dx + 2 * facing * nx, dy + 2 * facing * ny, dz + 2 * facing * nz
            gr, gg, gb = seen(
                world, stack, x + nx * e, y + ny * e, z + nz * e, ex, ey, ez, spread, draws[0], draws[1], draws[2]
            )
            f = min(0.04 + 0.9 * max(1 - facing, 0.0) ** 4, 0.9)
            out[9] += tr * f * gr
            out[10] += tg * f * gg
            out[11] += tb * f * gb
            tr, tg, tb = tr * (1 - f) * red, tg * (1 - f) * green, tb * (1 - f) * blue
            ox, oy, oz = x + dx * e, y + dy * e, z + dz * e
        elif kind == MIRROR:
            tr, tg, tb = tr * red, tg * green, tb * blue
            ox, oy, oz = x + nx * e, y + ny * e, z + nz * e
            dx, dy, dz = dx + 2 * facing * nx, dy + 2 * facing * ny, dz + 2 * facing * nz
        elif kind == LIGHT:
            glow = world.materials[owner, GLOW]
            out[9] += tr * red * glow
            out[10] += tg * green * glow
            out[11] += tb * blue * glow
            return
        else:
            hit, ray = (x, y, z, nx, ny, nz, red, green, blue), (dx, dy, dz, travelled)
            _matte(world, stack, out, hit, ray, (tr, tg, tb), owner, draws, spread, soft)
            return


FILM = 18
"""Numbers a pixel: sun-lit colour 0–2, reflectance 3–5, soft irradiance 6–8, reflections, sky and lamps 9–11,
distance 12 (0: nothing but sky), normal 13–15 (world), kind of material 16, how often soft light was asked for 17.
Only every fourth pixel asks; the darkroom fills in the rest from its neighbours."""


@njit(cache=True, error_model="numpy", fastmath=True)
def pixel(world, stack, out, px, py, width, height, eye, axes, scale, samples, seed):
    """One pixel's film (FILM numbers): its middle for what it is, `samples` places in it for its light."""
    spread = 1.0 / scale
    for s in range(samples):
        jx, jy = 0.5, 0.5
        if s > 0:
            jx, jy = cell(px, py, 900 + s, seed), cell(px, py, 930 + s, seed)
        a, b = (px + jx - width * 0.5) / scale, (height * 0.5 - py - jy) / scale
        dx = axes[0, 0] * a + axes[0, 1] * b - axes[0, 2]
        dy = axes[1, 0] * a + axes[1, 1] * b - axes[1, 2]
        dz = axes[2, 0] * a + axes[2, 1] * b - axes[2, 2]
        k = 1.0 / sqrt(dx * dx + dy * dy + dz * dz)
        shade(world, stack, out, px, py, eye[0], eye[1], eye[2], dx * k, dy * k, dz * k, spread, seed + 77 * s, s == 0,
              (px + 2 * py + s) % 4 == 0)  # fmt: skip
        if s == 0:
            out[12] *= k  # along the optical axis
    for c in range(12):
        if c < 6 or c > 8:
            out[c] /= samples
        elif out[17] > 0:
            out[c] /= out[17]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _render(world, film, eye, axes, scale, samples, seed):
    stack = np.empty(STACK, np.int32)
    for y in range(film.shape[0]):
        for x in range(film.shape[1]):
            pixel(world, stack, film[y, x], x, y, film.shape[1], film.shape[0], eye, axes, scale, samples, seed)


def pose(camera: Camera) -> NDArray[np.float32]:
    """(3, 3): the camera's right, up and backward axes as columns, in the stage's axes."""
    eye, target = np.asarray(camera.eye), np.asarray(camera.target)
    back = eye - target
    back = back / (np.linalg.norm(back) + 1e-12)
    right = np.cross([0.0, 1.0, 0.0], back)
    right = right / np.linalg.norm(right) if np.linalg.norm(right) > 1e-6 else np.array([1.0, 0, 0])
    axes = np.stack([right, np.cross(back, right), back], 1)
    return (axes @ rotation(roll=camera.roll)).astype(np.float32)


def render(world: World, camera: Camera, size: tuple[int, int], samples: int = 1, seed: int = 0) -> NDArray[np.float32]:
    """Film (height, width, FILM) of a picture of size (width, height)."""
    film = np.zeros((size[1], size[0], FILM), np.float32)
    scale = max(size) / 2 / tan(camera.fov / 2)
    _render(world, film, np.asarray(camera.eye, np.float32), pose(camera), scale, samples, seed)
    return film
