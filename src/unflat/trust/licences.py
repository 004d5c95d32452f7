"""Which licences of weights let one use them at work. What the table does not know is not allowed."""

from __future__ import annotations

import re

UNKNOWN = "unknown"
"""The word for a licence that nobody states."""

_WORDS = """
0bsd afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 cc-by-2.0
cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 ecl-2.0 epl-2.0 eupl-1.2
gpl-2.0 gpl-3.0 isc lgpl-2.1 lgpl-3.0 mit mpl-2.0 ms-pl ncsa pddl unlicense wtfpl zlib
"""
_COMMERCIAL = frozenset(_WORDS.split())
"""SPDX identifiers in small letters (suffixes -only and -or-later left out) that allow commercial use."""
_FORBIDDING = re.compile(r"(^|[-_ ])nc([-_ ]|$)|non[-_ ]?commercial|research|amlr|academic", re.IGNORECASE)


def allows_commerce(licence: str | None) -> bool:
    """Whether weights under ``licence`` (an SPDX identifier, in any case) may be used at work.

    False where the licence forbids it, and False where it is unknown.
    """
    word = (licence or UNKNOWN).strip().lower()
    return re.sub(r"(-only|-or-later|\+)$", "", word) in _COMMERCIAL


def forbids_commerce(licence: str | None) -> bool:
    """Whether the name of the licence itself says that commercial use is forbidden."""
    return bool(_FORBIDDING.search(licence or ""))


def licence_of_readme(text: str) -> str | None:
    """The licence that the front matter of a model's README states, or None.

    The front matter is the YAML between two lines ``---`` at the top. Its key ``license`` holds one identifier or a
    list of them; where that is "other", the key ``license_name`` says which.
    """
    found = re.match(r"\s*---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(\r?\n|$)", text[:100_000], re.DOTALL)
    if found is None:
        return None
    stated = _value(found[1], "license")
    if stated is None or stated.lower() == "other":
        stated = _value(found[1], "license_name") or stated
    return stated


def _value(front: str, key: str) -> str | None:
    """One scalar of simple YAML, or the items of a list joined by " and "."""
    found = re.search(rf"^{key}:[ \t]*(.*)$", front, re.MULTILINE)
    if found is None:
        return None
    one = found[1].split(" #")[0].strip()
    if one:
        words = [word.strip(" \t'\"") for word in one.strip("[]").split(",")]
    else:
        listed = re.match(r"(?:\s*\r?\n[ \t]*-[^\r\n]*)+", front[found.end() :])
        lines = listed[0].splitlines() if listed else []
        words = [line.strip().lstrip("-").strip(" \t'\"") for line in lines if line.strip()]
    clean = [word for word in words if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+_ -]{0,60}", word)]
    return " and ".join(clean) or None
