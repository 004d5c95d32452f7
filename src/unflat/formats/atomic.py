"""Files appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from unflat.errors import InputError, OutputError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a system says where no more room is."""
MARK = "unflat.json"
"""The file that says of a folder that it was written here; only such folders are ever replaced."""


def check_target(path: Path, *, force: bool, folder: bool = False) -> None:
    """Refuse early what would fail late: an existing file, a missing folder, a folder in the way.

    Args:
        path: Where to.
        force: What is there may be replaced.
        folder: A folder is written there, not a file.

    Raises:
        OutputError: ``path`` exists and ``force`` is not set, is something else than what would be written (a folder
            of others is never replaced), or the folder it lies in is missing or not writable.
    """
    if path.is_dir() and not folder:
        raise OutputError(f"{path} is a folder", hint="Give a file name with a suffix.")
    if folder and os.path.lexists(path) and not path.is_dir():
        raise OutputError(f"{path} is a file, where a folder would be written", hint="Choose another name with -o.")
    if os.path.lexists(path) and not force:
        raise OutputError(f"{path} exists already", hint="Add --force to replace it, or choose another name with -o.")
    if folder and path.is_dir() and any(path.iterdir()) and not (path / MARK).is_file():
        raise OutputError(f"{path} is a folder that unflat did not write", hint="Choose another name with -o.")
    around = path.parent
    if not around.is_dir():
        raise OutputError(f"the folder {around} does not exist", hint="Create it first.")
    if not os.access(around, os.W_OK):
        raise OutputError(f"the folder {around} cannot be written")


def check_distinct(paths: Sequence[Path]) -> None:
    """Say early that one output would replace another.

    Raises:
        InputError: Two outputs are the same file.
    """
    seen: set[Path] = set()
    for path in paths:
        if path.absolute() in seen:
            raise InputError(f"two outputs would be {path}", hint="Give each a name of its own.")
        seen.add(path.absolute())


def check_apart(paths: Sequence[Path], sources: Sequence[Path]) -> None:
    """Refuse to write over what is read, by whatever name.

    Raises:
        OutputError: A file that is to be written is one of ``sources``.
    """
    read = {(seen.st_dev, seen.st_ino) for seen in (source.stat() for source in sources if source.exists())}
    for path in paths:
        if path.exists() and (path.stat().st_dev, path.stat().st_ino) in read:
            raise OutputError(f"{path} is read, and would be replaced", hint="Choose another name with -o.")


def check_places(paths: Sequence[Path], check_suffix: Callable[[Path], object], *, force: bool) -> None:
    """Refuse all outputs before the first is written, where one of them would be refused.

    Args:
        paths: Where to.
        check_suffix: Refuses a name that is of no format.
        force: Files may be replaced.

    Raises:
        InputError: A suffix is refused, or two outputs are the same.
        OutputError: A place cannot be written, or a file there would be lost.
    """
    for path in paths:
        check_suffix(path)
        check_target(path, force=force)
    check_distinct(paths)


def translated(error: OSError, path: Path) -> OutputError:
    """Say what an operating system's error means for ``path``."""
    short = error.errno is None and "requested and" in str(error)  # how numpy says that less was written than it gave
    if error.errno in FULL or short:
        return OutputError(f"no room left on the disk for {path}", hint="Make room, or choose another disk with -o.")
    return OutputError(f"{path} cannot be written: {error.strerror or error}")


def safe_stem(name: str) -> str:
    """A name for side files of ASCII letters, digits, ``.``, ``_`` and ``-``: other signs end or change it in readers.

    Where that changes the name, a short digest is added, so that two scenes in one folder never share side files.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-") or "scene"
    if safe == name:
        return safe
    return f"{safe[:80]}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:6]}"


def _failing(error: OSError, drafts: tuple[Path, ...], paths: tuple[Path, ...]) -> Path:
    """Which of ``paths`` could not be written: the one that the error names, else the one last written to."""
    for draft, path in zip(drafts, paths, strict=True):
        if error.filename is not None and os.fsdecode(error.filename) in (os.fspath(draft), os.fspath(path)):
            return path
    begun = [(draft.stat().st_mtime_ns, at) for at, draft in enumerate(drafts) if draft.exists()]
    return paths[max(begun)[1]] if begun else paths[0]


def moved(made: Path, path: Path, *, force: bool = False) -> None:
    """Give a finished file its place and name; where that is on another disk it is copied, and is there whole or not.

    Raises:
        OutputError: The place cannot be written, or the disk is full.
    """
    with replacing(path, force=force) as (draft,):
        shutil.move(made, draft)


@contextmanager
def replacing(*paths: Path, force: bool = False) -> Generator[tuple[Path, ...], None, None]:
    """Give a temporary path beside each of ``paths``; rename all of them at the end, or remove all of them.

    The temporary names keep the suffix, for libraries choose a format by it. The files are renamed in the order
    given, so name the one that refers to the others last.

    Args:
        paths: Where the files should be in the end.
        force: Replace files that exist.

    Raises:
        OutputError: The place cannot be written, or the disk is full.
    """
    for path in paths:
        check_target(path, force=force)
    drafts = tuple(map(_draft_of, paths))
    try:
        yield drafts
        for draft, path in zip(drafts, paths, strict=True):
            draft.replace(path)
    except OSError as error:
        raise translated(error, _failing(error, drafts, paths)) from error
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


def _draft_of(path: Path) -> Path:
    """A name beside ``path`` that nobody has."""
    return path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}.part{''.join(path.suffixes)[-24:]}")


@contextmanager
def replacing_folder(path: Path, *, force: bool = False) -> Generator[Path]:
    """Give an empty folder beside ``path``; give it that name at the end, or remove it with all that is in it.

    What is written there should hold a file called :data:`MARK`, or it cannot be replaced later.

    Args:
        path: Where the folder should be in the end.
        force: Replace a folder that was written here; one of others never.

    Raises:
        OutputError: The place cannot be written, or the disk is full.
    """
    check_target(path, force=force, folder=True)
    draft, old = _draft_of(path), _draft_of(path)
    try:
        draft.mkdir()
        yield draft
        if path.is_dir():
            path.replace(old)
        draft.replace(path)
    except OSError as error:
        raise translated(error, path) from error
    finally:
        if old.is_dir() and not path.exists():
            old.replace(path)
        for left in (draft, old):
            shutil.rmtree(left, ignore_errors=True)
