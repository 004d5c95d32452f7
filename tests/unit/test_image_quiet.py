"""C libraries are kept off the terminal, by several threads at once, and the terminal comes back."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from unflat.formats.quiet import quiet


def test_what_is_printed_is_heard_and_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet() as heard:
        os.write(2, b"Corrupt data")
    os.write(2, b"after")
    assert heard.text == "Corrupt data"
    assert capfd.readouterr().err == "after"


def test_many_threads(capfd: pytest.CaptureFixture[str]) -> None:
    def once(number: int) -> bool:
        with quiet() as heard:
            os.write(2, f"<{number}>".encode())
        return f"<{number}>" in heard.text

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(once, range(200)))
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_an_error_inside_brings_it_back_too(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), quiet():
        raise KeyError
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
