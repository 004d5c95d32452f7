"""``unflat consent``: the leave that people give to make likenesses of them, written down and taken back."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from cyclopts import App, Parameter

from unflat.cli.console import one_line, say, say_json
from unflat.errors import InputError
from unflat.types.consent import ConsentRecord, Scope

consent = App(name="consent", help="Write down who agreed to be shown, and take it back.")


@consent.command
def give(
    *,
    who: str,
    purpose: str,
    scope: tuple[Scope, ...] = ("make",),
    until: str | None = None,
    guardian: str | None = None,
) -> None:
    """Write down that somebody agreed. The record stays on this machine; results carry its identifier alone.

    Args:
        who: The person who is shown.
        purpose: What for, in words.
        scope: What it covers: make, share, sell.
        until: The last day on which it holds, as 2027-12-31; without it there is no end.
        guardian: Who agreed for a child.
    """
    from unflat.formats.consent_file import keep, today

    record = ConsentRecord(str(uuid.uuid4()), who, purpose, scope, today(), _day(until), guardian=guardian)
    keep(record)
    say(record.id)


@consent.command
def withdraw(record: str, /) -> None:
    """Take a consent back: nothing is made with it any more, and 'inspect' says so of what was made.

    Args:
        record: Its identifier, or the beginning of it.
    """
    from unflat.formats.consent_file import find, keep, today

    held = find(record)
    if held.withdrawn is None:
        held = replace(held, withdrawn=today())
        keep(held)
    say(f"{held.id} withdrawn on {held.withdrawn}")


@consent.command(name="list")
def list_all(*, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """List the consents that are kept on this machine.

    Args:
        json: Print a machine-readable report on stdout.
    """
    from unflat.formats.consent_file import kept, today

    rows: list[dict[str, Any]] = []
    records, faults = kept()
    for one in records:
        fault = one.fault(today(), one.scope[0])
        rows.append(
            {
                "id": one.id,
                "who": one.who,
                "purpose": one.purpose,
                "scope": list(one.scope),
                "given": one.given.isoformat(),
                "expires": one.expires and one.expires.isoformat(),
                "withdrawn": one.withdrawn and one.withdrawn.isoformat(),
                "guardian": one.guardian,
                "holds": fault is None,
            }
        )
    if json:
        say_json({"consents": rows, "unusable": faults})
        return
    for row in rows:
        state = "holds" if row["holds"] else "withdrawn" if row["withdrawn"] else "ended"
        say(one_line(f"{row['id']}  {state}  {row['who']}: {row['purpose']} ({', '.join(row['scope'])})"))
    for fault in faults:
        say(one_line(fault))
    if not rows and not faults:
        say("No consent is kept on this machine.")


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"'{text}' is no day", hint="Write it as 2027-12-31.") from error
