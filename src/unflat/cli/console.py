"""What the commands say, and where: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from unflat.cli import interrupts
from unflat.errors import UnflatError


def say(text: str = "") -> None:
    """Print one line of the result to stdout."""
    print(text)


def tell(text: str) -> None:
    """Print one line beside the result, to stderr."""
    print(text, file=sys.stderr)


def say_json(value: Any) -> None:
    """Print one JSON object to stdout, in ASCII, so that no terminal's encoding can break it."""
    print(json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False))


def one_line(text: str) -> str:
    """Text as one printable line: file names may hold anything."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else "�" for c in text).split())


def show_error(error: UnflatError) -> None:
    """One ``error:`` line and one ``hint:`` line on stderr."""
    tell(f"error: {one_line(str(error))}")
    tell(f"hint: {one_line(error.hint)}")


class Progress:
    """The name of the running stage on a terminal's stderr; silent in a pipe and with --quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, stage: str) -> None:
        """A stage begins; an interrupt that was lost in foreign code is made good here."""
        if interrupts.seen:
            raise KeyboardInterrupt
        if self._shown:
            sys.stderr.write(f"\r\x1b[2K{stage} …")
            sys.stderr.flush()

    def clear(self) -> None:
        """Wipe the line."""
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """A progress line that is wiped however the work ends."""
    line = Progress(quiet=quiet)
    try:
        yield line
    finally:
        line.clear()


def show_report(report: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    """The report of a finished run: one JSON object for machines, notes and file names for people."""
    if as_json:
        say_json(report)
    elif not quiet:
        if eye := _eye_from_outside(report):
            tell(one_line(f"depth by {eye}"))
        for warning in report["warnings"]:
            tell(f"note: {one_line(warning)}")
        for path in report["outputs"]:
            say(path)


def _eye_from_outside(report: dict[str, Any]) -> str | None:
    """The model that saw the depth, where it is not the one inside unflat."""
    for step in report.get("provenance", {}).get("steps", ()):
        if step["name"] == "depth" and "weights_sha256" in step.get("options", {}) and step["model"] != "worlds":
            return f"{step['model']}, licence {step['licence']}"
    return None
