"""The weights in the wheel and their cards: ``cards.json`` is written by the exporter, never by hand."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from unflat.errors import WeightsError
from unflat.models.card import ModelCard
from unflat.types.depth import DepthKind

_FOLDER = Path(__file__).parent


def _read_cards() -> dict[str, ModelCard]:
    rows = json.loads((_FOLDER / "cards.json").read_text(encoding="utf-8"))
    return {
        row["name"]: ModelCard(**{**row, "kind": row["kind"] and DepthKind(row["kind"]), "gives": tuple(row["gives"])})
        for row in rows
    }


CARDS = _read_cards()


@lru_cache(maxsize=8)
def weights_path(card: ModelCard) -> Path:
    """Where the weights of ``card`` lie, after their checksum was compared once in this process.

    Raises:
        WeightsError: The file is missing or is not the one the card describes.
    """
    path = _FOLDER / (card.file or "")
    if card.file is None or not path.is_file():
        raise WeightsError(f"the weights of '{card.name}' are missing", hint="Install unflat again.")
    if hashlib.sha256(path.read_bytes()).hexdigest() != card.sha256:
        raise WeightsError(f"the weights of '{card.name}' are damaged", hint="Install unflat again.")
    return path
