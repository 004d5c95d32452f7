"""What is known of a file's credentials once they were held against its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unflat.types.provenance import Provenance

VerdictState = Literal["trusted", "this machine", "unknown signer", "ended", "changed", "missing", "unsigned"]


@dataclass(frozen=True, slots=True)
class Ingredient:
    """Something that a signed file says it was made of.

    Attributes:
        name: As the credentials have it.
        state: What its own credentials were worth when it was read: "trusted", "valid", "invalid", or "none".
        signer: Who had signed it, or None.
    """

    name: str
    state: Literal["trusted", "valid", "invalid", "none"]
    signer: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether what a file says of itself is true.

    Attributes:
        state: "trusted": signed by somebody whom the user's list vouches for; "this machine": signed with the machine's
            own key; "unknown signer": intact, but nobody vouches for who signed; "ended": intact, but the time of the
            signer's certificate is over, and nobody can tell whether it was when it signed; "changed": something is not
            as it was signed; "missing": it names credentials, and they are not there; "unsigned": it names none.
        faults: In words, what is not as it was signed; empty unless the state is "changed".
        urn: Of the manifest that speaks for the file.
        signer: Who signed, by the certificate's own words.
        generator: Which program says that it made the file.
        where: Where the credentials stand: "in the file", or the name of the file that holds them.
        source_type: IPTC digital source type, the last word of its URI.
        story: What it tells of sources and steps; None where another program made it.
        ingredients: What it says it was made of.
        files: Names of the files beside it that were signed along.
    """

    state: VerdictState
    faults: tuple[str, ...] = ()
    urn: str | None = None
    signer: str | None = None
    generator: str | None = None
    where: str | None = None
    source_type: str | None = None
    story: Provenance | None = None
    ingredients: tuple[Ingredient, ...] = ()
    files: tuple[str, ...] = ()
