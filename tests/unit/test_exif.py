"""Lens and rights are read from EXIF, IPTC and XMP, and damage there never costs the picture."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

import pictures
from unflat.formats import xmp
from unflat.formats.exif import exif_block, load_exif
from unflat.formats.image import read_image
from unflat.geometry.lens import focal_px, judge_lens
from unflat.trust.stated import cleaned, merged
from unflat.types.image import Image, LensRecord, Size
from unflat.types.provenance import Rights

Q = pictures.quarters()


def jpeg_of(folder: Path, block: bytes = b"", *segments: bytes) -> Image:
    path = folder / "a.jpg"
    data = pictures.encoded(Q, "JPEG", **({"exif": block} if block else {}))
    path.write_bytes(pictures.with_segments(data, *segments))
    return read_image(path)


# --- lens ---------------------------------------------------------------------------------------------------------


def test_the_lens_record(tmp_path: Path) -> None:
    inner = {0x920A: 4.25, 0xA405: 26, 0x9206: 1.5, 0xA404: 2.0, 0xA20E: 1000.0, 0xA210: 3, 0xA002: 640, 0xA003: 480}
    lens = jpeg_of(tmp_path, pictures.exif({}, inner)).lens
    assert (lens.focal_35mm, lens.focal_mm, lens.subject_distance_m, lens.digital_zoom) == (26, 4.25, 1.5, 2)
    assert lens.sensor_width_mm == pytest.approx(6.4)


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_sensor_lies_along_the_long_side_whichever_way_up(tmp_path: Path, orientation: int) -> None:
    inner = {0x920A: 5.0, 0xA20E: 1000.0, 0xA210: 3, 0xA002: 640, 0xA003: 480}
    image = jpeg_of(tmp_path, pictures.exif({0x0112: orientation}, inner))
    assert image.lens.sensor_width_mm == pytest.approx(6.4)
    assert focal_px(image.lens, image.size) == (pytest.approx(5.0 / 6.4 * 64), "exif-sensor")


def raw_exif(tag: int, kind: int, count: int, value: bytes) -> bytes:
    """An EXIF block whose inner directory holds one entry, byte for byte."""
    entry = struct.pack("<HHI", tag, kind, count)
    inner = 8 + 2 + 12 + 4
    stored = value if len(value) <= 4 else struct.pack("<I", inner + 2 + 12 + 4)
    return (
        (b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 0x8769, 4, 1, inner) + b"\0" * 4)
        + struct.pack("<H", 1)
        + entry
        + stored.ljust(4, b"\0")
        + b"\0" * 4
        + (value if len(value) > 4 else b"")
    )


@pytest.mark.parametrize("rational", [(0, 1), (0, 0), (5, 0), (0xFFFFFFFF, 1), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_unknown_and_infinite_distances(tmp_path: Path, rational: tuple[int, int]) -> None:
    lens = jpeg_of(tmp_path, raw_exif(0x9206, 5, 1, struct.pack("<II", *rational))).lens
    assert lens.subject_distance_m is None or lens.subject_distance_m == 1.0


@pytest.mark.parametrize("value", [b"twenty-six\0", b"\0"])
def test_text_where_a_number_belongs(tmp_path: Path, value: bytes) -> None:
    assert jpeg_of(tmp_path, raw_exif(0xA405, 2, len(value), value)).lens.focal_35mm is None


def test_a_cropped_picture_loses_its_focal_length(tmp_path: Path) -> None:
    image = jpeg_of(tmp_path, pictures.exif({}, {0xA405: 26, 0xA002: 4000, 0xA003: 2000}))
    assert image.lens == LensRecord() and "cropped" in image.notes[0]


def test_35mm_relates_to_the_diagonal() -> None:
    size = Size(4000, 3000)
    found = focal_px(LensRecord(focal_35mm=math.hypot(36, 24), focal_mm=4, sensor_width_mm=6), size)
    assert found == (pytest.approx(5000), "exif-35mm")
    assert focal_px(LensRecord(focal_35mm=50), Size(3600, 2400)) == (pytest.approx(5000), "exif-35mm")


def test_the_sensor_comes_second_with_the_digital_zoom() -> None:
    lens = LensRecord(focal_mm=5, sensor_width_mm=10, digital_zoom=2)
    assert focal_px(lens, Size(3000, 4000)) == (pytest.approx(4000), "exif-sensor")
    assert focal_px(LensRecord(focal_35mm=30, digital_zoom=2), Size(400, 300)) == focal_px(
        LensRecord(focal_35mm=30), Size(400, 300)
    )


@pytest.mark.parametrize("lens", [LensRecord(), LensRecord(focal_mm=5), LensRecord(sensor_width_mm=5)])
def test_unknown_stays_unknown(lens: LensRecord) -> None:
    verdict = judge_lens(lens, Size(400, 300))
    assert focal_px(lens, Size(400, 300)) is None and verdict.note is None


@pytest.mark.parametrize("focal", [1, 3, 600, 9999])
def test_the_implausible_is_refused_with_a_note(focal: float) -> None:
    verdict = judge_lens(LensRecord(focal_35mm=focal), Size(400, 300))
    assert verdict.focal_px is None and verdict.note is not None and "not believed" in verdict.note


def test_an_implausible_equivalent_gives_way_to_the_sensor() -> None:
    lens = LensRecord(focal_35mm=1, focal_mm=5, sensor_width_mm=6)
    assert focal_px(lens, Size(600, 400)) == (pytest.approx(500), "exif-sensor")


def test_a_strip_has_no_lens() -> None:
    assert "strip" in (judge_lens(LensRecord(focal_35mm=26), Size(4000, 1000)).note or "")


# --- rights -------------------------------------------------------------------------------------------------------

SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" '
    'xmlns:cc="http://creativecommons.org/ns#"'
)
XMP = pictures.xmp_packet(
    'xmpRights:WebStatement="https://example.org/terms"',
    "<dc:creator><rdf:Seq><rdf:li>Ann Ångström</rdf:li><rdf:li>Bob</rdf:li></rdf:Seq></dc:creator>"
    '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© Ann</rdf:li></rdf:Alt></dc:rights>'
    '<xmpRights:UsageTerms><rdf:Alt><rdf:li xml:lang="x-default">Ask first</rdf:li></rdf:Alt></xmpRights:UsageTerms>'
    '<cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/>',
    SPACES,
)


def test_rights_from_xmp(tmp_path: Path) -> None:
    rights = jpeg_of(tmp_path, b"", pictures.xmp_segment(XMP)).source.rights
    assert rights == Rights("Ann Ångström; Bob", "© Ann", "https://creativecommons.org/licenses/by/4.0/", "Ask first")


def test_the_web_statement_stands_in_for_a_licence(tmp_path: Path) -> None:
    packet = pictures.xmp_packet('xmpRights:WebStatement="https://example.org/terms"', "", SPACES)
    assert jpeg_of(tmp_path, b"", pictures.xmp_segment(packet)).source.rights.licence == "https://example.org/terms"


def iptc_segment(byline: bytes, copyright_: bytes) -> bytes:
    record = b"".join(
        b"\x1c\x02" + bytes((number,)) + struct.pack(">H", len(text)) + text
        for number, text in ((80, byline), (116, copyright_))
    )
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record + b"\0" * (len(record) % 2)
    return pictures.segment(0xED, b"Photoshop 3.0\0" + resource)


def test_rights_from_iptc(tmp_path: Path) -> None:
    rights = jpeg_of(tmp_path, b"", iptc_segment("Zoë".encode(), b"Z 2026")).source.rights
    assert (rights.creator, rights.copyright) == ("Zoë", "Z 2026")


def test_exif_is_believed_before_xmp_before_iptc(tmp_path: Path) -> None:
    segments = (pictures.xmp_segment(XMP), iptc_segment(b"Iptc", b"Iptc"))
    rights = jpeg_of(tmp_path, pictures.exif({0x013B: "Exif"}), *segments).source.rights
    assert (rights.creator, rights.copyright) == ("Exif", "© Ann")


def test_both_halves_of_an_exif_copyright(tmp_path: Path) -> None:
    block = exif_block({0x8298: "Photographer\0Editor"})
    assert jpeg_of(tmp_path, block).source.rights.copyright == "Photographer; Editor"


def test_a_block_of_ours_is_read_by_pillow() -> None:
    texts = {0x013B: "Zoë", 0x8298: "©", 0x010E: "d" * 301}
    found = dict(load_exif(exif_block(texts)))
    assert {tag: text.encode("latin-1").decode() for tag, text in found.items()} == texts
    assert exif_block({}) == b""


def test_statements_become_one_clean_line() -> None:
    assert cleaned(" a\n\tb\x00c\u202e ") == "a b c" and cleaned("\0 ") is None and cleaned(None) is None
    assert len(cleaned("x" * 5000) or "") == 1000
    assert merged(Rights(creator=" "), Rights(creator="b", licence="l")) == Rights(creator="b", licence="l")


# --- damage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "packet",
    [
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a><b></a>",
        b"<a>" * 100 + b"</a>" * 100,
        b"<a>" + b"<b/>" * 30_000 + b"</a>",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b"",
    ],
)
def test_hostile_xmp_is_refused(packet: bytes) -> None:
    with pytest.raises(xmp.XmpError):
        xmp.parse(packet)


def test_hostile_xmp_is_only_noted(tmp_path: Path) -> None:
    packet = b'<!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>'
    image = jpeg_of(tmp_path, pictures.exif({0x013B: "Ann"}), pictures.xmp_segment(packet))
    assert image.source.rights.creator == "Ann" and "XMP" in image.notes[0]


def test_damaged_exif_never_fails_the_picture(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    block = pictures.exif({0x013B: "Ann", 0x0112: 6, 0x8298: "Ann"}, {0xA405: 26, 0x9206: 2.0, 0x920A: 4.0}, gps=True)
    for _ in range(200):
        data = bytearray(block)
        for at in random.integers(6, len(data), random.integers(1, 8)):
            data[at] = random.integers(0, 256)
        image = jpeg_of(tmp_path, b"", pictures.segment(0xE1, bytes(data)))
        assert sorted((image.size.width, image.size.height)) == [48, 64]


def test_pngs_carry_their_rights_too(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Pil.fromarray(Q).save(path, exif=pictures.exif({0x013B: "Ann"}, {0xA405: 28}))
    image = read_image(path)
    assert (image.source.rights.creator, image.lens.focal_35mm) == ("Ann", 28)


# --- when it was taken --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inner", "taken"),
    [
        ({0x9003: "2024:05:01 12:30:00"}, "2024:05:01 12:30:00"),
        ({0x9003: "2024:05:01 12:30:00", 0x9011: "+02:00"}, "2024:05:01 12:30:00 +02:00"),
        ({0x9003: "2024:05:01 12:30:00", 0x9011: "somewhere"}, "2024:05:01 12:30:00"),
        ({0x9003: "0000:00:00 00:00:00"}, None),
        ({0x9003: "    :  :     :  :  "}, None),
        ({0x9003: "2024:05:01 12:30:00; rm"}, None),
        ({0x9011: "+02:00"}, None),
        ({0x9004: "2023:01:02 03:04:05", 0x9012: "-05:00"}, "2023:01:02 03:04:05 -05:00"),
        ({0x9003: "    ", 0x9004: "2023:01:02 03:04:05"}, "2023:01:02 03:04:05"),
        ({}, None),
    ],
)
def test_when_it_was_taken(tmp_path: Path, inner: dict[int, str], taken: str | None) -> None:
    assert jpeg_of(tmp_path, pictures.exif({}, inner)).source.taken == taken


def test_where_nothing_else_is_said_a_picture_is_as_old_as_its_last_change(tmp_path: Path) -> None:
    changed = {0x0132: "2022:02:02 02:02:02"}
    assert jpeg_of(tmp_path, pictures.exif(changed, {})).source.taken == "2022:02:02 02:02:02"
    both = jpeg_of(tmp_path, pictures.exif(changed, {0x9003: "2021:01:01 01:01:01"}))
    assert both.source.taken == "2021:01:01 01:01:01"


@pytest.mark.parametrize("texts", [{}, {0x013B: "Zoë", 0x8298: "x"}])
@pytest.mark.parametrize("taken", ["2024:05:01 12:30:00", "2024:05:01 12:30:00 -09:30"])
def test_a_block_says_when_a_picture_was_taken(texts: dict[int, str], taken: str) -> None:
    exif = load_exif(exif_block(texts, taken))
    inner = exif.get_ifd(0x8769)
    assert " ".join(filter(None, (inner[0x9003], inner.get(0x9011)))) == taken
    assert set(exif) == {*texts, 0x0132, 0x8769} and exif[0x0132] == taken[:19]
