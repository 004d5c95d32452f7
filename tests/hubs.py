"""A small Hugging Face hub on this machine, with faults to order."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nets

SMALL = "depth-anything/Depth-Anything-V2-Small-hf"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONFIG = json.dumps({"model_type": "depth_anything", "depth_estimation_type": "relative"}).encode()
PREPROCESSOR = json.dumps(
    {
        "size": {"width": 56, "height": 56},
        "keep_aspect_ratio": True,
        "ensure_multiple_of": 14,
        "image_mean": [0, 0, 0],
        "image_std": [1, 1, 1],
    }
).encode()
README = b"---\nlicense: apache-2.0\ntags:\n- depth\n---\n# A model\n"


class Hub:
    """What a small hub serves: repositories by name, and faults to order."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.lies: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.moved: dict[str, str] = {}
        self.cut = ""
        self.slow = ""
        self.code = 0

    def listing(self, repo: str) -> bytes:
        rows: list[dict[str, Any]] = []
        for name, data in self.repos[repo].items():
            row: dict[str, Any] = {"rfilename": name, "size": len(data)}
            row["blobId"] = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            if name.endswith((".onnx", ".safetensors")):
                row["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            rows.append(row)
        return json.dumps({"sha": COMMIT, "siblings": rows}).encode()

    def answer(self, path: str) -> bytes | None:
        self.asked.append(path)
        if path in self.lies:
            return self.lies[path]
        if path.startswith("/api/models/"):
            repo = path.removeprefix("/api/models/").partition("?")[0]
            return self.listing(repo) if repo in self.repos else None
        repo, _, file = path.removeprefix("/").partition(f"/resolve/{COMMIT}/")
        return self.repos.get(repo, {}).get(file)


def exported(tmp_path: Path, *, times: float = 1.0) -> dict[str, bytes]:
    """A repository with an exported network of the family Depth Anything."""
    net = nets.mean_net(tmp_path / "net.onnx", times=times).read_bytes()
    return {
        "onnx/model.onnx": net,
        "config.json": CONFIG,
        "preprocessor_config.json": PREPROCESSOR,
        "README.md": README,
        "pytorch_model.bin": b"a pickle",
        "onnx/model_fp16.onnx": b"another",
    }


@contextlib.contextmanager
def serving(served: Hub) -> Iterator[str]:
    """Serve until the end of the block; gives the hub's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = served.answer(self.path)
            moved = served.moved.get(self.path)
            self.send_response(302 if moved else served.code or (404 if data is None else 200))
            body = data or b""
            self.send_header("Content-Length", str(len(body)))
            if moved:
                self.send_header("Location", moved)
            self.end_headers()
            if served.slow and self.path.endswith(served.slow):
                self.drip(body)
            else:
                self.wfile.write(body[: len(body) // 2] if served.cut and self.path.endswith(served.cut) else body)

        def drip(self, body: bytes) -> None:
            with contextlib.suppress(OSError):  # who waits may leave
                for at in range(len(body)):
                    self.wfile.write(body[at : at + 1])
                    time.sleep(0.02)

        def log_message(self, format: str, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
