"""What an XMP packet says of rights, and what it forbids.

Sources: XMP part 2 (Dublin Core, xmpRights, photoshop), IPTC Photo Metadata 2023.1, PLUS LDF 2.0.1, the Creative
Commons' ccREL, W3C TDM Reservation Protocol (10 May 2024). People that a picture shows are not read: their names are
nobody's rights.
"""

from __future__ import annotations

from unflat.formats import xmp
from unflat.formats.xmp import Element
from unflat.trust.reserved import in_data_mining, in_tdm, in_words, reservation
from unflat.types.provenance import Reservation, Rights

PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
DCTERMS = "http://purl.org/dc/terms/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_TDM = ("http://www.w3.org/ns/tdmrep/", "http://www.w3.org/ns/tdmrep#")
_NO_AI = frozenset({"noai", "noimageai", "#noai", "#noimageai"})
_LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"
_MOST_KEYWORDS = 500


def rights_and_reserved(packet: bytes | str | None) -> tuple[Rights, tuple[Reservation, ...], str | None]:
    """Rights, what is forbidden, and a note where the packet could not be read."""
    if packet is None:
        return Rights(), (), None
    try:
        root = xmp.parse(packet)
    except xmp.XmpError as error:
        return Rights(), (), f"its XMP data was ignored: {error}"
    return rights_in(root), reserved_in(root), None


def rights_in(root: Element) -> Rights:
    """Who made it, whose it is, and under which terms; of texts in several languages the default one."""
    own, plus = xmp.properties(root, xmp.RIGHTS), xmp.properties(root, PLUS)
    shop, terms, tiff = (xmp.properties(root, space) for space in (PHOTOSHOP, DCTERMS, _TIFF))
    free = "public domain" if own.get("Marked", "").strip().lower() == "false" else None
    return Rights(
        creator=_first(
            xmp.properties(root, xmp.DC).get("creator"),
            tiff.get("Artist"),
            plus.get("ImageCreatorName"),
            shop.get("Credit"),
        ),
        copyright=_first(
            _in_default(root, xmp.DC, "rights"),
            _in_default(root, _TIFF, "Copyright"),
            own.get("Owner"),
            plus.get("CopyrightOwnerName"),
        ),
        licence=_first(
            xmp.properties(root, xmp.CC).get("license"), terms.get("license"), own.get("WebStatement"), free
        ),
        usage_terms=_first(
            _in_default(root, xmp.RIGHTS, "UsageTerms"),
            _in_default(root, PLUS, "TermsAndConditionsText"),
            plus.get("TermsAndConditionsURL"),
            _licensor(plus),
        ),
    )


def reserved_in(root: Element) -> tuple[Reservation, ...]:
    """What a packet forbids, each kind and place once."""
    plus = xmp.properties(root, PLUS)
    constraint = _in_default(root, PLUS, "OtherConstraints")
    found = [*in_data_mining(plus.get("DataMining"), constraint, "XMP plus:DataMining")]
    for space in _TDM:
        told = xmp.properties(root, space)
        found += in_tdm(told.get("reservation"), told.get("policy"), "XMP tdm:reservation")
    rights = rights_in(root)
    places = {
        "XMP plus:OtherConstraints": constraint,
        "XMP plus:OtherLicenseRequirements": _in_default(root, PLUS, "OtherLicenseRequirements"),
        "XMP photoshop:Instructions": xmp.properties(root, PHOTOSHOP).get("Instructions"),
        "XMP licence": rights.licence,
        "XMP terms of use": rights.usage_terms,
        "XMP dc:rights": rights.copyright,
    }
    for place, words in places.items():
        found += in_words(words, place)
    if any(word.strip().lower() in _NO_AI for word in _items(root, xmp.DC, "subject")):
        found.append(reservation("ai", "XMP dc:subject", "noai"))
    return tuple(dict.fromkeys(found))


def _first(*stated: str | None) -> str | None:
    return next((text for text in stated if text and text.strip()), None)


def _licensor(plus: dict[str, str]) -> str | None:
    """Of whom a licence is to be had."""
    told = " ".join(text for name in ("LicensorName", "LicensorURL") if (text := plus.get(name)))
    return f"licence from {told}" if told else None


def _in_default(root: Element, space: str, name: str) -> str | None:
    """A text that may be there in several languages: the one marked x-default, else the first."""
    full = f"{space} {name}"
    for element in root.walk():
        if full in element.attributes:
            return element.attributes[full].strip() or None
        if element.name != full:
            continue
        told = [(one.attributes.get(_LANGUAGE, ""), text) for one in element.walk() if (text := one.text.strip())]
        by_language = dict(reversed(told))
        return by_language.get("x-default") or (told[0][1] if told else None)
    return None


def _items(root: Element, space: str, name: str) -> list[str]:
    """The items of a list."""
    full = f"{space} {name}"
    return [word for one in root.walk() if one.name == full for word in one.words()][:_MOST_KEYWORDS]
