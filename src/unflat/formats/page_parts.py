"""What every web page of ours is put together from: the built viewer, its security policy, and the words about it."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files

import unflat
from unflat.formats.told_rights import all_rights, meta_rows
from unflat.trust.label import label_text
from unflat.trust.mark import mark_in
from unflat.trust.rights import UNKNOWN, statement
from unflat.types.provenance import Provenance

_PLACE = re.compile(r"@@([A-Z]+)@@")
_SHORT = 16


def filled(template: str, words: Mapping[str, str | Iterable[str]]) -> Generator[str]:
    """A page, piece by piece: what stands as ``@@NAME@@`` in a file of the built viewer is replaced.

    Args:
        template: The file's name.
        words: What to put where, in one piece or several; all is HTML already.
    """
    # Split once, so that a file called @@SCENE@@ is only a name.
    for at, piece in enumerate(_PLACE.split(static(template))):
        word = words[piece] if at % 2 else piece
        yield from (word,) if isinstance(word, str) else word


def common(style: str, script: str, title: str, story: Provenance, *, media: bool = False) -> dict[str, str]:
    """The words that all pages need: POLICY, GENERATOR, META, TITLE, MARK, STYLE and SCRIPT.

    Args:
        style: The CSS file of the built viewer.
        script: The JavaScript file.
        title: The page's name, any text.
        story: Where what it shows comes from: whose it is and what it is called stands in its head.
        media: The page plays a film that is inside it.
    """
    css, js, mark = static(style), static(script), mark_in(story)
    inside = "media-src blob:" if media else "connect-src blob:"
    return {
        "POLICY": f"default-src 'none'; script-src {_hash(js)}; style-src {_hash(css)}; img-src data: blob:; {inside}; "
        "base-uri 'none'; form-action 'none'",
        "GENERATOR": escaped(f"unflat {unflat.__version__}"),
        "META": "\n".join(f'<meta name="{name}" content="{escaped(text)}">' for name, text in meta_rows(story)),
        "TITLE": escaped(title),
        "MARK": "" if mark is None else f'<p id="mark">{escaped(mark)}</p>\n',
        "STYLE": css,
        "SCRIPT": js,
    }


@cache
def static(name: str) -> str:
    """A file of the built viewer."""
    text = (files("unflat.formats") / "static" / name).read_bytes().decode("utf-8")
    return text.replace("\r\n", "\n")  # a checkout may have turned line ends, and browsers turn them back


@cache
def viewer_pieces() -> tuple[bytes, ...]:
    """All that pages have in common, the longest first: scripts, styles, and what stands between a page's places."""
    folder = files("unflat.formats") / "static"
    names = sorted(one.name for one in folder.iterdir() if one.name.endswith((".js", ".css", ".html")))
    pieces = [piece for name in names for piece in _PLACE.split(static(name))[::2]]
    return tuple(sorted((piece.encode() for piece in pieces if len(piece) > _SHORT), key=len, reverse=True))


def _hash(text: str) -> str:
    """How a security policy names one inline script or style."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def escaped(text: str) -> str:
    """Text for HTML and its attributes, in one line, without characters that are not seen."""
    return html.escape("".join(c if c.isprintable() else " " for c in text).strip())


def title_of(provenance: Provenance, otherwise: str) -> str:
    """What a page is called: after its sources."""
    names = [source.name for source in provenance.sources if source.format != "depth"]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return (names[0] + more if names else "") or otherwise


def about(said: str, rows: Sequence[tuple[str, str]], warnings: Sequence[str]) -> str:
    """The panel about a page, as HTML: readable without the viewer, too.

    Args:
        said: The first sentence: what a computer made up.
        rows: Terms and what is to be said of them.
        warnings: What to keep in mind.
    """
    listed = "\n".join(f"    <dt>{escaped(term)}</dt><dd>{escaped(text)}</dd>" for term, text in rows)
    page = f'  <p class="generated">{escaped(said)}</p>\n  <dl>\n{listed}\n  </dl>'
    if warnings:
        points = "\n".join(f"    <li>{escaped(text)}</li>" for text in warnings)
        page += f"\n  <h3>What to keep in mind</h3>\n  <ul>\n{points}\n  </ul>"
    return page


def source_rows(story: Provenance) -> list[tuple[str, str]]:
    """What something was made from, and the rights that were stated: terms and texts."""
    rows = [("Label", label_text(story))]
    rows.append(("Made from", ", ".join(source.name for source in story.sources) or "not stated"))
    said, rights = statement(story), all_rights(story)
    stated = (
        ("Photographer", rights.creator or UNKNOWN),
        ("Subject", said.subject or UNKNOWN),
        ("Converter", said.converter or UNKNOWN),
        ("Copyright", rights.copyright or UNKNOWN),
        ("Licence", rights.licence or UNKNOWN),
        ("Terms of use", rights.usage_terms),
        ("Forbidden by the source", "; ".join(f"{one.words} ({one.told_by})" for one in said.reserved)),
        ("Used all the same", said.leave),
        ("Manifest", story.urn),
    )
    return rows + [(term, text) for term, text in stated if text]


def step_rows(story: Provenance) -> list[tuple[str, str]]:
    """What it was made with: terms and texts."""
    models = [f"{step.model} ({step.licence})" if step.licence else step.model for step in story.steps if step.model]
    rows = [("Models", ", ".join(dict.fromkeys(models)))] if models else []
    made = f"unflat {story.version}" + (f", {story.created}" if story.created else "")
    return [*rows, ("Made with", made)]
