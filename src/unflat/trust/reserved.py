"""What words, vocabularies and rules of sources forbid, as reservations. Pure: whoever has read a file asks here.

Sources: PLUS LDF 2.0.1 and IPTC Photo Metadata 2023.1 (plus:DataMining), W3C TDM Reservation Protocol (10 May 2024),
C2PA 1.4 and CAWG Training and Data Mining 1.1 (training-mining), the Creative Commons' licence addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, cast

from unflat.trust.stated import cleaned
from unflat.types.provenance import Reservation

Forbidden = Literal["ai", "data mining", "derivatives"]

_LONGEST = 200
"""Characters of a source's own words that are kept."""
_LONGEST_READ = 20_000
"""Characters of one statement that are looked through."""

_AI = (
    r"(?:ai|a\.i\.|ki|artificial[ -]intelligence|generative[ -](?:ai|models?)|machine[ -]learning)"
    r"(?:[ -]*/[ -]*ml)?(?!\w)"
)
_MINING = r"(?:(?:text[ -]?(?:and|&|/)[ -]?)?data[ -]?mining|tdm|scraping)"
_TRAINING = rf"(?:(?:{_AI}|model)[ -]*training|training (?:of )?(?:{_AI}|(?:neural )?networks?|models?))"
_NOT = (
    r"(?:not (?:be )?(?:allowed|permitted|authori[sz]ed|granted|licen[sc]ed)"
    r"|prohibited|forbidden|reserved|excluded|disallowed)"
)
_GERMAN_NOT = r"(?:nicht (?:gestattet|erlaubt|zulässig)|untersagt|verboten|vorbehalten|ausgeschlossen)"
_HOW_MADE = (
    r"(?![ -](?:was|were|has|have|is|are|used|involved|needed|generated|made|created|based|enhanced|assisted"
    r"|tools?\b(?! (?:may|can|must|should|allowed|permitted))))"
)
"""Behind "no AI": what makes it tell how the picture was made, not what may be done with it."""
_NO = (
    r"(?:no|not for(?: use (?:by|in|with))?|not to be used (?:for|by|in|with)"
    r"|do not use (?:for|in|with)|no use (?:for|by|in|with))"
)

_ROWS: tuple[tuple[Forbidden, str], ...] = (
    ("ai", rf"\b{_NO} {_AI}(?:[ -]+(?:use|usage|training)\b)?{_HOW_MADE}"),
    ("ai", r"(?<!\w)no(?:image)?ai\b"),
    ("ai", rf"\b{_TRAINING}[^.;\n]{{0,60}}\b{_NOT}"),
    ("ai", rf"\b(?:use|usage)\b[^.;\n]{{0,40}}\b{_AI}[^.;\n]{{0,60}}\b{_NOT}"),
    ("ai", rf"\bnot (?:be )?(?:use|allow|permit)\b[^.;\n]{{0,40}}\b(?:to|for) (?:train|{_TRAINING}|{_AI})"),
    ("ai", rf"\bnot (?:allow|permit)\b[^.;\n]{{0,20}}\b{_AI}[ -]*(?:use|usage|training)?"),
    ("ai", rf"\bnot (?:be )?(?:used|licen[sc]ed) (?:to|for|in) (?:train|{_TRAINING}|{_AI})"),
    ("ai", rf"\b(?:no|without) (?:use (?:for|in|by) )?{_TRAINING}"),
    ("ai", r"\bkein(?:e|en|erlei)?\b[^.;\n]{0,30}\b(?:ki|künstliche[nr]? intelligenz)\b"),
    ("ai", rf"\b(?:ki|künstliche[nr]? intelligenz)\b[^.;\n]{{0,60}}\b{_GERMAN_NOT}"),
    ("ai", r"\bpas d['’]i\.?a\.?\b|\bi\.?a\.?\b[^.;\n]{0,40}\b(?:interdit|réservé)"),
    ("data mining", rf"\bno {_MINING}\b"),
    ("data mining", rf"\b{_MINING}\b[^.;\n]{{0,60}}\b(?:{_NOT}|{_GERMAN_NOT})"),
    ("data mining", r"\bfouille de (?:textes|données)[^.;\n]{0,60}\b(?:interdite?|réservée?)"),
    ("derivatives", r"creativecommons\.org/licenses/(?:[a-z]+-)*nd\b"),
    ("derivatives", r"\bcc[ -]*(?:by[ -]*)?(?:nc[ -]*)?nd\b"),
    ("derivatives", r"\bno[ -]?deriv(?:ative|ation)?s?\b"),
    ("derivatives", rf"\bderivative works?\b[^.;\n]{{0,40}}\b{_NOT}"),
    ("derivatives", r"\bkeine bearbeitung(?:en)?\b"),
    ("derivatives", r"\bpas de modifications?\b"),
)
_PHRASES: tuple[tuple[Forbidden, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ROWS
)

_DMI = re.compile(r"DMI-PROHIBITED[A-Z-]*", re.IGNORECASE)
_ENTRY = re.compile(r"^(?:c2pa|cawg)\.(data_mining|ai_inference|ai_generative_training|ai_training)$")
_LABEL = re.compile(r"^(?:c2pa|cawg)\.training-mining(?:\.v\d+)?(?:__\d+)?$")
_NON_COMMERCIAL = re.compile(
    r"creativecommons\.org/licenses/(?:[a-z]+-)*nc\b|\bcc[ -]*(?:by[ -]*)?nc\b|\bnon[ -]?commercial\b"
    r"|\bno commercial use\b|\beditorial use only\b|\bnicht[ -]?kommerziell",
    re.IGNORECASE,
)


def reservation(forbids: Forbidden, told_by: str, words: str | None) -> Reservation:
    """One reservation, its words on one line and shortened."""
    said = cleaned(words) or forbids
    return Reservation(forbids, told_by, said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…")


def in_words(text: str | None, told_by: str) -> tuple[Reservation, ...]:
    """What a licence, terms of use or a notice forbids; each kind once.

    Args:
        text: As it stands in the source: a sentence, or the address of a licence.
        told_by: Where it stands.
    """
    if not text:
        return ()
    said = text[:_LONGEST_READ]
    found: dict[Forbidden, Reservation] = {}
    for forbids, pattern in _PHRASES:
        hit = None if forbids in found else pattern.search(said)
        if hit is not None:
            found[forbids] = reservation(forbids, told_by, _around(said, hit))
    return tuple(found.values())


def _around(said: str, hit: re.Match[str]) -> str:
    """The words that forbid it, with what stands around them where all is too long."""
    if len(said) <= _LONGEST:
        return said
    start = max(0, min(hit.start() - _LONGEST // 4, len(said) - _LONGEST))
    return ("…" if start else "") + said[start : start + _LONGEST - 2]


def in_data_mining(value: str | None, constraint: str | None, told_by: str) -> tuple[Reservation, ...]:
    """What the PLUS property DataMining forbids.

    Args:
        value: An address of the vocabulary (``http://ns.useplus.org/ldf/vocab/DMI-…``), or its last word alone.
        constraint: What plus:OtherConstraints says, which it may refer to.
        told_by: Where it stands.
    """
    hit = _DMI.search((value or "")[:_LONGEST_READ])
    if hit is None:
        return ()
    word = hit[0].upper()
    forbids: Forbidden = "ai" if "AIML" in word else "data mining"
    return (reservation(forbids, told_by, f"{word}: {constraint}" if constraint else word),)


def in_tdm(value: str | None, policy: str | None, told_by: str) -> tuple[Reservation, ...]:
    """What the TDM Reservation Protocol's property forbids: "1" reserves text and data mining."""
    if (value or "").strip() not in ("1", "1.0", "true", "True"):
        return ()
    return (reservation("data mining", told_by, f"tdm-reservation: 1; {policy}" if policy else "tdm-reservation: 1"),)


def in_training_mining(label: str, data: object) -> tuple[Reservation, ...]:
    """What a training-mining assertion of C2PA or CAWG forbids.

    Args:
        label: Of the assertion: ``c2pa.training-mining``, ``cawg.training-mining``, with ``.v2`` or ``__1`` behind it.
        data: Its value as plain JSON: ``{"entries": {"cawg.ai_inference": {"use": "notAllowed"}}}``, or those entries
            as a list with their names in ``label``. Anything else says nothing.

    Returns:
        One for each entry that is not allowed, or allowed only under a constraint.
    """
    if _LABEL.match(label) is None or not isinstance(data, Mapping):
        return ()
    entries = cast(Mapping[str, object], data).get("entries")
    pairs: Iterable[tuple[object, object]] = ()
    if isinstance(entries, Mapping):
        pairs = cast(Mapping[object, object], entries).items()
    elif isinstance(entries, list):
        rows = (cast(Mapping[str, object], one) for one in cast(list[object], entries) if isinstance(one, Mapping))
        pairs = ((row.get("label") or row.get("name"), row) for row in rows)
    found: list[Reservation] = []
    for name, rule in pairs:
        entry = _ENTRY.match(name) if isinstance(name, str) else None
        if entry is None or not isinstance(rule, Mapping):
            continue
        told = cast(Mapping[str, object], rule)
        use, more = told.get("use"), told.get("constraint_info") or told.get("constraintInfo")
        if use not in ("notAllowed", "constrained"):
            continue
        forbids: Forbidden = "data mining" if entry[1] == "data_mining" else "ai"
        words = f"{name}: {use}" + (f" ({more})" if isinstance(more, str) and more else "")
        found.append(reservation(forbids, f"C2PA {label}", words))
    return tuple(found)


def only_without_commerce(text: str | None) -> bool:
    """Whether a licence or terms of use say that commercial use is forbidden (CC BY-NC and the like)."""
    return bool(text) and _NON_COMMERCIAL.search(text[:_LONGEST_READ]) is not None
