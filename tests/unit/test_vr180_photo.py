"""VR180 photos hold both half spheres as Google's page says; other readers take the right eye out unchanged."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pil

import pictures
from stereo_pairs import RIGHTS, STORY, a_pair
from unflat.errors import InputError, OutputError
from unflat.formats import vr180_photo
from unflat.formats.image import read_image
from unflat.formats.picture_story import picture_words
from unflat.formats.provenance_text import to_plain
from unflat.pipelines.inspect import inspect
from unflat.types.stereo import StereoPair

GOOD = vr180_photo.encoded(a_pair(64, 64))
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
SPACES = {"pano": "{http://ns.google.com/photos/1.0/panorama/}", "image": "{http://ns.google.com/photos/1.0/image/}"}


def noisy(side: int) -> StereoPair:
    """Half spheres that JPEG makes little smaller, so that the right eye needs many segments."""
    left, right = np.random.default_rng(3).integers(0, 256, (2, side, side, 3), np.uint8)
    return StereoPair(left, right)


def app1(stream: bytes) -> list[bytes]:
    found, at = [], 2
    while stream[at] == 0xFF and stream[at + 1] != 0xDA:
        length = int.from_bytes(stream[at + 2 : at + 4], "big")
        if stream[at + 1] == 0xE1:
            found.append(stream[at + 4 : at + 2 + length])
        assert stream[at + 1] != 0xE0
        at += 2 + length
    return found


def taken_apart(stream: bytes) -> tuple[dict[str, str], bytes]:
    """The properties of the main packet, and the right eye put together as the XMP specification says."""
    exif, main, *rest = app1(stream)
    assert exif.startswith(b"Exif\0\0") and main.startswith(b"http://ns.adobe.com/xap/1.0/\0<?xpacket begin=")
    (description,) = ElementTree.fromstring(main.split(b"\0", 1)[1].decode()).iter(
        "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"
    )
    assert not list(description)  # all properties are attributes of one description
    guid = description.attrib["{http://ns.adobe.com/xmp/note/}HasExtendedXMP"]
    packet, total = b"", 0
    for part in rest:
        assert part.startswith(EXTENSION + guid.encode()) and re.fullmatch("[0-9A-F]{32}", guid)
        total, offset = struct.unpack_from(">II", part, len(EXTENSION) + 32)
        assert offset == len(packet)
        packet += part[len(EXTENSION) + 40 :]
    assert total == len(packet) and hashlib.md5(packet).hexdigest().upper() == guid
    (extended,) = ElementTree.fromstring(packet.decode()).iter(
        "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"
    )
    return dict(description.attrib), base64.b64decode(extended.attrib[SPACES["image"] + "Data"], validate=True)


def test_the_file_is_laid_out_as_google_says() -> None:
    pair = a_pair(64, 64)
    said, right = taken_apart(GOOD)
    pano = {name.split("}")[1]: value for name, value in said.items() if name.startswith(SPACES["pano"])}
    assert pano == {
        "UsePanoramaViewer": "True",
        "ProjectionType": "equirectangular",
        "CroppedAreaImageWidthPixels": "64",
        "CroppedAreaImageHeightPixels": "64",
        "FullPanoWidthPixels": "128",
        "FullPanoHeightPixels": "64",
        "CroppedAreaLeftPixels": "32",
        "CroppedAreaTopPixels": "0",
    }
    assert said[SPACES["image"] + "Mime"] == "image/jpeg"
    for stream, eye in ((GOOD, pair.left), (right, pair.right)):
        assert np.abs(np.asarray(Pil.open(io.BytesIO(stream))).astype(int) - eye).mean() < 6


def test_many_segments_and_a_part_of_the_half_sphere(tmp_path: Path) -> None:
    pair = noisy(300)
    data = vr180_photo.encoded(pair, quality=98)
    assert len(app1(data)) > 4
    photo = vr180_photo.read_vr_photo(data)
    assert photo is not None and photo.jpeg == taken_apart(data)[1] and photo.across_deg == 180
    flat = StereoPair(pair.left[:150], pair.right[:150])
    path = tmp_path / "a.vr.jpg"
    vr180_photo.write(flat, path)
    around = read_image(path).panorama
    assert around is not None and around.full == (600, 300) and around.area == (150, 75, 300, 150)


def test_inspect_finds_the_eyes_the_story_and_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a.vr.jpg"
    vr180_photo.write(a_pair(64, 64), path, text=picture_words(STORY))
    told = inspect(path)
    assert told["provenance"] == to_plain(STORY) and told["notes"] == []
    assert told["rights"] == {"creator": RIGHTS.creator, "copyright": RIGHTS.copyright}
    stereo = told["stereo"]
    assert [stereo[key] for key in ("container", "layout", "eye", "fov_x_deg", "notes")] == [
        "jpeg",
        "vr180",
        "64×64",
        180.0,
        [],
    ]
    shown = [row["device"] for row in stereo["devices"] if row["shows_3d"] != "no"]
    assert shown == ["Google Photos and Cardboard (Android)"] and stereo["degrees"] == 180
    plain = tmp_path / "a.jpg"
    plain.write_bytes(path.read_bytes())
    assert ".vr.jpg" in inspect(plain)["stereo"]["notes"][0]
    assert Pil.open(io.BytesIO(path.read_bytes())).getexif().get_ifd(0x8769)[0x9003] == "2019:08:07 06:05:04"


def with_packet(packet: str) -> bytes:
    head = b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()
    plain = pictures.encoded(pictures.quarters(), "JPEG")
    return plain[:2] + b"\xff\xe1" + (len(head) + 2).to_bytes(2, "big") + head + plain[2:]


def test_a_whole_turn_in_elements_is_a_vr_photo_but_not_vr180(tmp_path: Path) -> None:
    right = base64.b64encode(pictures.encoded(np.ascontiguousarray(pictures.quarters()[:8, :8]), "JPEG")).decode()
    said = {"ProjectionType": "equirectangular", "FullPanoWidthPixels": 900, "FullPanoHeightPixels": 450}
    said |= {"CroppedAreaImageWidthPixels": 900, "CroppedAreaImageHeightPixels": 150}
    values = "".join(f"<GPano:{name}>{value}</GPano:{name}>" for name, value in said.items())
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" '
        f'xmlns:GImage="http://ns.google.com/photos/1.0/image/">{values}'
        f"<GImage:Data>\n{right[:30]}\n{right[30:]}</GImage:Data></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    path = tmp_path / "round.vr.jpg"
    path.write_bytes(with_packet(packet))
    stereo = inspect(path)["stereo"]
    assert (stereo["degrees"], stereo["fov_x_deg"]) == (360, 360.0)
    assert stereo["notes"] == ["its eyes differ in size"]
    flat = packet.replace("equirectangular", "cylindrical")
    assert vr180_photo.read_vr_photo(with_packet(flat)) is None
    alone = re.sub("<GImage:Data>.*</GImage:Data>", "", packet, flags=re.DOTALL)
    assert vr180_photo.read_vr_photo(with_packet(alone)) is None
    kept_original = re.sub("<GPano:.*</GPano:[A-Za-z]*>", "", packet)
    assert vr180_photo.read_vr_photo(with_packet(kept_original)) is None
    path.write_bytes(with_packet(packet.replace(right[:30], "!" * 30)))
    told = inspect(path)
    assert told["stereo"] is None and any("right eye" in note for note in told["notes"])


def test_a_right_eye_that_was_cut_off_is_told(tmp_path: Path) -> None:
    data = vr180_photo.encoded(noisy(200), quality=98)
    parts = app1(data)
    marked = b"\xff\xe1" + (len(parts[-1]) + 2).to_bytes(2, "big") + parts[-1]
    for broken in (data.replace(marked, b""), data.replace(parts[-1][75:90], b"\0" * 15)):
        with pytest.raises(InputError, match="right eye"):
            vr180_photo.read_vr_photo(broken)
    path = tmp_path / "a.vr.jpg"
    path.write_bytes(data.replace(marked, b""))
    assert any("right eye" in note for note in inspect(path)["notes"])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_is_read_or_refused_with_one_error(data: st.DataObject) -> None:
    broken = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 5))):
        broken[data.draw(st.integers(0, 5000)) % len(broken)] = data.draw(st.integers(0, 255))
    del broken[data.draw(st.integers(0, len(broken))) :]
    try:
        photo = vr180_photo.read_vr_photo(bytes(broken))
    except InputError as error:
        assert "right eye" in str(error) and error.hint
    else:
        assert photo is None or photo.right is not None


def test_what_is_no_half_sphere_or_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="higher than wide"):
        vr180_photo.write(a_pair(48, 64), tmp_path / "a.vr.jpg")
    with pytest.raises(OutputError, match="too long"):
        vr180_photo.write(a_pair(64, 64), tmp_path / "a.vr.jpg", text={"unflat": "x" * 70_000})
    assert not list(tmp_path.iterdir())


def test_exiftool_takes_the_right_eye_out(tmp_path: Path) -> None:
    program = shutil.which("exiftool")
    if program is None and os.environ.get("UNFLAT_CI") == "1":
        pytest.fail("exiftool is not installed")
    if program is None:
        pytest.skip("exiftool is not installed")
    path = tmp_path / "a.vr.jpg"
    path.write_bytes(vr180_photo.encoded(noisy(200), quality=98))
    command = [program, "-json", "-validate", "-warning", "-n", "-a", "-G1:4", "-all", str(path)]
    (told,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    values = {name.split(":")[-1]: value for name, value in told.items()}
    assert values["Validate"] in (0, "0 0 0") and "Warning" not in values
    assert values["FullPanoWidthPixels"] == 400 and values["ImageMimeType"] == "image/jpeg"
    taken = subprocess.run([program, "-b", "-XMP-GImage:ImageData", str(path)], capture_output=True, check=True)
    assert taken.stdout == taken_apart(path.read_bytes())[1]
