"""The page of a scan: how large it is, what writing it costs, and how long a browser takes to show it.

    python benchmarks/volume_page.py 128 256 400          voxels along each side

The scan is a ball of muscle with a core of bone in air, 300 mm across, int16 with noise of 12 HU; its two surfaces have
``--triangles`` together. Writing is in CPU seconds, in a process of its own. If Chromium is here (UNFLAT_CHROMIUM) it
draws the page by software: seconds from opening it until the model is there, from one slice to the next, for a click
on the model, and for the first picture through the scan. A graphics card takes a fraction of the first and the last.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from unflat.formats import html
from unflat.types import Finish, Frame, Grid, Node, Scale, Scene, Volume

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "journeys"))
import chromium

import scenes
import turned_models

SLICE = """(() => { const it = document.querySelector('[data-kind=axial] input'); it.value = Number(it.value) - 3;
it.dispatchEvent(new Event('input', { bubbles: true }));
return new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))); })()"""


def written(side: int, triangles: int, path: Path) -> dict[str, float]:
    """Make the scan, write its page, and say what that took."""
    step = 0.3 / side
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = -0.15 + step / 2
    random = np.random.default_rng(0)
    values = np.empty((side, side, side), np.int16)
    x = np.linspace(-1, 1, side)
    for plane, z in zip(values, x, strict=True):
        away = np.sqrt(z**2 + x[:, None] ** 2 + x[None] ** 2)
        plane[...] = np.where(away < 0.3, 900, np.where(away < 0.8, 40, -1000)) + random.normal(0, 12, away.shape)
    steps = round(math.sqrt(triangles / 2))
    nodes = tuple(
        Node(name, turned_models.ball((0, 0, 0), radius, steps), finish=Finish(color))
        for name, radius, color in (("body", 0.12, (224, 172, 150)), ("core", 0.045, (240, 230, 205)))
    )
    volume = Volume(values, Grid(values.shape, affine), "hu", "CT")
    scale = Scale("metric-source", 1, 1)
    scene = Scene(nodes, (), Frame.PATIENT_LPS, scale, scenes.provenance(), volume=volume)
    before = time.process_time()
    path.write_bytes(html.page_of_scene(scene))
    return {
        "triangles": scene.triangles,
        "write CPU s": round(time.process_time() - before, 2),
        "page MB": round(path.stat().st_size / 1e6, 1),
        "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def shown(path: Path) -> dict[str, float]:
    """What the browser takes, seconds."""
    found = chromium.find()
    if found is None:
        return {}
    told: dict[str, float] = {}

    def timed(name: str, began: float) -> None:
        told[name] = round(time.monotonic() - began, 2)

    with chromium.running(found) as browser:
        page = chromium.Page(browser, width=1100, height=620)
        began = time.monotonic()
        page.open(path.as_uri())
        timed("ready", began)
        page.settle()
        began = time.monotonic()
        for _ in range(5):
            page.js(SLICE)
        told["slice"] = round((time.monotonic() - began) / 5, 3)
        began = time.monotonic()
        page.click(450, 300)
        timed("click", began)
        began = time.monotonic()
        page.js("document.querySelector('#rays').click()")
        page.settle()
        timed("rays", began)
    return told


def main() -> None:
    """One line a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sides", type=int, nargs="+")
    parser.add_argument("--triangles", type=int, default=500_000)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write is not None:
        print(json.dumps(written(options.sides[0], options.triangles, options.write)))
        return
    for side in options.sides:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "page.html"
            command = [sys.executable, __file__, str(side), "--triangles", str(options.triangles), "--write", str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            print(f"{side}³", {**json.loads(done.stdout), **shown(path)}, flush=True)


if __name__ == "__main__":
    main()
