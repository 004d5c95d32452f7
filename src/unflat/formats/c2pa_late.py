"""c2pa-python, loaded where it is needed, with settings under which it never asks anybody anything."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from unflat.errors import UnflatError

EMBEDS = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".dng": "image/dng",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
}
"""Files that hold their own credentials, by suffix, and their media types."""
OTHER = "application/octet-stream"
"""The media type under which a sidecar speaks for any other file: all its bytes are hashed."""
_QUIET = {"remote_manifest_fetch": False, "ocsp_fetch": False}


def media_type(name: str) -> str:
    """The media type of a file that can hold its own credentials, else :data:`OTHER`."""
    dot = name.rfind(".")
    return EMBEDS.get(name[dot:].lower(), OTHER) if dot >= 0 else OTHER


def library() -> Any:
    """The package; loaded now.

    Raises:
        UnflatError: It does not load on this machine.
    """
    try:
        import c2pa  # pyright: ignore[reportMissingTypeStubs]  (it has none)
    except (ImportError, OSError) as error:
        raise UnflatError(
            f"c2pa-python does not load here: {error}", hint="--no-sign goes on without credentials."
        ) from error
    return c2pa


@lru_cache(maxsize=4)
def context(anchors: str = "") -> Any:
    """How manifests are made and checked.

    Args:
        anchors: Certificates in PEM that are trusted.
    """
    trust = {"trust": {"user_anchors": anchors}} if anchors else {}
    settings = {"version": 1, "builder": {"thumbnail": {"enabled": False}}, "verify": _QUIET, **trust}
    return library().Context.from_json(json.dumps(settings))
