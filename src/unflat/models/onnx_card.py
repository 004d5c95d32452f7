"""The card of an exported network: a JSON file beside it, or the same text inside it, read as if it hated us.

    {"kind": "disparity", "licence": "apache-2.0",
     "input": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "fit": "least",
               "size": [518, 518], "multiple_of": 14}}

docs/models.md has every key. What a card does not say is taken from the graph where the graph knows it, assumed and
reported where it does not, and asked for where an assumption would turn near into far: the kind is never guessed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unflat.errors import WeightsError
from unflat.models.meaning import KINDS, Meaning, kind_named
from unflat.trust.licences import UNKNOWN, allows_commerce, forbids_commerce
from unflat.trust.stated import cleaned

METADATA = "unflat"
"""Key of the graph's own metadata that may hold the same JSON."""
_LARGEST = 64 * 1024
_LARGEST_NUMBER = 1e30
_TOP = {"kind", "inverse", "summary", "licence", "commercial", "source", "limits", "input", "outputs"}
_INPUT = {"name", "layout", "channels", "range", "mean", "std", "fit", "size", "multiple_of"}
_OUTPUTS = {"depth", "sky", "confidence"}


@dataclass(frozen=True, slots=True)
class OnnxCard:
    """What is said of an exported network; None where nobody says it.

    Attributes:
        meaning: What its numbers are.
        licence: SPDX identifier, or "unknown".
        commercial: Whether the weights may be used at work.
        texts: summary, source, limits as far as they are stated.
        input: The section of that name, its types checked.
        outputs: What is taken from which output: depth, sky, confidence.
        stated: There was a card at all.
    """

    meaning: Meaning | None = None
    licence: str = UNKNOWN
    commercial: bool = False
    texts: dict[str, str] = field(default_factory=dict[str, str])
    input: dict[str, Any] = field(default_factory=dict[str, Any])
    outputs: dict[str, str] = field(default_factory=dict[str, str])
    stated: bool = False


def read_card(path: Path, metadata: dict[str, str], kind: str | None) -> OnnxCard:
    """The card of the network in ``path``.

    Args:
        path: The ``.onnx`` file; its card is the ``.json`` of the same name.
        metadata: The graph's own.
        kind: What the user says of its numbers; None if nothing.

    Raises:
        WeightsError: The card is damaged or says what there is not, or nobody says of what kind the numbers are.
        InputError: The user says what the card denies, or what there is not.
    """
    return settled(stated_card(path, metadata), kind, path.name, _hint(path))


def stated_card(path: Path, metadata: dict[str, str]) -> OnnxCard:
    """What is said of the network in ``path``, whether or not it says the kind.

    Raises:
        WeightsError: The card is damaged or says what there is not.
    """
    beside = path.with_suffix(".json")
    text = metadata.get(METADATA)
    if beside.is_file():
        if beside.stat().st_size > _LARGEST:
            raise WeightsError(f"the card {beside.name} is larger than 64 kB", hint=_hint(path))
        text = beside.read_text(encoding="utf-8-sig", errors="replace")
    return OnnxCard() if text is None else _parsed(text, beside.name if beside.is_file() else path.name)


def settled(card: OnnxCard, kind: str | None, name: str, hint: str) -> OnnxCard:
    """The card with the user's word for the kind, where one is needed or given.

    Raises:
        WeightsError: Nobody says it.
        InputError: The two disagree, or there is no such kind.
    """
    from dataclasses import replace

    from unflat.errors import InputError

    if kind is None:
        if card.meaning is None:
            raise WeightsError(f"nobody says what the numbers of '{name}' mean", hint=hint)
        return card
    said = Meaning(kind_named(kind))
    if card.meaning is not None and card.meaning.kind is not said.kind:
        raise InputError(
            f"the card of '{name}' says kind '{card.meaning.kind.value}', you say '{kind}'",
            hint="Leave out --depth-kind, or mend the card.",
        )
    return card if card.meaning is not None else replace(card, meaning=said)


def _hint(path: Path) -> str:
    return f"Say --depth-kind {KINDS.replace(' ', '|')}, or write it into {path.stem}.json: docs/models.md."


def _parsed(text: str, name: str) -> OnnxCard:
    hint = "docs/models.md has every key of a card."
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"the card in {name} is no JSON: {str(error)[:100]}", hint=hint) from error
    _only(said, _TOP, name)
    laid, outputs = said.get("input", {}), said.get("outputs", {})
    _only(laid, _INPUT, f"{name}, input")
    _only(outputs, _OUTPUTS, f"{name}, outputs")
    for section, keys in ((said, _TOP - {"input", "outputs", "inverse", "commercial"}), (outputs, _OUTPUTS)):
        for key in keys & set(section):
            if not isinstance(section[key], str):
                raise WeightsError(f"the card in {name}: '{key}' must be text", hint=hint)
    for key in {"inverse", "commercial"} & set(said):
        if not isinstance(said[key], bool):
            raise WeightsError(f"the card in {name}: '{key}' must be true or false", hint=hint)
    licence = cleaned(said.get("licence")) or UNKNOWN
    stated = bool(said.get("commercial", allows_commerce(licence))) and licence.lower() != UNKNOWN
    meaning = _meaning(said, name)
    texts = {key: cleaned(said[key]) or "" for key in ("summary", "source", "limits") if key in said}
    return OnnxCard(
        meaning, licence, stated and not forbids_commerce(licence), texts, _checked(laid, name), outputs, True
    )


def _meaning(said: dict[str, Any], name: str) -> Meaning | None:
    if "kind" not in said:
        return None
    kind = said["kind"]
    if kind not in KINDS.split():
        raise WeightsError(f"the card in {name}: there is no kind '{kind:.40}'", hint=f"Known: {KINDS}.")
    inverse = said.get("inverse")
    if inverse is not None and kind in ("affine", "disparity") and inverse is (kind == "affine"):
        raise WeightsError(
            f"the card in {name}: kind '{kind}' cannot have inverse: {str(inverse).lower()}",
            hint="affine is depth, disparity is inverse depth, both up to factor and offset.",
        )
    return Meaning(kind_named(kind), bool(inverse))


def _only(section: Any, keys: set[str], name: str) -> None:
    if not isinstance(section, dict):
        raise WeightsError(f"the card in {name} is no JSON object", hint="docs/models.md has every key of a card.")
    unknown = sorted(set(section) - keys)
    if unknown:
        raise WeightsError(f"the card in {name} has an unknown key '{unknown[0]:.40}'", hint=f"Known: {_words(keys)}.")


def _words(keys: set[str]) -> str:
    return " ".join(sorted(keys))


def _checked(laid: dict[str, Any], name: str) -> dict[str, Any]:
    """The section ``input`` with every value of its type; ranges are for :class:`Framing` to judge."""
    choices = {"layout": ("NCHW", "NHWC"), "channels": ("RGB", "BGR"), "range": (1, 255)}
    for key, value in laid.items():
        if key in choices:
            good = value in choices[key] and not isinstance(value, bool)
        elif key in ("mean", "std"):
            good = isinstance(value, list) and len(value) == 3 and all(map(_number, value))
        elif key == "size":
            good = isinstance(value, list) and len(value) == 2 and all(type(side) is int for side in value)
        elif key == "multiple_of":
            good = type(value) is int and 1 <= value <= 1024
        else:
            good = isinstance(value, str)
        if not good:
            raise WeightsError(
                f"the card in {name}: input '{key}' cannot be {value!s:.60}",
                hint="docs/models.md says what each key takes.",
            )
    return laid


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST_NUMBER  # NaN, too
