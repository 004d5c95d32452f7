"""What is promised of every file that is made, as checks that can fail; and what is not asked of some, and why."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from tests.phantoms import SECRETS as PATIENT
from tests.promise_inputs import LICENCE, NOTICE, SECRETS, TERMS, Kind

from unflat.formats.atomic import MARK
from unflat.formats.c2pa_late import EMBEDS
from unflat.formats.c2pa_read import read_verdict
from unflat.formats.told_rights import promises
from unflat.pipelines.inspect import inspect
from unflat.trust.label import AI_LABEL, COMPUTED_LABEL
from unflat.types.verdict import Verdict

LEAKING = ("GPS", "SerialNumber", "OwnerName", "HostComputer", "PersonInImage", "LensSerialNumber", "PatientName")
_FTYP = 40
"""C2PA leaves the first box of these files out of its hash: it says nothing of the picture."""
_BOXED = (".mp4", ".mov", ".heic", ".avif")
_READER = """
import c2pa, json, pathlib, sys
for kind, name in json.loads(sys.stdin.read()):
    path, side = pathlib.Path(name), pathlib.Path(name + ".c2pa")
    with path.open("rb") as file:
        reader = c2pa.Reader(kind, file, manifest_data=side.read_bytes() if side.is_file() else None)
        said = json.loads(reader.json())
        print(json.dumps([reader.get_validation_state(), said["active_manifest"]]))
"""


@dataclass(frozen=True)
class Judges:
    """What other programs say of files: each is started once for all outputs of a run.

    Attributes:
        elsewhere: The file that speaks for an output -> the state and the manifest that c2pa's reader finds.
        tags: A file -> what exiftool reads in it; empty where it is not installed.
    """

    elsewhere: dict[str, list[str]]
    tags: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Made:
    """One output of one run.

    Attributes:
        kind: Of its source.
        recipe: Which made it.
        output: What it is called in the table.
        folder: Which holds it and what was written with it, and nothing else.
        name: As it was asked for.
        learned: Whether a trained network had a part in it.
        judges: What other programs say of all that the run made.
    """

    kind: Kind
    recipe: str
    output: str
    folder: Path
    name: str
    learned: bool
    judges: Judges = field(default_factory=lambda: Judges({}, {}))

    @cached_property
    def files(self) -> list[Path]:
        """Everything that was written."""
        return sorted(file for file in self.folder.rglob("*") if file.is_file())

    @cached_property
    def main(self) -> Path:
        """What speaks for all of it: the file, the mark of the folder, or the first of several files."""
        path = self.folder / self.name
        if path.is_dir():
            return path / MARK
        return path if path.is_file() else next(file for file in self.files if file.suffix == path.suffix)

    @cached_property
    def shown(self) -> Path:
        """What is given to ``inspect``."""
        return self.main.parent if self.main.name == MARK else self.main

    @cached_property
    def verdict(self) -> Verdict:
        """What its credentials are worth."""
        return read_verdict(self.main)

    @cached_property
    def speakers(self) -> dict[str, Path]:
        """For the name of each file: the file whose credentials speak for it."""
        found: dict[str, Path] = {}
        for file in (self.main, *self.files):
            if file.name not in found and file.suffix != ".c2pa":
                verdict = read_verdict(file)
                if verdict.state == "this machine":
                    spoken = (file.name, f"{file.name}.c2pa", *(Path(name).name for name in verdict.files))
                    found |= {name: file for name in spoken}
        return found

    @cached_property
    def told(self) -> dict[str, Any]:
        """What ``inspect`` says of it."""
        return inspect(self.shown)


def signed(made: Made) -> None:
    """Signed, and everything that lies with it is signed along or by itself."""
    verdict = made.verdict
    assert verdict.state == "this machine", verdict
    assert {file.name for file in made.files} <= set(made.speakers), "something lies there unsigned"


def other_reader(made: Made) -> None:
    """Another program, in a process of its own, finds the same manifest and holds it for valid."""
    assert made.judges.elsewhere[str(made.main)] == ["Valid", made.verdict.urn]


def tampered(made: Made) -> None:
    """One changed byte of any of its files is found."""
    rng = np.random.default_rng(4)
    for file in made.files:
        data = file.read_bytes()
        first = _FTYP if file.suffix in _BOXED else 0
        for at in rng.integers(first, len(data), 3):
            bad = bytearray(data)
            bad[at] ^= 0x20
            file.write_bytes(bad)
            state = read_verdict(made.speakers[file.name]).state
            file.write_bytes(data)
            assert state in ("changed", "missing"), f"byte {at} of {len(data)} of {file.name}: {state}"


def made_from(made: Made) -> None:
    """Its credentials name what it was made from."""
    names = [one.name for one in made.verdict.ingredients]
    assert names and all(name for name in names), names
    story = made.verdict.story
    assert story is not None and story.steps and len(names) == len(story.sources), (names, story)


def labelled(made: Made) -> None:
    """It says in its metadata what kind of thing it is, and so do its credentials."""
    told, verdict = made.told, made.verdict
    assert verdict.source_type is not None and verdict.story is not None
    learned = made.learned
    if made.kind.depth:  # a network has a part in it only where something was to be filled
        learned = any(row["is"] == "network" for row in told["materials"])
    assert told["label"] == (AI_LABEL if learned else COMPUTED_LABEL), told["label"]
    assert told["source_type"].endswith(verdict.source_type)
    assert ("trained" in verdict.source_type.lower()) == learned


def of_whom(made: Made) -> None:
    """Whose the source is comes along; where it does not say, "unknown" is written."""
    said = made.told["rights_statement"]
    if made.kind.family == "slices":
        assert said["photographer"] == "unknown", said
        return
    assert said["photographer"] == made.kind.creator, said
    whole = json.dumps(said, ensure_ascii=False)
    for words in (NOTICE, TERMS, LICENCE):
        assert words in whole, (words, said)


def by_which_leave(made: Made) -> None:
    """Somebody is shown, nobody has said by which leave: both are told."""
    seen = made.told["provenance"]["likeness"]
    assert seen["faces"] >= 1 and seen["basis"] == "unstated" and seen["treated"] == "kept", seen
    story = made.verdict.story
    assert story is not None and story.likeness is not None and story.likeness.basis == "unstated"


def materials(made: Made) -> None:
    """The program and each network that had a part are listed, with their licences."""
    rows = made.told["materials"]
    assert any(row["name"].startswith("unflat ") for row in rows), rows
    assert all(row["licence"] for row in rows), rows
    story = made.verdict.story
    assert story is not None
    assert json.loads(json.dumps(promises(story)["materials"])) == rows
    assert {step.model for step in story.steps if step.model} <= {row["name"] for row in rows}, rows


def private(made: Made) -> None:
    """Neither place, camera, owner nor patient stands in any of its files."""
    words = [word.encode() for word in (*SECRETS, *PATIENT)]
    for file in made.files:
        data = file.read_bytes()
        for part in (data, *_members(data)):
            assert not [word for word in words if word in part], file.name
        row = made.judges.tags.get(str(file), {})
        assert not [key for key in row if any(name in key for name in LEAKING)], file.name
        assert not [secret for secret in (*SECRETS, *PATIENT) if secret in json.dumps(row)], file.name


def _members(data: bytes) -> Sequence[bytes]:
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return ()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [archive.read(name) for name in archive.namelist()]


def judged(outputs: Sequence[Made]) -> Judges:
    """Ask the other programs, each in a process of its own."""
    mains = [made.main for made in outputs]
    asked = [[EMBEDS.get(main.suffix.lower(), "application/octet-stream"), str(main)] for main in mains]
    command = [sys.executable, "-c", _READER]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    elsewhere = dict(zip(map(str, mains), found, strict=True))
    files = [file for made in outputs for file in made.files]
    return Judges(elsewhere, {row["SourceFile"]: row for row in _exiftool(files)})


def _exiftool(files: Sequence[Path]) -> list[dict[str, Any]]:
    program = shutil.which("exiftool")
    if program is None:
        assert os.environ.get("UNFLAT_CI") != "1", "exiftool is not installed"
        return []
    command = [program, "-json", "-a", "-ee", "-G1", "-struct", *map(str, files)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, encoding="utf-8")
    rows = json.loads(done.stdout)
    assert len(rows) == len(files)
    return rows


CHECKS: dict[str, Callable[[Made], None]] = {
    "signed": signed,
    "read by another program": other_reader,
    "one changed byte is found": tampered,
    "names what it was made from": made_from,
    "labelled": labelled,
    "says whose it is": of_whom,
    "says by which leave people are shown": by_which_leave,
    "lists programs, networks and licences": materials,
    "holds nothing private": private,
}
GONE = "faces are gone where they were to be taken out"
"""Held of every output, too, but of two runs at once."""
EXCUSES: dict[tuple[str, str], str] = {
    ("slices", "says by which leave people are shown"): "A scan of a body is no picture of a face; of a head the face "
    "is taken off (tests/unit/test_heads.py).",
    ("slices", GONE): "A scan of a body is no picture of a face; of a head the face is taken off "
    "(tests/unit/test_heads.py).",
    ("drawing", GONE): "The solids of a drawing differ in their last bits from run to run, so two runs cannot be "
    "compared; the drawing that they are made of can, and is (tests/unit/test_redact_people.py).",
}
"""(family of the source or recipe, promise) -> why it is not asked."""


def excuse(recipe: str, kind: Kind, promise: str) -> str | None:
    """Why a promise is not asked of what a recipe makes of a kind of source; None: it is."""
    return EXCUSES.get((recipe, promise)) or EXCUSES.get((kind.family, promise))
