"""The folder of what belongs to the user of this machine and to nobody else: signing keys and consent records.

It and all that is in it can be read by its owner alone (modes 700 and 600; on Windows the profile's own protection).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from unflat.errors import OutputError

PLACE = "UNFLAT_DATA"
"""Environment variable that names another folder."""


def own_folder() -> Path:
    """Where the user's own things lie: what the system keeps for data of programs, or the folder in ``UNFLAT_DATA``.

    Raises:
        OutputError: Neither is known: the user has no home folder, as in a container that runs as a bare number.
    """
    told = os.environ.get(PLACE)
    try:
        return Path(told).expanduser().absolute() if told else _usual_folder()
    except RuntimeError as error:
        raise OutputError(
            "there is no home folder to keep keys and consent records in",
            hint=f"Name a folder in the environment variable {PLACE}.",
        ) from error


def _usual_folder() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "unflat"
    if sys.platform == "win32":
        roaming = os.environ.get("APPDATA")
        return (Path(roaming) if roaming else Path.home() / "AppData" / "Roaming") / "unflat"
    xdg = os.environ.get("XDG_DATA_HOME", "")
    return (Path(xdg) if Path(xdg).is_absolute() else Path.home() / ".local" / "share") / "unflat"


def closed_folder(*names: str) -> Path:
    """A folder within :func:`own_folder`, made where it is missing; others may not look into it.

    Raises:
        OSError: It cannot be made.
        OutputError: There is no home folder.
    """
    folder = own_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    for name in ("", *names):
        folder = folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
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
