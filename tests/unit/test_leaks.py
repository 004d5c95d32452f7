"""What looks for leaks finds them, wherever they are put."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
import zlib

import pytest

from leaks import found_in, rational, unpacked
from planted import MARK

SECRET = f"{MARK}-serial"


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.bin", data)
    return file.getvalue()


@pytest.mark.parametrize(
    "hidden",
    [
        SECRET.encode(),
        SECRET.encode("utf-16-le"),
        SECRET.encode("utf-16-be"),
        SECRET.encode().hex().encode(),
        json.dumps({"deep": [SECRET]}).encode(),
        zlib.compress(b"before" + SECRET.encode() * 3),
        gzip.compress(SECRET.encode() * 3),
        zipped(SECRET.encode()),
        b"<html>" + base64.b64encode(gzip.compress(b"x" * 99 + zlib.compress(SECRET.encode()))),
        *(base64.b64encode(b"." * shift + SECRET.encode()) for shift in range(3)),
        zipped(zipped(SECRET.encode("utf-16-le"))),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_a_word_is_found(hidden: bytes) -> None:
    for noise in (b"", b"\x00\x78\x9c\x1f\x8b\x08 noise ", bytes(range(256)) * 9):
        place = noise + hidden + noise if hidden[:2] != b"PK" else hidden
        assert found_in(place, [MARK]), noise[:8]


def test_what_is_not_there_is_not_found() -> None:
    noise = bytes(range(256)) * 99 + base64.b64encode(zlib.compress(bytes(range(99))))
    assert found_in(noise, [MARK, *rational(311308261, 10000000)]) == []
    assert len(list(unpacked(noise))) > 1


def test_numbers_of_exif() -> None:
    assert found_in(b"\1\2" + bytes.fromhex("128e2fe500989680"), rational(311308261, 10000000))
