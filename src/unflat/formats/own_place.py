"""The folder of what belongs to the user of this machine and to nobody else: signing keys and consent records.

It and all that is in it can be read by its owner alone (modes 700 and 600; on Windows the profile's own protection).
"""

from __future__ import annotations

import os
from pathlib import Path

from unflat.trust.places import close_folder, place_of

PLACE = "UNFLAT_DATA"
"""Environment variable that names another folder."""


def own_folder() -> Path:
    """Where the user's own things lie: what the system keeps for data of programs, or the folder in ``UNFLAT_DATA``.

    Raises:
        OutputError: Neither is known: the user has no home folder, as in a container that runs as a bare number.
    """
    return place_of("data", PLACE, "keys and consent records")


def closed_folder(*names: str) -> Path:
    """A folder within :func:`own_folder`, made where it is missing; others may not look into it.

    Raises:
        OSError: It cannot be made.
        OutputError: There is no home folder.
    """
    folder = close_folder(own_folder())
    for name in names:
        folder = close_folder(folder / name)
    return folder


def write_closed(path: Path, data: bytes) -> None:
    """Write a file that its owner alone may read: whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
