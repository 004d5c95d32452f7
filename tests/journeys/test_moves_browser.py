"""A move inside a GLB, played by three.js in a real browser: its camera is where ours is, at every time."""

from __future__ import annotations

import base64
import json
import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest

import scenes
from unflat.formats.glb import glb_bytes
from unflat.formats.registry import ExportOptions
from unflat.stages.move_camera import Motion, MotionOptions, Stand, moved, tracked
from unflat.types import Camera

pytestmark = [pytest.mark.browser, pytest.mark.node]

WEB = Path(__file__).parents[2] / "web"
LENS = scenes.camera().intrinsics
STAND = Stand(pivot=2.0, near=1.2, reach=0.2)
TURN = np.diag([1.0, -1.0, -1.0, 1.0])
"""gl_from_rdf, of places and of cameras alike."""


@pytest.fixture(scope="module")
def script() -> str:
    """tests/journeys/moves.ts with three.js in it."""
    esbuild = WEB / "node_modules" / ".bin" / "esbuild"
    if not (shutil.which("node") and esbuild.exists()):
        what = "three.js and esbuild are not installed; run: npm ci --prefix web"
        if os.environ.get("UNFLAT_CI") == "1":
            pytest.fail(what)
        pytest.skip(what)
    source = (Path(__file__).parent / "moves.ts").read_bytes()
    command = [esbuild, "--bundle", "--format=iife", "--loader=ts", "--log-level=error"]
    return subprocess.run(command, input=source, cwd=WEB, capture_output=True, check=True).stdout.decode("utf-8")


@pytest.fixture(scope="module")
def page(script: str) -> Iterator[chromium.Page]:
    with chromium.wanted() as browser:
        page = chromium.Page(browser, width=320, height=240)
        page.js(script)
        yield page
        page.close()


def played(page: chromium.Page, options: MotionOptions, times: list[float]) -> dict[str, Any]:
    track = tracked(list(moved(LENS, options, STAND)), options)
    scene = replace(scenes.textured_scene(), tracks=(track,))
    glb = base64.b64encode(glb_bytes(scene, ExportOptions())).decode("ascii")
    return page.js(f"poses({json.dumps(glb)}, {json.dumps(times)})")


def in_gl(camera: Camera) -> np.ndarray:
    return TURN @ camera.pose.world_from_camera @ TURN


@pytest.mark.parametrize("loop", [True, False])
@pytest.mark.parametrize("motion", ["orbit", "swing", "dolly", "zoom"])
def test_three_js_moves_its_camera_as_we_do(page: chromium.Page, motion: Motion, loop: bool) -> None:
    options = MotionOptions(motion=motion, seconds=2, fps=30, loop=loop)
    ours = list(moved(LENS, options, STAND))
    at = [0, 7, 21, 45, 59]
    seen = played(page, options, [i / 30 for i in at])
    assert seen["channels"] == 2 and seen["seconds"] == pytest.approx(2 if loop else 59 / 30)
    assert np.allclose(np.reshape(seen["still"], (4, 4)).T, np.eye(4))
    for i, matrix in zip(at, seen["found"], strict=True):
        assert np.allclose(np.reshape(matrix, (4, 4)).T, in_gl(ours[i]), atol=2e-6)
    lens = ours[0].intrinsics
    assert seen["fov"] == pytest.approx(math.degrees(2 * math.atan(lens.size.height / 2 / lens.fy)), abs=1e-5)
    assert seen["aspect"] == pytest.approx(lens.size.width / lens.size.height)


def test_between_two_frames_it_is_where_a_finer_film_is(page: chromium.Page) -> None:
    options = MotionOptions(motion="orbit", seconds=2, fps=30)
    finer = list(moved(LENS, replace(options, fps=240), STAND))
    at = [3, 100, 333, 477]
    seen = played(page, options, [i / 240 for i in at])
    for i, matrix in zip(at, seen["found"], strict=True):
        found, ours = np.reshape(matrix, (4, 4)).T, in_gl(finer[i])
        assert np.linalg.norm(found[:3, 3] - ours[:3, 3]) < 0.002 * STAND.reach
        assert np.abs(found[:3, :3] - ours[:3, :3]).max() < 2e-4


def test_a_loop_ends_where_it_began(page: chromium.Page) -> None:
    first, last = played(page, MotionOptions(seconds=1, fps=20), [0.0, 1.0])["found"]
    assert np.allclose(first, last, atol=1e-6)
