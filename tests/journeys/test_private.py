"""Every journey under the system's own eyes: nothing is sent, nothing private comes out, nothing private is left open.

Sources of every kind say more than they should; strace tells of every call that opens, names or uses a socket, also by
compiled code that does not go through the C library's door, and who made it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from every_journey import JOURNEYS, Done, Journey, World, verbs
from leaks import found_in
from planted import COORDINATES, DATES, FILED, HOME, KEPT, MARK, PERSON
from unflat.cli.main import VERBS
from unflat.formats.registry import FORMATS

TRACER = (
    "strace",
    "-f",
    "-qq",
    "--seccomp-bpf",
    "-k",
    "-e",
    "trace=%network,io_uring_setup",
    "-e",
    "signal=none",
    "-o",
)
OPENED = re.compile(r"^\d+ +(?:socket\((?!AF_UNIX)|io_uring_setup\()")
NAMED = re.compile(r"^\d+ +\w+\(.*(?:sa_family=(?!AF_UNIX)|/run/systemd/resolve|/run/nscd)")
LOOPBACK = re.compile(r'socket\(AF_INET|inet_addr\("127\.|inet_pton\(AF_INET6, "::1"')
CLOSED = ("home", "cache", "data")


def beyond(calls: str, *, serves: bool = False) -> list[str]:
    """Calls that open a socket that is not one between processes, or name an address; each with who made it.

    Args:
        calls: What strace wrote.
        serves: Loopback is what is asked for.
    """
    found: list[str] = []
    lines = calls.splitlines()
    for at, line in enumerate(lines):
        if (OPENED.match(line) or NAMED.match(line)) and not (serves and LOOPBACK.search(line)):
            stack = [one for one in lines[at + 1 : at + 12] if one.startswith(" > ")]
            users = "nscd" in line and any(
                "getpw" in one or "getgr" in one for one in stack
            )  # who one is, not who another
            found += [] if users else ["\n".join([line, *stack])]
    return found


@pytest.fixture(scope="module")
def tracer(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What watches; journeys go unwatched where the system lets nobody (and Python's own events are watched still)."""
    if not sys.platform.startswith("linux"):
        return []
    log = tmp_path_factory.mktemp("strace") / "log"
    able = shutil.which("strace") and not subprocess.run([*TRACER, log, "true"], check=False).returncode
    if not able and os.environ.get("UNFLAT_CI") == "1":
        pytest.fail("strace is not installed, or may not watch")
    return [*TRACER] if able else []


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("private") / f"{HOME}-olga").prepare()


@pytest.fixture(params=JOURNEYS, ids=lambda journey: journey.name)
def journey(request: pytest.FixtureRequest) -> Journey:
    return request.param


@pytest.fixture
def done(world: World, tracer: list[str], journey: Journey) -> Iterator[Done]:
    before = os.umask(0)
    try:
        yield world.go(journey, tracer)
    finally:
        os.umask(before)


def test_it_went_as_it_should(done: Done) -> None:
    assert done.code in done.journey.code, done.said.decode("utf-8", "replace")[-3000:]
    if done.code != 0:
        assert done.files == [], "what failed leaves nothing"


def test_nothing_is_sent(done: Done) -> None:
    if done.calls is None:
        pytest.skip("strace is not there, or may not watch; Python's own attempts would have failed the journey")
    assert beyond(done.calls, serves=done.journey.serves) == []


def test_nothing_private_is_said(done: Done) -> None:
    named = () if done.journey.person else (PERSON,)
    assert found_in(done.said, (MARK, *named, *COORDINATES, *DATES)) == []


def test_nothing_private_is_made(done: Done) -> None:
    words = (MARK, HOME, FILED, PERSON, *COORDINATES, *(DATES if "volume" in done.journey.words else ()))
    for path in done.files:
        assert found_in(path.name.encode() + b"\n" + path.read_bytes(), words) == [], path.name


def test_what_is_made_heeds_the_umask(done: Done) -> None:
    for path in done.made.rglob("*"):
        usual = 0o777 if path.is_dir() else 0o666
        if ".parts" in str(path.relative_to(done.made)):
            assert path.stat().st_mode & 0o077 == 0, path
        else:
            assert path.stat().st_mode & 0o777 == usual, path


def test_every_verb_is_gone(world: World) -> None:
    assert set(verbs()) >= set(VERBS)


def test_every_format_is_made(world: World, tracer: list[str]) -> None:
    made = {path.name for journey in JOURNEYS for path in world.go(journey, tracer).made.rglob("*")}
    wanted = {suffix for row in FORMATS for suffix in row.suffixes} - {".jpeg"}
    assert [suffix for suffix in sorted(wanted) if not any(name.endswith(suffix) for name in made)] == []


def test_what_is_kept_says_nothing_and_is_closed(world: World, tracer: list[str]) -> None:
    for journey in JOURNEYS:
        world.go(journey, tracer)
    assert list(world.hidden["TMPDIR"].iterdir()) == [], "nothing is left among temporary files"
    for name in CLOSED:
        folder = world.base / name
        for path in (folder, *folder.rglob("*")) if folder.exists() else ():
            if path != world.hidden["HOME"]:
                assert path.stat().st_mode & 0o077 == 0, path
            if path.is_file():
                words = (MARK, FILED, *COORDINATES, *DATES)
                assert found_in(path.read_bytes(), words) == [], path
    assert len(list((world.base / "data").rglob("*.json"))) == 1


def test_rights_do_come_out(world: World, tracer: list[str]) -> None:
    """Whoever wrote nothing at all would pass the rest."""
    scenes = world.go(next(one for one in JOURNEYS if one.name == "scenes"), tracer)
    silent = {path.name for path in scenes.files if not found_in(path.read_bytes(), [KEPT])}
    assert silent == {"a.spz", "a.stl", "b.bin", "c.mtl", "d.npy", "d.pfm"}, (
        "those that name them, or lie beside, say it"
    )


class Loaded(HTMLParser):
    """What a browser would fetch for a page, and by which policy."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.policy, self.fetched = "", list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if told.get("http-equiv") == "Content-Security-Policy":
            self.policy = told["content"]
        for name in (
            "src",
            "href",
            "srcset",
            "data",
            "poster",
            "action",
            "formaction",
            "ping",
            "background",
            "xlink:href",
        ):
            if tag != "a" and not told.get(name, "#").startswith(("data:", "blob:", "#")):
                self.fetched.append(f"<{tag} {name}={told[name][:80]!r}>")
        for name in ("style", "content"):
            self.fetched += re.findall(r"url\([^)#]{,80}", told.get(name, ""))


def test_pages_load_nothing(world: World, tracer: list[str]) -> None:
    """By what is written in them, and by a policy that browsers keep: nothing but what is in the page."""
    pages = [path for journey in JOURNEYS for path in world.go(journey, tracer).files if path.suffix == ".html"]
    shown = [path for path in pages if not path.name.endswith(".snippet.html")]
    assert len(shown) >= 8
    for path in shown:
        page = Loaded(path.read_text("utf-8"))
        assert page.fetched == [], path
        rules = dict(rule.strip().split(" ", 1) for rule in page.policy.split(";") if rule.strip())
        assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'", path
        for rule, allowed in rules.items():
            for source in allowed.split():
                assert source in ("'none'", "data:", "blob:") or source.startswith("'sha256-"), (path, rule, source)
    snippets = [path.read_text("utf-8") for path in pages if path not in shown]
    assert snippets and all("comes from Google" in text.split("-->")[0] for text in snippets), (
        "it is said where it goes"
    )


@pytest.mark.parametrize(
    "page", ["<img src=//x.example/a.png>", "<link href='https://x/a.css'>", "<p style='a: url(b)'>"]
)
def test_what_a_page_would_load_is_seen(page: str) -> None:
    assert len(Loaded(page).fetched) == 1


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "import ctypes; ctypes.CDLL(None).socket(2, 1, 0)",
        "import ctypes; ctypes.CDLL(None).syscall(41, 10, 2, 0)",
        "import ctypes; ctypes.CDLL(None).getaddrinfo(b'unflat.invalid', None, None, ctypes.byref(ctypes.c_void_p()))",
        "import ctypes, os; os.fork() or ctypes.CDLL(None).socket(16, 3, 0)",
    ],
    ids=["a socket", "by a library", "past the library", "a name", "in a child"],
)
def test_who_tries_is_seen(tracer: list[str], tmp_path: Path, code: str) -> None:
    if not tracer:
        pytest.skip("strace is not there, or may not watch")
    if "41" in code and os.uname().machine != "x86_64":
        pytest.skip("the number of the call is that of x86-64")
    subprocess.run([*tracer, tmp_path / "log", sys.executable, "-S", "-c", code], check=False, timeout=60)
    found = beyond((tmp_path / "log").read_text("utf-8", "replace"))
    assert found and ("libc" in found[0] or "python" in found[0]), json.dumps(found)


def test_local_sockets_are_no_attempt(tracer: list[str], tmp_path: Path) -> None:
    if not tracer:
        pytest.skip("strace is not there, or may not watch")
    code = "import socket; a, b = socket.socketpair(); socket.socket(socket.AF_UNIX); a.send(b'x'); b.recv(1)"
    subprocess.run([*tracer, tmp_path / "log", sys.executable, "-S", "-c", code], check=True, timeout=60)
    assert beyond((tmp_path / "log").read_text("utf-8", "replace")) == []
