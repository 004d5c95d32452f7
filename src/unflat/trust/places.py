"""Where private things lie on a machine, and that nobody but their owner may look into them.

Two kinds: what belongs to the user (keys, consent records), and what could be had again (models). What is not finished
yet, beside its place, is as private as what it is made of.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

from unflat.errors import OutputError

Kind = Literal["data", "cache"]
_MAC = {"data": "Application Support", "cache": "Caches"}
_WINDOWS = {"data": ("APPDATA", "Roaming", "unflat"), "cache": ("LOCALAPPDATA", "Local", "unflat/Cache")}
_XDG = {"data": ("XDG_DATA_HOME", ".local/share"), "cache": ("XDG_CACHE_HOME", ".cache")}
_OTHERS = 0o077


def place_of(kind: Kind, variable: str, what: str) -> Path:
    """The folder that the system keeps for a kind of thing, or the one that an environment variable names.

    Args:
        kind: What belongs to the user, or what could be had again.
        variable: The environment variable.
        what: What is kept there, for the error.

    Raises:
        OutputError: Neither is known: the user has no home folder, as in a container that runs as a bare number.
    """
    told = os.environ.get(variable)
    try:
        return Path(told).expanduser().absolute() if told else _usual(kind)
    except RuntimeError as error:
        raise OutputError(
            f"there is no home folder to keep {what} in", hint=f"Name a folder in the environment variable {variable}."
        ) from error


def _usual(kind: Kind) -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / _MAC[kind] / "unflat"
    if sys.platform == "win32":
        variable, usual, name = _WINDOWS[kind]
        told = os.environ.get(variable)
        return (Path(told) if told else Path.home() / "AppData" / usual) / name
    variable, usual = _XDG[kind]
    told = os.environ.get(variable, "")
    return (Path(told) if Path(told).is_absolute() else Path.home() / usual) / "unflat"


def close_folder(folder: Path, *, again: bool = True) -> Path:
    """Make a folder that its owner alone may look into, whatever the umask; folders above it are made as usual.

    Args:
        folder: Where.
        again: One that is there is closed, too; else it stays as it is, for somebody may have opened it on purpose.

    Raises:
        OSError: It cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise
        if again and folder.stat().st_mode & _OTHERS:
            folder.chmod(0o700)
    return folder


def close_files(*files: Path) -> None:
    """Let nobody but their owner read files, whatever the umask was when they were written.

    Raises:
        OSError: A file is not there, or belongs to somebody else.
    """
    for file in files:
        if file.stat().st_mode & _OTHERS:
            file.chmod(0o600)
