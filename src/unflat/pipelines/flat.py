"""Options are dataclasses of dataclasses; people give them flat, by name. Each name is used once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

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
            changes[one.name] = _checked(one.name, keywords[one.name], hints[one.name])
    return replace(options, **changes)  # type: ignore[type-var]


def _checked(name: str, value: Any, kind: Any) -> Any:
    """A value of the type that an option has; words are read as the command line reads them.

    Raises:
        InputError: The value is of another type, or not one of the choices.
    """
    choices: list[Any] = list(get_args(kind)) if get_origin(kind) in (Union, UnionType) else [kind]
    for choice in choices:
        if _fits(value, choice):
            return value
        if isinstance(value, np.generic) and _fits(value.item(), choice):
            return value.item()
        if hasattr(choice, "parse") and (words := _words(value)) is not None:
            return choice.parse(words)
    told = ", ".join(str(word) for choice in choices for word in _takes(name, choice))
    raise InputError(f"the option '{name}' cannot be {value!r:.60}", hint=f"It takes: {told}")


def _words(value: Any) -> str | None:
    """A text, a number, or several of them, as the command line would have it; None for anything else."""
    if isinstance(value, list | tuple):
        parts = [_words(part) for part in cast("Sequence[Any]", value)]
        return ",".join(part for part in parts if part is not None) if None not in parts else None
    plain = isinstance(value, str | int | float | np.number) and not isinstance(value, bool)
    return str(value) if plain else None


def _takes(name: str, choice: Any) -> Sequence[Any]:
    """What an option takes, in words."""
    if get_origin(choice) is Literal:
        return get_args(choice)
    if hasattr(choice, "parse"):
        return [f"a text as --{name.replace('_', '-')} does"]
    return ["None" if choice is NoneType else getattr(choice, "__name__", choice)]


def _fits(value: Any, choice: Any) -> bool:
    """Whether a value is of a plain type or one of the words of a Literal; True is not 1."""
    if get_origin(choice) is Literal:
        return value in get_args(choice)
    if get_origin(choice) is tuple:
        parts = get_args(choice)
        if len(parts) == 2 and parts[1] is Ellipsis:
            return isinstance(value, tuple) and all(_fits(one, parts[0]) for one in cast("tuple[Any, ...]", value))
        return isinstance(value, tuple) and len(value) == len(parts) and all(map(_fits, value, parts))
    if isinstance(value, bool) or choice is bool:
        return isinstance(value, bool) and choice is bool
    return isinstance(value, int | float if choice is float else choice)


def _is_group(kind: Any) -> bool:
    """A nested set of options rather than an option: a dataclass that cannot be None."""
    return isinstance(kind, type) and is_dataclass(kind)
