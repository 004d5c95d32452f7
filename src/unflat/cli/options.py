"""Flags from options: generated from the dataclasses of the stages, where each is defined once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields, is_dataclass, make_dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

from cyclopts import Parameter, Token
from docstring_parser import parse_from_object

from unflat.pipelines.flat import from_keywords, leaves

T = TypeVar("T")
_ABSENT = object()


def _parser(kind: Any) -> Callable[[Any, tuple[Token, ...]], Any] | None:
    """How words become a value of a type that reads them itself; None for all others."""
    own = next((choice for choice in get_args(kind) if hasattr(choice, "parse")), None)
    return None if own is None else lambda _type, tokens: own.parse(tokens[0].value)


@cache
def flags_of(options: type, without: tuple[str, ...] = ()) -> type:
    """One flat dataclass with a flag for every option, however deep it sits.

    Options of several stages may share a name (the sky of a surface and of splats); one flag then sets them all.

    Args:
        options: The dataclass.
        without: Options that this command has no use for.

    Raises:
        ValueError: Options share a name but not their type and default, so no flag could stand for both; or there is
            no option of a name in ``without``.
    """
    unknown = set(without) - {leaf.name for _, leaf, _ in leaves(options)}
    if unknown:
        raise ValueError(f"there are no options {sorted(unknown)} to leave out of {options.__name__}")
    nested = options()
    members: dict[str, tuple[str, Any, Any]] = {}
    shared: dict[str, Any] = {}
    for owner, leaf, kind in leaves(options):
        if leaf.name in without:
            continue
        sentence = next((p.description for p in parse_from_object(owner).params if p.arg_name == leaf.name), None)
        converter = _parser(kind)
        default = _default(nested, owner, leaf.name)
        if shared.setdefault(leaf.name, (kind, default)) != (kind, default):
            raise ValueError(f"the options named '{leaf.name}' differ: {shared[leaf.name]} and {(kind, default)}")
        told = Parameter(
            help=" ".join((sentence or "").split()),
            converter=converter,
            n_tokens=1 if converter else None,
            accepts_keys=False if converter else None,
            negative="" if default is False or any(get_origin(one) is tuple for one in get_args(kind)) else None,
        )
        members.setdefault(leaf.name, (leaf.name, Annotated[kind, told], field(default=default)))
    flags = make_dataclass(f"{options.__name__}Flags", members.values(), frozen=True)
    flags.__module__ = __name__  # else it claims to be of the standard library, and no flags are made of it
    return flags


def gathered(options: type[T], flags: Any) -> T:
    """The options that a flat set of flags stands for."""
    return from_keywords(options(), {one.name: getattr(flags, one.name) for one in fields(flags)})


def _default(nested: Any, owner: type, name: str) -> Any:
    """The value of an option in a default instance: a group may have defaults of its own within another."""
    if type(nested) is owner:
        return getattr(nested, name)
    groups = (getattr(nested, one.name) for one in fields(nested) if is_dataclass(getattr(nested, one.name)))
    found = (_default(group, owner, name) for group in groups)
    return next((value for value in found if value is not _ABSENT), _ABSENT)
