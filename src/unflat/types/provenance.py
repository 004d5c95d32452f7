"""Where a result came from: sources, steps, rights, and what was invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Rights:
    """What a source says about its rights. None means that it does not say; nothing is ever assumed."""

    creator: str | None = None
    copyright: str | None = None
    licence: str | None = None
    usage_terms: str | None = None


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
    """

    name: str
    sha256: str | None
    format: str
    rights: Rights = field(default_factory=Rights)
    taken: str | None = None

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
class Provenance:
    """The whole story of one result; it travels inside every file that has room for it.

    Attributes:
        sources: What was read, in order.
        steps: What was done, in order.
        version: The version of unflat.
        invented: True if any surface or colour was made up rather than seen.
        warnings: What the user should know, in words, most important first.
        created: ISO 8601 time in UTC (from SOURCE_DATE_EPOCH where that is set).
    """

    sources: tuple[Source, ...]
    steps: tuple[Step, ...]
    version: str
    invented: bool
    warnings: tuple[str, ...] = ()
    created: str | None = None

    @property
    def rights(self) -> Rights:
        """The rights of the first source that states any."""
        empty = Rights()
        return next((s.rights for s in self.sources if s.rights != empty), empty)
