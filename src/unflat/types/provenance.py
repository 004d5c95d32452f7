"""Where a result came from: sources, steps, rights, people, and what was invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Basis = Literal["self", "written-consent", "editorial", "historic", "no-likeness", "unstated"]
"""By which leave a likeness is used: one's own; a written consent; reporting in the public interest; a person of
history or of art; nobody in particular (a statue, a crowd seen from afar, a wrong alarm); or nobody has said."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a source says about its rights. None means that it does not say; nothing is ever assumed."""

    creator: str | None = None
    copyright: str | None = None
    licence: str | None = None
    usage_terms: str | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """One thing that a source forbids.

    Attributes:
        forbids: What is forbidden.
        told_by: Where that stands: "XMP plus:DataMining", "C2PA cawg.training-mining", "ai.txt" …
        words: As it stands there, shortened.
    """

    forbids: Literal["ai", "data mining", "derivatives"]
    told_by: str
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Credentials:
    """The C2PA credentials that came with a source.

    Attributes:
        urn: Of the manifest that speaks for the source.
        state: "trusted", "valid" (nobody vouches for who signed) or "invalid" (changed since, or damaged).
        signer: Who signed, by the certificate's own words; None where it does not say.
        generator: Which program says that it made the source; None where it does not say.
        parent: The manifest store as an ingredient archive, for what is made of this source alone.
        component: The same, for what is made of several sources.
        private: Parts of it that no result may carry (places, names, thumbnails), as C2PA refers to them.
        entries: What it says of mining and training: of each use, whether it is allowed; as pairs.
    """

    urn: str
    state: Literal["trusted", "valid", "invalid"]
    signer: str | None = None
    generator: str | None = None
    parent: bytes = field(default=b"", repr=False)
    component: bytes = field(default=b"", repr=False)
    private: tuple[str, ...] = ()
    entries: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that was read.

    Attributes:
        name: The file's name without its folder (a path may name a person).
        sha256: Hex digest of the bytes, or None for an array in memory.
        format: "jpeg", "heic", "array" …
        rights: What it says about its rights.
        taken: When its camera says that it was taken, as EXIF writes it: "2026:05:01 12:30:00", with " +02:00" behind
            it where the zone is stated. Only pictures of the same scene keep it; no story tells it.
        reserved: What it forbids to be done with it.
        credentials: The C2PA credentials that came with it, or None.
    """

    name: str
    sha256: str | None
    format: str
    rights: Rights = field(default_factory=Rights)
    taken: str | None = None
    reserved: tuple[Reservation, ...] = ()
    credentials: Credentials | None = None

    @staticmethod
    def array(name: str = "array") -> Source:
        """The source of a picture that was handed over in memory."""
        return Source(name, None, "array")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done: a stage, the model it used (if any) and the options it ran with."""

    name: str
    model: str | None = None
    licence: str | None = None
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Likeness:
    """What the story of a result says of the people in its sources. It names nobody.

    Attributes:
        faces: How many faces were found, at most at once in a film or in one of several pictures.
        bodies: How many bodies.
        treated: What was done with them before anything was made: nothing ("kept"), "blurred" or "removed".
        basis: By which leave they are shown.
        consent: Identifiers of the consent records that were relied on.
        finder: What looked for them, or why nothing did.
    """

    faces: int
    bodies: int
    treated: Literal["kept", "blurred", "removed"]
    basis: Basis
    consent: tuple[str, ...] = ()
    finder: str = ""

    @property
    def shown(self) -> bool:
        """Whether somebody who was found can be seen in the result."""
        return self.treated == "kept" and self.faces + self.bodies > 0


@dataclass(frozen=True, slots=True)
class Provenance:
    """The whole story of one result; it travels inside every file that has room for it.

    Attributes:
        sources: What was read, in order.
        steps: What was done, in order.
        version: The version of unflat.
        invented: True if any surface or colour was made up rather than seen.
        warnings: What the user should know, in words, most important first.
        created: ISO 8601 time in UTC (from SOURCE_DATE_EPOCH where that is set).
        likeness: What is known of people in the sources; None where nobody looked for any.
        leave: Why the sources may be used although they forbid it, in the user's words; None where none was needed.
        urn: Of the C2PA manifest that speaks for the file; None in a file without one.
        converter: Who had it made, in their own words; None where they did not say.
        subject: Whom or what it shows, in the words of who had it made; None where they did not say.
    """

    sources: tuple[Source, ...]
    steps: tuple[Step, ...]
    version: str
    invented: bool
    warnings: tuple[str, ...] = ()
    created: str | None = None
    likeness: Likeness | None = None
    leave: str | None = None
    urn: str | None = None
    converter: str | None = None
    subject: str | None = None

    @property
    def rights(self) -> Rights:
        """The rights of the first source that states any."""
        empty = Rights()
        return next((s.rights for s in self.sources if s.rights != empty), empty)
