"""May these sources be used, and whose is what was made of them? Policy; it reads no file and claims no ownership."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from unflat.errors import InputError, RightsError
from unflat.trust.reserved import only_without_commerce
from unflat.trust.stated import cleaned
from unflat.types.provenance import Provenance, Source, Step
from unflat.types.rights import Material, RightsStatement

UNKNOWN = "unknown"
"""What is written where nobody has said anything."""
PROGRAM = "unflat"
PROGRAM_LICENCE = "Apache-2.0"
_SAYS = {"ai": "use by AI", "data mining": "text and data mining", "derivatives": "derivative works"}
_STATED = ("i_have_the_right", "converter", "shows")
_WEIGHTS = "weights_sha256"


@dataclass(frozen=True, slots=True)
class RightsOptions:
    """What whoever converts a source says of their right to do so."""

    i_have_the_right: str | None = None
    """Convert although the source forbids it (no AI, no derivatives, no data mining): the reason why you may, which
    is recorded in the result."""
    converter: str | None = None
    """Who converts, for the rights statement of the result; unknown unless you say."""
    shows: str | None = None
    """Whom or what the source shows, for the rights statement; unknown unless you say, and never taken from a file."""

    def __post_init__(self) -> None:
        for name in _STATED:
            said: str | None = getattr(self, name)
            if said is not None and cleaned(said) is None:
                flag = "--" + name.replace("_", "-")
                raise InputError(f"{flag} says nothing", hint=f'Give it words: {flag} "…".')
            object.__setattr__(self, name, cleaned(said))


def check_free(
    sources: Iterable[Source], options: RightsOptions | None = None, *, commercial_only: bool = False
) -> str | None:
    """Refuse sources that forbid what is about to be done with them, unless the user says why they may.

    Args:
        sources: What was read.
        options: What the user says; None says nothing.
        commercial_only: Refuse, too, what is licensed for non-commercial use alone.

    Returns:
        The user's reason, for :attr:`unflat.types.Provenance.leave`; None where nothing forbids anything.

    Raises:
        RightsError: A source forbids it and no reason was given.
    """
    first: tuple[Source, str, str] | None = None
    barred = 0
    for source in sources:
        why = _forbidden(source, commercial_only=commercial_only)
        barred += why is not None
        if first is None and why is not None:
            first = (source, *why)
    if first is None:
        return None
    if options is not None and options.i_have_the_right is not None:
        return options.i_have_the_right
    source, what, where = first
    others = f", and {barred - 1} more of the sources" if barred > 1 else ""
    raise RightsError(
        f"{source.name}{others} may not be used so: {what} ({where})",
        hint='Ask whoever holds the rights; if you have the right, say why: --i-have-the-right "REASON".',
    )


def _forbidden(source: Source, *, commercial_only: bool) -> tuple[str, str] | None:
    """What a source forbids, and where it says so."""
    if source.reserved:
        kinds = dict.fromkeys(_SAYS[one.forbids] for one in source.reserved)
        places = dict.fromkeys(f'{one.told_by}: "{one.words}"' for one in source.reserved)
        return f"it forbids {' and '.join(kinds)}", "; ".join(places)
    if commercial_only:
        for told, where in ((source.rights.licence, "licence"), (source.rights.usage_terms, "terms of use")):
            if only_without_commerce(told):
                return "it forbids commercial use, and --commercial-only asks for it", f'{where}: "{told}"'
    return None


def statement(provenance: Provenance) -> RightsStatement:
    """Who took part in a result, and what its sources say of their rights, each of them once."""
    stated = [source.rights for source in provenance.sources]
    networks = [row.name for row in materials(provenance) if row.kind != "program"]
    return RightsStatement(
        photographer=_each(one.creator for one in stated),
        subject=provenance.subject,
        made_with=", ".join([f"{PROGRAM} {provenance.version}", *networks]),
        converter=provenance.converter,
        copyright=_each(one.copyright for one in stated),
        licence=_each(one.licence for one in stated),
        terms=_each(one.usage_terms for one in stated),
        reserved=tuple(dict.fromkeys(one for source in provenance.sources for one in source.reserved)),
        leave=provenance.leave,
        unstated=sum(not any((r.creator, r.copyright, r.licence, r.usage_terms)) for r in stated),
    )


def _each(words: Iterable[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(word for word in words if word)) or None


def lines(said: RightsStatement) -> list[tuple[str, str]]:
    """A statement as terms and texts for people; the first four are always there."""
    rows = [
        ("photographer", said.photographer or UNKNOWN),
        ("subject", said.subject or UNKNOWN),
        ("made with", said.made_with),
        ("converter", said.converter or UNKNOWN),
        ("copyright", said.copyright or UNKNOWN),
        ("licence", said.licence or UNKNOWN),
    ]
    rows += [("terms of use", said.terms)] if said.terms else []
    rows += [("forbids", f'{_SAYS[one.forbids]} ({one.told_by}: "{one.words}")') for one in said.reserved]
    rows += [("used all the same", said.leave)] if said.leave else []
    return rows


def as_plain(said: RightsStatement) -> dict[str, Any]:
    """A statement as plain JSON values, :data:`UNKNOWN` where nobody has said anything."""
    plain: dict[str, Any] = {
        "photographer": said.photographer or UNKNOWN,
        "subject": said.subject or UNKNOWN,
        "made_with": said.made_with,
        "converter": said.converter or UNKNOWN,
        "copyright": said.copyright or UNKNOWN,
        "licence": said.licence or UNKNOWN,
        "terms": said.terms or UNKNOWN,
        "sources_that_say_nothing": said.unstated,
    }
    if said.reserved:
        plain["reserved"] = [{"forbids": r.forbids, "told_by": r.told_by, "words": r.words} for r in said.reserved]
    if said.leave:
        plain["leave"] = said.leave
    return plain


def materials(provenance: Provenance) -> tuple[Material, ...]:
    """The bill of materials: this program first, then each network and each foreign depth once, in order of work."""
    rows: dict[str, Material] = {}
    for step in provenance.steps:
        if step.model is None:
            continue
        known = rows.get(step.model)
        sha256 = dict(step.options).get(_WEIGHTS)
        rows[step.model] = Material(
            step.model,
            "network" if is_trained(step) or (known is not None and known.kind == "network") else "depth",
            step.licence or (known.licence if known else None),
            (*(known.steps if known else ()), step.name),
            sha256 if isinstance(sha256, str) else known.sha256 if known else None,
        )
    return (Material(f"{PROGRAM} {provenance.version}", "program", PROGRAM_LICENCE), *rows.values())


def bill(provenance: Provenance) -> list[dict[str, Any]]:
    """The bill of materials as plain JSON values."""
    return [
        {
            "name": row.name,
            "is": row.kind,
            "licence": row.licence or UNKNOWN,
            **({"steps": list(row.steps)} if row.steps else {}),
            **({"sha256": row.sha256} if row.sha256 else {}),
        }
        for row in materials(provenance)
    ]


def is_trained(step: Step) -> bool:
    """Whether a trained network did a step: it has weights, or a licence that they are under.

    Depth that a phone measured, or that a user brought with them, has neither.
    """
    if step.model is None or step.model == "ramp":
        return False
    return step.licence is not None or _WEIGHTS in dict(step.options)
