"""The local page: one path, one host, one secret, and nothing else."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import scenes
from unflat.errors import InputError, OutputError
from unflat.formats import registry
from unflat.view.server import ADDRESS, Server, page_of_file

PAGE = "<!doctype html><title>påge</title>".encode()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(PAGE) as running:
        yield running


def ask(
    server: Server, path: str, *, method: str = "GET", host: str | None = None
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(ADDRESS, server.port, timeout=10)
    try:
        connection.request(method, path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
    finally:
        connection.close()


def test_the_page_is_at_its_address(server: Server) -> None:
    status, body, headers = ask(server, f"/{server.token}/")
    assert (status, body) == (200, PAGE)
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "Python" not in headers["server"]


def test_head_tells_the_length_and_sends_nothing(server: Server) -> None:
    status, body, headers = ask(server, f"/{server.token}/", method="HEAD")
    assert (status, body, headers["content-length"]) == (200, b"", str(len(PAGE)))


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/../etc/passwd", "/%2e%2e/", "//", "/{token}", "/{token}/x", "/ø"]
)
def test_every_other_path_is_not_found(server: Server, path: str) -> None:
    path = path.format(token=server.token).encode("utf-8").decode("latin-1")
    connection = http.client.HTTPConnection(ADDRESS, server.port, timeout=10)
    connection._validate_path = lambda url: None  # type: ignore[attr-defined]  # to send what a browser would not
    connection._encode_request = lambda request: request.encode("latin-1")  # type: ignore[attr-defined]
    connection.request("GET", path)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (404, b"")
    connection.close()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{port}"]
)
def test_a_foreign_host_gets_nothing(server: Server, host: str) -> None:
    status, body, _ = ask(server, f"/{server.token}/", host=host.format(port=server.port))
    assert (status, body) == (421, b"")


def test_localhost_is_a_name_of_this_host(server: Server) -> None:
    assert ask(server, f"/{server.token}/", host=f"LocalHost:{server.port}")[0] == 200


def test_without_a_host_or_with_two_nothing_is_given(server: Server) -> None:
    for hosts in ("", f"Host: {ADDRESS}:{server.port}\r\nHost: {ADDRESS}:{server.port}\r\n"):
        with socket.create_connection((ADDRESS, server.port), timeout=10) as plain:
            plain.sendall(f"GET /{server.token}/ HTTP/1.1\r\n{hosts}\r\n".encode())
            assert b" 421 " in plain.makefile("rb").readline()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    status, body, _ = ask(server, f"/{server.token}/", method=method)
    assert status == 501
    assert PAGE not in body


def test_the_secret_changes_with_every_start(server: Server) -> None:
    with Server(PAGE) as other:
        assert other.token != server.token
        assert len(other.token) >= 20
        assert ask(other, f"/{server.token}/")[0] == 404


def test_only_this_machine_is_listened_on(server: Server) -> None:
    assert server._http.server_address[0] == ADDRESS


def test_a_closed_server_is_gone() -> None:
    with Server(PAGE) as server:
        assert ask(server, f"/{server.token}/")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        ask(server, f"/{server.token}/")


def test_a_taken_port_is_said_kindly(server: Server) -> None:
    with pytest.raises(OutputError, match=str(server.port)):
        Server(PAGE, port=server.port)
    with pytest.raises(OutputError, match="70000"):
        Server(PAGE, port=70000)


def test_a_visitor_who_leaves_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with Server(b"x" * 50_000_000) as server:
        with socket.create_connection((ADDRESS, server.port), timeout=10) as plain:
            plain.sendall(f"GET /{server.token}/ HTTP/1.1\r\nHost: {ADDRESS}:{server.port}\r\n\r\n".encode())
            plain.recv(100)
        assert ask(server, f"/{server.token}/", method="HEAD")[0] == 200
        time.sleep(0.2)
    assert capsys.readouterr().err == ""


def test_a_page_is_served_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.HTML"
    file.write_bytes(PAGE)
    assert page_of_file(file) == PAGE


@pytest.mark.parametrize("suffix", [".glb", ".gltf", ".ply"])
def test_a_scene_gets_a_page_around_it(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a{suffix}"
    registry.write(scenes.textured_scene(), file)
    page = page_of_file(file).decode("utf-8")
    assert page.startswith("<!doctype html>")
    assert "<title>sheet.png</title>" in page


@pytest.mark.parametrize("name", ["missing.glb", "missing.html", "picture.txt", "nothing"])
def test_what_cannot_be_shown_is_said(tmp_path: Path, name: str) -> None:
    if not name.startswith("missing"):
        (tmp_path / name).write_text("?")
    with pytest.raises(InputError):
        page_of_file(tmp_path / name)


def test_a_damaged_glb_is_said(tmp_path: Path) -> None:
    file = tmp_path / "a.glb"
    for data in (b"", b"glTF", b"glTF" + bytes(16), os.urandom(64)):
        file.write_bytes(data)
        with pytest.raises(InputError, match=r"a\.glb"):
            page_of_file(file)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(PAGE)
    code = (
        "import signal, sys; from pathlib import Path; from unflat.view.server import serve; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # a background job starts with Ctrl-C ignored
        "serve(Path(sys.argv[1]), open_browser=False)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "a.html")], stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stderr is not None
    line = process.stderr.readline().decode()
    assert "http://127.0.0.1:" in line
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.strip()) == (0, b"", b"")
