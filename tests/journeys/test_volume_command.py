"""A folder of slices becomes anatomy: what a teacher types, what lies there afterwards, and what does not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import manifold3d
import numpy as np
import pytest
import trimesh
from test_command import assert_two_lines, left

from bodies import head, trunk
from phantoms import SECRETS, Phantom, affine, ball, left_hand, scanned, write_dicom, write_nifti
from unflat.formats.registry import read_scene

Run = Callable[..., subprocess.CompletedProcess[str]]
FILES = ["a.glb", "a.gltf", "a.usdz", "a.ply", "a.obj", "a.stl", "a.3mf", "a.html"]


def _phantom(volume) -> Phantom:
    affine_mm = volume.grid.lps_from_voxel.copy()
    affine_mm[:3] *= 1000
    return Phantom(volume.values, affine_mm)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slices of a trunk on its table."""
    return write_dicom(tmp_path_factory.mktemp("doe_jane") / "scan", _phantom(trunk()))


def test_a_ct_becomes_every_format_and_says_nothing_of_the_patient(unflat: Run, folder: Path, tmp_path: Path) -> None:
    outputs = [word for name in FILES for word in ("-o", name)]
    done = unflat("volume", folder, "--preset", "bone,skin", *outputs, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [tissue["name"] for tissue in report["tissues"]] == ["bone", "skin"]
    assert report["scan"]["voxels"] == [140, 120, 40]
    assert report["warnings"][0] == "Not for diagnosis."
    bone = np.pi * 17**2 * 40 * 3 / 1000
    assert report["tissues"][0]["volume_ml"] == pytest.approx(bone, rel=0.1), (
        "226 HU lie a little outside of its border"
    )
    for name in FILES:
        told = unflat("inspect", name, "--against", folder, "--json")
        assert told.returncode == 0, (name, told.stderr)
        about = json.loads(told.stdout)
        assert about["patient"]["found"] == [], name
        assert about["patient"]["looked_for"]["values"] > 10
        assert about["frame"] == "patient-lps"
        assert "Not for diagnosis." in about["provenance"]["warnings"], name
    for file in tmp_path.iterdir():
        data = file.read_bytes().lower()
        assert not [secret for secret in SECRETS if secret.lower().encode() in data], file.name
    nodes = {node.name: node for node in read_scene(tmp_path / "a.glb").nodes}
    assert nodes["skin"].finish is not None and nodes["skin"].finish.opacity < 1
    assert nodes["bone"].item.vertices[:, 1].mean() > 0.03, "the spine is at the back"


def test_a_print_is_watertight_for_two_checkers_and_in_millimetres(unflat: Run, folder: Path, tmp_path: Path) -> None:
    done = unflat(
        "volume", folder, "-o", "spine.stl", "-o", "spine.3mf", "--fill", "--threshold", "377", "--seed", "69,80,20"
    )
    assert done.returncode == 0, done.stderr
    for name in ("spine.stl", "spine.3mf"):
        mesh = trimesh.load(tmp_path / name, force="mesh")
        assert mesh.is_watertight and mesh.is_winding_consistent, name
        solid = manifold3d.Manifold(manifold3d.Mesh(np.float32(mesh.vertices), np.uint32(mesh.faces)))
        assert solid.status() == manifold3d.Error.NoError, name
        assert solid.volume() == pytest.approx(np.pi * 17**2 * 120, rel=0.02), name


def test_a_left_hand_stays_left_in_every_file(unflat: Run, tmp_path: Path) -> None:
    phantom = scanned((60, 60, 60), affine((1.2, 1.2, 1.2), (-36, -36, -36)), left_hand())
    write_nifti(tmp_path / "hand.nii.gz", phantom.values, phantom.mm_from_voxel)
    done = unflat("volume", "hand.nii.gz", "--modality", "ct", "--threshold", "0", "-o", "a.glb", "-o", "a.stl", "-q")
    assert done.returncode == 0, done.stderr
    glb, stl = (trimesh.load(tmp_path / name, force="mesh") for name in ("a.glb", "a.stl"))
    assert glb.volume > 0 and stl.volume > 0
    lps = np.float64(stl.vertices) / 1000
    turned = np.stack([lps[:, 0], lps[:, 2], -lps[:, 1]], axis=1)
    np.testing.assert_allclose(np.sort(glb.bounds, axis=0), [turned.min(0), turned.max(0)], atol=1e-5)
    inside = np.argwhere(phantom.values > 0)[:, ::-1]
    true = inside @ phantom.mm_from_voxel[:3, :3].T + phantom.mm_from_voxel[:3, 3]
    np.testing.assert_allclose(stl.bounds, [true.min(0), true.max(0)], atol=1.6)
    np.testing.assert_allclose(stl.center_mass, true.mean(0), atol=0.6)


def test_without_an_output_nothing_is_named_after_the_patient(unflat: Run, folder: Path) -> None:
    done = unflat("volume", folder, "-q")
    assert done.returncode == 0, done.stderr
    assert left(folder.parent) == {"scan", "ct-bone.html"}
    assert_two_lines(unflat("volume", folder), 9)
    for name in ("ct-bone.html", "ct-bone.html.c2pa"):
        (folder.parent / name).unlink()


def test_a_folder_of_slices_is_known_by_what_is_in_it(unflat: Run, folder: Path) -> None:
    done = unflat(folder, "-o", "a.stl")
    assert done.returncode == 0, done.stderr
    assert "unflat volume" in done.stderr


def test_labels_become_named_nodes_with_pins(unflat: Run, tmp_path: Path) -> None:
    numbers = np.zeros((30, 40, 50), np.uint8)
    numbers[5:25, 5:20, 5:20] = 5
    numbers[5:25, 20:35, 25:45] = 2
    write_nifti(tmp_path / "organs.nii.gz", numbers, affine((2, 2, 2)))
    (tmp_path / "names.json").write_text('{"5": "liver", "2": "left kidney"}')
    pins = [{"text": "here", "node": "liver"}, {"text": "stone", "voxel": [30, 25, 10], "detail": "4 mm"}]
    (tmp_path / "pins.json").write_text(json.dumps({"pins": pins}))
    words = ("--labels", "organs.nii.gz", "--label-names", "names.json", "--pins", "pins.json")
    done = unflat("volume", "organs.nii.gz", *words, "-o", "a.glb", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {t["name"]: t["voxels_ml"] for t in report["tissues"]} == {"left kidney": 48.0, "liver": 36.0}
    for tissue in report["tissues"]:
        assert tissue["volume_ml"] == pytest.approx(tissue["voxels_ml"], rel=0.005)
    scene = read_scene(tmp_path / "a.glb")
    assert [pin.text for pin in scene.pins] == ["here", "stone"]
    np.testing.assert_allclose(scene.pins[1].at, (0.06, 0.05, 0.02), atol=1e-6)
    (tmp_path / "pins.json").write_text('{"pins": [{"text": "x", "node": "spleen"}]}')
    assert_two_lines(unflat("volume", "organs.nii.gz", *words, "-o", "b.glb"), 2)
    assert not (tmp_path / "b.glb").exists()


def test_a_head_without_its_face(unflat: Run, tmp_path: Path) -> None:
    scan = write_dicom(tmp_path / "scan", _phantom(head()))
    leave = ("--people", "allow", "--basis", "no-likeness")
    for name, words in (("face.stl", leave), ("none.stl", ("--deface",)), ("usual.stl", ())):
        done = unflat("volume", scan, "--preset", "skin", "-o", name, *words)
        assert done.returncode == 0, done.stderr
        assert ("--people allow" in " ".join(done.stderr.split())) == (not words)
    assert_two_lines(unflat("volume", scan, "--preset", "skin", "-o", "no.stl", "--people", "refuse"), 7)
    assert not (tmp_path / "no.stl").exists()
    bounds = [trimesh.load(tmp_path / name, force="mesh").bounds for name in ("face.stl", "none.stl", "usual.stl")]
    face, none, usual = bounds
    assert (usual == none).all()
    assert face[0, 1] < -105 and none[0, 1] > -90
    assert none[1, 1] == pytest.approx(face[1, 1], abs=0.5)


def test_a_cut_model_and_a_simple_one(unflat: Run, tmp_path: Path) -> None:
    matrix = affine((1, 1, 1), (-30, -30, -30))
    write_nifti(tmp_path / "ball.nii.gz", scanned((60, 60, 60), matrix, ball((0, 0, 0), 22)).values, matrix)
    words = ("volume", "ball.nii.gz", "--modality", "ct", "--threshold", "0", "--json")
    whole, half, few = (
        json.loads(unflat(*words, "-o", f"{number}.stl", *more).stdout)["tissues"][0]
        for number, more in enumerate(((), ("--cut", "coronal", "--cut-at", "0"), ("--triangles", "2000")))
    )
    assert half["volume_ml"] == pytest.approx(whole["volume_ml"] / 2, rel=0.01)
    assert few["triangles"] <= 2000 and 0 < few["simplified_mm"] < 1
    assert trimesh.load(tmp_path / "1.stl", force="mesh").is_watertight


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nothing.dcm",), 2, "does not exist"),
        (("scan", "-o", "a.jpg"), 2, "do not hold the surfaces"),
        (("scan", "--preset", "gold"), 2, "gold"),
        (("scan", "--preset", "teeth"), 2, "no teeth"),
        (("scan", "--threshold", "5..2"), 2, "begins behind its end"),
        (("scan", "--preset", "bone", "--threshold", "5"), 2, "exclude"),
        (("scan", "--roi", "0:900,0:5,0:5"), 2, "reaches beyond"),
        (("scan", "--seed", "900,1,1"), 2, "outside"),
        (("scan", "--series", "7"), 2, "series 7"),
        (("scan", "--cut-at", "5"), 2, "--cut"),
        (("scan", "--deface"), 2, "no head"),
        (("scan", "--organs"), 4, "TotalSegmentator"),
        (("scan", "--only", "liver"), 2, "has none"),
        (("scan", "--list", "-o", "a.glb"), 2, "--list writes nothing"),
    ],
)
def test_what_cannot_be_done_is_said_in_two_lines(
    unflat: Run, folder: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "scan").symlink_to(folder, target_is_directory=True)
    before = left(tmp_path)
    done = unflat("volume", *words)
    assert_two_lines(done, code)
    assert said in done.stderr
    assert left(tmp_path) == before


def test_the_list_of_series(unflat: Run, folder: Path) -> None:
    done = unflat("volume", folder, "--list")
    assert done.returncode == 0
    assert done.stdout.startswith("1: CT") and "140×120×40" in done.stdout
