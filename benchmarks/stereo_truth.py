"""What the right eye sees of a picture whose disparity is known, beside what it really saw: ours and simpler ways.

    python benchmarks/stereo_truth.py [--worlds 10 --shared ../shared/data] [--sheet views.png]

Pairs, and which pixels count, are those of `benchmarks/novel_view.py`: the real pair `motorcycle` of scikit-image, and
worlds of our own generator. "All" are the pixels that the left picture's frame shows to the right eye, "disoccluded"
those of them that no left pixel moves to, "frame" all of the right picture, what lies beyond the left one's border too.
Unknown disparities are filled alike for all methods, as we fill them: a splat that leaves those pixels out is worse.

    backward        the left picture read at x + d, d of the left picture itself: the naive way
    forward fill    disparity moved forward, its holes closed from the farther side, then read (as iw3's forward fill)
    z-splat         every pixel rounded to where it goes, nearest wins, holes from the farther side of their row
    film            `make_stereo` as it sees a film's frame
    picture         `make_stereo` as it sees one picture
    layers          `unflat photo --render-eye right`
    unflat stereo   the mean of the two before: `unflat stereo --depth-kind disparity-px --eye right`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.novel_view import Pair, figures, motorcycle, ours, simple, worlds

import unflat
from unflat.stages.make_stereo import Care, make_stereo
from unflat.stages.see_inverse import inverse_everywhere
from unflat.types.arrays import F32, U8
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image
from unflat.types.stereo import Rig

Row = tuple[float, float, float, float, float]
"""All: PSNR, SSIM; disoccluded: PSNR, SSIM; the whole frame: PSNR."""


def completed(left: U8, disparity: F32) -> F32:
    """The disparity with its holes filled, as `unflat stereo` fills them."""
    known = np.isfinite(disparity) & (disparity > 0)
    depth = np.where(known, 1 / np.where(known, disparity, 1), 0).astype(np.float32)
    return inverse_everywhere(DepthMap(depth, DepthKind.SCALE, valid=known), Image(left))


def read_at(left: U8, disparity: F32) -> F32:
    """The left picture at x + d."""
    h, w = disparity.shape
    columns, rows = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    seen = cv2.remap(left, columns + disparity, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32)


@numba.njit
def splatted(left, disparity, out, near):
    """A bare z-buffer splat: every pixel rounded to where it goes, the nearest wins; in place."""
    h, w = disparity.shape
    for y in range(h):
        for x in range(w):
            d = disparity[y, x]
            u = int(np.floor(x - d + 0.5))
            if 0 <= u < w and d > near[y, u]:
                near[y, u] = d
                for k in range(3):
                    out[y, u, k] = left[y, x, k]


def z_splat(left: U8, disparity: F32) -> F32:
    """A splat whose holes take the farther of the two pixels at their ends."""
    out, near = np.zeros_like(left), np.full(disparity.shape, np.float32(-1))
    splatted(left, disparity, out, near)
    for y in range(len(near)):
        at, gaps = np.flatnonzero(near[y] >= 0), np.flatnonzero(near[y] < 0)
        if len(at) and len(gaps):
            after = np.searchsorted(at, gaps)
            a, b = at[np.maximum(after - 1, 0)], at[np.minimum(after, len(at) - 1)]
            out[y, gaps] = out[y, np.where(near[y, a] <= near[y, b], a, b)]
    return out.astype(np.float32)


def forward_fill(left: U8, disparity: F32) -> F32:
    """Disparity moved to both pixels beside where it goes, holes closed from the right, then read backward."""
    h, w = disparity.shape
    rows, columns = np.indices((h, w))
    moved = np.full((h, w), np.float32(-1))
    for way in (np.floor, np.ceil):
        u = way(columns - disparity).astype(np.int64)
        inside = (u >= 0) & (u < w)
        np.maximum.at(moved, (rows[inside], u[inside]), disparity[inside])
    for y in range(h):
        at = np.flatnonzero(moved[y] >= 0)
        if len(at):
            moved[y] = moved[y, at[np.minimum(np.searchsorted(at, columns[y]), len(at) - 1)]]
    return read_at(left, moved)


def views(pair: Pair) -> dict[str, F32]:
    """The right view by every method."""
    _, left, _, disparity = pair
    filled = completed(left, disparity)
    rig = Rig(1.0, 0.0, left.shape[1], left=0.0)
    film, still = (make_stereo(left, filled, rig, care=Care(one, True)).pair.right for one in (False, True))
    given = np.where(np.isfinite(disparity), disparity, np.float32(np.nan)).astype(np.float32)
    both = unflat.stereo(left, depth=given, depth_kind="disparity-px", eye="right").pair.right
    return {
        "backward": read_at(left, filled),
        "forward fill": forward_fill(left, filled),
        "z-splat": z_splat(left, filled),
        "film": film.astype(np.float32),
        "picture": still.astype(np.float32),
        "layers": ours(left, disparity),
        "unflat stereo": both.astype(np.float32),
    }


def measured(pair: Pair, seen: dict[str, F32]) -> dict[str, Row]:
    """Figures of every method; none where next to nothing is disoccluded."""
    _, left, right, disparity = pair
    _, inside, hidden = simple(left, disparity)
    if hidden.sum() < 50:
        return {}
    whole = np.ones_like(inside)
    return {
        method: (*figures(view, right, inside), *figures(view, right, hidden), figures(view, right, whole)[0])
        for method, view in seen.items()
    }


def told(name: str, rows: dict[str, Row]) -> None:
    """Print one block."""
    for method, (a, b, c, d, e) in rows.items():
        print(f"{name[:20]:20} {method:14}   {a:6.2f}  {b:.3f}      {c:6.2f}  {d:.3f}      {e:6.2f}", flush=True)


def main() -> None:
    """Print a table, and one of the means over the worlds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=0, help="how many pairs of our own worlds")
    parser.add_argument("--shared", type=Path, help="folder of textures and panoramas for the worlds")
    parser.add_argument("--sheet", type=Path, help="write left, ours and right of every pair, side by side")
    given = parser.parse_args()
    print(f"unflat {unflat.__version__}\n{'':37} all: PSNR  SSIM   disoccluded: PSNR  SSIM   frame: PSNR")
    rows: list[dict[str, Row]] = []
    strips: list[U8] = []
    for pair in [motorcycle(), *worlds(given.worlds, given.shared)]:
        seen = views(pair)
        found = measured(pair, seen)
        told(pair[0], found)
        strips.append(np.hstack([pair[1], np.clip(seen["unflat stereo"], 0, 255).astype(np.uint8), pair[2]]))
        if found and pair[0] != "motorcycle":
            rows.append(found)
    if rows:
        means = {m: tuple(float(v) for v in np.mean([row[m] for row in rows], axis=0)) for m in rows[0]}
        told(f"mean of {len(rows)} worlds", means)  # type: ignore[arg-type]
    if given.sheet:
        width = max(s.shape[1] for s in strips)
        padded = [np.pad(s, ((0, 4), (0, width - s.shape[1]), (0, 0))) for s in strips]
        cv2.imwrite(str(given.sheet), np.vstack(padded)[..., ::-1])


if __name__ == "__main__":
    main()
