"""A page for one result on 127.0.0.1, for the browser of whoever started it.

What it guards against, since other programs and other web pages run on the same machine:

- only 127.0.0.1 is listened on, and the page's path holds a secret that changes with every start;
- the ``Host`` header must name this address, so that a foreign site whose name was pointed here (DNS rebinding)
  gets nothing;
- one path answers to GET and HEAD, everything else is refused; no folder is ever listed or read;
- the page may neither be framed nor fetch anything from anywhere.
"""

from __future__ import annotations

import secrets
import sys
import threading
import webbrowser
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from types import TracebackType
from typing import Any, cast

from unflat.errors import InputError, OutputError
from unflat.formats import registry

ADDRESS = "127.0.0.1"
LARGEST_BYTES = 2**30
"""Larger files are refused: a browser would not open their page."""

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
        "connect-src blob:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def page_of_file(path: Path) -> bytes:
    """The page that shows a file: an .html as it is, everything else with our viewer around it.

    Raises:
        InputError: The file is missing, too large, damaged, or of no known kind.
    """
    from unflat.formats import html

    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise InputError(
                f"{path.name} has {size / 2**20:.0f} MiB, too many for a page in a browser",
                hint="Make it smaller: --triangles, or a smaller texture.",
            )
        suffix = path.suffix.lower()
        if suffix == ".html":
            return path.read_bytes()
        if suffix == ".glb":
            return html.page_of_glb(path.read_bytes(), path.name)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    return html.page_of_scene(registry.read_scene(path))


class Server:
    """Serves one page until it is closed; a context manager.

    Args:
        page: The whole page, UTF-8.
        port: Port on 127.0.0.1; 0 takes a free one.

    Raises:
        OutputError: The port is taken or may not be used.
    """

    def __init__(self, page: bytes, *, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(16)
        try:
            self._http = _Http((ADDRESS, port), _Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise OutputError(
                f"port {port} cannot be used: {why}", hint="Leave --port out to take a free one."
            ) from error
        self.port = int(self._http.server_address[1])
        self._http.page = page
        self._http.path = f"/{self.token}/"
        self._http.hosts = frozenset({f"{ADDRESS}:{self.port}", f"localhost:{self.port}"})
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.1,), name="unflat-view", daemon=True)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self.port}/{self.token}/"

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def serve(path: Path, *, port: int = 0, open_browser: bool = True) -> None:
    """Show ``path`` in the browser until Ctrl-C, which is the ordinary way to end and no failure.

    The address is written to standard error, for it must be seen even where no browser opens.

    Args:
        path: A scene file or a page.
        port: Port on 127.0.0.1; 0 takes a free one.
        open_browser: Open the browser by itself.

    Raises:
        InputError: The file cannot be shown.
        OutputError: The port cannot be used.
    """
    page = page_of_file(path)
    try:
        with Server(page, port=port) as server:
            sys.stderr.write(f"{path.name} is at {server.url}  (Ctrl-C ends it)\n")
            sys.stderr.flush()
            if open_browser and not webbrowser.open(server.url):
                sys.stderr.write("No browser could be opened; open the address yourself.\n")
            threading.Event().wait()
    except KeyboardInterrupt:
        sys.stderr.write("\n")


class _Http(ThreadingHTTPServer):
    """Holds the one page; a visitor who goes away in the middle is no fault."""

    daemon_threads = True
    block_on_close = False
    page: bytes
    path: str
    hosts: frozenset[str]

    def server_bind(self) -> None:
        """Listen, without asking whoever knows names for this machine's, as the library does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = ADDRESS, int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what is our fault; a cut connection is not."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server_version = "unflat"
    sys_version = ""
    timeout = 20

    def do_GET(self) -> None:
        """The page."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """The page's headers."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: the paths hold the secret."""

    def _answer(self, *, with_body: bool) -> None:
        house = cast(_Http, self.server)
        status, body = HTTPStatus.OK, house.page
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].lower() not in house.hosts:
            status, body = HTTPStatus.MISDIRECTED_REQUEST, b""
        elif not secrets.compare_digest(self.path.encode(), house.path.encode()):
            status, body = HTTPStatus.NOT_FOUND, b""
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)
