"""No test may reach for anything beyond this machine: whoever tries is stopped, named and written down.

Python tells an audit hook (PEP 578) of every address that it connects to, listens at, sends to or looks up, and of
every program that it starts. :func:`watch` stops all of that but for loopback and sockets between processes. Python
programs that tests start are watched, too: ``watched/sitecustomize.py`` is put in their way. What other programs and
compiled libraries do, nobody tells Python; ``journeys/test_nothing_sent.py`` asks the system instead.
"""

from __future__ import annotations

import ipaddress
import os
import sys
import traceback
from pathlib import Path
from typing import Any

NOTES = "UNFLAT_TESTS_ATTEMPTS"
"""Environment variable that names the folder into which attempts are written."""
_LOOKED_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_REACHED = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}
_STARTED = {"subprocess.Popen", "os.posix_spawn", "os.exec"}
_CLIENTS = {"curl", "wget", "ssh", "scp", "sftp", "rsync", "ftp", "nc", "ncat", "telnet", "pip", "pip3", "uv"}
"""Programs whose work is to reach other machines."""
_LOCAL_NAMES = {None, "", "localhost", "localhost.", "ip6-localhost"}


class AttemptError(BaseException):
    """Something reached for another machine. Not an ``Exception``, so that nobody swallows it."""


def is_local(host: object) -> bool:
    """Whether an address or a name is that of this machine, as seen from itself."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if text in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(str(text).split("%")[0]).is_loopback
    except ValueError:
        return False


def attempt(event: str, args: tuple[Any, ...]) -> str | None:
    """In words, what an event of Python reaches for beyond this machine; None for every other event."""
    if event in _LOOKED_UP:
        return None if is_local(args[0]) else f"{event}: {args[0]!r}"
    if event in _REACHED:
        address = args[1]
        if not isinstance(address, tuple):  # a path, or a socket that is connected already
            return None
        everywhere = address[0] == "" and event == "socket.bind"
        return f"{event}: {address!r}" if everywhere or not is_local(address[0]) else None
    if event in _STARTED and args[0] is not None:
        program = Path(os.fsdecode(args[0])).name.lower().removesuffix(".exe")
        return f"{event}: {program}" if program in _CLIENTS else None
    return None


def watch(notes: Path) -> None:
    """Watch this process to its end.

    Args:
        notes: A folder; each attempt becomes a file in it that says what was tried, and by whom.
    """

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if not event.startswith(("socket.", "subprocess.", "os.")):
            return
        tried = attempt(event, args)
        if tried is not None:
            write_down(notes, tried)
            raise AttemptError(tried)

    sys.addaudithook(hook)


def write_down(notes: Path, tried: str) -> None:
    """Keep an attempt with the lines of code that led to it."""
    lines = "".join(traceback.format_stack(limit=16)[:-2])
    text = f"{tried}\nby {' '.join(sys.orig_argv)[:300]}\n{lines}"
    number = len(os.listdir(notes))  # noqa: PTH208
    (notes / f"{os.getpid()}-{number}.txt").write_text(text, encoding="utf-8")


def written_down(notes: Path) -> list[str]:
    """All attempts since the last time somebody asked; they are forgotten then."""
    files = [notes / name for name in sorted(os.listdir(notes))]  # noqa: PTH208  (tests replace Path.iterdir)
    said = [file.read_text(encoding="utf-8") for file in files]
    for file in files:
        file.unlink()
    return said
