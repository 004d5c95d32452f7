"""Real files, damaged in a thousand ways: no traceback, no hang, no file left behind."""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unflat.cli.main import run

ROUNDS = 160
PICTURES = ["jpg", "png", "webp", "tif", "avif", "gif"]
SCENES = ["glb", "ply", "splat.ply", "spz", "obj", "stl", "3mf", "usdz"]
DEPTHS = ["npy", "exr", "pfm", "png"]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Flip, cut, repeat, insert or overwrite; sometimes several times."""
    body = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        at = rng.randrange(max(1, len(body)))
        match rng.randrange(6):
            case 0:
                body[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del body[at:]
            case 2:
                body[at : at + 4] = rng.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\x80\0\0\0"])
            case 3:
                body[at:at] = body[at : at + rng.randrange(1, 64)]
            case 4:
                del body[at : at + rng.randrange(1, 64)]
            case _:
                body[at:at] = rng.randbytes(rng.randrange(1, 16))
    return bytes(body)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One small real file of every kind, those of unflat made by unflat."""
    folder = tmp_path_factory.mktemp("originals")
    y, x = np.mgrid[0:48, 0:64]
    pixels = np.stack([x * 4, y * 5, 255 - x], -1).astype(np.uint8)
    pixels[16:] = np.random.default_rng(0).integers(30, 120, (32, 64, 3), np.uint8)  # a ground, for all else may be sky
    picture = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8298] = "somebody"
    exif.get_ifd(0x8769)[0xA405] = 28
    for suffix in PICTURES:
        picture.save(folder / f"a.{suffix}", **({"exif": exif} if suffix in ("jpg", "webp", "tif", "avif") else {}))
    words = [w for s in SCENES for w in ("-o", str(folder / f"s.{s}"))]
    words += [w for s in DEPTHS for w in ("-o", str(folder / f"d.{s}"))]
    with contextlib.redirect_stdout(io.StringIO()):
        assert run(["photo", str(folder / "a.png"), "--triangles", "1500", "--count", "300", *words]) == 0
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def told(words: list[str]) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(words)
    return code, err.getvalue()


def cases(kind: str) -> Iterator[int]:
    seed = sum(map(ord, kind))
    yield from range(seed * 1000, seed * 1000 + ROUNDS)


def check(code: int, said: str, kind: str, seed: int) -> None:
    assert code in (0, 2, 6), f"{kind} {seed}: exit {code}: {said}"
    if code:
        lines = [line for line in said.splitlines() if not line.startswith("note: ")]
        assert len(lines) == 2, f"{kind} {seed}: {said}"
        assert lines[0].startswith("error: ") and lines[1].startswith("hint: ")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", PICTURES)
def test_damaged_pictures(kind: str, originals: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "o.glb"
    for seed in cases(kind):
        path = tmp_path / f"a.{kind}"
        path.write_bytes(mutated(originals[path.name], random.Random(seed)))
        code, said = told(
            ["photo", str(path), "--depth", "ramp", "--triangles", "200", "--no-familiar", "-o", str(out), "-q"]
        )
        check(code, said, kind, seed)
        made = [out, out.with_name("o.glb.c2pa")]
        for result in made:
            assert result.exists() == (code == 0), f"{kind} {seed}: {result.name}"
            result.unlink(missing_ok=True)
        assert [p.name for p in tmp_path.iterdir()] == [path.name], f"{kind} {seed}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", SCENES)
def test_damaged_scenes(kind: str, originals: dict[str, bytes], tmp_path: Path) -> None:
    for name, data in originals.items():
        (tmp_path / name).write_bytes(data)
    there = {p.name for p in tmp_path.iterdir()}
    path = tmp_path / f"s.{kind}"
    for seed in cases(kind):
        path.write_bytes(mutated(originals[path.name], random.Random(seed)))
        check(*told(["inspect", str(path), "--json"]), kind, seed)
        assert {p.name for p in tmp_path.iterdir()} == there


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", DEPTHS)
@pytest.mark.parametrize("part", ["values", "sidecar"])
def test_damaged_depths(kind: str, part: str, originals: dict[str, bytes], tmp_path: Path) -> None:
    path, sidecar = tmp_path / f"d.{kind}", tmp_path / f"d.{kind}.json"
    victim = path if part == "values" else sidecar
    for seed in list(cases(kind))[: ROUNDS // 2]:
        for one in (path, sidecar):
            one.write_bytes(originals[one.name])
        victim.write_bytes(mutated(originals[victim.name], random.Random(seed)))
        check(*told(["inspect", str(path), "--json"]), f"{kind} {part}", seed)
        assert {p.name for p in tmp_path.iterdir()} == {path.name, sidecar.name}


def test_there_are_a_thousand() -> None:
    assert ROUNDS * (len(PICTURES) + len(SCENES) + len(DEPTHS)) >= 1000
