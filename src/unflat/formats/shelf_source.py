"""A source as JSON values and back, with all that it knows: for what is kept between two runs on one machine.

The story in a file (``provenance_text``) tells less: neither when a picture was taken nor whole credentials.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from typing import Any

from unflat.types.provenance import Credentials, Reservation, Rights, Source

_ARCHIVES = ("parent", "component")


def source_told(source: Source) -> dict[str, Any]:
    """All that a source knows, as JSON values."""
    told = dataclasses.asdict(source)
    if source.credentials is not None:
        for way in _ARCHIVES:
            told["credentials"][way] = base64.b64encode(getattr(source.credentials, way)).decode()
    return told


def source_of(told: Mapping[str, Any]) -> Source:
    """The inverse of :func:`source_told`.

    Raises:
        KeyError: Something is missing.
        TypeError: Something is of another type.
        ValueError: The credentials are damaged.
    """
    row = dict(told)
    rights, credentials = Rights(**row.pop("rights")), row.pop("credentials", None)
    reserved = tuple(Reservation(**one) for one in row.pop("reserved", ()))
    if credentials is not None:
        credentials = _credentials_of(credentials)
    return Source(rights=rights, reserved=reserved, credentials=credentials, **row)


def _credentials_of(told: Mapping[str, Any]) -> Credentials:
    parent, component = (base64.b64decode(told[way], validate=True) for way in _ARCHIVES)
    return Credentials(
        urn=told["urn"],
        state=told["state"],
        signer=told["signer"],
        generator=told["generator"],
        parent=parent,
        component=component,
        private=tuple(told["private"]),
        entries=tuple((use, how) for use, how in told["entries"]),
    )
