"""What a picture or a film of ours says of itself: the words, where they stand, and how they are found again.

A PNG has them in the text chunk "unflat" (a picture) or "Comment" (a frame), a GIF and an MP4 in their comment, all
others in the EXIF image description. An XMP packet beside it says for others whose it is and what it is called.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.formats.decode import foreign_faults, opened
from unflat.formats.exif import DESCRIPTION, exif_of, load_exif
from unflat.formats.heic import open_heic
from unflat.formats.image import read_bytes
from unflat.formats.plain import is_object
from unflat.formats.provenance_text import from_plain, to_plain
from unflat.formats.sniff import kind_of
from unflat.formats.story import parsed
from unflat.formats.told_rights import XMP_KEY, packet, spare_words
from unflat.types.provenance import Provenance

KEY = "unflat"
_HEAD = 256
_TELLING = ("PNG", "JPEG", "WebP", "TIFF", "AVIF", "GIF", "HEIC")


def picture_words(story: Provenance) -> dict[str, str]:
    """What a still picture carries: for the ``text`` of :func:`unflat.formats.image.write_image`."""
    return {KEY: json.dumps(to_plain(story), ensure_ascii=False), XMP_KEY: packet(story)}


def film_words(story: Provenance) -> dict[str, str]:
    """What a film carries: for the ``told`` of :func:`unflat.formats.video.write_film`."""
    return {"comment": json.dumps({KEY: to_plain(story)})} | spare_words(story)


def story_in(path: Path) -> Provenance | None:
    """The story inside a picture or an animated picture; None where it has none of ours.

    Raises:
        InputError: It has one, but a damaged one.
    """
    data = read_bytes(path)
    kind = kind_of(data[:_HEAD], path.suffix.lower())
    if kind not in _TELLING:
        return None
    with foreign_faults(path.name):
        if kind == "HEIC":
            block: bytes | None = open_heic(data)[1].info.get("exif")
            told = list(_texts([load_exif(block or b"").get(DESCRIPTION)]))
            return story_in_words(told[0]) if told else None
        picture = opened(data, kind)
        places: list[Any] = [picture.info.get(name) for name in ("Comment", "comment")]
        places.append(exif_of(picture)[0].get(DESCRIPTION))
        own = picture.info.get(KEY)
    if kind == "PNG" and isinstance(own, str):
        return from_plain(parsed(own))
    return next(filter(None, map(story_in_words, _texts(places))), None)


def story_in_words(words: str | None) -> Provenance | None:
    """The story in a comment; None where it is somebody else's comment.

    Raises:
        InputError: It is ours, but damaged.
    """
    if words is None or not words.lstrip().startswith("{"):
        return None
    try:
        said: Any = json.loads(words)
    except (ValueError, RecursionError) as error:
        if words.lstrip().startswith(f'{{"{KEY}"'):
            raise InputError("the record inside the file is damaged") from error
        return None
    if not is_object(said) or KEY not in said:
        return None
    own = said[KEY]
    return from_plain(parsed(own) if isinstance(own, str) else own)


def _texts(places: list[Any]) -> Iterator[str]:
    for value in places:
        if isinstance(value, bytes):
            yield value.decode(errors="replace")
        elif isinstance(value, str):
            yield value
