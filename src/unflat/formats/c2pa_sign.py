"""Files signed after C2PA 2.2: embedded where the format can, else as a manifest that holds the file's hash.

What a manifest says: from what the file was made (ingredients, with the credentials they came with), by which steps and
models (actions), what kind of thing that makes it (IPTC digital source type), what its sources forbid, and the whole
story (the assertion ``org.unflat.story``). No thumbnail is put in, and of the credentials of sources nothing stays but
who did what: places, names and thumbnails are redacted, as C2PA 2.2 section 6.8 has it.
"""

from __future__ import annotations

import hashlib
import io
import json
import mimetypes
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unflat import __version__
from unflat.errors import InputError, OutputError
from unflat.formats.c2pa_late import OTHER, context, library, media_type
from unflat.formats.keys import Keys
from unflat.formats.provenance_text import to_plain
from unflat.trust import mark
from unflat.trust.label import source_type
from unflat.types.provenance import Credentials, Provenance, Source, Step

STORY, FILES = "org.unflat.story", "org.unflat.files"
"""Assertions of our own: the story as ``provenance_text`` writes it, and the hashes of files that lie beside."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A file that belongs to a signed one.

    Attributes:
        name: Seen from the folder of the signed file, with ``/`` between folders.
        sha256: Hex digest of its bytes.
    """

    name: str
    sha256: str

    @staticmethod
    def of(path: Path, name: str) -> Beside:
        """The entry of a file as it is now."""
        with path.open("rb") as file:
            return Beside(name, hashlib.file_digest(file, "sha256").hexdigest())


def new_urn(story: Provenance, name: str) -> str:
    """The name of a manifest that is still to be made; the same for the same story where SOURCE_DATE_EPOCH is set."""
    if not os.environ.get("SOURCE_DATE_EPOCH", "").isdigit():
        return f"urn:c2pa:{uuid.uuid4()}"
    told = json.dumps([name, to_plain(story)], sort_keys=True)
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()
    return f"urn:c2pa:{uuid.UUID(bytes=digest[:16], version=4)}"


def sign(path: Path, name: str, story: Provenance, keys: Keys, beside: Sequence[Beside] = ()) -> bytes | None:
    """Sign a file.

    Args:
        path: The file; replaced by its signed self where its format holds credentials.
        name: What it will be called.
        story: What is said of it; its ``urn`` becomes that of the manifest.
        keys: Who signs.
        beside: Files that belong to it.

    Returns:
        The manifest for a sidecar; None where it is in the file now.

    Raises:
        InputError: The certificate is none that C2PA knows, or it has ended.
        OutputError: It cannot be signed.
        OSError: The file cannot be read or written.
    """
    c2pa = library()
    try:
        return _signed(path, name, story, keys, beside)
    except c2pa.C2paError as error:
        if _credentials(story.sources):
            return sign(path, name, _without_archives(story), keys, beside)
        if not keys.own:
            raise InputError(
                f"the certificate cannot sign {name}: {error}",
                hint="It needs the extended key usage emailProtection or documentSigning, and a time that is not over.",
            ) from error
        raise OutputError(f"{name} cannot be signed: {error}", hint="--no-sign goes on without credentials.") from error


def _signed(path: Path, name: str, story: Provenance, keys: Keys, beside: Sequence[Beside]) -> bytes | None:
    kind, draft = media_type(name), path.with_name(f"{path.name}.signed")
    c2pa = library()
    try:
        made = c2pa.Builder(_manifest(name, kind, story, beside), context())
        alone = len(story.sources) == 1
        for held in _credentials(story.sources):
            made.add_ingredient_from_archive(io.BytesIO(held.parent if alone else held.component))
        info = c2pa.C2paSignerInfo(keys.algorithm.encode(), keys.chain, keys.key, None)
        signer = c2pa.Signer.from_info(info)
        if kind == OTHER:
            made.set_no_embed()
            with path.open("rb") as file:
                return bytes(made.sign(signer, kind, file, io.BytesIO()))
        with path.open("rb") as file, draft.open("w+b") as signed:
            made.sign(signer, kind, file, signed)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return None


def _without_archives(story: Provenance) -> Provenance:
    """The story with sources that are known by their hash alone.

    The credentials of several sources may hold a common ancestor in two states, once whole and once redacted; no
    manifest can hold both.
    """
    bare = (
        source if (held := source.credentials) is None else replace(source, credentials=replace(held, parent=b""))
        for source in story.sources
    )
    return replace(story, sources=tuple(bare))


def ingredient_id(sha256: str | None, name: str) -> str:
    """How actions refer to a source: by its bytes, or where it has none by its name."""
    return f"xmp:iid:{sha256 or hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _credentials(sources: Sequence[Source]) -> list[Credentials]:
    """The credentials of the sources that can be carried on, those of the same bytes once."""
    found: dict[str, Credentials] = {}
    for source in sources:
        if source.credentials is not None and source.credentials.parent:
            found.setdefault(ingredient_id(source.sha256, source.name), source.credentials)
    return list(found.values())


def _manifest(name: str, kind: str, story: Provenance, beside: Sequence[Beside]) -> dict[str, Any]:
    """The definition of a manifest, without the sources that have credentials of their own."""
    held = _credentials(story.sources)
    assertions: list[dict[str, Any]] = [
        {"label": "c2pa.actions.v2", "data": {"actions": _actions(story)}},
        {"label": STORY, "data": to_plain(story)},
    ]
    if beside:
        files = [{"name": one.name, "sha256": one.sha256} for one in beside]
        assertions.append({"label": FILES, "data": {"files": files}})
    if forbidden := _entries(story.sources):
        assertions.append({"label": "cawg.training-mining", "data": {"entries": forbidden}})
    return {
        "claim_generator_info": [{"name": "unflat", "version": __version__}],
        "title": name,
        "format": kind,
        "label": story.urn,
        "ingredients": _plain_ingredients(story.sources),
        "redactions": [uri for one in held for uri in one.private],
        "assertions": assertions,
    }


def _plain_ingredients(sources: Sequence[Source]) -> list[dict[str, Any]]:
    """The sources without credentials, each once, as ingredients that are known by their hash."""
    found: dict[str, dict[str, Any]] = {}
    for source in sources:
        if source.credentials is not None and source.credentials.parent:
            continue
        known = ingredient_id(source.sha256, source.name)
        found[known] = {
            "title": source.name,
            "format": mimetypes.guess_type(source.name)[0] or OTHER,
            "instance_id": known,
            "relationship": "parentOf" if len(sources) == 1 else "componentOf",
            "description": f"sha256 {source.sha256}" if source.sha256 else "handed over in memory",
        }
    return list(found.values())


def _actions(story: Provenance) -> list[dict[str, Any]]:
    """What was done, in order: one action opens what there was, the next ones change it."""
    kind, known = source_type(story), [ingredient_id(one.sha256, one.name) for one in story.sources]
    known = list(dict.fromkeys(known))
    if len(story.sources) == 1:
        actions: list[dict[str, Any]] = [{"action": "c2pa.opened", "parameters": {"ingredientIds": known}}]
    else:
        actions = [{"action": "c2pa.created", "digitalSourceType": kind}]
        if known:
            actions.append({"action": "c2pa.placed", "parameters": {"ingredientIds": known}})
    actions += [_action(step) for step in story.steps]
    actions.append({"action": "c2pa.converted", "description": "written as this file", "digitalSourceType": kind})
    for one in _credentials(story.sources):
        for uri in one.private:
            actions.append({"action": "c2pa.redacted", "reason": "c2pa.PII.present", "parameters": {"redacted": uri}})
    return actions


def _action(step: Step) -> dict[str, Any]:
    """One step: what it was, and which model did it."""
    told: dict[str, Any] = {"action": "c2pa.edited", "description": step.name}
    if step.name == mark.STEP:
        told |= {"action": "c2pa.drawing", "description": f"{step.name}: {dict(step.options).get(mark.WORDS)}"}
    if step.model is not None:
        told["softwareAgent"] = {"name": step.model}
        told["parameters"] = {"org.unflat.licence": step.licence or "unknown"}
    return told


def _entries(sources: Sequence[Source]) -> dict[str, dict[str, str]]:
    """What the sources forbid of mining and training stays forbidden for what was made of them."""
    uses: set[str] = set()
    for source in sources:
        uses |= {
            use for use, allowed in (source.credentials.entries if source.credentials else ()) if allowed != "allowed"
        }
        told = {one.forbids for one in source.reserved}
        uses |= {"cawg.ai_inference", "cawg.ai_generative_training", "cawg.ai_training"} if "ai" in told else set()
        uses |= {"cawg.data_mining"} if "data mining" in told else set()
    return {use.replace("c2pa.", "cawg."): {"use": "notAllowed"} for use in sorted(uses)}
