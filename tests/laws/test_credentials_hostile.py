"""What time, accidents and liars do to credentials, and what is said of it: never more than can be known."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import c2pa
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509 import Certificate, CertificateBuilder
from PIL import Image as Pil

import scenes
from unflat.errors import OutputError
from unflat.formats import keys, registry
from unflat.formats.c2pa_read import credentials_of, doubts, read_verdict, with_credentials
from unflat.formats.c2pa_sign import sign
from unflat.formats.image import read_image
from unflat.formats.outlet import SealOptions, handed_out
from unflat.pipelines.verify import in_words
from unflat.trust.lineage import Lineage
from unflat.types.provenance import Source

CREATED = {
    "action": "c2pa.created",
    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
}


def picture(seed: int = 1) -> io.BytesIO:
    out = io.BytesIO()
    Pil.fromarray(np.random.default_rng(seed).integers(0, 256, (32, 48, 3), np.uint8)).save(out, "JPEG")
    out.seek(0)
    return out


def signed_by_a_camera(path: Path, *assertions: dict[str, Any], **of_action: Any) -> Path:
    own = keys.own_keys()
    action = {"label": "c2pa.actions.v2", "data": {"actions": [CREATED | of_action]}}
    told = {"claim_generator_info": [{"name": "a camera"}], "format": "image/jpeg", "assertions": [action, *assertions]}
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(own.algorithm.encode(), own.chain, own.key, None))
    with path.open("w+b") as file:
        c2pa.Builder(told).sign(signer, "image/jpeg", picture(), file)
    return path


def ending(until: datetime) -> keys.Keys:
    """The machine's own keys, as if their certificate ended then."""
    root, secret = keys._root()
    key = Ed25519PrivateKey.generate()
    usual = keys._certificate(key, root, secret)
    made = CertificateBuilder().subject_name(usual.subject).issuer_name(usual.issuer).public_key(key.public_key())
    made = made.serial_number(5).not_valid_before(until - timedelta(days=9)).not_valid_after(until)
    for extension in usual.extensions:
        made = made.add_extension(extension.value, extension.critical)
    leaf: Certificate = made.sign(secret, None)
    return keys.Keys("ed25519", keys._pem(leaf) + keys._pem(root), keys._secret(key), own=True)


def test_a_certificate_that_has_ended_changes_no_file(tmp_path: Path) -> None:
    story = Lineage.begin(Source("a.jpg", "ab" * 32, "jpeg")).seal()
    soon = ending(datetime.now(UTC) + timedelta(seconds=3))
    path = tmp_path / "a.bin"
    path.write_bytes(b"a scene")
    manifest = sign(path, path.name, story, soon)
    assert manifest is not None
    path.with_name("a.bin.c2pa").write_bytes(manifest)
    time.sleep(max(0.0, (soon_over(soon) - datetime.now(UTC)).total_seconds()))
    verdict = read_verdict(path)
    assert verdict.state == "ended" and verdict.faults == () and verdict.story is not None
    assert "time of its signer's certificate is over" in in_words(verdict)[0]
    path.write_bytes(b"a scenE")
    assert read_verdict(path).state == "changed"


def soon_over(soon: keys.Keys) -> datetime:
    from cryptography.x509 import load_pem_x509_certificate

    return load_pem_x509_certificate(soon.chain).not_valid_after_utc + timedelta(seconds=1)


def test_a_file_whose_sidecar_stayed_behind_was_not_changed(tmp_path: Path) -> None:
    registry.write(scenes.textured_scene(), tmp_path / "a.glb")
    (tmp_path / "a.glb.c2pa").unlink()
    verdict = read_verdict(tmp_path / "a.glb")
    assert verdict.state == "missing" and "put it beside" in in_words(verdict)[0]


def test_what_a_stranger_says_is_told_as_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.write(scenes.textured_scene(), tmp_path / "a.glb")
    monkeypatch.setenv("UNFLAT_DATA", str(tmp_path / "another machine"))
    lines = in_words(read_verdict(tmp_path / "a.glb"))
    assert "nobody vouches" in lines[0] and "who says to be: an unflat user" in lines[1]
    assert lines[2] == "What its signer says:" and all(line.startswith("  ") for line in lines[3:])


def test_two_that_share_an_ancestor_in_two_states_are_signed_all_the_same(tmp_path: Path) -> None:
    place = {"label": "stds.exif", "data": {"@context": {}, "exif:GPSLatitude": "48,51.24N"}, "kind": "Json"}
    camera = signed_by_a_camera(tmp_path / "camera.jpg", place)
    first = read_image(camera).source
    with handed_out(tmp_path / "edited.jpg", Lineage.begin(first).seal(), SealOptions(), force=False) as out:
        out.path.write_bytes(picture(2).getvalue())
    second = read_image(tmp_path / "edited.jpg").source
    assert second.credentials is not None and second.credentials.parent
    both = replace(Lineage.begin(first).seal(), sources=(first, second))
    with handed_out(tmp_path / "both.bin", both, SealOptions(), force=False) as out:
        out.path.write_bytes(b"a scene")
    verdict = read_verdict(tmp_path / "both.bin")
    assert verdict.state == "this machine"
    assert sorted(one.name for one in verdict.ingredients) == ["camera.jpg", "edited.jpg"]
    assert b"48,51" not in (tmp_path / "both.bin.c2pa").read_bytes()


@pytest.mark.parametrize(
    "of_action",
    [{"description": "Taken at the house of John Doe"}, {"parameters": {"org.x.gps": "48.1N"}}],
    ids=["description", "parameters"],
)
def test_private_words_in_what_cannot_be_redacted_are_not_kept(tmp_path: Path, of_action: dict[str, Any]) -> None:
    source = read_image(signed_by_a_camera(tmp_path / "camera.jpg", **of_action)).source
    assert source.credentials is not None
    assert source.credentials.generator == "a camera" and source.credentials.parent == b""
    made = tmp_path / "made.bin"
    made.write_bytes(b"a scene")
    manifest = sign(made, made.name, Lineage.begin(source).seal(), keys.own_keys())
    assert manifest is not None and b"John Doe" not in manifest and b"48.1N" not in manifest


def test_damaged_credentials_of_a_source_are_told(tmp_path: Path) -> None:
    camera = signed_by_a_camera(tmp_path / "camera.jpg")
    data = bytearray(camera.read_bytes())
    data[data.find(b"c2pa.created")] ^= 1
    camera.write_bytes(data)
    image = read_image(camera)
    assert image.source.credentials is not None and image.source.credentials.state == "invalid"
    assert doubts(image.source)[0] in image.notes


def test_what_lies_beside_does_not_displace_what_is_inside(tmp_path: Path) -> None:
    camera = signed_by_a_camera(tmp_path / "camera.jpg")
    registry.write(scenes.textured_scene(), tmp_path / "camera.glb")
    (tmp_path / "camera.glb.c2pa").rename(tmp_path / "camera.c2pa")
    assert read_verdict(camera).state == "this machine"
    (tmp_path / "camera.jpg.c2pa").write_bytes(b"junk")
    found = credentials_of(camera)
    assert found is not None and found.state == "trusted"
    assert with_credentials(Source("camera.jpg", None, "jpeg"), camera).credentials is not None


def test_a_folder_that_cannot_be_replaced_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, story = tmp_path / "a.colmap", Lineage.begin(Source("a.jpg", "ab" * 32, "jpeg")).seal()
    place.mkdir()
    (place / "kept.txt").write_text("all that there is")
    move = Path.replace

    def refusing(self: Path, target: Path) -> Path:
        if target == place and "kept.txt" not in {file.name for file in self.iterdir()}:
            raise PermissionError(13, "Permission denied")
        return move(self, target)

    monkeypatch.setattr(Path, "replace", refusing)
    with (
        pytest.raises(OutputError),
        handed_out(place, story, SealOptions(sign=False), force=True, folder=True) as out,
    ):
        out.path.mkdir()
        (out.path / "unflat.json").write_text("{}")
    assert [file.name for file in place.iterdir()] == ["kept.txt"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.colmap"]
