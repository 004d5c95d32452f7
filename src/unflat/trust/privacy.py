"""What a source file says that never reaches an output, and the little that does.

The rule is an allow-list: of everything a picture file says about itself, only author and copyright travel
(:data:`KEPT`), and, into stereo pictures of the same moment, the time at which it was taken. :data:`NEVER` names what
people fear most, so that ``inspect`` can tell them and tests can look for it; nothing depends on it being complete.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from unflat.types.provenance import Rights

ARTIST: Final = 0x013B
COPYRIGHT: Final = 0x8298

KEPT: Final[dict[int, str]] = {ARTIST: "creator", COPYRIGHT: "copyright"}
"""EXIF tags an output may carry, and the field of :class:`Rights` each comes from. There are no others."""

FILM_KEPT: Final = ("title", "artist", "album", "date", "copyright", "genre", "creation_time")
"""Which of a film's own words an output may carry, by FFmpeg's names for them. Places, owners, makes, models, serial
numbers and free comments are not among them."""

NEVER: Final[dict[int, str]] = {
    0x8825: "GPS position",
    0x927C: "maker note",
    0x9286: "user comment",
    0xA420: "unique image number",
    0xA430: "camera owner's name",
    0xA431: "camera serial number",
    0xA435: "lens serial number",
    0xC62F: "camera serial number (DNG)",
    0xC68B: "original raw file name",
    0x0201: "embedded thumbnail",
    0x9C9B: "Windows title",
    0x9C9C: "Windows comment",
    0x9C9D: "Windows author",
    0x013C: "host computer",
    0x02BC: "XMP packet",
    0x83BB: "IPTC record",
    0x8649: "Photoshop record",
}
"""EXIF and TIFF tags that tell where, who or with what; never copied from a source."""


def travelling(rights: Rights) -> dict[int, str]:
    """The EXIF tags of an output: author and copyright where the source states them, nothing else."""
    stated = {"creator": rights.creator, "copyright": rights.copyright}
    return {tag: text for tag, name in KEPT.items() if (text := stated[name])}


def private_things(tags: Iterable[int]) -> tuple[str, ...]:
    """In words, which private things a file with these EXIF tags holds; sorted, each once."""
    return tuple(sorted({NEVER[tag] for tag in tags if tag in NEVER}))
