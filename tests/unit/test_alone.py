"""Who reaches for another machine in a test is stopped, whoever swallows the error; loopback is free."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import alone
from alone import AttemptError, attempt, written_down

BEYOND = "192.0.2.1"
"""An address that is nobody's (RFC 5737)."""


def udp(flags: int = 0) -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM | flags)


def test_a_connection_is_stopped(attempts: Path) -> None:
    with socket.socket() as one, pytest.raises(AttemptError, match=f"connect: .*{BEYOND}"):
        one.connect((BEYOND, 80))
    (told,) = written_down(attempts)
    assert "test_a_connection_is_stopped" in told


def test_who_swallows_errors_swallows_none_of_these(attempts: Path) -> None:
    with pytest.raises(AttemptError, match=r"getaddrinfo: 'unflat\.invalid'"), contextlib.suppress(Exception):
        urllib.request.urlopen("http://unflat.invalid/", timeout=1)
    assert len(written_down(attempts)) == 1


def test_names_packets_and_open_doors_count(attempts: Path) -> None:
    with pytest.raises(AttemptError):
        socket.gethostbyname("unflat.invalid")
    with udp() as one, pytest.raises(AttemptError):
        one.sendto(b"x", (BEYOND, 53))
    with udp() as one, pytest.raises(AttemptError):
        one.bind(("", 0))
    with udp() as one, pytest.raises(AttemptError):
        one.bind(("0.0.0.0", 0))
    assert len(written_down(attempts)) == 4


def test_a_process_is_watched_too(attempts: Path) -> None:
    code = f"import socket\ntry: socket.create_connection(('{BEYOND}', 80))\nexcept OSError: pass"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "AttemptError" in done.stderr
    (told,) = written_down(attempts)
    assert told.startswith(f"socket.getaddrinfo: '{BEYOND}'") and sys.executable in told


def test_programs_that_fetch_are_not_started(attempts: Path) -> None:
    with pytest.raises(AttemptError, match=r"subprocess\.Popen: curl"):
        subprocess.run(["curl", f"http://{BEYOND}/"], check=False)
    assert len(written_down(attempts)) == 1


def test_what_was_tried_fails_the_test(tmp_path: Path) -> None:
    """In a process of its own: a test that catches everything fails all the same."""
    tests, inner = Path(alone.__file__).parent, tmp_path / "test_inner.py"
    for name in ("conftest.py", "alone.py"):
        shutil.copy(tests / name, tmp_path)
    inner.write_text(
        "import socket\n\n\ndef test_it():\n    try:\n"
        f"        socket.socket().connect(('{BEYOND}', 80))\n    except BaseException:\n        pass\n"
    )
    env = {name: value for name, value in os.environ.items() if name not in (alone.NOTES, "PYTHONPATH")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(inner)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1 and "another machine was reached for" in done.stdout, done.stdout + done.stderr


def test_loopback_and_sockets_between_processes_are_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
    assert socket.getaddrinfo("localhost", 80)
    one, other = socket.socketpair()
    one.close()
    other.close()


@pytest.mark.parametrize(
    ("event", "args", "said"),
    [
        ("socket.connect", (None, ("::1", 80, 0, 0)), None),
        ("socket.connect", (None, ("127.9.9.9", 80)), None),
        ("socket.connect", (None, ("fe80::1%eth0", 80, 0, 2)), "fe80"),
        ("socket.connect", (None, "/run/some.sock"), None),
        ("socket.sendmsg", (None, None), None),
        ("socket.getaddrinfo", (b"example.org", 80, 0, 0, 0), "example"),
        ("subprocess.Popen", ("/usr/bin/wget", [], None, None), "wget"),
        ("subprocess.Popen", (Path("C:/x/CURL.EXE"), [], None, None), "curl"),
        ("subprocess.Popen", ("/usr/bin/node", [], None, None), None),
        ("open", ("/etc/hosts", "r", 0), None),
    ],
)
def test_what_counts(event: str, args: tuple[object, ...], said: str | None) -> None:
    told = attempt(event, args)
    assert (told is None) if said is None else (told is not None and said in told)
