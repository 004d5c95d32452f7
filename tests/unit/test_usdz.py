"""What lies inside the USDZ files we write, seen with USD itself, and what reading them refuses."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import scenes
from unflat.errors import InputError
from unflat.formats.outlet import SealOptions
from unflat.formats.registry import ExportOptions, read_scene, write
from unflat.formats.usdz_archive import pack, unpack
from unflat.types import Mesh, Node, Size

pxr = pytest.importorskip("pxr", reason="usd-core has no package for this machine")
Scenes = dict[str, Path]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    folder = tmp_path_factory.mktemp("usdz")
    for name, make in scenes.MESH_SCENES.items():
        write(make(), folder / f"{name}.usdz")
    return {name: folder / f"{name}.usdz" for name in scenes.MESH_SCENES}


def stage_of(path: Path) -> Any:
    from pxr import Usd

    return Usd.Stage.Open(str(path))


def prims(stage: Any, kind: str) -> list[Any]:
    return [prim for prim in stage.Traverse() if prim.GetTypeName() == kind]


@pytest.mark.parametrize("name", scenes.MESH_SCENES)
def test_archive_is_stored_aligned_and_starts_with_the_layer(name: str, written: Scenes) -> None:
    data = written[name].read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        entries = archive.infolist()
    assert entries[0].filename == "scene.usdc"
    for entry in entries:
        name_length, extra_length = struct.unpack_from("<HH", data, entry.header_offset + 26)
        start = entry.header_offset + 30 + name_length + extra_length
        assert start % 64 == 0 and entry.compress_type == zipfile.ZIP_STORED and entry.flag_bits == 0
        assert (data[start : start + 8] == b"PXR-USDC") == (entry is entries[0])
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)


def test_same_scene_gives_same_bytes_in_another_process(tmp_path: Path) -> None:
    """Unsigned: what is signed has a name of its own each time."""
    code = "import sys, scenes; from pathlib import Path; from unflat.formats.outlet import SealOptions; "
    code += "from unflat.formats.registry import ExportOptions, write; "
    code += "write(scenes.sky_scene(), Path(sys.argv[1]), ExportOptions(seal=SealOptions(sign=False)))"
    tests = Path(scenes.__file__).parent
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(tests)!r}); {code}",
        str(tmp_path / "a.usdz"),
    ]
    subprocess.run(command, check=True)
    write(scenes.sky_scene(), tmp_path / "b.usdz", ExportOptions(seal=SealOptions(sign=False)))
    assert (tmp_path / "a.usdz").read_bytes() == (tmp_path / "b.usdz").read_bytes()


def test_metres_up_and_default_prim(written: Scenes) -> None:
    from pxr import UsdGeom

    stage = stage_of(written["textured"])
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1 and UsdGeom.GetStageUpAxis(stage) == "Y"
    assert stage.GetRootLayer().HasDefaultPrim() and stage.GetDefaultPrim().GetName() == "Scene"
    custom = stage.GetRootLayer().customLayerData
    assert custom["Apple"] == {"preferredIblVersion": 1}
    assert custom["unflat"]["copyright"] == "© 2024 Ada Ørsted; CC-BY-4.0"


def test_it_stands_upright_on_the_floor_in_metres(written: Scenes) -> None:
    from pxr import Usd, UsdGeom

    stage = stage_of(written["textured"])
    cache = UsdGeom.BBoxCache(Usd.TimeCode.Default(), [UsdGeom.Tokens.default_])
    box = cache.ComputeWorldBound(stage.GetDefaultPrim()).ComputeAlignedRange()
    low, high = np.array(box.GetMin()), np.array(box.GetMax())
    assert low[1] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose((low + high)[[0, 2]], 0, atol=1e-6)
    np.testing.assert_allclose(high - low, np.ptp(scenes.sheet().vertices, axis=0), rtol=1e-6)
    (mesh,) = prims(stage, "Mesh")
    points = np.array(UsdGeom.Mesh(mesh).GetPointsAttr().Get())
    st = np.array(UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st").Get())
    top = points[:, 1] > 0.7
    assert top.any() and (st[top, 1] > 0.8).all(), "v grows upwards in USD"
    np.testing.assert_allclose(UsdGeom.Mesh(mesh).GetExtentAttr().Get(), [points.min(0), points.max(0)])


def test_surface_shines_by_itself(written: Scenes) -> None:
    from pxr import UsdShade

    stage = stage_of(written["masked"])
    (mesh,) = prims(stage, "Mesh")
    assert mesh.GetAttribute("doubleSided").Get() is True and mesh.GetAttribute("subdivisionScheme").Get() == "none"
    material, _ = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()
    surface, _, _ = material.ComputeSurfaceSource()
    assert tuple(surface.GetInput("diffuseColor").Get()) == (0, 0, 0)
    assert surface.GetInput("ior").Get() == 1 and surface.GetInput("roughness").Get() == 1
    picture = UsdShade.Shader(surface.GetInput("emissiveColor").GetConnectedSource()[0].GetPrim())
    assert picture.GetInput("file").Get().resolvedPath.endswith("masked.usdz[textures/picture_1.png]")
    assert picture.GetInput("wrapS").Get() == picture.GetInput("wrapT").Get() == "clamp"
    assert picture.GetInput("sourceColorSpace").Get() == "sRGB"
    assert surface.GetInput("opacity").HasConnectedSource() and surface.GetInput("opacityThreshold").Get() == 0.5


def test_camera_sees_the_picture_where_usd_says(written: Scenes) -> None:
    """USD's own frustum of both cameras puts points where our intrinsics put them, off centre and turned, too."""
    from pxr import Gf, UsdGeom

    from unflat.geometry.projection import project

    stage = stage_of(written["sky"])
    root = UsdGeom.Xformable(stage.GetDefaultPrim()).GetLocalTransformation()
    vertices = scenes.sheet().vertices.astype(float)
    for prim, ours in zip(prims(stage, "Camera"), scenes.sky_scene().cameras, strict=True):
        frustum = UsdGeom.Camera(prim).GetCamera().frustum
        clip_from_world = frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()
        in_room = [root.Transform(Gf.Vec3d(*(p * [1, -1, -1]))) for p in vertices]
        ndc = np.array([clip_from_world.Transform(p) for p in in_room])[:, :2]
        size = ours.intrinsics.size
        pixels = np.stack([(ndc[:, 0] + 1) / 2 * size.width, (1 - ndc[:, 1]) / 2 * size.height], 1)
        camera_from_world = np.linalg.inv(ours.pose.world_from_camera)
        seen = vertices @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
        np.testing.assert_allclose(pixels, project(seen, ours.intrinsics), atol=1e-3)


def test_sky_is_left_out_and_pictures_are_shared_and_small(tmp_path: Path, written: Scenes) -> None:
    assert len(prims(stage_of(written["sky"]), "Mesh")) == 1
    big = scenes.picture(Size(3000, 60))
    both = (Node("one", scenes.sheet(texture=big)), Node("two", scenes.sheet(texture=big)))
    write(scenes.scene_of(*both), tmp_path / "a.usdz", ExportOptions(texture_size=8192))
    members = unpack(tmp_path / "a.usdz")
    assert list(members) == ["scene.usdc", "textures/picture_1.jpg"]
    shown = cv2.imdecode(np.frombuffer(members["textures/picture_1.jpg"], np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None and shown.shape == (41, 2048, 3)


def test_names_of_any_letters_come_back(tmp_path: Path) -> None:
    scene = scenes.scene_of(Node("Vordergrund / ä 1", scenes.sheet()), Node("2", scenes.sheet()))
    write(scene, tmp_path / "a.usdz")
    assert [node.name for node in read_scene(tmp_path / "a.usdz").nodes] == ["Vordergrund / ä 1", "2"]


def test_colours_confidence_and_what_is_invented_come_back(written: Scenes) -> None:
    ours, theirs = scenes.coloured_sheet(), read_scene(written["coloured"]).nodes[0].item
    assert isinstance(theirs, Mesh)
    for key in ("vertices", "faces", "normals", "colors", "confidence", "invented"):
        np.testing.assert_array_equal(getattr(theirs, key), getattr(ours, key), err_msg=key)


@pytest.mark.parametrize("name", ["cloud", "splats"])
def test_what_it_cannot_hold_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hold surfaces"):
        write(scenes.SCENES[name](), tmp_path / "a.usdz")
    sky = replace(scenes.sky_scene(), nodes=scenes.sky_scene().nodes[1:])
    with pytest.raises(InputError, match="empty"):
        write(sky, tmp_path / "a.usdz")
    assert list(tmp_path.iterdir()) == []


def repacked(members: dict[str, bytes], path: Path) -> Path:
    with path.open("wb") as file:
        pack(members.items(), file)
    return path


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_scene(path)
    return str(caught.value)


@pytest.mark.parametrize("cut", [0, 10, 200, 5000, -1, -30])
def test_truncated_archives_are_refused(cut: int, tmp_path: Path, written: Scenes) -> None:
    (tmp_path / "a.usdz").write_bytes(written["textured"].read_bytes()[:cut])
    assert refused(tmp_path / "a.usdz")


def test_flipped_bits_are_found_by_the_checksums(tmp_path: Path, written: Scenes) -> None:
    data = bytearray(written["textured"].read_bytes())
    data[3000] ^= 1
    (tmp_path / "a.usdz").write_bytes(data)
    assert "CRC" in refused(tmp_path / "a.usdz")


@pytest.mark.parametrize("name", ["../x.jpg", "/x.jpg", "a/../../x.jpg", "a\\..\\x.jpg"])
def test_members_that_leave_the_archive_are_refused(name: str, tmp_path: Path, written: Scenes) -> None:
    assert "leaves" in refused(repacked({**unpack(written["coloured"]), name: b"x"}, tmp_path / "a.usdz"))


def test_compressed_archives_are_refused(tmp_path: Path, written: Scenes) -> None:
    with zipfile.ZipFile(tmp_path / "a.usdz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in unpack(written["textured"]).items():
            archive.writestr(name, data)
    assert "compressed" in refused(tmp_path / "a.usdz")


def test_other_layers_and_strangers_are_refused(tmp_path: Path, written: Scenes) -> None:
    reference = b"#usda 1.0\n( subLayers = [@/etc/hostname@] )\n"
    assert "other files" in refused(repacked({"scene.usda": reference}, tmp_path / "a.usdz"))
    stranger = b'#usda 1.0\n( defaultPrim = "a" )\ndef Xform "a" { }\n'
    assert "not written by unflat" in refused(repacked({"scene.usda": stranger}, tmp_path / "b.usdz"))
    assert "no USD layer" in refused(repacked({"note.txt": b"x"}, tmp_path / "c.usdz"))
    lost = {k: v for k, v in unpack(written["textured"]).items() if k.endswith(".usdc")}
    assert "missing" in refused(repacked(lost, tmp_path / "d.usdz"))


def test_damaged_layers_never_take_the_process_down(tmp_path: Path, written: Scenes) -> None:
    """Mutations with good checksums, as an attacker makes them; native code may die, but not here."""
    members = unpack(written["textured"])
    rng = np.random.default_rng(5)
    for number in range(6):
        layer = bytearray(members["scene.usdc"])
        for at in rng.integers(len(layer) * 2 // 3, len(layer), 5):
            layer[at] = rng.integers(256)
        path = repacked({**members, "scene.usdc": bytes(layer)}, tmp_path / f"{number}.usdz")
        try:
            read_scene(path)
        except InputError as error:
            assert "\n" not in str(error)


def test_pxr_stays_away_until_it_is_needed() -> None:
    code = "import sys, unflat.formats.usdz; sys.exit('pxr' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
