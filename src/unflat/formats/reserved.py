"""What stands beside a picture or a film: XMP sidecars, and files that tell machines what they may not do with it.

Looked at: NAME.xmp and NAME.SUFFIX.xmp; NAME.txt, NAME.SUFFIX.txt and NAME.noai; and in the picture's own folder and
those up to the folder that was given: ai.txt, robots.txt, tdmrep.json, all three in .well-known, too. Nothing is
fetched. A file that is too large or damaged is passed over with a note; it never stops the reading.

Sources: RFC 9309 (robots), W3C TDM Reservation Protocol (10 May 2024) for tdmrep.json, Spawning's ai.txt, DeviantArt's
noai and noimageai, Content-Signal (contentsignals.org) and the IETF's Content-Usage (aipref).
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unflat.formats.plain import is_list, is_object
from unflat.formats.robots import MOST_LINES, forbidden_for_ai, matches
from unflat.formats.xmp_rights import rights_and_reserved
from unflat.trust.reserved import in_tdm, in_words, reservation
from unflat.trust.stated import merged
from unflat.types.provenance import Reservation, Rights, Source

_LARGEST = 500 * 1024
"""Bytes of a file that are read: RFC 9309 asks for no more."""
_LARGEST_XMP = 4 * 1024 * 1024
_LARGEST_WORDS = 64 * 1024
_DEEPEST = 8
"""Folders between a picture and the one that was given."""
_WELL_KNOWN = ".well-known"
_LISTS = ("ai.txt", "robots.txt", "tdmrep.json")


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a file: rights, what is forbidden, and what could not be read, in words."""

    rights: Rights
    reserved: tuple[Reservation, ...]
    notes: tuple[str, ...]


def with_sidecars(source: Source, path: Path, top: Path | None = None) -> tuple[Source, tuple[str, ...]]:
    """A source with what stands beside its file, and notes for the user.

    What the file says itself is believed first.

    Args:
        source: What was read.
        path: Where from.
        top: The folder that was given, if the file lies somewhere in it.
    """
    beside = read_beside(path, top)
    reserved = tuple(dict.fromkeys((*source.reserved, *beside.reserved)))
    return replace(source, rights=merged(source.rights, beside.rights), reserved=reserved), beside.notes


def read_beside(path: Path, top: Path | None = None) -> Beside:
    """What stands beside the file ``path``; empty where nothing does."""
    notes: list[str] = []
    rights, found = _sidecars(path, notes)
    found += _words(path, notes)
    for folder, inside in _folders(path, top):
        for name in _LISTS:
            for place in (folder / name, folder / _WELL_KNOWN / name):
                text = _text(place, _LARGEST, notes)
                if text is not None:
                    found += _told_in(name, text, inside, notes)
    return Beside(merged(*rights), tuple(dict.fromkeys(found)), tuple(notes))


def _sidecars(path: Path, notes: list[str]) -> tuple[list[Rights], list[Reservation]]:
    rights: list[Rights] = []
    found: list[Reservation] = []
    for place in dict.fromkeys((path.with_name(path.name + ".xmp"), path.with_suffix(".xmp"))):
        data = None if place == path else _bytes(place, _LARGEST_XMP, notes)
        if data is None:
            continue
        said, forbidden, note = rights_and_reserved(data)
        rights.append(said)
        found += [replace(one, told_by=f"{place.suffix[1:]} sidecar, {one.told_by}") for one in forbidden]
        notes += [f"{place.name}: {note}"] if note else []
    return rights, found


def _words(path: Path, notes: list[str]) -> list[Reservation]:
    """What a note beside the file says in words, and whether a file says it by being there."""
    found: list[Reservation] = []
    for place in dict.fromkeys((path.with_name(path.name + ".noai"), path.with_suffix(".noai"))):
        if place != path and place.is_file():
            found.append(reservation("ai", "a .noai file beside it", "noai"))
    for place in dict.fromkeys((path.with_name(path.name + ".txt"), path.with_suffix(".txt"))):
        text = None if place == path else _text(place, _LARGEST_WORDS, notes)
        found += in_words(text, "a .txt file beside it")
    return found


def _folders(path: Path, top: Path | None) -> Iterator[tuple[Path, str]]:
    """The folders whose lists count for a file, and its path within each, as robots' rules name it."""
    here = path.parent
    yield here, "/" + path.name
    if top is None or top == here:
        return
    try:
        between = here.relative_to(top).parts
    except ValueError:
        return
    if len(between) > _DEEPEST:
        yield top, "/" + "/".join((*between, path.name))
        return
    for up in range(1, len(between) + 1):
        yield here.parents[up - 1], "/" + "/".join((*between[-up:], path.name))


def _told_in(name: str, text: str, inside: str, notes: list[str]) -> list[Reservation]:
    """What one of the lists says of the file at ``inside``."""
    if name == "tdmrep.json":
        return _tdm(text, inside, notes)
    if text.count("\n") > MOST_LINES:
        notes.append(f"{name} beside it is too long; only its first {MOST_LINES} lines were read")
    return forbidden_for_ai(text, inside, name)


def _tdm(text: str, inside: str, notes: list[str]) -> list[Reservation]:
    """The rules of a tdmrep.json: of those that fit, the first counts."""
    try:
        rules: Any = json.loads(text)
    except (ValueError, RecursionError):
        notes.append("tdmrep.json beside it is damaged and was ignored")
        return []
    for rule in rules if is_list(rules) else [rules]:
        if not is_object(rule):
            continue
        where, policy = rule.get("location", "/"), rule.get("tdm-policy")
        if isinstance(where, str) and matches(where, inside):
            words = policy if isinstance(policy, str) else None
            return list(in_tdm(str(rule.get("tdm-reservation")), words, "tdmrep.json"))
    return []


def _text(place: Path, most: int, notes: list[str]) -> str | None:
    data = _bytes(place, most, notes)
    if data is None:
        return None
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig", errors="replace")


def _bytes(place: Path, most: int, notes: list[str]) -> bytes | None:
    """An ordinary file; None where there is none. One that is too large is read as far as it is allowed to be."""
    try:
        if not place.is_file():
            return None
        with place.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        notes.append(f"{place.name} beside it cannot be read: {getattr(error, 'strerror', None) or 'odd name'}")
        return None
    if len(data) > most:
        notes.append(f"{place.name} beside it is too large; only its beginning was read")
    return data[:most]
