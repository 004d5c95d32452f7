"""``verify``: is what a file says of itself true? In words that need no other word explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.formats.atomic import MARK
from unflat.formats.c2pa_read import read_verdict
from unflat.formats.outlet import SIDECAR
from unflat.formats.provenance_text import to_plain
from unflat.trust.mark import mark_in
from unflat.types.verdict import Ingredient, Verdict

_STATES = {
    "trusted": "Signed by somebody whom your list of trusted certificates vouches for, and not changed since.",
    "this machine": "Signed on this machine, and not changed since. Nobody else vouches for that key.",
    "unknown signer": "Not changed since it was signed, but nobody vouches for who signed it.",
    "ended": "Not changed since it was signed, but the time of its signer's certificate is over; whether it was over "
    "when it signed, nobody can tell.",
    "changed": "CHANGED, or damaged, since it was signed.",
    "missing": "It was signed once, and its credentials are missing: nobody can tell whether it was changed. "
    "If a file named like it with .c2pa behind came along, put it beside this one.",
    "unsigned": "It holds no credentials: nobody can tell from it whether it was changed.",
}
_KINDS = {
    "compositeWithTrainedAlgorithmicMedia": "made of what it was given, with shapes or colours by a trained network",
    "trainedAlgorithmicMedia": "made by a trained network alone",
    "compositeCapture": "put together from several captures",
    "computationalCapture": "computed from many captures, without a trained network",
    "algorithmicallyEnhanced": "changed by an algorithm that learned nothing",
    "algorithmicMedia": "made by an algorithm that learned nothing",
    "dataDrivenMedia": "computed from measurements",
    "digitalCapture": "captured by a camera",
}
_WORTH = {
    "trusted": "its own credentials were in order",
    "valid": "its own credentials were intact, its signer is unknown",
    "invalid": "its own credentials did not fit its bytes",
    "none": "no credentials of its own are kept here",
}


def verify(path: Path, anchors: Path | None = None) -> Verdict:
    """Hold the credentials of a file (or of a folder of views) against its bytes; of a sidecar, of what it speaks for.

    Args:
        path: What to look at.
        anchors: Certificates (PEM) of signers whom the user trusts, or None.

    Raises:
        InputError: It cannot be read, or it is a folder that unflat did not write.
    """
    if path.is_dir():
        if not (path / MARK).is_file():
            raise InputError(f"{path} is a folder that unflat did not write", hint="Name a file in it.")
        path = path / MARK
    if path.suffix == SIDECAR:
        owner = path.with_suffix("")
        if not owner.is_file():
            raise InputError(f"{path.name} speaks for {owner.name}, which is not beside it", hint="Put them together.")
        path = owner
    return read_verdict(path, anchors)


def in_words(verdict: Verdict) -> list[str]:
    """What a verdict says, one sentence a line, the most important first."""
    lines = [_STATES[verdict.state], *(f"  {fault}" for fault in verdict.faults)]
    if verdict.urn is None:
        return lines
    who = "this machine" if verdict.state == "this machine" else verdict.signer or "somebody without a name"
    known = verdict.state in ("this machine", "trusted")
    by = f"{'Signed by' if known else 'Signed by somebody who says to be'}: {who}"
    lines.append(f"{by}{f', with {verdict.generator}' if verdict.generator else ''}; {verdict.where}")
    told = _told(verdict)
    if known or not told:
        return lines + told
    whose = "What stood in its credentials, true or not:" if verdict.state == "changed" else "What its signer says:"
    return [*lines, whose, *(f"  {line}" for line in told)]


def _told(verdict: Verdict) -> list[str]:
    """What the credentials say, as true as their signer is."""
    lines = [f"Made from: {_made_from(one)}" for one in verdict.ingredients]
    if verdict.source_type is not None:
        lines.append(f"Kind: {_KINDS.get(verdict.source_type, verdict.source_type)}")
    story = verdict.story
    if story is not None:
        lines += [f"Step: {step.name}{_by(step.model, step.licence)}" for step in story.steps]
        drawn = mark_in(story)
        lines += [] if drawn is None else [f'A visible mark was drawn on it: "{drawn}".']
        made_up = "Some of what it shows was made up, not seen." if story.invented else "Nothing in it was made up."
        lines.append(made_up)
        lines += [] if story.created is None else [f"Says that it was made at: {story.created}"]
        lines += [] if story.leave is None else [f"Its sources forbid this use; the reason given: {story.leave}"]
    lines += [f"Signed along: {name}" for name in verdict.files]
    return lines


def as_plain(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain values."""
    made_from = [{"name": one.name, "credentials": one.state, "signer": one.signer} for one in verdict.ingredients]
    return {
        "state": verdict.state,
        "faults": list(verdict.faults),
        "urn": verdict.urn,
        "signer": verdict.signer,
        "generator": verdict.generator,
        "where": verdict.where,
        "source_type": verdict.source_type,
        "made_from": made_from,
        "files": list(verdict.files),
        "provenance": None if verdict.story is None else to_plain(verdict.story),
    }


def _made_from(one: Ingredient) -> str:
    signer = f" ({one.signer})" if one.signer else ""
    return f"{one.name}; {_WORTH[one.state]}{signer}"


def _by(model: str | None, licence: str | None) -> str:
    return "" if model is None else f", by the model {model} (licence {licence or 'unknown'})"
