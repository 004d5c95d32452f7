"""A web page as a browser reads it, without a browser."""

from __future__ import annotations

from html.parser import HTMLParser


class Outline(HTMLParser):
    """What a browser would see: tags with attributes, and the text inside scripts, styles and the title."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page.decode("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.tags[-1][0] if self.tags else "", data))

    def text_of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]

    @property
    def about(self) -> str:
        return " ".join(text for tag, text in self.texts if tag in ("p", "dt", "dd", "li", "h3"))
