"""The parts of the viewer that change depth, in Node, each against a slow, plain definition of it in numpy."""

from __future__ import annotations

import base64
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

from unflat.formats import depth_sidecar, depthmap
from unflat.formats.depth_codes import coding_to_edit
from unflat.formats.packed_codes import packed
from unflat.types import DepthKind, DepthMap, Intrinsics, Provenance, Scale, Size, Source
from web_code import ran

pytestmark = pytest.mark.node

SIZE = Size(61, 47)
OPEN = """
import { DepthField } from "@/codes";
const bytes = Uint8Array.from(Buffer.from(given.packed, "base64")).buffer;
const field = await DepthField.open(given.words, bytes);
"""


def depth_map(values: np.ndarray | None = None, sky: np.ndarray | None = None) -> DepthMap:
    rng = np.random.default_rng(4)
    values = (2 + 3 * rng.random(SIZE.shape)).astype(np.float32) if values is None else values.astype(np.float32)
    valid = np.ones(SIZE.shape, bool)
    valid[40:42, 10:14] = False
    story = Provenance((Source("Ω.jpg", None, "jpeg"),), (), "0.1.0", False)
    camera = Intrinsics.from_fov(60, SIZE, "given")
    scale = Scale("assumed", 0.2, 5.0)
    return DepthMap(values, DepthKind.SCALE, valid, sky, None, camera, "worlds", provenance=story, scale=scale)


def carried(depth: DepthMap) -> dict[str, str]:
    """What a page gives the viewer."""
    coding = coding_to_edit(depth)
    words = depth_sidecar.dump(depth, "depth.png", coding)
    return {"words": words, "packed": base64.b64encode(packed(coding.encode(depth))).decode()}


def codes_of(depth: DepthMap) -> np.ndarray:
    return coding_to_edit(depth).encode(depth).astype(np.int64)


def array(answer: Any) -> np.ndarray:
    return np.array(answer, np.int64).reshape(SIZE.shape)


def centres() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0 : SIZE.height, 0 : SIZE.width]
    return x + 0.5, y + 0.5


def test_the_viewer_unpacks_what_was_packed(tmp_path: Path) -> None:
    depth = depth_map()
    answer = ran(OPEN + "return { codes: [...field.codes], z: field.depthOf(20000) };", tmp_path, **carried(depth))
    assert np.array_equal(array(answer["codes"]), codes_of(depth))
    z, _, _ = coding_to_edit(depth).decode(np.full((1, 1), 20000, np.uint16))
    assert answer["z"] == pytest.approx(float(z[0, 0]), rel=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (7, 3), (64, 33)])
def test_a_written_png_is_read_by_others(tmp_path: Path, size: tuple[int, int]) -> None:
    codes = np.random.default_rng(0).integers(0, 65536, size[0] * size[1])
    codes[: size[0]] = 65535
    program = """
import { grey16 } from "@/png";
const blob = await grey16(Uint16Array.from(given.codes), given.size, "unflat-depth", "some words\\n\\\\u03a9");
return Buffer.from(await blob.arrayBuffer()).toString("base64");
"""
    data = base64.b64decode(ran(program, tmp_path, codes=codes.tolist(), size=size))
    picture = Pil.open(io.BytesIO(data))
    picture.verify()
    picture = Pil.open(io.BytesIO(data))
    assert picture.size == size and picture.mode == "I;16"
    assert picture.info["unflat-depth"] == "some words\n\\u03a9"
    assert np.array_equal(np.asarray(picture).reshape(-1), codes)
    theirs = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))
    assert np.array_equal(theirs.reshape(-1), codes)


def test_a_saved_file_says_what_was_done(tmp_path: Path) -> None:
    depth = depth_map()
    program = (
        OPEN.replace("const bytes", 'import { grey16 } from "@/png";\nconst bytes')
        + """
field.codes[5] = 1; field.codes[70] = 65535; field.codes[71] = 4000;
const blob = await grey16(field.codes, [field.width, field.height], "unflat-depth", field.words("a-depth.png"));
return Buffer.from(await blob.arrayBuffer()).toString("base64");
"""
    )
    path = tmp_path / "a-depth.png"
    path.write_bytes(base64.b64decode(ran(program, tmp_path, **carried(depth))))
    back = depthmap.read(path)
    wanted = codes_of(depth).reshape(-1)
    wanted[[5, 70, 71]] = 1, 65535, 4000
    values, valid, sky = coding_to_edit(depth).decode(wanted.reshape(SIZE.shape).astype(np.uint16))
    assert np.array_equal(back.values[back.surface], values[valid & ~sky])
    assert back.sky is not None and np.flatnonzero(back.sky).tolist() == [5]
    assert (back.kind, back.scale, back.intrinsics) == (depth.kind, depth.scale, depth.intrinsics)
    assert back.origin == "worlds, edited by hand"
    assert back.provenance is not None and back.provenance.sources[0].name == "Ω.jpg"
    assert [(s.name, dict(s.options)) for s in back.provenance.steps] == [
        ("edit by hand", {"pixels": 3, "of": SIZE.width * SIZE.height})
    ]
    with Pil.open(path) as picture:
        said = json.loads(str(picture.info["unflat-depth"]))
    seen = values[valid & ~sky]
    assert said["range"] == pytest.approx([seen.min(), seen.max()], rel=1e-5) and said["file"] == "a-depth.png"


@pytest.mark.parametrize("push", [0.2, -0.3])
def test_a_stroke_moves_by_the_greatest_weight_that_passed(tmp_path: Path, push: float) -> None:
    depth = depth_map()
    path, radius = [(-4.0, 20.0), (30.0, 22.0), (30.0, 40.0), (12.0, 20.5)], 9.0
    program = (
        OPEN.replace("const bytes", 'import { Stroke } from "@/brush";\nconst bytes')
        + """
const stroke = new Stroke(field, { radius: given.radius, push: given.push, colours: null }, given.path[0]);
for (const spot of given.path.slice(1)) stroke.to(spot);
const change = stroke.change();
return { codes: [...field.codes], box: change.box, before: [...change.codes] };
"""
    )
    answer = ran(program, tmp_path, path=path, radius=radius, push=push, **carried(depth))
    x, y = centres()
    weight = np.zeros(SIZE.shape)
    for (ax, ay), (bx, by) in pairwise(path):
        for t in np.linspace(0, 1, 400):
            share = np.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)) / radius
            weight = np.maximum(weight, np.where(share < 1, (1 - share**2) ** 2, 0))
    before, after = codes_of(depth), array(answer["codes"])
    wanted = np.clip(1 + (before - 1) * np.exp(push * weight), 2, 65535)
    seen = before >= 2
    # The stroke steps by a fifth of its radius, where the weight is at most 3 % less than along a line without steps.
    assert np.abs(after - wanted)[seen].max() <= 0.03 * abs(push) * before.max()
    assert np.array_equal(after[~seen], before[~seen]) and np.array_equal(after[weight == 0], before[weight == 0])
    box = answer["box"]
    cut = before[box["top"] : box["bottom"], box["left"] : box["right"]]
    assert np.array_equal(np.array(answer["before"]).reshape(cut.shape), cut)
    outside = np.ones(SIZE.shape, bool)
    outside[box["top"] : box["bottom"], box["left"] : box["right"]] = False
    assert not weight[outside].any()


def test_the_edge_aware_brush_stays_on_what_it_began_on(tmp_path: Path) -> None:
    x, _ = centres()
    depth = depth_map(np.where(x < 30, 2.0, 4.0))
    colours = np.zeros((*SIZE.shape, 4), int)
    colours[..., 0] = np.where(np.abs(x - 12) < 5, 255, 20)
    program = (
        OPEN.replace("const bytes", 'import { Stroke } from "@/brush";\nconst bytes')
        + """
const colours = Uint8ClampedArray.from(given.colours);
new Stroke(field, { radius: 25, push: 0.3, colours }, [23.5, 20.5]);
return [...field.codes];
"""
    )
    before = codes_of(depth)
    after = array(ran(program, tmp_path, colours=colours.reshape(-1).tolist(), **carried(depth)))
    moved = (after - before) / np.maximum(before, 1)
    assert moved[20, 23] > 0.3
    assert moved[20, 40] < 0.01 and moved[20, 36] < 0.01, "another depth"
    assert moved[20, 12] < 0.01 < moved[20, 18], "another colour"


def test_a_loop_and_a_brush_mark_the_centres_inside(tmp_path: Path) -> None:
    loop = [(5.2, 3.1), (50.7, 8.3), (44.0, 40.4), (30.0, 12.0), (-8.5, 60.2)]
    path, radius = [(-2.0, 5.0), (20.0, 30.0), (58.0, 44.0)], 6.5
    program = (
        OPEN.replace("const bytes", 'import { insideLoop, underBrush } from "@/region";\nconst bytes')
        + """
const none = insideLoop(field, [[-9, -9], [-3, -9], [-3, -2]]);
return { loop: insideLoop(field, given.loop), brush: underBrush(field, given.path, given.radius), none };
"""
    )
    answer = ran(program, tmp_path, loop=loop, path=path, radius=radius, **carried(depth_map()))
    x, y = centres()
    corners = np.array(loop, np.float32)
    inside = np.array(
        [
            [cv2.pointPolygonTest(corners, (float(a), float(b)), False) > 0 for a, b in zip(*row, strict=True)]
            for row in zip(x, y, strict=True)
        ]
    )
    near = np.full(SIZE.shape, np.inf)
    for (ax, ay), (bx, by) in pairwise(path):
        for t in np.linspace(0, 1, 300):
            near = np.minimum(near, np.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)))
    assert answer["none"] is None
    for name, wanted, doubtful in (("loop", inside, 0), ("brush", near <= radius, 12)):
        marked = np.zeros(SIZE.width * SIZE.height, bool)
        marked[answer[name]["pixels"]] = True
        marked = marked.reshape(SIZE.shape)
        assert np.count_nonzero(marked != wanted) <= doubtful, name
        rows, columns = np.nonzero(marked)
        box = {"left": columns.min(), "top": rows.min(), "right": columns.max() + 1, "bottom": rows.max() + 1}
        assert answer[name]["box"] == box, name


def test_flat_is_the_plane_that_most_of_a_region_lies_on(tmp_path: Path) -> None:
    """A slanted wall with 40 % of something nearer before it, noise of 1 %, sky and a hole: the wall comes out."""
    x, y = centres()
    rng = np.random.default_rng(2)
    wall = 0.3 + 0.002 * x - 0.003 * y
    seen = wall * (1 + 0.01 * rng.standard_normal(SIZE.shape))
    seen[:, 36:] *= 1.6
    sky = np.zeros(SIZE.shape, bool)
    sky[:2] = True
    depth = depth_map(np.where(sky, np.inf, 1 / seen), sky)
    program = (
        OPEN.replace("const bytes", 'import { layFlat } from "@/flat";\nconst bytes')
        + """
const pixels = [...field.codes.keys()];
const done = layFlat(field, { box: { left: 0, top: 0, right: field.width, bottom: field.height }, pixels });
const codes = [...field.codes];
field.codes.fill(1);
const nothing = layFlat(field, { box: { left: 0, top: 0, right: 9, bottom: 9 }, pixels: [1, 2, 3] });
field.codes[40] = 700;
const lone = layFlat(field, { box: { left: 0, top: 0, right: 9, bottom: 9 }, pixels: [1, 2, 40] });
return { done, codes, nothing, lone, after: [1, 2, 40].map((i) => field.codes[i]) };
"""
    )
    answer = ran(program, tmp_path, **carried(depth))
    assert answer["done"] and not answer["nothing"] and answer["lone"] and answer["after"] == [700, 700, 700]
    values, valid, made_sky = coding_to_edit(depth).decode(array(answer["codes"]).astype(np.uint16))
    assert valid.all() and not made_sky.any()
    assert np.abs(1 / values / wall - 1).max() < 0.01
    a, b, c = np.linalg.lstsq(np.stack([x.ravel(), y.ravel(), np.ones(x.size)], 1), 1 / values.ravel(), rcond=None)[0]
    step = coding_to_edit(depth).low
    assert np.abs(a * x + b * y + c - 1 / values).max() < 0.6 * step, "not a plane"


def test_changes_are_taken_back_in_order_and_memory_is_bounded(tmp_path: Path) -> None:
    program = (
        OPEN.replace("const bytes", 'import { History, cutOut } from "@/history";\nconst bytes')
        + """
const history = new History(field, 1000);
const box = { left: 3, top: 2, right: 13, bottom: 12 };
const states = [[...field.codes]];
for (let i = 0; i < 9; i++) {
  history.did({ box, codes: cutOut(field.codes, field.width, box) });
  for (let y = 2; y < 12; y++) for (let x = 3; x < 13; x++) field.codes[y * field.width + x] = 100 + i;
  states.push([...field.codes]);
}
const same = (i) => states[i].every((code, at) => code === field.codes[at]);
const back = [];
while (history.canUndo) { history.undo(); back.push(states.findIndex((_, i) => same(i))); }
const forth = [];
while (history.canRedo) { history.redo(); forth.push(states.findIndex((_, i) => same(i))); }
history.undo();
history.did({ box, codes: cutOut(field.codes, field.width, box) });
return { back, forth, redo: history.canRedo, none: history.redo() };
"""
    )
    answer = ran(program, tmp_path, **carried(depth_map()))
    # A box holds 200 bytes, so five changes fit.
    assert answer == {"back": [8, 7, 6, 5, 4], "forth": [5, 6, 7, 8, 9], "redo": False, "none": None}
