"""Who painted what nobody saw: the network ``behind``, as a step of a story names it."""

from __future__ import annotations

from unflat.models.weights import CARDS


def painter(*, used: bool) -> tuple[str | None, str | None]:
    """Name and licence of the network that continues colours behind outlines; twice None where it was not used."""
    card = CARDS["behind"]
    return (card.name, card.licence) if used else (None, None)
