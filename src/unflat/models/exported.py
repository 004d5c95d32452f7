"""A card for a network that somebody exported from ``transformers``: the family says what its numbers mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unflat.errors import WeightsError
from unflat.models.families import FAMILIES, recipe_of

_AS_THEY_ARE = frozenset({"depth_anything", "dpt", "glpn"})
"""Families whose exported graphs give the network's own numbers; exporters of others convert them in their own ways."""


def exported_card(folder: Path, main: str, name: str, licence: str) -> None:
    """Write the card of ``main`` from the ``config.json`` and ``preprocessor_config.json`` beside it.

    Where the meaning of the numbers does not follow from them, the card stays without a kind: ``--depth-kind`` must
    say it.

    Raises:
        InputError: The family is no eye for depth.
    """
    said: dict[str, Any] = {"licence": licence, "source": f"exported from {name}"}
    try:
        recipe = recipe_of(folder, name)
    except WeightsError:
        recipe = None
    if recipe is not None and recipe.family in _AS_THEY_ARE:
        frame = recipe.framing
        said["kind"] = recipe.meaning.kind.value
        said["summary"] = f"A network of the family {FAMILIES[recipe.family].title}, exported."
        said["input"] = {
            "fit": frame.fit,
            "size": [frame.size.width, frame.size.height],
            "multiple_of": frame.multiple,
            "range": 255 if frame.scale == 1 else 1,
            "mean": list(frame.mean),
            "std": list(frame.std),
        }
    (folder / main).with_suffix(".json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
