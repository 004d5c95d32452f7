"""Fetching models, the one place of unflat that uses a network, and only when told to: ``unflat models pull``.

From the Hugging Face hub a repository is fetched at one commit, and every file is compared with the checksum that the
hub's own listing states (the sha256 of large files, git's sha1 of small ones). From any other address one ``.onnx``
file is fetched, and its sha256 must be given. A model appears in the cache whole, or not at all.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import secrets
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from unflat import __version__
from unflat.errors import InputError, OutputError, WeightsError
from unflat.models.cache import RECORD, Held, check_name, discard, models_folder, name_for, read_record, write_record
from unflat.models.catalogue import known
from unflat.models.exported import exported_card
from unflat.models.onnx_card import read_card, stated_card
from unflat.models.onnx_file import files_of, metadata_of, sha256_of
from unflat.models.outside import licence_in
from unflat.models.registry import SHIPPED, taken
from unflat.trust.licences import UNKNOWN
from unflat.trust.places import close_files, close_folder

HUB = "https://huggingface.co"
"""Where repositories are fetched from, unless the environment variable HF_ENDPOINT names a mirror."""
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,150}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TEXTS = ("config.json", "preprocessor_config.json", "README.md", "LICENSE", "LICENSE.txt", "LICENSE.md")
_BLOCK = 1 << 20
_LARGEST = 16 * 2**30
_LARGEST_LISTING = 8 << 20
_TIMEOUT_S = 30.0
_WINDOW_S, _SLOWEST = 60.0, 1000
"""A server that sends fewer bytes a second, over so long a time, is left."""
_STALE_S = 86_400.0
_OFFLINE = "Is this machine online? Else copy the folder here and use --depth transformers:FOLDER or onnx:FILE."
_FAULTS = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _File:
    """One file to fetch.

    Attributes:
        name: Under which it is kept.
        url: Where it lies.
        bytes: Its size; None if nobody says.
        sha256: It must have this, if not None.
        sha1: It must have this as git counts it, if not None.
    """

    name: str
    url: str
    bytes: int | None = None
    sha256: str | None = None
    sha1: str | None = None


def pull(
    what: str, *, sha256: str | None = None, card: Path | None = None, progress: Progress = lambda text: None
) -> Held:
    """Fetch a model.

    Args:
        what: A name of the catalogue, a repository OWNER/MODEL, or the address of an ``.onnx`` file.
        sha256: Of the file at an address.
        card: Of the file at an address: the JSON that says what it is.
        progress: Told what is being fetched.

    Returns:
        The record of what now lies in the cache. One that lies there already, whole, is not fetched again.

    Raises:
        InputError: The word names nothing that can be fetched, or ``sha256`` is missing.
        WeightsError: It cannot be reached, or what came is not what was promised.
        OutputError: There is no room for it.
    """
    if "://" in what:
        return _pull_address(what, sha256, card, progress)
    if sha256 is not None or card is not None:
        raise InputError("--sha256 and --card go with the address of one file", hint="Leave them out.")
    if what in SHIPPED:
        raise InputError(f"'{what}' ships with unflat and need not be fetched", hint=f"Use it with --depth {what}")
    row = known(what)
    repo = row.repo if row else what
    if not _REPO.fullmatch(repo) or ".." in repo:
        raise InputError(
            f"'{what:.80}' is no known model, repository or address", hint="'unflat models list' has names."
        )
    return _pull_repo(repo, row.name if row else name_for(repo), row.licence if row else None, progress)


def _pull_repo(repo: str, name: str, licence: str | None, progress: Progress) -> Held:
    progress(f"asking for {repo}")
    hub = os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB
    if not hub.startswith(("https://", "http://")) or not hub.isascii() or not _parts(hub).hostname:
        raise InputError(f"HF_ENDPOINT is '{hub:.80}', no address", hint=f"Leave it unset, or say {HUB}.")
    listing = _listing(f"{hub}/api/models/{repo}?blobs=true", repo)
    revision = str(listing.get("sha", ""))
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise WeightsError(f"the hub's listing of '{repo}' names no commit", hint="Try again later.")
    files = _wanted(listing, f"{hub}/{repo}/resolve/{revision}", repo)
    large = [file for file in files if file.name.endswith((".safetensors", ".onnx"))]
    runtime = "onnx" if large[0].name.endswith(".onnx") else "transformers"

    def finish(folder: Path) -> Held:
        said = licence_in(folder) or licence or UNKNOWN
        main = large[0].name if runtime == "onnx" else ""
        if runtime == "onnx":
            files_of(folder / main)
            exported_card(folder, main, name, said)
        return Held(name, repo, revision, runtime, said, main, _recorded(folder))

    return _whole(name, repo, files, finish, progress)


def _pull_address(what: str, sha256: str | None, card: Path | None, progress: Progress) -> Held:
    url = urllib.parse.quote(what, safe="%/:?#[]@!$&'()*+,;=~")
    file = _file_of(url)
    if sha256 is None or not _SHA256.fullmatch(sha256.lower()):
        raise InputError(
            "a file from an address needs its checksum", hint="Give --sha256 with the 64 digits its publisher states."
        )
    if card is not None and not card.is_file():
        raise InputError(f"{card} does not exist", hint="Check the spelling and the folder.")
    name = name_for(file.removesuffix(".onnx"))
    if Path(file).with_suffix(".json").name == RECORD:
        raise InputError(f"the card of '{file}' would bear the name of the record {RECORD}", hint="Rename the file.")
    if name in taken() or known(name) is not None:
        raise InputError(
            f"'{name}' names another model already", hint=f"Save the file yourself and say --depth onnx:{file}"
        )
    files = [_File(file, url, sha256=sha256.lower())]
    if card is not None:
        size = card.stat().st_size
        files.append(_File(f"{Path(file).stem}.json", card.absolute().as_uri(), size, sha256=sha256_of(card)))

    def finish(folder: Path) -> Held:
        path = folder / file
        if len(files_of(path)) > 1:
            raise WeightsError(f"'{file}' needs data files beside it", hint="Fetch all by hand and use onnx:PATH.")
        inside = metadata_of(path)
        said = stated_card(path, inside) if card is None else read_card(path, inside, None)
        return Held(name, url, "", "onnx", said.licence, file, _recorded(folder))

    return _whole(name, url, files, finish, progress)


def _file_of(url: str) -> str:
    """The name of the file at an address.

    Raises:
        InputError: It is not the address of an ``.onnx`` file.
    """
    parts = _parts(url)
    file = PurePosixPath(urllib.parse.unquote(parts.path)).name
    if parts.scheme not in ("https", "http", "file") or not file.endswith(".onnx") or not _PART.fullmatch(file):
        raise InputError(f"'{url:.100}' is not the address of an .onnx file", hint="https://…/NAME.onnx --sha256 HEX")
    return file


def _parts(url: str) -> urllib.parse.SplitResult:
    """The parts of an address, all empty where its host or port cannot be one."""
    try:
        parts = urllib.parse.urlsplit(url)
        named = (parts.hostname or "").encode("idna") is not None and parts.port != 0
    except ValueError:
        named = False
    return urllib.parse.urlsplit(url if named else "")


def _whole(name: str, source: str, files: list[_File], finish: Callable[[Path], Held], progress: Progress) -> Held:
    """Fetch into a folder beside the place, then rename it: a model is there whole, or not at all."""
    place = models_folder() / check_name(name)
    before = read_record(name)
    if before is not None and _same(before, files):
        return before
    if before is not None and before.source != source:
        raise InputError(
            f"the model '{name}' on this disk came from elsewhere, {before.source:.120}",
            hint=f"To replace it: unflat models remove {name}, then pull again.",
        )
    draft = place.with_name(f".{name}.{secrets.token_hex(4)}.part")
    _sweep(place)
    try:
        close_folder(models_folder().parent, again=False)
        close_folder(models_folder(), again=False)
        close_folder(draft)
        room, needed = shutil.disk_usage(draft).free, sum(file.bytes or 0 for file in files)
        if needed > room:
            raise OutputError(f"'{name}' needs {needed / 1e9:.1f} GB, there are {room / 1e9:.1f}", hint=_ROOM)
        for file in files:
            _fetch(file, draft, progress)
        model = finish(draft)
        write_record(model, draft)
        close_files(*draft.iterdir())
        if os.path.lexists(place):
            place.replace(place.with_name(f"{draft.name}.old"))
        draft.replace(place)
    except OSError as error:
        raise OutputError(
            f"'{name}' cannot be kept in {place.parent}: {error.strerror or error}", hint=_ROOM
        ) from error
    finally:
        for left in (draft, place.with_name(f"{draft.name}.old")):
            discard(left)
    return model


_ROOM = "Make room, or let the environment variable UNFLAT_CACHE name a folder elsewhere."


def _sweep(place: Path) -> None:
    """Delete what a fetch that was killed left a day ago or longer."""
    for left in place.parent.glob(f".{place.name}.*.part*"):
        if time.time() - left.lstat().st_mtime > _STALE_S:
            discard(left)


def _same(model: Held, files: list[_File]) -> bool:
    """Whether all of ``files`` lie on disk already as they should."""
    for file in files:
        path = model.folder / file.name
        if file.name not in model.files or not path.is_file() or sha256_of(path) != model.files[file.name][0]:
            return False
        if file.sha256 is not None and model.files[file.name][0] != file.sha256:
            return False
        if file.sha1 is not None and _git_sha1(path) != file.sha1:
            return False
    return True


def _wanted(listing: dict[str, Any], base: str, repo: str) -> list[_File]:
    """The files of a repository that make a model: weights in safetensors, or else one exported network."""
    there: dict[str, dict[str, Any]] = {}
    siblings = listing.get("siblings")
    for one in siblings if isinstance(siblings, list) else []:
        if isinstance(one, dict) and isinstance(one.get("rfilename"), str):
            there[one["rfilename"]] = one
    weights = [name for name in there if re.fullmatch(r"model(-\d+-of-\d+)?\.safetensors(\.index\.json)?", name)]
    if not any(name.endswith(".safetensors") for name in weights):
        main = next((name for name in ("onnx/model.onnx", "model.onnx") if name in there), None)
        weights = [name for name in there if main and re.fullmatch(rf"{main}(_data(_\d+)?)?", name)]
    if not weights or "config.json" not in there:
        raise WeightsError(
            f"'{repo}' has no config.json with model.safetensors or model.onnx",
            hint="Weights in .bin or .pt are not fetched: they may hide a program.",
        )
    names = sorted(weights, key=lambda name: "_data" in name) + [name for name in _TEXTS if name in there]
    return [_listed(name, there[name], base, repo) for name in names]


def _listed(name: str, row: dict[str, Any], base: str, repo: str) -> _File:
    large = row.get("lfs")
    size = row.get("size")
    sha256 = large.get("sha256") if isinstance(large, dict) else None
    sha1 = None if sha256 else row.get("blobId")
    if not isinstance(sha256 or sha1, str) or not _PART.fullmatch(PurePosixPath(name).name):
        raise WeightsError(f"the hub states no checksum for {name:.80} of '{repo}'", hint="Try again later.")
    if isinstance(size, int) and size > _LARGEST:
        raise WeightsError(f"{name} of '{repo}' is larger than 16 GB", hint="Take a smaller model.")
    url = f"{base}/{urllib.parse.quote(name)}"
    return _File(PurePosixPath(name).name, url, size if isinstance(size, int) else None, sha256, sha1)


def _listing(url: str, repo: str) -> dict[str, Any]:
    try:
        with _open(url) as answer:
            said = json.loads(b"".join(_blocks(answer, _LARGEST_LISTING)))
    except urllib.error.HTTPError as error:
        raise _refused(error, repo) from error
    except _FAULTS as error:
        raise WeightsError(f"'{repo}' cannot be asked for: {_reason(error)}", hint=_OFFLINE) from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"the hub's listing of '{repo}' is no JSON", hint="Try again later.") from error
    if not isinstance(said, dict):
        raise WeightsError(f"the hub's listing of '{repo}' is no object", hint="Try again later.")
    return said


def _fetch(file: _File, folder: Path, progress: Progress) -> None:
    """One file into ``folder``, counted and compared."""
    path, most, got = folder / file.name, _LARGEST if file.bytes is None else file.bytes, 0
    try:
        with _open(file.url) as answer, path.open("wb") as stream:
            for block in _blocks(answer, most + 1):
                got += len(block)
                if got > most:
                    raise WeightsError(f"{file.name} is larger than it should be", hint="Do not trust that place.")
                stream.write(block)
                progress(f"{file.name} {got / 1e6:.0f} MB" + (f" of {file.bytes / 1e6:.0f}" if file.bytes else ""))
    except urllib.error.HTTPError as error:
        raise _refused(error, file.url) from error
    except _FAULTS as error:
        raise WeightsError(f"{file.name} cannot be fetched: {_reason(error)}", hint=_OFFLINE) from error
    wrong = (
        (file.bytes is not None and got != file.bytes)
        or (file.sha256 is not None and sha256_of(path) != file.sha256)
        or (file.sha1 is not None and _git_sha1(path) != file.sha1)
    )
    if wrong:
        raise WeightsError(
            f"{file.name} is not what was promised: its checksum differs", hint="Try again, or report it."
        )


def _open(url: str) -> Any:
    """Ask for an address.

    Raises:
        URLError: There is nothing, what is there is no plain file, or the way leads to a host that cannot be one.
    """
    try:
        request = urllib.request.Request(url, headers={"User-Agent": f"unflat/{__version__}"})
        if request.type == "file" and not Path(urllib.request.url2pathname(request.selector)).is_file():
            raise urllib.error.URLError("there is no such file")
        return urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except ValueError as error:
        raise urllib.error.URLError(f"it leads to what is no address ({error})") from error


def _blocks(answer: Any, most: int) -> Iterator[bytes]:
    """What a server sends, up to ``most`` bytes.

    Raises:
        TimeoutError: It goes on sending, but next to nothing.
    """
    since, got = time.monotonic(), 0
    while most > 0 and (block := answer.read1(min(_BLOCK, most))):
        yield block
        most, got, now = most - len(block), got + len(block), time.monotonic()
        if now - since > _WINDOW_S:
            if got < _SLOWEST * (now - since):
                raise TimeoutError("the server sends less than 1 kB a second")
            since, got = now, 0


def _refused(error: urllib.error.HTTPError, what: str) -> InputError | WeightsError:
    error.close()
    if error.code == 404:
        return InputError(f"there is nothing at '{what:.120}'", hint="Check the spelling.")
    if error.code in (401, 403):
        return WeightsError(
            f"'{what:.120}' is not open to everybody (HTTP {error.code})",
            hint="Accept its terms and fetch it by hand, then use --depth transformers:FOLDER.",
        )
    return WeightsError(f"'{what:.120}' cannot be fetched: HTTP {error.code}", hint="Try again later.")


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "reason", "") or error or type(error).__name__).split())[:150]


def _recorded(folder: Path) -> dict[str, tuple[str, int]]:
    return {one.name: (sha256_of(one), one.stat().st_size) for one in sorted(folder.iterdir())}


def _git_sha1(path: Path) -> str:
    """The name that git gives to a file's content."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
