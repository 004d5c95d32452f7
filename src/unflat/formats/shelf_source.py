"""A source, or a lens, as JSON values and back, with all that it knows: for what one machine keeps between two runs.

The story in a file (``provenance_text``) tells less: neither when a picture was taken nor whole credentials.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from typing import Any

from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.provenance import Credentials, Reservation, Rights, Source
from unflat.types.views import Lens

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


def lens_words(lens: Lens) -> dict[str, Any]:
    """All that a lens knows, as JSON values."""
    own = lens.intrinsics
    words = {"fx": own.fx, "fy": own.fy, "cx": own.cx, "cy": own.cy, "basis": own.basis}
    return {**words, "size": [own.size.width, own.size.height], "bent": [lens.k1, lens.k2, lens.p1, lens.p2]}


def lens_of(words: Mapping[str, Any]) -> Lens:
    """The inverse of :func:`lens_words`."""
    own = Intrinsics(words["fx"], words["fy"], words["cx"], words["cy"], Size(*words["size"]), words["basis"])
    return Lens(own, *words["bent"])
