"""What files say of rights, and what they forbid: XMP, IPTC, films, sidecars, lists for robots. All of it hostile."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import PngImagePlugin, TiffImagePlugin

from unflat.formats.film_rights import film_rights
from unflat.formats.image import read_image
from unflat.formats.reserved import read_beside
from unflat.formats.robots import forbidden_for_ai, matches
from unflat.formats.stills import album
from unflat.formats.xmp_rights import rights_and_reserved
from unflat.trust.reserved import in_words
from unflat.types.provenance import Rights
from unflat.types.views import Offered

SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "cc": "http://creativecommons.org/ns#",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "tdm": "http://www.w3.org/ns/tdmrep/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
NO_TRAINING = "<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING</plus:DataMining>"


def packet(inside: str, attributes: str = "") -> bytes:
    spaces = " ".join(f'xmlns:{short}="{full}"' for short, full in SPACES.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {spaces} {attributes}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def alt(name: str, **texts: str) -> str:
    items = "".join(f'<rdf:li xml:lang="{tongue.replace("_", "-")}">{text}</rdf:li>' for tongue, text in texts.items())
    return f"<{name}><rdf:Alt>{items}</rdf:Alt></{name}>"


def said(inside: str, attributes: str = "") -> Rights:
    rights, _, note = rights_and_reserved(packet(inside, attributes))
    assert note is None
    return rights


def test_all_places_of_rights() -> None:
    assert said("<dc:creator><rdf:Seq><rdf:li>A</rdf:li><rdf:li>B</rdf:li></rdf:Seq></dc:creator>").creator == "A; B"
    assert said("", 'photoshop:Credit="Agency"').creator == "Agency"
    image_creator = (
        '<plus:ImageCreator><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:ImageCreatorName>C</plus:ImageCreatorName>'
        "</rdf:li></rdf:Seq></plus:ImageCreator>"
    )
    assert said(image_creator).creator == "C"
    assert said(alt("dc:rights", de="Alles meins", x_default="All mine")).copyright == "All mine"
    assert said(alt("dc:rights", de="Alles meins", fr="A moi")).copyright == "Alles meins"
    assert said("<xmpRights:Owner><rdf:Bag><rdf:li>O</rdf:li></rdf:Bag></xmpRights:Owner>").copyright == "O"
    by = "https://creativecommons.org/licenses/by/4.0/"
    assert said(f'<cc:license rdf:resource="{by}"/>', 'xmpRights:WebStatement="https://a.example"').licence == by
    assert said("", 'xmpRights:WebStatement="https://a.example"').licence == "https://a.example"
    assert said(f'<dcterms:license rdf:resource="{by}"/>').licence == by
    assert said("", 'xmpRights:Marked="False"').licence == "public domain"
    assert said("", 'xmpRights:Marked="True"').licence is None
    assert said(alt("xmpRights:UsageTerms", x_default="ask")).usage_terms == "ask"
    licensor = (
        '<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:LicensorName>L</plus:LicensorName>'
        "<plus:LicensorURL>https://l.example</plus:LicensorURL></rdf:li></rdf:Seq></plus:Licensor>"
    )
    assert said(licensor).usage_terms == "licence from L https://l.example"


@pytest.mark.parametrize(
    ("inside", "attributes", "kind"),
    [
        (NO_TRAINING, "", "ai"),
        ("", 'plus:DataMining="DMI-PROHIBITED"', "data mining"),
        (alt("plus:OtherConstraints", x_default="No AI, please"), "", "ai"),
        ("", 'tdm:reservation="1" tdm:policy="https://a.example"', "data mining"),
        ("<tdm:reservation>1</tdm:reservation>", "", "data mining"),
        ('<cc:license rdf:resource="https://creativecommons.org/licenses/by-nd/4.0/"/>', "", "derivatives"),
        (alt("xmpRights:UsageTerms", x_default="Not for AI training"), "", "ai"),
        (alt("dc:rights", x_default="© A. No derivatives."), "", "derivatives"),
        ("", 'photoshop:Instructions="no data mining"', "data mining"),
        ("<dc:subject><rdf:Bag><rdf:li>cat</rdf:li><rdf:li>NoAI</rdf:li></rdf:Bag></dc:subject>", "", "ai"),
    ],
)
def test_all_places_that_forbid(inside: str, attributes: str, kind: str) -> None:
    _, (found,), _ = rights_and_reserved(packet(inside, attributes))
    assert found.forbids == kind
    assert found.told_by.startswith("XMP")


def test_who_is_shown_is_not_read() -> None:
    people = "<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Jane Roe</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>"
    assert said(people) == Rights()


def pictured(suffix: str, xmp: bytes, path: Path) -> Path:
    """A small picture of a format with an XMP packet in the place where the format keeps it."""
    picture, place = Pil.fromarray(np.full((32, 48, 3), 90, np.uint8)), path / f"p{suffix}"
    options: dict[str, Any] = {"xmp": xmp}
    if suffix == ".png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options = {"pnginfo": info}
    if suffix == ".tif":
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags.tagtype[700] = 1
        tags[700] = xmp
        options = {"tiffinfo": tags}
    picture.save(place, **options)
    return place


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_every_kind_of_picture(suffix: str, tmp_path: Path) -> None:
    said = packet(NO_TRAINING + alt("dc:rights", x_default="© Ann"))
    source = read_image(pictured(suffix, said, tmp_path)).source
    assert source.rights.copyright == "© Ann"
    assert [one.forbids for one in source.reserved] == ["ai"]


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\0" * 4096,
        b"<x",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"<a>" * 500,
        packet("<dc:creator>" + "x" * 200_000 + "</dc:creator>"),
        packet("<plus:DataMining/>" * 3000),
        packet(alt("dc:rights", x_default="no derivatives " * 20_000)),
        b"\xff\xfe" + packet("").decode().encode("utf-16-le"),
    ],
)
def test_hostile_packets_are_notes_at_most(hostile: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Pil.new("RGB", (32, 32)).save(path)
    (tmp_path / "a.xmp").write_bytes(hostile)
    rights = read_image(path).source.rights
    assert all(text is None or len(text) <= 1000 for text in (rights.creator, rights.copyright))


def beside(path: Path, **files: str) -> Path:
    """A picture with files beside it; in their names, "__" is a full stop."""
    path.mkdir(parents=True, exist_ok=True)
    Pil.new("RGB", (32, 32), "teal").save(path / "cat.jpg")
    for name, text in files.items():
        place = path / name.replace("__", ".").replace("KNOWN", ".well-known/")
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return path / "cat.jpg"


ALL = "User-agent: *\nDisallow: /"


@pytest.mark.parametrize(
    ("files", "kinds"),
    [
        ({"ai__txt": "# Spawning\nUser-Agent: *\nDisallow: *.png\nDisallow: *.jpg"}, ["ai"]),
        ({"ai__txt": "User-Agent: *\nAllow: /"}, []),
        ({"robots__txt": ALL}, ["data mining"]),
        ({"robots__txt": "User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /"}, ["ai"]),
        ({"robots__txt": "User-agent: GPTBot\nDisallow: /private/"}, []),
        ({"robots__txt": "User-agent: Googlebot\nDisallow: /"}, []),
        ({"robots__txt": "User-agent: *\nDisallow: /\nAllow: /cat.jpg"}, []),
        ({"robots__txt": "User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /"}, ["ai"]),
        ({"KNOWNai__txt": ALL}, ["ai"]),
        ({"tdmrep__json": '[{"location": "/*.jpg", "tdm-reservation": 1}]'}, ["data mining"]),
        (
            {
                "KNOWNtdmrep__json": '[{"location": "/cat*", "tdm-reservation": 0},'
                '{"location": "/", "tdm-reservation": 1}]'
            },
            [],
        ),
        ({"cat__noai": ""}, ["ai"]),
        ({"cat__jpg__noai": ""}, ["ai"]),
        ({"cat__txt": "robots: noai, noimageai"}, ["ai"]),
        ({"cat__txt": "a cat on a mat"}, []),
        ({"dog__txt": "noai"}, []),
    ],
)
def test_files_beside_a_picture(files: dict[str, str], kinds: list[str], tmp_path: Path) -> None:
    found = read_image(beside(tmp_path, **files)).source.reserved
    assert [one.forbids for one in found] == kinds


@pytest.mark.parametrize("name", ["cat.xmp", "cat.jpg.xmp"])
def test_xmp_sidecars_add_what_the_picture_does_not_say(name: str, tmp_path: Path) -> None:
    path = beside(tmp_path)
    exif = Pil.Exif()
    exif[0x013B] = "Ann"
    Pil.new("RGB", (32, 32)).save(path, exif=exif)
    (tmp_path / name).write_bytes(packet("<dc:creator>Bob</dc:creator>" + alt("dc:rights", x_default="© B")))
    rights = read_image(path).source.rights
    assert (rights.creator, rights.copyright) == ("Ann", "© B")


def test_a_folder_that_is_given_counts_for_what_is_deep_in_it(tmp_path: Path) -> None:
    beside(tmp_path / "site", ai__txt="User-Agent: *\nDisallow: /images/")
    beside(tmp_path / "site" / "images")
    beside(tmp_path / "robots" / "images", **{"dog__txt": ""})
    (tmp_path / "robots.txt").write_text(ALL)
    (tmp_path / "site" / "cat.jpg").unlink()
    (offered,) = album([tmp_path / "site"]).stills()
    assert isinstance(offered, Offered)
    assert [one.told_by for one in offered.still.source.reserved] == ["ai.txt"]  # type: ignore[union-attr]
    assert read_beside(tmp_path / "robots" / "images" / "cat.jpg").reserved == ()


def test_hostile_lists_are_notes_at_most(tmp_path: Path) -> None:
    path = beside(tmp_path, tdmrep__json="[" * 100_000, robots__txt="Disallow: /" + "*a" * 40_000 + "\n" * 10)
    (tmp_path / "ai.txt").write_bytes(os.urandom(700_000))
    (tmp_path / "cat.txt").mkdir()
    (tmp_path / "cat.xmp").mkdir()
    found = read_beside(path)
    assert found.reserved == ()
    assert any("tdmrep.json" in note for note in found.notes)
    assert any("too large" in note for note in found.notes)
    many = "User-agent: *\n" + "Disallow: /" + "*a" * 900 + "b$\n"
    assert forbidden_for_ai(many * 200, "/" + "a" * 4000, "robots.txt") == []


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/", "/a.jpg", True),
        ("/a", "/b", False),
        ("/a$", "/ab", False),
        ("/a$", "/a", True),
        ("/*.jpg$", "/x/y.jpg", True),
        ("/*.jpg$", "/x/y.jpg.png", False),
        ("*.jpg", "/x/y.jpg", True),
        ("images", "/x/images/y.jpg", True),
        ("/a%20b", "/a b.jpg", True),
        ("/*a*a$", "/a", False),
        ("*", "/a", True),
    ],
)
def test_patterns(pattern: str, path: str, fits: bool) -> None:
    assert matches(pattern, path) is fits


def test_tags_of_films() -> None:
    xmp = packet(NO_TRAINING + alt("dc:rights", x_default="© packed")).decode()
    tags = {"com.apple.quicktime.author": "Ann", "license": "CC BY-ND 4.0", "xmp": xmp}
    rights, reserved, notes = film_rights(tags)
    assert rights == Rights("Ann", "© packed", "CC BY-ND 4.0")
    assert [one.forbids for one in reserved] == ["ai", "derivatives"]
    assert notes == ()
    assert "ignored" in film_rights({"xmp": "<x"})[2][0]


def test_a_film_with_a_packet(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    from unflat.formats.film_read import open_clip

    path, buffer = tmp_path / "a.mp4", io.BytesIO()
    with av.open(buffer, "w", format="mp4") as film:
        film.metadata["copyright"] = "© Ann"
        stream = film.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(3):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        film.mux(stream.encode())
    inside = bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + packet(NO_TRAINING)
    path.write_bytes(buffer.getvalue() + (len(inside) + 8).to_bytes(4, "big") + b"uuid" + inside)
    (tmp_path / "a.mp4.xmp").write_bytes(packet("<dc:creator>Bob</dc:creator>"))
    source = open_clip(path).source
    assert (source.rights.copyright, source.rights.creator) == ("© Ann", "Bob")
    assert [one.forbids for one in source.reserved] == ["ai"]


@pytest.mark.parametrize(
    "words", ["You may not use this image to train AI models.", "I do not allow AI use", "not permit training of AI"]
)
def test_what_people_write_in_their_own_words_stops(words: str) -> None:
    assert [one.forbids for one in in_words(words, "a note")] == ["ai"]


@pytest.mark.parametrize("words", ["Made with no AI tools, all by hand.", "We do not use this camera for portraits."])
def test_what_tells_of_the_making_does_not_stop(words: str) -> None:
    assert in_words(words, "a note") == ()


def test_lists_of_rules_as_they_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    (tmp_path / "ai.txt").write_text("User-agent: *\nDisallow: /\n", encoding="utf-16")
    assert [one.forbids for one in read_beside(path).reserved] == ["ai"]
    (tmp_path / "ai.txt").unlink()
    (tmp_path / "robots.txt").write_text("User-agent: GPTBot/1.0\nDisallow: /\n" + "\n" * 20_001)
    found = read_beside(path)
    assert [one.forbids for one in found.reserved] == ["ai"] and "too long" in found.notes[0]
    (tmp_path / "robots.txt").unlink()
    (tmp_path / "tdmrep.json").write_text('[{"location": "/", "tdm-reservation": 1.0}]')
    assert [one.forbids for one in read_beside(path).reserved] == ["data mining"]
