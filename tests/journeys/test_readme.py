"""What the README says is run as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\s*```\w+\n(.*?)```", README, re.S)
    assert found, f"the README has no block marked '{mark}'"
    return found.group(1).strip()


@pytest.mark.skipif(sys.platform == "win32", reason="the README's shell is a POSIX one")
def test_the_first_command_makes_a_scene(tmp_path: Path) -> None:
    install, *rest = block("first command").split(" && ")
    assert install == "python3 -m venv .venv" and rest[0].startswith(".venv/bin/pip install")
    words = " && ".join(rest[1:]).replace(".venv/bin/python", shlex.quote(sys.executable))
    words = words.replace(".venv/bin/unflat", f"{shlex.quote(sys.executable)} -m unflat.cli.entry")
    done = subprocess.run(["sh", "-ec", words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    made = {"astronaut.html", "astronaut.glb", "astronaut.html.c2pa", "astronaut.glb.c2pa"}
    assert {path.name for path in tmp_path.iterdir()} == made


def test_the_python_block_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block("python block")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert done.returncode == 0, done.stderr
    assert "Scene(" in done.stdout and "DepthMap(" in done.stdout
    assert (tmp_path / "coffee.usdz").exists()


def test_links_and_pictures_exist() -> None:
    pages = [
        ROOT / name for name in ("README.md", "CONVENTIONS.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
    ]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_every_flag_of_the_readme_exists(capsys: pytest.CaptureFixture[str]) -> None:
    from unflat.cli.main import run

    verbs = ("photo", "animate", "stereo", "depth", "scan", "volume", "inspect", "verify", "consent give")
    assert all(run([*verb.split(), "--help"]) == 0 for verb in verbs)
    told = capsys.readouterr().out
    for flag in set(re.findall(r"(--[a-z][a-z-]+)", README)):
        assert flag in told, f"the README names {flag}"
