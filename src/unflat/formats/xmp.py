"""XMP packets, read as if they hated us: no document types, no entities, bounded depth and size.

Source: ISO 16684-1 (XMP), and the RDF/XML subset it allows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

_LARGEST = 64 * 1024 * 1024
_DEEPEST = 64
_MOST_NODES = 20_000
_BUFFER = 1 << 20
"""Text comes in pieces of this length: whole pictures are told as text."""

DC = "http://purl.org/dc/elements/1.1/"
RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
CC = "http://creativecommons.org/ns#"
GDEPTH = "http://ns.google.com/photos/1.0/depthmap/"


class XmpError(ValueError):
    """The packet cannot be read."""


def _no_children() -> list[Element]:
    return []


@dataclass(slots=True)
class Element:
    """One XML element. Names are ``namespace local``, with a space between, or ``local`` alone."""

    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=_no_children)
    text: str = ""

    def walk(self) -> list[Element]:
        """This element and all below it, in document order."""
        found: list[Element] = []
        waiting: list[Element] = [self]
        while waiting:
            element = waiting.pop()
            found.append(element)
            waiting.extend(reversed(element.children))
        return found

    def words(self) -> list[str]:
        """Every text below, without the white space between elements."""
        return [t for e in self.walk() if (t := e.text.strip())]


def local(name: str) -> str:
    """The name without its namespace."""
    return name.rsplit(" ", 1)[-1]


def parse(packet: bytes | str) -> Element:
    """Read a packet into elements.

    Raises:
        XmpError: Not well-formed, too large or too deep, or it declares a document type or an entity.
    """
    data = packet.encode() if isinstance(packet, str) else packet
    data = data.strip(b"\0 \t\r\n")
    if len(data) > _LARGEST:
        raise XmpError("the XMP packet is too large")
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.buffer_size = _BUFFER
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise XmpError(f"the XMP packet is not well-formed: {error}") from error
    except (UnicodeDecodeError, LookupError) as error:
        raise XmpError(f"the XMP packet is in no known encoding: {error}") from error
    if builder.root is None:
        raise XmpError("the XMP packet is empty")
    return builder.root


class _Builder:
    """Collects elements from expat's events and keeps the limits."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self.open: list[Element] = []
        self.count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if len(self.open) >= _DEEPEST or self.count > _MOST_NODES:
            raise XmpError("the XMP packet is nested too deep or has too many parts")
        element = Element(name, attributes)
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def end(self, _name: str) -> None:
        self.open.pop()

    def characters(self, text: str) -> None:
        self.open[-1].text += text

    def refuse(self, *_: object) -> None:
        raise XmpError("the XMP packet declares a document type or an entity")


def properties(root: Element, namespace: str) -> dict[str, str]:
    """All simple properties of one namespace, as local name -> text; the first one wins.

    A property is written as an attribute, as an element with text, as an element with ``rdf:resource``, or
    as a list, whose items are joined by "; ".
    """
    found: dict[str, str] = {}
    for element in root.walk():
        for name, value in element.attributes.items():
            if name.startswith(namespace + " "):
                found.setdefault(local(name), value.strip())
        if element.name.startswith(namespace + " "):
            words = element.words() or [v for k, v in element.attributes.items() if local(k) == "resource"]
            if words:
                found.setdefault(local(element.name), "; ".join(words))
    return found


def elements(root: Element, wanted: Callable[[str], bool]) -> list[Element]:
    """The elements whose full name is wanted, in document order."""
    return [element for element in root.walk() if wanted(element.name)]
