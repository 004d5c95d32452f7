"""A film that is not finished yet: its segments, and what each hands on to the next.

They lie in a folder beside the film to be, ``NAME.parts``, that nobody but its owner may look into. A segment counts
when its note is there, which is written last; whatever a killed run left behind it is thrown away. The folder is locked
while a run works in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import OutputError
from unflat.formats.atomic import translated
from unflat.trust.places import close_files, close_folder

HandedOn = Mapping[str, NDArray[Any]]
"""What the next segment must know, by name."""
_JOB = "job.json"
_LOCK = "lock"
_SIZES = "sizes"


def key_of(words: Mapping[str, Any]) -> str:
    """A digest of all that decides what the segments hold: source, options, versions."""
    return hashlib.sha256(json.dumps(words, sort_keys=True, default=str).encode()).hexdigest()


def folder_of(film: Path) -> Path:
    """Where the segments of a film lie while it is made."""
    return film.with_name(film.name + ".parts")


@dataclass(slots=True)
class Parts:
    """The segments that are whole.

    Attributes:
        folder: Where they lie.
        done: How many there are, one after the other from the first.
    """

    folder: Path
    done: int = 0

    def segment(self, number: int, film: int, suffix: str) -> Path:
        """Where segment ``number`` of the run's film number ``film`` belongs."""
        return self.folder / f"{number:05d}.{film}{suffix}"

    def finish(self, about: Mapping[str, Any], handed_on: HandedOn) -> None:
        """Count the next segment as whole: its films are written.

        Args:
            about: What the report needs of it, plain values.
            handed_on: What the segment after it needs; no objects.

        Raises:
            OutputError: It cannot be written.
        """
        state, note = self._state(self.done), self._note(self.done)
        try:
            sizes = {path.name: _settled_size(path) for path in self._films(self.done)}
            with _beside(state) as draft, draft.open("wb") as file:
                np.savez(file, allow_pickle=False, **{name: np.asarray(value) for name, value in handed_on.items()})
                _to_disk(file)
            with _beside(note) as draft, draft.open("w", encoding="utf-8") as file:
                json.dump({**about, _SIZES: sizes}, file)
                _to_disk(file)
            close_files(state, note, *self._films(self.done))
        except OSError as error:
            raise translated(error, note) from error
        if self.done > 1:
            self._state(self.done - 2).unlink(missing_ok=True)
        self.done += 1

    def about(self, number: int) -> dict[str, Any]:
        """What was said of a whole segment."""
        return json.loads(self._note(number).read_text(encoding="utf-8"))

    def handed_on(self) -> dict[str, NDArray[Any]]:
        """What the last whole segment hands on; empty before the first."""
        if not self.done:
            return {}
        with np.load(self._state(self.done - 1), allow_pickle=False) as saved:
            return {name: saved[name] for name in saved.files}

    def remove(self) -> None:
        """Throw all of it away: the film is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _note(self, number: int) -> Path:
        return self.folder / f"{number:05d}.json"

    def _state(self, number: int) -> Path:
        return self.folder / f"{number:05d}.npz"

    def _films(self, number: int) -> list[Path]:
        """The films of a segment."""
        others = {self._note(number), self._state(number)}
        return [path for path in self.folder.glob(f"{number:05d}.*") if path not in others and path.suffix != ".part"]

    def _whole(self, number: int) -> bool:
        """Whether a segment's note is there, and its films as large as it says."""
        try:
            told = self.about(number)[_SIZES]
            return told == {path.name: path.stat().st_size for path in self._films(number)}
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _count(self) -> int:
        """Whole segments in a row whose last one can be gone on from."""
        count = 0
        while self._whole(count):
            count += 1
        while count and not _loads(self._state(count - 1)):
            count -= 1
        return count

    def begin(self, key: str) -> None:
        """Go on where a run of the same key stopped; what belongs to another run is thrown away."""
        job = self.folder / _JOB
        try:
            same = job.is_file() and json.loads(job.read_text(encoding="utf-8")).get("key") == key
        except (ValueError, AttributeError):
            same = False
        self.done = self._count() if same else 0
        kept = {self.folder / _LOCK, job} if same else {self.folder / _LOCK}
        for old in self.folder.iterdir():
            number = old.name.split(".")[0]
            whole = number.isdigit() and int(number) < self.done and not old.name.endswith(".part")
            if old not in kept and not whole:
                old.unlink()
        with _beside(job) as draft:
            draft.write_text(json.dumps({"key": key}), encoding="utf-8")
            close_files(draft)


@contextmanager
def parts_of(film: Path, key: str) -> Generator[Parts]:
    """The parts of a film, for one run at a time.

    Args:
        film: The film to be.
        key: See :func:`key_of`.

    Raises:
        OutputError: Another run works on this film, or the folder cannot be written or holds something else.
    """
    folder = folder_of(film)
    try:
        if folder.is_dir() and any(folder.iterdir()) and not (folder / _LOCK).is_file():
            raise OutputError(f"{folder} is in the way", hint="Move it: unfinished films lie in a folder of that name.")
        with (close_folder(folder) / _LOCK).open("a+b") as lock:
            close_files(folder / _LOCK)
            if not locked(lock):
                raise OutputError(f"another run works on {film}", hint="Wait for it, or choose another name with -o.")
            parts = Parts(folder)
            parts.begin(key)
            try:
                yield parts
            finally:
                if not parts.done:  # there is nothing to go on from
                    parts.remove()
    except OSError as error:
        raise translated(error, folder) from error


def locked(file: IO[bytes]) -> bool:
    """Lock a file for as long as it is open and its process lives; False where another process holds it."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


@contextmanager
def _beside(path: Path) -> Generator[Path]:
    """A draft that takes its place in the end."""
    draft = path.with_name(path.name + ".part")
    yield draft
    draft.replace(path)


def _to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _settled_size(path: Path) -> int:
    """The size of a file that is on the disk from now on, whatever happens to the power."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    return path.stat().st_size


def _loads(state: Path) -> bool:
    try:
        with state.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            return all(saved[name] is not None for name in saved.files)
    except (OSError, ValueError, zipfile.BadZipFile):
        return False
