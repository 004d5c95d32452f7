"""What a shop gets, read from the finished files: no more triangles and texels than phones take, and clean."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from unflat.formats import glb
from unflat.formats.pxr_late import usd_module
from unflat.formats.registry import ExportOptions
from unflat.formats.shop import MOST_TEXELS, MOST_TRIANGLES, usd_complaints, write_shop
from unflat.geometry.closed_surface import is_closed
from unflat.pipelines.scan_object import ObjectOptions, object_from_images
from unflat.stages.inflate import InflateOptions
from unflat.stages.make_poster import make_poster
from unflat.types.image import Image
from unflat.types.mesh import Mesh

SIDE = 2600
"""Larger than the texture may be; and its surface, before it is simplified, has more triangles than it may have."""


def disc() -> Image:
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) + 0.5
    inside = np.hypot(x - SIDE / 2, y - SIDE / 2) < 0.49 * SIDE
    pixels = np.stack([x / SIDE * 255, y / SIDE * 255, np.full_like(x, 90)], axis=-1).astype(np.uint8)
    return Image(pixels, inside.astype(np.uint8) * np.uint8(255))


def test_finished_files_hold_what_phones_take(tmp_path: Path) -> None:
    pytest.importorskip("pxr", reason="usd-core has no package for this machine")
    usd, geom = usd_module("Usd"), usd_module("UsdGeom")

    options = ObjectOptions(front="none", shape="relief", inflate=InflateOptions(cells=192))
    scene = object_from_images([disc()], options)
    told = write_shop(scene, make_poster(scene, 128), tmp_path / "a.glb", ExportOptions(), {})
    assert told["passed"] and json.loads((tmp_path / "a.report.json").read_text("utf-8"))["passed"]

    (mesh,) = (node.item for node in glb.read(tmp_path / "a.glb").nodes if isinstance(node.item, Mesh))
    assert mesh.texture is not None
    assert 20_000 < len(mesh.faces) <= MOST_TRIANGLES == 100_000
    assert 1500 < mesh.texture.size.long_side <= MOST_TEXELS == 2048
    _, place = np.unique(np.asarray(mesh.vertices), axis=0, return_inverse=True)
    assert is_closed(place.reshape(-1)[np.asarray(mesh.faces)].astype(np.uint32))

    stage = usd.Stage.Open(str(tmp_path / "a.usdz"))
    surfaces = [geom.Mesh(prim) for prim in stage.Traverse() if prim.IsA(geom.Mesh)]
    assert sum(len(one.GetFaceVertexCountsAttr().Get()) for one in surfaces) == len(mesh.faces)
    assert geom.GetStageMetersPerUnit(stage) == 1 and geom.GetStageUpAxis(stage) == "Y"
    assert usd_complaints(tmp_path / "a.usdz") == []
    with zipfile.ZipFile(tmp_path / "a.usdz") as package:
        pictures = [name for name in package.namelist() if name.endswith((".png", ".jpg"))]
        sides = [max(Pil.open(io.BytesIO(package.read(name))).size) for name in pictures]
    assert len(sides) == 1 and sides[0] <= MOST_TEXELS
    poster = Pil.open(tmp_path / "a.png")
    assert poster.mode == "RGBA" and poster.getchannel("A").getextrema() == (0, 255)
