"""What JSON gives, in words a type checker follows."""

from __future__ import annotations

import json
from typing import Any, TypeGuard


def loaded(text: str | bytes) -> Any:
    """The value of JSON that a user wrote, all of whose texts can be written again.

    Raises:
        ValueError: It is no JSON, or a text in it holds half a character (a surrogate without its other half).
        RecursionError: It is nested too deep.
    """
    value = json.loads(text)
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("a text in it holds half a character") from error
    return value


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a value that JSON gave is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a value that JSON gave is a list."""
    return isinstance(value, list)
