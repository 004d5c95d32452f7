"""``unflat verify``: whether what a file says of itself is true."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from unflat.cli.console import one_line, say, say_json
from unflat.cli.flags import check_inputs
from unflat.cli.inspect import one_line_keeping_indent
from unflat.errors import InputError

_UNSURE = {
    "changed": "was changed since it was signed",
    "missing": "is without the credentials that it names",
    "unsigned": "holds no credentials",
}


def verify(file: Path, /, *, trust: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Say whether a file is as it was signed: made from what, by which steps and models, by whom.

    Ends with 2 if it was changed since, or if its credentials (C2PA) are missing, or there are none.

    Args:
        file: Anything that unflat writes, or any picture or film with credentials.
        trust: Certificates (PEM) of signers whom you trust; without it nobody is vouched for but this machine.
        json: Print a machine-readable report on stdout.
    """
    from unflat.pipelines.verify import as_plain, in_words
    from unflat.pipelines.verify import verify as look

    if not file.is_dir():
        check_inputs(file)
    if trust is not None:
        check_inputs(trust)
    verdict = look(file, trust)
    if json:
        say_json(as_plain(verdict))
    else:
        for line in in_words(verdict):
            say(one_line_keeping_indent(line))
    what = _UNSURE.get(verdict.state)
    if what is not None:
        raise InputError(one_line(f"{file.name} {what}"), hint="'unflat inspect' says what else is known of it.")
