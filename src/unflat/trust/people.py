"""By which leave people are shown, and what becomes of them where there is none. Policy; it finds nobody itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from unflat.errors import ConsentError, InputError
from unflat.types.consent import ConsentRecord
from unflat.types.people import People
from unflat.types.provenance import Basis, Likeness

Choice = Literal["ask", "allow", "blur", "remove", "refuse"]
StatedBasis = Literal["self", "written-consent", "editorial", "historic", "no-likeness"]
_TREATED: dict[Choice, Literal["blurred", "removed"]] = {"blur": "blurred", "remove": "removed"}


@dataclass(frozen=True, slots=True)
class PeopleOptions:
    """What becomes of the people in a picture or a film."""

    people: Choice = "ask"
    """What to do about people that are found: ask (go on with a notice), allow (needs --basis or --consent), blur or
    remove them from the source before anything is made of it, or refuse."""
    basis: StatedBasis | None = None
    """By which leave they are shown: self (it is you), written-consent, editorial (reporting in the public interest),
    historic (a person of history or art), no-likeness (nobody can be recognised)."""
    consent: tuple[str, ...] = ()
    """Consent records that cover them: their identifiers, or files; see 'unflat consent'."""
    children: bool = False
    """There are children among them: without a guardian's consent record they are blurred."""

    @property
    def treats(self) -> Literal["blur", "remove"] | None:
        """What is done about people wherever they are found; None where that depends on who is found."""
        if self.people in ("blur", "remove"):
            return self.people
        return "blur" if self.children and not self.consent else None

    def __post_init__(self) -> None:
        if self.consent and self.basis not in (None, "written-consent"):
            raise InputError(f"--consent is a written consent, not '{self.basis}'", hint="Leave one of them out.")
        if self.children and self.people == "allow" and not self.consent:
            raise ConsentError(
                "children are shown only with a guardian's consent",
                hint="Give its record: --consent ID ('unflat consent give --guardian …'), or --people blur.",
            )


class Decision(NamedTuple):
    """What is done about people.

    Attributes:
        likeness: For the story.
        redact: How they are taken out of the source, or None.
        notice: What the user should know, or None.
    """

    likeness: Likeness
    redact: Literal["blur", "remove"] | None = None
    notice: str | None = None


def decide(
    people: People, options: PeopleOptions, records: Sequence[ConsentRecord], finder: str, *, name: str, day: date
) -> Decision:
    """What is done about the people who were found.

    Args:
        people: Who was found; in a film or in several pictures, the most at once.
        options: What the user says.
        records: The consent records that ``options.consent`` names.
        finder: What looked for them.
        name: Of the source, for messages.
        day: Today.

    Raises:
        ConsentError: They may not be shown.
    """
    basis = _basis(options, records, day)
    faces, bodies = len(people.faces), len(people.seen) - len(people.faces)
    found = in_words(faces, bodies)
    known = tuple(record.id for record in records)
    if not people:
        return Decision(Likeness(0, 0, "kept", basis, known, finder))
    if options.people == "refuse":
        raise ConsentError(f"{name} shows people ({found})", hint="--people blur takes their faces out of it.")
    if options.people == "allow" and basis == "unstated":
        raise ConsentError(f"{name} shows people ({found}), and nobody has said by which leave")
    choice = options.people
    guarded = any(record.guardian is not None for record in records)
    if options.children and not guarded and choice in ("ask", "allow"):
        choice = "blur"
    how = _TREATED.get(choice)
    if how is not None:
        notice = f"{found} found; {how} in the source before anything was made of it."
        return Decision(
            Likeness(faces, bodies, how, basis, known, finder), "blur" if how == "blurred" else "remove", notice
        )
    notice = None
    if basis == "unstated":
        notice = (
            f"{found} found, and nobody has said by which leave they are shown. Say it with --basis before you share "
            "the result, or take them out with --people blur."
        )
    return Decision(Likeness(faces, bodies, "kept", basis, known, finder), None, notice)


def check_shared(likeness: Likeness | None, name: str) -> None:
    """Refuse to show a result to others whose people nobody has given leave for: what galleries and servers ask.

    Raises:
        ConsentError: Somebody is shown, and no basis was stated.
    """
    if likeness is not None and likeness.shown and likeness.basis == "unstated":
        raise ConsentError(f"{name} shows people, and nobody has said by which leave it may be shared")


def in_words(faces: int, bodies: int) -> str:
    """What was found: "2 faces and 1 body"."""
    told = [_number(faces, "face", "faces"), _number(bodies, "body", "bodies")]
    return " and ".join(word for word in told if word) or "nobody"


def _number(count: int, one: str, more: str) -> str:
    return "" if count == 0 else f"1 {one}" if count == 1 else f"{count} {more}"


def _basis(options: PeopleOptions, records: Sequence[ConsentRecord], day: date) -> Basis:
    for record in records:
        fault = record.fault(day)
        if fault is not None:
            raise ConsentError(f"the consent record {record.id} does not hold: {fault}", hint="Ask for a new one.")
    return "written-consent" if records else options.basis or "unstated"
