"""What one should know of a model before using it."""

from __future__ import annotations

from dataclasses import dataclass

from unflat.types.depth import DepthKind


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The card of a model, shown by ``unflat models`` and carried into every result's provenance.

    Attributes:
        name: The word of ``--depth``.
        summary: One sentence.
        kind: What kind of depth it gives; None for one that gives no depth.
        licence: SPDX identifier of the weights.
        commercial: Whether that licence lets one use the weights at work.
        source: Where the weights come from, and what trained them.
        file: Name of the weights inside the wheel; None for a model without weights.
        sha256: Hex digest of that file.
        bytes: Its size.
        gives: What it gives, beside depth if it gives that: "sky", "confidence", "field of view", "mirror" …
        limits: Where it is known to fail, in words for the user.
        assumed: What nobody says of it and had to be assumed to run it, in words for the user.
    """

    name: str
    summary: str
    kind: DepthKind | None
    licence: str
    commercial: bool
    source: str
    file: str | None = None
    sha256: str | None = None
    bytes: int = 0
    gives: tuple[str, ...] = ()
    limits: str = ""
    assumed: tuple[str, ...] = ()
