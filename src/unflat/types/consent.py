"""A person's leave to make and use a likeness of them, as it is kept by whom it was given to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from unflat.errors import InputError

Scope = Literal["make", "share", "sell"]
"""What a consent covers: making the likeness for oneself; showing it to others; earning money with it."""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One consent. It names a person, so it stays on the machine of whom it was given to; results carry ``id`` alone.

    Attributes:
        id: A random UUID.
        who: The person shown.
        purpose: What for, in words.
        scope: What it covers.
        given: The day it was given.
        expires: The last day on which it holds; None is without end.
        withdrawn: The day on which it was taken back, or None.
        guardian: Who gave it for a child, or None for a grown-up.
    """

    id: str
    who: str
    purpose: str
    scope: tuple[Scope, ...]
    given: date
    expires: date | None = None
    withdrawn: date | None = None
    guardian: str | None = None

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise InputError("a consent record is named by a UUID")
        if not self.who.strip() or not self.purpose.strip() or not self.scope:
            raise InputError("a consent record says who agreed, to what purpose and what it covers")
        if self.expires is not None and self.expires < self.given:
            raise InputError("a consent cannot end before it was given")

    def fault(self, day: date, use: Scope = "make") -> str | None:
        """Why it does not hold on a day for a use, in words without a name; None if it holds."""
        if self.withdrawn is not None and self.withdrawn <= day:
            return f"it was withdrawn on {self.withdrawn.isoformat()}"
        if self.expires is not None and self.expires < day:
            return f"it ended on {self.expires.isoformat()}"
        if self.given > day:
            return f"it begins on {self.given.isoformat()}"
        if use not in self.scope:
            return f"it covers {', '.join(self.scope)}, not to {use}"
        return None
