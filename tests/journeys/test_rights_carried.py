"""A photograph that says whose it is, and where and with what it was taken: the first comes out everywhere, the rest
nowhere. Exiftool is the judge."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pil
from PIL import PngImagePlugin
from skimage import data

from unflat.formats.exif import exif_block
from unflat.formats.told_rights import XMP_KEY

CREATOR, NOTICE, TERMS = "Ann Open", "(c) 2026 Ann Open", "ask first"
SECRETS = ("SERIAL-4711", "LENS-0815", "Olga Owner", "Host Of Olga", "Jane Shown", "13.3777", "52 31")
PACKET = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 exif:GPSLatitude="52,31.1N" exif:GPSLongitude="13.3777E" aux:SerialNumber="SERIAL-4711" aux:OwnerName="Olga Owner">
<xmpRights:UsageTerms><rdf:Alt><rdf:li xml:lang="x-default">{TERMS}</rdf:li></rdf:Alt></xmpRights:UsageTerms>
<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Jane Shown</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
OUTPUTS = ("a.glb", "a.usdz", "a.ply", "a.obj", "a.html", "a.spz", "a.stl", "a.3mf", "a.exr", "a.png", "d.jpg")
PICTURES = ("s.jpg", "s.png", "s.webp", "s.tif", "s.avif")
LEAKING = ("GPS", "SerialNumber", "OwnerName", "HostComputer", "PersonInImage", "LensSerialNumber")


@pytest.fixture(scope="module")
def exiftool() -> str:
    program = shutil.which("exiftool")
    if program is None and os.environ.get("UNFLAT_CI") == "1":
        pytest.fail("exiftool is not installed")
    if program is None:
        pytest.skip("exiftool is not installed")
    return program


def told(exiftool: str, *paths: Path) -> list[dict[str, Any]]:
    """What exiftool reads, also in what is embedded; names without groups that would hide each other."""
    command = [exiftool, "-json", "-a", "-ee", "-G1", "-struct", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, encoding="utf-8")
    return json.loads(done.stdout)


def value(row: dict[str, Any], *names: str) -> Any:
    """The first of the tags, in whatever group."""
    found = {key.split(":")[-1]: item for key, item in row.items()}
    return next((found[name] for name in names if name in found), None)


def secretive(path: Path) -> Path:
    """A photograph with all that a camera and its owner leave in a file."""
    exif = Pil.Exif()
    exif.load(exif_block({0x013B: CREATOR, 0x8298: NOTICE}))
    exif[0x013C] = "Host Of Olga"
    inner = exif.get_ifd(0x8769)
    inner |= {0xA430: "Olga Owner", 0xA431: "SERIAL-4711", 0xA435: "LENS-0815"}
    place = exif.get_ifd(0x8825)
    place |= {1: "N", 2: (52.0, 31.0, 6.0), 3: "E", 4: (13.0, 22.0, 39.0)}
    Pil.fromarray(data.chelsea()).resize((226, 150)).save(path, exif=exif, xmp=PACKET.encode(), quality=92)
    return path


def unflat(*words: str | Path) -> None:
    command = [sys.executable, "-m", "unflat", *map(str, words)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rights")
    source = secretive(folder / "source.jpg")
    out = folder / "out"
    out.mkdir()
    unflat("photo", source, *(word for name in OUTPUTS for word in ("-o", out / name)))
    unflat("stereo", source, *(word for name in PICTURES for word in ("-o", out / name)))
    unflat("animate", source, "-o", out / "m.mp4", "-o", out / "m.webp", "--seconds", "0.3", "--fps", "8")
    return folder


def test_the_source_is_as_leaky_as_it_should_be(exiftool: str, made: Path) -> None:
    (row,) = told(exiftool, made / "source.jpg")
    words = json.dumps(row)
    assert all(name in words for name in LEAKING)
    assert value(row, "Artist") == CREATOR


def test_exiftool_reads_whose_it_is(exiftool: str, made: Path) -> None:
    names = [*PICTURES, "a.png", "d.jpg", "m.mp4", "m.webp"]
    for row in told(exiftool, *(made / "out" / name for name in names)):
        name = row["SourceFile"]
        assert value(row, "Creator") in (CREATOR, [CREATOR]), name
        assert value(row, "Rights", "Copyright") == NOTICE, name
        assert value(row, "UsageTerms") == TERMS, name
        kind = value(row, "DigitalSourceType")
        assert kind.endswith(("compositeWithTrainedAlgorithmicMedia", "trained algorithmic media")), (name, kind)
        assert value(row, "Description").startswith("AI-generated 3D"), name


def test_exiftool_finds_nothing_of_place_camera_or_owner(exiftool: str, made: Path) -> None:
    files = sorted(path for path in (made / "out").rglob("*") if path.is_file())
    assert len(files) >= len(OUTPUTS) + len(PICTURES) + 2
    rows = told(exiftool, *files)
    assert len(rows) == len(files)
    for row in rows:
        leaks = [key for key in row if any(name in key for name in LEAKING)]
        assert leaks == [], (row["SourceFile"], leaks)
        assert [word for word in SECRETS if word in json.dumps(row, ensure_ascii=False)] == [], row["SourceFile"]
    for path in files:
        inside = path.read_bytes()
        assert [word for word in SECRETS[:5] if word.encode() in inside] == [], path.name


def test_a_png_source_with_everything(exiftool: str, tmp_path: Path) -> None:
    """Its XMP stands in a text chunk; nothing of it but rights comes out."""
    info = PngImagePlugin.PngInfo()
    info.add_itxt(XMP_KEY, PACKET)
    Pil.fromarray(data.chelsea()).resize((226, 150)).save(tmp_path / "source.png", pnginfo=info)
    unflat("stereo", tmp_path / "source.png", "-o", tmp_path / "s.png")
    (row,) = told(exiftool, tmp_path / "s.png")
    assert value(row, "UsageTerms") == TERMS
    assert not any(word in json.dumps(row) for word in (*SECRETS, *LEAKING))
