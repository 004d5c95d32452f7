"""Every eighth picture of real sets left out: how the painted scene looks from there, and the scene by its vertices."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scan_cost import Meter
from benchmarks.scan_measures import pictured, psnr, ssim

from unflat.formats.scan_shelf import Depths, Shelf
from unflat.geometry.exposure import linear_of, srgb_of
from unflat.pipelines.scan_look import network_guess
from unflat.stages.bake_texture import TextureOptions, bake_texture
from unflat.stages.choose_views import only
from unflat.stages.dense_depth import DenseOptions, dense_depth
from unflat.stages.estimate_depth import DepthOptions
from unflat.stages.fuse_frames import FuseOptions, fuse_frames
from unflat.stages.track_cameras import TrackOptions, track_cameras
from unflat.stages.undistort_views import undistort_views
from unflat.types.arrays import U8, Bool
from unflat.types.image import Size
from unflat.types.mesh import Mesh
from unflat.types.views import Reconstruction, Still, Stills, View, ViewDepth

SETS = ("ngp_fox", "dino_mvs", "kitchen_7scenes")
_EVERY, _FIRST = 8, 4


def real(name: str, shared: Path) -> Stills:
    """A real set; what its manifest says of its cameras is not used."""
    if name == "kitchen_7scenes":
        files = sorted((shared / "sequences" / name / "color").iterdir())[::4]
    else:
        views = json.loads((shared / "views" / name / "manifest.json").read_text(encoding="utf-8"))["views"]
        files = [shared / "views" / name / view["image"] for view in views]

    def still(path: Path) -> Still:
        def read() -> U8:
            return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), np.uint8)[..., ::-1].copy()

        h, w = read().shape[:2]
        return Still(path.name, Size(w, h), read)

    return Stills(tuple(still(path) for path in files), ordered=name == "kitchen_7scenes")


@dataclass(frozen=True)
class HeldOut:
    """How a set is measured.

    Attributes:
        shared: Where the sets lie.
        longest: Long side of the pictures.
        depth_size: Long side of the depth.
        learned: The network stands in where nothing could be triangulated.
        keep: Where cameras and depth lie from run to run, to measure what comes after them again; None: nowhere.
        look: Where pictures go, what was taken above what is shown; None: nowhere.
    """

    shared: Path
    longest: int = 1600
    depth_size: int = 800
    learned: bool = True
    keep: Path | None = None
    look: Path | None = None

    def measure(self, name: str) -> None:
        """Print the figures of one set."""
        with ExitStack() as stack:
            folder = self.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self._measure(name, folder, Meter())

    def _measure(self, name: str, folder: Path, meter: Meter) -> None:
        stills, key = real(name, self.shared), f"{name} {self.longest} {self.depth_size} {self.learned}"
        print(f"\n{name}")
        tracked = meter.run("track", lambda: self._tracked(name, stills, folder))
        flat = undistort_views(tracked, self.longest)
        out = range(_FIRST, len(flat.views), _EVERY)
        part = only(flat, [k for k in range(len(flat.views)) if k not in out])
        frames = meter.run("dense", lambda: self._depth(part, Shelf(folder / key, self.longest)))
        mesh = meter.run("fuse", lambda: fuse_frames(frames, FuseOptions()))
        painted = meter.run("paint", lambda: bake_texture(mesh, frames, TextureOptions()))
        placed = f"{len(tracked.views)} of {len(stills.items)} placed, {len(out)} held out"
        print(f"  {placed}, {len(mesh.faces)} triangles; {meter}")
        for what, shown in (("textured", painted), ("by vertices", mesh)):
            self._compare(name, what, shown, [flat.views[k] for k in out])

    def _tracked(self, name: str, stills: Stills, folder: Path) -> Reconstruction:
        shelf = Shelf(folder / f"{name} cameras", self.longest)
        found = shelf.get_reconstruction(name, stills)
        if found is None:
            found = track_cameras(stills, TrackOptions())
            shelf.put_reconstruction(name, found)
        return found

    def _depth(self, made: Reconstruction, shelf: Shelf) -> Sequence[ViewDepth]:
        names = [f"depth {view.still.name}" for view in made.views]
        if any(shelf.get_depth(n, "depth", v) is None for n, v in zip(names, made.views, strict=True)):
            guess = network_guess("auto", DepthOptions(), lambda: None) if self.learned else None
            seen = dense_depth(made, DenseOptions(self.depth_size), guess)
            for n, one in zip(names, seen, strict=True):
                shelf.put_depth(n, "depth", one)
        return Depths(shelf, "depth", made.views, names)

    def _compare(self, name: str, what: str, shown: Mesh, views: Sequence[View]) -> None:
        """Means of PSNR and SSIM where the scene covers pictures that were held out, and how much that is."""
        rows: list[tuple[float, float, float, float]] = []
        for view in views:
            seen, there = pictured(shown, view)
            inside = cv2.erode(there.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            true = view.still.read()
            even = psnr(exposed(seen, true, inside), true, inside)
            if not inside.any():
                continue
            rows.append((psnr(seen, true, inside), even, ssim(seen, true, inside), float(there.mean())))
            if self.look is not None:
                self.look.mkdir(parents=True, exist_ok=True)
                both = np.vstack([true, seen])[..., ::-1]
                cv2.imwrite(str(self.look / f"{name}-{what.replace(' ', '-')}-{Path(view.still.name).stem}.png"), both)
        if not rows:
            print(f"  {what:11} none of the pictures that were held out is covered at all")
            return
        each = " ".join(f"{row[0]:.1f}" for row in rows)
        noise, even, like, cover = (float(np.nanmean(column)) for column in zip(*rows, strict=True))
        seen = f"{100 * cover:.0f} % of the pictures"
        print(f"  {what:11} PSNR {noise:.2f} dB ({even:.2f} when exposed the same), SSIM {like:.3f} on {seen}; {each}")


def exposed(shown: U8, true: U8, where: Bool) -> U8:
    """What is shown with the exposure of the picture that was taken there: a gain of the light of each channel."""
    one, other = (np.maximum(linear_of(pixels.astype(np.float64)), 1e-4) for pixels in (shown, true))
    gain = np.median(np.log(other[where]) - np.log(one[where]), axis=0) if where.any() else np.zeros(3)
    return np.clip(np.rint(srgb_of(one * np.exp(gain))), 0, 255).astype(np.uint8)
