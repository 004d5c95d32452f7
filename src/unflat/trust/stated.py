"""Rights stated in several places of one file, made one statement.

Order of belief: EXIF, then XMP, then IPTC, as the Metadata Working Group's guidelines (2.0, "Creator" and
"Copyright") ask of readers. Every field is decided alone: the first place that states it wins.
"""

from __future__ import annotations

import unicodedata

from unflat.types.provenance import Rights

LONGEST = 1000
"""Characters kept of one statement."""


def cleaned(text: str | None, longest: int = LONGEST) -> str | None:
    """A statement as one line without control characters, at most ``longest`` long; None if nothing is left."""
    if text is None:
        return None
    visible = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in text)
    return " ".join(visible.split())[:longest] or None


def merged(*places: Rights) -> Rights:
    """One statement from several, the most believed place first."""

    def first(*stated: str | None) -> str | None:
        return next((clean for text in stated if (clean := cleaned(text))), None)

    return Rights(
        creator=first(*(p.creator for p in places)),
        copyright=first(*(p.copyright for p in places)),
        licence=first(*(p.licence for p in places)),
        usage_terms=first(*(p.usage_terms for p in places)),
    )
