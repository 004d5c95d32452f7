"""What the other eye sees of a picture with known depth, beside what it really saw.

    python benchmarks/novel_view.py [--worlds 24 --shared ../shared/data] [--sheet views.png]

The scene is built from the left picture and the true disparity and seen from the right eye's place, as
``unflat photo L.png --depth d.npy --depth-kind disparity-px --render-eye right -o R.png`` does. Measured on the pair
`motorcycle` that scikit-image carries (real photographs, measured disparity) and on worlds of our own generator, whose
hidden surfaces are known (--worlds; the generator needs numba only, --shared lends it textures). Beside it stand the
plain sheet, which stretches from edge to edge, and background stretch, which repeats the farther edge of every gap.

Pixels are all those that the left picture's frame shows to the right eye; disoccluded are those of them that no left
pixel moves to. Both are found by a row-by-row warp of its own, not by the code that is measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numba
import numpy as np
from skimage.metrics import structural_similarity

sys.path.insert(0, str(Path(__file__).parents[1]))

import unflat
from unflat.pipelines.eye import eye_view
from unflat.pipelines.photo import PhotoOptions, photo
from unflat.pipelines.source import DepthSource
from unflat.stages.estimate_depth import DepthOptions
from unflat.types.arrays import F32, U8, Bool

Pair = tuple[str, U8, U8, F32]
"""Name, left, right, disparity in pixels (left x - right x; not finite where unknown)."""


@numba.njit(cache=True)
def _moved(disparity, tear):
    """Where each right pixel comes from: its x in the left picture (NaN: from nowhere) and its disparity."""
    h, w = disparity.shape
    came, near = np.full((h, w), np.float32(np.nan)), np.full((h, w), np.float32(-1))
    for y in range(h):
        for x in range(w - 1):
            a, b = disparity[y, x], disparity[y, x + 1]
            left, right = x - a, x + 1 - b
            if abs(a - b) < tear and right > left:
                for u in range(int(np.ceil(left)), int(np.floor(right)) + 1):
                    t = (u - left) / (right - left)
                    if 0 <= u < w and a + t * (b - a) > near[y, u]:
                        near[y, u], came[y, u] = a + t * (b - a), x + t
    return came, near


def _filled(disparity: F32) -> F32:
    """Unknown pixels take the smaller of the known disparities left and right of them."""
    known = np.isfinite(disparity)
    out = disparity.copy()
    columns = np.arange(disparity.shape[1])
    for y in range(len(disparity)):
        at = np.flatnonzero(known[y])
        if len(at):
            after = np.searchsorted(at, columns)
            left, right = at[np.maximum(after - 1, 0)], at[np.minimum(after, len(at) - 1)]
            out[y] = np.where(known[y], disparity[y], np.minimum(disparity[y, left], disparity[y, right]))
    return out


def simple(left: U8, disparity: F32) -> tuple[dict[str, F32], Bool, Bool]:
    """The two simple right views, which pixels the frame shows, and which of these are disoccluded."""
    came, near = _moved(_filled(disparity), 1.5)
    hole = np.isnan(came)
    rows = np.repeat(np.arange(len(left), dtype=np.float32)[:, None], left.shape[1], 1)
    seen = np.asarray(cv2.remap(left, np.nan_to_num(came), rows, cv2.INTER_CUBIC), np.float32)
    inside = np.flip(np.cumsum(np.flip(~hole, 1), axis=1) > 0, 1)
    _, label, stats, _ = cv2.connectedComponentsWithStats(hole.astype(np.uint8), connectivity=8)
    cracks = (stats[:, cv2.CC_STAT_AREA] < 12)[np.asarray(label)] & hole
    sheet, stretch = seen.copy(), seen.copy()
    for y in range(len(left)):
        at, gaps = np.flatnonzero(~hole[y]), np.flatnonzero(hole[y])
        if not len(at) or not len(gaps):
            continue
        after = np.searchsorted(at, gaps)
        a, b = at[np.maximum(after - 1, 0)], at[np.minimum(after, len(at) - 1)]
        t = np.clip((gaps - a) / np.maximum(b - a, 1), 0, 1)[:, None]
        sheet[y, gaps] = (1 - t) * seen[y, a] + t * seen[y, b]
        stretch[y, gaps] = np.where((near[y, a] <= near[y, b])[:, None], seen[y, a], seen[y, b])
    return {"plain sheet": sheet, "background stretch": stretch}, inside, hole & inside & ~cracks


def ours(left: U8, disparity: F32) -> F32:
    """The right view through the recipe."""
    options = PhotoOptions(DepthSource(depth_kind="disparity-px"), DepthOptions(detail=4096))
    return eye_view(photo(left, options, handed=disparity), "right").pixels.astype(np.float32)


def motorcycle() -> Pair:
    """The real pair, from scikit-image's own files."""
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    left, right = (np.asarray(cv2.imread(str(folder / f"motorcycle_{e}.png")))[..., ::-1] for e in ("left", "right"))
    disparity = np.load(folder / "motorcycle_disp.npz")["arr_0"].astype(np.float32)
    return "motorcycle", np.ascontiguousarray(left), np.ascontiguousarray(right), disparity


def worlds(count: int, shared: Path | None) -> Iterator[Pair]:
    """Pairs of our own worlds, near things moved by about a twentieth of the width."""
    from training.worlds.palette import Palette
    from training.worlds.sample import photograph, picture_size, scenes, useful
    from training.worlds.sources import sources
    from training.worlds.trace import assemble, pose

    tiles, materials = sources(shared)
    table = scenes()
    names = sorted(table)
    made = number = 0
    while made < count:
        rng = np.random.default_rng([20_261_122, number])
        number += 1
        name = names[int(rng.integers(len(names)))]
        stage = table[name][0](Palette(rng, tiles))
        world, camera = assemble(stage, materials), stage.cameras[0]
        size = picture_size(rng, 480)
        left = photograph(world, camera, materials, name, size, number)
        if not useful(left):
            continue
        inverse = np.where(left.depth > 0, 1 / np.maximum(left.depth, 1e-6), 0).astype(np.float32)
        focal = max(left.rgb.shape[:2]) / 2 / np.tan(left.fov / 2)
        apart = 0.05 * left.rgb.shape[1] / focal / max(float(np.quantile(inverse, 0.95)), 1e-6)
        aside = pose(camera)[:, 0] * np.float32(apart)
        eye, target = (tuple(float(v) for v in np.asarray(p) + aside) for p in (camera.eye, camera.target))
        moved = replace(camera, eye=eye, target=target)
        right = photograph(world, moved, materials, name, size, number)
        made += 1
        yield f"{name} {number}", left.rgb, right.rgb, np.maximum(focal * apart * inverse, 0.02).astype(np.float32)


def figures(view: F32, right: U8, where: Bool) -> tuple[float, float]:
    """PSNR in dB and SSIM over some pixels."""
    clipped = np.clip(view, 0, 255)
    error = float(((clipped - right)[where] ** 2).mean())
    _, similar = structural_similarity(np.rint(clipped).astype(np.uint8), right, channel_axis=2, full=True)
    return 10 * np.log10(255**2 / max(error, 1e-9)), float(similar.mean(2)[where].mean())


def measured(pair: Pair) -> tuple[dict[str, tuple[float, float, float, float]], F32]:
    """Figures of every method on one pair, and our view."""
    _, left, right, disparity = pair
    views, inside, hidden = simple(left, disparity)
    view = ours(left, disparity)
    views["unflat"] = view
    if hidden.sum() < 50:
        return {}, view
    return {m: (*figures(v, right, inside), *figures(v, right, hidden)) for m, v in views.items()}, view


def main() -> None:
    """Print a table, and one of the means over the worlds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=0, help="how many pairs of our own worlds")
    parser.add_argument("--shared", type=Path, help="folder of textures and panoramas for the worlds")
    parser.add_argument("--sheet", type=Path, help="write left, ours and right of every pair, side by side")
    given = parser.parse_args()
    print(f"unflat {unflat.__version__}\n{'':40} all: PSNR  SSIM   disoccluded: PSNR  SSIM")
    rows: list[dict[str, tuple[float, float, float, float]]] = []
    strips: list[U8] = []
    pairs = [motorcycle(), *worlds(given.worlds, given.shared)]
    for pair in pairs:
        found, view = measured(pair)
        strips.append(np.hstack([pair[1], np.clip(view, 0, 255).astype(np.uint8), pair[2]]))
        for method, (a, b, c, d) in found.items():
            print(f"{pair[0][:20]:20} {method:20}   {a:6.2f}  {b:.3f}          {c:6.2f}  {d:.3f}", flush=True)
        if found and pair[0] != "motorcycle":
            rows.append(found)
    if rows:
        for method in rows[0]:
            a, b, c, d = np.mean([row[method] for row in rows], axis=0)
            print(f"{f'mean of {len(rows)} worlds':20} {method:20}   {a:6.2f}  {b:.3f}          {c:6.2f}  {d:.3f}")
    if given.sheet:
        width = max(s.shape[1] for s in strips)
        padded = [np.pad(s, ((0, 4), (0, width - s.shape[1]), (0, 0))) for s in strips]
        cv2.imwrite(str(given.sheet), np.vstack(padded)[..., ::-1])


if __name__ == "__main__":
    main()
