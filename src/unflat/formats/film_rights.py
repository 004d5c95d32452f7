"""What a film says of rights, by FFmpeg's words for it: tags of its container, and an XMP packet in MP4 and MOV."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from unflat.formats.told_rights import XMP_KEY, xmp_box
from unflat.formats.xmp_rights import rights_and_reserved
from unflat.trust.reserved import in_words
from unflat.trust.stated import merged
from unflat.types.provenance import Reservation, Rights

_QUICKTIME = "com.apple.quicktime."
_WORDS = {
    "creator": ("artist", "author", "director", "photographer", "creator", "album_artist"),
    "copyright": ("copyright",),
    "licence": ("license", "licence", "license_url"),
    "usage_terms": ("terms_of_use", "usage_terms", "usage"),
}
"""For each field of Rights, the tags of MP4, QuickTime and Matroska that tell it, the most telling first."""


def film_rights(tags: Mapping[str, str]) -> tuple[Rights, tuple[Reservation, ...], tuple[str, ...]]:
    """Rights, what is forbidden, and notes on what could not be read.

    Args:
        tags: Of the film, names in small letters; ``xmp`` is its packet.
    """
    told = Rights(**{field: _first(tags, names) for field, names in _WORDS.items()})
    packed, forbidden, note = rights_and_reserved(tags.get("xmp") or None)
    words = {"copyright": told.copyright, "licence": told.licence, "terms of use": told.usage_terms}
    found = [one for place, text in words.items() for one in in_words(text, f"film's {place}")]
    return merged(told, packed), tuple(dict.fromkeys((*forbidden, *found))), (note,) if note else ()


def _first(tags: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    for name in names:
        told = tags.get(name) or tags.get(_QUICKTIME + name)
        if told and told.strip():
            return told
    return None


def tags_of(told: Mapping[str, str], container: str) -> dict[str, str]:
    """What a container takes of :func:`unflat.formats.picture_story.film_words` as its tags.

    MP4 and QuickTime have names for a few only; Matroska takes all, and writes them in capitals.
    """
    own = {name: text for name, text in told.items() if name != XMP_KEY}
    if container in ("matroska", "webm"):
        return own
    return {"comment": ""} | {name: own[name] for name in ("comment", "artist", "copyright") if name in own}


def add_packet(film: Path, told: Mapping[str, str]) -> None:
    """Put the XMP packet of ``told`` behind a finished MP4 or QuickTime film, if there is one."""
    packet = told.get(XMP_KEY)
    if packet:
        with film.open("ab") as file:
            file.write(xmp_box(packet))
