"""With which key files are signed: the user's certificate, or a root and a leaf that are made on this machine.

The machine's own root is made at first need and lies in the user's own folder. Nobody else knows it, so a signature
with it says no more than "made on that machine, and not changed since"; ``unflat verify`` says it in these words.
Neither certificate names the user or the machine.

Certificates as C2PA 2.2 asks for them, section 14.5.1: a leaf with the extended key usage *emailProtection* and the key
usage *digitalSignature*, an authority key identifier, and a root that is not self-signed as a leaf. Keys are Ed25519
(RFC 8032), whose signatures do not depend on chance.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from unflat.errors import InputError, OutputError
from unflat.formats.own_place import closed_folder, own_folder, write_closed
from unflat.trust.places import close_files, close_folder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.x509 import Certificate

SIGNER = "an unflat user"
"""What certificates of our making say of themselves."""
_FOLDER = "signing"
_ROOTS, _ROOT_KEY, _LEAF = "root.pem", "root.key", "signer.pem"
_UNTIL = "until "
"""The first line of the signer's file says when it is to be renewed: nothing has to read certificates for that."""
_ROOT_YEARS, _LEAF_YEARS, _RENEW_DAYS = 10, 2, 30
_LARGEST = 1 << 20
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True, slots=True)
class Keys:
    """A signer.

    Attributes:
        algorithm: As C2PA names it: "ed25519", "es256" …
        chain: Certificates in PEM, the signer's first.
        key: Its private key in PEM (PKCS #8).
        own: It was made on this machine.
        note: What the user should know of it, or None.
        lasting: It will be there the next time.
    """

    algorithm: str
    chain: bytes
    key: bytes = field(repr=False)
    own: bool
    note: str | None = None
    lasting: bool = True


def own_keys() -> Keys:
    """The machine's own signer; made where there is none yet, renewed a month before its leaf ends.

    Where the user's folder cannot be written, one is made for this run alone, and the note says so.
    """
    try:
        return _kept()
    except (OSError, OutputError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        note = f"Signed with a key that is forgotten after this run: no key could be kept ({why})."
        return _passing(note)


def own_root() -> bytes | None:
    """The machine's own root certificates in PEM, the newest first; None where there is none."""
    with contextlib.suppress(OSError, OutputError):
        return (own_folder() / _FOLDER / _ROOTS).read_bytes()[:_LARGEST]
    return None


def users_keys(certificate: Path, key: Path) -> Keys:
    """The user's own signer.

    Args:
        certificate: The chain in PEM, the signer's certificate first.
        key: Its private key in PEM, not encrypted.

    Raises:
        InputError: A file cannot be read, the two do not belong together, or the key is of a kind that C2PA has not.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization as form

    chain, secret = _read(certificate), _read(key)
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise InputError(f"{certificate.name} holds no certificate", hint="Give the chain in PEM.") from error
    try:
        private = form.load_pem_private_key(secret, None)
    except TypeError as error:
        raise InputError(f"{key.name} is locked with a password", hint="Give a copy without one.") from error
    except ValueError as error:
        raise InputError(f"{key.name} holds no private key", hint="Give it in PEM (PKCS #8).") from error
    raw = (form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    if leaf.public_key().public_bytes(*raw) != private.public_key().public_bytes(*raw):
        raise InputError(f"{key.name} is not the key of {certificate.name}", hint="The signer's certificate is first.")
    pem = private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    return Keys(_algorithm(private, key.name), chain, pem, own=False)


def _algorithm(private: object, name: str) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        return _CURVES[private.curve.name]
    raise InputError(f"C2PA has no signatures with the kind of key in {name}", hint="Ed25519, P-256 … P-521, or RSA.")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _kept() -> Keys:
    """The signer in the user's folder.

    Raises:
        OSError: It can neither be read nor be made.
        OutputError: There is no home folder.
        ValueError: What lies there is no signer.
    """
    folder, note = own_folder() / _FOLDER, None
    if not folder.is_dir():
        _make(folder)
    close_folder(folder)
    close_files(*(folder / name for name in (_ROOTS, _ROOT_KEY, _LEAF) if (folder / name).is_file()))
    held = _signer_in(folder)
    if held is None or held[0] <= datetime.now(UTC).date() or not _vouched(folder, held[2]):
        note = _renew(folder)
        held = _split((folder / _LEAF).read_bytes())
    return Keys("ed25519", held[2], held[1], own=True, note=note)


def _vouched(folder: Path, chain: bytes) -> bool:
    """Whether a signer's chain ends with one of the roots that lie in a folder of keys; compared as text."""
    last = chain[chain.rfind(b"-----BEGIN CERTIFICATE-----") :].strip()
    try:
        return last in (folder / _ROOTS).read_bytes()
    except FileNotFoundError:
        return False


def _signer_in(folder: Path) -> tuple[date, bytes, bytes] | None:
    """What lies in a folder of keys; None where it is lost or damaged."""
    try:
        return _split((folder / _LEAF).read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _split(data: bytes) -> tuple[date, bytes, bytes]:
    """A signer's file: the day to renew it, the private key, the certificates."""
    first, _, rest = data.partition(b"\n")
    key, mark, chain = rest.partition(b"-----BEGIN CERTIFICATE-----")
    if not first.startswith(_UNTIL.encode()) or not mark or b"PRIVATE KEY" not in key:
        raise ValueError("the signer's file is damaged")
    return date.fromisoformat(first[len(_UNTIL) :].decode()), key, mark + chain


def _make(folder: Path) -> None:
    """Root and leaf, all files at once: who comes second finds the folder there and takes what is in it."""
    place = closed_folder()
    made = place / f".{_FOLDER}.{secrets.token_hex(4)}.part"
    made.mkdir(mode=0o700)
    try:
        root, root_key = _root()
        for name, data in _files(root, root_key).items():
            _put(made / name, data)
        with contextlib.suppress(OSError):  # another run was quicker
            made.replace(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    if not (folder / _LEAF).is_file():
        raise OSError(errno.EACCES, "the folder for keys cannot be written", str(folder))


def _renew(folder: Path) -> str | None:
    """A new leaf under the old root, or both where the root ends or is damaged; what the user should know of it.

    Old roots stay, for what was signed under them.
    """
    old, found, note = _roots_in(folder), _root_in(folder), None
    if found is None:
        note = "The key of this machine was lost or damaged, and a new one was made."
    if found is None or found[0].not_valid_after_utc < datetime.now(UTC) + timedelta(days=365 * _LEAF_YEARS):
        found = _root()
    for name, data in _files(*found, old.replace(_pem(found[0]), b"")).items():
        write_closed(folder / name, data)
    return note


def _roots_in(folder: Path) -> bytes:
    """The root certificates that lie in a folder of keys, or, where these are lost, the one that its signer names."""
    from cryptography import x509

    try:
        held = (folder / _ROOTS).read_bytes()
        return b"".join(map(_pem, x509.load_pem_x509_certificates(held)))
    except (FileNotFoundError, ValueError):
        signer = _signer_in(folder)
        if signer is None:
            return b""
    try:
        return _pem(x509.load_pem_x509_certificates(signer[2])[-1])
    except ValueError:
        return b""


def _root_in(folder: Path) -> tuple[Certificate, Ed25519PrivateKey] | None:
    """The root and its key; None where one of them is lost or damaged, or they do not belong together."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        root = x509.load_pem_x509_certificates(_roots_in(folder))[0]
        key = form.load_pem_private_key((folder / _ROOT_KEY).read_bytes(), None)
    except (FileNotFoundError, ValueError, IndexError):
        return None
    if not isinstance(key, Ed25519PrivateKey) or key.public_key() != root.public_key():
        return None
    return root, key


def _files(root: Certificate, root_key: Ed25519PrivateKey, older: bytes = b"") -> dict[str, bytes]:
    """What is kept, in the order in which it is written: who is trusted before who signs."""
    key, leaf = _leaf(root, root_key)
    renew = (leaf.not_valid_after_utc - timedelta(days=_RENEW_DAYS)).date()
    signer = f"{_UNTIL}{renew.isoformat()}\n".encode() + _secret(key) + _pem(leaf) + _pem(root)
    return {_ROOTS: _pem(root) + older, _ROOT_KEY: _secret(root_key), _LEAF: signer}


def _put(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


@lru_cache(maxsize=1)
def _passing(note: str) -> Keys:
    """A signer for one run."""
    _, key, chain = _split(_files(*_root())[_LEAF])
    return Keys("ed25519", chain, key, own=True, note=note, lasting=False)


def _root() -> tuple[Certificate, Ed25519PrivateKey]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    return _certificate(key, None, None), key


def _leaf(root: Certificate, root_key: Ed25519PrivateKey) -> tuple[Ed25519PrivateKey, Certificate]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    return key, _certificate(key, root, root_key)


def _certificate(key: Ed25519PrivateKey, root: Certificate | None, root_key: Ed25519PrivateKey | None) -> Certificate:
    """A leaf under ``root``, or a root of its own."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(role: str) -> x509.Name:
        words = ((NameOID.ORGANIZATION_NAME, SIGNER), (NameOID.COMMON_NAME, f"{SIGNER}: {role}, vouched for by nobody"))
        return x509.Name([x509.NameAttribute(oid, text) for oid, text in words])

    leaf, now = root is not None, datetime.now(UTC)
    usage = x509.KeyUsage(leaf, False, False, False, False, not leaf, not leaf, False, False)
    years = _LEAF_YEARS if leaf else _ROOT_YEARS
    made = (
        x509.CertificateBuilder()
        .subject_name(name("signer" if leaf else "root"))
        .issuer_name(name("root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks differ
        .not_valid_after(now + timedelta(days=365 * years))
        .add_extension(x509.BasicConstraints(not leaf, None if leaf else 0), True)
        .add_extension(usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )
    if root is not None:
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key((root_key or key).public_key())
        made = made.add_extension(above, False)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    return made.sign(root_key or key, None)


def _pem(certificate: Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _secret(key: Ed25519PrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization as form

    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())


def signed_by_own_root(chain: bytes, signature: bytes, data: bytes) -> bool:
    """Whether ``data`` was signed with a leaf under one of this machine's roots.

    Args:
        chain: The signer's certificate first, in PEM.
        signature: Ed25519.
        data: What was signed.

    Raises:
        ValueError: The chain is damaged.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    leaf, roots = x509.load_pem_x509_certificates(chain)[0], own_root()
    if roots is None:
        return False
    for root in x509.load_pem_x509_certificates(roots):
        try:
            leaf.verify_directly_issued_by(root)
            key = leaf.public_key()
            if not isinstance(key, Ed25519PublicKey):
                return False
            key.verify(signature, data)
        except (InvalidSignature, ValueError, TypeError):
            continue
        return True
    return False
