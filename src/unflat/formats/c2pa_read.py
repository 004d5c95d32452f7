"""C2PA credentials read: of sources, to be kept; of results, to be held against their bytes. Nothing is fetched.

A manifest stands in the file, or, where there is none, beside it as NAME.SUFFIX.c2pa or NAME.c2pa. Who signed is
trusted only where the user's own list says so; the machine's own root is told apart from that.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from unflat.errors import InputError
from unflat.formats.c2pa_late import EMBEDS, OTHER, context, library, media_type
from unflat.formats.c2pa_sign import FILES, STORY, Beside, ingredient_id
from unflat.formats.jumbf import JumbfError, check_store, names_manifest, store_in
from unflat.formats.keys import own_root
from unflat.formats.plain import is_list, is_object
from unflat.formats.provenance_text import from_plain
from unflat.trust.reserved import in_training_mining
from unflat.types.provenance import Credentials, Provenance, Source
from unflat.types.verdict import Ingredient, Verdict

SUFFIX = ".c2pa"
_MOST = 1 << 26
_KEPT = ("c2pa.actions", "c2pa.hash.", "c2pa.ingredient", "c2pa.training-mining", "cawg.training-mining")
"""Assertions of a source's credentials that a result carries on: who did what to which bytes, and what is forbidden."""
_MINING = ("cawg.training-mining", "c2pa.training-mining")
_OF_KINDS = {name: EMBEDS[f".{name}"] for name in ("jpeg", "png", "webp", "tiff", "avif", "gif", "heic")}
"""Media types by what a picture's bytes are, whatever its name says."""
_UNTRUSTED = "signingCredential.untrusted"
_FAULTS = {
    "assertion.dataHash.mismatch": "its bytes are not those that were signed",
    "assertion.bmffHash.mismatch": "its bytes are not those that were signed",
    "assertion.boxesHash.mismatch": "its bytes are not those that were signed",
    "assertion.hashedURI.mismatch": "what its credentials say was changed",
    "assertion.missing": "a part of its credentials is missing",
    "claimSignature.mismatch": "the signature is not of these credentials",
    "claimSignature.missing": "the signature is missing",
    "signingCredential.invalid": "the certificate is not one that may sign",
}
"""Failures of C2PA 2.2, section 15, in plain words."""
_ENDED = frozenset({"signingCredential.expired", "claimSignature.outsideValidity"})
"""Without a time stamp, which nobody makes offline, a certificate counts by today's date: its end changes no byte."""
_SOUND = "claimSignature.validated"
_HARMLESS = frozenset({"action", "when", "softwareAgent", "digitalSourceType", "reason", "parameters", "description"})
_HARMLESS_PARAMETERS = frozenset({"ingredient", "ingredients", "ingredientIds", "redacted", "org.unflat.licence"})
_OWN_WORDS = re.compile(r"[a-z][a-z_ :()0-9-]{0,60}")
"""Descriptions of actions that name a step, and cannot name a person or a place with certainty: lower case alone."""
_PLAIN_INGREDIENT = re.compile(r"sha256 [0-9a-f]{64}|handed over in memory")
_SIGNS, _HEAD = (b"jumb", b"c2pa"), 1 << 24


def sidecars(path: Path) -> tuple[Path, Path]:
    """Where the manifest of a file may stand that is not in it, the likelier place first."""
    return path.with_name(path.name + SUFFIX), path.with_name(path.stem + SUFFIX)


def with_credentials(source: Source, path: Path, data: bytes | None = None) -> Source:
    """The source with the credentials that came with it, and with what these forbid."""
    held = credentials_of(path, data, _OF_KINDS.get(source.format))
    if held is None:
        return source
    forbidden = in_training_mining(_MINING[0], {"entries": {use: {"use": how} for use, how in held.entries}})
    return replace(source, credentials=held, reserved=(*source.reserved, *forbidden))


def doubts(source: Source) -> tuple[str, ...]:
    """What the user should know of credentials that came with a source."""
    held = source.credentials
    if held is None or held.state != "invalid":
        return ()
    return ("its C2PA credentials are damaged, or of other bytes: what they forbid may be more than is known",)


def credentials_of(path: Path, data: bytes | None = None, kind: str | None = None) -> Credentials | None:
    """The credentials that came with a source; None where there are none. Damaged ones have no name and are invalid.

    Args:
        path: The source.
        data: Its bytes, where they are in memory already; a file is not read anew then.
        kind: Its media type, where that is known better than by its name.

    Raises:
        InputError: The file cannot be read.
    """
    kind = kind or media_type(path.name)
    inside = kind != OTHER and _tells(path, data)
    beside = None if inside else next((place for place in sidecars(path) if place.is_file()), None)
    if beside is None and not inside:
        return None
    c2pa = library()
    try:
        manifest = None if beside is None else _bytes(beside)
        with io.BytesIO(data) if data is not None else path.open("rb") as file:
            reader = c2pa.Reader(kind, file, manifest_data=manifest, context=context(_own_anchors()))
            told, deep = json.loads(reader.json()), json.loads(reader.detailed_json())
            known, kept = _known(told, deep)
            if beside is not None or not kept:
                return known
            digest = _digest(file)
            return replace(
                known, **{way: _archive(path.name, kind, file, digest, way) for way in ("parent", "component")}
            )
    except c2pa.C2paError.ManifestNotFound:
        return None
    except (c2pa.C2paError, ValueError, KeyError, TypeError, RecursionError):
        return Credentials("", "invalid")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def read_verdict(path: Path, anchors: Path | None = None) -> Verdict:
    """Hold a file's credentials against its bytes.

    Args:
        path: The file; credentials that do not stand in it are looked for beside it.
        anchors: Certificates in PEM that the user trusts, or None.

    Raises:
        InputError: The file cannot be read.
    """
    kind = media_type(path.name)
    c2pa = library()
    try:
        with path.open("rb") as file:
            inside = kind != OTHER and _embedded(c2pa, kind, file)
            beside = None if inside else next((place for place in sidecars(path) if place.is_file()), None)
            if beside is None and not inside:
                return Verdict("missing" if names_manifest(path) else "unsigned")
            manifest = None if beside is None else _bytes(beside)
            where = "in the file" if beside is None else beside.name
            try:
                reader = _reader(kind, file, manifest, _own_anchors())
                own = reader.get_validation_state() == "Trusted"
                if not own and anchors is not None:
                    reader = _reader(kind, file, manifest, _bytes(anchors).decode("ascii", "replace"))
                told = json.loads(reader.json())
                check_store(store_in(path) if manifest is None else manifest)
            except JumbfError as error:
                return Verdict("changed", (f"its credentials: {error}",), where=where)
            except (c2pa.C2paError, ValueError) as error:
                return Verdict("changed", (f"its credentials cannot be read: {_short(error)}",), where=where)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    return _verdict(told, path, where, own=own)


def _verdict(told: dict[str, Any], path: Path, where: str, *, own: bool) -> Verdict:
    active = _object(_object(told.get("manifests")).get(str(told.get("active_manifest"))))
    said = {a.get("label"): a.get("data") for a in _objects(active.get("assertions"))}
    faults, ended = _faults(told)
    story, torn = _story(said.get(STORY))
    faults += torn
    names: list[str] = []
    for one in _objects(_object(said.get(FILES)).get("files")):
        name, digest = str(one.get("name")), one.get("sha256")
        names.append(name)
        faults += _compared(path.parent / name, name, digest)
    state = told.get("validation_state")
    words = "this machine" if own else "trusted" if state == "Trusted" else "ended" if ended else "unknown signer"
    if state == "Invalid" and not ended and not faults:
        faults = ["it is not as it was signed"]
    return Verdict(
        "changed" if faults else words,
        tuple(dict.fromkeys(faults)),
        _text(told.get("active_manifest")),
        _signer(active),
        _generator(active),
        where,
        _source_type(said.get("c2pa.actions.v2") or said.get("c2pa.actions")),
        story,
        tuple(_ingredient(one, told) for one in _objects(active.get("ingredients"))),
        tuple(names),
    )


def _faults(told: dict[str, Any]) -> tuple[list[str], bool]:
    """What C2PA found wrong with the active manifest, in words; and whether its certificate has ended."""
    results = _object(_object(told.get("validation_results")).get("activeManifest"))
    codes = [(str(one.get("code")), str(one.get("explanation", ""))) for one in _objects(results.get("failure"))]
    ended = any(code in _ENDED for code, _ in codes)
    faults = [_FAULTS.get(code, f"{code}: {_short(why)}") for code, why in codes if code not in {_UNTRUSTED, *_ENDED}]
    if ended and _SOUND not in {one.get("code") for one in _objects(results.get("success"))}:
        faults.append("the signature is not of these credentials")
    return faults, ended


def _story(plain: object) -> tuple[Provenance | None, list[str]]:
    if plain is None:
        return None, []
    try:
        return from_plain(plain), []
    except InputError as error:
        return None, [str(error)]


def _compared(file: Path, name: str, digest: object) -> list[str]:
    """A file that was signed along, as it is now."""
    parts = name.split("/")
    if not name or any(part in ("", ".", "..") or "\\" in part or ":" in part for part in parts):
        return [f"a file beside it has the impossible name {name[:60]!r}"]
    try:
        return [] if Beside.of(file, name).sha256 == digest else [f"{name} is not as it was signed"]
    except OSError:
        return [f"{name}, which was signed along, is missing"]


def _ingredient(one: dict[str, Any], told: dict[str, Any]) -> Ingredient:
    urn = one.get("active_manifest")
    name = _text(one.get("title")) or "without a name"
    if urn is None:
        return Ingredient(name, "none")
    results = _object(_object(one.get("validation_results")).get("activeManifest"))
    wrong = [entry for entry in _objects(results.get("failure")) if entry.get("code") != _UNTRUSTED]
    good = [entry.get("code") for entry in _objects(results.get("success"))]
    state = "invalid" if wrong else "trusted" if "signingCredential.trusted" in good else "valid"
    return Ingredient(name, state, _signer(_object(_object(told.get("manifests")).get(urn))))


def _known(told: dict[str, Any], deep: dict[str, Any]) -> tuple[Credentials, bool]:
    """What is kept in memory of a source's credentials, but for the archives; and whether these may be kept at all."""
    urn = str(told["active_manifest"])
    active = _object(_object(told["manifests"])[urn])
    faults, _ = _faults(told)
    state = "invalid" if faults else "trusted" if told.get("validation_state") == "Trusted" else "valid"
    if not all(_harmless(_object(one)) for one in _object(deep["manifests"]).values()):
        return Credentials(urn, state, _signer(active), _generator(active), entries=_mining_of(active)), False
    private = [
        f"self#jumbf=/c2pa/{name}/c2pa.assertions/{label}"
        for name, one in _object(deep["manifests"]).items()
        for label in _object(_object(one).get("assertion_store"))
        if not label.startswith(_KEPT)
    ]
    signer, generator = _signer(active), _generator(active)
    return Credentials(urn, state, signer, generator, private=tuple(private), entries=_mining_of(active)), True


def _mining_of(active: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What a manifest says of mining and training, use by use."""
    entries: dict[str, str] = {}
    for one in _objects(active.get("assertions")):
        if str(one.get("label")).startswith(_MINING):
            for use, how in _object(_object(one.get("data")).get("entries")).items():
                entries[use] = str(_object(how).get("use"))
    return tuple(entries.items())


def _harmless(manifest: dict[str, Any]) -> bool:
    """Whether the parts that cannot be redacted say who did what, and nothing that may tell of places or people."""
    for label, said in _object(manifest.get("assertion_store")).items():
        if label.startswith("c2pa.actions"):
            for action in _objects(_object(said).get("actions")):
                words = action.get("description", "a")
                if not set(action) <= _HARMLESS or not isinstance(words, str) or not _OWN_WORDS.fullmatch(words):
                    return False
                if not set(_object(action.get("parameters"))) <= _HARMLESS_PARAMETERS:
                    return False
        if label.startswith("c2pa.ingredient"):
            ingredient = _object(said)
            words = ingredient.get("description", "handed over in memory")
            if not isinstance(words, str) or not _PLAIN_INGREDIENT.fullmatch(words):
                return False
            if any(name in ingredient for name in ("informational_URI", "informationalURI", "metadata", "data")):
                return False
    return True


def _archive(name: str, kind: str, file: IO[bytes], digest: str, way: str) -> bytes:
    """A source with its credentials as an ingredient that can be put into manifests later."""
    known = ingredient_id(digest, name)
    made = library().Builder({"claim_generator_info": [{"name": "unflat"}]}, context())
    told = {"title": name, "relationship": f"{way}Of", "instance_id": known}
    made.add_ingredient(told, kind, _from_start(file))
    archive = io.BytesIO()
    made.write_ingredient_archive(known, archive)
    return archive.getvalue()


def _reader(kind: str, file: IO[bytes], manifest: bytes | None, anchors: str) -> Any:
    return library().Reader(kind, _from_start(file), manifest_data=manifest, context=context(anchors))


def _embedded(c2pa: Any, kind: str, file: IO[bytes]) -> bool:
    """Whether a manifest stands in a file, be it whole or damaged."""
    try:
        return bool(c2pa.Reader(kind, _from_start(file), context=context()).is_embedded())
    except c2pa.C2paError.ManifestNotFound:
        return False
    except c2pa.C2paError:
        return True


def _own_anchors() -> str:
    """The machine's own roots."""
    root = own_root()
    return root.decode("ascii", "replace") if root else ""


def _tells(path: Path, data: bytes | None) -> bool:
    """Whether a file may hold credentials, without asking the library; films have theirs near their beginning."""
    if data is None:
        with path.open("rb") as file:
            data = file.read(_HEAD)
    return all(sign in data for sign in _SIGNS)


def _from_start(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    return file


def _digest(file: IO[bytes]) -> str:
    told, piece = hashlib.sha256(), _from_start(file)
    while block := piece.read(1 << 20):
        told.update(block)
    return told.hexdigest()


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_MOST + 1)
    if len(data) > _MOST:
        raise InputError(f"{path.name} is larger than {_MOST >> 20} MB")
    return data


def _signer(manifest: dict[str, Any]) -> str | None:
    info = _object(manifest.get("signature_info"))
    return _text(info.get("issuer")) or _text(info.get("common_name"))


def _generator(manifest: dict[str, Any]) -> str | None:
    """Which program says that it made the file."""
    names = [_text(one.get("name")) for one in _objects(manifest.get("claim_generator_info"))]
    return next(iter(names), None)


def _source_type(actions: object) -> str | None:
    """The last source type that the actions tell, without the address of its vocabulary."""
    kinds = [_text(one.get("digitalSourceType")) for one in _objects(_object(actions).get("actions"))]
    told = [kind for kind in kinds if kind]
    return told[-1].rsplit("/", 1)[-1] if told else None


def _object(value: object) -> dict[str, Any]:
    return value if is_object(value) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if is_object(one)] if is_list(value) else []


def _text(value: object) -> str | None:
    return " ".join(value.split())[:200] if isinstance(value, str) and value.strip() else None


def _short(error: object) -> str:
    return " ".join(str(error).split())[:120]
