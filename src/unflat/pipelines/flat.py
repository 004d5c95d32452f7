"""Options are dataclasses of dataclasses; people give them flat, by name. Each name is used once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, fields, is_dataclass, replace
from typing import Any, TypeVar, get_type_hints

from unflat.errors import InputError

T = TypeVar("T")


def leaves(options: type) -> Iterator[tuple[type, Field[Any], Any]]:
    """Every option, however deep: the dataclass it stands in, its field and its type."""
    hints = get_type_hints(options)
    for one in fields(options):
        kind = hints[one.name]
        if _is_group(kind):
            yield from leaves(kind)
        else:
            yield options, one, kind


def from_keywords(options: T, keywords: Mapping[str, Any]) -> T:
    """``options`` with every option that ``keywords`` names replaced.

    Raises:
        InputError: There is no option of that name.
    """
    known = {leaf.name for _, leaf, _ in leaves(type(options))}
    unknown = sorted(set(keywords) - known)
    if unknown:
        raise InputError(f"there is no option '{unknown[0]}'", hint=f"Options: {' '.join(sorted(known))}")
    return _replaced(options, keywords)


def _replaced(options: T, keywords: Mapping[str, Any]) -> T:
    hints = get_type_hints(type(options))
    changes: dict[str, Any] = {}
    for one in fields(options):  # type: ignore[arg-type]
        if _is_group(hints[one.name]):
            changes[one.name] = _replaced(getattr(options, one.name), keywords)
        elif one.name in keywords:
            changes[one.name] = keywords[one.name]
    return replace(options, **changes)  # type: ignore[type-var]


def _is_group(kind: Any) -> bool:
    """A nested set of options rather than an option: a dataclass that cannot be None."""
    return isinstance(kind, type) and is_dataclass(kind)
