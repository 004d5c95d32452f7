"""Laws of what is signed: intact it verifies in another process, and no byte of it can be changed in silence."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import c2pa
import numpy as np
import pytest
from PIL import Image as Pil

import scenes
from unflat.errors import ConsentError, InputError, OutputError
from unflat.formats import consent_file, registry
from unflat.formats.c2pa_late import EMBEDS
from unflat.formats.c2pa_read import read_verdict
from unflat.formats.outlet import SealOptions, handed_out
from unflat.pipelines.verify import verify
from unflat.trust.lineage import Lineage
from unflat.types.consent import ConsentRecord
from unflat.types.provenance import Likeness, Provenance, Source

EMBEDDED = ("jpg", "png", "webp", "gif", "tif", "avif")
CAPTURED = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
SIDECARRED = ("glb", "usdz", "ply", "obj", "stl", "3mf", "html", "gltf")


def story() -> Provenance:
    notes = Lineage.begin(Source("beach.jpg", "ab" * 32, "jpeg"))
    notes.did("depth", model="worlds", licence="Apache-2.0")
    return notes.seal()


def signed_picture(path: Path) -> Path:
    pixels = np.random.default_rng(3).integers(0, 256, (16, 24, 3), np.uint8)
    with handed_out(path, story(), SealOptions(), force=True) as out:
        Pil.fromarray(pixels).save(out.path)
    return path


@pytest.mark.parametrize("suffix", EMBEDDED)
def test_no_byte_of_a_signed_picture_can_be_changed_in_silence(tmp_path: Path, suffix: str) -> None:
    path = signed_picture(tmp_path / f"a.{suffix}")
    assert read_verdict(path).state == "this machine"
    data = path.read_bytes()
    first = 36 if suffix == "avif" else 0  # C2PA leaves the box ftyp out of its hash: it says nothing of the picture
    for at in np.unique(np.random.default_rng(5).integers(first, len(data), 300)):
        bad = bytearray(data)
        bad[at] ^= 0x41
        path.write_bytes(bad)
        assert read_verdict(path).state in ("changed", "missing"), f"byte {at} of {len(data)}"


@pytest.mark.parametrize("suffix", SIDECARRED)
def test_a_scene_its_parts_and_its_manifest_are_all_held_against_each_other(tmp_path: Path, suffix: str) -> None:
    scene = scenes.SCENES["relief" if suffix in ("stl", "3mf") else "textured"]()
    path = tmp_path / f"a.{suffix}"
    out = registry.write(scene, path)
    whole = read_verdict(path)
    assert whole.state == "this machine" and whole.urn == out.story.urn
    assert {path.name, *whole.files, f"{path.name}.c2pa"} == {file.name for file in tmp_path.iterdir()}
    rng = np.random.default_rng(7)
    for file in sorted(tmp_path.iterdir()):
        data = file.read_bytes()
        for at in np.unique(rng.integers(0, len(data), 25)):
            bad = bytearray(data)
            bad[at] ^= 0x10
            file.write_bytes(bad)
            assert read_verdict(path).state == "changed", f"byte {at} of {file.name}"
        file.write_bytes(data)
    (tmp_path / f"{path.name}.c2pa").unlink()
    assert read_verdict(path).state in ("missing", "unsigned")


@pytest.mark.parametrize("suffix", ["jpg", "glb"])
def test_another_program_reads_it_in_a_fresh_process(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "jpg":
        signed_picture(path)
    else:
        registry.write(scenes.textured_scene(), path)
    kind = EMBEDS.get(path.suffix, "model/gltf-binary")
    words = f"""
import c2pa, json, pathlib
side = pathlib.Path({str(path) + ".c2pa"!r})
with open({str(path)!r}, "rb") as file:
    reader = c2pa.Reader({kind!r}, file, manifest_data=side.read_bytes() if side.is_file() else None)
    print(json.dumps([reader.get_validation_state(), json.loads(reader.json())["active_manifest"]]))
"""
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["Valid", read_verdict(path).urn]


def test_credentials_of_a_source_are_kept_without_what_is_private(tmp_path: Path) -> None:
    from unflat.formats.c2pa_sign import sign
    from unflat.formats.image import read_image
    from unflat.formats.keys import own_keys

    keys = own_keys()
    picture = io.BytesIO()
    Pil.fromarray(np.random.default_rng(1).integers(0, 256, (32, 48, 3), np.uint8)).save(picture, "JPEG")
    told = {
        "claim_generator_info": [{"name": "a camera"}],
        "format": "image/jpeg",
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": CAPTURED}]},
            },
            {"label": "stds.exif", "data": {"@context": {}, "exif:GPSLatitude": "48,51.24N"}, "kind": "Json"},
            {"label": "cawg.training-mining", "data": {"entries": {"cawg.ai_inference": {"use": "notAllowed"}}}},
        ],
    }
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(keys.algorithm.encode(), keys.chain, keys.key, None))
    with (tmp_path / "camera.jpg").open("w+b") as file:
        picture.seek(0)
        c2pa.Builder(told).sign(signer, "image/jpeg", picture, file)
    source = read_image(tmp_path / "camera.jpg").source
    assert source.credentials is not None and source.credentials.generator == "a camera"
    assert [one.forbids for one in source.reserved] == ["ai"]
    made = tmp_path / "made.bin"
    made.write_bytes(b"a scene")
    manifest = sign(made, "made.bin", Lineage.begin(source).seal(), keys)
    assert manifest is not None and b"48,51" not in manifest and b"GPS" not in manifest
    made.with_name("made.bin.c2pa").write_bytes(manifest)
    verdict = read_verdict(made)
    assert verdict.state == "this machine"
    assert [(one.name, one.state) for one in verdict.ingredients] == [("camera.jpg", "valid")]


def test_a_sidecar_stands_for_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    out = registry.write(scenes.textured_scene(), path)
    assert verify(tmp_path / "a.glb.c2pa").urn == out.story.urn
    path.rename(tmp_path / "b.glb")
    with pytest.raises(InputError, match=r"speaks for a\.glb"):
        verify(tmp_path / "a.glb.c2pa")


def test_unsigned_means_nothing_beside_and_nothing_inside(tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    registry.write(scenes.textured_scene(), path, registry.ExportOptions(seal=SealOptions(sign=False)))
    assert [file.name for file in tmp_path.iterdir()] == ["a.glb"] and b"urn:c2pa" not in path.read_bytes()
    assert read_verdict(path).state == "unsigned"


def test_a_fault_while_writing_leaves_nothing_and_names_the_true_place(tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    with (
        pytest.raises(OutputError, match=r"a\.glb") as caught,
        handed_out(path, story(), SealOptions(), force=False) as out,
    ):
        out.path.write_bytes(b"half")
        raise OutputError(f"no room left on the disk for {out.path}")
    assert ".part" not in str(caught.value) and not list(tmp_path.iterdir())


def test_a_certificate_and_its_key_go_together() -> None:
    with pytest.raises(InputError, match="go together"):
        SealOptions(certificate=Path("a.pem"))


def test_a_consent_record_holds_until_it_is_withdrawn_or_touched(tmp_path: Path) -> None:
    record = ConsentRecord(
        "12345678-1234-4234-8234-123456789abc", "A. Person", "a portrait", ("make",), consent_file.today()
    )
    path = consent_file.keep(record)
    assert consent_file.find("12345678") == record and path.stat().st_mode & 0o077 == 0
    consent_file.check_again((record.id,))
    assert "it holds" in consent_file.standing(record.id)
    shown = Likeness(1, 0, "kept", "written-consent", (record.id,))
    relied = replace(story(), likeness=shown)
    with handed_out(tmp_path / "a.bin", relied, SealOptions(), force=False) as out:
        out.path.write_bytes(b"a portrait")
    consent_file.keep(replace(record, withdrawn=consent_file.today()))
    with (
        pytest.raises(ConsentError, match="withdrawn"),
        handed_out(tmp_path / "b.bin", relied, SealOptions(), force=False),
    ):
        pass
    assert not (tmp_path / "b.bin").exists() and "withdrawn" in consent_file.standing(record.id)
    consent_file.keep(record)
    path.write_text(path.read_text(encoding="utf-8").replace("a portrait", "anything"), encoding="utf-8")
    with pytest.raises(ConsentError, match="not as it was signed"):
        consent_file.find(record.id)
