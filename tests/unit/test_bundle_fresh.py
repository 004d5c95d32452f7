"""The committed viewer was built from the committed sources.

The first tests need no Node: the manifest holds the hashes of all sources and outputs. Where Node and the packages of
``web/`` are there, the bundle is built again and compared byte for byte; with UNFLAT_CI=1 they are fetched if missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[2]
WEB, STATIC = ROOT / "web", ROOT / "src" / "unflat" / "formats" / "static"
IN_CI = os.environ.get("UNFLAT_CI") == "1"
LARGEST_BUNDLE = 750_000


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _missing(what: str) -> NoReturn:
    """A tool is not here: a failure in CI, a remark elsewhere."""
    if IN_CI:
        pytest.fail(f"UNFLAT_CI=1, and {what}")
    pytest.skip(what)


def manifest() -> dict[str, dict[str, str]]:
    return json.loads((STATIC / "manifest.json").read_text("utf-8"))


@pytest.mark.skipif(not WEB.is_dir(), reason="web/ is not part of this copy")
def test_the_bundle_was_built_from_these_sources() -> None:
    pages = ("page.html", "clip.html", "stroll.html", "volume.html")
    top = (".npmrc", "build.mjs", "package.json", "package-lock.json", *pages, "tsconfig.json")
    now = {name: sha256(WEB / name) for name in top}
    now |= {f"src/{path.name}": sha256(path) for path in (WEB / "src").iterdir()}
    assert now == manifest()["sources"], "the bundle is stale: cd web && npm ci --ignore-scripts && npm run build"


def test_the_bundle_is_what_was_built() -> None:
    found = {path.name: sha256(path) for path in STATIC.iterdir() if path.name != "manifest.json"}
    assert found == manifest()["outputs"]


def test_the_bundle_can_lie_inside_a_page() -> None:
    script = (STATIC / "viewer.js").read_text("utf-8").lower()
    assert "</script" not in script
    assert "<!--" not in script
    assert "</style" not in (STATIC / "viewer.css").read_text("utf-8").lower()
    for name in manifest()["outputs"]:
        assert b"\r" not in (STATIC / name).read_bytes(), f"{name}: the policy's hash is of lines that end in LF"


def test_the_bundle_stays_small_and_keeps_the_licence() -> None:
    script = (STATIC / "viewer.js").read_text("utf-8")
    assert len(script.encode()) <= LARGEST_BUNDLE
    for text in (script, (STATIC / "THREE-LICENSE.txt").read_text("utf-8")):
        assert "Permission is hereby granted, free of charge" in text
        assert "three.js authors" in text


@pytest.mark.skipif(not WEB.is_dir(), reason="web/ is not part of this copy")
def test_the_lock_names_no_download_address() -> None:
    lock = (WEB / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert "://" not in "".join(line for line in lock.splitlines() if '"url"' not in line)


@pytest.mark.node
def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        _missing("Node.js is not here")
    if not (WEB / "node_modules" / "esbuild").is_dir():
        if not IN_CI:
            pytest.skip("the packages of web/ are not installed (npm ci --ignore-scripts)")
        subprocess.run([npm, "ci", "--ignore-scripts"], cwd=WEB, check=True, capture_output=True)
    subprocess.run([node, "build.mjs", str(tmp_path)], cwd=WEB, check=True, capture_output=True)
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert built == {path.name: path.read_bytes() for path in STATIC.iterdir()}


@pytest.mark.node
def test_the_types_are_strict_and_hold() -> None:
    compiler = WEB / "node_modules" / "typescript" / "bin" / "tsc"
    node = shutil.which("node")
    if node is None or not compiler.is_file():
        _missing("Node.js or web/node_modules is not here")
    done = subprocess.run([node, str(compiler), "--noEmit"], cwd=WEB, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
