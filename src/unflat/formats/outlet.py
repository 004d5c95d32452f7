"""The one door out: every file that is made goes through here, and leaves signed and whole, or not at all.

What is made is written under its true name into a hidden folder beside its place, which its owner alone may look into,
signed there, and then renamed into place: files that others refer to first, the file itself last. No writer knows of
it.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from unflat.errors import InputError, OutputError
from unflat.formats.atomic import MARK, check_target, translated
from unflat.trust.places import close_folder
from unflat.types.provenance import Provenance

SIDECAR = ".c2pa"


@dataclass(frozen=True, slots=True)
class SealOptions:
    """What is promised of the files that are made."""

    sign: bool = True
    """Sign every file (C2PA): what it was made of, by which steps and models, and what was invented. Files that cannot
    hold that get NAME.c2pa beside them. Nothing is sent anywhere."""
    certificate: Path | None = None
    """Your certificate chain (PEM) to sign with, instead of the key that is made on this machine."""
    key: Path | None = None
    """The private key (PEM) of your certificate."""
    mark: bool = False
    """Draw a small visible mark into the pictures, films and pages that are made: "AI-generated 3D" where a trained
    network took part, else "computed 3D"; in both eyes, at the same place."""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            missing = "--key" if self.key is None else "--certificate"
            raise InputError("a certificate and its key go together", hint=f"Give {missing}, too.")
        if self.certificate is not None and not self.sign:
            raise InputError("--certificate means nothing with --no-sign", hint="Leave one of them out.")


@dataclass(slots=True)
class Handing:
    """What is handed out.

    Attributes:
        path: Where to write now; files beside it go out with it.
        story: What is to be said in the file: the story with the name of the manifest that will speak for it.
        files: Where everything is, once it is out: the file first.
        notes: What the user should know, in words.
    """

    path: Path
    story: Provenance
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def seal_targets(path: Path, *, folder: bool = False) -> tuple[Path, ...]:
    """What signing writes beside a file, as far as its name tells."""
    from unflat.formats.c2pa_late import OTHER, media_type

    return () if folder or media_type(path.name) != OTHER else (path.with_name(path.name + SIDECAR),)


def named(story: Provenance, path: Path, options: SealOptions) -> Provenance:
    """The story with the name of the manifest that will speak for a file; where it has one, that stays."""
    if not options.sign or story.urn is not None:
        return story
    from unflat.formats.c2pa_sign import new_urn

    return replace(story, urn=new_urn(story, path.name))


@contextmanager
def handed_out(
    path: Path, story: Provenance, options: SealOptions, *, force: bool, folder: bool = False
) -> Generator[Handing]:
    """Write something to ``handing.path`` within this block; it is in its place, signed, when the block ends.

    Args:
        path: Where it should be in the end.
        story: What is said of it; :func:`named` already, where it was written somewhere before.
        options: Whether and with what it is signed.
        force: Replace what is there.
        folder: A folder is written.

    Yields:
        Where to write, and what to say in it.

    Raises:
        OutputError: The place cannot be written, or something there would be lost.
        InputError: The certificate cannot sign.
        ConsentError: A consent that the story relies on does not hold any more.
    """
    check_target(path, force=force, folder=folder)
    if story.likeness is not None and story.likeness.consent:
        from unflat.formats.consent_file import check_again

        check_again(story.likeness.consent)
    hidden = path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}.part")
    handing = Handing(hidden / path.name, named(story, path, options))
    try:
        close_folder(hidden)
        yield handing
        _sign(hidden, path.name, handing, options)
        handing.files = _moved(hidden, path, force=force)
    except OutputError as error:
        said = str(error).replace(str(hidden), str(path.parent))
        raise OutputError(said, hint=error.hint) from error
    except OSError as error:
        raise translated(error, path) from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _sign(hidden: Path, name: str, handing: Handing, options: SealOptions) -> None:
    """Sign what was written: the file with that name, or each of several that have names of their own."""
    from unflat.formats.c2pa_late import OTHER, media_type

    if not options.sign:
        return
    from unflat.formats.c2pa_sign import Beside, sign
    from unflat.formats.keys import own_keys, users_keys

    made = sorted(file for file in hidden.rglob("*") if file.is_file())
    main = hidden / name / MARK if (hidden / name).is_dir() else hidden / name
    several = [file for file in made if media_type(file.name) != OTHER] or made[:1]  # a row of frames, or one an eye
    chosen = [main] if main in made else several
    others = [file for file in made if file not in chosen]
    keys = users_keys(options.certificate, options.key) if options.certificate and options.key else own_keys()
    handing.notes = () if keys.note is None else (keys.note,)
    for file in chosen:
        beside = [Beside.of(one, one.relative_to(file.parent).as_posix()) for one in others]
        story = handing.story if len(chosen) == 1 else replace(handing.story, urn=None)
        manifest = sign(file, file.name, story, keys, beside)
        if manifest is not None:
            file.with_name(file.name + SIDECAR).write_bytes(manifest)


def _moved(hidden: Path, path: Path, *, force: bool) -> tuple[Path, ...]:
    """Rename all that was made into its place, the file itself last.

    Raises:
        OutputError: Something there would be lost.
    """
    made = sorted(hidden.iterdir(), key=lambda file: (file.name == path.name, file.name))
    for file in made:
        check_target(path.with_name(file.name), force=force, folder=file.is_dir())
    for file in made:
        place = path.with_name(file.name)
        old = hidden / f"{file.name}.old" if file.is_dir() and place.is_dir() else None
        if old is not None:
            place.replace(old)
        try:
            file.replace(place)
        except OSError:
            if old is not None:
                old.replace(place)
            raise
    stale = path.with_name(path.name + SIDECAR)
    if force and stale.name not in {file.name for file in made}:
        stale.unlink(missing_ok=True)  # it spoke for the file that was replaced
    return tuple(path.with_name(file.name) for file in reversed(made))
