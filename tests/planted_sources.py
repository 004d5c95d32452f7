"""All sources of all journeys: of every kind one that says too much, baits that name something elsewhere, cut files."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image as Pil

import planted
from nets import mean_net
from phantoms import RLE, affine, ball, scanned
from unflat.types.image import Size

NET = "meanq"
"""The model that is pulled from a file on this disk."""
ELSEWHERE = "192.0.2.1"
"""Nobody's address (RFC 5737), which baits name."""


def plant(folder: Path) -> None:
    """All sources of all journeys."""
    pixels = planted.small()
    for suffix, write in (
        ("jpg", planted.jpeg),
        ("png", planted.png),
        ("webp", planted.webp),
        ("avif", planted.avif),
        ("tif", planted.tiff),
    ):
        write(folder / f"a.{suffix}", pixels)
    planted.heif(folder / "a.heic")
    (folder / "each").mkdir()
    for suffix in ("jpg", "png", "webp", "avif", "tif", "heic"):
        shutil.copy(folder / f"a.{suffix}", folder / "each" / f"{suffix}.{suffix}")
    for suffix in ("mp4", "mov", "mkv"):
        planted.film(folder / f"a.{suffix}")
    planted.jpeg(folder / "round.jpg", planted.small((256, 128)))
    planted.png(folder / "plan.png", drawing())
    np.save(folder / "own.npy", np.tile(np.linspace(1, 3, 96, dtype=np.float32)[:, None], (1, 128)))
    _models(folder)
    _scans(folder)
    _many(folder)
    _baits(folder)
    _cut(folder)


def drawing() -> np.ndarray:
    """A diagram of two regions."""
    page = np.full((160, 200, 3), 255, np.uint8)
    page[30:130, 30:90], page[40:120, 110:170] = (220, 60, 60), (60, 60, 220)
    for top, bottom, left, right in ((30, 130, 30, 90), (40, 120, 110, 170)):
        page[top : top + 2, left:right] = page[bottom - 2 : bottom, left:right] = 0
        page[top:bottom, left : left + 2] = page[top:bottom, right - 2 : right] = 0
    return page


def _models(folder: Path) -> None:
    mean_net(folder / f"{NET}.onnx")
    card = {"licence": "CC0-1.0", "kind": "disparity"}
    (folder / "card.json").write_text(json.dumps(card))


def _scans(folder: Path) -> None:
    body = scanned((16, 24, 24), affine((4, 4, 4), (-46, -46, -30)), ball((0, 0, 0), 26), (-1000, 700))
    planted.ct(folder / "Qzfile-doe", body)
    planted.ct(folder / "Qzfile-packed", body, RLE)
    shutil.make_archive(str(folder / "Qzfile-doe"), "zip", folder, "Qzfile-doe")
    planted.nifti(folder / "Qzfile-nifti.nii.gz", body.values, body.mm_from_voxel)
    planted.nrrd(folder / "Qzfile-nrrd.nrrd", body.values, 4)
    planted.metaimage(folder / "Qzfile-meta.mha", body.values, 4)
    planted.slices(folder / "Qzfile-slices", body.values)


def _many(folder: Path) -> None:
    """Pictures from around a thing, and cut-outs for a shop."""
    from scan_places import thing

    around = thing(Size(320, 240), 72)
    (folder / "around").mkdir()
    for number in range(8):
        planted.jpeg(folder / "around" / f"{number:03d}.jpg", around.frame(number))
    y, x = np.mgrid[:100, :100] + 0.5
    for name, mask in (
        ("shop/box_front.png", (abs(x - 50) < 40) & (abs(y - 50) < 25)),
        ("Ball/ball.png", np.hypot(x - 50, y - 50) < 35),
    ):
        (folder / name).parent.mkdir()
        cover = np.dstack([np.full((100, 100, 3), (200, 30, 30), np.uint8), mask.astype(np.uint8) * 255])
        planted.png(folder / name, cover)


def _baits(folder: Path) -> None:
    """Files that name something elsewhere, for libraries that would fetch it."""
    there = f"http://{ELSEWHERE}/x"
    remote = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{there}.c2pa"/>
</rdf:RDF></x:xmpmeta>"""
    Pil.fromarray(planted.small()).save(folder / "remote.jpg", xmp=remote.encode())
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{there}.ts\n#EXT-X-ENDLIST\n"
    (folder / "playlist.mp4").write_text(playlist)
    (folder / "playlist.mkv").write_text(f"ffconcat version 1.0\nfile '{there}.mkv'\n")
    buffer = {"uri": f"{there}.bin", "byteLength": 36}
    gltf = {
        "asset": {"version": "2.0"},
        "buffers": [buffer],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
    }
    (folder / "bait.gltf").write_text(json.dumps(gltf))
    with zipfile.ZipFile(folder / "bait.usdz", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(
            "a.usda", f'#usda 1.0\n(\n  subLayers = [@{there}.usda@]\n)\ndef "a" (references = @{there}.usd@) {{}}\n'
        )


def _cut(folder: Path) -> None:
    """All sources that a broken cable left, with their heads."""
    cut = folder / "cut"
    cut.mkdir()
    files = [path for path in folder.iterdir() if path.name.startswith(("a.", "Qzfile"))]
    for path in files:
        if path.is_dir():
            (cut / path.name).mkdir()
            for one in path.iterdir():
                _half(one, cut / path.name / one.name)
        else:
            _half(path, cut / path.name)


def _half(path: Path, place: Path) -> None:
    data = path.read_bytes()
    tenths = {".dcm": 9, ".nrrd": 9, ".mp4": 3}.get(path.suffix, 7)
    place.write_bytes(data[: len(data) * tenths // 10])
