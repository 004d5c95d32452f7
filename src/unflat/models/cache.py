"""The models on this disk that ``unflat models pull`` fetched: one folder each, with a record of what belongs in it.

The record holds the sha256 of every file. They are compared whenever a model is opened; a folder with a file too many,
too few or another one is not opened. Nothing here uses a network.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from unflat.errors import InputError, OutputError, WeightsError
from unflat.models.onnx_file import sha256_of
from unflat.trust.licences import allows_commerce
from unflat.trust.places import place_of

RECORD = "unflat.json"
PLACE = "UNFLAT_CACHE"
"""Environment variable that names another folder for the cache."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_LARGEST = 1 << 20
_OF_DESKTOPS = (".DS_Store", "Thumbs.db", "desktop.ini")
"""What file managers leave in every folder that somebody looks into; nothing opens them."""

Runtime = Literal["onnx", "transformers"]


@dataclass(frozen=True, slots=True)
class Held:
    """The record of one model on disk.

    Attributes:
        name: The word of ``--depth``.
        source: The repository or address it came from.
        revision: Of the repository; empty for a single file.
        runtime: What opens it.
        licence: Of the weights, or "unknown".
        main: The file that is opened, for the runtime onnx.
        files: Name of each file, with its sha256 and its bytes.
    """

    name: str
    source: str
    revision: str
    runtime: Runtime
    licence: str
    main: str
    files: dict[str, tuple[str, int]]

    @property
    def commercial(self) -> bool:
        """Whether the licence lets one use it at work."""
        return allows_commerce(self.licence)

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(size for _, size in self.files.values())

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return models_folder() / self.name


def cache_folder() -> Path:
    """Where fetched things lie: what the system keeps for caches, or the folder in ``UNFLAT_CACHE``.

    Raises:
        OutputError: Neither is known: the user has no home folder, as in a container that runs as a bare number.
    """
    return place_of("cache", PLACE, "models")


def models_folder() -> Path:
    """The folder with one folder a model."""
    return cache_folder() / "models"


def check_name(name: str) -> str:
    """A name that can only be that of a folder directly in the cache.

    Raises:
        InputError: It is none.
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise InputError(f"'{name:.60}' cannot name a model", hint="Small letters, digits, '.', '_' and '-'.")
    return name


def name_for(source: str) -> str:
    """The name under which a repository without a name of its own is kept: owner--model."""
    return check_name(re.sub(r"[^a-z0-9._-]+", "--", source.lower()).strip("-._")[:100])


def held() -> tuple[Held, ...]:
    """Every model on disk whose record can be read, by name; none where there is no cache, or not one of ours."""
    try:
        names = sorted(one.name for one in models_folder().iterdir() if _NAME.fullmatch(one.name))
    except (OSError, OutputError):
        return ()
    return tuple(found for name in names if (found := read_record(name)) is not None)


def find(word: str) -> Held | None:
    """The model on disk with that name, or from that repository."""
    return next((one for one in held() if word in (one.name, one.source)), None)


def read_record(name: str) -> Held | None:
    """The record of a model, or None if it is damaged."""
    path = models_folder() / name / RECORD
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        said: Any = json.loads(path.read_text(encoding="utf-8"))
        files = {str(file): (str(row["sha256"]), int(row["bytes"])) for file, row in said["files"].items()}
        texts = [str(said[key]) for key in ("source", "revision", "licence", "main")]
        runtime: Runtime = "onnx" if said["runtime"] == "onnx" else "transformers"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not all(_plain(file) for file in (*files, texts[3] or "x")):
        return None
    return Held(name, texts[0], texts[1], runtime, texts[2], texts[3], files)


def write_record(model: Held, folder: Path) -> None:
    """Write the record of a model whose files lie in ``folder``."""
    plain = asdict(model) | {
        "files": {name: {"sha256": sha256, "bytes": size} for name, (sha256, size) in model.files.items()}
    }
    (folder / RECORD).write_text(json.dumps(plain, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def verified(model: Held) -> Path:
    """The folder of a model, after every file in it was compared with the record.

    Raises:
        WeightsError: A file is missing, changed, or does not belong there.
    """
    folder = model.folder
    hint = f"unflat models remove {model.name}, then unflat models pull {model.source}"
    there = {one.name: one for one in folder.iterdir() if one.name not in (RECORD, *_OF_DESKTOPS)}
    odd = sorted(set(there) ^ set(model.files))
    if odd:
        what = "lacks" if odd[0] in model.files else "has a file that does not belong to it:"
        raise WeightsError(f"the model '{model.name}' {what} {odd[0]:.60}", hint=hint)
    for name, path in there.items():
        sha256, size = model.files[name]
        if not path.is_file() or path.stat().st_size != size or sha256_of(path) != sha256:
            raise WeightsError(f"the file {name} of the model '{model.name}' is damaged: its sha256 differs", hint=hint)
    return folder


def remove(name: str) -> Path:
    """Delete a model from the cache, and nothing outside it.

    Args:
        name: Its name, or the repository it came from.

    Returns:
        The folder that is gone.

    Raises:
        InputError: There is no such model in the cache.
        OutputError: It cannot be deleted.
    """
    found = find(name)
    folder = models_folder() / (found.name if found else check_name(name))
    if not os.path.lexists(folder):
        raise InputError(f"there is no fetched model '{name}'", hint="'unflat models list' shows those on this disk.")
    try:
        if folder.is_symlink() or not folder.is_dir():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    except OSError as error:
        raise OutputError(f"{folder} cannot be deleted: {error.strerror or error}") from error
    return folder


def discard(left: Path) -> None:
    """Delete a draft as far as that goes: a folder, or the link or file that somebody laid at a model's place."""
    if left.is_symlink() or left.is_file():
        with contextlib.suppress(OSError):
            left.unlink()
    else:
        shutil.rmtree(left, ignore_errors=True)


def _plain(name: str) -> bool:
    """A file name without any folder in it."""
    return bool(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,150}", name))
