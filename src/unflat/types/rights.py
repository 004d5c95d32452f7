"""Whose a result is said to be, and what took part in making it. Nothing here claims that anybody owns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unflat.types.provenance import Reservation


@dataclass(frozen=True, slots=True)
class RightsStatement:
    """Who took part in a result, and what the sources say of their rights. None is unknown; nothing is assumed.

    Attributes:
        photographer: Who made the sources, as they state it; several are parted by "; ".
        subject: Whom or what they show, in the words of who converted them. Never from the file.
        made_with: The platform or the models that made the result of them.
        converter: Who had it made, in their own words.
        copyright: The notices of the sources, as they stand there.
        licence: Of the sources.
        terms: For using them.
        reserved: What they forbid.
        leave: Why they were used although they forbid it, in the words of who converted them.
        unstated: How many of the sources say nothing of their rights.
    """

    photographer: str | None
    subject: str | None
    made_with: str
    converter: str | None
    copyright: str | None = None
    licence: str | None = None
    terms: str | None = None
    reserved: tuple[Reservation, ...] = ()
    leave: str | None = None
    unstated: int = 0


@dataclass(frozen=True, slots=True)
class Material:
    """A program, a trained network or a measurement that took part in a result: a row of its bill of materials.

    Attributes:
        name: As ``unflat models`` has it.
        kind: What it is: this program; a trained network; depth that was not made here.
        licence: SPDX identifier of the program or the weights; None where nobody states it.
        steps: What it did.
        sha256: Of the weights, where known.
    """

    name: str
    kind: Literal["program", "network", "depth"]
    licence: str | None
    steps: tuple[str, ...] = ()
    sha256: str | None = None
