"""SPZ: the layout of Niantic's description byte by byte, its ranges, and files that lie."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mutate
import scenes
from unflat.errors import InputError
from unflat.formats import splats as splat_ply
from unflat.formats import spz
from unflat.formats.ply_table import read_tables
from unflat.formats.registry import ExportOptions
from unflat.types import Node, SafeView, Scene, Splats

OPTIONS = ExportOptions()
HEAD = struct.Struct("<4sIIBBBB")


def written(scene: Scene, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "scene.spz"
    spz.write(scene, path, OPTIONS)
    return path


def splats_of(scene: Scene) -> Splats:
    (node,) = scene.nodes
    assert isinstance(node.item, Splats)
    return node.item


def one(**changes: object) -> Scene:
    """A scene of one splat straight ahead."""
    numbers = {
        "means": [[0.5, 0.25, 2]], "scales": [[0.1, 0.1, 0.1]], "quaternions": [[1, 0, 0, 0]],
        "opacities": [0.5], "colors": [[0.5, 0.5, 0.5]],
    } | changes  # fmt: skip
    return scenes.scene_of(Node("s", Splats(**{k: np.array(v, np.float32) for k, v in numbers.items()})))


def test_the_bytes_are_those_of_the_description(tmp_path: Path) -> None:
    raw = gzip.decompress(written(one(), tmp_path).read_bytes())
    magic, version, count, degree, bits, flags, reserved = HEAD.unpack(raw[:16])
    assert (magic, version, count, degree, flags, reserved) == (b"NGSP", 3, 1, 0, 0, 0)
    assert len(raw) == 16 + 9 + 1 + 3 + 3 + 4
    xyz = [int.from_bytes(raw[16 + 3 * i : 19 + 3 * i], "little", signed=True) / 2**bits for i in range(3)]
    assert xyz == pytest.approx([0.5, -0.25, -2]), "x right, y up, z backward"
    assert raw[25] == 128 and raw[26:29] == bytes([128] * 3)
    assert raw[29:32] == bytes([round((np.log(0.1) + 10) * 16)] * 3)
    # The half turn about x, (w x y z) = (0 1 0 0): x is the largest of x y z w, index 0, all others are 0.
    assert int.from_bytes(raw[32:], "little") >> 30 == 0


def test_the_same_scene_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a, b = (written(scenes.splat_scene(), tmp_path / name) for name in "ab")
    assert a.read_bytes() == b.read_bytes()
    assert a.read_bytes()[4:8] == bytes(4), "no time in the gzip header"


def test_the_story_stands_beside_it(tmp_path: Path) -> None:
    scene = scenes.splat_scene()
    path = written(scene, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["scene.spz", "scene.spz.json"]
    assert json.loads((tmp_path / "scene.spz.json").read_text())["unit"] == "metre"
    assert spz.read(path).provenance == scene.provenance
    (tmp_path / "scene.spz.json").unlink()
    assert spz.read(path).scale.assumed
    (tmp_path / "scene.spz.json").write_text('{"someone": "else"}')
    assert spz.read(path).scale.assumed
    (tmp_path / "scene.spz.json").write_text('{"generator":"unflat 0.1.0",')
    with pytest.raises(InputError, match="damaged"):
        spz.read(path)


@given(st.floats(1e-3, 3e4), st.floats(0.001, 1))
def test_far_points_never_wrap_and_near_ones_stay_fine(far: float, share: float) -> None:
    means = np.array([[far, 0, far * share], [-far, 0, 0], [0, far * share, 0]], np.float32)
    bits = spz._fractional_bits(means)
    fixed = np.abs(np.rint(means.astype(np.float64) * 2.0**bits))
    assert fixed.max() <= 2**23 - 1
    assert 0.5 / 2.0**bits <= far * 2e-4
    assert bits >= 12 or 2 * fixed.max() > 2**23 - 2, "coarser than customary only where it must be"


def test_a_splat_beyond_24_bits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="m away"):
        written(one(means=[[0, 0, 9e6]]), tmp_path)
    assert not list(tmp_path.iterdir())


def test_ranges_are_clamped_not_wrapped(tmp_path: Path) -> None:
    path = written(one(scales=[[1e-9, 1, 1e6]], opacities=[1], colors=[[0, 1, 0.5]]), tmp_path)
    found = splats_of(spz.read(path))
    np.testing.assert_allclose(found.scales, [[np.exp(-10), 1, np.exp(255 / 16 - 10)]], rtol=1e-5)
    np.testing.assert_allclose(found.opacities, 1)
    np.testing.assert_allclose(found.colors, [[0, 1, 0.5]], atol=0.004)


def test_turns_survive_to_a_tenth_of_a_degree(tmp_path: Path) -> None:
    ours = scenes.splats(2000)
    theirs = splats_of(spz.read(written(scenes.scene_of(Node("s", ours)), tmp_path)))
    cosine = np.abs((ours.quaternions.astype(float) * theirs.quaternions).sum(1)).clip(0, 1)
    assert np.degrees(2 * np.arccos(cosine)).max() < 0.2
    assert np.abs(ours.means - theirs.means).max() < 3e-5


@pytest.mark.parametrize("version", [1, 2])
def test_older_versions_are_read(tmp_path: Path, version: int) -> None:
    xyz = np.array([[1.5, -2, -3], [0.25, 0, -1]])
    body = HEAD.pack(b"NGSP", version, 2, 0, 12, 1, 0)
    if version == 1:
        body += xyz.astype("<f2").tobytes()
    else:
        body += b"".join(int(x * 4096).to_bytes(3, "little", signed=True) for x in xyz.reshape(-1))
    body += bytes([0, 255]) + bytes([128] * 6) + bytes([160] * 6) + bytes([255, 128, 128, 128, 128, 128])
    path = tmp_path / "old.spz"
    path.write_bytes(gzip.compress(body))
    found = splats_of(spz.read(path))
    np.testing.assert_allclose(found.means, xyz * [1, -1, -1], atol=1e-6)
    np.testing.assert_allclose(found.opacities, [0, 1])
    np.testing.assert_allclose(found.scales, 1, rtol=1e-6)
    # First: a half turn about x on disk, which the half turn of the axes undoes. Second: none on disk.
    np.testing.assert_allclose(np.abs(found.quaternions), [[1, 0, 0, 0], [0, 1, 0, 0]], atol=0.01)


def packed(**changes: int) -> bytes:
    numbers = {"magic": b"NGSP", "version": 3, "count": 1, "degree": 0, "bits": 12, "flags": 0, "reserved": 0} | changes
    return gzip.compress(HEAD.pack(*numbers.values()) + bytes(40))


FOUL = {
    "empty": (b"", "not an SPZ"),
    "not gzip": (b"PLY" * 30, "not an SPZ"),
    "other magic": (packed(magic=b"XXXX"), "not an SPZ"),
    "version 4 in the open": (b"NGSP" + bytes(60), "version 4"),
    "version 9": (packed(version=9), "impossible"),
    "no splats": (packed(count=0), "impossible"),
    "60 bits": (packed(bits=60), "impossible"),
    "four billion": (packed(count=0xFFFFFFFF), "shorter"),
    "more than there is": (packed(count=100), "shorter"),
    "only a header": (gzip.compress(HEAD.pack(b"NGSP", 3, 1, 0, 12, 0, 0)), "shorter"),
}


@pytest.mark.parametrize("case", FOUL)
def test_foul_files_are_refused(tmp_path: Path, case: str) -> None:
    data, match = FOUL[case]
    mutate.refused(spz.read, tmp_path / "foul.spz", data, match)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A small file that unpacks to 200 MB: only what the header's one splat needs is taken from it."""
    bomb = gzip.compress(HEAD.pack(b"NGSP", 3, 1, 0, 12, 0, 0) + bytes(200_000_000), 1)
    path = tmp_path / "bomb.spz"
    path.write_bytes(bomb)
    assert len(splats_of(spz.read(path)).means) == 1


def test_damaged_copies_never_break_the_reader(tmp_path: Path) -> None:
    whole = written(scenes.splat_scene(), tmp_path).read_bytes()
    mutate.survives(spz.read, tmp_path / "broken.spz", whole)
    raw = gzip.decompress(whole)
    for number, broken in enumerate(mutate.mutations(raw, 200, 3, head=16)):
        mutate_one(tmp_path / f"inner{number % 2}.spz", gzip.compress(broken, 1))


def mutate_one(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        assert spz.read(path).nodes
    except InputError as error:
        assert error.hint


def converter() -> list[str] | None:
    """The splat-transform program of tests/tools, or the one on PATH; CI must have it."""
    local = Path(__file__).parents[1] / "tools" / "node_modules" / ".bin" / "splat-transform"
    found = str(local) if local.exists() else shutil.which("splat-transform")
    assert found or not os.environ.get("UNFLAT_CI"), "CI needs npm ci in tests/tools"
    return [found] if found else None


SAFE = SafeView(2.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.05)


def test_how_far_one_may_orbit_is_an_extension_of_adobe(tmp_path: Path) -> None:
    plain = gzip.decompress(written(one(), tmp_path).read_bytes())
    raw = gzip.decompress(written(replace(one(), safe_view=SAFE), tmp_path / "safe").read_bytes())
    assert HEAD.unpack(raw[:16])[5] == 2 and raw[16 : len(plain)] == plain[16:]
    kind, length, low, high, nearest = struct.unpack("<IIfff", raw[len(plain) :])
    assert (kind, length) == (0xADBE0002, 12)
    assert (low, high) == pytest.approx((-np.arctan(0.2), np.arctan(0.15))), "down, up: radians about the pivot"
    assert nearest == pytest.approx(1.5)


def test_made_up_splats_come_last_and_are_marked_again_when_read(tmp_path: Path) -> None:
    ours = scenes.splats(50)
    marks = np.random.default_rng(4).random(50) < 0.3
    scene = scenes.scene_of(Node("s", replace(ours, invented=marks)), Node("sky", scenes.splats(7), "sky"))
    for name, door in (("a.spz", spz), ("a.splat.ply", splat_ply)):
        path = tmp_path / name
        door.write(scene, path, OPTIONS)
        found = splats_of(door.read(path))
        assert found.invented is not None and found.invented.sum() == marks.sum()
        assert not found.invented[: 57 - marks.sum()].any()
        np.testing.assert_allclose(found.means[found.invented], ours.means[marks], atol=1e-4)
        assert splats_of(door.read(path)).invented is not None
        door.write(door.read(path), tmp_path / f"again-{name}", OPTIONS)
        np.testing.assert_array_equal(splats_of(door.read(tmp_path / f"again-{name}")).invented, found.invented)
    door_less = written(scenes.splat_scene(), tmp_path / "plain")
    assert splats_of(spz.read(door_less)).invented is None


@pytest.mark.parametrize("told", [7, {}, {"from": -1, "of": 1}, {"from": 2, "of": 1}, {"from": True, "of": 1}])
def test_marks_that_make_no_sense_are_refused(tmp_path: Path, told: object) -> None:
    path = written(one(), tmp_path)
    sidecar = tmp_path / "scene.spz.json"
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"invented_splats": told}, separators=(",", ":")))
    with pytest.raises(InputError, match="invented_splats"):
        spz.read(path)


def test_marks_of_other_splats_are_not_believed(tmp_path: Path) -> None:
    path = written(one(), tmp_path)
    sidecar = tmp_path / "scene.spz.json"
    told = json.loads(sidecar.read_text()) | {"invented_splats": {"from": 1, "of": 9}}
    sidecar.write_text(json.dumps(told, separators=(",", ":")))
    scene = spz.read(path)
    assert splats_of(scene).invented is None and "no longer known" in scene.provenance.warnings[-1]


@pytest.mark.node
def test_the_reference_reads_the_splats_and_how_far_one_may_orbit(tmp_path: Path) -> None:
    """@adobe/spz, which is Niantic's own code as WebAssembly; splat-transform brings it."""
    tools = Path(__file__).parents[1] / "tools"
    node = shutil.which("node")
    if node is None or not (tools / "node_modules" / "@adobe" / "spz").is_dir():
        assert not os.environ.get("UNFLAT_CI"), "CI needs npm ci in tests/tools"
        pytest.skip("@adobe/spz (npm) is not installed")
    path = written(replace(scenes.splat_scene(), safe_view=SAFE), tmp_path)
    done = subprocess.run([node, tools / "read_spz.mjs", path], check=True, capture_output=True, text=True, timeout=120)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["count"] == 200
    assert told["orbit"] == pytest.approx([-np.arctan(0.2), np.arctan(0.15), 1.5], rel=1e-6)
    assert "unknown" not in (done.stdout + done.stderr).lower()


@pytest.mark.node
@pytest.mark.skipif(converter() is None, reason="splat-transform (npm) is not installed")
def test_another_program_sees_the_same_in_both_splat_formats(tmp_path: Path) -> None:
    """splat-transform turns SPZ into the axes of splat PLY by itself: both files must then agree."""
    scene, command = replace(scenes.splat_scene(), safe_view=SAFE), converter()
    assert command is not None
    splat_ply.write(scene, tmp_path / "a.splat.ply", OPTIONS)
    spz.write(scene, tmp_path / "b.spz", OPTIONS)
    found: list[Splats] = []
    for name in ("a.splat.ply", "b.spz"):
        target = tmp_path / f"{name}.out.ply"
        subprocess.run([*command, "-q", "-w", tmp_path / name, target], check=True, capture_output=True, timeout=120)
        assert len(read_tables(target, ["vertex"])[1]["vertex"]) == 14
        found.append(splats_of(splat_ply.read(target)))
    ours, theirs = found
    np.testing.assert_array_equal(ours.means, splats_of(scene).means)
    np.testing.assert_allclose(theirs.means, ours.means, atol=3e-5)
    np.testing.assert_allclose(theirs.colors, ours.colors, atol=0.005)
    np.testing.assert_allclose(theirs.opacities, ours.opacities, atol=0.003)
    np.testing.assert_allclose(np.log(theirs.scales), np.log(ours.scales), atol=1 / 31)
    spread = covariance(ours)
    assert (np.linalg.norm(covariance(theirs) - spread, axis=(1, 2)) < 0.08 * np.linalg.norm(spread, axis=(1, 2))).all()


def covariance(splats: Splats) -> np.ndarray:
    w, x, y, z = splats.quaternions.astype(float).T
    rotation = np.stack(
        [
            *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
            *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
            *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
        ],
        axis=1,
    ).reshape(-1, 3, 3)
    return (rotation * splats.scales.astype(float)[:, None] ** 2) @ rotation.transpose(0, 2, 1)
