"""Where rights, label, source type and manifest of a result stand in each format; every writer takes its words here.

====================  ================================================================================================
glTF, GLB, page       ``asset.copyright``; ``KHR_xmp_json_ld``, packet of the asset; ``asset.extras.unflat.provenance``
USDZ                  ``customLayerData.unflat``: copyright, creator, label, sourceType, record
PLY, splat PLY, PCD   comments: ``label |…|``, ``copyright |…|`` …, and the story as JSON
OBJ                   the same, in ``#`` lines
3MF                   metadata: Designer, Copyright, LicenseTerms, ``unflat:label``, ``:sourceType``, ``:story``
STL, SPZ, depth       the JSON beside them (and inside PNG and EXR): ``provenance``
EXR                   attributes: owner, creator, license, label, digitalSourceType, manifest
web page              ``<meta>``: author, copyright, tdm-reservation, robots; the page's own words about itself
JPEG PNG WebP TIFF    an XMP packet (:func:`packet`) beside the EXIF tags Artist and Copyright
AVIF HEIC MPO         the same
MP4, MOV              tags artist and copyright, an XMP packet in a ``uuid`` box; the story in the comment
MKV, WebM             tags ARTIST, COPYRIGHT, LICENSE, DIGITAL_SOURCE_TYPE, LABEL; the story in the comment
GIF, animated WebP    the story in the comment (EXIF); an XMP packet in the WebP
folders, maps         ``unflat.json`` or comments: the story
====================  ================================================================================================

``provenance`` and the story hold ``label``, ``source_type`` and ``rights_statement`` in words. Sources: XMP part 1
(ISO 16684-1), IPTC Photo Metadata 2025.1, PLUS LDF 2.0.1, KHR_xmp_json_ld (ratified).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final, Literal, NamedTuple
from xml.sax.saxutils import escape

from unflat.trust.label import label_text, source_type
from unflat.trust.rights import as_plain, bill, materials, statement
from unflat.trust.stated import cleaned
from unflat.types.provenance import Provenance, Rights

XMP_KEY: Final = "XML:com.adobe.xmp"
"""The key of a packet among the words of a picture, and the keyword of its text chunk in PNG."""
XMP_UUID: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""Of the box of an MP4 that holds an XMP packet (XMP part 3)."""
_SPACES: Final = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "cc": "http://creativecommons.org/ns#",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_VOCABULARY: Final = "http://ns.useplus.org/ldf/vocab/"
_LONGEST = 2000
"""Characters of one property: of a hundred sources there may be a hundred photographers."""
_LONGEST_LINE = 160
_ADDRESS = re.compile(r"https?://[^\s<>\"{}|\\^`]{1,500}$")


class _Property(NamedTuple):
    """One property of a packet; ``shape`` says whether it is a text, a list in order, or a text in some language."""

    name: str
    shape: Literal["text", "list", "language"]
    value: str


def all_rights(story: Provenance) -> Rights:
    """The rights of all sources, each statement once."""
    said = statement(story)
    return Rights(*(text and text[:_LONGEST] for text in (said.photographer, said.copyright, said.licence, said.terms)))


def promises(story: Provenance) -> dict[str, Any]:
    """Label, source type, rights statement and bill of materials as plain JSON values."""
    return {
        "label": label_text(story),
        "source_type": source_type(story),
        "rights_statement": as_plain(statement(story)),
        "materials": bill(story),
    }


def packet(story: Provenance) -> str:
    """An XMP packet in RDF/XML."""
    spaces = "".join(f' xmlns:{short}="{full}"' for short, full in _SPACES.items())
    told = "".join(f"<{one.name}>{_rdf(one)}</{one.name}>" for one in _properties(story))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about=""{spaces}>{told}</rdf:Description></rdf:RDF>'
        '</x:xmpmeta><?xpacket end="r"?>'
    )


def description_in(text: str | None) -> str:
    """The description of a :func:`packet`, to stand in a packet that says more; "" for None."""
    found = None if text is None else re.search(r"<rdf:Description.*</rdf:Description>", text, re.DOTALL)
    return found[0] if found else ""


def json_ld(story: Provenance) -> dict[str, Any]:
    """A packet of glTF's KHR_xmp_json_ld."""
    told = _properties(story)
    used = {one.name.split(":", 1)[0] for one in told}
    context = {short: full for short, full in _SPACES.items() if short in used}
    if any(one.shape == "language" for one in told):
        context["rdf"] = _RDF
    return {"@context": context, **{one.name: _ld(one) for one in told}}


def spare_words(story: Provenance) -> dict[str, str]:
    """The tags of a film beside its comment, by FFmpeg's names, and :data:`XMP_KEY` with its packet."""
    rights = all_rights(story)
    told = {
        "artist": rights.creator,
        "copyright": rights.copyright,
        "license": rights.licence,
        "terms_of_use": rights.usage_terms,
        "digital_source_type": source_type(story),
        "label": label_text(story),
        "manifest": story.urn,
        XMP_KEY: packet(story),
    }
    return {name: text for name, text in told.items() if text}


def comment_rows(story: Provenance) -> list[str]:
    """What people read in a header: ASCII lines, their texts between bars so that none ends in a word of the format."""
    rights = all_rights(story)
    rows = (
        ("label", label_text(story)),
        ("source type", source_type(story)),
        ("creator", rights.creator),
        ("copyright", rights.copyright),
        ("licence", rights.licence),
        ("terms of use", rights.usage_terms),
        ("manifest", story.urn),
    )
    return [f"{term} |{_ascii(text)}|" for term, text in rows if text]


def meta_rows(story: Provenance) -> list[tuple[str, str]]:
    """Names and contents of a web page's ``<meta>``."""
    rights = all_rights(story)
    reserved = statement(story).reserved
    rows = [
        ("author", rights.creator),
        ("copyright", rights.copyright),
        ("dcterms.license", rights.licence),
        ("dcterms.rights", rights.usage_terms),
        ("dcterms.type", label_text(story)),
        ("iptc.digitalSourceType", source_type(story)),
        ("dcterms.provenance", story.urn),
        ("tdm-reservation", "1" if any(one.forbids != "derivatives" for one in reserved) else None),
        ("robots", "noai, noimageai" if any(one.forbids == "ai" for one in reserved) else None),
    ]
    return [(name, text) for name, text in rows if text]


def exr_rows(story: Provenance | None) -> dict[str, str]:
    """Attributes of an OpenEXR file; "owner" is a name of its own."""
    if story is None:
        return {}
    rights = all_rights(story)
    told = {
        "owner": rights.copyright,
        "label": label_text(story),
        "creator": rights.creator,
        "license": rights.licence,
        "digitalSourceType": source_type(story),
        "manifest": story.urn,
    }
    return {name: text for name, text in told.items() if text}


def xmp_box(text: str) -> bytes:
    """The box of an MP4 that holds a packet."""
    inside = XMP_UUID + text.encode()
    return (len(inside) + 8).to_bytes(4, "big") + b"uuid" + inside


def _properties(story: Provenance) -> list[_Property]:
    """All that a packet says."""
    rights, networks = all_rights(story), [row for row in materials(story) if row.kind == "network"]
    licence = rights.licence or ""
    page = licence if _ADDRESS.match(licence) else None
    names = ", ".join(source.name for source in story.sources[:9])
    said = f"{label_text(story)}, made by unflat {story.version}" + (f" from {names}" if names else "")
    mining, constraints = _mining(story)
    terms = "; ".join(text for text in (rights.usage_terms, None if page else rights.licence) if text)
    rows: list[tuple[str, Literal["text", "list", "language"], str | None]] = [
        ("dc:creator", "list", rights.creator),
        ("dc:rights", "language", rights.copyright),
        ("dc:description", "language", said),
        ("dcterms:provenance", "text", story.urn),
        ("xmp:CreatorTool", "text", f"unflat {story.version}"),
        ("xmpRights:UsageTerms", "language", terms),
        ("xmpRights:WebStatement", "text", page),
        ("cc:license", "text", page),
        ("plus:DataMining", "text", mining),
        ("plus:OtherConstraints", "language", constraints),
        ("Iptc4xmpExt:DigitalSourceType", "text", source_type(story)),
        ("Iptc4xmpExt:AISystemUsed", "text", ", ".join(row.name for row in networks)),
    ]
    return [_Property(name, shape, text) for name, shape, raw in rows if (text := _fitting(raw))]


def _fitting(text: str | None) -> str | None:
    clean = None if text is None else cleaned(text, _LONGEST)
    return None if clean is None else clean.encode("utf-8", "replace").decode()


def _mining(story: Provenance) -> tuple[str | None, str | None]:
    """What the sources forbid, in the words of PLUS: DataMining and OtherConstraints."""
    reserved = statement(story).reserved
    kinds = {one.forbids for one in reserved}
    word = next((one.words.split(":", 1)[0] for one in reserved if one.words.startswith("DMI-")), None)
    if word is None and "data mining" in kinds:
        word = "DMI-PROHIBITED"
    if word is None and "ai" in kinds:
        word = "DMI-PROHIBITED-AIMLTRAINING"
    words = dict.fromkeys(one.words for one in reserved if not one.words.startswith("DMI-"))
    return word and _VOCABULARY + word, "; ".join(words) or None


def _rdf(one: _Property) -> str:
    text = escape(one.value)
    if one.shape == "list":
        items = "".join(f"<rdf:li>{item}</rdf:li>" for item in text.split("; "))
        return f"<rdf:Seq>{items}</rdf:Seq>"
    if one.shape == "language":
        return f'<rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt>'
    return text


def _ld(one: _Property) -> Any:
    if one.shape == "list":
        return {"@list": one.value.split("; ")}
    if one.shape == "language":
        return {"@type": "rdf:Alt", "rdf:_1": {"@language": "x-default", "@value": one.value}}
    return one.value


def _ascii(text: str) -> str:
    """A text without what an old reader of headers could stumble over."""
    plain = unicodedata.normalize("NFKD", (cleaned(text) or "").replace("©", "(c)").replace("|", "/"))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).encode("ascii", "replace").decode()
    return plain if len(plain) <= _LONGEST_LINE else plain[: _LONGEST_LINE - 3] + "..."
