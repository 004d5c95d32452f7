"""Consent records on disk: signed JSON in the user's own folder, readable by its owner alone.

A record names a person. It never leaves this machine by our doing: results carry its identifier, and ``inspect`` looks
it up again. The signature (Ed25519, with the machine's own key) shows that a record is as it was written down; a
withdrawal is written into it and signed anew.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

from unflat.errors import ConsentError, InputError, OutputError
from unflat.formats.keys import own_keys, signed_by_own_root
from unflat.formats.own_place import closed_folder, own_folder, write_closed
from unflat.formats.plain import is_list, is_object
from unflat.types.consent import ConsentRecord, Scope

_FOLDER, _KIND = "consent", "unflat consent record"
_LARGEST = 1 << 16
_DAYS = ("given", "expires", "withdrawn")


def today() -> date:
    """The day by which consents are judged, in UTC."""
    return datetime.now(UTC).date()


def keep(record: ConsentRecord) -> Path:
    """Write a record, signed; what was there under the same identifier is replaced.

    Raises:
        OutputError: The user's folder cannot be written, or there is no lasting key to sign with.
    """
    keys = own_keys()
    if not keys.lasting:
        raise OutputError("consent records need a key that is kept on this machine", hint=keys.note or "")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(keys.key, None)
    assert isinstance(key, Ed25519PrivateKey)
    told = _to_plain(record)
    whole = {
        "kind": _KIND,
        "record": told,
        "signature": base64.b64encode(key.sign(_signed(told))).decode(),
        "certificates": keys.chain.decode("ascii"),
    }
    try:
        path = closed_folder(_FOLDER) / f"{record.id}.json"
        write_closed(path, json.dumps(whole, indent=1, ensure_ascii=False).encode())
    except OSError as error:
        raise OutputError(f"the consent record cannot be kept: {error.strerror or error}") from error
    return path


def find(word: str) -> ConsentRecord:
    """The record with an identifier (or its beginning, at least eight characters), or in a file.

    Raises:
        ConsentError: There is none, or it was changed since it was signed.
        InputError: The beginning is that of several.
    """
    path = Path(word)
    return read(path) if path.is_file() else known(word)


def known(identifier: str) -> ConsentRecord:
    """The record that is kept on this machine under an identifier, or its beginning of at least eight characters.

    Raises:
        ConsentError: There is none, it was changed since it was signed, or it is another's under that name.
        InputError: The beginning is that of several.
    """
    asked = len(identifier) >= 8 and identifier.replace("-", "").isalnum()
    found = sorted((own_folder() / _FOLDER).glob(f"{identifier}*.json")) if asked else []
    if len(found) > 1:
        raise InputError(f"{len(found)} consent records begin with {identifier}", hint="Give more of the identifier.")
    if not found:
        raise ConsentError("there is no such consent record on this machine", hint="'unflat consent list' shows all.")
    return _under_its_name(found[0])


def _under_its_name(path: Path) -> ConsentRecord:
    """A record that is kept here; another's under that name could stand in for one that was withdrawn."""
    record = read(path)
    if path.stem != record.id:
        raise ConsentError(f"{path.name} is the record of another consent", hint="Take it away.")
    return record


def read(path: Path) -> ConsentRecord:
    """Read a record and check its signature.

    Raises:
        ConsentError: It is no record, or was changed since it was signed on this machine.
        InputError: It cannot be read.
    """
    if not path.is_file():  # nor a pipe or a device, which might never end
        raise ConsentError(f"{path.name} is no consent record", hint="'unflat consent give' makes one.")
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST)
        whole: Any = json.loads(data)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError):
        whole = None
    if not is_object(whole) or whole.get("kind") != _KIND or not is_object(whole.get("record")):
        raise ConsentError(f"{path.name} is no consent record", hint="'unflat consent give' makes one.")
    told = whole["record"]
    try:
        signature = base64.b64decode(str(whole.get("signature")), validate=True)
        intact = signed_by_own_root(str(whole.get("certificates")).encode(), signature, _signed(told))
        record = _from_plain(told)
    except (ValueError, KeyError, TypeError) as error:
        raise ConsentError(f"{path.name} is damaged") from error
    if not intact:
        raise ConsentError(
            f"{path.name} is not as it was signed on this machine",
            hint="Ask for the consent anew: 'unflat consent give'.",
        )
    return record


def kept() -> tuple[list[ConsentRecord], list[str]]:
    """Every record that is kept on this machine, the oldest first; and what is wrong with those that cannot be used."""
    records, faults = list[ConsentRecord](), list[str]()
    for path in sorted((own_folder() / _FOLDER).glob("*.json")):
        try:
            records.append(_under_its_name(path))
        except (ConsentError, InputError) as error:
            faults.append(str(error))
    return sorted(records, key=lambda record: (record.given, record.id)), faults


def check_again(identifiers: tuple[str, ...]) -> None:
    """Refuse to let a result out whose consents do not hold any more.

    Raises:
        ConsentError: One was withdrawn, has ended, or is gone.
    """
    for identifier in identifiers:
        fault = known(identifier).fault(today())
        if fault is not None:
            raise ConsentError(f"the consent record {identifier} does not hold: {fault}", hint="Ask for a new one.")


def standing(identifier: str) -> str:
    """How a consent that a result names stands today, in words without a name: for ``inspect``."""
    try:
        record = known(identifier)
    except (ConsentError, InputError) as error:
        return str(error)
    fault = record.fault(today())
    ends = "" if record.expires is None else f" until {record.expires.isoformat()}"
    return fault or f"it holds{ends}, for: {', '.join(record.scope)}"


def _signed(told: dict[str, Any]) -> bytes:
    """The bytes of a record that its signature is of: RFC 8785 for values that are texts, lists and null."""
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _to_plain(record: ConsentRecord) -> dict[str, Any]:
    told = {name: getattr(record, name) for name in ConsentRecord.__dataclass_fields__}
    days = {name: None if told[name] is None else told[name].isoformat() for name in _DAYS}
    return {**told, **days, "scope": list(record.scope)}


def _from_plain(told: dict[str, Any]) -> ConsentRecord:
    given = date.fromisoformat(told["given"])
    ends = {name: None if told[name] is None else date.fromisoformat(told[name]) for name in _DAYS[1:]}
    scope, known = told["scope"], get_args(Scope)
    if not is_list(scope) or not all(one in known for one in scope):
        raise ValueError("a consent record is damaged")
    texts = [told["id"], told["who"], told["purpose"], told["guardian"] or ""]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a consent record is damaged")
    return ConsentRecord(
        texts[0], texts[1], texts[2], tuple(scope), given, ends["expires"], ends["withdrawn"], texts[3] or None
    )
